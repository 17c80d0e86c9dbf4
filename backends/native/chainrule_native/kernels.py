"""The kernels that the compiled module has, one set per C file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.backend import KernelSet

from ._levels import core

if TYPE_CHECKING:
    from collections.abc import Callable


def kernel_sets() -> list[KernelSet]:
    """Return a set for every C file: its kernels, over what would run without them."""
    sets = []
    for ops in core().families().values():
        kernels = KernelSet("native")
        for op in ops:
            kernels.over(op)(_maker(op))
        sets.append(kernels)
    return sets


def _maker(op: str) -> Callable[[Any], Any]:
    make = core().kernel

    def kernel_over(otherwise: Any) -> Any:
        return make(op, otherwise)

    return kernel_over
