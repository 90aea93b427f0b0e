"""The names that bundles written for the older interface import.

`PrismContext` is the one context class of the runtime. Nothing new belongs here.
"""

from prism_runtime.compat import PrismBatch, TrainingRecipe
from prism_runtime.context import Context as PrismContext

__all__ = ["PrismBatch", "PrismContext", "TrainingRecipe"]
