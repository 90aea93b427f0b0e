"""The entry point only re-exports: build_model is written in core/model.py."""

from core.model import build_model

__all__ = ["build_model"]
__version__ = "0.3"
