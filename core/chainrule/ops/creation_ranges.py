"""New tensors of evenly spaced numbers, and the identity matrix."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from ..dtypes import BOOL, COMPLEX, INTEGER, category_of_number, get_default_dtype, int64
from ..errors import ArgumentError, DTypeError, ShapeError
from ..op import primitive
from ..value import new_value
from ._arguments import unrecorded
from ._operands import refusal
from .creation import finish, into_out, key_for
from .creation_values import as_number
from .linalg import on_diagonal

if TYPE_CHECKING:
    from ..device import Device
    from ..dtypes import DType
    from ..tensor import Number, Tensor

__all__ = ["eye", "linspace", "logspace"]


def linspace(
    start: Number,
    end: Number,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return *steps* evenly spaced numbers from *start* to *end*, both included.

    Args:
        start: The first number.
        end: The last number, unless *steps* is one.
        steps: How many.
        out: Where to write the result.
        dtype: Of the result; integers are rounded towards zero.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    Raises:
        RuntimeError: *steps* is negative.

    >>> import chainrule as cr
    >>> cr.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    return _spaced(
        "linspace", start, end, steps, None, out=out, dtype=dtype, device=device,
        requires_grad=requires_grad,
    )  # fmt: skip


def logspace(
    start: Number,
    end: Number,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return *base* to the power of the numbers of `linspace`, whose other arguments it has.

    Differs from PyTorch:
        The results may differ in the last place.

    >>> import chainrule as cr
    >>> cr.logspace(0, 3, 4)
    tensor([   1.,   10.,  100., 1000.])
    """
    return _spaced(
        "logspace", start, end, steps, base, out=out, dtype=dtype, device=device,
        requires_grad=requires_grad,
    )  # fmt: skip


def _spaced(
    function: str,
    start: Any,
    end: Any,
    steps: int,
    base: float | None,
    *,
    out: Tensor | None,
    dtype: DType | None,
    device: Device | str | None,
    requires_grad: bool,
) -> Tensor:
    first, last = as_number(start), as_number(end)
    count = _count(function, steps, "steps", 3)
    if count < 0:
        msg = f"number of steps must be non-negative\n{function}: got {steps} steps."
        raise ShapeError(msg)
    is_complex = COMPLEX in map(category_of_number, (first, last))
    if dtype is None and out is None and is_complex:
        dtype = get_default_dtype().to_complex()
    key = key_for(dtype, device, out)
    dtype = key.dtype
    if is_complex and dtype.category != COMPLEX:
        msg = (
            f"torch.{function}(): inferred dtype c10::complex<float> can't be safely cast to "
            f"passed dtype {dtype.scalar_name}\n{function}: pass a complex dtype, or real numbers."
        )
        raise DTypeError(msg)
    if dtype.category == BOOL:
        raise refusal(function, f"{function}_cpu", dtype)
    if dtype.category == INTEGER:
        first, last = int(first), int(last)
    places = new_value(key.backend.arange(0, 1, count, int64, key.device), key.of(int64))
    result = unrecorded(_between, places, first, first if count == 1 else last, dtype, base)
    if out is not None:
        return into_out(out, result, requires_grad)
    return finish(result._array, key, requires_grad)


@primitive
def _between(
    self: Tensor, start: Number, end: Number, dtype: DType, base: float | None = None
) -> Tensor:
    """Return numbers evenly spaced from *start* to *end*, or powers of *base* to them.

    They are wanted at the places *self*, all from 0 on.
    """


_between.vjp(self=None)


def _count(function: str, number: Any, argument: str, position: int) -> int:
    """Return *number* as an integer.

    Raises:
        ArgumentError: it is none.
    """
    try:
        return operator.index(number)
    except TypeError:
        kind = type(number).__name__
        msg = f"{function}(): argument '{argument}' (position {position}) must be int, not {kind}"
        raise ArgumentError(msg) from None


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a matrix with ones on the diagonal and zeros elsewhere.

    Args:
        n: How many rows.
        m: How many columns; by default as many as rows.
        out: Where to write the result.
        dtype: Of the result.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    Raises:
        RuntimeError: *n* or *m* is negative.

    >>> import chainrule as cr
    >>> cr.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    rows = _count("eye", n, "n", 1)
    columns = rows if m is None else _count("eye", m, "m", 2)
    for name, number in (("n", rows), ("m", columns)):
        if number < 0:
            msg = f"{name} must be greater or equal to 0, got {number}\neye: {name} is a size."
            raise ShapeError(msg)
    key = key_for(dtype, device, out)
    one = new_value(key.backend.full((), 1, key.dtype, key.device), key)
    result = unrecorded(on_diagonal, one, (rows, columns))
    if out is not None:
        return into_out(out, result, requires_grad)
    return finish(result._array, key, requires_grad)
