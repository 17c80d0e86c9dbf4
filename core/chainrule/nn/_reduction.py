"""How the losses of many elements become one number."""

from __future__ import annotations

from .._warn import warn

__all__ = ["from_flags"]


def from_flags(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Return *reduction*, or what the two older arguments say where one is given."""
    if size_average is None and reduce is None:
        return reduction
    summed = "sum" if size_average is False else "mean"
    chosen = "none" if reduce is False else summed
    warn(
        "size_average and reduce args will be deprecated, please use "
        f"reduction='{chosen}' instead.",
        stacklevel=3,
    )
    return chosen
