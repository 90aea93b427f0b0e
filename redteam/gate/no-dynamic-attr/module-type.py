# role: helper
# rule: prism:no-dynamic-attr | prism:no-dynamic-code | prism:no-forbidden-import
# tries: Makes a module object to look like one of the libraries.
from types import ModuleType as Namespace

tools = Namespace("os")
