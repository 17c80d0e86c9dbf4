"""What chainrule was put together of, as text: PyTorch's ``torch.__config__``."""

from __future__ import annotations

import os
import platform
from importlib import metadata

from . import version
from .settings import get_num_interop_threads, get_num_threads

__all__ = ["parallel_info", "show"]


def show() -> str:
    """Return which versions work together.

    >>> print(show().splitlines()[0])
    chainrule built with:
    """
    versions = (
        f"chainrule {version.__version__}",
        f"Python {platform.python_version()}",
        f"NumPy {metadata.version('numpy')}",
    )
    return "chainrule built with:\n" + "".join(f"  - {line}\n" for line in versions)


def parallel_info() -> str:
    """Return how many threads there are, in PyTorch's form.

    >>> print(parallel_info().splitlines()[0])
    ATen/Parallel:
    """
    return (
        f"ATen/Parallel:\n\tat::get_num_threads() : {get_num_threads()}\n"
        f"\tat::get_num_interop_threads() : {get_num_interop_threads()}\n"
        f"std::thread::hardware_concurrency() : {os.cpu_count()}\n"
    )
