"""Keeping gradients from becoming too large."""

from __future__ import annotations

from collections.abc import Iterable
from types import GeneratorType
from typing import TYPE_CHECKING

from ... import ops
from ..._warn import warn
from ...errors import AutogradError
from ...grad_mode import no_grad
from ...ops.fused import _norms_of_, _scale_
from ...tensor import Tensor, tensor
from ...value import new_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]

#: Keeps the scale finite where the norm is zero.
_EPSILON = 1e-6


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of all elements of *tensors* together, as if they were one vector.

    Args:
        tensors: One or several, of any shapes.
        norm_type: The order p; ``inf`` is the largest absolute value.
        error_if_nonfinite: Refuse a norm that is infinite or not a number.
        foreach: Taken for PyTorch's sake.

    Returns:
        ``()``, on the device of the first tensor.

    Raises:
        RuntimeError: the norm is not finite and *error_if_nonfinite* is set.

    >>> import chainrule as cr
    >>> get_total_norm([cr.tensor([3.0]), cr.tensor([4.0])])
    tensor(5.)
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return tensor(0.0)
    if _are_alike(tensors):
        norms: Tensor = new_value(_norms_of_(tensors, ord=norm_type), tensors[0]._key)
    else:
        device = tensors[0].device
        norms = ops.stack([ops.vector_norm(t, norm_type).to(device) for t in tensors])
    total = ops.vector_norm(norms, norm_type)
    if error_if_nonfinite and not ops.isfinite(total).item():
        msg = (
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, "
            "so it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
        raise AutogradError(msg)
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale all gradients in place, so that their norm, *total_norm*, becomes *max_norm* at most.

    Args:
        parameters: Whose gradients.
        max_norm: The norm allowed.
        total_norm: The norm that they have.
        foreach: Taken for PyTorch's sake.
    """
    grads = list(_grads_of(parameters))
    if not grads:
        return
    scale = ops.clamp(float(max_norm) / (total_norm + _EPSILON), max=1.0)
    if _are_alike([*grads, scale]):
        _scale_(grads, [scale])
        return
    for grad in grads:
        grad.mul_(scale.to(grad.device))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of all gradients together, after scaling them in place to *max_norm* at most.

    Args:
        parameters: Whose gradients; those without one are left out.
        max_norm: The norm allowed.
        norm_type: The order of the norm.
        error_if_nonfinite: Refuse a norm that is infinite or not a number.
        foreach: Taken for PyTorch's sake.

    Returns:
        ``()``, the norm before scaling.

    Raises:
        RuntimeError: the norm is not finite and *error_if_nonfinite* is set.

    >>> import chainrule as cr
    >>> w = cr.zeros(2, requires_grad=True)
    >>> w.grad = cr.tensor([3.0, 4.0])
    >>> clip_grad_norm_(w, max_norm=1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    if not isinstance(parameters, Tensor):
        spent = isinstance(parameters, GeneratorType)
        parameters = list(parameters)
        if spent and not parameters:
            warn(
                "`parameters` is an empty generator, no gradient clipping will occur.",
                stacklevel=2,
            )
    total_norm = get_total_norm(_grads_of(parameters), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total_norm, foreach)
    return total_norm


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Call `clip_grad_norm_`, whose old name this is, with a warning."""
    warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Limit every element of every gradient, in place, to ``[-clip_value, clip_value]``.

    >>> import chainrule as cr
    >>> w = cr.zeros(2, requires_grad=True)
    >>> w.grad = cr.tensor([-3.0, 0.5])
    >>> clip_grad_value_(w, 1.0)
    >>> w.grad
    tensor([-1.0000,  0.5000])
    """
    clip_value = float(clip_value)
    for grad in _grads_of(parameters):
        grad.clamp_(min=-clip_value, max=clip_value)


def _grads_of(parameters: Tensor | Iterable[Tensor]) -> Iterator[Tensor]:
    """Yield the gradients that are there."""
    for parameter in [parameters] if isinstance(parameters, Tensor) else parameters:
        if parameter.grad is not None:
            yield parameter.grad


def _are_alike(tensors: Sequence[Tensor]) -> bool:
    """Return whether one call can take all: plain real tensors of one key, and no views.

    Not in a function transform, whose tensors stand for others.
    """
    key = tensors[0]._key
    plain = key.dtype.is_floating_point and not key.backend.level
    return plain and all(type(t) is Tensor and t._key is key and t._base is None for t in tensors)
