# role: helper
# rule: prism:no-deserialization | prism:no-forbidden-import
# tries: Registers a reducer with the copyreg that re keeps.
import re


class Config:
    width = 64


re.copyreg.pickle(Config, lambda config: (print, ("x",)))
