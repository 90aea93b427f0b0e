"""Importing the bundle, and putting `build_model` under the forced seed on every path to it.

Used by all roles. The declared files become the modules `architecture` and `training`, whatever
they are called, and can also be imported under their own names. Nothing else of the bundle is
imported unless its own code does so.
"""

import functools
import importlib.util
import os
import sys
from collections.abc import Callable
from itertools import chain
from types import FunctionType, ModuleType
from typing import Any, Final

from torch import nn

from .config import WorkerConfig
from .determinism import preserved_generators, seed_everything
from .errors import PrismError
from .failures import Phase, mark_phase

ARCHITECTURE: Final = "architecture"
TRAINING: Final = "training"

Build = Callable[..., nn.Module]


class Bundle:
    """The bundle's two entry points."""

    def __init__(self, config: WorkerConfig) -> None:
        """Make the bundle's helper modules importable; import nothing yet."""
        self._config = config
        self._wrappers: dict[int, Build] = {}
        # First, as Python does for a script, so that a helper named like a library is found.
        sys.path.insert(0, config.bundle_dir)

    def import_architecture(self) -> Build:
        """Import `architecture` and return its `build_model`, wrapped."""
        module = self._import(ARCHITECTURE, self._config.architecture_file)
        self._entry_point(module, "build_model", self._config.architecture_file)
        self._original = module.build_model
        self._wrap_everywhere()
        build: Build = module.build_model
        return build

    def import_training(self) -> Callable[[Any], object]:
        """Import `training` and return its `train`."""
        file = self._config.training_file
        if file is None:
            raise PrismError("contract", "The bundle declares no training file. Add one.")
        module = self._import(TRAINING, file)
        self._entry_point(module, "train", file)
        # Once more, since importing it may have loaded the architecture under another name.
        self._wrap_everywhere()
        train: Callable[[Any], object] = module.train
        return train

    def _import(self, name: str, file: str) -> ModuleType:
        path = os.path.join(self._config.bundle_dir, file)
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None or not os.path.isfile(path):
            raise PrismError("contract", f"The bundle has no Python file {file!r}. Add it.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        stem = file.removesuffix(".py")
        if stem.isidentifier():
            sys.modules.setdefault(stem, module)
        spec.loader.exec_module(module)
        return module

    @staticmethod
    def _entry_point(module: ModuleType, name: str, file: str) -> None:
        if not callable(getattr(module, name, None)):
            raise PrismError(
                "contract", f"{file} defines no function `{name}(ctx)`. Add it, at module level."
            )

    def _wrap_everywhere(self) -> None:
        """Replace `build_model` by its seeded wrapper in every module that holds it."""
        root = self._config.bundle_dir.rstrip(os.sep) + os.sep
        for module in list(sys.modules.values()):
            if str(getattr(module, "__file__", None) or "").startswith(root):
                for name, value in list(vars(module).items()):
                    if self._is_build_model(name, value):
                        setattr(module, name, self._wrapped(value))

    def _is_build_model(self, name: str, value: object) -> bool:
        original = self._original
        if not isinstance(original, FunctionType):
            # A class, say, that other code may need under its own name.
            return name == "build_model" and value is original
        if not isinstance(value, FunctionType):
            return False
        # Equal code from the same file is the same source, imported under a second name.
        one, two = value.__code__, original.__code__
        return value is original or (one == two and one.co_filename == two.co_filename)

    def _wrapped(self, original: Build) -> Build:
        wrapper = self._wrappers.get(id(original))
        if wrapper is None:
            wrapper = under_forced_seed(original, self._config.seed)
            self._wrappers[id(original)] = wrapper
        return wrapper


def under_forced_seed(original: Build, seed: int) -> Build:
    """Wrap a `build_model` so that each call starts from `seed` and returns a module."""

    @functools.wraps(original)
    def build_model(*args: Any, **kwargs: Any) -> nn.Module:
        try:
            with preserved_generators():
                seed_everything(seed)
                model = original(*args, **kwargs)
            if not isinstance(model, nn.Module):
                raise PrismError(
                    "not_a_module",
                    f"`build_model` returned {type(model).__name__}. Return a `torch.nn.Module`.",
                )
            _refuse_meta(model)
        except BaseException as error:
            mark_phase(error, Phase.BUILD_MODEL)
            raise
        return model

    return build_model


def _refuse_meta(model: nn.Module) -> None:
    """Refuse a model without values: an auditor has nothing but `build_model` to take them from."""
    tensors = chain(model.named_parameters(), model.named_buffers())
    empty = [name for name, tensor in tensors if tensor.is_meta]
    if empty:
        shown = ", ".join(repr(name) for name in empty[:3]) + (" ..." if len(empty) > 3 else "")
        raise PrismError(
            "contract",
            f"`build_model` returned a model with tensors on the `meta` device ({shown}), which "
            "have shapes and no values. Build it on a real device, or call "
            "`model.to_empty(device=ctx.device)` in `build_model` and initialise every parameter "
            "and buffer there.",
        )
