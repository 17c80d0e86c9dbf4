"""Linear and bilinear maps, and looking up rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import ops

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = ["bilinear", "embedding", "linear", "one_hot"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input @ weight.T + bias``.

    Args:
        input: ``(*, in)``.
        weight: ``(out, in)``.
        bias: ``(out)``.

    Returns:
        ``(*, out)``.

    >>> import chainrule as cr
    >>> linear(cr.ones(2), cr.eye(2), cr.tensor([1.0, 2.0]))
    tensor([2., 3.])
    """
    return ops.linear(input, weight, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input1 · weight[k] · input2 + bias[k]`` for every output k.

    Args:
        input1: ``(*, in1)``.
        input2: ``(*, in2)``.
        weight: ``(out, in1, in2)``.
        bias: ``(out)``.

    Returns:
        ``(*, out)``.
    """
    return ops.bilinear(input1, input2, weight, bias)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of *weight* whose numbers *input* gives.

    Args:
        input: ``(*)``, integers.
        weight: ``(rows, columns)``.
        padding_idx: A row that gets no gradient.
        max_norm: Rows that are longer are shortened to it, in place.
        norm_type: The norm that *max_norm* is about.
        scale_grad_by_freq: Divide the gradient of a row by how often it was looked up.
        sparse: Taken for PyTorch's sake; gradients are dense.

    Returns:
        ``(*, columns)``.

    Raises:
        AssertionError: *padding_idx* is no row.

    >>> import chainrule as cr
    >>> embedding(cr.tensor([1, 0]), cr.tensor([[1.0], [2.0]]))
    tensor([[2.],
            [1.]])
    """
    rows = weight.shape[0]
    if padding_idx is None:
        padding_idx = -1
    else:
        if not -rows <= padding_idx < rows:
            msg = "Padding_idx must be within num_embeddings"
            raise AssertionError(msg)
        padding_idx %= rows
    if max_norm is not None:
        _shorten_rows(weight, input, max_norm, norm_type)
    return ops.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


def _shorten_rows(weight: Tensor, rows: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows of *weight* that are looked up and too long, in place and unrecorded."""
    from ...grad_mode import no_grad

    with no_grad():
        used = ops.unique(rows)
        found = weight[used]
        norms = ops.linalg_vector_norm(found, norm_type, dim=1, keepdim=True)
        scale = ops.where(norms > max_norm, max_norm / (norms + 1e-7), ops.ones_like(norms))
        weight[used] = found * scale


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Return a 1 at the place of each number, in a row of zeros.

    Args:
        tensor: ``(*)``, int64, not negative.
        num_classes: Length of a row; -1 takes the largest number and one more.

    Returns:
        ``(*, num_classes)``, int64.

    >>> import chainrule as cr
    >>> one_hot(cr.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    return ops.one_hot(tensor, num_classes)
