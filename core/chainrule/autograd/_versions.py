"""Version counters, set by hand."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..errors import AutogradError
from ..value import Value, count_write, storage_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["increment_version"]


def increment_version(tensor: Any) -> None:
    """Say that *tensor*, or each of several, was written to by something that autograd cannot see.

    >>> import chainrule as cr
    >>> x = cr.ones(2)
    >>> increment_version(x)
    >>> x._version
    1
    """
    if not hasattr(tensor, "__iter__"):
        msg = "increment_version expect a Iterable[Tensor] as input"
        raise AutogradError(msg)
    for written in _sequence(tensor):
        if not isinstance(written, Value):
            msg = "increment_version expects each element of the iterable to be a tensor"
            raise AutogradError(msg)
        count_write(written, "increment_version")


@contextlib.contextmanager
def _unsafe_preserve_version_counter(tensors: Any) -> Iterator[None]:
    """Hide from autograd what is written to *tensors* inside the block.

    >>> import chainrule as cr
    >>> x = cr.ones(2)
    >>> with _unsafe_preserve_version_counter(x):
    ...     _ = x.add_(1)
    >>> x._version
    0
    """
    before = [(storage_of(t), storage_of(t).version) for t in _sequence(tensors)]
    try:
        yield
    finally:
        for storage, version in before:
            storage.version = version


def _sequence(tensors: Any) -> tuple[Any, ...]:
    return (tensors,) if isinstance(tensors, Value) else tuple(tensors)
