# role: helper
# rule: prism:no-dynamic-attr
# tries: Keeps the class in another class and asks that for it by a name in two parts.
import torch.nn.functional as F


class Outer:
    class Inner:
        def put(self, name, value):
            setattr(self, name, value)

    def part(self, end):
        return getattr(self, f"Inner{end}")


Outer().part("").put(F, "relu", len)
