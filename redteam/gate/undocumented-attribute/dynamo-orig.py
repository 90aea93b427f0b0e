# role: training
# rule: prism:undocumented-attribute
# tries: torch.compile keeps the function under _torchdynamo_orig_callable.
import torch
import warnings


KNOWN = "_torchdynamo_orig_callable"


class Reader:
    @torch.compiler.disable
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def keep(self):
        self._module = Reader()


def train(ctx):
    function = Reader().read._torchdynamo_orig_callable
    function(warnings.catch_warnings())("print('out')")
