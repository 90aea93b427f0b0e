# role: helper
# rule: prism:no-attribute-escape | prism:no-deserialization
# tries: Binds __reduce_ex__ in a class body by an import with another name.
class State:
    from copy import deepcopy as __reduce_ex__
