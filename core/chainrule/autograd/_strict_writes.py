"""Strict mode: a write into what a graph still needs is refused where it happens.

PyTorch tells in the backward pass, when the culprit is long gone. In strict mode the write itself
raises. Nothing is counted for that while tensors are saved: who holds the memory that is about to
be written to is found by asking the garbage collector, so a write is slow while the mode is on, and
everything costs what it did while it is off.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, Self

from .. import inplace, traces
from ..errors import SavedTensorModifiedError
from ..graph import Node, version_of
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator


class refuse_saved_writes:  # noqa: N801 - used like the grad modes, and named like them
    """Refuse writes into tensors that a graph still needs, as a plain call or a ``with`` block.

    Args:
        mode: Whether to refuse.

    Raises:
        SavedTensorModifiedError: at such a write, before anything has changed.

    >>> import chainrule as cr
    >>> x = cr.ones(2, requires_grad=True)
    >>> y = x.exp()
    >>> with cr.autograd.refuse_saved_writes():
    ...     try:
    ...         y.add_(1)
    ...     except RuntimeError as error:
    ...         print(error.op, error.modified_by)
    ExpBackward0 add_
    """

    def __init__(self, mode: bool = True) -> None:
        self._before = inplace.refuse_write
        inplace.refuse_write = _refuse if mode else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        inplace.refuse_write = self._before


def _refuse(target: Value, name: str) -> None:
    """Raise if a node holds *target*, or another look at its memory, as it is now."""
    saver = next(_savers(target), None)
    if saver is None:
        return
    op, shape, version = saver.name(), tuple(target._array.shape), version_of(target)
    trace = traces.trace_of(saver)
    saved_at = None if trace is None else trace.place()
    hint = "Write into a clone(), or after backward(), or use the operation without the underscore."
    msg = (
        f"{name}: the memory of this tensor, of shape {shape}, is needed as it is by {op}"
        f"{'' if saved_at is None else f' (made at {saved_at})'}, whose backward pass would fail "
        f"after this write. {hint} Strict mode (refuse_saved_writes) says so here and now."
    )
    raise SavedTensorModifiedError(
        msg, op=op, shape=shape, expected_version=version, found_version=version + 1,
        modified_by=name, saved_at=saved_at, modified_at=traces.here().place(), hint=hint,
    )  # fmt: skip


def _savers(target: Value) -> Iterator[Node]:
    """Yield the nodes that saved a look at the memory of *target* and still hold it.

    Each question to the collector is a walk over all objects, so one is asked for many at once.
    """
    storage, looks = target._storage, [target]
    if storage is not None:
        looks = [item for item in gc.get_referrers(storage) if isinstance(item, Value)]
    rows = _tuples(gc.get_referrers(*looks))
    holders = gc.get_referrers(*rows)
    rows += _tuples(holders)  # a list of tensors stands in a row of its own
    # A user's node keeps its attributes in a dict.
    holders += gc.get_referrers(*rows, *(h for h in holders if isinstance(h, dict)))
    held = {id(look) for look in looks}
    for node in holders:
        if isinstance(node, Node) and _still_needs(node, held):
            yield node


def _tuples(items: list[Any]) -> list[Any]:
    return [item for item in items if type(item) is tuple]


def _still_needs(node: Any, held: set[int]) -> bool:
    """Return whether *node* saved one of the tensors with these identities, as it is now."""
    saved, versions = getattr(node, "_saved", ()), getattr(node, "_versions", None)
    for position, item in enumerate(saved if type(saved) is tuple else ()):
        if type(item) in {tuple, list}:
            if any(id(part) in held for part in item):
                return True
        elif id(item) in held:
            expected = versions[position] if versions else 0
            if expected == version_of(item):
                return True
    return False
