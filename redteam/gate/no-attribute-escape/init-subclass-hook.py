# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the method resolution order of each subclass while it is made.
class Layer:
    def __init_subclass__(cls, **options):
        cls.parents = cls.__mro__

    def __class_getitem__(cls, index):
        return cls.parents[index]


class Dense(Layer):
    pass


ROOT = Dense[-1]
