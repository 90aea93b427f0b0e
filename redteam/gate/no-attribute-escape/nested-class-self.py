# role: architecture
# rule: prism:no-attribute-escape
# tries: A method within a class within a function.
import torch.nn.functional as F

kinds = []


def make():
    class Own:
        tell = classmethod(kinds.append)

        def read(self):
            return self.__dict__

    return Own()


def build_model(ctx):
    make().tell()
    read = kinds[0].read
    return read(read(F)["torch"])["os"].getpid()
