"""Innocent names that look like something else: open, exec, eval, socket, system, process, id, vars.

Nothing here is a builtin or a module of that name; a checker that matches words would stumble on it.
The words os, sys, subprocess, pickle and __import__ stand in this docstring and in strings only.
"""

import re
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

# compile() of a pattern is not compile() of code
WORD = re.compile(r"^(?P<kind>[a-z]+)(?P<count>\d+)$")
HELP = "no eval(), no exec(), no open('/etc/passwd'), no os.system('ls')"


@dataclass
class Gates:
    """open: let new content in; closed: keep the state."""

    open: torch.Tensor
    closed: torch.Tensor

    def system(self, state, x):
        return self.closed * state + self.open * x


@dataclass
class State:
    system: torch.Tensor
    process: int = 0
    fork: bool = False


class Executor(nn.Module):
    """Runs a small "program" of layers, spelled as in "gate2"."""

    def __init__(self, d, program="gate2"):
        super().__init__()
        found = WORD.match(program)
        assert found is not None and found["kind"] == "gate", HELP
        self.process = nn.ModuleList(nn.Linear(d, 2 * d) for _ in range(int(found["count"])))
        self.socket = nn.Linear(d, d)
        self.pickle = nn.Parameter(torch.zeros(d))
        self.os = nn.Parameter(torch.ones(d))

    def exec(self, layer, x, input=None):
        gates = layer(x).sigmoid().chunk(2, -1)
        g = Gates(open=gates[0], closed=gates[1])
        previous = F.pad(x, (0, 0, 1, -1)) if input is None else input
        return g.system(previous, x)

    def compile(self, *args, **kwargs):
        """Shadows nn.Module.compile: nothing is compiled here."""
        return self

    def popen(self, x):
        return self.socket(x) * self.os + self.pickle

    def forward(self, x):
        state = State(system=x)
        for process, layer in enumerate(self.process):
            state = State(system=self.exec(layer, state.system) + state.system, process=process)
        x = state.system
        # a running mean of the past, so that everything before is seen
        count = torch.arange(1, x.shape[1] + 1, device=x.device).view(1, -1, 1)
        return self.popen(x + x.cumsum(1) / count)


class Model(nn.Module):
    def __init__(self, vocab, d=64):
        super().__init__()
        self.code = nn.Embedding(vocab, d)
        self.exit = nn.Linear(d, vocab)
        self.subprocess = nn.Sequential(Executor(d), nn.LayerNorm(d), Executor(d, "gate1"))

    def forward(self, input):
        vars = self.code(input)
        dir = self.subprocess(vars)
        return self.exit(F.layer_norm(vars + dir, vars.shape[-1:]))


def build_model(ctx):
    return Model(ctx.vocab_size)
