"""Rows of padded sequences, packed one step after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import composite
from .rows import index_select, index_select_backward
from .shape import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["_pack_padded_sequence"]


@composite(dtype="same", nodes={"": "PackPaddedSequenceBackward0"})
def _pack_padded_sequence(self: Tensor, rows: Tensor) -> Tensor:
    """Return the rows that sequences have, without the padding.

    Args:
        self: ``(T, B, *)``.
        rows: ``(N)``, their numbers among the ``T * B``.

    Returns:
        ``(N, *)``.
    """
    steps, batch, *rest = self.shape
    return index_select(reshape(self, (steps * batch, *rest)), 0, rows)


def _pack_rule(grad: Tensor, self_shape: tuple[int, ...], rows: Tensor) -> Tensor:
    steps, batch, *rest = self_shape
    padded: Tensor = index_select_backward(grad, (steps * batch, *rest), 0, rows)
    return reshape(padded, self_shape)


_pack_padded_sequence.vjp(self=_pack_rule, rows=None)
