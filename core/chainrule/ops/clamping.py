"""Keeping elements within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import BOOL, INTEGER, plain_number
from ..errors import ArgumentError, DTypeError, UnsupportedDTypeError
from ..op import Op, composite, primitive
from ..value import Value
from ._operands import into
from .comparison import ge, gt, le, logical_and, logical_or, lt
from .selection import where

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..backend import DispatchKey
    from ..tensor import Number, Tensor

__all__ = ["clamp", "clamp_max", "clamp_min", "clip"]

_NO_COMPLEX = "clamp is not supported for complex types"


class _CountingNumbers(Op[Any, Any]):
    """An op whose static numbers count in type promotion: clamping integers by 0.5 gives floats."""

    indirect = frozenset({BOOL, INTEGER})

    def _promoted(
        self, tensors: list[Any], values: list[Value], key: DispatchKey, bound: Sequence[Any]
    ) -> tuple[list[Any], DispatchKey | None]:
        numbers = [n for n in bound[len(tensors) :] if n is not None]
        arrays, result = super()._promoted([*tensors, *numbers], values, key, bound)
        return arrays[: len(tensors)], result


def _counts_numbers(**options: Any) -> Callable[[Any], Any]:
    return lambda function: _CountingNumbers(function, kind="primitive", **options)


@_counts_numbers(
    promote="arithmetic",
    refuses={"bool": "clamp_scalar_cpu", "complex": _NO_COMPLEX},
    nodes={"": "ClampBackward1"},
)
def _clamp(self: Tensor, min: Number | None = None, max: Number | None = None) -> Tensor:
    """Return *self* within bounds that are numbers."""


@primitive(
    promote="arithmetic",
    refuses={"complex": _NO_COMPLEX},
    nodes={"": "ClampBackward0"},
)
def _clamp_between(self: Tensor, min: Tensor | None = None, max: Tensor | None = None) -> Tensor:
    """Return *self* within bounds that are tensors."""


@composite(dtype="same")
def clamp_backward(
    grad: Tensor, self: Tensor, min: Number | None = None, max: Number | None = None
) -> Tensor:
    """Return *grad* where *self* is within its bounds, on them included, else 0."""
    return _inside_gradient(grad, self, min, max)  # type: ignore[no-any-return]  # an op's result


def _inside_gradient(grad: Tensor, self: Tensor, min: Any, max: Any) -> Any:
    if min is None:
        inside = le(self, max)
    else:
        inside = ge(self, min) if max is None else logical_and(ge(self, min), le(self, max))
    return where(inside, grad, 0)


def _clamped_gradient(grad: Tensor, self: Tensor, min: Any, max: Any) -> Any:
    return clamp_backward(grad, self, min, max)


def _lower_gradient(grad: Tensor, self: Tensor, min: Tensor, max: Tensor | None) -> Any:
    """Return *grad* where the result is *min*."""
    below = lt(self, min)
    return where(below if max is None else logical_and(below, lt(min, max)), grad, 0)


def _upper_gradient(grad: Tensor, self: Tensor, min: Tensor | None, max: Tensor) -> Any:
    """Return *grad* where the result is *max*."""
    above = gt(self, max)
    return where(above if min is None else logical_or(above, lt(max, min)), grad, 0)


_clamp.vjp(self=_clamped_gradient)
_clamp_between.vjp(self=_inside_gradient, min=_lower_gradient, max=_upper_gradient)


def clamp(
    input: Tensor,
    min: Tensor | Number | None = None,
    max: Tensor | Number | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return each element, or the bound that it is beyond.

    Args:
        input: ``(*)``, any real dtype.
        min: The lower bound: a number, or a tensor that broadcasts with *input*; None for none.
        max: The upper bound, which wins where it is below *min*.
        out: Where to write the result.

    Returns:
        The broadcast shape, in the dtype promoted with the bounds.

    Raises:
        RuntimeError: there is no bound.

    Gradient:
        ``grad`` for *input* between the bounds and on them, else 0. A tensor as bound gets
        ``grad`` where it took effect.

    >>> import chainrule as cr
    >>> cr.clamp(cr.tensor([-2.0, 0.5, 3.0]), min=0, max=1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    min, max = plain_number(min), plain_number(max)
    op = clamp_op(min, max)
    return into(out, op, input, min, max)  # type: ignore[no-any-return]  # an op's result


def clamp_op(min: Any, max: Any) -> Any:
    """Return the op that `clamp` is for bounds of these types."""
    if min is None and max is None:
        msg = (
            "torch.clamp: At least one of 'min' or 'max' must not be None\n"
            "clamp: expected a bound, got none. Pass min, max or both."
        )
        raise DTypeError(msg)
    for bound in (min, max):
        if bound is not None and not isinstance(bound, (Value, int, float, complex)):
            msg = (
                "clamp() received an invalid combination of arguments - got (Tensor, "
                f"{type(bound).__name__}), but expected one of:\n"
                " * (Tensor input, Tensor min = None, Tensor max = None, *, Tensor out = None)\n"
                " * (Tensor input, Number min = None, Number max = None, *, Tensor out = None)"
            )
            raise ArgumentError(msg)
        if isinstance(bound, complex):
            raise UnsupportedDTypeError(_NO_COMPLEX)
    return _clamp_between if isinstance(min, Value) or isinstance(max, Value) else _clamp


@primitive(
    promote="arithmetic",
    refuses={"complex": _NO_COMPLEX},
    nodes={"min:Number": "ClampMinBackward0", "": "ClampMinBackward1"},
)
def clamp_min(self: Tensor, min: Tensor | Number) -> Tensor:
    """Return the larger of *self* and *min*, broadcasting.

    Gradient:
        ``grad`` for *self* where it is not below *min*, else for *min*.

    >>> import chainrule as cr
    >>> cr.clamp_min(cr.tensor([-2.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """


def _reached_gradient(grad: Tensor, self: Tensor, min: Any) -> Any:
    return where(ge(self, min), grad, 0)


def _raised_gradient(grad: Tensor, self: Tensor, min: Tensor) -> Any:
    return where(lt(self, min), grad, 0)


clamp_min.vjp(self=_reached_gradient, min=_raised_gradient)


@primitive(
    promote="arithmetic",
    refuses={"complex": _NO_COMPLEX},
    nodes={"max:Number": "ClampMaxBackward0", "": "ClampMaxBackward1"},
)
def clamp_max(self: Tensor, max: Tensor | Number) -> Tensor:
    """Return the smaller of *self* and *max*, broadcasting.

    Gradient:
        ``grad`` for *self* where it is not above *max*, else for *max*.

    >>> import chainrule as cr
    >>> cr.clamp_max(cr.tensor([-2.0, 0.5]), 0)
    tensor([-2.,  0.])
    """


def _kept_gradient(grad: Tensor, self: Tensor, max: Any) -> Any:
    return where(le(self, max), grad, 0)


def _lowered_gradient(grad: Tensor, self: Tensor, max: Tensor) -> Any:
    return where(gt(self, max), grad, 0)


clamp_max.vjp(self=_kept_gradient, max=_lowered_gradient)

clip = clamp
