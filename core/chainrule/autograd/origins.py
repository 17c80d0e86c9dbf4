"""Where tensors lost their history, where nodes were made and freed: remembered on request."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from .. import anomaly, traces
from ..grad_mode import mode
from ..graph import FREED
from ..value import Value
from ._naming import ByIdentity, described, name_of, op_name
from ._observing import observe, unobserve
from ._passes import observe_passes, unobserve_passes
from ._switching import Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..graph import Edge, Node

__all__ = ["Cut", "is_tracking_origins", "track_origins"]

#: What a way out of the graph gives.
_GIVES: Final = dict(item="a Python number", tolist="a list of numbers", numpy="an array")  # noqa: C408 - keywords: the keys are methods
_LONGEST: Final = 8


class Cut:
    """One place where a history ended: a tensor that requires grad went in, none came out.

    Attributes:
        kind: ``"mode"``, ``"dtype"``, ``"op"``, ``"detach"``, ``"data"``, or ``"number"``.
        op: What was called.
        place: On which line.
        source: The tensor that went in, in words.
    """

    __slots__ = ("dtype", "kind", "op", "place", "source")

    def __init__(self, kind: str, op: str, source: Any, dtype: Any = None) -> None:
        self.kind, self.op, self.dtype = kind, op, dtype
        self.place = traces.here().place()
        self.source = described(source, name_of(source))

    def __str__(self) -> str:
        """Return it as a sentence without the end."""
        return f"{self.what()}, at {self.place}. What went in had a history: {self.source}"

    def what(self) -> str:
        """Return what ended the history."""
        if self.kind == "data":
            return ".data cut the history"
        reasons = {
            "mode": "ran with recording off, as under no_grad()",
            "dtype": f"gave {self.dtype}, and only floating or complex tensors carry gradients",
            "op": "is not differentiable",
            "number": f"gave {_GIVES.get(self.op)}, which carries no history",
            "detach": "cut the history",
        }
        return f"{self.op}() {reasons[self.kind]}"


class _Pass:
    """One backward pass, as a watcher of it: which nodes ran in it."""

    def __init__(self) -> None:
        tracker.passes += 1
        self.number, self.place = tracker.passes, traces.here().place()

    def __str__(self) -> str:
        return f"backward pass {self.number}, at {self.place}"

    def run(self, node: Node, grad: Any, run: Callable[[Node, Any], None]) -> None:
        """Run a node, and remember that it ran."""
        run(node, grad)
        tracker.ran[node] = self

    def check(self, node: Node, grad: Any, results: Sequence[Any]) -> None:
        """Nothing is checked."""


class _Tracker:
    """What is remembered while origins are tracked."""

    def __init__(self) -> None:
        self.cuts: ByIdentity[Cut] = ByIdentity()  # of tensors without history
        self.lost: ByIdentity[list[Cut]] = ByIdentity()  # where a tensor with history went in
        self.numbers: deque[Cut] = deque(maxlen=_LONGEST)
        self.ran: weakref.WeakKeyDictionary[Node, _Pass] = weakref.WeakKeyDictionary()
        self.arrived: ByIdentity[str] = ByIdentity()  # the pass that last filled a .grad
        self.passes = 0
        self.inside = threading.local()  # .count: of in-place operations, whose parts do not count

    # As an observer of operations

    def before(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note that an in-place operation begins."""
        if name.endswith("_"):
            self.inside.count = getattr(self.inside, "count", 0) + 1

    def failed(self, token: Any, name: str) -> None:
        """Note that an in-place operation ended."""
        if name.endswith("_"):
            self.inside.count -= 1

    def after(
        self, token: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> None:
        """Remember where a history ended."""
        self.failed(token, name)
        # Inside of a backward pass, derivatives of derivatives are another question.
        if mode.depth or getattr(self.inside, "count", 0):
            return
        if name in _GIVES:
            if args[0]._requires_grad:
                self._lose(args[0], Cut("number", name, args[0]))
            return
        for output in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(output, Value) and not output._requires_grad:
                self._without_history(name, args, kwargs, output)

    def _without_history(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> None:
        if self.cuts.get(output) is not None:
            return
        inherited = None
        for tensor in _tensors((*args, *kwargs.values())):
            if tensor is output:
                continue
            if tensor._requires_grad:
                if not mode.enabled and traces.here().is_ours():  # a step, or an initialization
                    return
                kind, dtype = _kind(name, output), output._key.dtype
                cut = self.cuts[output] = Cut(kind, op_name(name), tensor, dtype)
                self._lose(tensor, cut)
                return
            inherited = inherited or self.cuts.get(tensor)
        if inherited is not None:
            self.cuts[output] = inherited

    def _lose(self, tensor: Any, cut: Cut) -> None:
        if cut.kind == "number":
            self.numbers.append(cut)
        known = self.lost.get(tensor)
        if known is None:
            known = self.lost[tensor] = []
        known.append(cut)
        del known[:-_LONGEST]

    # As an observer of passes

    def begins(self, roots: Sequence[Edge]) -> None:
        """Remember nothing."""

    def arrives(self, leaf: Any, grad: Any) -> None:
        """Remember nothing."""

    def added(self, leaf: Any) -> None:
        """Remember which pass filled a ``.grad``."""
        self.arrived[leaf] = f"backward pass {self.passes}, at {traces.here().place()}"

    # In words

    def why(self, tensor: Any) -> str:
        """Return why *tensor* has no history."""
        cut = self.cuts.get(tensor)
        if cut is not None:
            return f"the history ended on the way: {cut}."
        text = "nothing that requires grad went into the tensor since origins are tracked."
        if self.numbers:
            text += f" What left the graph last: {self.numbers[-1]}."
        return text

    def freed(self, node: Node) -> str:
        """Return which pass freed what *node* saved."""
        found = self.ran.get(node)
        return "an earlier backward pass" if found is None else str(found)


def _kind(name: str, output: Any) -> str:
    if name in {"detach", "data"}:
        return name
    if not output._key.floating:
        return "dtype"
    return "op" if mode.enabled else "mode"


def _tensors(items: Any) -> Iterator[Any]:
    for item in items:
        if isinstance(item, Value):
            yield item
        elif isinstance(item, (tuple, list)):
            yield from _tensors(item)


tracker = _Tracker()


def is_tracking_origins() -> bool:
    """Return whether origins are tracked.

    >>> is_tracking_origins()
    False
    """
    return traces.state.origins


def _switch(enabled: bool) -> None:
    if enabled == traces.state.origins:
        return
    traces.state.origins = enabled
    anomaly.remember_lines()
    anomaly.watch_passes(_Pass, watched=enabled)
    if enabled:
        tracker.__init__()  # type: ignore[misc]  # forget what an earlier block remembered
        observe(tracker)
        observe_passes(tracker)
        traces.words.no_graph, traces.words.freed = tracker.why, tracker.freed
    else:
        unobserve(tracker)
        unobserve_passes(tracker)
        traces.words.no_graph = traces.words.freed = None


class track_origins(Switch):  # noqa: N801 - reads as PyTorch's detect_anomaly does
    """Remember where tensors lose their history, as a plain call or for a ``with`` block.

    While it is on, every node remembers the line that made it, every write into memory the line
    that wrote, every tensor whose history was cut the operation that cut it, and every backward
    pass which nodes it freed. `explain_grad` and the errors of ``backward()`` then name lines.
    It holds for all threads, costs a few microseconds per operation while it is on, and nothing
    while it is off.

    Args:
        enabled: Whether it is on.

    >>> import chainrule as cr
    >>> with track_origins():
    ...     logits = cr.ones(2, 3, requires_grad=True) * 2
    ...     loss = logits.argmax(-1).float().mean()
    ...     try:
    ...         loss.backward()
    ...     except RuntimeError as error:
    ...         print(error)  # doctest: +ELLIPSIS
    element 0 of tensors does not require grad and does not have a grad_fn
    backward: the history ended on the way: argmax() gave torch.int64, and only floating ...
    """

    @staticmethod
    def _apply(enabled: bool) -> None:
        _switch(enabled)


def is_freed(node: Node) -> bool:
    """Return whether a backward pass freed what *node* saved."""
    return getattr(node, "_versions", None) is FREED
