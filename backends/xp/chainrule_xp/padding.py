"""Kernels of chainrule/ops/padding.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .resizing import along

ks = KernelSet("xp")

Sizes = tuple[int, ...]


@ks.family("cr::_constant_pad_nd")
def constant_pad_nd(xp: Any) -> Any:
    def kernel(x: Any, *, pad: Sizes, value: Any = 0) -> Any:
        shape, source, target = list(x.shape), [slice(None)] * x.ndim, [slice(None)] * x.ndim
        for number in range(len(pad) // 2):
            before, behind = pad[2 * number : 2 * number + 2]
            dim, size = x.ndim - 1 - number, x.shape[x.ndim - 1 - number]
            shape[dim] = size + before + behind
            source[dim] = slice(max(-before, 0), size - max(-behind, 0))
            target[dim] = slice(max(before, 0), shape[dim] - max(behind, 0))
        out = xp.full(tuple(shape), value, x.dtype) if value else xp.zeros(tuple(shape), x.dtype)
        out[tuple(target)] = x[tuple(source)]
        return out

    return kernel


def _sources(xp: Any, size: int, before: int, behind: int, reflect: bool) -> Any:
    """Return which element stands at each place of the padded dimension."""
    place = xp.arange(-before, size + behind)
    if not reflect:
        return xp.clip(place, 0, size - 1)
    return size - 1 - xp.abs(size - 1 - xp.abs(place))


def _edge_pad(reflect: bool) -> Any:
    def family(xp: Any) -> Any:
        def kernel(x: Any, *, padding: Sizes) -> Any:
            for number in range(len(padding) // 2):
                before, behind = padding[2 * number : 2 * number + 2]
                if before or behind:
                    dim = x.ndim - 1 - number
                    x = xp.take(x, _sources(xp, x.shape[dim], before, behind, reflect), dim)
            return xp.array(x, order="C")

        return kernel

    return family


for _n in (1, 2, 3):
    ks.family(f"cr::_reflection_pad{_n}d")(_edge_pad(reflect=True))
    ks.family(f"cr::_replication_pad{_n}d")(_edge_pad(reflect=False))


@ks.family("cr::edge_pad_backward")
def edge_pad_backward(xp: Any) -> Any:
    def kernel(grad: Any, *, input_sizes: Sizes, padding: Sizes, reflect: bool) -> Any:
        for number in range(len(padding) // 2):
            before, behind = padding[2 * number : 2 * number + 2]
            if before or behind:
                dim = grad.ndim - 1 - number
                size = input_sizes[dim]
                sources = _sources(xp, size, before, behind, reflect)
                met = xp.arange(size)[:, None] == sources[None, :]
                grad = along(xp, grad, met.astype(grad.dtype), dim)
        return xp.array(grad, order="C")

    return kernel
