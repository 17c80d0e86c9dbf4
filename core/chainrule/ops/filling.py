"""Python numbers as elements of a tensor."""

from __future__ import annotations

import operator
from math import isfinite
from typing import Any, Final

from .. import dtypes
from ..errors import ArgumentError, DTypeError

__all__: list[str] = []


def as_number(value: Any, dtype: dtypes.DType) -> Any:
    """Return *value* as a Python number that *dtype* can hold.

    Raises:
        ArgumentError: it is no number.
        DTypeError: it cannot.
    """
    if not isinstance(value, (int, float, complex)):
        try:
            value = operator.index(value)
        except TypeError:
            msg = f"can't assign a {kind_name(value)} to a torch.{dtype.scalar_name}Tensor"
            raise ArgumentError(msg) from None
    if _overflows(value, dtype):
        msg = (
            f"value cannot be converted to type {_C_NAMES.get(dtype.name, dtype.name)} without "
            "overflow"
        )
        raise DTypeError(msg)
    if dtype.category == dtypes.BOOL:
        return bool(value)
    if dtype.category == dtypes.INTEGER:
        return int(value) if dtype.is_signed else int(value) % (1 << 8 * dtype.itemsize)
    return value


_C_NAMES: Final = {
    "float32": "float", "float64": "double", "float16": "at::Half", "bool": "bool",
    "uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int32_t",
    "int64": "int64_t",
}  # fmt: skip


def kind_name(value: Any) -> str:
    """Return the name of a value's type, with its module unless that is Python's own."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _overflows(value: Any, dtype: dtypes.DType) -> bool:
    """Return whether *dtype* cannot hold *value*; negative integers wrap in unsigned dtypes."""
    if isinstance(value, complex):
        return dtype.category != dtypes.COMPLEX and value.imag != 0
    if dtype.category != dtypes.INTEGER:
        return False
    if not isfinite(value):
        return True
    bits = 8 * dtype.itemsize
    if not dtype.is_signed:
        return not -(1 << bits) < int(value) < 1 << bits or (isinstance(value, float) and value < 0)
    return not -(1 << bits - 1) <= int(value) < 1 << bits - 1
