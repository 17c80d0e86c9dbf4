"""Kernels of the random ops: they ask a stream of chainrule_xp.streams for numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.backend import KernelSet

if TYPE_CHECKING:
    from collections.abc import Callable

ks = KernelSet("xp")


def in_memory_order(x: Any, draw: Callable[[tuple[int, ...]], Any]) -> Any:
    """Return numbers for the elements of *x*, drawn in the order in which these lie in memory."""
    if x.flags.c_contiguous:
        return draw(x.shape)
    order = sorted(range(x.ndim), key=lambda dim: -x.strides[dim])
    drawn = draw(tuple(x.shape[dim] for dim in order))
    return drawn.transpose(sorted(range(x.ndim), key=order.__getitem__))


def _draws(method: str, *names: str) -> Callable[[Any], Any]:
    """Return the family of kernels that call *method* of the stream with the arguments *names*."""

    def family(xp: Any) -> Any:
        def kernel(x: Any, *, stream: Any, **arguments: Any) -> Any:
            chosen = [arguments[name] for name in names]
            return in_memory_order(
                x, lambda shape: getattr(stream, method)(shape, x.dtype.name, *chosen)
            )

        return kernel

    return family


ks.family("cr::uniform")(_draws("uniform", "low", "high"))
ks.family("cr::normal")(_draws("normal", "mean", "std"))
ks.family("cr::exponential")(_draws("exponential", "lambd"))
ks.family("cr::geometric")(_draws("geometric", "p"))
ks.family("cr::cauchy")(_draws("cauchy", "median", "sigma"))
ks.family("cr::log_normal")(_draws("log_normal", "mean", "std"))


@ks.family("cr::random")
def random(xp: Any) -> Any:
    def kernel(x: Any, *, low: int | None, high: int | None, stream: Any) -> Any:
        def draw(shape: tuple[int, ...]) -> Any:
            if high is None:
                return stream.random_full(shape, x.dtype.name)
            return stream.integers(shape, x.dtype.name, low or 0, high)

        return in_memory_order(x, draw)

    return kernel


@ks.family("cr::bernoulli")
def bernoulli(xp: Any) -> Any:
    def kernel(x: Any, p: Any, *, stream: Any) -> Any:
        if isinstance(p, (int, float)):
            return in_memory_order(x, lambda shape: stream.bernoulli(shape, x.dtype.name, p))
        if x.flags.c_contiguous:
            return stream.bernoulli(x.shape, x.dtype.name, p)
        order = sorted(range(x.ndim), key=lambda dim: -x.strides[dim])
        p = xp.broadcast_to(p, x.shape).transpose(order)
        drawn = stream.bernoulli(p.shape, x.dtype.name, p)
        return drawn.transpose(sorted(range(x.ndim), key=order.__getitem__))

    return kernel


@ks.family("cr::_bernoulli_like")
def bernoulli_like(xp: Any) -> Any:
    def kernel(x: Any, *, p: float, stream: Any) -> Any:
        return stream.bernoulli(x.shape, x.dtype.name, p)

    return kernel


@ks.family("cr::_all_probable")
def all_probable(xp: Any) -> Any:
    def kernel(p: Any) -> Any:
        return xp.all((p >= 0) & (p <= 1))

    return kernel


@ks.family("cr::_all_from_zero_on")
def all_from_zero_on(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return xp.all(x >= 0)

    return kernel


@ks.family("cr::_bernoulli_of")
def bernoulli_of(xp: Any) -> Any:
    def kernel(p: Any, *, stream: Any) -> Any:
        return stream.bernoulli(p.shape, p.dtype.name, p)

    return kernel


@ks.family("cr::_normal_of")
def normal_of(xp: Any) -> Any:
    def kernel(mean: Any, std: Any, *, stream: Any) -> Any:
        dtype = (std if isinstance(mean, (int, float)) else mean).dtype
        shape = xp.broadcast_shapes(xp.shape(mean), xp.shape(std))
        if isinstance(std, (int, float)):
            return stream.normal(shape, dtype.name, 0.0, std) + mean
        drawn = stream.normal(shape, dtype.name)
        drawn *= std
        drawn += mean
        return drawn

    return kernel


@ks.family("cr::_multinomial")
def multinomial(xp: Any) -> Any:
    def kernel(p: Any, *, num_samples: int, replacement: bool, stream: Any) -> Any:
        return stream.multinomial(p, num_samples, replacement)

    return kernel


@ks.family("cr::_all_weights")
def all_weights(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return xp.all((x >= 0) & (x < xp.inf))

    return kernel


@ks.family("cr::_every_row_has_weight")
def every_row_has_weight(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return xp.all(xp.sum(x, axis=-1) > 0)

    return kernel


@ks.family("cr::_dropout_noise")
def dropout_noise(xp: Any) -> Any:
    def kernel(x: Any, *, p: float, stream: Any, size: Any = None, scaled: bool = True) -> Any:
        number = xp.float32 if x.itemsize == 2 else x.dtype.type  # 16 bits are rounded once
        scale = number(1) / number(1 - p)

        def draw(shape: tuple[int, ...]) -> Any:
            kept = stream.bernoulli(shape, x.dtype.name, 1 - p)
            if scaled:
                kept *= scale
            return kept

        return in_memory_order(x, draw) if size is None else draw(size)

    return kernel
