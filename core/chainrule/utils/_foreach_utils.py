"""How optimizers group tensors, for libraries that take it from the inside of PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "_get_foreach_kernels_supported_devices", "_get_fused_kernels_supported_devices",
    "_group_tensors_by_device_and_dtype",
]  # fmt: skip


def _get_foreach_kernels_supported_devices() -> list[str]:
    return ["cuda"]


_get_fused_kernels_supported_devices = _get_foreach_kernels_supported_devices


def _group_tensors_by_device_and_dtype(
    tensorlistlist: Sequence[Sequence[Any]], with_indices: bool = False
) -> dict[tuple[Any, Any], tuple[list[list[Any]], list[int]]]:
    """Return lists side by side, grouped by device and dtype of the first list's tensors.

    >>> import chainrule as cr
    >>> groups = _group_tensors_by_device_and_dtype([[cr.ones(1), cr.ones(1).double()]])
    >>> [dtype for _, dtype in groups]
    [torch.float32, torch.float64]
    """
    found: dict[tuple[Any, Any], tuple[list[list[Any]], list[int]]] = {}
    for place, first in enumerate(tensorlistlist[0]):
        lists, places = found.setdefault(
            (first.device, first.dtype), ([[] for _ in tensorlistlist], [])
        )
        for group, source in zip(lists, tensorlistlist, strict=True):
            if source:
                group.append(source[place])
        if with_indices:
            places.append(place)
    return found
