"""Values that occur: distinct ones, how often, where in an order, and whether at all."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import ArgumentError, DerivativeError, DomainError, ShapeError, UnsupportedDTypeError
from ..inplace import fill_out
from ..naming import other_names
from ..op import NOT_IMPLEMENTED, primitive
from ..shapes import wrap_dim
from ..value import Value, new_value
from ._arguments import check_tensor
from ._operands import into
from .gathering import gather
from .shape import reshape

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = [
    "bincount", "bucketize", "isin", "searchsorted", "unique", "unique_consecutive",
]  # fmt: skip


def _no_derivative(op: str) -> Any:
    """Return a rule that says, when a gradient arrives, that there is no formula."""

    def rule(grad: Tensor) -> Tensor:
        msg = (
            f"the derivative for '{op}' is not implemented.\n"
            f"{op}: how many values are distinct jumps with them. Use detach() where no gradient "
            "is wanted."
        )
        raise DerivativeError(msg)

    return rule


@primitive(nodes={"": "Unique2Backward0"}, refuses={"complex": "unique"})
def _unique(self: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the distinct elements in order, which one each is, and how often each occurs."""


@primitive(nodes={"": "UniqueDimBackward0"}, refuses={"complex": "unique_dim"})
def _unique_dim(self: Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the distinct slices along *dim* in order, which one each is, how often each occurs."""


@primitive(nodes={"": "UniqueConsecutiveBackward0"}, refuses={"complex": "unique"})
def _unique_consecutive(self: Tensor, dim: int | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return elements, or slices along *dim*, without the repetitions that follow each other."""


_unique.vjp(self=_no_derivative("_unique2"))
_unique_dim.vjp(self=_no_derivative("unique_dim"))
_unique_consecutive.vjp(self=_no_derivative("unique_consecutive"))


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return the distinct elements of *input*, or its distinct slices along *dim*, in order.

    Args:
        input: ``(*)``.
        sorted: In ascending order; else in any. Ours always are.
        return_inverse: Also return which of the distinct ones each element is.
        return_counts: Also return how often each occurs.
        dim: The dimension whose slices are compared; elements if None.

    Returns:
        A vector, or the shape of *input* with fewer places along *dim*; alone or in a tuple with
        what else is asked for. Every NaN is distinct.

    Raises:
        IndexError: *dim* is out of range.

    Gradient:
        None is implemented.

    >>> import chainrule as cr
    >>> cr.unique(cr.tensor([3, 1, 1]), return_inverse=True, return_counts=True)
    (tensor([1, 3]), tensor([1, 0, 0]), tensor([2, 1]))
    """
    check_tensor("unique", input)
    if dim is None:
        found = _unique(input)
    else:
        wrap_dim(dim, len(input._array.shape))
        found = _unique_dim(input, dim)
    return _asked_for(found, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return *input* without elements, or slices along *dim*, that equal the one before.

    Args:
        input: ``(*)``; flattened if *dim* is None.
        return_inverse: Also return which of those kept each element is.
        return_counts: Also return how many each stands for.
        dim: The dimension whose slices are compared.

    Gradient:
        None is implemented.

    >>> import chainrule as cr
    >>> cr.unique_consecutive(cr.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    check_tensor("unique_consecutive", input)
    if dim is not None:
        wrap_dim(dim, len(input._array.shape))
    return _asked_for(_unique_consecutive(input, dim), return_inverse, return_counts)


def _asked_for(found: tuple[Tensor, ...], inverse: bool, counts: bool) -> Any:
    values, places, numbers = found
    result = (values, *([places] if inverse else []), *([numbers] if counts else []))
    return result if len(result) > 1 else values


# Where in an order


@primitive(dtype="int64")
def _searchsorted(sorted_sequence: Tensor, input: Tensor, right: bool) -> Tensor:
    """Return where elements of *input* would stand in the order of *sorted_sequence*."""


_searchsorted.vjp(sorted_sequence=None, input=None)


def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor | Number,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
    out: Any = None,
) -> Tensor:
    """Return where elements of *input* would have to stand in *sorted_sequence* to keep its order.

    Args:
        sorted_sequence: ``(*, N)``, ascending along its last dimension.
        input: ``(*, K)`` with the same dimensions in front; of any shape, or a number, if
            *sorted_sequence* is a vector.
        out_int32: Return int32 instead of int64.
        right: Behind equal elements; else before them.
        side: The same as a word: ``"left"`` or ``"right"``.
        sorter: Indices that would sort *sorted_sequence*, where it is not.
        out: Where to write the result.

    Returns:
        Places from 0 to N, in the shape of *input*.

    Raises:
        RuntimeError: the shapes do not fit, or *side* and *right* contradict each other.

    >>> import chainrule as cr
    >>> cr.searchsorted(cr.tensor([1, 3, 5]), cr.tensor([3, 6]))
    tensor([1, 3])
    """
    check_tensor("searchsorted", sorted_sequence, "sorted_sequence")
    if side not in {None, "left", "right"}:
        msg = f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        raise DomainError(msg)
    if side == "left" and right:
        msg = (
            "torch.searchsorted(): side and right can't be set to opposites, got side of left "
            "while right was True"
        )
        raise DomainError(msg)
    right = right or side == "right"
    wanted = input if isinstance(input, Value) else _as_tensor_like(input, sorted_sequence)
    _check_order(sorted_sequence, wanted, number=not isinstance(input, Value))
    if sorter is not None:
        sorted_sequence = gather(sorted_sequence, -1, sorter)
    found = _searchsorted(sorted_sequence, wanted, bool(right))
    if out_int32:
        found = found.to(dtypes.int32)
    return found if out is None else fill_out(out, found)


def _as_tensor_like(number: Any, like: Tensor) -> Any:
    """Return a Python number as a 0-d tensor on the device of *like*."""
    key = like._key.of(dtypes.promote_types(
        like._key.dtype, dtypes.default_of_category(dtypes.category_of_number(number))
    ))  # fmt: skip
    return new_value(key.backend.full((), number, key.dtype, key.device), key)


def _check_order(boundaries: Tensor, input: Tensor, *, number: bool) -> None:
    order, wanted = list(boundaries._array.shape), list(input._array.shape)
    if not order:
        msg = (
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got "
            "0 dimension"
        )
        raise ShapeError(msg)
    if number and len(order) != 1:
        msg = (
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor "
            f"dimension is 1, but we got boundaries tensor dim({len(order)}) and input value's "
            f"dim({len(wanted)}) numel({prod(wanted)})"
        )
        raise ShapeError(msg)
    if len(order) > 1 and order[:-1] != wanted[:-1]:
        msg = (
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            "dimensions of boundaries tensor and input value tensor must match, but we got "
            f"boundaries tensor {order} and input value tensor {wanted}"
        )
        raise ShapeError(msg)


def bucketize(
    input: Tensor | Number,
    boundaries: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    out: Any = None,
) -> Tensor:
    """Return for every element of *input* between which *boundaries* it lies.

    Args:
        input: ``(*)`` or a number.
        boundaries: ``(N)``, ascending.
        out_int32: Return int32 instead of int64.
        right: An element equal to a boundary lies above it; else below.
        out: Where to write the result.

    Returns:
        Numbers from 0 to N, in the shape of *input*.

    >>> import chainrule as cr
    >>> cr.bucketize(cr.tensor([1, 4, 9]), cr.tensor([3, 6]))
    tensor([0, 1, 2])
    """
    check_tensor("bucketize", boundaries, "boundaries", 2)
    if len(boundaries._array.shape) != 1:
        msg = f"boundaries tensor must be 1 dimension, but got dim({len(boundaries._array.shape)})"
        raise ShapeError(msg)
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)


# How often, and whether


@primitive
def _bincount(self: Tensor, weights: Tensor | None, minlength: int) -> Tensor:
    """Return how often each number occurs, or the sum of its weights."""


_bincount.vjp(self=None, weights=NOT_IMPLEMENTED("bincount has none in PyTorch; use scatter_add()"))


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """Return how often each number from 0 to the largest occurs in *input*.

    Args:
        input: ``(N)``, integers, none negative.
        weights: ``(N)``; count these instead of ones.
        minlength: The least length of the result.

    Returns:
        A vector of int64; of the dtype of *weights* if floating, else float64.

    Raises:
        RuntimeError: *input* is no vector or has a negative number, or the shapes differ.

    Gradient:
        None is implemented.

    >>> import chainrule as cr
    >>> cr.bincount(cr.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    check_tensor("bincount", input)
    if input._key.category > dtypes.INTEGER:
        msg = f"\"bincount_cpu\" not implemented for '{input._key.dtype.scalar_name}'"
        raise UnsupportedDTypeError(msg)
    if minlength < 0:
        msg = "minlength should be >= 0"
        raise DomainError(msg)
    if len(input._array.shape) != 1:
        msg = "bincount only supports 1-d non-negative integral inputs."
        raise ShapeError(msg)
    if weights is not None:
        if weights._array.shape != input._array.shape:
            msg = "weights should be 1-d and have the same length as input"
            raise ShapeError(msg)
        if weights._key.dtype.category != dtypes.FLOATING:
            weights = weights.to(dtypes.float64)
    try:
        return _bincount(input, weights, minlength)
    except ValueError:
        msg = "bincount only supports 1-d non-negative integral inputs."
        raise DomainError(msg) from None


@primitive(dtype="bool")
def _isin(elements: Tensor, test_elements: Tensor, invert: bool) -> Tensor:
    """Return which of *elements* are among *test_elements*."""


_isin.vjp(elements=None, test_elements=None)


@other_names(element="elements", test_element="test_elements")
def isin(
    elements: Tensor | Number,
    test_elements: Tensor | Number,
    *,
    assume_unique: bool = False,
    invert: bool = False,
    out: Any = None,
) -> Tensor:
    """Return which of *elements* are among *test_elements*.

    Args:
        elements: ``(*)`` or a number.
        test_elements: ``(*)`` or a number; one of the two is a tensor.
        assume_unique: Taken and ignored: no element occurs twice in either.
        invert: Return which are not.
        out: Where to write the result.

    Returns:
        bool, in the shape of *elements*.

    >>> import chainrule as cr
    >>> cr.isin(cr.tensor([1, 2, 3]), cr.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    first = elements if isinstance(elements, Value) else test_elements
    if not isinstance(first, Value):
        got = f"{type(elements).__name__}, {type(test_elements).__name__}"
        msg = (
            f"isin() received an invalid combination of arguments - got ({got}), but expected "
            "a Tensor"
        )
        raise ArgumentError(msg)
    ours = elements if isinstance(elements, Value) else _as_tensor_like(elements, first)
    theirs = (
        test_elements if isinstance(test_elements, Value) else _as_tensor_like(test_elements, first)
    )
    return into(out, _isin, ours, reshape(theirs, -1), bool(invert))  # type: ignore[no-any-return]  # an op's result
