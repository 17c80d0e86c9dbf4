"""Dropout. From the same seed it leaves out what PyTorch leaves out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from ... import ops
from ...errors import ShapeError

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = ["dropout", "dropout1d", "dropout2d", "dropout3d"]

_WRONG_DIMENSIONS = (
    "{name}: Received a {dim}-D input to {name}, which is deprecated and will result in an error "
    "in a future release. To retain the behavior and silence this warning, please use dropout "
    "instead. Note that {name} exists to provide channel-wise dropout on inputs with {spatial} "
    "spatial dimensions, a channel dimension, and an optional batch dimension "
    "(i.e. {right} inputs)."
)


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        msg = f"dropout probability has to be between 0 and 1, but got {p}"
        raise ValueError(msg)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return *input* with each element zero with probability *p*, the others over ``1 - p``.

    Args:
        input: ``(*)``, floating.
        p: The probability of zero.
        training: If false, return *input* as it is.
        inplace: Write into *input*.

    Raises:
        ValueError: *p* is no probability.

    Gradient:
        ``grad`` times the same mask.

    >>> import chainrule as cr
    >>> x = cr.ones(3)
    >>> dropout(x, training=False) is x
    True
    """
    _check_probability(p)
    return _masked(input, p, tuple(input.shape), training, inplace)


def _masked(
    input: Tensor, p: float, shape: tuple[int, ...], training: bool, inplace: bool
) -> Tensor:
    """Return *input* times a random mask of *shape*."""
    if not training or p == 0 or input.numel() == 0:
        return input
    mask = ops.empty(shape, dtype=input.dtype, device=input.device)
    if p == 1:
        mask.zero_()
    else:
        mask.bernoulli_(1 - p).div_(1 - p)
    return input.mul_(mask) if inplace else input * mask


def _whole_channels(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    """Return *input* ``(N, C, *)`` with each channel zero with probability *p*."""
    shape = (*input.shape[:2], *(1 for _ in input.shape[2:]))
    return _masked(input, p, shape, training, inplace)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return *input* with each channel zero with probability *p*; see `dropout`.

    Args:
        input: ``(N, C, L)`` or ``(C, L)``.
        p: The probability of zero.
        training: If false, return *input* as it is.
        inplace: Write into *input*.

    Raises:
        ValueError: *p* is no probability.
        RuntimeError: *input* has another number of dimensions.
    """
    _check_probability(p)
    if input.dim() not in {2, 3}:
        msg = (
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. Note that "
            "dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, "
            "a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
        raise ShapeError(msg)
    if input.dim() == 3:
        return _whole_channels(input, p, training, inplace)
    batch = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    result = _whole_channels(batch, p, training, inplace)
    return result.squeeze_(0) if inplace else result.squeeze(0)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return *input* ``(N, C, H, W)`` with each channel zero with probability *p*."""
    _check_probability(p)
    if input.dim() not in {3, 4}:
        warnings.warn(
            _WRONG_DIMENSIONS.format(
                name="dropout2d", dim=input.dim(), spatial=2, right="3D or 4D"
            ),
            stacklevel=2,
        )
    if input.dim() == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout "
            "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel "
            "dim. This behavior will change in a future release to interpret the input as one "
            "without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise "
            "dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _whole_channels(input, p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return *input* ``(N, C, D, H, W)`` with each channel zero with probability *p*."""
    _check_probability(p)
    if input.dim() not in {4, 5}:
        warnings.warn(
            _WRONG_DIMENSIONS.format(
                name="dropout3d", dim=input.dim(), spatial=3, right="4D or 5D"
            ),
            stacklevel=2,
        )
    if input.dim() == 5:
        return _whole_channels(input, p, training, inplace)
    batch = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    result = _whole_channels(batch, p, training, inplace)
    return result.squeeze_(0) if inplace else result.squeeze(0)
