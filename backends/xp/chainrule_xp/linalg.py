"""Kernels of chainrule/ops/linalg.py and of what is made of it."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::mm")
def mm(xp: Any) -> Any:
    return xp.matmul


@ks.family("cr::_mm_with_transpose")
def mm_with_transpose(xp: Any) -> Any:
    return xp.matmul


@ks.family("cr::bmm")
def bmm(xp: Any) -> Any:
    return xp.matmul


@ks.family("cr::mv")
def mv(xp: Any) -> Any:
    return xp.matmul


@ks.family("cr::dot")
def dot(xp: Any) -> Any:
    return xp.dot


@ks.family("cr::vdot")
def vdot(xp: Any) -> Any:
    return xp.vdot


@ks.family("cr::_times_adjoint")
def times_adjoint(xp: Any) -> Any:
    def kernel(x: Any, y: Any) -> Any:
        return xp.matmul(x, conjugated(y.swapaxes(-2, -1)))

    return kernel


@ks.family("cr::_adjoint_times")
def adjoint_times(xp: Any) -> Any:
    def kernel(x: Any, y: Any, *, by_columns: bool = False) -> Any:
        if by_columns:
            return xp.matmul(y.swapaxes(-2, -1), conjugated(x)).swapaxes(-2, -1)
        return xp.matmul(conjugated(x.swapaxes(-2, -1)), y)

    return kernel


def conjugated(x: Any) -> Any:
    """Return the conjugate; a real array as it is, where the library would make a copy."""
    return x.conj() if x.dtype.kind == "c" else x


def plus_product(product: Any, x: Any, beta: Any, alpha: Any) -> Any:
    """Return ``beta * x + alpha * product``, which is written over the array *product*."""
    if alpha != 1:
        product *= product.dtype.type(alpha)
    if beta == 1:
        product += x
    elif beta != 0:
        product += product.dtype.type(beta) * x
    return product


@ks.family("cr::addmm")
def addmm(xp: Any) -> Any:
    def kernel(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
        return plus_product(xp.matmul(a, b), x, beta, alpha)

    return kernel


ks.family("cr::_addmm_with_transpose")(addmm)
ks.family("cr::addmv")(addmm)
ks.family("cr::baddbmm")(addmm)


@ks.family("cr::addbmm")
def addbmm(xp: Any) -> Any:
    def kernel(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
        (count, n, k), m = a.shape, b.shape[2]
        # The sum over the batch is one product of matrices, the batch joining the inner dimension.
        product = xp.matmul(a.swapaxes(0, 1).reshape(n, count * k), b.reshape(count * k, m))
        return plus_product(product, x, beta, alpha)

    return kernel


@ks.family("cr::addr")
def addr(xp: Any) -> Any:
    def kernel(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
        return plus_product(xp.multiply(a[:, None], b), x, beta, alpha)

    return kernel


@ks.family("cr::linalg_cross")
def linalg_cross(xp: Any) -> Any:
    after, before = [1, 2, 0], [2, 0, 1]

    def kernel(x: Any, y: Any, *, dim: int = -1) -> Any:
        product = xp.take(x, after, axis=dim) * xp.take(y, before, axis=dim)
        product -= xp.take(x, before, axis=dim) * xp.take(y, after, axis=dim)
        return product

    return kernel


@ks.family("cr::trace")
def trace(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        if x.dtype.kind in "iu":
            return xp.trace(x, dtype="int64")
        return xp.sum(xp.diagonal(x))  # summed pairwise, in float32 for 16 bits

    return kernel


@ks.family("cr::on_diagonal")
def on_diagonal(xp: Any) -> Any:
    def kernel(x: Any, *, shape: tuple[int, int]) -> Any:
        made = xp.zeros(shape, x.dtype)
        made.reshape(-1)[: shape[1] * min(shape) : shape[1] + 1] = x
        return made

    return kernel


@ks.family("cr::_squeezed")
def squeezed(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int) -> Any:
        return x.squeeze(dim)

    return kernel
