"""`make_tensor`: a tensor with random values between two bounds."""

from __future__ import annotations

import math
from typing import Any, Final

from .. import dtypes, ops
from ..errors import ArgumentError
from ..typeinfo import finfo, iinfo

__all__ = ["make_tensor"]

_BOUNDS: Final = {dtypes.BOOL: (0, 2), dtypes.INTEGER: (-9, 10)}


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any = "cpu",
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Any:
    """Return a tensor with values drawn evenly from *low* up to, and without, *high*.

    Args:
        shape: The sizes, one by one or as a sequence.
        dtype: Of the result.
        device: Likewise.
        low: By default 0 for bools, -9 for integers (0 for unsigned ones), -9 for others.
        high: By default 2 for bools, 10 for integers, 9 for others.
        requires_grad: Of the result.
        noncontiguous: Whether the elements lie apart in memory.
        exclude_zero: Whether zeros are replaced by the least positive number, or one.
        memory_format: Taken and ignored.

    Raises:
        ValueError: *low* is not below *high*, or integers should require grad.

    >>> import chainrule as cr
    >>> make_tensor(2, 3, dtype=cr.float32, low=0, high=1).shape
    torch.Size([2, 3])
    """
    size = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    if requires_grad and dtype.category < dtypes.FLOATING:
        raise ValueError(
            "`requires_grad=True` is not supported for boolean and integral dtypes, but got "
            f"{dtype=}"
        )
    low, high = _bounds(dtype, low, high)
    sizes = (
        [*size[:-1], 2 * size[-1]] if noncontiguous and len(size) and size[-1] > 1 else list(size)
    )
    made = _drawn(sizes, dtype, device, low, high)
    if len(sizes) and tuple(sizes) != tuple(size):
        made = made[..., ::2]
    if exclude_zero:
        least = 1 if dtype.category <= dtypes.INTEGER else finfo(dtype).tiny
        made[made == 0] = least
    return made.requires_grad_() if requires_grad else made


def _bounds(dtype: Any, low: Any, high: Any) -> tuple[Any, Any]:
    least, most = _BOUNDS.get(dtype.category, (-9, 9))
    if dtype.category == dtypes.INTEGER and not dtype.is_signed:
        least = 0
    low, high = least if low is None else low, most if high is None else high
    if any(isinstance(bound, float) and math.isnan(bound) for bound in (low, high)):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low > high or (low == high and dtype.category <= dtypes.INTEGER):
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    if dtype.category == dtypes.INTEGER:
        info = iinfo(dtype)
        return max(math.ceil(low), info.min), min(math.ceil(high), info.max + 1)
    return low, high


def _drawn(size: list[int], dtype: Any, device: Any, low: Any, high: Any) -> Any:
    if dtype.category <= dtypes.INTEGER:
        return ops.randint(int(low), int(high), size, dtype=dtypes.int64, device=device).to(dtype)
    if dtype.category == dtypes.FLOATING:
        return (
            ops.rand(size, dtype=dtypes.float64, device=device).mul_(high - low).add_(low).to(dtype)
        )
    if dtype.category == dtypes.COMPLEX:
        parts = ops.rand([*size, 2], dtype=dtypes.float64, device=device).mul_(high - low).add_(low)
        return ops.view_as_complex(parts).to(dtype)
    raise ArgumentError(f"make_tensor: expected a dtype, got {dtype!r}.")
