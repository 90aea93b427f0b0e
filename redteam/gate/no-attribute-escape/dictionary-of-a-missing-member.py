# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the dictionary of what the class of an enumeration hands to its hook for missing members.
import enum


class Kind(enum.Enum):
    A = 1

    @classmethod
    def _missing_(cls, value):
        return value.__dict__
