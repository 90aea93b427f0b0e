# role: helper
# rule: prism:no-gc-inspect | prism:no-forbidden-import
# tries: Takes inspect from dataclasses in a from-import.
from dataclasses import dataclass, inspect as fields


@dataclass
class Config:
    width: int = 64


def caller():
    return fields.stack()
