"""Logarithms of summed exponentials, of all and running, without overflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import ArgumentError
from ..op import composite, primitive
from ..typeinfo import finfo
from .complex import conj
from .cumulative import running_dim
from .reductions import keep_reduced, reduced_dims, reduced_shape, sum
from .shape import reshape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["logcumsumexp", "logsumexp"]


@composite(promote="float", nodes={"": "LogsumexpBackward0"})
def _logsumexp(self: Tensor, dim: tuple[int, ...] = (), keepdim: bool = False) -> Tensor:
    """Return the log of the sum over *dim* of exp."""
    if not self.numel():
        return sum(self.exp(), dim, keepdim).log()
    peak = ops.amax(ops.real(self), dim, True)
    peak = ops.where(peak.abs() == float("inf"), 0, peak)  # ∞ - ∞ would be NaN
    shifted = sum((self - peak).exp(), dim, True).log() + peak
    return shifted if keepdim else reshape(shifted, reduced_shape(self._array.shape, dim))


_logsumexp.vjp(
    self=lambda grad, self, self_shape, result, dim, keepdim: (
        keep_reduced(grad, self_shape, dim, keepdim)
        * conj((self - keep_reduced(result, self_shape, dim, keepdim)).exp())
    )
)


@composite
def logsumexp(self: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    """Return the logarithm of the summed exponentials over *dim*, without overflow.

    Args:
        self: ``(*, N)``, any dtype; integers give the default floating dtype.
        dim: The dimension or dimensions to reduce.
        keepdim: Keep the reduced dimensions with size 1.

    Returns:
        ``(*)``; -∞ over no elements.

    Raises:
        IndexError: *dim* is out of range.

    Gradient:
        ``grad * conj(exp(self - result))``, the softmax; NaN where the result is infinite.

    Source:
        The largest element is taken out of the sum first: P. Blanchard, D. J. Higham and
        N. J. Higham (2021), Accurately computing the log-sum-exp and softmax functions.

    >>> import chainrule as cr
    >>> cr.logsumexp(cr.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    if dim is None:
        msg = "logsumexp(): argument 'dim' (position 2) must be tuple of ints, not NoneType"
        raise ArgumentError(msg)
    return _logsumexp(self, reduced_dims("logsumexp", dim, len(self._array.shape)), keepdim)


@primitive(
    dtype="same",
    nodes={"": "LogcumsumexpBackward0"},
    refuses=dict.fromkeys(("bool", "integer"), "logcumsumexp_out_cpu"),
)
def _logcumsumexp(self: Tensor, dim: int) -> Tensor:
    """Return the log of the running sum of exp along *dim*."""


def _logcumsumexp_rule(grad: Tensor, self: Tensor, result: Tensor, dim: int) -> Any:
    """Return exp(self) times the reversed running sum of grad * exp(-result), by logarithms.

    The logarithm takes the positive and the negative part of a real *grad* apart.
    """
    if self.numel() <= 1:
        return grad
    if grad.is_complex():
        run = (conj(grad).log() - result).flip(dim).logcumsumexp(dim).flip(dim)
        return conj((run + self).exp())
    nothing = finfo(grad.dtype).min  # instead of log(0) = -∞: no ∞ - ∞ comes of it

    def part(positive: Tensor, size: Tensor) -> Any:
        log = ops.where(positive, ops.where(positive, size, 1).log(), nothing)
        run = (log - result).flip(dim).logcumsumexp(dim).flip(dim)
        return (run + self).exp()

    return part(grad > 0, grad) - part(grad < 0, -grad)


_logcumsumexp.vjp(self=_logcumsumexp_rule)


@composite
def logcumsumexp(self: Tensor, dim: int) -> Tensor:
    """Return the logarithm of the running sum of exponentials along *dim*, without overflow.

    Args:
        self: ``(*)``, floating or complex.
        dim: The dimension to run along.

    Returns:
        ``(*)``, dtype of *self*.

    Raises:
        IndexError: *dim* is out of range.
        NotImplementedError: *self* is of integers or bool.

    Gradient:
        ``conj(exp(self))`` times the running sum of ``grad * conj(exp(-result))`` from the other
        end.

    >>> import chainrule as cr
    >>> cr.logcumsumexp(cr.tensor([0.0, 0.0, 0.0]), dim=0)
    tensor([0.0000, 0.6931, 1.0986])
    """
    return _logcumsumexp(self, running_dim("logcumsumexp", dim, self))
