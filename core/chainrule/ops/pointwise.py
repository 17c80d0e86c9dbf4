"""Sign, magnitude and rounding of each element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dtypes import FLOATING
from ..errors import DTypeError
from ..op import primitive
from ._operands import refusal, zeros_of
from .comparison import eq, isfinite, ne
from .complex import conj, real
from .selection import where

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = [
    "abs", "absolute", "ceil", "copysign", "fix", "floor", "frac", "nan_to_num", "neg", "negative",
    "nextafter", "positive", "round", "sgn", "sign", "trunc",
]  # fmt: skip


@primitive(promote="arithmetic", dtype="real", refuses={"bool": "abs_cpu"})
def abs(self: Tensor) -> Tensor:
    """Return the magnitude of each element: of a complex one, its distance from 0.

    Args:
        self: ``(*)``, any dtype but bool.

    Returns:
        ``(*)``, dtype of *self*, or of its components where it is complex.

    Gradient:
        ``grad * sgn(self)``; 0 at 0.

    >>> import chainrule as cr
    >>> cr.abs(cr.tensor([-3, 2])), cr.abs(cr.tensor([3 + 4j]))
    (tensor([3, 2]), tensor([5.]))
    """


@primitive(
    promote="arithmetic",
    refuses={
        "bool": (
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the `~` or `logical_not()` operator instead."
        )
    },
)
def neg(self: Tensor) -> Tensor:
    """Return ``-self``.

    Gradient:
        ``-grad``.

    >>> import chainrule as cr
    >>> -cr.tensor([1.0, -2.0])
    tensor([-1.,  2.])
    """


neg.vjp(self=lambda grad: -grad)


def positive(input: Tensor) -> Tensor:
    """Return *input* itself, as ``+input`` does.

    Raises:
        RuntimeError: *input* is bool.

    >>> import chainrule as cr
    >>> +cr.tensor([1.0, -2.0])
    tensor([ 1., -2.])
    """
    if input._key.dtype.name == "bool":
        msg = (
            "The `+` operator, on a bool tensor is not supported.\n"
            "positive: expected numbers. Convert with .to(...)."
        )
        raise DTypeError(msg)
    return input


@primitive(
    promote="arithmetic",
    refuses={
        "complex": (
            "Unlike NumPy, torch.sign is not intended to support complex numbers. "
            "Please use torch.sgn instead."
        )
    },
)
def sign(self: Tensor) -> Tensor:
    """Return -1, 0 or 1 as each element is negative, 0 (or NaN) or positive.

    Gradient:
        0.

    >>> import chainrule as cr
    >>> cr.sign(cr.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """


sign.vjp(self=lambda grad: zeros_of(grad))


@primitive(promote="arithmetic")
def sgn(self: Tensor) -> Tensor:
    """Return each element divided by its magnitude, and 0 for 0: `sign`, for complex numbers too.

    Gradient:
        What is across the direction of *result*, over the magnitude:
        ``(grad - result * real(conj(result) * grad)) / abs(self)``; 0 at 0 and for real elements.

    >>> import chainrule as cr
    >>> cr.sgn(cr.tensor([3 + 4j, 0j]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """


def _across(grad: Tensor, self: Tensor, result: Tensor) -> Tensor:
    """Return what of *grad* turns the number on its circle, over the radius."""
    if not self._key.complex:
        return zeros_of(grad)  # type: ignore[no-any-return]  # an op's result
    radius = abs(self)
    turn = grad - result * real(conj(result) * grad)
    return turn * where(eq(radius, 0), 0, 1 / radius)  # type: ignore[no-any-return]  # an op's result


sgn.vjp(self=_across)
abs.vjp(self=lambda grad, self: grad * sgn(self))


@primitive(
    promote="arithmetic",
    refuses={"bool": "floor_vml_cpu", "complex": "floor is not supported for complex inputs"},
)
def floor(self: Tensor) -> Tensor:
    """Return the largest integer not above each element.

    Gradient:
        0.

    >>> import chainrule as cr
    >>> cr.floor(cr.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """


@primitive(
    promote="arithmetic",
    refuses={"bool": "ceil_vml_cpu", "complex": "ceil is not supported for complex inputs"},
)
def ceil(self: Tensor) -> Tensor:
    """Return the smallest integer not below each element.

    Gradient:
        0.

    >>> import chainrule as cr
    >>> cr.ceil(cr.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """


@primitive(
    promote="arithmetic",
    refuses={"bool": "trunc_vml_cpu", "complex": "trunc is not supported for complex inputs"},
)
def trunc(self: Tensor) -> Tensor:
    """Return each element without its fraction.

    Gradient:
        0.

    >>> import chainrule as cr
    >>> cr.trunc(cr.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """


@primitive(
    promote="arithmetic",
    refuses={"bool": "round_vml_cpu", "complex": "round_vml_cpu"},
    nodes={"decimals": "RoundBackward1", "": "RoundBackward0"},
)
def round(self: Tensor, *, decimals: int | None = None) -> Tensor:
    """Return the nearest integer, and the even one of two that are equally near.

    Args:
        self: ``(*)``, integer or floating.
        decimals: Digits to keep after the point; a negative number rounds before it.

    Gradient:
        0.

    >>> import chainrule as cr
    >>> cr.round(cr.tensor([0.5, 1.5, 2.7]))
    tensor([0., 2., 3.])
    >>> cr.round(cr.tensor([0.126]), decimals=2)
    tensor([0.1300])
    """


@round.checks
def _check_decimals(self: Tensor, decimals: int | None) -> None:
    if decimals is not None and self._key.category != FLOATING:
        raise refusal("round", "round_cpu" if decimals else "round_vml_cpu", self._key.dtype)


for _op in (floor, ceil, trunc, round):
    _op.vjp(self=lambda grad: zeros_of(grad))


@primitive(
    promote="arithmetic",
    refuses={"bool": "frac_cpu", "integer": "frac_cpu", "complex": "frac_cpu"},
)
def frac(self: Tensor) -> Tensor:
    """Return the fraction of each element, with its sign.

    Gradient:
        ``grad``, also at the jumps.

    >>> import chainrule as cr
    >>> cr.frac(cr.tensor([-1.5, 1.25]))
    tensor([-0.5000,  0.2500])
    """


frac.vjp(self=lambda grad: grad)


@primitive(promote="arithmetic")
def nan_to_num(
    self: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Return *self* with numbers in place of NaN and of the infinities.

    Args:
        self: ``(*)``, any dtype.
        nan: In place of NaN; None for 0.
        posinf: In place of infinity; None for the largest number of the dtype.
        neginf: In place of minus infinity; None for the smallest one.

    Gradient:
        ``grad`` where *self* is finite, else 0.

    >>> import chainrule as cr
    >>> cr.nan_to_num(cr.tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
    tensor([1., 0., 9.])
    """


nan_to_num.vjp(self=lambda grad, self: grad * isfinite(self))


@primitive(
    promote="float",
    refuses={"complex": "copysign_cpu"},
    nodes={"other:Number": "CopysignBackward1", "": "CopysignBackward0"},
)
def copysign(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return the magnitudes of *self* with the signs of *other*, broadcasting.

    Args:
        self: ``(*)``, any real dtype.
        other: ``(*)`` that broadcasts with *self*, or a Python number; -0.0 is negative.

    Gradient:
        ``grad`` where the sign stayed, ``-grad`` where it changed, 0 where *self* is 0; 0 for
        *other*.

    >>> import chainrule as cr
    >>> cr.copysign(cr.tensor([1.0, -2.0]), -1)
    tensor([-1., -2.])
    """


copysign.vjp(
    self=lambda grad, self, result: grad * where(eq(self, 0), 0, result / self),
    other=lambda grad: zeros_of(grad),
)


@primitive(
    promote="arithmetic",
    refuses={"bool": "nextafter_cpu", "integer": "nextafter_cpu", "complex": "nextafter_cpu"},
)
def nextafter(self: Tensor, other: Tensor) -> Tensor:
    """Return the next number after *self* on the way to *other*, broadcasting.

    Gradient:
        ``grad`` for *self* where it moved, else 0; 0 for *other*.

    >>> import chainrule as cr
    >>> cr.nextafter(cr.tensor([1.0]), cr.tensor([2.0])) - 1
    tensor([1.1921e-07])
    """


nextafter.vjp(
    self=lambda grad, self, other: where(ne(self, other), grad, 0),
    other=lambda grad: zeros_of(grad),
)

absolute, negative, fix = abs, neg, trunc
