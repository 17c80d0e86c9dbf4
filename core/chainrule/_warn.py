"""Warnings that name the user's line."""

from __future__ import annotations

import sys
import warnings
from typing import Final

# Note [Once in a process]
# ------------------------
# PyTorch says some things once, wherever they happen again. `set_warn_always(True)` lifts that.


class _Once:
    """What was said, and whether it is said again."""

    always = False

    def __init__(self) -> None:
        self.said: set[str] = set()


once: Final = _Once()
_ASKING: Final = f"{__package__}.overriding"


def warn(
    message: str | Warning, category: type[Warning] | None = None, stacklevel: int = 1
) -> None:
    """Warn as `warnings.warn` does, with a *stacklevel* that functions that ask do not count in.

    Whether a public function asks first, see `overriding`, adds frames between the line that is
    to blame and the function that complains.
    """
    frame, counted, level = sys._getframe(1), 1, 2
    while counted < stacklevel and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
        counted += frame.f_globals.get("__name__") != _ASKING
    warnings.warn(message, category, stacklevel=level)


def warn_once(message: str, category: type[Warning], stacklevel: int = 1) -> None:
    """Warn as `warn` does, the first time in a process: Note [Once in a process]."""
    if once.always or message not in once.said:
        once.said.add(message)
        warn(message, category, stacklevel + 1)


def warn_outside(message: str, category: type[Warning]) -> None:
    """Warn of the first line outside of chainrule and its plugins that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_ours(frame.f_globals):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_ours(names: dict[str, object]) -> bool:
    return str(names.get("__package__")).partition(".")[0].startswith("chainrule")
