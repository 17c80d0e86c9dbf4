"""PyTorch's registry of operators, which chainrule does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ._absent import absent

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["impl_abstract", "register_fake"]

T = TypeVar("T")


def register_fake(
    op: object,
    func: T | None = None,
    /,
    *,
    lib: Any = None,
    _stacklevel: int = 1,
    allow_override: bool = False,
) -> T | Callable[[T], T]:
    """Return the function, or a decorator that does: nothing here is computed without data.

    Libraries state with it which shapes an operator gives, for PyTorch's tracers.
    """
    return func if func is not None else lambda function: function


impl_abstract = register_fake

__getattr__ = absent("library", "Use Function.as_op, or a plugin: see `chainrule plugins new`.")
