"""The constants of a run that a bundle can see or that its claims are priced by.

Read by `run` from the same files as `prism eval` reads; those of audits and of the sandbox have no
meaning here. The two recipes that have a name lie beside this file, byte for byte those of PRISM.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from ..config import Device
from .errors import LocalError

BUILT_IN: Final = ("demo", "official")

_DIRECTORY: Final = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Recipe:
    """The fields of a recipe under their own names. Units are in the names."""

    name: str
    max_bytes: int
    min_targets_per_step: int
    max_step_ppm: int
    max_batch_size: int
    max_seq_len: int
    max_vocab_size: int
    default_seq_len: int
    time_limit_seconds: int
    max_steps: int | None
    max_tokens: int | None
    max_params: int
    max_snapshot_bytes: int
    smoothing: float
    device: Device
    threads: int
    matmul_precision: str
    gpu_memory_bytes: int

    @classmethod
    def load(cls, name: str) -> Self:
        """Read the recipe of this name, or the one in this file."""
        path = _DIRECTORY / f"{name}.toml" if name in BUILT_IN else Path(name)
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise LocalError(
                f"There is no recipe and no file called {name!r}. Use `demo`, `official` or the "
                "path of a file."
            ) from error
        except (OSError, ValueError) as error:
            raise LocalError(f"The recipe {path} cannot be read: {error}") from error
        return cls._of(tables, path)

    @classmethod
    def _of(cls, tables: dict[str, Any], path: Path) -> Self:
        def number(table: str, key: str) -> int:
            value = tables.get(table, {}).get(key)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise LocalError(f"The recipe {path} has no whole number `{table}.{key}`. Add it.")
            return value

        def optional(table: str, key: str) -> int | None:
            return number(table, key) if key in tables.get(table, {}) else None

        compute = tables.get("compute", {})
        device = compute.get("device")
        smoothing = tables.get("score", {}).get("smoothing")
        if device not in {"cpu", "cuda"} or not isinstance(smoothing, float) or not smoothing > 0.0:
            raise LocalError(
                f"The recipe {path} lacks `compute.device` (cpu or cuda) or `score.smoothing`. "
                "Start from what `prism recipe show` prints."
            )
        return cls(
            name=str(tables.get("name", path.stem)),
            max_bytes=number("stream", "max_bytes"),
            min_targets_per_step=number("stream", "min_targets_per_step"),
            max_step_ppm=number("stream", "max_step_ppm"),
            max_batch_size=number("stream", "max_batch_size"),
            max_seq_len=number("stream", "max_seq_len"),
            max_vocab_size=number("stream", "max_vocab_size"),
            default_seq_len=number("stream", "default_seq_len"),
            time_limit_seconds=number("budget", "time_limit_seconds"),
            max_steps=optional("budget", "max_steps"),
            max_tokens=optional("budget", "max_tokens"),
            max_params=number("caps", "max_params"),
            max_snapshot_bytes=number("caps", "max_snapshot_bytes"),
            smoothing=smoothing,
            device=device,
            threads=number("compute", "threads"),
            matmul_precision=str(compute.get("matmul_precision", "highest")),
            gpu_memory_bytes=number("compute", "gpu_memory_bytes"),
        )

    def step_targets(self, total: int) -> tuple[int, int]:
        """Return the least and the most targets of a step on a stream of `total` targets."""
        least = min(self.min_targets_per_step, total)
        return least, max(total * self.max_step_ppm // 1_000_000, 1)
