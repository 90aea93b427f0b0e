# role: helper
# rule: prism:no-forbidden-import | prism:no-filesystem
# tries: Imports a database in the shadow of an allowed module.
import math, sqlite3 as lite


def table():
    return lite.connect(":memory:"), math.pi
