"""What the C library does with memory that NumPy frees.

By default glibc gives large blocks back to the kernel at once, and the next array of that size is
paged in anew: on a megabyte that costs more than the arithmetic. A training step frees and asks for
the same sizes over and over, so memory is kept for the next step, up to a limit.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from chainrule.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "CHAINRULE_KEEP_MEMORY"
DEFAULT: Final = 256

#: Blocks from this size on are the kernel's all the same: glibc takes no greater limit.
LARGEST: Final = 32

# From glibc's malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD.
_TRIM, _MAP = -1, -3
#: Who says one of these has made up their mind.
_THEIRS: Final = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")


def keep_freed_memory(environment: Mapping[str, str] = os.environ) -> int:
    """Tell the C library how much freed memory to keep; return how many MiB, 0 for its own way.

    Nothing happens but with glibc, or where the user has told the C library already.

    Raises:
        BackendError: the variable of the environment is no number of MiB.
    """
    limit = limit_from(environment)
    told = any(name in environment for name in _THEIRS)
    told = told or "glibc.malloc" in environment.get("GLIBC_TUNABLES", "")
    if not limit or told or not _is_glibc():
        return 0
    import ctypes

    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_MAP, min(limit, LARGEST) << 20)
    mallopt(_TRIM, limit << 20)
    return limit


def limit_from(environment: Mapping[str, str]) -> int:
    """Return how many MiB the environment says to keep, from 0 to what a C int can say."""
    text = environment.get(VARIABLE, "").strip() or str(DEFAULT)
    if not (text.isascii() and text.isdigit()):
        msg = f"{VARIABLE}: expected a number of MiB, got {text!r}. Use 0 to keep nothing."
        raise BackendError(msg)
    return min(int(text), (1 << 11) - 1)


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, OSError, ValueError):  # not on this system, or another C library
        return False
