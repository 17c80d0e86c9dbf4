"""What a user calls a tensor: a variable, or a parameter of a module that a variable holds."""

from __future__ import annotations

import os
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from ..traces import trace_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from ..graph import Node

V = TypeVar("V")

_HOME: Final = str(Path(__file__).resolve().parents[1]) + os.sep
_TO_COPY: Final = {"_to_copy": "to", "_alias": "detach"}


class ByIdentity(Generic[V]):
    """Notes on tensors, which go when the tensor goes. A tensor's ``==`` is no help for a dict."""

    def __init__(self) -> None:
        self._items: dict[int, tuple[weakref.ref[Any], V]] = {}

    def __setitem__(self, tensor: Any, note: V) -> None:
        key, items = id(tensor), self._items
        items[key] = weakref.ref(tensor, lambda _: items.pop(key, None)), note

    def get(self, tensor: Any) -> V | None:
        """Return the note on *tensor*, or None."""
        found = self._items.get(id(tensor))
        return found[1] if found is not None and found[0]() is tensor else None

    def pop(self, tensor: Any) -> V | None:
        """Return the note on *tensor* and forget it."""
        found = self.get(tensor)
        self._items.pop(id(tensor), None)
        return found

    def items(self) -> Iterator[tuple[Any, V]]:
        """Yield the tensors that are still there, with their notes."""
        for reference, note in list(self._items.values()):
            tensor = reference()
            if tensor is not None:
                yield tensor, note

    def __len__(self) -> int:
        return len(self._items)


def user_frame() -> FrameType | None:
    """Return the innermost frame that is not part of this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_HOME):
        frame = frame.f_back
    return frame


def name_of(tensor: Any, frame: FrameType | None = None, model: Any = None) -> str | None:
    """Return what *tensor* is called in *model*, or in *frame* and the frames it was called from.

    A frame of None stands for the user's.
    """
    if model is not None:
        found = _name_in_module(tensor, model, "")
        if found is not None:
            return found
    frame = user_frame() if frame is None else frame
    while frame is not None:
        for namespace in (frame.f_locals, frame.f_globals):
            found = _name_in(tensor, namespace.items())
            if found is not None:
                return found
        frame = frame.f_back
    return None


def _name_in(tensor: Any, items: Iterable[tuple[str, Any]]) -> str | None:
    modules = []
    for name, value in list(items):
        if value is tensor and name.isidentifier() and not name.startswith("__"):
            return name
        if hasattr(type(value), "named_parameters"):
            modules.append((name, value))
    for name, module in modules:
        found = _name_in_module(tensor, module, name)
        if found is not None:
            return found
    return None


def _name_in_module(tensor: Any, module: Any, prefix: str) -> str | None:
    try:
        members = [*module.named_parameters(), *module.named_buffers()]
    except (AttributeError, TypeError):  # a class, or a module that is not made yet
        return None
    for path, member in members:
        if member is tensor:
            return f"{prefix}.{path}" if prefix else str(path)
    return None


def op_name(name: str) -> str:
    """Return what a user calls an op: ``"cr::_argmax"`` is ``argmax``."""
    plain = name.rpartition("::")[2]
    plain = _TO_COPY.get(plain, plain)
    return plain.removeprefix("_").removesuffix("_all") or plain


def place_of(node: Node) -> str:
    """Return `` at file.py:12: `line```, where it is known, as the end of a phrase."""
    trace = trace_of(node)
    return "" if trace is None else f" at {trace.place()}"


def described(tensor: Any, name: str | None = None) -> str:
    """Return a tensor in words: its name if known, its shape, and what made it."""
    what = f"{name!r}" if name else "a tensor"
    shape = f"of shape {tuple(tensor._array.shape)}"
    if tensor._node is not None:
        return f"{what} ({shape}, made by {tensor._node.name()}{place_of(tensor._node)})"
    kind = "a leaf that requires grad" if tensor._requires_grad else f"{tensor._key.dtype}"
    return f"{what} ({shape}, {kind})"
