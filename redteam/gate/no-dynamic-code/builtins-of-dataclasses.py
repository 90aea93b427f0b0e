# role: helper
# rule: prism:no-dynamic-code | prism:no-forbidden-import
# tries: Imports the builtins from a library that keeps them, under the name of a decorator.
from dataclasses import builtins as field, dataclass


@dataclass
class Config:
    width: int = field.eval("64")
