"""Which implementation of attention runs: there is one, so the choice is taken and not used."""

from __future__ import annotations

import contextlib
import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(enum.IntEnum):
    """PyTorch's names of its implementations."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextlib.contextmanager
def sdpa_kernel(
    backends: SDPBackend | Sequence[SDPBackend], set_priority: bool = False
) -> Iterator[None]:
    """Run a block with the implementations named: all give the same numbers.

    Args:
        backends: One or more.
        set_priority: Whether their order matters.

    Raises:
        AssertionError: what is named is no implementation.

    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     pass
    """
    given = [backends] if isinstance(backends, SDPBackend) else list(backends)
    if not all(isinstance(item, SDPBackend) for item in given):
        msg = "Backend must be an instance of SDPBackend or a list of SDPBackend instances"
        raise AssertionError(msg)
    yield
