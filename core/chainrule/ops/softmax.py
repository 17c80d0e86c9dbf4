"""Softmax and its kin: exponentials that are scaled to sum to one."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ..dtypes import FLOATING
from ..naming import numpy_names
from ..op import composite
from ..shapes import wrap_dim
from ._operands import into, refusal
from .exponential import exp, log
from .extrema import amax
from .pointwise import neg
from .reductions import sum

if TYPE_CHECKING:
    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = ["log_softmax", "softmax", "softmin"]


def _shifted(self: Tensor, dim: int) -> Tensor:
    """Return *self* less its maximum along *dim*, so that no exponential overflows."""
    if 0 in self._array.shape:
        return self  # nothing has no maximum
    return self - amax(self, dim, keepdim=True)  # type: ignore[no-any-return]  # an op's result


@composite(dtype="same")
def _softmax(self: Tensor, dim: int) -> Tensor:
    """Return `softmax` in the dtype of *self*."""
    e = exp(_shifted(self, dim))
    return e / sum(e, dim, keepdim=True)  # type: ignore[no-any-return]  # an op's result


@composite(dtype="same", nodes={"": "SoftmaxBackwardDataBackward0"})
def softmax_backward(grad_output: Tensor, output: Tensor, dim: int) -> Tensor:
    """Return the gradient of `softmax` for that of its *output*."""
    return output * (grad_output - sum(grad_output * output, dim, keepdim=True))  # type: ignore[no-any-return]  # an op's result


def _weights_gradient(grad: Tensor, grad_output: Tensor, output: Tensor, dim: int) -> Any:
    mean = sum(grad_output * output, dim, keepdim=True)
    return grad * (grad_output - mean) - grad_output * sum(grad * output, dim, keepdim=True)


_softmax.vjp(self=lambda grad, result, dim: softmax_backward(grad, result, dim))
softmax_backward.vjp(
    grad_output=lambda grad, output, dim: softmax_backward(grad, output, dim),
    output=_weights_gradient,
)


@numpy_names
def softmax(
    input: Tensor, dim: int, dtype: DType | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Return the exponentials of *input*, scaled along *dim* to sum to one.

    Args:
        input: ``(*, N, *)``, floating.
        dim: The dimension of size N.
        dtype: Convert to it first.
        out: Where to write the result.

    Returns:
        ``(*, N, *)``, values between 0 and 1.

    Raises:
        IndexError: *dim* is out of range.
        RuntimeError: *input* is not floating.

    Gradient:
        ``result * (grad - sum(grad * result, dim))``.

    >>> import chainrule as cr
    >>> cr.softmax(cr.tensor([0.0, 0.0, 1000.0]), dim=0)
    tensor([0., 0., 1.])
    """
    return _run(_softmax, input, dim, dtype, out)


@composite(dtype="same")
def _log_softmax(self: Tensor, dim: int) -> Tensor:
    """Return `log_softmax` in the dtype of *self*."""
    shifted = _shifted(self, dim)
    return shifted - log(sum(exp(shifted), dim, keepdim=True))  # type: ignore[no-any-return]  # an op's result


@composite(dtype="same", nodes={"": "LogSoftmaxBackwardDataBackward0"})
def log_softmax_backward(grad_output: Tensor, output: Tensor, dim: int) -> Tensor:
    """Return the gradient of `log_softmax` for that of its *output*."""
    return grad_output - exp(output) * sum(grad_output, dim, keepdim=True)  # type: ignore[no-any-return]  # an op's result


_log_softmax.vjp(self=lambda grad, result, dim: log_softmax_backward(grad, result, dim))
log_softmax_backward.vjp(
    grad_output=lambda grad, output, dim: grad - sum(grad * exp(output), dim, keepdim=True),
    output=lambda grad, grad_output, output, dim: (
        -grad * exp(output) * sum(grad_output, dim, keepdim=True)
    ),
)


@numpy_names
def log_softmax(
    input: Tensor, dim: int, dtype: DType | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Return the logarithm of `softmax`, without computing what may round to 0.

    Args:
        input: ``(*, N, *)``, floating.
        dim: The dimension of size N.
        dtype: Convert to it first.
        out: Where to write the result.

    Raises:
        IndexError: *dim* is out of range.
        RuntimeError: *input* is not floating.

    Gradient:
        ``grad - exp(result) * sum(grad, dim)``.

    >>> import chainrule as cr
    >>> cr.log_softmax(cr.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    return _run(_log_softmax, input, dim, dtype, out)


def softmin(
    input: Tensor, dim: int, dtype: DType | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Return `softmax` of ``-input``.

    >>> import chainrule as cr
    >>> cr.ops.softmin(cr.tensor([0.0, 1000.0]), dim=0)
    tensor([1., 0.])
    """
    return _run(_softmax, neg(input), dim, dtype, out)


def _run(op: Any, input: Tensor, dim: int, dtype: DType | None, out: Tensor | None) -> Tensor:
    if dtype is not None and dtype is not input._key.dtype:
        input = input.to(dtype)
    shape = input._array.shape
    place = wrap_dim(dim, len(shape))
    if input._key.category != FLOATING and prod(shape):
        last = "_lastdim" if place == max(len(shape) - 1, 0) else ""
        raise refusal(
            op.__name__.strip("_"), f"{op.__name__[1:]}{last}_kernel_impl", input._key.dtype
        )
    return into(out, op, input, dim)  # type: ignore[no-any-return]  # an op's result
