"""Axes: the same elements with the dimensions in another order; always views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._warn import warn, warn_once
from ..errors import ArgumentError, ShapeError
from ..op import primitive
from ..shapes import wrap_dim, wrap_dims
from ._arguments import check_tensor, integers, new_look, permutation_inverse
from .complex import conj

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = [
    "adjoint", "moveaxis", "movedim", "permute", "swapaxes", "swapdims", "t", "transpose",
]  # fmt: skip


@primitive(view=True, nodes={"": "TransposeBackward0"})
def _transpose(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """Return *self* with two dimensions swapped."""


_transpose.vjp(self=lambda grad, dim0, dim1: _transpose(grad, dim0, dim1))


def transpose(input: Tensor, dim0: Any, dim1: int | None = None) -> Tensor:
    """Return *input* with the dimensions *dim0* and *dim1* swapped; a view.

    Differs from PyTorch:
        A tuple of all dimensions alone permutes, as in NumPy: libraries for many kinds of arrays
        call it so.

    Raises:
        IndexError: a dimension is out of range.

    Gradient:
        ``grad`` with the same two swapped.

    >>> import chainrule as cr
    >>> cr.transpose(cr.ones(2, 3, 4), 0, -1).shape
    torch.Size([4, 3, 2])
    """
    check_tensor("transpose", input)
    if dim1 is None:
        return _all_dims(input, dim0)
    ndim = len(input._array.shape)
    wrap_dim(dim0, ndim)
    wrap_dim(dim1, ndim)
    return _transpose.fast(input, dim0, dim1)  # type: ignore[no-any-return]  # an op's result


def _all_dims(input: Tensor, dims: Any) -> Tensor:
    if not isinstance(dims, (tuple, list)):
        msg = (
            'transpose() missing 1 required positional arguments: "dim1"\n'
            "transpose: expected the two dimensions to swap."
        )
        raise ArgumentError(msg)
    return permute(input, tuple(dims))


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Return ``input.transpose(axis0, axis1)``."""
    return transpose(input, axis0, axis1)


swapdims = transpose


@primitive(view=True, nodes={"": "TBackward0"})
def _t(self: Tensor) -> Tensor:
    """Return the transpose of a matrix, or a vector or number as it is."""


_t.vjp(self=lambda grad: _t(grad))


def t(input: Tensor) -> Tensor:
    """Return the transpose of a matrix; a view. A vector or a 0-d tensor stays as it is.

    Raises:
        RuntimeError: there are more than two dimensions.

    Gradient:
        The transpose of ``grad``.

    >>> import chainrule as cr
    >>> cr.tensor([[1, 2], [3, 4]]).t()
    tensor([[1, 3],
            [2, 4]])
    """
    check_tensor("t", input)
    if len(input._array.shape) > 2:
        ndim = len(input._array.shape)
        msg = (
            f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D\n"
            "t: use mT for a batch of matrices, or permute()."
        )
        raise ShapeError(msg)
    return _t.fast(input)  # type: ignore[no-any-return]  # an op's result


@primitive(view=True, nodes={"": "PermuteBackward0"})
def _permute(self: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Return *self* with its dimensions in the order *dims*."""


_permute.vjp(self=lambda grad, dims: _permute(grad, permutation_inverse(dims)))


def permute(input: Tensor, *order: Any, dims: Sequence[int] | None = None) -> Tensor:
    """Return *input* with its dimensions in another order; a view.

    Args:
        input: ``(*)``.
        order: For each dimension of the result, which one of *input* it is; integers or one
            sequence.
        dims: The order, by name.

    Raises:
        RuntimeError: a dimension is missing, or named twice.
        IndexError: one is out of range.

    Gradient:
        ``grad`` in the old order.

    >>> import chainrule as cr
    >>> cr.ones(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    check_tensor("permute", input)
    wanted = integers("permute", "dims", order, dims)
    ndim = len(input._array.shape)
    if len(wanted) != ndim:
        msg = (
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(wanted)}"
        )
        raise ShapeError(msg)
    if len({wrap_dim(d, ndim) for d in wanted}) != ndim:
        msg = f"permute(): duplicate dims are not allowed.\npermute: got {wanted}."
        raise ShapeError(msg)
    return _permute.fast(input, wanted)  # type: ignore[no-any-return]  # an op's result


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Return *input* with the dimensions *source* moved to the places *destination*; a view.

    The others keep their order.

    Raises:
        RuntimeError: a dimension is named twice, or the two differ in length.
        IndexError: a dimension is out of range.

    >>> import chainrule as cr
    >>> cr.ones(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    check_tensor("movedim", input)
    if isinstance(source, int) != isinstance(destination, int):
        got = f"{type(source).__name__}, {type(destination).__name__}"
        msg = (
            f"movedim() received an invalid combination of arguments - got ({got}), but expected "
            "one of:\n * (int source, int destination)\n"
            " * (tuple of ints source, tuple of ints destination)"
        )
        raise ArgumentError(msg)
    ndim = len(input._array.shape)
    ours = _named_once(source, ndim, "source")
    theirs = _named_once(destination, ndim, "destination")
    if len(ours) != len(theirs):
        msg = (
            "movedim: Invalid source or destination dims: source "
            f"({list(ours)} dims) should contain the same number of dims as destination "
            f"({list(theirs)} dims)"
        )
        raise ShapeError(msg)
    if ndim == 0:
        return _permute(input, ())
    order = [d for d in range(ndim) if d not in ours]
    for place, dim in sorted(zip(theirs, ours, strict=True)):
        order.insert(place, dim)
    return _permute(input, tuple(order))


def _named_once(dims: int | Sequence[int], ndim: int, argument: str) -> tuple[int, ...]:
    try:
        return wrap_dims(dims, ndim)
    except ShapeError:
        msg = f"movedim: repeated dim in `{argument}` ({list(dims)})"  # type: ignore[arg-type]  # one alone repeats nothing
        raise ShapeError(msg) from None


moveaxis = movedim


def adjoint(input: Tensor) -> Tensor:
    """Return the conjugate transpose of a matrix, or of each in a batch; of a real one a view.

    Raises:
        RuntimeError: there is one dimension only.

    >>> import chainrule as cr
    >>> cr.tensor([[1j, 2.0]]).adjoint()
    tensor([[0.-1.j],
            [2.-0.j]])
    """
    check_tensor("adjoint", input)
    return conj(_matrix_transpose(input, "adjoint()"))  # type: ignore[no-any-return]  # an op's result


def mT(input: Tensor) -> Tensor:  # noqa: N802 - PyTorch's name
    """The transpose of a matrix, or of each in a batch; a view."""
    _warn_of_numbers(input, "mT", "This function is the identity in these cases.")
    return _matrix_transpose(input, "mT")


def mH(input: Tensor) -> Tensor:  # noqa: N802 - PyTorch's name
    """The conjugate transpose of a matrix, or of each in a batch."""
    _warn_of_numbers(input, "mH", "Consider using x.conj().")
    return conj(_matrix_transpose(input, "mH"))  # type: ignore[no-any-return]  # an op's result


def H(input: Tensor) -> Tensor:  # noqa: N802 - PyTorch's name
    """The conjugate transpose of a matrix."""
    ndim = len(input._array.shape)
    if ndim not in {0, 2}:
        hint = " For batches of matrices, consider using tensor.mH" if ndim > 2 else ""
        msg = f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor.{hint}"
        raise ShapeError(msg)
    _warn_of_numbers(input, "H", "Consider using x.conj().")
    return conj(_matrix_transpose(input, "H"))  # type: ignore[no-any-return]  # an op's result


def T(input: Tensor) -> Tensor:  # noqa: N802 - PyTorch's name
    """The tensor with its dimensions in reverse order; a view."""
    ndim = len(input._array.shape)
    if ndim == 0:
        _warn_of_numbers(input, "T", "This function is the identity in these cases.")
    elif ndim != 2:
        warn_once(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is "
            "deprecated and it will throw an error in a future release. Consider `x.mT` to "
            "transpose batches of matrices or `x.permute(*torch.arange(x.ndim - 1, -1, -1))` to "
            "reverse the dimensions of a tensor.",
            UserWarning,
            stacklevel=2,
        )
    return _permute.fast(input, tuple(range(ndim - 1, -1, -1)))  # type: ignore[no-any-return]  # an op's result


def _matrix_transpose(input: Tensor, name: str) -> Tensor:
    ndim = len(input._array.shape)
    if ndim == 1:
        msg = f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor."
        raise ShapeError(msg)
    return _transpose.fast(input, -2, -1) if ndim else input


def _warn_of_numbers(input: Tensor, name: str, advice: str) -> None:
    if not input._array.shape:
        msg = f"Tensor.{name} is deprecated on 0-D tensors. {advice}"
        warn(msg, UserWarning, stacklevel=3)


t_ = new_look(t)
transpose_ = new_look(transpose)
swapaxes_ = new_look(swapaxes)
swapdims_ = new_look(swapdims)
