"""Where time and memory go, per operation and per node: `profile` and `record_function`."""

from __future__ import annotations

import functools
import threading
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final, Self

from .. import anomaly, traces
from ..optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from ..value import Value
from ._events import EventList, FunctionEvent, FunctionEventAvg
from ._live import bytes_of
from ._naming import op_name
from ._observing import observe, unobserve
from ._passes import observe_passes, unobserve_passes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from ..graph import Edge, Node

__all__ = [
    "EventList", "FunctionEvent", "FunctionEventAvg", "profile", "record_function",
]  # fmt: skip

_ENGINE: Final = "autograd::engine::evaluate_function: "
_LEAF: Final = "torch::autograd::AccumulateGrad"


class _Thread(threading.local):
    """The events that run on one thread, the innermost last."""

    def __init__(self) -> None:
        self.open: list[FunctionEvent | None] = []
        self.seen: dict[int, None] = {}  # memory of results, by identity, of the open events


class _Recorder:
    """Takes down events. An observer of operations and passes, and a maker of watchers."""

    def __init__(self, *, shapes: bool, stack: bool) -> None:
        self.shapes, self.stack = shapes, stack
        self.events: list[FunctionEvent] = []
        self.thread = _Thread()
        self.handles: list[Any] = []

    def start(self) -> None:
        observe(self)
        observe_passes(self)
        anomaly.watch_passes(self.watcher)
        self.handles = [
            register_optimizer_step_pre_hook(self.step_begins),
            register_optimizer_step_post_hook(self.step_ended),
        ]
        _recorders.append(self)

    def stop(self) -> None:
        _recorders.remove(self)
        unobserve(self)
        unobserve_passes(self)
        anomaly.watch_passes(self.watcher, watched=False)
        for handle in self.handles:
            handle.remove()

    def watcher(self) -> _Recorder:
        """Return what watches a pass."""
        return self

    # Events

    def push(self, name: str, category: str) -> FunctionEvent:
        """Begin an event."""
        running = self.thread.open
        parent = next((event for event in reversed(running) if event is not None), None)
        event = FunctionEvent(name, category, threading.get_native_id(), parent)
        if self.stack:
            lines = traces.here().lines
            event.stack = [
                f"{code.co_filename}({number}): {code.co_qualname}"
                for code, number in reversed(lines)
            ]
        running.append(event)
        event.time_range.start = perf_counter_ns() / 1e3
        return event

    def pop(self, event: FunctionEvent | None) -> None:
        """End an event, and those inside of it that were left open."""
        end = perf_counter_ns() / 1e3
        running = self.thread.open
        while running:
            last = running.pop()
            if last is not None:
                last.time_range.end = end
                self.events.append(last)
                if last.cpu_parent is not None:
                    last.cpu_parent.cpu_children.append(last)
            if last is event:
                break

    # Operations

    def before(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> FunctionEvent | None:
        """Begin the event of an operation; none if it is the same as the one around it."""
        title = _title(name)
        running = self.thread.open
        parent = running[-1] if running else None
        if parent is not None and parent.name in {title, f"{title}_"}:
            return None
        event = self.push(title, "cpu_op")
        if self.shapes:
            event.input_shapes = [
                [int(size) for size in item._array.shape] if isinstance(item, Value) else []
                for item in args
            ]
        return event

    def failed(self, token: FunctionEvent | None, name: str) -> None:
        """End the event of an operation that raised."""
        if token is not None:
            self.pop(token)

    def after(
        self,
        token: FunctionEvent | None,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        result: Any,
    ) -> None:
        """End the event of an operation."""
        if token is None:
            return
        self.pop(token)
        given = {id(a._array) for a in args if isinstance(a, Value)}
        counted = {
            id(array) for child in token.cpu_children for array in getattr(child, "made", ())
        }
        made = []
        for output in result if isinstance(result, (tuple, list)) else (result,):
            if not isinstance(output, Value):
                continue
            if output._node is not None:
                token.sequence_nr = int(output._node._seq)
            memory = output._array
            if output._base is None and id(memory) not in given:
                made.append(memory)
                if id(memory) not in counted:
                    token.self_cpu_memory_usage += bytes_of(output)
        if token.cpu_parent is not None:
            token.made = made  # type: ignore[attr-defined]  # until the parent has ended
        for child in token.cpu_children:
            vars(child).pop("made", None)

    # Passes

    def run(self, node: Node, grad: Any, run: Callable[[Node, Any], None]) -> None:
        """Run a node inside of two events: what the engine does, and the node in it."""
        outer = self.push(f"{_ENGINE}{node.name()}", "node")
        inner = self.push(node.name(), "node")
        inner.sequence_nr = int(node._seq)
        try:
            run(node, grad)
        finally:
            self.pop(outer)

    def check(self, node: Node, grad: Any, results: Sequence[Any]) -> None:
        """End the event of the node itself: what follows is the engine's."""
        running = self.thread.open
        if running and running[-1] is not None and running[-1].name == node.name():
            self.pop(running[-1])

    def begins(self, roots: Sequence[Edge]) -> None:
        """Nothing to take down."""

    def arrives(self, leaf: Any, grad: Any) -> None:
        """Begin the event of a leaf."""
        self.push(f"{_ENGINE}{_LEAF}", "node")
        self.push(_LEAF, "node")

    def added(self, leaf: Any) -> None:
        """End the event of a leaf."""
        running = self.thread.open
        if len(running) > 1:
            self.pop(running[-2])

    # Steps

    def step_begins(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Begin the event of an optimizer's step."""
        name = type(optimizer).__name__
        self.push(f"Optimizer.step#{name}.step", "user_annotation")

    def step_ended(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """End it."""
        name = f"Optimizer.step#{type(optimizer).__name__}.step"
        found = [e for e in self.thread.open if e is not None and e.name == name]
        if found:
            self.pop(found[-1])


_recorders: Final[list[_Recorder]] = []


@functools.cache
def _title(name: str) -> str:
    """Return the name of an op as PyTorch's profiles show it."""
    namespace, _, _ = name.rpartition("::")
    return f"{'aten' if namespace in {'', 'cr'} else namespace}::{op_name(name)}"


class profile:  # noqa: N801 - PyTorch's name
    """A ``with`` block that takes down how long every operation and every node takes.

    Operations carry PyTorch's names (``aten::mul``), so do the nodes of backward passes. While no
    block is open, nothing is paid.

    Args:
        enabled: False to do nothing.
        record_shapes: Take down the shapes of inputs.
        profile_memory: Show how many bytes were allocated for results.
        with_stack: Take down the lines that led to each operation.
        use_cpu: Taken for PyTorch's sake, as all that follows.
        use_device: Taken.
        use_cuda: Taken.
        with_flops: Taken.
        with_modules: Taken.
        use_kineto: Taken.

    Raises:
        RuntimeError: the block is entered a second time, or asked for results before it ended.

    >>> import chainrule as cr
    >>> x = cr.ones(3, requires_grad=True)
    >>> with profile() as prof:
    ...     (x * 2).sum().backward()
    >>> sorted(event.key for event in prof.key_averages() if event.key.startswith("aten"))
    ['aten::expand', 'aten::mul', 'aten::sum']
    >>> next(e.count for e in prof.key_averages() if e.key == "MulBackward0")
    1
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
        use_cpu: bool = True,
    ) -> None:
        self.enabled, self.profile_memory = enabled, profile_memory
        self._shapes, self._stack = record_shapes, with_stack
        self._recorder: _Recorder | None = None
        self._entered = False
        self.function_events: EventList | None = None

    def __enter__(self) -> Self:
        if self.enabled:
            if self._entered:
                msg = "Profiler context manager is not reentrant"
                raise RuntimeError(msg)
            self._entered = True
            self._recorder = _Recorder(shapes=self._shapes, stack=self._stack)
            self._recorder.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._recorder is not None:
            self._recorder.stop()
            self._recorder.pop(None)
            events = sorted(self._recorder.events, key=lambda event: event.time_range.start)
            self.function_events = EventList(events, profile_memory=self.profile_memory)
            self._recorder = None

    def _events(self) -> EventList:
        if self.function_events is None:
            msg = "Profiler didn't finish running"
            raise RuntimeError(msg)
        return self.function_events

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """Return one sum per name; per name and shapes, or lines, if asked."""
        return self._events().key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """Return the sum of everything."""
        return self._events().total_average()

    @property
    def self_cpu_time_total(self) -> float:
        """How long everything ran, in microseconds."""
        return self._events().self_cpu_time_total

    def table(self, *args: Any, **kwargs: Any) -> str:
        """Return the events as a table, see `EventList.table`."""
        return self._events().table(*args, **kwargs)

    def export_chrome_trace(self, path: str | Path) -> None:
        """Write the events as a trace that Perfetto and chrome://tracing open."""
        self._events().export_chrome_trace(path)

    def __str__(self) -> str:
        if self.function_events is None:
            return "<unfinished torch.autograd.profile>"
        return str(self.function_events)

    def __repr__(self) -> str:
        return str(self)


class record_function:  # noqa: N801 - PyTorch's name
    """Name a part of a program in profiles: a ``with`` block, or a decorator.

    Args:
        name: The name.
        args: What else to tell of it.

    >>> import chainrule as cr
    >>> with profile() as prof, record_function("twice"):
    ...     _ = cr.ones(2) * 2
    >>> prof.key_averages()[0].key
    'twice'
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._open: list[list[tuple[_Recorder, FunctionEvent]]] = []

    def __enter__(self) -> Self:
        self._open.append(
            [
                (recorder, recorder.push(self.name, "user_annotation"))
                for recorder in tuple(_recorders)
            ]
        )
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for recorder, event in self._open.pop():
            recorder.pop(event)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function* so that each of its calls is named."""

        @functools.wraps(function)
        def named(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return named
