# role: training
# rule: prism:no-dynamic-code
# tries: A type comment is evaluated by TorchScript, and may hand a module to an own __getitem__.
import torch


class Grab:
    def __getitem__(self, module):
        print("PWNED", module.modules["os"].listdir("/")[:4])
        return torch.Tensor


GRAB = Grab()


def helper(x):
    # type: (GRAB[torch.sys]) -> Tensor
    return x


def train(ctx):
    try:
        torch.jit.script(helper)
    except Exception as error:
        print(type(error), str(error)[:300])
