"""Older names of `chainrule.amp` for CUDA devices: each says what to write instead.

>>> import warnings
>>> with warnings.catch_warnings(action="ignore"):
...     scaler = GradScaler(enabled=False)
>>> scaler.get_scale()
1.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import amp as _amp
from .._warn import warn
from ..dtypes import float16

if TYPE_CHECKING:
    from ..dtypes import DType

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


def _tell(name: str, given: str = "args...", instead: str = "'cuda', args...") -> None:
    warn(
        f"`torch.cuda.amp.{name}({given})` is deprecated. Please use "
        f"`torch.amp.{name}({instead})` instead.",
        FutureWarning,
        stacklevel=3,
    )


class autocast(_amp.autocast):  # noqa: N801 - PyTorch's name
    """`amp.autocast` of CUDA devices.

    Args:
        enabled: Whether anything is asked for.
        dtype: That PyTorch would compute in.
        cache_enabled: Taken and ignored.
    """

    def __init__(
        self, enabled: bool = True, dtype: DType = float16, cache_enabled: bool = True
    ) -> None:
        _tell("autocast")
        super().__init__("cuda", enabled=enabled, dtype=dtype, cache_enabled=cache_enabled)


class GradScaler(_amp.GradScaler):
    """`amp.GradScaler` of CUDA devices, with its other arguments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _tell("GradScaler")
        super().__init__("cuda", *args, **kwargs)


def custom_fwd(fwd: Any = None, *, cast_inputs: Any = None) -> Any:
    """Return *fwd*; see `amp.custom_fwd`."""
    _tell("custom_fwd", instead="args..., device_type='cuda'")
    return _amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Any) -> Any:
    """Return *bwd*; see `amp.custom_bwd`."""
    _tell("custom_bwd", instead="args..., device_type='cuda'")
    return _amp.custom_bwd(bwd, device_type="cuda")
