"""The convolution and its gradient, from their definitions, in tensor operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.autograd import Function
from chainrule.ops import cat, zeros_like
from chainrule.plugin import composite

if TYPE_CHECKING:
    from chainrule import Tensor


def windows(x: Any, length: int) -> Any:
    """Return the stretches of *length* ``(*, N - length + 1, length)``."""
    return x.unfold(-1, length, 1)


class FFTConvolve(Function):
    """Return the full convolution of *signal* with *taps* along the last dimension.

    Args:
        signal: ``(*, N)``, floating or complex, N at least 1.
        taps: ``(K)``, of the same dtype, K at least 1.

    Returns:
        ``(*, N + K - 1)``: element n is the sum of ``signal[n - k] * taps[k]``.

    Gradient:
        Correlations of the cotangent, with the taps and with the signal.
    """

    @staticmethod
    def forward(signal: Tensor, taps: Tensor) -> Tensor:
        """Convolve by the definition; backends with a kernel do it by Fourier transforms."""
        margin = zeros_like(signal[..., :1]).expand(*signal.shape[:-1], len(taps) - 1)
        padded = cat([margin, signal, margin], -1)
        result: Tensor = windows(padded, len(taps)) @ taps.flip(0)
        return result

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save both inputs."""
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Pull the cotangent back by an op that has a kernel of its own."""
        return fftconvolve_backward(grad, *ctx.saved_tensors)


@composite(namespace="signal", outputs=("grad_signal", "grad_taps"))
def fftconvolve_backward(grad: Tensor, signal: Tensor, taps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of `fftconvolve` in signal and taps, for the cotangent *grad*."""
    grad_signal = windows(grad, len(taps)) @ taps.conj()
    products = windows(grad, signal.shape[-1]) * signal.conj().unsqueeze(-2)
    grad_taps = products.sum(-1).reshape(-1, len(taps)).sum(0)
    return grad_signal, grad_taps
