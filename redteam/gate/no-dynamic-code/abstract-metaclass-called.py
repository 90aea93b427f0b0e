# role: helper
# rule: prism:no-dynamic-code
# tries: Makes a class by calling ABCMeta, which is a type.
import abc

Block = abc.ABCMeta("Block", (), {"__len__": lambda self: 1})
