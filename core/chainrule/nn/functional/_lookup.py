"""Looking up the rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ..._warn import warn
from ...grad_mode import no_grad
from ...ops.embedding_bags import MODES

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = ["embedding", "embedding_bag"]

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


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return the rows of *weight* that *input* names, reduced per bag.

    Args:
        input: ``(B, M)``, integers, a bag per row; or ``(M)`` with *offsets*.
        weight: ``(rows, columns)``.
        offsets: ``(B)``, where each bag begins, the first at 0.
        max_norm: Rows that are longer are shortened to it, in place.
        norm_type: The norm that *max_norm* is about.
        scale_grad_by_freq: Divide the gradient of a row by how often it was looked up.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        sparse: Taken for PyTorch's sake; gradients are dense.
        per_sample_weights: Factors of the rows, of the shape of *input*, for sums.
        include_last_offset: The last of *offsets* is the end of the last bag.
        padding_idx: A row that takes no part.

    Returns:
        ``(B, columns)``.

    Raises:
        ValueError: arguments do not go together.
        RuntimeError: offsets or numbers are out of range.

    >>> import chainrule as cr
    >>> embedding_bag(cr.tensor([[0, 1]]), cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 3.]])
    """
    places, table = input, weight
    if weight.dtype.category < input.dtype.category:  # integers second: the old order
        warn(
            "Argument order of nn.functional.embedding_bag was changed. "
            "Usage `embedding_bag(weight, input, ...)` is deprecated, "
            "and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=2,
        )
        places, table = weight, input
    _check_bags(places, offsets, per_sample_weights, mode, scale_grad_by_freq, sparse)
    if places.dim() == 2:
        offsets = _even_offsets(places)
        places = places.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    if max_norm is not None:
        _shorten_rows(table, places, max_norm, norm_type)
    starts: Any = offsets
    return ops.embedding_bag(
        table, places, starts, scale_grad_by_freq, MODES.index(mode), sparse, per_sample_weights,
        include_last_offset, padding_idx,
    )[0]  # fmt: skip


def _even_offsets(places: Tensor) -> Tensor:
    """Return where the rows of *places* begin, one after the other."""
    bags, size = places.shape
    at: dict[str, Any] = {"dtype": places.dtype, "device": places.device}
    return ops.arange(0, bags * size, size, **at) if size else ops.zeros(bags, **at)


def _check_bags(  # noqa: C901 - a list of what may be wrong
    input: Tensor, offsets: Any, factors: Any, mode: str, by_frequency: bool, sparse: bool
) -> None:
    problem = ""
    if factors is not None and input.shape != factors.shape:
        problem = (
            f"embedding_bag: If per_sample_weights ({factors.shape}) is not None, then it must "
            f"have the same shape as the input ({input.shape})"
        )
    elif input.dim() == 2 and offsets is not None:
        problem = (
            "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of "
            f"fixed length sequences. However, found offsets of type {type(offsets)}"
        )
    elif input.dim() not in {1, 2}:
        problem = f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}"
    elif input.dim() == 1 and offsets is None:
        problem = "offsets has to be a 1D Tensor but got None"
    elif input.dim() == 1 and offsets.dim() != 1:
        problem = "offsets has to be a 1D Tensor"
    elif mode not in MODES:
        problem = "mode has to be one of sum, mean or max"
    elif mode == "max" and by_frequency:
        problem = "max mode does not support scaling the gradient by the frequency"
    elif mode == "max" and sparse:
        problem = "max mode does not support sparse weights"
    if problem:
        raise ValueError(problem)
    if factors is not None and mode != "sum":
        msg = (
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )
        raise NotImplementedError(msg)
