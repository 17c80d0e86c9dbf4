"""Limits of the dtypes: `finfo`, `iinfo`."""

from __future__ import annotations

from typing import Final

from . import dtypes
from .dtypes import DType, get_default_dtype, given
from .errors import ArgumentError

#: Bits of the significand and of the exponent.
_FLOATS: Final = {
    dtypes.float16: (10, 5),
    dtypes.bfloat16: (7, 8),
    dtypes.float32: (23, 8),
    dtypes.float64: (52, 11),
}


class finfo:  # noqa: N801 - PyTorch's name
    """Limits of a floating dtype (of its component, for a complex one).

    Attributes:
        bits: The size in bits.
        eps: The distance from 1 to the next number.
        max, min: The largest and the lowest number.
        tiny, smallest_normal: The smallest positive normal number.
        resolution: The decimal resolution.
        dtype: The name of the dtype.

    Raises:
        TypeError: *type* is not floating.

    >>> finfo(dtypes.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: DType | None = None) -> None:
        dtype = (get_default_dtype() if type is None else given(type)).to_real()
        if dtype not in _FLOATS:
            msg = (
                "torch.finfo() requires a floating point input type. "
                "Use torch.iinfo to handle 'torch.finfo'\n"
                f"finfo: got {dtype}."
            )
            raise ArgumentError(msg)
        digits, exponent = _FLOATS[dtype]
        top = 2 ** (exponent - 1) - 1
        self.bits = 8 * dtype.itemsize
        self.eps = 2.0**-digits
        self.max = (2.0 - self.eps) * 2.0**top
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0 ** (1 - top)
        decimals = int(digits * 0.30103)
        self.resolution = float(f"1e-{decimals}")
        self.dtype = dtype.name

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:  # noqa: N801 - PyTorch's name
    """Limits of an integer dtype.

    Raises:
        TypeError: *type* is no integer dtype.

    >>> iinfo(dtypes.int8).max
    127
    """

    def __init__(self, type: DType) -> None:
        dtype = given(type)
        if dtype.category != dtypes.INTEGER:
            msg = (
                "torch.iinfo() requires an integer input type. "
                "Use torch.finfo to handle 'torch.iinfo'\n"
                f"iinfo: got {dtype}."
            )
            raise ArgumentError(msg)
        self.bits = 8 * dtype.itemsize
        self.min = -(2 ** (self.bits - 1)) if dtype.is_signed else 0
        self.max = 2 ** (self.bits - dtype.is_signed) - 1
        self.dtype = dtype.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
