"""The libraries of the stand-in, loaded under the names by which CuPy looks for NVIDIA's."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING

from .building import build

if TYPE_CHECKING:
    from pathlib import Path

    from .options import Options


@cache
def folder() -> Path:
    """Return the folder of the build."""
    return build()


@cache
def driver() -> ctypes.CDLL:
    """Return the driver and runtime, loaded for everyone to find."""
    library = ctypes.CDLL(str(folder() / "libcuda.so.1"), mode=ctypes.RTLD_GLOBAL)
    library.standin_launches.restype = ctypes.c_char_p
    library.standin_reports.restype = ctypes.c_char_p
    library.standin_counters.restype = ctypes.c_size_t
    for name in ("libcublasLt", "libcublas", "libcurand"):
        ctypes.CDLL(str(next(folder().glob(f"{name}.so.*"))), mode=ctypes.RTLD_GLOBAL)
    return library


def configure(options: Options) -> None:
    """Set *options*, before anything of CuPy is imported."""
    driver().standin_configure(
        options.devices,
        options.seed,
        int(options.asynchronous),
        int(options.guard),
        int(options.check),
        ctypes.c_size_t(options.memory << 20),
    )
    driver().standin_watch_host()
