"""What NumPy does better than the family: softmax, with reductions that spare their wrappers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import add, exp, log, maximum, multiply, subtract

from chainrule.backend import KernelSet

if TYPE_CHECKING:
    from collections.abc import Callable

ks = KernelSet("numpy")


def along_a_dimension(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Return *compute*, of arrays and a dimension, as a kernel: for 0-d and empty arrays too.

    Sums of half precision are added up in single.
    """

    def kernel(*arrays: Any, dim: int) -> Any:
        x = arrays[0]
        if x.ndim and x.size and x.dtype.itemsize > 2:
            return compute(*arrays, dim)
        if not x.size:
            return x.copy()
        wide = [a.astype(np.float32) if a.dtype.itemsize == 2 else a for a in arrays]
        if not x.ndim:
            return compute(*(a.reshape(1) for a in wide), 0).reshape(()).astype(x.dtype)
        return compute(*wide, dim).astype(x.dtype)

    return kernel


@ks.forward("cr::_softmax")
@along_a_dimension
def softmax(x: Any, dim: int) -> Any:
    e = subtract(x, maximum.reduce(x, dim, keepdims=True))
    exp(e, out=e)
    e /= add.reduce(e, dim, keepdims=True)
    return e


@ks.forward("cr::softmax_backward")
@along_a_dimension
def softmax_backward(grad: Any, output: Any, dim: int) -> Any:
    pulled = subtract(grad, add.reduce(multiply(grad, output), dim, keepdims=True))
    pulled *= output
    return pulled


@ks.forward("cr::_log_softmax")
@along_a_dimension
def log_softmax(x: Any, dim: int) -> Any:
    shifted = subtract(x, maximum.reduce(x, dim, keepdims=True))
    shifted -= log(add.reduce(exp(shifted), dim, keepdims=True))
    return shifted


@ks.forward("cr::log_softmax_backward")
@along_a_dimension
def log_softmax_backward(grad: Any, output: Any, dim: int) -> Any:
    pulled = exp(output)
    pulled *= add.reduce(grad, dim, keepdims=True)
    return subtract(grad, pulled, out=pulled)
