"""Kernels of chainrule/ops/rearranging.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::_repeat")
def repeat(xp: Any) -> Any:
    def kernel(x: Any, *, repeats: Any) -> Any:  # one copy alone would lie as x does
        return xp.ascontiguousarray(xp.tile(x, repeats)) if repeats else xp.array(x)

    return kernel


@ks.family("cr::_repeat_places")
def repeat_places(xp: Any) -> Any:
    def kernel(repeats: Any) -> Any:
        return xp.repeat(xp.arange(repeats.shape[0]), repeats)

    return kernel


@ks.family("cr::_flip")
def flip(xp: Any) -> Any:
    def kernel(x: Any, *, dims: tuple[int, ...]) -> Any:
        # A copy: tensors have no negative strides.
        return xp.array(xp.flip(x, dims) if x.ndim else x, order="C")

    return kernel


@ks.family("cr::_roll")
def roll(xp: Any) -> Any:
    def kernel(x: Any, *, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Any:
        if dims:
            return xp.roll(x, shifts, dims)
        return xp.roll(x, shifts[0])

    return kernel


@ks.family("cr::_rot90")
def rot90(xp: Any) -> Any:
    def kernel(x: Any, *, k: int, dims: tuple[int, ...]) -> Any:
        turns = k % 4
        turned = {0: (), 1: (dims[1],), 2: dims, 3: (dims[0],)}[turns]
        copied = xp.array(xp.flip(x, turned) if turned else x, order="C")
        return copied.swapaxes(*dims) if turns % 2 else copied

    return kernel
