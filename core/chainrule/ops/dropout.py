"""Dropout: in training, some elements are zero and the others larger, so that the mean stays.

Source: N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov (2014), Dropout:
a simple way to prevent neural networks from overfitting, Journal of Machine Learning Research 15.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from .._warn import warn
from ..dtypes import FLOATING
from ..errors import DTypeError, ShapeError
from ..op import primitive
from ..value import new_value
from ._arguments import check_tensor
from .arithmetic import add, mul
from .generator import generator_for
from .random import for_each_sample
from .shape import squeeze, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
]  # fmt: skip

#: Where the activation SELU goes far to the left, which is what alpha dropout puts for zero.
_ALPHA: Final = 1.7580993408473766


@primitive(dtype="same")
def _dropout_noise(
    self: Tensor, p: float, stream: Any, size: tuple[int, ...] | None = None, scaled: bool = True
) -> Tensor:
    """Return zeros with probability *p*, and ``1 / (1 - p)``, or ones if not *scaled*."""


_dropout_noise.vjp(self=None)


def _noise(input: Tensor, p: float, *, features: bool, scaled: bool) -> Tensor:
    """Return what to multiply *input* with: one number per element, or per feature map."""
    input = for_each_sample(input)
    key, size = input._key, None
    if features:
        shape = tuple(input._array.shape)
        size = (*shape[:2], *(1 for _ in shape[2:]))
    if scaled and key.category < FLOATING:
        msg = (
            "result type Float can't be cast to the desired output type "
            f"{key.dtype.scalar_name}\ndropout: expected a floating dtype. Convert with .float()."
        )
        raise DTypeError(msg)
    source = generator_for(key, None)
    with source.lock:
        return _dropout_noise(input, p, source.stream_for(key), size, scaled)


def _times(input: Tensor, noise: Tensor, inplace: bool) -> Tensor:
    return mul.in_place((input, noise), {}) if inplace else mul(input, noise)


def _dropped(input: Tensor, p: float, *, features: bool, alpha: bool, inplace: bool) -> Tensor:
    """Return *input* after dropping elements or whole feature maps, in training."""
    shape = input._array.shape
    if p == 0 or 0 in shape:
        return input
    if features and len(shape) < 2:
        msg = (
            "Feature dropout requires at least 2 dimensions in the input\n"
            f"expected (n, c, *), got shape {tuple(shape)}. Use dropout() instead."
        )
        raise ShapeError(msg)
    if p == 1:
        key = input._key
        zero = new_value(key.backend.full((), 0, key.dtype, key.device), key)
        return _times(input, zero, inplace)
    if not alpha:
        return _times(input, _noise(input, p, features=features, scaled=True), inplace)
    # Mean 0 and variance 1 stay, where an element that is dropped becomes -alpha.
    kept = _noise(input, p, features=features, scaled=False)
    scale = 1 / math.sqrt((_ALPHA**2 * p + 1) * (1 - p))
    shift = (kept + -1) * (_ALPHA * scale) + _ALPHA * scale * p
    product = _times(input, kept * scale, inplace)
    return add.in_place((product, shift), {}) if inplace else add(product, shift)


def _check(function: str, input: Any, p: float) -> None:
    check_tensor(function, input)
    if p < 0 or p > 1:
        msg = (
            f"dropout probability has to be between 0 and 1, but got {p}\n"
            f"{function}: p is the probability that an element is dropped."
        )
        raise ValueError(msg)


def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    train: bool | None = None,
) -> Tensor:
    """Return *input* with some elements zero and the others divided by ``1 - p``.

    Args:
        input: ``(*)``, floating or complex.
        p: The probability that an element becomes zero.
        training: If False, *input* is returned as it is.
        inplace: Whether to write into *input*.
        train: Another name for *training*.

    Returns:
        ``(*)``.

    Raises:
        ValueError: *p* is not between 0 and 1.

    Gradient:
        ``grad`` times the same zeros and factors.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.dropout(cr.ones(6), p=0.5)
    tensor([0., 0., 2., 0., 0., 0.])
    """
    _check("dropout", input, p)
    if not (training if train is None else train):
        return input
    return _dropped(input, p, features=False, alpha=False, inplace=inplace)


def _channels(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    return _dropped(input, p, features=True, alpha=False, inplace=inplace) if training else input


def _without_batch(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    return squeeze(_channels(unsqueeze(input, 0), p, training, inplace), 0)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return *input* with whole channels zero and the others divided by ``1 - p``.

    Args:
        input: ``(n, c, l)`` or ``(c, l)``.
        p: The probability that a channel becomes zero.
        training: If False, *input* is returned as it is.
        inplace: Whether to write into *input*.

    Raises:
        ValueError: *p* is not between 0 and 1.
        RuntimeError: *input* has another number of dimensions.

    >>> import chainrule as cr
    >>> cr.dropout1d(cr.ones(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """
    _check("dropout1d", input, p)
    ndim = len(input._array.shape)
    if ndim not in {2, 3}:
        msg = (
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that "
            "dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, "
            "a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
        raise ShapeError(msg)
    drop = _without_batch if ndim == 2 else _channels
    return drop(input, p, training, inplace)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return *input* with whole channels zero and the others divided by ``1 - p``.

    Args:
        input: ``(n, c, h, w)``. Three dimensions are taken as ``(n, c, l)``, with a warning.
        p: The probability that a channel becomes zero.
        training: If False, *input* is returned as it is.
        inplace: Whether to write into *input*.

    Raises:
        ValueError: *p* is not between 0 and 1.

    >>> import chainrule as cr
    >>> cr.dropout2d(cr.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """
    _check("dropout2d", input, p)
    ndim = len(input._array.shape)
    if ndim == 3:
        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout "
            "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel "
            "dim. This behavior will change in a future release to interpret the input as one "
            "without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise "
            "dropout behavior, please switch to using dropout1d instead.",
            UserWarning,
            stacklevel=2,
        )
    elif ndim != 4:
        _warn_of_dimensions("dropout2d", ndim, 2)
    return _channels(input, p, training, inplace)


def _warn_of_dimensions(function: str, ndim: int, spatial: int) -> None:
    warn(
        f"{function}: Received a {ndim}-D input to {function}, which is deprecated and will result "
        "in an error in a future release. To retain the behavior and silence this warning, please "
        f"use dropout instead. Note that {function} exists to provide channel-wise dropout on "
        f"inputs with {spatial} spatial dimensions, a channel dimension, and an optional batch "
        f"dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs).",
        UserWarning,
        stacklevel=3,
    )


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return *input* with whole channels zero and the others divided by ``1 - p``.

    Args:
        input: ``(n, c, d, h, w)`` or ``(c, d, h, w)``.
        p: The probability that a channel becomes zero.
        training: If False, *input* is returned as it is.
        inplace: Whether to write into *input*.

    Raises:
        ValueError: *p* is not between 0 and 1.

    >>> import chainrule as cr
    >>> cr.dropout3d(cr.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """
    _check("dropout3d", input, p)
    ndim = len(input._array.shape)
    if ndim not in {4, 5}:
        _warn_of_dimensions("dropout3d", ndim, 3)
    drop = _without_batch if ndim == 4 else _channels
    return drop(input, p, training, inplace)


def alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    train: bool | None = None,
) -> Tensor:
    """Return *input* with some elements at SELU's lower limit, mean and variance kept.

    Args:
        input: ``(*)``, floating, of mean 0 and variance 1.
        p: The probability that an element is dropped.
        training: If False, *input* is returned as it is.
        inplace: Whether to write into *input*.
        train: Another name for *training*.

    Raises:
        ValueError: *p* is not between 0 and 1.

    Source:
        G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter (2017), Self-normalizing neural
        networks, NeurIPS.

    >>> import chainrule as cr
    >>> cr.alpha_dropout(cr.ones(3), 0.5, training=True).shape
    torch.Size([3])
    """
    _check("alpha_dropout", input, p)
    if not (training if train is None else train):
        return input
    return _dropped(input, p, features=False, alpha=True, inplace=inplace)


def feature_alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    train: bool | None = None,
) -> Tensor:
    """Return *input* with whole channels dropped as by `alpha_dropout`.

    Args:
        input: ``(n, c, *)``.
        p: The probability that a channel is dropped.
        training: If False, *input* is returned as it is.
        inplace: Whether to write into *input*.
        train: Another name for *training*.

    Raises:
        ValueError: *p* is not between 0 and 1.
        RuntimeError: *input* has fewer than two dimensions.

    >>> import chainrule as cr
    >>> cr.feature_alpha_dropout(cr.ones(2, 3, 4), 0.5, training=True).shape
    torch.Size([2, 3, 4])
    """
    _check("feature_alpha_dropout", input, p)
    if not (training if train is None else train):
        return input
    return _dropped(input, p, features=True, alpha=True, inplace=inplace)
