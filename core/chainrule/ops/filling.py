"""Python numbers as elements of a tensor."""

from __future__ import annotations

import operator
from math import copysign, inf
from typing import TYPE_CHECKING, Any, Final

from ..dtypes import float16
from ..errors import ArgumentError
from .creation_values import fit_value

if TYPE_CHECKING:
    from ..dtypes import DType

__all__: list[str] = []

#: The least number that is infinite in float16.
_TOO_LARGE: Final = 65520


def as_number(value: Any, dtype: DType) -> Any:
    """Return *value* as a Python number that a tensor of *dtype* can be filled with.

    In float16 a number that is too large becomes infinite, as in PyTorch.

    Raises:
        ArgumentError: it is no number.
        DTypeError: *dtype* does not hold it.
    """
    if not isinstance(value, (int, float, complex)):
        try:
            value = operator.index(value)
        except TypeError:
            msg = f"can't assign a {kind_name(value)} to a torch.{dtype.scalar_name}Tensor"
            raise ArgumentError(msg) from None
    if dtype is float16 and not isinstance(value, complex) and abs(value) >= _TOO_LARGE:
        return copysign(inf, value)
    return fit_value(value, dtype)


def kind_name(value: Any) -> str:
    """Return the name of a value's type, with its module unless that is Python's own."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
