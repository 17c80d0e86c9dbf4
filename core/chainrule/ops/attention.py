"""Attention: values averaged by how well their keys meet a query.

Source: Vaswani and others, "Attention is all you need", 2017. That backward computes the weights
again, from the logarithm of their sums, rather than keep them: Dao and others, "FlashAttention:
fast and memory-efficient exact attention with IO-awareness", 2022.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..op import composite
from ..plan import recording
from ._arguments import check_tensor
from ._operands import C_NAMES
from .axes import transpose
from .creation import full, ones
from .dropout import dropout
from .exponential import exp
from .extrema import amax
from .rearranging import repeat_interleave
from .selection import where
from .softmax import softmax_backward

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["scaled_dot_product_attention"]

_INF = float("inf")


def _scale_of(query: Any, scale: float | None) -> float:
    return 1 / math.sqrt(query._array.shape[-1]) if scale is None else scale


def _earlier(query: Any, key: Any) -> Any:
    """Return where a query may look: at its own place and before."""
    sizes = (query._array.shape[-2], key._array.shape[-2])
    return ones(*sizes, dtype=dtypes.bool_, device=query.device).tril()


def _scores(query: Any, key: Any, is_causal: bool, attn_mask: Any, scale: float | None) -> Any:
    """Return how well every key meets every query."""
    found = (query @ transpose(key, -2, -1)) * _scale_of(query, scale)
    if attn_mask is not None:
        found = found + attn_mask
    return where(_earlier(query, key), found, -_INF) if is_causal else found


def _log_sums(scores: Any) -> Any:
    """Return the logarithms of the sums of exponentials; zero where nothing may be looked at."""
    hidden = (scores == -_INF).all(-1)
    return where(hidden, 0.0, where(hidden.unsqueeze(-1), 0.0, scores).logsumexp(-1))


@composite(
    nodes={"": "ScaledDotProductFlashAttentionForCpuBackward0"},
    outputs=("output", "logsumexp"),
    saves=("dropout_p",),
)
def _flash_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    dropout_p: float,
    is_causal: bool,
    attn_mask: Tensor | None,
    scale: float | None,
) -> tuple[Tensor, Tensor]:
    """Return the averages of values, and the logarithms of the sums of the weights.

    All of ``(N, H, *, E)``; *attn_mask* is floating.
    """
    scores = _scores(query, key, is_causal, attn_mask, scale)
    sums = _log_sums(scores)
    return (scores - sums.unsqueeze(-1)).exp() @ value, sums


@composite
def flash_attention_backward(
    grad_output: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    output: Tensor,
    logsumexp: Tensor,
    is_causal: bool,
    attn_mask: Tensor | None,
    scale: float | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of query, key and value."""
    scores = _scores(query, key, is_causal, attn_mask, scale)
    weights = (scores - _log_sums(scores).unsqueeze(-1)).exp()
    inner = grad_output @ transpose(value, -2, -1)
    # The mean of the inner products: grad · output, but as a function of what it depends on.
    means = (weights * inner).sum(-1, True)
    change = weights * (inner - means) * _scale_of(query, scale)
    swapped = transpose(change, -2, -1)
    return change @ key, swapped @ query, transpose(weights, -2, -1) @ grad_output


@_flash_attention.vjp_joint("query", "key", "value")
def _flash_attention_rule(
    grad: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    output: Tensor,
    logsumexp: Tensor,
    is_causal: bool,
    attn_mask: Tensor | None,
    scale: float | None,
) -> Any:
    return flash_attention_backward(
        grad, query, key, value, output, logsumexp, is_causal, attn_mask, scale
    )


_flash_attention.vjp(attn_mask=None)


@composite
def _safe_softmax(self: Tensor, dim: int) -> Tensor:
    """Return the softmax along *dim*: zeros, not NaN, where all is minus infinity."""
    largest = amax(self, dim, keepdim=True)
    found = exp(self - where(largest == -_INF, 0.0, largest))
    total: Any = found.sum(dim, keepdim=True)
    result: Tensor = found / where(total == 0, 1.0, total)
    return result


_safe_softmax.vjp(self=lambda grad, result, dim: softmax_backward(grad, result, dim=dim))


def attention_with_weights(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Any:
    """Return the averages of values, one operation after the other."""
    factor = math.sqrt(_scale_of(query, scale))
    scores = (query * factor) @ (transpose(key, -2, -1) * factor)
    if attn_mask is not None:
        scores = scores + attn_mask
    if is_causal:
        hidden = full((), -_INF, dtype=scores.dtype, device=scores.device)
        scores = scores + where(_earlier(query, key), hidden.new_zeros(()), hidden)
    weights = _safe_softmax(scores, -1)
    if dropout_p > 0:
        weights = dropout(weights, dropout_p)
    return weights @ value


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return values averaged by ``softmax(query @ key.T * scale + attn_mask)``.

    Args:
        query: ``(N, *, L, E)``, floating.
        key: ``(N, *, S, E)``.
        value: ``(N, *, S, F)``.
        attn_mask: Broadcasts with ``(N, *, L, S)``: bool, True where a query may look; or numbers
            that are added.
        dropout_p: The probability with which a weight is left out.
        is_causal: Let every query look at its own place and before.
        scale: The factor; ``1 / sqrt(E)`` if None.
        enable_gqa: Let several query heads share one of key and value.

    Returns:
        ``(N, *, L, F)``; zero where a query may look at nothing.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    Gradient:
        With weights P and ``dP = grad @ value.T``: ``P.T @ grad`` for *value*, and, with
        ``dS = P * (dP - sum(P * dP)) * scale``, ``dS @ key`` for *query* and ``dS.T @ query`` for
        *key*.

    >>> import chainrule as cr
    >>> x = cr.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    >>> cr.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)[0, 0]
    tensor([1., 0.])
    """
    _check(query, key, value, attn_mask, dropout_p)
    if enable_gqa:
        key, value = _shared(query, key, value)
    if attn_mask is not None and attn_mask._key.dtype is dtypes.bool_:
        hidden = full((), -_INF, dtype=query.dtype, device=query.device)
        attn_mask = where(attn_mask, hidden.new_zeros(()), hidden)
    if _is_plain(query, key, value, attn_mask, dropout_p):
        result, _ = _flash_attention(query, key, value, dropout_p, is_causal, attn_mask, scale)
        return result
    return attention_with_weights(  # type: ignore[no-any-return]  # a Tensor
        query, key, value, attn_mask, dropout_p, is_causal, scale
    )


def _is_plain(query: Any, key: Any, value: Any, attn_mask: Any, dropout_p: float) -> bool:
    """Return whether one op does it, as PyTorch decides on the CPU."""
    shape, other = query._array.shape, key._array.shape
    if len(shape) != 4 or len(other) != 4 or value._array.shape != other or dropout_p > 0:
        return False
    if shape[:2] != other[:2] or shape[3] != other[3] or 0 in shape or 0 in other:
        return False
    if attn_mask is None:
        return True
    mask = attn_mask._array.shape
    wanted = (*shape[:3], other[2])
    fits = len(mask) in {2, 4} and all(
        n in {1, w} for n, w in zip(mask[::-1], wanted[::-1], strict=False)
    )
    asks = recording((attn_mask,)) or attn_mask._requires_grad
    return fits and not asks and mask[-2:] == wanted[-2:]


def _shared(query: Any, key: Any, value: Any) -> tuple[Any, Any]:
    """Return key and value repeated for all heads of the query."""
    heads = query._array.shape[-3]
    made = []
    for tensor in (key, value):
        own = tensor._array.shape[-3]
        if heads % own:
            msg = (
                "Number of heads in key and value must divide the number of heads in \n"
                f"scaled_dot_product_attention: the query has {heads} heads, got {own}."
            )
            raise ShapeError(msg)
        made.append(tensor if own == heads else repeat_interleave(tensor, heads // own, -3))
    return made[0], made[1]


def _check(query: Any, key: Any, value: Any, attn_mask: Any, dropout_p: float) -> None:
    function = "scaled_dot_product_attention"
    for place, (name, item) in enumerate((("query", query), ("key", key), ("value", value)), 1):
        check_tensor(function, item, name, place)
    given = {"query": query, "key": key, "value": value}
    if len({t._key.dtype for t in given.values()}) > 1:
        found = _listed({n: C_NAMES[t._key.dtype.name] for n, t in given.items()}, "dtype")
        msg = f"Expected query, key, and value to have the same dtype, but got {found} instead."
        raise DTypeError(msg)
    ndims = {n: len(t._array.shape) for n, t in given.items()}
    if min(ndims.values()) < 2:
        msg = (
            "Expected query, key, and value to all be  at least 2 dimensional, but got "
            f"{_listed(ndims, 'dim')} instead."
        )
        raise ShapeError(msg)
    if query._key.category < dtypes.FLOATING:
        msg = f"expected scalar type Float but found {query._key.dtype.scalar_name}"
        raise DTypeError(msg)
    if attn_mask is not None:
        check_tensor(function, attn_mask, "attn_mask", 4)
        _check_mask(query, attn_mask)
    if not 0 <= dropout_p <= 1:
        msg = f"dropout probability has to be between 0 and 1, but got {dropout_p}"
        raise ShapeError(msg)


def _listed(facts: dict[str, Any], what: str) -> str:
    query, key, value = (f"{name}.{what}: {fact}" for name, fact in facts.items())
    return f"{query} {key} and {value}"


def _check_mask(query: Any, attn_mask: Any) -> None:
    dtype = attn_mask._key.dtype
    if dtype not in {dtypes.bool_, dtypes.float32, query._key.dtype}:
        msg = (
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {C_NAMES[dtype.name]} and  query.dtype: "
            f"{C_NAMES[query._key.dtype.name]} instead."
        )
        raise DTypeError(msg)
