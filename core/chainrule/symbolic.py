"""Sizes that PyTorch's compiler leaves open. Here a size is a number, and so are these."""

from __future__ import annotations

import builtins
from typing import Any, Final

__all__ = [
    "SymBool", "SymFloat", "SymInt", "sym_float", "sym_int", "sym_ite", "sym_max", "sym_min",
    "sym_not", "sym_sum",
]  # fmt: skip


class SymInt:
    """An integer that is not known yet; there is none."""


class SymFloat:
    """A number that is not known yet; there is none."""


class SymBool:
    """A truth value that is not known yet; there is none."""


sym_int: Final = builtins.int
sym_float: Final = builtins.float


def sym_max(a: Any, b: Any) -> Any:
    """Return the larger of two numbers: a float if one is."""
    found = builtins.max(a, b)
    return float(found) if isinstance(a, float) or isinstance(b, float) else found


def sym_min(a: Any, b: Any) -> Any:
    """Return the smaller of two numbers: a float if one is."""
    found = builtins.min(a, b)
    return float(found) if isinstance(a, float) or isinstance(b, float) else found


def sym_not(a: Any) -> bool:
    """Return ``not a``."""
    return not a


def sym_ite(b: Any, t: Any, f: Any) -> Any:
    """Return *t* if *b*, else *f*."""
    return t if b else f


def sym_sum(args: Any) -> Any:
    """Return the sum of numbers."""
    return builtins.sum(args)
