"""Graphs of programs, which chainrule does not have."""

from __future__ import annotations

from typing import TypeVar

from .._absent import absent
from . import node, proxy

__all__ = ["node", "proxy", "wrap"]

T = TypeVar("T")


def wrap(fn_or_name: T) -> T:
    """Return the function, or the name of one: it runs as it is, for nothing is traced.

    Libraries mark with it, as a decorator, what a tracer should not look into.
    """
    return fn_or_name


__getattr__ = absent("fx", "The graph of a result can be walked from its grad_fn.")
