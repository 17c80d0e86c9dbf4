"""Warnings about slips that give no error: `lint`."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any, Final

from .. import anomaly, graph, traces
from .._warn import warn
from ..graph import LEAF
from ..nn.parameter import Parameter
from ..optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from ..value import Value, times_written
from ..watching import unwatch, watch
from ._live import live_nodes, saved_tensors
from ._naming import ByIdentity, name_of, op_name, place_of
from ._observing import observe, unobserve
from ._passes import observe_passes, unobserve_passes
from ._switching import Switch
from .origins import is_freed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..graph import Edge, Node

__all__ = ["LintWarning", "is_linting", "lint"]

#: Differences and comparisons, where a column meets a row by mistake.
_PAIRWISE: Final = frozenset({"cr::sub", "cr::rsub", "cr::eq", "cr::ne"})
#: Graphs of how many earlier steps may be alive.
_STEPS: Final = 3
#: How many notes are kept before those on what is gone are thrown away.
_FIRST_PRUNING: Final = 64
#: After how many steps live graphs are looked for again: that is not quick.
_EVERY: Final = 10


class LintWarning(UserWarning):
    """A slip that gives no error."""


class _Savers:
    """The nodes that save one memory, held weakly."""

    __slots__ = ("references", "room")

    def __init__(self) -> None:
        self.references: list[weakref.ref[Node]] = []
        self.room = _FIRST_PRUNING

    def add(self, node: Node) -> None:
        """Add a node; from time to time, forget those that are gone."""
        if len(self.references) >= self.room:
            self.references = [weakref.ref(waiting) for waiting in self.waiting()]
            self.room = 2 * len(self.references) + _FIRST_PRUNING
        self.references.append(weakref.ref(node))

    def waiting(self) -> list[Node]:
        """Return the nodes that are there and were not freed yet, the youngest first."""
        found = (reference() for reference in reversed(self.references))
        return [node for node in found if node is not None and not is_freed(node)]


class _Linter:
    """What is remembered while the lint is on; every warning is given once per line or name."""

    def __init__(self) -> None:
        self.said: set[object] = set()
        self.savers: dict[int, _Savers] = {}  # of memory, by identity
        self.room = _FIRST_PRUNING  # for how many memories, before the dict is looked through
        self.data_of: ByIdentity[weakref.ref[Any]] = ByIdentity()
        self.used: ByIdentity[tuple[weakref.ref[Any], int]] = ByIdentity()  # .grad, at a step
        self.stale: ByIdentity[str] = ByIdentity()  # where a used .grad was added to
        self.steps: dict[int, list[int]] = {}  # of optimizers: the numbers of nodes at each step
        self.handles: list[Any] = []

    def say(self, key: object, text: str) -> None:
        """Warn, once per *key* and line."""
        place = traces.here().place()
        if (key, place) in self.said:
            return
        self.said.add((key, place))
        warn(f"{text} (at {place})", LintWarning, stacklevel=traces.levels_out())

    # Nodes

    def node_is_made(self, node: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """Remember which node saves which memory."""
        for item in saved:
            for tensor in item if isinstance(item, (tuple, list)) else (item,):
                if isinstance(tensor, Value):
                    self._saves(node, _memory(tensor))
        return saved

    def _saves(self, node: Node, memory: int) -> None:
        known = self.savers.get(memory)
        if known is None:
            if len(self.savers) >= self.room:
                self.savers = {m: s for m, s in self.savers.items() if s.waiting()}
                self.room = 2 * len(self.savers) + _FIRST_PRUNING
            known = self.savers[memory] = _Savers()
        known.add(node)

    def saver_of(self, tensor: Any) -> Node | None:
        """Return a node that keeps the memory of *tensor* for a pass that is still to come."""
        memory = _memory(tensor)
        savers = self.savers.get(memory)
        for node in () if savers is None else savers.waiting():
            if any(_memory(kept) == memory for _, kept in saved_tensors(node)):
                return node
        return None

    # Operations

    def before(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Remember what an in-place operation starts from."""
        if not name.endswith("_") or not args or not isinstance(args[0], Value):
            return None
        return (self.saver_of(args[0]),)

    def failed(self, token: Any, name: str) -> None:
        """Nothing to say."""

    def after(
        self, token: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> None:
        """Look at a call that ended."""
        if name == "data":
            self.data_of[result] = weakref.ref(args[0])
        elif token is not None:
            self._written(op_name(name), args[0], token[0])
        elif name in _PAIRWISE and len(args) > 1:
            self._paired(op_name(name), args[0], args[1], result)

    def _written(self, name: str, target: Any, saver: Node | None) -> None:
        if traces.here().is_ours("optim"):  # `step_ended` looks at what steps write
            return
        root = target if target._base is None else target._base
        reference = self.data_of.get(root)
        source = None if reference is None else reference()
        if source is not None:
            keeper = saver or self.saver_of(source)
            if keeper is not None:
                self.say(
                    ".data",
                    f"{name}() wrote through .data into a tensor that {keeper.name()}"
                    f"{place_of(keeper)} saved: its gradient will be wrong, and nothing will tell. "
                    "Use detach() in place of .data, or write after backward().",
                )
        elif saver is not None and self.saver_of(target) is saver:
            self.say(
                "in place",
                f"{name}() wrote into a tensor that {saver.name()}{place_of(saver)} saved: "
                "backward() through that node will raise. Use the operation without the "
                "underscore, or write after backward().",
            )

    def _paired(self, name: str, left: Any, right: Any, result: Any) -> None:
        if not (isinstance(left, Value) and isinstance(right, Value) and isinstance(result, Value)):
            return
        one, other = tuple(left._array.shape), tuple(right._array.shape)
        if len(one) > len(other):
            one, other = other, one
        if len(one) == 1 and one[0] > 1 and other == (one[0], 1):
            self.say(
                "broadcast",
                f"{name}() of shapes {tuple(left._array.shape)} and {tuple(right._array.shape)} "
                f"gave {tuple(result._array.shape)}: every element met every other. If they belong "
                "together one by one, squeeze(1) the one or unsqueeze(1) the other.",
            )

    # Passes

    def begins(self, roots: Sequence[Edge]) -> None:
        """Look at what a pass starts from."""
        if roots and all(
            number == LEAF and not isinstance(target, Parameter) for target, number in roots
        ):
            self.say(
                "leaf root",
                "backward() was called on a leaf: it reaches no other tensor, and no parameter "
                "gets a gradient. Setting requires_grad=True on a result does not bring its "
                "history back; see chainrule.explain_grad().",
            )

    def arrives(self, leaf: Any, grad: Any) -> None:
        """Look at what a gradient is added to."""
        known = self.used.get(leaf)
        if known is None:
            return
        reference, version = known
        used = reference()
        if used is not None and used is leaf._grad and times_written(used) == version:
            self.stale[leaf] = traces.here().place()

    def added(self, leaf: Any) -> None:
        """Nothing to say."""

    # Steps

    def step_begins(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Look at the gradients that a step is about to use."""
        params = [p for group in optimizer.param_groups for p in group["params"]]
        wanted = [p for p in params if p._requires_grad]
        missing = [p for p in wanted if p._grad is None]
        step = f"{type(optimizer).__name__}.step()"
        if missing and len(missing) < len(wanted):
            names = _listed(optimizer, missing)
            self.say(
                ("missing", names),
                f"{step}: no gradient reached {names}. Were they used by the loss? "
                "chainrule.explain_grad() and autograd.grad_report() tell more.",
            )
        stale = [p for p in params if self.stale.pop(p) is not None]
        if stale:
            self.say(
                "stale",
                f"{step}: the gradient of {_listed(optimizer, stale)} still holds what an earlier "
                "step used: backward() ran again without zero_grad() in between.",
            )

    def step_ended(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Remember which gradients a step used, and what it wrote into."""
        step = f"{type(optimizer).__name__}.step()"
        for param in (p for group in optimizer.param_groups for p in group["params"]):
            if param._grad is None:
                continue
            self.used[param] = weakref.ref(param._grad), times_written(param._grad)
            saver = self.saver_of(param)
            if saver is not None and param._requires_grad:
                self.say(
                    "step",
                    f"{step} wrote into {_listed(optimizer, [param])}, which {saver.name()}"
                    f"{place_of(saver)} saved, and no backward pass went that graph yet: one that "
                    "does will raise. Go backward through all losses before the step.",
                )
        self._look_for_old_graphs(optimizer)

    def _look_for_old_graphs(self, optimizer: Any) -> None:
        """Warn if graphs of several earlier steps are alive."""
        numbers = self.steps.setdefault(id(optimizer), [])
        numbers.append(int(graph.next_sequence()))
        if len(numbers) % _EVERY or len(numbers) < _EVERY:
            return
        limit = numbers[-1 - _STEPS]
        old = [node for node in live_nodes() if numbers[0] < node._seq < limit]
        if len({_step_of(node, numbers) for node in old}) >= _STEPS:
            node = old[-1]
            self.say(
                "growth",
                f"the graphs of {len({_step_of(n, numbers) for n in old})} earlier steps are still "
                f"alive, {len(old)} nodes: what was made by {node.name()}{place_of(node)} is held. "
                "Add up loss.item() or loss.detach() rather than losses; autograd.graph_stats() "
                "tells what is alive.",
            )


def _step_of(node: Node, numbers: list[int]) -> int:
    return sum(number < node._seq for number in numbers)


def _memory(tensor: Any) -> int:
    """Return what stands for the memory that *tensor* looks into."""
    return id(tensor._array if tensor._base is None else tensor._base._array)


def _listed(optimizer: Any, params: list[Any]) -> str:
    """Return the names of *params*, as the optimizer or the program knows them."""
    given: dict[int, str] = {}
    for group in optimizer.param_groups:
        given.update(
            (id(p), n) for p, n in zip(group["params"], group.get("param_names", ()), strict=False)
        )
    names = [given.get(id(p)) or name_of(p) or f"a {list(p.shape)} parameter" for p in params]
    rest = len(names) - 5
    return ", ".join(names[:5]) + (f" and {rest} more" if rest > 0 else "")


class _WrittenGradients:
    """A watcher of a pass: was a gradient written to on its way?"""

    def run(self, node: Node, grad: Any, run: Callable[[Node, Any], None]) -> None:
        """Run a node between two looks at what it was given."""
        grads = [g for g in (grad if isinstance(grad, list) else [grad]) if isinstance(g, Value)]
        before = [times_written(g) for g in grads]
        run(node, grad)
        for given, version in zip(grads, before, strict=True):
            if times_written(given) != version and linter is not None:
                by = getattr(given._storage, "written", None)
                linter.say(
                    ("gradient", node.name()),
                    f"the gradient that arrived at {node.name()}{place_of(node)} was written to "
                    f"{f'by {by}() ' if isinstance(by, str) else ''}while the node ran: others may "
                    "share its memory. A hook should return a new tensor.",
                )

    def check(self, node: Node, grad: Any, results: Sequence[Any]) -> None:
        """Nothing is checked."""


linter: _Linter | None = None


def is_linting() -> bool:
    """Return whether slips are warned of.

    >>> is_linting()
    False
    """
    return linter is not None


def _switch(enabled: bool) -> None:
    if enabled == is_linting():
        return
    module = sys.modules[__name__]
    if enabled:
        made = _Linter()
        vars(module)["linter"] = made
        observe(made)
        observe_passes(made)
        watch(made.node_is_made)
        anomaly.watch_passes(_WrittenGradients)
        made.handles = [
            register_optimizer_step_pre_hook(made.step_begins),
            register_optimizer_step_post_hook(made.step_ended),
        ]
        return
    made = linter  # type: ignore[assignment]  # it is there, since the lint is on
    unobserve(made)
    unobserve_passes(made)
    unwatch(made.node_is_made)
    anomaly.watch_passes(_WrittenGradients, watched=False)
    for handle in made.handles:
        handle.remove()
    vars(module)["linter"] = None


class lint(Switch):  # noqa: N801 - reads as the other switches do
    """Warn of slips that give no error, as a plain call or for a ``with`` block. Off by default.

    What is warned of, as a `LintWarning`, once per line:

    - ``backward()`` adds to gradients that a step has used already: ``zero_grad()`` is missing;
    - a step in which a parameter that requires grad has no gradient;
    - a write through ``.data`` into a tensor that a graph saved: the gradient will be wrong;
    - a write in place, or by a step, into a tensor that a graph saved: ``backward()`` will raise;
    - a difference or comparison of shapes (N, 1) and (N,), which is of shape (N, N);
    - ``backward()`` on a leaf that is no parameter: it reaches nothing;
    - a gradient that a hook wrote into while it was on its way;
    - graphs of several earlier steps that are still alive.

    As any warning, it can be made an error: ``warnings.simplefilter("error", LintWarning)`` lets a
    write that will spoil a gradient raise where it happens.

    Args:
        enabled: Whether it is on.

    >>> import chainrule as cr, warnings
    >>> with lint(), warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     prediction, target = cr.ones(3, 1, requires_grad=True), cr.ones(3)
    ...     loss = (prediction - target).pow(2).mean()
    >>> print(str(caught[0].message).partition(":")[0])
    sub() of shapes (3, 1) and (3,) gave (3, 3)
    """

    @staticmethod
    def _apply(enabled: bool) -> None:
        _switch(enabled)
