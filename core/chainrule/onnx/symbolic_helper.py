"""What libraries import to state how an operator is exported: a decorator."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .._absent import absent

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["parse_args"]

T = TypeVar("T")


def parse_args(*arg_descriptors: str | None) -> Callable[[T], T]:
    """Return a decorator that leaves the function as it is."""
    return lambda function: function


__getattr__ = absent("onnx.symbolic_helper", "No model is exported: leave the call out.")
