"""Kernels of chainrule/ops/linalg.py: what NumPy does better than the family.

The method ``dot`` multiplies two matrices in half the time that ``matmul`` takes to start, and
hands every layout to BLAS. BLAS has no 16-bit floats: they are multiplied in float32 and the result
is rounded once, as PyTorch does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backend import Array, Kernel, KernelSet
from chainrule_xp.linalg import conjugated, plus_product

ks = KernelSet("numpy")


def _is_half(x: Array) -> bool:
    return bool(x.itemsize == 2 and x.dtype == np.float16)


def _in_float32(kernel: Kernel, *arrays: Array, **factors: Any) -> Array:
    return kernel(*[x.astype(np.float32) for x in arrays], **factors).astype(np.float16)


def _dot(x: Array, y: Array) -> Array:
    return _in_float32(_dot, x, y) if _is_half(x) else x.dot(y)


def _matmul(x: Array, y: Array) -> Array:
    if _is_half(x):
        return _in_float32(_matmul, x, y)
    return np.matmul(_for_blas(x), _for_blas(y))


def _for_blas(x: Array) -> Array:
    """Return *x*, copied if neither rows nor columns are contiguous.

    NumPy copies by itself from 2.3 on; before, it multiplies such matrices without BLAS.
    """
    rows, columns = x.strides[-2:]
    size = x.itemsize
    if (columns == size and rows >= size * x.shape[-1]) or (
        rows == size and columns >= size * x.shape[-2]
    ):
        return x
    return np.ascontiguousarray(x)


def _product(x: Array, y: Array) -> Array:
    return _dot(x, y) if x.ndim == 2 else _matmul(x, y)


ks.add("cr::mm", _dot)
ks.add("cr::_mm_with_transpose", _dot)
ks.add("cr::mv", _dot)
ks.add("cr::bmm", _matmul)


@ks.forward("cr::_times_adjoint")
def times_adjoint(x: Array, y: Array) -> Array:
    return _product(x, conjugated(y.swapaxes(-2, -1)))


@ks.forward("cr::_adjoint_times")
def adjoint_times(x: Array, y: Array, *, by_columns: bool = False) -> Array:
    if by_columns:
        return _product(y.swapaxes(-2, -1), conjugated(x)).swapaxes(-2, -1)
    return _product(conjugated(x.swapaxes(-2, -1)), y)


@ks.forward("cr::addmm")
def addmm(x: Array, a: Array, b: Array, *, beta: Any = 1, alpha: Any = 1) -> Array:
    if _is_half(x):
        return _in_float32(addmm, x, a, b, beta=beta, alpha=alpha)
    product = a.dot(b)
    if beta == 1 == alpha:
        product += x
        return product
    return plus_product(product, x, beta, alpha)


ks.add("cr::_addmm_with_transpose", addmm)
ks.add("cr::addmv", addmm)


@ks.forward("cr::baddbmm")
def baddbmm(x: Array, a: Array, b: Array, *, beta: Any = 1, alpha: Any = 1) -> Array:
    if _is_half(x):
        return _in_float32(baddbmm, x, a, b, beta=beta, alpha=alpha)
    return plus_product(_matmul(a, b), x, beta, alpha)
