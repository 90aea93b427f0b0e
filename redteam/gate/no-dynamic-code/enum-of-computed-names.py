# role: helper
# rule: prism:no-dynamic-code
# tries: Makes an enum with a hook among its members.
import enum

Kind = enum.Enum("Kind", {"__re" + "duce_ex__": print, "A": 1})
