"""Tables of gradients, graphs and parameters: what has a gradient, is alive, or trains."""

from __future__ import annotations

import weakref
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import anomaly
from ..differentiate import grad as gradient_of
from ..graph import LEAF
from ._live import bytes_of, edges_of, live_nodes, path, saved_tensors, walk
from ._naming import op_name, place_of
from ._tables import Report, bytes_text, table
from .origins import is_freed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..graph import Node

__all__ = [
    "GradReport", "GradRow", "GraphStats", "NodeRow", "ParameterRow", "TrainableSummary",
    "grad_report", "graph_stats", "trainable_summary",
]  # fmt: skip

# Gradients


@dataclass(frozen=True)
class GradRow:
    """One parameter and its gradient.

    Attributes:
        name: Its path in the module.
        shape: Its shape.
        requires_grad: Whether a gradient is wanted.
        used: Whether a way leads from the loss to it; None if no loss was given.
        state: ``"None"``, ``"zero"``, ``"NaN"``, ``"infinite"`` or ``"finite"``.
        norm: The norm of the gradient, where it has one.
    """

    name: str
    shape: tuple[int, ...]
    requires_grad: bool
    used: bool | None
    state: str
    norm: float | None

    @property
    def note(self) -> str:
        """What is odd about it, in words."""
        if not self.requires_grad:
            return "frozen" if self.state == "None" else "frozen, but it has a gradient"
        if self.used is False:
            return "not used by the loss"
        if self.state == "None":
            return "no gradient yet" if self.used is None else "used, but no pass came along"
        return {"zero": "zero everywhere", "NaN": "not a number", "infinite": "infinite"}.get(
            self.state, ""
        )


class GradReport(Report):
    """The gradients of a module's parameters, as a table.

    Attributes:
        rows: A `GradRow` per parameter.
        first_nan: Where the first gradient that is not a number comes from, or None.
    """

    rows: list[GradRow]

    def __init__(self, rows: list[GradRow], first_nan: str | None) -> None:
        self.rows, self.first_nan = rows, first_nan

    def __str__(self) -> str:
        cells = [
            [
                row.name, list(row.shape), "yes" if row.requires_grad else "no",
                "?" if row.used is None else "yes" if row.used else "no", row.state,
                "" if row.norm is None else f"{row.norm:.3g}", row.note,
            ]
            for row in self.rows
        ]  # fmt: skip
        header = ["parameter", "shape", "requires_grad", "used", "grad", "norm", "note"]
        text = table(header, cells, left=7)
        return text if self.first_nan is None else f"{text}\nFirst NaN: {self.first_nan}"


def grad_report(model: Any, loss: Any = None) -> GradReport:
    """Return a table of all parameters of *model*: used or not, gradient or none, its norm.

    Args:
        model: A module.
        loss: The result that was or will be differentiated: then the table says which parameters
            it depends on; and where a gradient is not a number and the graph was kept, which node
            gave the first.

    Returns:
        The table; its ``rows`` can be read by a program.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(cr.nn.Linear(2, 2), cr.nn.Linear(2, 1, bias=False))
    >>> loss = (model[0](cr.ones(1, 2)) * 0).sum()
    >>> loss.backward()
    >>> grad_report(model, loss)
    parameter  shape   requires_grad  used  grad  norm  note
    ---------  ------  -------------  ----  ----  ----  --------------------
    0.weight   [2, 2]  yes            yes   zero  0     zero everywhere
    0.bias     [2]     yes            yes   zero  0     zero everywhere
    1.weight   [1, 2]  yes            no    None        not used by the loss
    """
    rows = [_grad_row(name, parameter, loss) for name, parameter in model.named_parameters()]
    first_nan = None
    if loss is not None and any(row.state == "NaN" for row in rows):
        first_nan = _first_nan(loss, list(model.parameters()))
    return GradReport(rows, first_nan)


def _grad_row(name: str, parameter: Any, loss: Any) -> GradRow:
    state, norm = _state_of(parameter._grad)
    used = None
    if loss is not None:
        used = loss is parameter or path(loss.grad_fn, parameter) is not None
    shape = tuple(parameter._array.shape)
    return GradRow(name, shape, parameter.requires_grad, used, state, norm)


def _state_of(grad: Any) -> tuple[str, float | None]:
    if grad is None:
        return "None", None
    size = grad.detach().abs()
    norm = float((size * size).sum()) ** 0.5
    if bool(size.isnan().any()):
        return "NaN", norm
    if bool(size.isinf().any()):
        return "infinite", norm
    return ("finite" if bool((size != 0).any()) else "zero"), norm


class _NaNFinder:
    """A watcher that remembers the first node that makes NaN of a gradient without any."""

    def __init__(self) -> None:
        self.found: Node | None = None

    def run(self, node: Node, grad: Any, run: Callable[[Node, Any], None]) -> None:
        """Run the node."""
        run(node, grad)

    def check(self, node: Node, grad: Any, results: Sequence[Any]) -> None:
        """Look for NaN in what the node returned."""
        if self.found is None and any(
            result is not None and bool(result.detach().isnan().any()) for result in results
        ):
            self.found = node


def _first_nan(loss: Any, parameters: list[Any]) -> str | None:
    """Return which node gives the first NaN when the graph of *loss* is gone through once more."""
    nodes = walk(loss.grad_fn)
    if any(map(is_freed, nodes)):
        return (
            "unknown, since the graph was freed: pass retain_graph=True to backward(), or run "
            "under detect_anomaly()"
        )
    finder = _NaNFinder()

    def make() -> _NaNFinder:
        return finder

    anomaly.watch_passes(make)
    try:
        wanted = [p for p in parameters if p.requires_grad]
        weight = None if loss.numel() == 1 else loss.detach() * 0 + 1
        gradient_of(loss, wanted, weight, retain_graph=True, allow_unused=True)
    finally:
        anomaly.watch_passes(make, watched=False)
    if finder.found is None:
        return None
    return f"{finder.found.name()}{place_of(finder.found)}"


# Graphs


@dataclass(frozen=True)
class NodeRow:
    """The live nodes of one kind.

    Attributes:
        name: The name of the nodes.
        place: The line that made them, where lines are remembered.
        count: How many there are.
        saved: How many tensors they keep.
        bytes: How many bytes these take; memory that is shared counts once.
    """

    name: str
    place: str
    count: int
    saved: int
    bytes: int


class GraphStats(Report):
    """What is alive of recorded graphs, as a table, the largest first.

    Attributes:
        rows: A `NodeRow` per kind of node and line.
        nodes: How many nodes there are.
        graphs: How many of them nobody uses: each is the end of a graph that somebody holds.
        bytes: How many bytes are kept for backward passes.
    """

    rows: list[NodeRow]

    def __init__(self, rows: list[NodeRow], graphs: int, size: int) -> None:
        self.rows, self.graphs, self.bytes = rows, graphs, size
        self.nodes = sum(row.count for row in rows)

    def __str__(self) -> str:
        placed = any(row.place for row in self.rows)
        cells = [
            [row.name, *([row.place] if placed else []), row.count, row.saved,
             bytes_text(row.bytes)]
            for row in self.rows
        ]  # fmt: skip
        header = ["node", *(["made at"] if placed else []), "count", "saved tensors", "bytes"]
        return (
            f"{self.nodes} nodes in {self.graphs} graph(s) keep {bytes_text(self.bytes)}\n"
            + table(header, cells, left=1 + placed)
        )


def graph_stats(root: Any = None) -> GraphStats:
    """Return a table of the graphs that are alive: nodes, and the memory of what they save.

    Args:
        root: A tensor: then only the graph behind it.

    Returns:
        The table, by kind of node; and by line, of nodes made under `track_origins` or in anomaly
        mode. What is saved by several nodes counts for the first.

    >>> import chainrule as cr
    >>> x = cr.ones(256, requires_grad=True)
    >>> loss = (x.exp() * 2).sum()
    >>> graph_stats(loss)
    3 nodes in 1 graph(s) keep 1.0 KiB
    node          count  saved tensors    bytes
    ------------  -----  -------------  -------
    ExpBackward0      1              1  1.0 KiB
    SumBackward0      1              0      0 B
    MulBackward0      1              0      0 B
    """
    nodes = live_nodes() if root is None else walk(root.grad_fn)
    used = {target for node in nodes for target, number in edges_of(node) if number != LEAF}
    counts: Counter[tuple[str, str]] = Counter()
    saved: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    seen: set[int] = set()
    for node in nodes:
        kind = node.name(), place_of(node).removeprefix(" at ")
        counts[kind] += 1
        for _, tensor in saved_tensors(node):
            saved[kind] += 1
            memory = id(tensor._array) if tensor._base is None else id(tensor._base._array)
            if memory not in seen and not _is_parameter(tensor):
                seen.add(memory)
                sizes[kind] += bytes_of(tensor)
    rows = [NodeRow(*kind, counts[kind], saved[kind], sizes[kind]) for kind in counts]
    rows.sort(key=lambda row: -row.bytes)
    return GraphStats(rows, sum(node not in used for node in nodes), sum(sizes.values()))


def _is_parameter(tensor: Any) -> bool:
    """Return whether a saved tensor is a leaf that requires grad: it is there with or without."""
    return tensor._requires_grad and tensor._node is None


# Parameters


@dataclass(frozen=True)
class ParameterRow:
    """One parameter.

    Attributes:
        name: Its path in the module.
        shape: Its shape.
        dtype: Its data type.
        count: How many elements it has.
        trainable: Whether it requires grad.
        shared: Under which name it was listed before, if it is shared.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    count: int
    trainable: bool
    shared: str | None = None


class TrainableSummary(Report):
    """The parameters of a module, trainable or frozen, as a table.

    Attributes:
        rows: A `ParameterRow` per parameter.
        trainable: How many elements require grad.
        frozen: How many do not.
    """

    rows: list[ParameterRow]

    def __init__(self, rows: list[ParameterRow]) -> None:
        self.rows = rows
        own = [row for row in rows if row.shared is None]
        self.trainable = sum(row.count for row in own if row.trainable)
        self.frozen = sum(row.count for row in own if not row.trainable)

    def __str__(self) -> str:
        cells = [
            [row.name, list(row.shape), row.dtype, "yes" if row.trainable else "no",
             f"{row.count:,}" if row.shared is None else f"shared with {row.shared}"]
            for row in self.rows
        ]  # fmt: skip
        total = self.trainable + self.frozen
        share = f" ({100 * self.trainable / total:.1f} %)" if total else ""
        return (
            table(["parameter", "shape", "dtype", "trainable", "elements"], cells, left=4)
            + f"\n{self.trainable:,} of {total:,} elements are trainable{share}"
        )


def trainable_summary(model: Any) -> TrainableSummary:
    """Return a table of the parameters of *model*: shape, dtype, trainable or frozen.

    Args:
        model: A module.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(cr.nn.Linear(2, 8), cr.nn.Linear(8, 1))
    >>> model[0].requires_grad = False
    >>> trainable_summary(model)
    parameter  shape   dtype    trainable  elements
    ---------  ------  -------  ---------  --------
    0.weight   [8, 2]  float32  no               16
    0.bias     [8]     float32  no                8
    1.weight   [1, 8]  float32  yes               8
    1.bias     [1]     float32  yes               1
    9 of 33 elements are trainable (27.3 %)
    """
    rows = []
    first: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
    names: dict[int, str] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        shared = names.get(id(parameter)) if first.get(id(parameter)) is parameter else None
        first[id(parameter)] = parameter
        names.setdefault(id(parameter), name)
        rows.append(
            ParameterRow(
                name,
                tuple(parameter._array.shape),
                parameter._key.dtype.name,
                parameter.numel(),
                parameter.requires_grad,
                shared,
            )
        )
    return TrainableSummary(rows)


def saved_text(node: Node) -> str:
    """Return what *node* keeps, in words: names and bytes."""
    if is_freed(node):
        return "freed"
    found = [(name, bytes_of(tensor)) for name, tensor in saved_tensors(node)]
    if not found:
        return ""
    names = ", ".join(dict.fromkeys(op_name(name) for name, _ in found))
    return f"saves {names} ({bytes_text(sum(size for _, size in found))})"
