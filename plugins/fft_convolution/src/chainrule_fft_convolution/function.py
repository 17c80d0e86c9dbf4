"""The convolution as a custom Function, and its gradient, in tensor operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import chainrule as cr
from chainrule.autograd import Function
from chainrule.plugin import composite

from .sizes import check_dtypes, fast_size, plan

if TYPE_CHECKING:
    from chainrule import Tensor

_DEFAULTS = (1, "full")


class FFTConvolve(Function):
    """Return the convolution of *input* with *kernel* along their last *dims* dimensions.

    Args:
        input: ``(*, N)``, or ``(*, H, W)`` for two dimensions; float32, float64, or complex.
        kernel: ``(*, K)`` or ``(*, I, J)`` of the same dtype; leading dimensions broadcast.
        dims: Along how many dimensions: 1 or 2.
        mode: ``"full"`` for all of it, N + K - 1 elements; ``"same"`` for the N in the middle;
            ``"valid"`` for the N - K + 1 where the kernel lies inside the input.

    Returns:
        In one dimension, with mode ``"full"``: element n is the sum of ``input[n - k] *
        kernel[k]`` over k.

    Raises:
        RuntimeError: dtypes differ, a size is zero, or a kernel does not fit (mode ``"valid"``).

    Gradient:
        In each operand, the cotangent convolved with the other, reversed and conjugated, of which
        the valid part is kept.

    Source:
        The convolution theorem; Cooley and Tukey, "An algorithm for the machine calculation of
        complex Fourier series", 1965.

    >>> signal, taps = cr.tensor([1.0, 2.0, 3.0]), cr.tensor([1.0, 10.0])
    >>> [round(number) for number in FFTConvolve.apply(signal, taps).tolist()]
    [1, 12, 23, 30]
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(input: Tensor, kernel: Tensor, dims: int = 1, mode: str = "full") -> Tensor:
        """Multiply the transforms; a backend's own kernel runs in place of this."""
        sizes = plan(input.shape, kernel.shape, dims, mode)
        check_dtypes(_name(input), _name(kernel))
        axes, points = tuple(range(-dims, 0)), tuple(map(fast_size, sizes.full))
        to, back = (cr.fft.fftn, cr.fft.ifftn)
        if not input.is_complex():
            to, back = cr.fft.rfftn, cr.fft.irfftn
        spectrum = to(input, s=points, dim=axes) * to(kernel, s=points, dim=axes)
        whole: Tensor = back(spectrum, s=points, dim=axes)
        return whole[sizes.window].contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save both operands, and how they were convolved."""
        operands, given = inputs[:2], inputs[2:]
        ctx.save_for_backward(*operands)
        ctx.save_for_forward(*operands)
        ctx.options = (*given, *_DEFAULTS[len(given) :])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        """Pull the cotangent back: one convolution, or both by the op that shares transforms."""
        (input, kernel), (to_input, to_kernel) = ctx.saved_tensors, ctx.needs_input_grad[:2]
        if to_input and to_kernel:
            return *fft_convolve_backward(grad, input, kernel, *ctx.options), None, None
        whole = _uncropped(grad, input, kernel, *ctx.options)
        grad_input = _correlate(whole, kernel, input, ctx.options[0]) if to_input else None
        grad_kernel = _correlate(whole, input, kernel, ctx.options[0]) if to_kernel else None
        return grad_input, grad_kernel, None, None

    @staticmethod
    def jvp(ctx: Any, d_input: Any, d_kernel: Any, *_: Any) -> Any:
        """Push tangents forward: a convolution is linear in either operand."""
        input, kernel = ctx.saved_tensors
        parts = []
        if d_input is not None:
            parts.append(FFTConvolve.apply(d_input, kernel, *ctx.options))
        if d_kernel is not None:
            parts.append(FFTConvolve.apply(input, d_kernel, *ctx.options))
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]


@composite(namespace="signal_fft", outputs=("grad_input", "grad_kernel"))
def fft_convolve_backward(
    grad: Tensor, input: Tensor, kernel: Tensor, dims: int = 1, mode: str = "full"
) -> tuple[Tensor, Tensor]:
    """Return the gradients of `fft_convolve` in input and kernel, for the cotangent *grad*."""
    whole = _uncropped(grad, input, kernel, dims, mode)
    return _correlate(whole, kernel, input, dims), _correlate(whole, input, kernel, dims)


def _uncropped(grad: Tensor, input: Tensor, kernel: Tensor, dims: int, mode: str) -> Any:
    """Return *grad* with zeros where the mode cut the convolution off."""
    margins = plan(input.shape, kernel.shape, dims, mode).margins
    if not any(map(any, margins)):
        return grad
    return cr.nn.functional.pad(grad, [count for pair in reversed(margins) for count in pair])


def _correlate(whole: Any, other: Tensor, like: Tensor, dims: int) -> Any:
    """Return the gradient in the operand *like*, summed over what was broadcast."""
    partner = other.flip(tuple(range(-dims, 0))).conj()
    return FFTConvolve.apply(whole, partner, dims, "valid").sum_to_size(like.shape)


def _name(x: Any) -> str:
    return str(x.dtype).removeprefix("torch.")
