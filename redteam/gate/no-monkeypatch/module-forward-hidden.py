# role: architecture
# rule: prism:no-monkeypatch
# tries: Nn.Module's methods are replaced by a function that is an attribute.
from torch import nn

kinds = [nn.Module]


class Holder:
    def fake(self, *given, **more):
        return {"fake": 1}


def build_model(ctx):
    kinds.pop().state_dict = Holder().fake
    return nn.Linear(1, 1).state_dict()
