"""Where in the program something happened: cheap to remember, put into words when it is read.

Off until anomaly mode switches it on. Then every node remembers the lines that led to it, and every
write into memory the lines that wrote. A line is a code object and a number; the file is opened
when somebody reads.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

# Not by pathlib, which costs a tenth of the import of chainrule.
_HOME: Final = os.path.dirname(os.path.realpath(__file__)) + os.sep  # noqa: PTH120 - likewise
#: Whose lines are part of a model: a user reads on which layer something happened.
_SHOWN: Final = tuple(_HOME + name + os.sep for name in ("nn", "optim", "utils"))
#: How many writes into one memory are remembered.
_LONGEST: Final = 32


class _State:
    """Whether lines are remembered, on all threads, and for whom.

    Attributes:
        enabled: Whether they are.
        anomaly: For anomaly mode, which watches every backward pass too.
        origins: For `autograd.track_origins`.
    """

    __slots__ = ("anomaly", "enabled", "origins")

    def __init__(self) -> None:
        self.enabled = self.anomaly = self.origins = False


class _Words:
    """What is known beyond a message, put into words by tools in a layer above; None without.

    Attributes:
        no_graph: Why a tensor has no history.
        freed: Which backward pass freed what a node saved.
        name_of: What a user calls a tensor.
    """

    __slots__ = ("freed", "name_of", "no_graph")

    no_graph: Callable[[Any], str] | None
    freed: Callable[[Any], str] | None
    name_of: Callable[[Any], str | None] | None

    def __init__(self) -> None:
        self.no_graph = self.freed = self.name_of = None


class _Current(threading.local):
    """The node that runs on this thread: what it computes was induced by it."""

    node: Any = None


state: Final = _State()
words: Final = _Words()
current: Final = _Current()


class Trace:
    """The lines that were being run, the outermost first."""

    __slots__ = ("lines",)

    lines: tuple[tuple[CodeType, int], ...]

    def __init__(self, frame: FrameType | None) -> None:
        found = []
        while frame is not None and _is_inner(frame):
            frame = frame.f_back
        while frame is not None:
            found.append((frame.f_code, frame.f_lineno))
            frame = frame.f_back
        self.lines = tuple(reversed(found))

    def is_ours(self, folder: str = "") -> bool:
        """Return whether the innermost line belongs to this package, or to a *folder* of it."""
        home = _HOME + folder
        return bool(self.lines) and self.lines[-1][0].co_filename.startswith(home)

    def format(self) -> list[str]:
        """Return the lines as a traceback shows them."""
        found = []
        for code, number in self.lines:
            where = f'  File "{code.co_filename}", line {number}, in {code.co_name}\n'
            text = linecache.getline(code.co_filename, number).strip()
            found.append(f"{where}    {text}\n" if text else where)
        return found

    def place(self) -> str:
        """Return the user's line as ``file.py:12: `code```, and the layer it called, if any."""
        if not self.lines:
            return "an unknown line"
        layer = ""
        code, number = self.lines[-1]
        if self.is_ours():
            layer = f" (in {code.co_qualname})" if code.co_name == "forward" else ""
            theirs = (line for line in reversed(self.lines) if not _is_ours(line[0]))
            code, number = next(theirs, (code, number))
        text = linecache.getline(code.co_filename, number).strip()
        return f"{code.co_filename}:{number}" + (f": `{text}`" if text else "") + layer


def _is_ours(code: CodeType) -> bool:
    """Return whether *code* belongs to this package."""
    return code.co_filename.startswith(_HOME)


def _is_inner(frame: FrameType) -> bool:
    """Return whether a frame belongs to the machinery between a user's line and what it does."""
    name = frame.f_code.co_filename
    return name.startswith(_HOME) and not name.startswith(_SHOWN)


def levels_out() -> int:
    """Return the ``stacklevel`` with which the caller's warning shows the user's line."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HOME):
        frame, level = frame.f_back, level + 1
    return level


def here() -> Trace:
    """Return the lines that are being run now."""
    return Trace(sys._getframe(1))


class TracedNumber(int):
    """The number of a node, with the lines that made it and the node that was running then."""

    trace: Trace
    parent: Any


def trace_of(node: Any) -> Trace | None:
    """Return the lines that made *node*, if they were remembered."""
    return getattr(node._seq, "trace", None)


class Write:
    """One write into a memory: the version it made, what wrote, and on which lines."""

    __slots__ = ("name", "trace", "version")

    def __init__(self, version: int, name: str, trace: Trace | None) -> None:
        self.version, self.name, self.trace = version, name, trace


class Writes:
    """The last writes into one memory."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[Write] = []

    def add(self, write: Write) -> None:
        """Remember *write*, and forget the oldest of too many."""
        self.items.append(write)
        del self.items[:-_LONGEST]

    def __iter__(self) -> Iterator[Write]:
        return iter(self.items)


def note_write(storage: Any, name: str) -> None:
    """Remember who made the present version of *storage*; the lines too, where that is on."""
    if not state.enabled:
        storage.written = name
        return
    writes = getattr(storage, "written", None)
    if not isinstance(writes, Writes):
        writes = storage.written = Writes()
    writes.add(Write(storage.version, name, Trace(sys._getframe(1))))


def first_write_after(storage: Any, version: int) -> Write | None:
    """Return the first write known of that came after *version*."""
    written = getattr(storage, "written", None)
    if isinstance(written, str):
        return Write(storage.version, written, None)
    return next((write for write in written or () if write.version > version), None)
