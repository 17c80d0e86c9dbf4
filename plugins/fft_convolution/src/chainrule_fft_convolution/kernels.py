"""Forward and backward over NumPy's arrays, with less work than the bodies do.

Forward cuts a signal that is much longer than its filter into blocks, transforms those and adds
where they overlap: N log K steps, and not N log N. Backward transforms the cotangent once for
both gradients, and sums over what was broadcast before it transforms back.
Sources: Stockham, "High-speed convolution and correlation", 1966 (the blocks); the convolution
theorem.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.plugin import KernelSet

from .sizes import check_dtypes, fast_size, plan

ks = KernelSet("numpy")

#: From which ratio of input to kernel on blocks pay.
LONG = 16


@ks.forward("signal_fft::fft_convolve")
def convolve(input: Any, kernel: Any, dims: int = 1, mode: str = "full") -> Any:
    """Return the convolution, the kernel of `FFTConvolve`."""
    sizes = plan(input.shape, kernel.shape, dims, mode)
    check_dtypes(input.dtype.name, kernel.dtype.name)
    if dims == 1 and input.shape[-1] >= LONG * kernel.shape[-1]:
        whole = in_blocks(input, kernel, sizes.full[0])
    else:
        transform = Transform(input.dtype, sizes.full)
        whole = transform.inverse(transform(input) * transform(kernel))
    return np.ascontiguousarray(whole[sizes.window], input.dtype)


@ks.backward("signal_fft::fft_convolve")
def convolve_backward(
    grad: Any, input: Any, kernel: Any, dims: int = 1, mode: str = "full"
) -> tuple[Any, Any]:
    """Return both gradients: correlations of the cotangent, from three transforms."""
    sizes = plan(input.shape, kernel.shape, dims, mode)
    margins = [(0, 0)] * (grad.ndim - dims) + sizes.margins
    transform = Transform(input.dtype, sizes.full)
    spectrum = transform(np.pad(grad, margins))
    return (
        _gradient(transform, spectrum, kernel, input, dims),
        _gradient(transform, spectrum, input, kernel, dims),
    )


def in_blocks(input: Any, kernel: Any, count: int) -> Any:
    """Return the full convolution, *count* elements along the last dimension, block by block."""
    overlap = kernel.shape[-1] - 1
    points = fast_size(8 * (overlap + 1))
    length = points - overlap
    blocks = -(-count // length)
    missing = blocks * length - input.shape[-1]
    padded = np.pad(input, [(0, 0)] * (input.ndim - 1) + [(0, missing)])
    cut = padded.reshape(*input.shape[:-1], blocks, length)
    transform = Transform(input.dtype, (points,))
    parts = transform.inverse(transform(cut) * transform(kernel)[..., None, :])[..., :points]
    sums = parts[..., :length].copy()
    sums[..., 1:, :overlap] += parts[..., :-1, length:]
    return sums.reshape(*sums.shape[:-2], blocks * length)[..., :count]


class Transform:
    """The Fourier transform of at least *counts* points, for real or complex arrays of *dtype*."""

    def __init__(self, dtype: Any, counts: tuple[int, ...]) -> None:
        self._points = tuple(map(fast_size, counts))
        self._axes = tuple(range(-len(counts), 0))
        is_complex = dtype.kind == "c"
        self._to = np.fft.fftn if is_complex else np.fft.rfftn
        self._back = np.fft.ifftn if is_complex else np.fft.irfftn

    def __call__(self, x: Any) -> Any:
        """Return the transform of *x*."""
        return self._to(x, self._points, self._axes)

    def inverse(self, spectrum: Any) -> Any:
        """Return the array whose transform is *spectrum*."""
        return self._back(spectrum, self._points, self._axes)


def _gradient(transform: Transform, spectrum: Any, other: Any, like: Any, dims: int) -> Any:
    """Return the correlation of the cotangent with *other*, of the shape and dtype of *like*."""
    product = spectrum * np.conj(transform(other))
    added = product.ndim - like.ndim
    product = product.sum(tuple(range(added)))
    batch = like.shape[: like.ndim - dims]
    spread = tuple(
        axis for axis, size in enumerate(batch) if size == 1 and product.shape[axis] != 1
    )
    found = transform.inverse(product.sum(spread, keepdims=True))
    part = (..., *(slice(size) for size in like.shape[like.ndim - dims :]))
    return np.ascontiguousarray(found[part], like.dtype)
