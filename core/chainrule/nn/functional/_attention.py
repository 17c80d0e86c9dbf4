"""Attention with several heads: projections in, attention, projection out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import ops
from ..._warn import warn
from ...dtypes import bool_

if TYPE_CHECKING:
    from ...dtypes import DType
    from ...tensor import Tensor

__all__ = ["multi_head_attention_forward"]

_INF = float("inf")


def canonical_mask(
    mask: Tensor | None,
    name: str,
    other_type: DType | None,
    other_name: str,
    target_type: DType,
    check_other: bool = True,
) -> Tensor | None:
    """Return *mask* as numbers that are added: minus infinity where it is True.

    Raises:
        AssertionError: it is neither bool nor floating.
    """
    if mask is None:
        return None
    if mask.dtype is not bool_ and not mask.is_floating_point():
        msg = f"only bool and floating types of {name} are supported"
        raise AssertionError(msg)
    if check_other and other_type is not None and mask.dtype is not other_type:
        warn(
            f"Support for mismatched {name} and {other_name} is deprecated. "
            "Use same type for both instead.",
            stacklevel=3,
        )
    if mask.is_floating_point():
        return mask
    zeros = ops.zeros_like(mask, dtype=target_type)
    return zeros.masked_fill_(mask, -_INF)  # type: ignore[no-any-return]  # a Tensor


class _Masks(NamedTuple):
    """What is added to the scores, and whether later places are hidden as well."""

    attn: Any
    padding: Any
    is_causal: bool


def _masks(
    query: Any, attn_mask: Any, key_padding_mask: Any, need_weights: bool, is_causal: bool
) -> _Masks:
    padding = canonical_mask(
        key_padding_mask,
        "key_padding_mask",
        None if attn_mask is None else attn_mask.dtype,
        "attn_mask",
        query.dtype,
    )
    if is_causal and attn_mask is None:
        msg = (
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
        raise RuntimeError(msg)
    if is_causal and padding is None and not need_weights:
        return _Masks(None, None, is_causal=True)
    attn = canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, check_other=False)
    return _Masks(attn, padding, is_causal and padding is None)


def _expect(query: Any, name: str, *given: Any, fine: Any) -> None:
    """Check the number of dimensions of what goes with *query*."""
    kind = "batched (3-D)" if query.dim() == 3 else "unbatched (2-D)"
    if not all(tensor.dim() in fine for tensor in given):
        found = " and ".join(f"{tensor.dim()}-D" for tensor in given)
        many = "tensors respectively" if len(given) > 1 else "tensor instead"
        wanted = f"{query.dim()}-D" if len(given) > 1 else _among(fine)
        msg = f"For {kind} `query`, expected {name} to be {wanted} but found {found} {many}"
        raise AssertionError(msg)


def _among(fine: Any) -> str:
    return "`None`" + "".join(f", {n}-D" for n in fine[:-1]) + f" or {fine[-1]}-D"


def _is_batched(
    query: Any, key: Any, value: Any, key_padding_mask: Any, attn_mask: Any, num_heads: int
) -> bool:
    """Return whether there is a batch, after checking that all agree on that."""
    if query.dim() not in {2, 3}:
        msg = (
            "query should be unbatched 2D or batched 3D tensor but received "
            f"{query.dim()}-D query tensor"
        )
        raise AssertionError(msg)
    batched: bool = query.dim() == 3
    _expect(query, "`key` and `value`", key, value, fine=(query.dim(),))
    if key_padding_mask is not None:
        _expect(query, "`key_padding_mask`", key_padding_mask, fine=(query.dim() - 1,))
    if attn_mask is not None:
        _expect(query, "`attn_mask`", attn_mask, fine=(2, 3))
        if not batched and attn_mask.dim() == 3:
            wanted = (num_heads, query.shape[0], key.shape[0])
            if tuple(attn_mask.shape) != wanted:
                msg = f"Expected `attn_mask` shape to be {wanted} but got {attn_mask.shape}"
                raise AssertionError(msg)
    return batched


def _parts(projected: Any, count: int, size: int) -> Any:
    """Return a projection to several vectors as one tensor per vector, contiguous."""
    split = projected.unflatten(-1, (count, size)).unsqueeze(0)
    parts = split.transpose(0, -2).squeeze(-2).contiguous()
    return [parts[i] for i in range(count)]


def _packed(query: Any, key: Any, value: Any, weight: Any, bias: Any) -> Any:
    """Return the projections by one weight, in as few products as the inputs allow."""
    size = query.size(-1)
    if key is value:
        if query is key:
            return _parts(ops.linear(query, weight, bias), 3, size)
        first, rest = weight.split([size, 2 * size])
        shift, shifts = (None, None) if bias is None else bias.split([size, 2 * size])
        return [
            ops.linear(query, first, shift),
            *_parts(ops.linear(key, rest, shifts), 2, size),
        ]
    biases = [None] * 3 if bias is None else bias.chunk(3)
    return [
        ops.linear(tensor, own, shift)
        for tensor, own, shift in zip((query, key, value), weight.chunk(3), biases, strict=True)
    ]


def _separate(query: Any, key: Any, value: Any, weights: tuple[Any, Any, Any], bias: Any) -> Any:
    """Return the projections by a weight each."""
    for name, weight in zip("qkv", weights, strict=True):
        if weight is None:
            msg = f"use_separate_proj_weight is True but {name}_proj_weight is None"
            raise AssertionError(msg)
    biases = [None] * 3 if bias is None else bias.chunk(3)
    return [
        ops.linear(tensor, own, shift)
        for tensor, own, shift in zip((query, key, value), weights, biases, strict=True)
    ]


def _check_mask_shape(mask: Any, target: int, source: int, rows: int) -> Any:
    """Return the mask with three dimensions."""
    if mask.dim() == 2:
        if tuple(mask.shape) != (target, source):
            msg = (
                f"The shape of the 2D attn_mask is {mask.shape}, but should be {(target, source)}."
            )
            raise RuntimeError(msg)
        return mask.unsqueeze(0)
    if mask.dim() != 3:
        msg = f"attn_mask's dimension {mask.dim()} is not supported"
        raise RuntimeError(msg)
    if tuple(mask.shape) != (rows, target, source):
        msg = (
            f"The shape of the 3D attn_mask is {mask.shape}, but should be "
            f"{(rows, target, source)}."
        )
        raise RuntimeError(msg)
    return mask


def _one_more(masks: _Masks) -> _Masks:
    """Return the masks with room for one more key."""
    attn, padding = (
        None if mask is None else ops.pad(mask, (0, 1)) for mask in (masks.attn, masks.padding)
    )
    return _Masks(attn, padding, masks.is_causal)


def _heads(tensor: Any, static: Any, rows: int, width: int, name: str) -> Any:
    """Return ``(L, N, E)`` as ``(N * heads, L, E / heads)``, or what was given in its place."""
    if static is None:
        return tensor.view(tensor.shape[0], rows, width).transpose(0, 1)
    if static.size(0) != rows:
        msg = f"expecting {name}.size(0) of {rows}, but got {static.size(0)}"
        raise AssertionError(msg)
    if static.size(2) != width:
        msg = f"expecting {name}.size(2) of {width}, but got {static.size(2)}"
        raise AssertionError(msg)
    return static


def _joined(masks: _Masks, batch: int, num_heads: int, source: int) -> Any:
    """Return both masks as one."""
    if masks.padding is None:
        return masks.attn
    if tuple(masks.padding.shape) != (batch, source):
        msg = (
            f"expecting key_padding_mask shape of {(batch, source)}, but got {masks.padding.shape}"
        )
        raise AssertionError(msg)
    padding = masks.padding.view(batch, 1, 1, source).expand(-1, num_heads, -1, -1)
    padding = padding.reshape(batch * num_heads, 1, source)
    return padding if masks.attn is None else masks.attn + padding


def _check_sizes(
    query: Any, key: Any, value: Any, embed_dim: int, num_heads: int, separate: bool, padding: Any
) -> None:
    found = query.shape[-1]
    problem = ""
    if found != embed_dim:
        problem = f"was expecting embedding dimension of {embed_dim}, but got {found}"
    elif found % num_heads:
        problem = f"embed_dim {found} not divisible by num_heads {num_heads}"
    elif separate and key.shape[:2] != value.shape[:2]:
        problem = (
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
        )
    elif not separate and key.shape != value.shape:
        problem = f"key shape {key.shape} does not match value shape {value.shape}"
    elif padding is not None and padding.shape[1] != key.shape[0]:
        problem = (
            f"Expected key_padded_mask.shape[1] to be {key.shape[0]}, but got {padding.shape[1]}"
        )
    if problem:
        raise AssertionError(problem)


def multi_head_attention_forward(  # noqa: C901 - the steps of one recipe, in their order
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Return attention with several heads, and its weights if they are asked for.

    Args:
        query: ``(L, N, E)`` or ``(L, E)``.
        key: ``(S, N, K)`` or ``(S, K)``.
        value: ``(S, N, V)`` or ``(S, V)``.
        embed_dim_to_check: E.
        num_heads: How many heads the E features are split into.
        in_proj_weight: ``(3 E, E)``, the projections of query, key and value in one.
        in_proj_bias: ``(3 E)``.
        bias_k: ``(1, 1, E)``, one more key.
        bias_v: ``(1, 1, E)``, its value.
        add_zero_attn: Add one more key and value of zeros.
        dropout_p: The probability with which a weight is left out in training.
        out_proj_weight: ``(E, E)``.
        out_proj_bias: ``(E)``.
        training: Whether weights are left out.
        key_padding_mask: ``(N, S)`` or ``(S)``: True, or numbers to add, where a key is none.
        need_weights: Whether to give the weights as well, which costs memory.
        attn_mask: ``(L, S)`` or ``(N * heads, L, S)``: True, or numbers to add, where a query may
            not look.
        use_separate_proj_weight: Take the three weights that follow.
        q_proj_weight: ``(E, E)``.
        k_proj_weight: ``(E, K)``.
        v_proj_weight: ``(E, V)``.
        static_k: ``(N * heads, S, E / heads)``, keys that take the place of the projected ones.
        static_v: Values likewise.
        average_attn_weights: Give the mean of the heads' weights.
        is_causal: A hint that *attn_mask* hides what comes later.

    Returns:
        ``(L, N, E)`` and, or None, ``(N, L, S)``; without ``N`` where the query has none.

    Raises:
        AssertionError: sizes do not fit.
        RuntimeError: a mask does not fit.
    """
    batched = _is_batched(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same_kv, same_qk = key is value, query is key
        query, key = query.unsqueeze(1), key.unsqueeze(1)
        key = query if same_qk else key
        value = key if same_kv else value.unsqueeze(1)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    masks = _masks(query, attn_mask, key_padding_mask, need_weights, is_causal)
    _check_sizes(
        query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight, masks.padding
    )
    target, batch, embed_dim = query.shape
    rows, width = batch * num_heads, embed_dim // num_heads
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        q, k, v = _separate(query, key, value, weights, in_proj_bias)
    else:
        if in_proj_weight is None:
            msg = "use_separate_proj_weight is False but in_proj_weight is None"
            raise AssertionError(msg)
        q, k, v = _packed(query, key, value, in_proj_weight, in_proj_bias)
    if masks.attn is not None:
        attn = _check_mask_shape(masks.attn, target, key.shape[0], rows)
        masks = masks._replace(attn=attn)
    if bias_k is not None and bias_v is not None:
        _refuse_static(static_k, static_v)
        k = ops.cat([k, bias_k.repeat(1, batch, 1)])
        v = ops.cat([v, bias_v.repeat(1, batch, 1)])
        masks = _one_more(masks)
    q = q.view(target, rows, width).transpose(0, 1)
    k = _heads(k, static_k, rows, width, "static_k")
    v = _heads(v, static_v, rows, width, "static_v")
    if add_zero_attn:
        nothing = ops.zeros(rows, 1, width, dtype=k.dtype, device=k.device)
        k, v = (ops.cat([tensor, nothing], 1) for tensor in (k, v))
        masks = _one_more(masks)
    mask = _joined(masks, batch, num_heads, k.size(1))
    dropout = dropout_p if training else 0.0
    if need_weights:
        result, given = _with_weights(q, k, v, mask, dropout)
    else:
        result, given = _without_weights(q, k, v, mask, dropout, masks.is_causal, num_heads), None
    result = result.contiguous().view(target * batch, embed_dim)
    result = ops.linear(result, out_proj_weight, out_proj_bias)
    result = result.view(target, batch, result.size(1))
    if given is not None:
        given = given.view(batch, num_heads, target, k.size(1))
        given = given.mean(dim=1) if average_attn_weights else given
    if not batched:
        return result.squeeze(1), None if given is None else given.squeeze(0)
    return result, given


def _refuse_static(static_k: Any, static_v: Any) -> None:
    for name, static in (("key", static_k), ("value", static_v)):
        if static is not None:
            msg = f"bias cannot be added to static {name}."
            raise AssertionError(msg)


def _with_weights(q: Any, k: Any, v: Any, mask: Any, dropout: float) -> tuple[Any, Any]:
    """Return the averages ``(L, N * heads, E / heads)`` and the weights."""
    scaled = q * math.sqrt(1.0 / float(q.shape[-1]))
    keys = k.transpose(-2, -1)
    scores = ops.bmm(scaled, keys) if mask is None else ops.baddbmm(mask, scaled, keys)
    weights = ops.softmax(scores, -1)
    if dropout > 0:
        weights = ops.dropout(weights, dropout)
    return ops.bmm(weights, v).transpose(0, 1), weights


def _without_weights(
    q: Any, k: Any, v: Any, mask: Any, dropout: float, is_causal: bool, num_heads: int
) -> Any:
    """Return the averages ``(L, N, heads, E / heads)``."""
    batch = q.shape[0] // num_heads
    if mask is not None:
        alone = mask.size(0) == 1 and mask.dim() == 3
        mask = mask.unsqueeze(0) if alone else mask.view(batch, num_heads, -1, k.size(1))
    q, k, v = (t.view(batch, num_heads, t.shape[1], t.shape[2]) for t in (q, k, v))
    found = ops.scaled_dot_product_attention(q, k, v, mask, dropout, is_causal)
    return found.permute(2, 0, 1, 3)
