# role: helper
# rule: prism:no-dynamic-attr
# tries: Hands the method on where its class is made, by its bare name.
import torch.nn.functional as F

kept = []


class Store:
    def put(self, name, value):
        setattr(self, name, value)

    kept.append(put)


kept[0](F, "relu", len)
