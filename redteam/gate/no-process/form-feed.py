# role: helper
# rule: prism:no-process
# tries: Puts form feeds and continued lines between the words of an import.
from \
    os \
    import (
        system as run
    )


def shell():
    return run("id")
