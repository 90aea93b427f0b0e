"""The parts of the DeltaNet model."""

from .delta_rule import DeltaRule
from .mlp import SwiGLU as MLP

__all__ = ["MLP", "DeltaRule"]
