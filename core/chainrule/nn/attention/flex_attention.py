"""Attention with scores changed by a function, which chainrule does not have."""

from ..._absent import absent

__getattr__ = absent(
    "nn.attention.flex_attention",
    "Use nn.functional.scaled_dot_product_attention with attn_mask.",
)
