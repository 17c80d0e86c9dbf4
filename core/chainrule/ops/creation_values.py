"""Numbers as an array of a dtype can hold them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ..dtypes import BOOL, COMPLEX, INTEGER, int64, plain_number
from ..errors import DTypeError
from ..value import Value

if TYPE_CHECKING:
    from ..dtypes import DType
    from ..tensor import Number

__all__: list[str] = []

#: The types as the message about a number that is too large spells them.
_C_NAMES: Final = {
    "uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t",
    "float16": "c10::Half", "float32": "float", "complex64": "c10::complex<float>",
}  # fmt: skip
#: The largest finite numbers of dtypes that have fewer than Python's float.
_LARGEST: Final = {
    "float16": 65504.0, "float32": 3.4028234663852886e38, "complex64": 3.4028234663852886e38,
}  # fmt: skip


def as_number(item: Any) -> Any:
    """Return the number in a 0-d tensor or an array library's scalar; others as they are."""
    if isinstance(item, Value):
        return item._key.backend.tolist(item._array)
    return plain_number(item)


def fit_value(value: Number, dtype: DType) -> Number:
    """Return *value* as a number that an array of *dtype* can be filled with.

    Raises:
        DTypeError: *dtype* does not hold it.
    """
    value = as_number(value)
    if dtype.category == BOOL:
        return bool(value)
    if isinstance(value, complex) and dtype.category != COMPLEX:
        if value.imag:
            raise _overflow(value, dtype)
        value = value.real
    if dtype.category == INTEGER:
        return _fit_integer(value, dtype)
    if _LARGEST.get(dtype.name, math.inf) < abs(value) < math.inf:
        raise _overflow(value, dtype)
    return value


def fitted(values: Any, dtype: DType) -> Any:
    """Return nested lists of numbers with each as an array of *dtype* can hold it.

    Raises:
        DTypeError: *dtype* does not hold one of them.
        ValueError: an integer is too large for int64.
    """
    if isinstance(values, (list, tuple)):
        return [fitted(item, dtype) for item in values]
    try:
        return fit_value(values, dtype)
    except DTypeError:
        if dtype is int64 and isinstance(values, int):
            msg = f"Overflow when unpacking long long\ntensor: {values} is too large for {dtype}."
            raise ValueError(msg) from None
        msg = (
            f"value cannot be converted to type {dtype.name} without overflow\n"
            f"tensor: {dtype} does not hold {values}. Choose another dtype."
        )
        raise DTypeError(msg) from None


def _fit_integer(value: Any, dtype: DType) -> int:
    bits = 8 * dtype.itemsize
    low, high = (0, 1 << bits) if not dtype.is_signed else (-(1 << bits - 1), 1 << bits - 1)
    if isinstance(value, int) and not low and -high < value < 0:
        return value + high  # as in C, a small negative number wraps around
    if not math.isfinite(value) or not low <= value <= high - 1:
        raise _overflow(value, dtype)
    return int(value)


def _overflow(value: Number, dtype: DType) -> DTypeError:
    return DTypeError(
        f"value cannot be converted to type {_C_NAMES.get(dtype.name, 'double')} without overflow\n"
        f"expected a number that {dtype} holds, got {value}. Choose another dtype."
    )
