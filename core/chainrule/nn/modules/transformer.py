"""Transformers: layers of attention and feed-forward networks.

Source: Vaswani and others, "Attention is all you need", 2017.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ... import ops
from .. import functional as F
from .. import init
from ..functional._attention import canonical_mask
from ._attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...device import Device
    from ...dtypes import DType
    from ...tensor import Tensor

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
    "TransformerEncoderLayer",
]  # fmt: skip


def _generate_square_subsequent_mask(
    sz: int, device: Device | str | None = None, dtype: DType | None = None
) -> Tensor:
    """Return what hides later places: minus infinity above the diagonal, zero elsewhere."""
    full: Tensor = ops.full((sz, sz), float("-inf"), dtype=dtype, device=device)
    return ops.triu(full, diagonal=1)


def _get_clones(module: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(module) for _ in range(count)])


def _activation(activation: str | Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    if not isinstance(activation, str):
        return activation
    if activation == "relu":
        return F.relu
    if activation == "gelu":
        return F.gelu
    msg = f"activation should be relu/gelu, not {activation}"
    raise RuntimeError(msg)


def _is_causal(mask: Any, is_causal: bool | None, size: int | None) -> bool:
    """Return whether *mask* hides just what comes later, where it was not said."""
    if is_causal is not None or mask is None:
        return is_causal is True
    side = mask.size(-2) if size is None else size
    causal = _generate_square_subsequent_mask(side, device=mask.device, dtype=mask.dtype)
    return mask.size() == causal.size() and bool((mask == causal).all())


def _length(tensor: Tensor, batch_first: bool) -> int:
    """Return how long the sequences are."""
    place = 1 if batch_first and tensor.dim() == 3 else 0
    return int(tensor.size(place))


class _Layer(Module):
    """What the layers of encoders and decoders share: each place looks at its own sequence."""

    activation: Callable[[Tensor], Tensor]

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        if not hasattr(self, "activation"):
            self.activation = F.relu

    def _sa_block(
        self,
        x: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Any:
        x = self.self_attn(
            x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False,
            is_causal=is_causal,
        )[0]  # fmt: skip
        return self.dropout1(x)


class TransformerEncoderLayer(_Layer):
    """Let every place of a sequence look at all others, then change each by itself.

    Args:
        d_model: Features of a place.
        nhead: How many heads look.
        dim_feedforward: Features within the feed-forward network.
        dropout: The probability with which a value is left out in training.
        activation: Of the feed-forward network: ``"relu"``, ``"gelu"`` or a function.
        layer_norm_eps: Added to the variance of the normalisations.
        batch_first: Tensors are ``(N, L, E)`` rather than ``(L, N, E)``.
        norm_first: Normalise what goes into a part rather than what comes out.
        bias: Whether the parts have shifts.
        device: Of the parameters.
        dtype: Of the parameters.

    >>> import chainrule as cr
    >>> TransformerEncoderLayer(8, 2, 16, batch_first=True)(cr.zeros(2, 3, 8)).shape
    torch.Size([2, 3, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        options: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **options
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **options)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **options)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **options)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **options)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = _activation(activation)
        # What PyTorch's layer asks of itself, should it come to be made of this one's file.
        self.activation_relu_or_gelu = {F.relu: 1, F.gelu: 2}.get(self.activation, 0)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        kind = None if src_mask is None else src_mask.dtype
        padding = canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", kind, "src_mask", src.dtype
        )
        mask = canonical_mask(src_mask, "src_mask", None, "", src.dtype, check_other=False)
        x = src
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), mask, padding, is_causal)
            return x + self._ff_block(self.norm2(x))  # type: ignore[no-any-return]  # a Tensor
        x = self.norm1(x + self._sa_block(x, mask, padding, is_causal))
        result: Tensor = self.norm2(x + self._ff_block(x))
        return result

    def _ff_block(self, x: Tensor) -> Any:
        x = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return self.dropout2(x)


class TransformerDecoderLayer(_Layer):
    """Let every place look at its sequence, then at another one, then change it by itself.

    Arguments are those of `TransformerEncoderLayer`.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        options: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **options
        )
        self.multihead_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **options
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **options)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **options)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **options)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **options)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, **options)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory_mask, memory_key_padding_mask, memory_is_causal)
        x = tgt
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *own)
            x = x + self._mha_block(self.norm2(x), memory, *other)
            return x + self._ff_block(self.norm3(x))  # type: ignore[no-any-return]  # a Tensor
        x = self.norm1(x + self._sa_block(x, *own))
        x = self.norm2(x + self._mha_block(x, memory, *other))
        result: Tensor = self.norm3(x + self._ff_block(x))
        return result

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Any:
        x = self.multihead_attn(
            x, mem, mem, attn_mask=attn_mask, key_padding_mask=key_padding_mask,
            is_causal=is_causal, need_weights=False,
        )[0]  # fmt: skip
        return self.dropout2(x)

    def _ff_block(self, x: Tensor) -> Any:
        x = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return self.dropout3(x)


class TransformerEncoder(Module):
    """Apply copies of a layer one after the other.

    Args:
        encoder_layer: The layer.
        num_layers: How many copies.
        norm: What is applied last.
        enable_nested_tensor: Kept; there are no nested tensors here.
        mask_check: Kept.
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        kind = None if mask is None else mask.dtype
        padding = canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", kind, "mask", src.dtype
        )
        mask = canonical_mask(mask, "mask", None, "", src.dtype, check_other=False)
        attention = getattr(self.layers[0], "self_attn", None)
        length = _length(src, bool(getattr(attention, "batch_first", False)))
        causal = _is_causal(mask, is_causal, length)
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        return output if self.norm is None else self.norm(output)


class TransformerDecoder(Module):
    """Apply copies of a layer one after the other, all looking at the same memory.

    Args:
        decoder_layer: The layer.
        num_layers: How many copies.
        norm: What is applied last.
    """

    def __init__(
        self,
        decoder_layer: TransformerDecoderLayer,
        num_layers: int,
        norm: Module | None = None,
    ) -> None:
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        attention = getattr(self.layers[0], "self_attn", None)
        length = _length(tgt, bool(getattr(attention, "batch_first", False)))
        causal = _is_causal(tgt_mask, tgt_is_causal, length)
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """Read one sequence and, looking at it, write another.

    Args:
        d_model: Features of a place.
        nhead: How many heads look.
        num_encoder_layers: Layers that read.
        num_decoder_layers: Layers that write.
        dim_feedforward: Features within the feed-forward networks.
        dropout: The probability with which a value is left out in training.
        activation: Of the feed-forward networks: ``"relu"``, ``"gelu"`` or a function.
        custom_encoder: A module that reads instead.
        custom_decoder: A module that writes instead.
        layer_norm_eps: Added to the variance of the normalisations.
        batch_first: Tensors are ``(N, L, E)`` rather than ``(L, N, E)``.
        norm_first: Normalise what goes into a part rather than what comes out.
        bias: Whether the parts have shifts.
        device: Of the parameters.
        dtype: Of the parameters.

    >>> import chainrule as cr
    >>> model = Transformer(8, 2, 1, 1, 16)
    >>> model(cr.zeros(5, 2, 8), cr.zeros(3, 2, 8)).shape
    torch.Size([3, 2, 8])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu,
        custom_encoder: Any | None = None,
        custom_decoder: Any | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        options: dict[str, Any] = {"device": device, "dtype": dtype}
        common = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias,
        )  # fmt: skip
        super().__init__()
        self.encoder: Any
        self.decoder: Any
        if custom_encoder is not None:
            self.encoder = custom_encoder
        else:
            layer = TransformerEncoderLayer(*common, **options)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **options)
            self.encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        if custom_decoder is not None:
            self.decoder = custom_decoder
        else:
            writer = TransformerDecoderLayer(*common, **options)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **options)
            self.decoder = TransformerDecoder(writer, num_decoder_layers, norm)
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        batched = src.dim() == 3
        place = 0 if self.batch_first else 1
        if batched and src.size(place) != tgt.size(place):
            msg = "the batch number of src and tgt must be equal"
            raise RuntimeError(msg)
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            msg = "the feature number of src and tgt must be equal to d_model"
            raise RuntimeError(msg)
        memory = self.encoder(
            src,
            mask=src_mask,
            src_key_padding_mask=src_key_padding_mask,
            is_causal=src_is_causal,
        )
        result: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return result

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: Device | str | None = None, dtype: DType | None = None
    ) -> Tensor:
        """Return what hides later places: minus infinity above the diagonal, zero elsewhere."""
        return _generate_square_subsequent_mask(sz, device, dtype)

    def _reset_parameters(self) -> None:
        """Draw all weights anew."""
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)
