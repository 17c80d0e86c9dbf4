"""Checks that libraries state as calls, so that PyTorch's tracers see them: here plain ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import AutogradError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "_assert", "_assert_async", "_check", "_check_index", "_check_not_implemented", "_check_type",
    "_check_value",
]  # fmt: skip


def _assert(condition: Any, message: str) -> None:
    """Check a condition.

    Raises:
        AssertionError: it is not so.
    """
    if not condition:
        raise AssertionError(message)


def _assert_async(self: Any, assert_msg: str = "") -> None:
    """Check that a tensor of one element is not zero.

    Raises:
        RuntimeError: it is zero.
    """
    if not self:
        raise AutogradError(assert_msg or "Expected Tensor with single nonzero value, but got zero")


def _check(cond: Any, message: Callable[[], object] | None = None) -> None:
    """Check a condition.

    Args:
        cond: What must be true.
        message: A function that tells what the error says.

    Raises:
        RuntimeError: it is not so.
        TypeError: it is not so, and the message is no function.

    >>> _check(1 + 1 == 2, lambda: "arithmetic failed")
    """
    _raise_unless(cond, AutogradError, message)


def _check_index(cond: Any, message: Callable[[], object] | None = None) -> None:
    """Check a condition, or raise an IndexError."""
    _raise_unless(cond, IndexError, message)


def _check_value(cond: Any, message: Callable[[], object] | None = None) -> None:
    """Check a condition, or raise a ValueError."""
    _raise_unless(cond, ValueError, message)


def _check_type(cond: Any, message: Callable[[], object] | None = None) -> None:
    """Check a condition, or raise a TypeError."""
    _raise_unless(cond, TypeError, message)


def _check_not_implemented(cond: Any, message: Callable[[], object] | None = None) -> None:
    """Check a condition, or raise a NotImplementedError."""
    _raise_unless(cond, NotImplementedError, message)


def _raise_unless(cond: Any, error: type[Exception], message: Callable[[], object] | None) -> None:
    if cond:
        return
    if message is None:
        raise error("Expected cond to be True, but got False.")
    if not callable(message):
        raise TypeError("message must be a callable")
    raise error(str(message()))
