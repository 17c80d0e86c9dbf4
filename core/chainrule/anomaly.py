"""Anomaly mode: which operation of the forward pass is behind a gradient that is not a number.

While it is on, every new node remembers the lines that made it, every write into memory the lines
that wrote (traces.py), and every backward pass is watched: the first node that fails, or gives a
NaN, is reported with its lines. While it is off it does not exist: the function that numbers nodes
is another one, and a pass has no watcher.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Final, Self

from . import graph, ops, traces
from ._warn import warn
from .errors import AnomalyError, ArgumentError
from .grad_mode import mode
from .graph import LEAF, Node
from .traces import TracedNumber, current, levels_out, state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ON_ENTRY: Final = (
    "Anomaly Detection has been enabled. This mode will increase the runtime and should only be "
    "enabled for debugging."
)
_NO_LINES: Final = (
    "No forward pass information available. Enable detect anomaly during forward pass for more "
    "information."
)

plain_sequence: Final = graph.next_sequence


def _traced_sequence() -> int:
    number = TracedNumber(plain_sequence())
    number.trace, number.parent = traces.here(), current.node
    return number


class _Options:
    check_nan = True


def is_anomaly_enabled() -> bool:
    """Return whether anomaly mode is on.

    >>> is_anomaly_enabled()
    False
    """
    return state.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Return whether anomaly mode, where it is on, looks for NaN."""
    return _Options.check_nan


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """Switch anomaly mode on or off, for all threads.

    Raises:
        TypeError: an argument is no bool.
    """
    names = ("enabled", "check_nan")
    for position, (name, flag) in enumerate(zip(names, (enabled, check_nan), strict=True), 1):
        if not isinstance(flag, bool):
            msg = (
                f"set_anomaly_enabled(): argument '{name}' (position {position}) must be bool, "
                f"not {type(flag).__name__}"
            )
            raise ArgumentError(msg)
    _Options.check_nan, state.anomaly = check_nan, enabled
    watch_passes(Watcher, watched=enabled)
    remember_lines()


def remember_lines() -> None:
    """Let new nodes remember the lines that made them, if somebody wants that, else not."""
    state.enabled = state.anomaly or state.origins
    wanted: Callable[[], int] = _traced_sequence if state.enabled else plain_sequence
    for name, module in list(sys.modules.items()):
        if name.startswith(__package__ or "chainrule") and "next_sequence" in vars(module):
            vars(module)["next_sequence"] = wanted


class _AnomalyMode:
    """What both switches do in a ``with`` block."""

    prev: bool
    prev_check_nan: bool

    def _remember(self) -> None:
        self.prev, self.prev_check_nan = state.anomaly, _Options.check_nan

    def __exit__(self, *exc: object) -> None:
        set_anomaly_enabled(self.prev, self.prev_check_nan)


class detect_anomaly(_AnomalyMode):  # noqa: N801 - PyTorch's name
    """A ``with`` block that tells which operation a failing or NaN gradient comes from.

    Args:
        check_nan: Raise where a node returns NaN.

    Raises:
        RuntimeError: in a backward pass, at the first node that returns NaN.

    >>> import chainrule as cr, warnings
    >>> x = cr.tensor([0.0], requires_grad=True)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     try:
    ...         with detect_anomaly():
    ...             (x.abs().log() * 0).sum().backward()
    ...     except RuntimeError as error:
    ...         print(str(error).splitlines()[0])
    Function 'LogBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._remember()
        self.check_nan = check_nan
        warn(_ON_ENTRY, UserWarning, stacklevel=2)

    def __enter__(self) -> None:
        set_anomaly_enabled(True, self.check_nan)


class set_detect_anomaly(_AnomalyMode):  # noqa: N801 - PyTorch's name
    """Switch anomaly mode as a plain call, or for a ``with`` block.

    Args:
        mode: Whether it is on.
        check_nan: Raise where a node returns NaN.

    >>> with set_detect_anomaly(True, check_nan=False):
    ...     is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._remember()
        set_anomaly_enabled(mode, check_nan)

    def __enter__(self) -> Self:
        return self


class Watcher:
    """Watches one backward pass."""

    def __init__(self) -> None:
        self.check_nan = _Options.check_nan
        self.under_where: dict[Node, Node] = {}  # nodes that a selection sent its gradient to

    def run(self, node: Node, grad: Any, run: Callable[[Node, Any], None]) -> None:
        """Run a node; if that fails, tell where the node comes from."""
        before, current.node = current.node, node
        try:
            run(node, grad)
        except Exception:
            _report(node)
            raise
        finally:
            current.node = before

    def check(self, node: Node, grad: Any, results: Sequence[Any]) -> None:
        """Raise if one of the gradients that *node* returns has a NaN."""
        selection = node if node.name().startswith("WhereBackward") else self.under_where.get(node)
        for position, (edge, result) in enumerate(zip(node._edges, results, strict=False)):
            if selection is not None and edge is not None and edge[1] != LEAF:
                self.under_where.setdefault(edge[0], selection)
            if self.check_nan and result is not None and result._key.floating and _has_nan(result):
                raise self._error(node, position, grad, result, selection)

    def _error(
        self, node: Node, position: int, grad: Any, result: Any, selection: Node | None
    ) -> AnomalyError:
        name = node.name()
        hint = _hint(grad, result, selection)
        trace = traces.trace_of(node)
        where = "" if trace is None else f" It was made at {trace.place()}."
        msg = (
            f"Function '{name}' returned nan values in its {position}th output.\n"
            f"{name}: the gradient for its input number {position}, of shape "
            f"{tuple(result._array.shape)}, is not a number in places.{where}"
            f"{' ' if hint else ''}{hint}"
        )
        return AnomalyError(msg, op=name, output=position, hint=hint)


#: What makes the watchers of each backward pass; they have the methods of `Watcher`.
_makers: Final[list[Callable[[], Any]]] = []


class _Watchers:
    """Several watchers of one pass, the first of them outermost."""

    def __init__(self, watchers: list[Any]) -> None:
        self.watchers = watchers

    def run(self, node: Node, grad: Any, run: Callable[[Node, Any], None]) -> None:
        """Run a node inside of all of them."""
        for watcher in reversed(self.watchers):
            run = functools.partial(watcher.run, run=run)
        run(node, grad)

    def check(self, node: Node, grad: Any, results: Sequence[Any]) -> None:
        """Show all of them what *node* returned."""
        for watcher in self.watchers:
            watcher.check(node, grad, results)


def watch_passes(make: Callable[[], Any], *, watched: bool = True) -> None:
    """Let ``make()`` watch each backward pass from now on, or no more."""
    if make in _makers:
        _makers.remove(make)
    if watched:
        _makers.append(make)


def watcher() -> Any:
    """Return what watches a backward pass that begins now, or None."""
    if not _makers:
        return None
    made = [make() for make in _makers]
    return made[0] if len(made) == 1 else _Watchers(made)


def _unrecorded(function: Callable[[], Any]) -> Any:
    before, mode.enabled = mode.enabled, False
    try:
        return function()
    finally:
        mode.enabled = before


def _has_nan(tensor: Any) -> bool:
    return bool(_unrecorded(lambda: ops.any(ops.isnan(tensor)).item()))


def _hint(grad: Any, result: Any, selection: Node | None) -> str:
    """Return what the NaN probably comes from, if it shows."""
    if isinstance(grad, list) or grad is None:
        return ""
    if _has_nan(grad):
        return "The gradient that it was given was no number already: see hooks and gradient=."
    if grad._array.shape != result._array.shape:
        return ""
    alone = _unrecorded(lambda: ops.any(ops.logical_and(ops.isnan(result), ops.eq(grad, 0))).item())
    if not alone:
        return ""
    if selection is None:
        return "Where it is not a number the gradient it was given is zero: zero times infinity."
    return (
        "Where it is not a number the gradient it was given is zero: zero times infinity, in the "
        f"branch that {selection.name()} did not select. A branch that is not selected is "
        "differentiated all the same: put a harmless value into its input there, as in "
        "where(mask, f(where(mask, x, 1)), other)."
    )


def _report(node: Node) -> None:
    """Warn with the lines that made *node*, and those that made the nodes it was made by."""
    trace, name, level = traces.trace_of(node), node.name(), levels_out()
    if trace is None:
        _tell(f"Error detected in {name}. {_NO_LINES}", level)
    else:
        text = f"Error detected in {name}. Traceback of forward call that caused the error:\n"
        _tell(text + "".join(trace.format()), level)
    parent = getattr(node._seq, "parent", None)
    while parent is not None:
        trace = traces.trace_of(parent)
        text = f"\n\nPrevious calculation was induced by {parent.name()}. "
        text += (
            _NO_LINES if trace is None
            else "Traceback of forward call that induced the previous calculation:\n"
            + "".join(trace.format())
        )  # fmt: skip
        _tell(text, level)
        parent = getattr(parent._seq, "parent", None)


def _tell(text: str, level: int) -> None:
    """Warn; where warnings are errors write to stderr, since another error is on its way."""
    try:
        warn(text, UserWarning, stacklevel=level + 1)
    except UserWarning:
        sys.stderr.write(f"UserWarning: {text}\n")
