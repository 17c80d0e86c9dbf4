"""Looking up the rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import ops
from ...grad_mode import no_grad

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = ["embedding"]

#: Keeps the scale finite where the norm is zero.
_EPSILON = 1e-7


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
        IndexError: a number is out of range.

    >>> import chainrule as cr
    >>> embedding(cr.tensor([1, 0]), cr.tensor([[1.0], [2.0]]))
    tensor([[2.],
            [1.]])
    """
    rows = weight.shape[0]
    if padding_idx is None:
        padding_idx = -1
    elif -rows <= padding_idx < rows:
        padding_idx %= rows
    else:
        msg = "Padding_idx must be within num_embeddings"
        raise AssertionError(msg)
    if max_norm is not None:
        _shorten_rows(weight, input, max_norm, norm_type)
    return ops.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


@no_grad()
def _shorten_rows(weight: Tensor, rows: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows of *weight* that are looked up and too long, in place and unrecorded."""
    used = ops.unique(rows)
    found = weight[used]
    norms = ops.vector_norm(found, norm_type, dim=1, keepdim=True)
    scale = ops.where(norms > max_norm, max_norm / (norms + _EPSILON), 1.0)
    weight[used] = found * scale
