"""Attention with several heads, as a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from .. import functional as F
from .. import init
from ..functional._attention import canonical_mask
from ..parameter import Parameter
from .linear import NonDynamicallyQuantizableLinear
from .module import Module

if TYPE_CHECKING:
    from ...device import Device
    from ...dtypes import DType
    from ...tensor import Tensor

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Let every query look at keys, with several heads that look for different things.

    Args:
        embed_dim: The features of queries and of the result.
        num_heads: How many heads they are split into.
        dropout: The probability with which a weight is left out in training.
        bias: Whether the projections have a shift.
        add_bias_kv: Add one learned key and value.
        add_zero_attn: Add one key and value of zeros.
        kdim: The features of keys; *embed_dim* if None.
        vdim: The features of values; *embed_dim* if None.
        batch_first: Tensors are ``(N, L, E)`` rather than ``(L, N, E)``.
        device: Of the parameters.
        dtype: Of the parameters.

    Raises:
        ValueError: *embed_dim* or *num_heads* is not positive.
        AssertionError: *embed_dim* is no multiple of *num_heads*.

    >>> import chainrule as cr
    >>> x = cr.zeros(2, 3, 8)
    >>> result, weights = MultiheadAttention(8, 2, batch_first=True)(x, x, x)
    >>> result.shape, weights.shape
    (torch.Size([2, 3, 8]), torch.Size([2, 3, 3]))
    """

    in_proj_weight: Tensor | None
    in_proj_bias: Tensor | None
    q_proj_weight: Tensor | None
    k_proj_weight: Tensor | None
    v_proj_weight: Tensor | None
    bias_k: Tensor | None
    bias_v: Tensor | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            msg = (
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
            raise ValueError(msg)
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads, self.dropout, self.batch_first = num_heads, dropout, batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            msg = "embed_dim must be divisible by num_heads"
            raise AssertionError(msg)
        options: dict[str, Any] = {"device": device, "dtype": dtype}
        shapes = self._projections()
        for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_weight"):
            made = ops.empty(shapes[name], **options) if name in shapes else None
            self.register_parameter(name, None if made is None else Parameter(made))
        self.register_parameter(
            "in_proj_bias", Parameter(ops.empty(3 * embed_dim, **options)) if bias else None
        )
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, **options)
        for name in ("bias_k", "bias_v"):
            made = ops.empty(1, 1, embed_dim, **options) if add_bias_kv else None
            self.register_parameter(name, None if made is None else Parameter(made))
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _projections(self) -> dict[str, tuple[int, int]]:
        """Return the shapes of the weights that there are."""
        size = self.embed_dim
        if self._qkv_same_embed_dim:
            return {"in_proj_weight": (3 * size, size)}
        return {
            "q_proj_weight": (size, size),
            "k_proj_weight": (size, self.kdim),
            "v_proj_weight": (size, self.vdim),
        }

    def _reset_parameters(self) -> None:
        """Draw the parameters anew."""
        for name in self._projections():
            init.xavier_uniform_(getattr(self, name))
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            assert self.out_proj.bias is not None
            init.constant_(self.out_proj.bias, 0.0)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def __setstate__(self, state: Any) -> None:
        state.setdefault("_qkv_same_embed_dim", True)
        super().__setstate__(state)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return attention and, or None, its weights; see `multi_head_attention_forward`."""
        kind = None if attn_mask is None else attn_mask.dtype
        padding = canonical_mask(
            key_padding_mask, "key_padding_mask", kind, "attn_mask", query.dtype
        )
        mask = canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, check_other=False)
        swap = self.batch_first and query.dim() == 3
        if swap:
            query, key, value = _swapped(query, key, value)
        result, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight,
            self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn, self.dropout,
            self.out_proj.weight, self.out_proj.bias, self.training, padding, need_weights, mask,
            not self._qkv_same_embed_dim, self.q_proj_weight, self.k_proj_weight,
            self.v_proj_weight, average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        return (result.transpose(1, 0) if swap else result), weights


def _swapped(query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
    """Return the three with batch and length exchanged; what was one tensor stays one."""
    swapped = query.transpose(1, 0)
    if key is value:
        keys = swapped if query is key else key.transpose(1, 0)
        return swapped, keys, keys
    return swapped, key.transpose(1, 0), value.transpose(1, 0)
