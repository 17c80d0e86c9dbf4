"""Kernels of chainrule/ops/softmax.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


def along_a_dimension(xp: Any, compute: Any) -> Any:
    """Return *compute*, of an array and a dimension, as a kernel: for 0-d and empty arrays too.

    Sums of half precision are added up in single.
    """

    def kernel(x: Any, *, dim: int) -> Any:
        if x.size == 0:
            return x.copy()
        wide = x.astype(xp.float32) if x.dtype.itemsize == 2 else x
        made = compute(wide, dim) if x.ndim else compute(wide.reshape(1), 0).reshape(())
        return made.astype(x.dtype, copy=False)

    return kernel


@ks.family("cr::_softmax")
def softmax(xp: Any) -> Any:
    def compute(x: Any, dim: int) -> Any:
        e = x - xp.max(x, axis=dim, keepdims=True)
        xp.exp(e, out=e)
        e /= xp.sum(e, axis=dim, keepdims=True)
        return e

    return along_a_dimension(xp, compute)


@ks.family("cr::softmax_backward")
def softmax_backward(xp: Any) -> Any:
    def kernel(grad: Any, output: Any, *, dim: int) -> Any:
        if not output.ndim:
            return output * (grad - grad * output)
        mean = xp.sum(grad * output, axis=dim, keepdims=True)
        return output * (grad - mean)

    return kernel


@ks.family("cr::_log_softmax")
def log_softmax(xp: Any) -> Any:
    def compute(x: Any, dim: int) -> Any:
        shifted = x - xp.max(x, axis=dim, keepdims=True)
        shifted -= xp.log(xp.sum(xp.exp(shifted), axis=dim, keepdims=True))
        return shifted

    return along_a_dimension(xp, compute)


@ks.family("cr::log_softmax_backward")
def log_softmax_backward(xp: Any) -> Any:
    def kernel(grad: Any, output: Any, *, dim: int) -> Any:
        if not output.ndim:
            return grad - xp.exp(output) * grad
        return grad - xp.exp(output) * xp.sum(grad, axis=dim, keepdims=True)

    return kernel
