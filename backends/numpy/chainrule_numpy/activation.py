"""What NumPy does better than the family: activations and their gradients on small arrays.

There a NumPy call costs more than its arithmetic, and a Python number among its operands costs a
third of a call more. So constants are 0-d arrays of the dtype at hand.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy import exp, less_equal, logical_not, maximum, multiply, negative, reciprocal, subtract

from chainrule.backend import KernelSet

ks = KernelSet("numpy")

_FLOATS: Final = [np.dtype(code) for code in "efd"]
_OTHERS: Final = ("int8", "uint8", "int16", "int32", "int64", "complex64", "complex128")
_NUMBERS: Final = [*_FLOATS, *map(np.dtype, _OTHERS)]
ZERO: Final = {dtype: np.zeros((), dtype) for dtype in _NUMBERS}
ONE: Final = {dtype: np.ones((), dtype) for dtype in _NUMBERS}
#: The integers whose bits are those of a float: see chainrule_xp/masks.py.
BITS: Final = dict(zip(_FLOATS, (np.int16, np.int32, np.int64), strict=True))


@ks.forward("cr::relu")
def relu(x: Any) -> Any:
    return maximum(x, ZERO[x.dtype])


@ks.forward("cr::threshold_backward")
def threshold_backward(grad: Any, x: Any, *, threshold: Any = 0) -> Any:
    dtype = grad.dtype
    bound = ZERO[dtype] if threshold == 0 else threshold
    mask = logical_not(less_equal(x, bound))
    return multiply(grad.view(BITS[dtype]), mask).view(dtype)


@ks.forward("cr::sigmoid")
def sigmoid(x: Any) -> Any:
    result = negative(x)
    if not x.shape:  # NumPy's scalars are values, not memory
        return reciprocal(exp(result) + ONE[x.dtype])
    exp(result, out=result)
    result += ONE[x.dtype]
    return reciprocal(result, out=result)


@ks.forward("cr::sigmoid_backward")
def sigmoid_backward(grad: Any, output: Any) -> Any:
    slope = subtract(ONE[output.dtype], output)
    slope *= output
    if slope.dtype.kind == "c":
        slope = np.conjugate(slope)
    if grad.shape != slope.shape:  # of a batch, where the output is not
        return multiply(slope, grad)
    slope *= grad
    return slope


@ks.forward("cr::tanh_backward")
def tanh_backward(grad: Any, output: Any) -> Any:
    slope = multiply(output, output)
    slope = subtract(ONE[output.dtype], slope, out=slope if output.shape else None)
    if slope.dtype.kind == "c":
        slope = np.conjugate(slope)
    if grad.shape != slope.shape:  # of a batch, where the output is not
        return multiply(slope, grad)
    slope *= grad
    return slope
