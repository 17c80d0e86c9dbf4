"""Tensors as NumPy arrays over the same memory, and back. Nothing is copied that need not be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch


def on_host(item: Any) -> Any:
    """Return *item* with NumPy arrays for tensors, in nested lists and tuples too."""
    if isinstance(item, torch.Tensor):
        return item.numpy()
    if isinstance(item, (list, tuple)) and type(item) in {list, tuple}:
        return type(item)(map(on_host, item))
    return item


def as_tensors(result: Any) -> Any:
    """Return what a NumPy kernel gave with tensors for arrays and NumPy's scalars.

    A result that is memory of an argument stays so: views are views.
    """
    if isinstance(result, (np.ndarray, np.generic)):
        return as_tensor(np.asarray(result))
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*map(as_tensors, result))
    if isinstance(result, (list, tuple)):
        return type(result)(map(as_tensors, result))
    return result


def as_tensor(array: Any) -> torch.Tensor:
    """Return *array* as a tensor over its memory; as a copy where a tensor cannot look that way.

    A tensor has no negative strides, and none that are not whole elements.
    """
    if any(step < 0 or step % array.itemsize for step in array.strides):
        array = array.copy()
    elif not array.flags.writeable:
        array = _writeable(array)
    return torch.from_numpy(array.view(np.ndarray))


def _writeable(array: Any) -> Any:
    """Return *array* with writes allowed: NumPy forbids them where elements share memory."""
    seen = array.view()
    try:
        seen.flags.writeable = True
    except ValueError:  # the memory itself is not for writing
        return array.copy()
    return seen


def strides(tensor: torch.Tensor) -> tuple[int, ...]:
    """Return the strides of *tensor* in elements, of an empty one as if no size were zero."""
    if tensor.numel():
        return tensor.stride()
    sizes = [max(size, 1) for size in tensor.shape]
    return tuple(math.prod(sizes[dim + 1 :]) for dim in range(len(sizes)))
