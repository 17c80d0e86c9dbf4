"""The live backend: NumPy's, with threads to set and memory to ask about."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule_numpy._backend import NumpyBackend

from . import spec
from ._levels import core
from ._threads import right_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chainrule.backend import CallParts, DType

#: The numbers of the types between which the C code converts.
_NUMBERS = {name: np.dtype(name).num for name in ("float16", "float32")}


class NativeBackend(NumpyBackend):
    """Arrays are NumPy's own, in memory that is used again after they are gone."""

    @property
    def level_name(self) -> str:
        """Which instructions the kernels use."""
        return str(core().level)

    def astype(self, array: Any, dtype: DType) -> Any:
        made = core().cast(array, _NUMBERS[dtype.name]) if dtype.name in _NUMBERS else None
        return super().astype(array, dtype) if made is None else made

    def quick_calls(
        self, layout: Mapping[str, Any]
    ) -> Callable[[CallParts], Callable[..., Any] | None] | None:
        if os.environ.get("CHAINRULE_NATIVE_CALLS", "1") == "0" or not hasattr(
            core(), "quick_call"
        ):
            return None  # a build for Python without its lock has none
        try:
            core().use_layout(dict(layout))
        except (AttributeError, KeyError, TypeError) as error:
            warnings.warn(
                f"chainrule-native: calls stay in Python, for it does not fit this chainrule "
                f"({error}). Install the two in versions that belong together.",
                RuntimeWarning,
                stacklevel=2,
            )
            return None
        make: Callable[..., Callable[..., Any] | None] = core().quick_call
        return lambda parts: make(*parts)

    def use_threads(self, count: int | None) -> None:
        core().set_thread_count(count or right_number())

    def memory_stats(self) -> dict[str, int]:
        return dict(core().memory_stats())


def create() -> NativeBackend:
    """Return the live backend."""
    megabytes = os.environ.get("CHAINRULE_NATIVE_CACHE_MB", "").strip()
    if megabytes.isdigit():
        core().set_memory_limit(int(megabytes) << 20)
    if megabytes != "0":
        core().use_allocator()
    return NativeBackend(spec)
