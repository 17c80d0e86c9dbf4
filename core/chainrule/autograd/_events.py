"""What a profile holds: events, their averages, the table and the trace file."""

from __future__ import annotations

import json
import os
from collections import UserList
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ._tables import bytes_text, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "Interval"]

_SORTS: Final = (
    "count", "cpu_memory_usage", "cpu_time", "cpu_time_total", "self_cpu_memory_usage",
    "self_cpu_time_total",
)  # fmt: skip


class Interval:
    """From when to when something ran, in microseconds."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.end = start, end

    def elapsed_us(self) -> float:
        """Return how long it took."""
        return self.end - self.start


def _as_text(name: str) -> property:
    return property(lambda self: time_text(getattr(self, name) / 1e6), doc=f"`{name}` as text.")


class _Measured:
    """What is told of an event and of an average: times as text, and zero for any other device."""

    device_time: Final = 0.0
    device_time_total: Final = 0
    self_device_time_total: Final = 0
    device_memory_usage: Final = 0
    self_device_memory_usage: Final = 0
    flops: Final = 0
    is_async: Final = False
    is_remote: Final = False

    cpu_time_str = _as_text("cpu_time")
    cpu_time_total_str = _as_text("cpu_time_total")
    self_cpu_time_total_str = _as_text("self_cpu_time_total")


class FunctionEvent(_Measured):
    """One call of an operation, one node of a backward pass, or one block with a name.

    Attributes:
        name: What ran.
        category: ``"cpu_op"``, ``"node"`` or ``"user_annotation"``.
        time_range: When it ran.
        thread: On which thread.
        input_shapes: The shapes of its tensors, where they are recorded.
        stack: The lines that led to it, where they are recorded, the innermost first.
        cpu_parent: The event it ran inside of.
        cpu_children: The events that ran inside of it.
        sequence_nr: The number of the node that it made, or that ran; -1 for none.
        self_cpu_memory_usage: How many bytes it allocated for results, without its children; what
            is freed again is not taken off.
    """

    count = 1

    def __init__(self, name: str, category: str, thread: int, parent: FunctionEvent | None) -> None:
        self.name, self.category, self.thread = name, category, thread
        self.time_range = Interval(0.0, 0.0)
        self.input_shapes: list[list[int]] = []
        self.stack: list[str] = []
        self.cpu_parent = parent
        self.cpu_children: list[FunctionEvent] = []
        self.sequence_nr = -1
        self.self_cpu_memory_usage = 0

    @property
    def key(self) -> str:
        """The name."""
        return self.name

    @property
    def is_user_annotation(self) -> bool:
        """Whether it is a block that a user named."""
        return self.category == "user_annotation"

    @property
    def cpu_time_total(self) -> float:
        """How long it ran, in microseconds."""
        return self.time_range.elapsed_us()

    cpu_time = cpu_time_total

    @property
    def self_cpu_time_total(self) -> float:
        """How long it ran, without its children."""
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def cpu_memory_usage(self) -> int:
        """How many bytes were allocated for results, its children included."""
        return self.self_cpu_memory_usage + sum(c.cpu_memory_usage for c in self.cpu_children)

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent name={self.name} cpu_time={time_text(self.cpu_time_total / 1e6)} "
            f"thread={self.thread} input_shapes={self.input_shapes}>"
        )


class FunctionEventAvg(_Measured):
    """All events of one name, summed.

    Attributes:
        key: The name.
        count: How many there were.
        cpu_time_total: How long they ran, in microseconds.
        self_cpu_time_total: Likewise, without their children.
        cpu_memory_usage: How many bytes were allocated for results.
        self_cpu_memory_usage: Likewise, without their children.
        input_shapes: The shapes of the tensors, where events are grouped by them.
        stack: The lines, where events are grouped by them.
    """

    def __init__(self, key: str) -> None:
        self.key, self.count = key, 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0
        self.input_shapes: list[list[int]] = []
        self.stack: list[str] = []

    @property
    def cpu_time(self) -> float:
        """How long one of them ran on average, in microseconds."""
        return self.cpu_time_total / self.count if self.count else 0.0

    def add(self, event: FunctionEvent | FunctionEventAvg) -> None:
        """Add an event, or another average, to the sums."""
        self.count += event.count
        self.cpu_time_total += event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        self.cpu_memory_usage += event.cpu_memory_usage
        self.self_cpu_memory_usage += event.self_cpu_memory_usage

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} count={self.count} "
            f"self_cpu_time={time_text(self.self_cpu_time_total / 1e6)} "
            f"cpu_time={time_text(self.cpu_time / 1e6)}>"
        )


class EventList(UserList[Any]):
    """Events, or averages of events."""

    def __init__(self, events: Iterable[Any] = (), *, profile_memory: bool = False) -> None:
        super().__init__(events)
        self._profile_memory = profile_memory

    @property
    def self_cpu_time_total(self) -> float:
        """How long everything ran, in microseconds, nothing counted twice."""
        return float(sum(event.self_cpu_time_total for event in self))

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """Return one sum per name; per name and shapes, or lines, if asked."""
        groups: dict[tuple[str, ...], FunctionEventAvg] = {}
        for event in self:
            shapes = event.input_shapes if group_by_input_shapes else []
            stack = event.stack[:group_by_stack_n] if group_by_stack_n > 0 else []
            key = (event.name, str(shapes), *stack)
            found = groups.get(key)
            if found is None:
                found = groups[key] = FunctionEventAvg(event.name)
                found.input_shapes, found.stack = shapes, stack
            found.add(event)
        return EventList(groups.values(), profile_memory=self._profile_memory)

    def total_average(self) -> FunctionEventAvg:
        """Return the sum of everything."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """Return the events as a table.

        Args:
            sort_by: The attribute to sort by, the largest first: ``"self_cpu_time_total"``,
                ``"cpu_time_total"``, ``"cpu_time"``, ``"count"``, ``"cpu_memory_usage"`` or
                ``"self_cpu_memory_usage"``.
            row_limit: How many rows, -1 for all.
            max_src_column_width: How wide lines may be shown.
            max_name_column_width: How wide names.
            max_shapes_column_width: How wide shapes.
            header: A title.
            top_level_events_only: Leave out what ran inside of something else.
            time_unit: Taken for PyTorch's sake: each time has the unit that suits it.

        Raises:
            AttributeError: *sort_by* is something else.
        """
        rows = list(self)
        if top_level_events_only:
            rows = [row for row in rows if getattr(row, "cpu_parent", None) is None]
        if sort_by is not None:
            name = sort_by.replace("cuda", "cpu").replace("device", "cpu")
            if name not in _SORTS:
                msg = f"table: expected sort_by to be one of {', '.join(_SORTS)}; got {sort_by!r}."
                raise AttributeError(msg)
            rows.sort(key=lambda row: getattr(row, name), reverse=True)
        shown = rows if row_limit < 0 else rows[:row_limit]
        titles, cells = self._cells(shown, max_name_column_width, max_shapes_column_width)
        if any(row.stack for row in shown):
            titles.append("Source Location")
            for cell, row in zip(cells, shown, strict=True):
                cell.append((row.stack or [""])[0][-max_src_column_width:])
        return _laid_out(titles, cells, header, self.self_cpu_time_total)

    def _cells(
        self, rows: Sequence[Any], name_width: int, shapes_width: int
    ) -> tuple[list[str], list[list[str]]]:
        total = self.self_cpu_time_total
        titles = [
            "Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg",
        ]  # fmt: skip
        if self._profile_memory:
            titles += ["CPU Mem", "Self CPU Mem"]
        titles.append("# of Calls")
        shapes = any(row.input_shapes for row in rows)
        cells = []
        for row in rows:
            cell = [
                _shortened(row.key, name_width),
                _percent(row.self_cpu_time_total, total), time_text(row.self_cpu_time_total / 1e6),
                _percent(row.cpu_time_total, total), time_text(row.cpu_time_total / 1e6),
                time_text(row.cpu_time / 1e6),
            ]  # fmt: skip
            if self._profile_memory:
                cell += [bytes_text(row.cpu_memory_usage), bytes_text(row.self_cpu_memory_usage)]
            cell.append(str(row.count))
            if shapes:
                cell.append(_shortened(str(row.input_shapes), shapes_width))
            cells.append(cell)
        return [*titles, *(["Input Shapes"] if shapes else [])], cells

    def __str__(self) -> str:
        return self.table()

    def export_chrome_trace(self, path: str | Path) -> None:
        """Write the events as a trace that Perfetto and chrome://tracing open."""
        process = os.getpid()
        found: list[dict[str, Any]] = [
            {"ph": "M", "pid": process, "tid": 0, "name": "process_name",
             "args": {"name": "chainrule"}}
        ]  # fmt: skip
        made: dict[int, FunctionEvent] = {}
        for event in self:
            if event.category == "cpu_op" and event.sequence_nr >= 0:
                made[event.sequence_nr] = event
            found.append(_as_json(event, process))
        for event in self:
            if event.category == "node" and event.sequence_nr in made:
                found += _arrow(made[event.sequence_nr], event, process)
        trace = {"schemaVersion": 1, "displayTimeUnit": "ms", "traceEvents": found}
        Path(path).write_text(json.dumps(trace), encoding="utf-8")


def _as_json(event: FunctionEvent, process: int) -> dict[str, Any]:
    args: dict[str, Any] = {"Bytes allocated": event.cpu_memory_usage}
    if event.input_shapes:
        args["Input Dims"] = event.input_shapes
    if event.stack:
        args["Call stack"] = ";".join(event.stack)
    if event.sequence_nr >= 0:
        args["Sequence number"] = event.sequence_nr
    return {
        "ph": "X", "cat": event.category, "name": event.name, "pid": process, "tid": event.thread,
        "ts": event.time_range.start, "dur": event.cpu_time_total, "args": args,
    }  # fmt: skip


def _arrow(made: FunctionEvent, ran: FunctionEvent, process: int) -> list[dict[str, Any]]:
    """Return an arrow from where a node was made to where it ran."""
    both = {"cat": "fwdbwd", "name": "fwdbwd", "id": made.sequence_nr, "pid": process}
    return [
        {**both, "ph": "s", "tid": made.thread, "ts": made.time_range.start},
        {**both, "ph": "f", "bp": "e", "tid": ran.thread, "ts": ran.time_range.start},
    ]


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(width - 3, 0)]}..."


def _percent(part: float, total: float) -> str:
    return f"{100 * part / total:.2f}%" if total else "NaN"


def _laid_out(titles: list[str], cells: list[list[str]], header: str | None, total: float) -> str:
    """Return the table between lines of dashes."""
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    line = "  ".join("-" * width for width in widths)

    def row(items: list[str]) -> str:
        first = items[0].ljust(widths[0])
        others = (item.rjust(width) for item, width in zip(items[1:], widths[1:], strict=True))
        return "  ".join([first, *others])

    parts = [] if header is None else ["=" * len(line), header]
    parts += [line, row(titles), line, *map(row, cells), line]
    return "\n".join([*parts, f"Self CPU time total: {time_text(total / 1e6)}", ""])
