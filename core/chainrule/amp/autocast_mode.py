"""`autocast`: a context in which PyTorch computes some operations in half precision."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .._warn import warn
from ..dtypes import bfloat16, float16
from ..errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..dtypes import DType

__all__ = [
    "autocast", "autocast_decrement_nesting", "autocast_increment_nesting",
    "clear_autocast_cache", "custom_bwd", "custom_fwd", "get_autocast_cpu_dtype",
    "get_autocast_dtype", "get_autocast_gpu_dtype", "is_autocast_available",
    "is_autocast_cache_enabled", "is_autocast_cpu_enabled", "is_autocast_enabled",
    "set_autocast_cache_enabled", "set_autocast_cpu_dtype", "set_autocast_cpu_enabled",
    "set_autocast_dtype", "set_autocast_enabled", "set_autocast_gpu_dtype",
]  # fmt: skip

F = TypeVar("F", bound="Callable[..., Any]")
_noted: list[bool] = []


class autocast:  # noqa: N801 - PyTorch's name
    """A context, or decorator, that changes nothing: operations keep their precision.

    With *enabled*, a warning says so once.

    Args:
        device_type: Of the operations.
        dtype: That PyTorch would compute in.
        enabled: Whether anything is asked for.
        cache_enabled: Taken and ignored.
    """

    def __init__(
        self,
        device_type: str,
        dtype: DType | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(  # noqa: TRY004 - PyTorch's type
                f"Expected `device_type` of type `str`, got: `{type(device_type)}`"
            )
        self.device, self.fast_dtype, self._enabled = device_type, dtype, enabled
        if enabled and not _noted:
            _noted.append(True)
            warn(
                "autocast: chainrule leaves the precision of operations as it is. Convert with "
                ".half() where half precision is wanted.",
                UserWarning,
                stacklevel=2,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def __call__(self, func: F) -> F:
        """Return *func*, called inside the context."""

        @functools.wraps(func)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return decorated  # type: ignore[return-value]  # of the function's own type


def is_autocast_available(device_type: str) -> bool:
    """Return False: precision is never changed behind the scenes."""
    if not isinstance(device_type, str):
        raise ArgumentError(f"is_autocast_available: expected a str, got {device_type!r}.")
    return False


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Return False: precision is never changed behind the scenes."""
    return False


is_autocast_cpu_enabled = is_autocast_cache_enabled = is_autocast_enabled


def get_autocast_dtype(device_type: str) -> DType:
    """Return the dtype that PyTorch would compute in."""
    return float16 if device_type == "cuda" else bfloat16


def get_autocast_cpu_dtype() -> DType:
    """Return the dtype that PyTorch would compute in on the CPU."""
    return bfloat16


def get_autocast_gpu_dtype() -> DType:
    """Return the dtype that PyTorch would compute in on a GPU."""
    return float16


def set_autocast_enabled(*args: object) -> None:
    """Do nothing: precision is never changed behind the scenes."""


set_autocast_cpu_enabled = set_autocast_cache_enabled = set_autocast_dtype = set_autocast_enabled
set_autocast_cpu_dtype = set_autocast_gpu_dtype = clear_autocast_cache = set_autocast_enabled


def autocast_increment_nesting() -> int:
    """Return 0: contexts are not counted."""
    return 0


autocast_decrement_nesting = autocast_increment_nesting


def custom_fwd(fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Any = None) -> Any:
    """Return *fwd*, the forward of a Function; also as a decorator with arguments."""
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    return fwd


def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Any:
    """Return *bwd*, the backward of a Function; also as a decorator with arguments."""
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd
