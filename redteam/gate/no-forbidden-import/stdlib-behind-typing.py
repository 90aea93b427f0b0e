# role: helper
# rule: prism:no-forbidden-import | prism:no-dynamic-code
# tries: Takes FunctionType from the types module that typing imports.
import typing

MAKE = typing.types.FunctionType
