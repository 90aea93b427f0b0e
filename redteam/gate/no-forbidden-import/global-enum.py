# role: helper
# rule: prism:no-forbidden-import | prism:no-monkeypatch
# tries: Has enum.global_enum write members into the module that an enumeration names as its own.
import enum

REPLACED = enum.global_enum(enum.IntEnum("Replaced", {"inf": 1}, module="math"))
