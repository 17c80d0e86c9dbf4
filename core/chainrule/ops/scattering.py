"""Putting elements where tensors of places say: one place per element, per row, or per mask.

Each takes a tensor and gives a copy of it with some elements replaced, or added to. The gradient
of what was put there is read from the same places; that of the tensor is ``grad``, with zeros where
something was replaced.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..naming import numpy_names
from ..op import NOT_IMPLEMENTED, primitive
from ..shapes import wrap_dim
from ..value import Value
from ._arguments import check_tensor, in_place_form, zeros_shaped
from ._operands import into
from .broadcasting import expand
from .comparison import eq
from .gathering import _gather, check_places
from .selection import masked_fill, where
from .slicing import _slice

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tensor import Number, Tensor

__all__ = ["scatter", "scatter_add", "scatter_reduce"]


@primitive(dtype="same", nodes={"": "ScatterBackward0"})
def _scatter(self: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Return a copy of *self* with *src* at the places *index* along *dim*."""


@primitive(dtype="same", nodes={"": "ScatterBackward1"})
def _scatter_value(self: Tensor, dim: int, index: Tensor, value: complex) -> Tensor:
    """Return a copy of *self* with *value* at the places *index* along *dim*."""


@primitive(dtype="same")
def _scatter_combined(self: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str) -> Tensor:
    """Return a copy of *self* with *src* added to, or multiplied with, what is at the places."""


_scatter.vjp(
    self=lambda grad, dim, index: _scatter_value(grad, dim, index, 0),
    index=None,
    src=lambda grad, dim, index: _gather(grad, dim, index),
)
_scatter_value.vjp(self=lambda grad, dim, index: _scatter_value(grad, dim, index, 0), index=None)
_NO_FORMULA = NOT_IMPLEMENTED("scatter with reduce= has none in PyTorch; use scatter_reduce()")
_scatter_combined.vjp(self=_NO_FORMULA, index=None, src=_NO_FORMULA)


@numpy_names
def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | Number | None = None,
    *,
    value: Number | None = None,
    reduce: str | None = None,
    out: Any = None,
) -> Tensor:
    """Return a copy of *input* with elements of *src* at the places *index* along *dim*.

    In three dimensions with ``dim=1``: ``result[i, index[i, j, k], k] = src[i, j, k]``.

    Args:
        input: ``(*)``.
        dim: The dimension that *index* chooses in.
        index: int64 or int32, of as many dimensions, nowhere larger than *src*, nor than *input*
            but along *dim*. If it names a place twice, one of the two stays.
        src: A tensor of the dtype of *input*, or a number.
        value: The number, by name.
        reduce: ``"add"`` or ``"multiply"`` what is there with *src* instead of replacing it.
        out: Where to write the result.

    Returns:
        The shape and dtype of *input*.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or a place is out of range.
        IndexError: *dim* is out of range.

    Gradient:
        For *input* ``grad`` with zeros at the places, for *src* ``grad`` there; none with *reduce*.

    >>> import chainrule as cr
    >>> cr.zeros(2, 3).scatter(1, cr.tensor([[0], [2]]), 1.5)
    tensor([[1.5000, 0.0000, 0.0000],
            [0.0000, 0.0000, 1.5000]])
    """
    check_tensor("scatter", input)
    check_tensor("scatter", index, "index", 3)
    src = value if src is None else src
    check_scatter("scatter", input, dim, index, src)
    if reduce not in {None, "add", "multiply"}:
        msg = "reduce argument must be either add or multiply."
        raise ShapeError(msg)
    if reduce is not None:
        source = (
            src
            if isinstance(src, Value)
            else expand(zeros_shaped(input, ()) + src, index._array.shape)
        )
        return at_places(_scatter_combined, out, input, dim, index, fit(source, index), reduce)
    if isinstance(src, Value):
        return at_places(_scatter, out, input, dim, index, fit(src, index))
    return at_places(_scatter_value, out, input, dim, index, src)


def check_scatter(name: str, input: Tensor, dim: int, index: Tensor, src: Any) -> None:
    """Check dtypes and shapes of a scatter."""
    if isinstance(src, complex) and input._key.dtype.category != dtypes.COMPLEX:
        msg = "value cannot be converted to type float without overflow"
        raise DTypeError(msg)
    if isinstance(src, Value) and src._key.dtype is not input._key.dtype:
        msg = (
            f"{name if name != 'scatter_add' else 'scatter'}(): Expected self.dtype to be "
            "equal to src.dtype"
        )
        raise DTypeError(msg)
    wanted, shape = index._array.shape, input._array.shape
    place = wrap_dim(dim, len(shape))
    if prod(wanted) and isinstance(src, Value):
        given = src._array.shape
        same = len(wanted) == len(shape) == len(given)
        if same and any(
            n > src_n or (d != place and n > own)
            for d, (n, own, src_n) in enumerate(zip(wanted, shape, given, strict=True))
        ):
            msg = (
                f"Expected index {list(wanted)} to be no larger than self {list(shape)} apart from "
                f"dimension {place} and to be no larger size than src {list(given)}"
            )
            raise ShapeError(msg)
    check_places(name, input, dim, index)


def fit(src: Tensor, index: Tensor) -> Tensor:
    """Return the part of *src* that *index* reaches, so that both have one shape."""
    for dim, (have, wanted) in enumerate(zip(src._array.shape, index._array.shape, strict=False)):
        if have > wanted:
            src = _slice(src, dim, 0, wanted, 1)
    return src


def at_places(op: Any, out: Any, *args: Any) -> Tensor:
    """Return an op's result; a place out of range is PyTorch's RuntimeError."""
    try:
        return into(out, op, *args)  # type: ignore[no-any-return]  # an op's result
    except IndexError as error:
        raise ShapeError(str(error)) from None


@primitive(dtype="same", nodes={"": "ScatterAddBackward0"})
def _scatter_add(self: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Return a copy of *self* with *src* added at the places *index* along *dim*."""


_scatter_add.vjp(
    self=lambda grad: grad,
    index=None,
    src=lambda grad, dim, index: _gather(grad, dim, index),
)


@numpy_names
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor, *, out: Any = None) -> Tensor:
    """Return a copy of *input* with elements of *src* added at the places *index* along *dim*.

    In three dimensions with ``dim=1``: ``result[i, index[i, j, k], k] += src[i, j, k]``.

    Args:
        input: ``(*)``.
        dim: The dimension that *index* chooses in.
        index: int64 or int32, of as many dimensions, nowhere larger than *src*, nor than *input*
            but along *dim*. It may name a place more than once.
        src: A tensor of the dtype of *input*.
        out: Where to write the result.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or a place is out of range.
        IndexError: *dim* is out of range.

    Gradient:
        ``grad`` for *input*, ``grad`` at the places for *src*.

    >>> import chainrule as cr
    >>> cr.zeros(3).scatter_add(0, cr.tensor([0, 0, 2]), cr.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 3.])
    """
    check_tensor("scatter_add", input)
    check_tensor("scatter_add", index, "index", 3)
    check_tensor("scatter_add", src, "src", 3)
    check_scatter("scatter_add", input, dim, index, src)
    return at_places(_scatter_add, out, input, dim, index, fit(src, index))


@primitive(
    dtype="same",
    nodes={"": "ScatterReduceBackward0"},
    saves=("dim", "include_self", "index", "reduce", "result", "self", "src"),
)
def _scatter_reduce(
    self: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, include_self: bool = True
) -> Tensor:
    """Return a copy of *self* with *src* reduced into the places *index* along *dim*."""


@_scatter_reduce.vjp_joint("self", "src")
def _scatter_reduce_rule(
    grad: Tensor,
    self: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor,
    reduce: str,
    include_self: bool,
    result: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the gradients of what was there and of what was put there."""
    formula = _FORMULAS[reduce]
    of_self, of_src = formula(grad, self, dim, index, src, include_self, result)
    if not include_self:
        of_self = _scatter_value(of_self, dim, index, 0)
    return of_self, of_src


_scatter_reduce.vjp(index=None)


def _sum_rule(
    grad: Any, self: Any, dim: int, index: Any, src: Any, include_self: bool, result: Any
) -> tuple[Any, Any]:
    return grad, _gather(grad, dim, index)


def _mean_rule(
    grad: Any, self: Any, dim: int, index: Any, src: Any, include_self: bool, result: Any
) -> tuple[Any, Any]:
    """Every element of a group takes its part: ``grad / count``."""
    start = zeros_shaped(grad, self._array.shape) + (1 if include_self else 0)
    count = _scatter_add(start, dim, index, zeros_shaped(grad, src._array.shape) + 1)
    part = grad / masked_fill(count, eq(count, 0), 1)
    return part, _gather(part, dim, index)


def _prod_rule(
    grad: Any, self: Any, dim: int, index: Any, src: Any, include_self: bool, result: Any
) -> tuple[Any, Any]:
    """Each element's gradient is the product of the others in its group.

    For an element that is not zero that is the product divided by it. For a zero it is the product
    of what is not zero, if it is the only one; with another zero beside it, that times the other,
    which is their sum without it; and nothing with more. So the second derivative is right too.
    """
    none = zeros_shaped(grad, ())
    one = none + 1
    count = zeros = zeros_shaped(grad, self._array.shape)
    zero_self, zero_src = eq(self, 0), eq(src, 0)
    if include_self:
        count, zeros = where(zero_self, one, none), where(zero_self, self, none)
    count = _scatter_add(count, dim, index, where(zero_src, one, none))
    zeros = _scatter_add(zeros, dim, index, where(zero_src, src, none))
    rest = _scatter_reduce(
        masked_fill(self, zero_self, 1), dim, index, masked_fill(src, zero_src, 1), "prod",
        include_self=include_self,
    )  # fmt: skip
    there = (_gather(x, dim, index) for x in (result, rest, zeros, count))
    of_src = _gather(grad, dim, index) * _others(src, zero_src, *there)
    if not include_self:
        return grad, of_src
    return grad * _others(self, zero_self, result, rest, zeros, count), of_src


def _others(x: Any, is_zero: Any, product: Any, rest: Any, zeros: Any, count: Any) -> Any:
    """Return the product of the other elements of each one's group."""
    none = zeros_shaped(rest, ())
    beside = where(eq(count, 1), rest, where(eq(count, 2), rest * (zeros - x), none))
    return where(is_zero, beside, product / masked_fill(x, is_zero, 1))


def _extreme_rule(
    grad: Any, self: Any, dim: int, index: Any, src: Any, include_self: bool, result: Any
) -> tuple[Any, Any]:
    """The elements that are the extreme share ``grad`` equally."""
    nothing = zeros_shaped(grad, ())
    ours = where(eq(self, result), nothing + 1, nothing)
    if not include_self:
        ours = _scatter_value(ours, dim, index, 0)
    theirs = where(eq(src, _gather(result, dim, index)), nothing + 1, nothing)
    count = _scatter_add(ours, dim, index, theirs)
    part = grad / masked_fill(count, eq(count, 0), 1)
    return ours * part, theirs * _gather(part, dim, index)


_FORMULAS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "sum": _sum_rule,
    "mean": _mean_rule,
    "prod": _prod_rule,
    "amax": _extreme_rule,
    "amin": _extreme_rule,
}


@numpy_names
def scatter_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Any = None,
) -> Tensor:
    """Return a copy of *input* with elements of *src* reduced into the places *index* along *dim*.

    Args:
        input: ``(*)``.
        dim: The dimension that *index* chooses in.
        index: int64 or int32, as of `scatter_add`.
        src: A tensor of the dtype of *input*.
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: Whether what *input* has at a place takes part.
        out: Where to write the result.

    Raises:
        RuntimeError: shapes or dtypes do not fit, a place is out of range, or *reduce* is none of
            the five.
        IndexError: *dim* is out of range.

    Gradient:
        That of the reduction; elements that share the extreme share ``grad`` equally.

    Differs from PyTorch:
        With *include_self* False, what *input* has at a place takes no share of the gradient of an
        extreme; PyTorch gives it one where it happens to equal the result.

    >>> import chainrule as cr
    >>> src, index = cr.tensor([1.0, 5.0, 2.0]), cr.tensor([0, 0, 1])
    >>> cr.zeros(2).scatter_reduce(0, index, src, "amax")
    tensor([5., 2.])
    """
    check_tensor("scatter_reduce", input)
    check_tensor("scatter_reduce", index, "index", 3)
    check_tensor("scatter_reduce", src, "src", 4)
    reduce = {"max": "amax", "min": "amin"}.get(reduce, reduce)
    if reduce not in _FORMULAS:
        msg = f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        raise ShapeError(msg)
    check_scatter("scatter_reduce", input, dim, index, src)
    fitted = fit(src, index)
    return at_places(_scatter_reduce, out, input, dim, index, fitted, reduce, include_self)


scatter_ = in_place_form(scatter)
scatter_add_ = in_place_form(scatter_add)
scatter_reduce_ = in_place_form(scatter_reduce)
