"""The version of PyTorch that a program is told under ``chainrule run --as-torch``."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["TorchVersion"]


class TorchVersion(str):
    """A version that compares with others by its numbers: with texts, and with tuples.

    >>> TorchVersion("2.13.0+chainrule.0.1.0") >= "2.9", TorchVersion("2.13.0") < (3,)
    (True, True)
    """

    __slots__ = ()
    __hash__ = str.__hash__

    def _numbers(self, other: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        pair = (str(self), other if isinstance(other, str) else ".".join(map(str, other)))
        first, second = (
            [int(n) for n in re.findall(r"\d+", text.partition("+")[0])] for text in pair
        )
        size = max(len(first), len(second))
        return (
            tuple(first + [0] * (size - len(first))),
            tuple(second + [0] * (size - len(second))),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (str, tuple, list)):
            return NotImplemented
        first, second = self._numbers(other)
        return first == second

    def __lt__(self, other: Any) -> bool:
        first, second = self._numbers(other)
        return first < second

    def __le__(self, other: Any) -> bool:
        first, second = self._numbers(other)
        return first <= second

    def __gt__(self, other: Any) -> bool:
        return not self <= other

    def __ge__(self, other: Any) -> bool:
        return not self < other
