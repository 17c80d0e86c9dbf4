"""Kernels of chainrule/ops/shape.py, axes.py and broadcasting.py: views of NumPy-like arrays."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet
from chainrule.errors import ShapeError

ks = KernelSet("xp")

NOT_A_VIEW = (
    "view size is not compatible with input tensor's size and stride (at least one dimension spans "
    "across two contiguous subspaces). Use .reshape(...) instead."
)


def view_strides(
    shape: tuple[int, ...], strides: tuple[int, ...], size: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return the strides that show an array of *shape* as *size*; None if there are none.

    Going backwards, each run of dimensions that follow each other in memory must be filled by
    whole dimensions of the new shape.
    """
    if 0 in shape:
        return tuple(strides[-1:] or (1,)) * len(size)
    found: list[int] = []
    wanted = list(size)
    base = strides[-1] if strides else 1
    run = 1
    for dim in range(len(shape) - 1, -1, -1):
        run *= shape[dim]
        if dim and (shape[dim - 1] == 1 or strides[dim - 1] == run * base):
            continue
        filled = 1
        while wanted and (filled < run or wanted[-1] == 1):
            found.append(filled * base)
            filled *= wanted.pop()
        if filled != run:
            return None
        base, run = (strides[dim - 1] if dim else base), 1
    found.extend([base] * len(wanted))
    return tuple(reversed(found))


def _reshaped(x: Any, *, size: tuple[int, ...]) -> Any:
    if not x.flags.c_contiguous and view_strides(x.shape, x.strides, size) is None:
        raise ShapeError(
            f"{NOT_A_VIEW}\nview: shape {tuple(x.shape)} with strides {tuple(x.strides)} in bytes "
            f"cannot be seen as {size}."
        )
    return x.reshape(size)


ks.add("cr::_view", _reshaped)
ks.add("cr::_reshape_alias", _reshaped)


@ks.forward("cr::_unsafe_view")
def unsafe_view(x: Any, *, size: tuple[int, ...]) -> Any:
    return x.reshape(size)


@ks.forward("cr::_view_as_dtype")
def view_as_dtype(x: Any, *, dtype: Any) -> Any:
    return x.view(dtype.name)


@ks.family("cr::_squeeze_all")
def squeeze_all(xp: Any) -> Any:
    return xp.squeeze


@ks.forward("cr::_squeeze_dim")
def squeeze_dim(x: Any, *, dim: int) -> Any:
    if x.ndim == 0 or x.shape[dim] != 1:
        return x[...]
    return x.squeeze(dim)


@ks.forward("cr::_squeeze_dims")
def squeeze_dims(x: Any, *, dim: tuple[int, ...]) -> Any:
    ones = tuple(d for d in dim if x.ndim and x.shape[d] == 1)
    return x.squeeze(ones) if ones else x[...]


@ks.forward("cr::_unsqueeze")
def unsqueeze(x: Any, *, dim: int) -> Any:
    place = dim if dim >= 0 else dim + x.ndim + 1
    return x[(slice(None),) * place + (None,)]


@ks.family("cr::_expand")
def expand(xp: Any) -> Any:
    def kernel(x: Any, *, size: tuple[int, ...]) -> Any:
        return x[...] if x.shape == size else xp.broadcast_to(x, size)

    return kernel


@ks.forward("cr::_transpose")
def transpose(x: Any, *, dim0: int, dim1: int) -> Any:
    return x.swapaxes(dim0, dim1) if x.ndim else x[...]


@ks.forward("cr::_t")
def t(x: Any) -> Any:
    return x.T


@ks.forward("cr::_permute")
def permute(x: Any, *, dims: tuple[int, ...]) -> Any:
    return x.transpose(dims)
