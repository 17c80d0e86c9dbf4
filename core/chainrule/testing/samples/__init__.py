"""Sample inputs of core's ops, one file per file of `chainrule.ops`: our database of op cases."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..cases import OpCase

FAMILIES = (
    "arithmetic", "pointwise", "comparison", "complex", "copying", "reductions", "activation",
    "loss", "shape", "joining", "indexing", "linalg", "creation", "random",
)  # fmt: skip


def all_cases() -> Iterator[OpCase]:
    """Yield the cases of every family: each file has a list called ``cases``."""
    for family in FAMILIES:
        yield from importlib.import_module(f"{__name__}.{family}").cases
