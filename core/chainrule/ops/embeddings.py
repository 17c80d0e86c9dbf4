"""Looking up rows of a table: `embedding`, and its inverse in spirit, `one_hot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import DimError, DomainError, DTypeError, ShapeError
from ..op import primitive
from ._arguments import check_tensor, zeros_shaped
from .comparison import eq
from .gathering import take
from .rows import index_select_backward
from .selection import masked_fill
from .shape import reshape, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["embedding", "one_hot"]


@primitive(
    dtype="same",
    nodes={"": "EmbeddingBackward0"},
    saves=("indices", "padding_idx", "scale_grad_by_freq", "sparse"),
)
def _embedding(
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of *weight* whose numbers *indices* gives."""


@primitive(dtype="same")
def embedding_backward(
    grad_output: Tensor,
    indices: Tensor,
    num_weights: int,
    padding_idx: int,
    scale_grad_by_freq: bool,
) -> Tensor:
    """Return *num_weights* rows of zeros with *grad_output* added to those that were looked up."""


_embedding.vjp(
    weight=lambda grad, indices, weight_shape, padding_idx, scale_grad_by_freq: embedding_backward(
        grad, indices, weight_shape[0], padding_idx, scale_grad_by_freq
    ),
    indices=None,
)
embedding_backward.vjp(
    grad_output=lambda grad, indices, num_weights, padding_idx, scale_grad_by_freq: _looked_up(
        grad, indices, num_weights, padding_idx, scale_grad_by_freq
    ),
    indices=None,
)


def _looked_up(
    grad: Tensor, indices: Tensor, num_weights: int, padding_idx: int, scale_grad_by_freq: bool
) -> Tensor:
    """Return the gradient of `embedding_backward`: the rows again, weighted as it weighted them."""
    rows = _embedding(grad, indices, padding_idx)
    if scale_grad_by_freq:
        ones = zeros_shaped(grad, (indices.numel(),)) + 1
        counts = index_select_backward(ones, (num_weights,), 0, reshape(indices, -1))
        rows = rows / unsqueeze(take(counts, indices.long()), -1)
    if padding_idx >= 0:
        rows = masked_fill(rows, unsqueeze(eq(indices, padding_idx), -1), 0)
    return rows


def embedding(
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of *weight* whose numbers *indices* gives.

    Args:
        weight: ``(V, D)``.
        indices: ``(*)``, int64 or int32, from 0 to V - 1.
        padding_idx: A row that gets no gradient; none if negative.
        scale_grad_by_freq: Divide the gradient of a row by how often it was looked up.
        sparse: Taken and ignored: the gradient is dense.

    Returns:
        ``(*, D)``.

    Raises:
        IndexError: a number is out of range.
        RuntimeError: *weight* is no matrix, or *indices* are not integers.

    Gradient:
        ``grad`` added up over the places where a row was looked up.

    >>> import chainrule as cr
    >>> cr.embedding(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), cr.tensor([1, 1, 0]))
    tensor([[3., 4.],
            [3., 4.],
            [1., 2.]])
    """
    check_tensor("embedding", weight, "weight")
    check_tensor("embedding", indices, "indices", 2)
    if len(weight._array.shape) != 2:
        msg = "'weight' must be 2-D"
        raise ShapeError(msg)
    if indices._key.dtype is not dtypes.int64 and indices._key.dtype is not dtypes.int32:
        msg = (
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got torch.{indices._key.dtype.scalar_name}Tensor instead (while "
            "checking arguments for embedding)"
        )
        raise DTypeError(msg)
    try:
        return _embedding(weight, indices, padding_idx, scale_grad_by_freq, sparse)
    except IndexError as error:
        msg = f"index out of range in self\nembedding: {error}"
        raise DimError(msg) from None


@primitive(dtype="int64")
def _one_hot(self: Tensor, num_classes: int) -> Tensor:
    """Return a row of zeros for every element, with a 1 at the place that it names."""


_one_hot.vjp(self=None)


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """Return a row of zeros for every element of *input*, with a 1 at the place that it names.

    Args:
        input: ``(*)``, int64.
        num_classes: How long the rows are; -1: one more than the largest element.

    Returns:
        ``(*, num_classes)``, int64.

    Raises:
        RuntimeError: an element is negative or too large, or there is none to take the length from.

    >>> import chainrule as cr
    >>> cr.one_hot(cr.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    check_tensor("one_hot", input)
    if input._key.dtype is not dtypes.int64:
        msg = "one_hot is only applicable to index tensor of type LongTensor."
        raise DTypeError(msg)
    if num_classes == -1:
        if input.numel() == 0:
            msg = "Can not infer total number of classes from empty tensor."
            raise DomainError(msg)
        num_classes = int(_largest(input)) + 1
    if num_classes <= 0 and input.numel():
        msg = "Class values must be non-negative."
        raise DomainError(msg)
    try:
        return _one_hot(input, num_classes)
    except IndexError as error:
        negative = "index -" in str(error)
        msg = (
            "Class values must be non-negative."
            if negative
            else "Class values must be smaller than num_classes."
        )
        raise DomainError(msg) from None


def _largest(tensor: Any) -> int:
    """Return the largest element as a Python integer."""
    found = tensor._key.backend.tolist(reshape(tensor, -1)._array)
    return max(found)  # type: ignore[no-any-return]  # a list of integers
