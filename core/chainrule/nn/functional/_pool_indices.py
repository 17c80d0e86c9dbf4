"""Pooling that gives the indices too, under PyTorch's names for that."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from ... import ops

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d_with_indices", "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d_with_indices", "max_pool1d_with_indices", "max_pool2d_with_indices",
    "max_pool3d_with_indices",
]  # fmt: skip


def _with_indices(pool: Callable[..., Any]) -> Callable[..., Any]:
    """Return *pool* so that it always gives elements and indices."""

    @wraps(pool)
    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs["return_indices"] = True
        return pool(*args, **kwargs)

    call.__name__ = call.__qualname__ = f"{pool.__name__}_with_indices"
    call.__doc__ = f"Return what `{pool.__name__}` returns, and the indices of the elements."
    return call


max_pool1d_with_indices = _with_indices(ops.max_pool1d)
max_pool2d_with_indices = _with_indices(ops.max_pool2d)
max_pool3d_with_indices = _with_indices(ops.max_pool3d)
adaptive_max_pool1d_with_indices = _with_indices(ops.adaptive_max_pool1d)
adaptive_max_pool2d_with_indices = _with_indices(ops.adaptive_max_pool2d)
adaptive_max_pool3d_with_indices = _with_indices(ops.adaptive_max_pool3d)
fractional_max_pool2d_with_indices = _with_indices(ops.fractional_max_pool2d)
fractional_max_pool3d_with_indices = _with_indices(ops.fractional_max_pool3d)
