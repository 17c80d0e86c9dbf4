"""The graph that operations leave behind: nodes, and what they saved for the backward pass."""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, NoReturn, Self, cast

from . import traces
from . import value as _value
from .errors import ArgumentError, GraphFreedError, SavedTensorModifiedError
from .grad_mode import mode as _mode
from .hooks import HookDict, LeafHooks, RemovableHandle, add_hook
from .saved import Packed, SavedTensor, is_packed, unpacked
from .value import Value, new_value, storage_of
from .views import refresh

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .backend import DispatchKey

# Note [Edges]: where a node points to
# -------------------------------------
# A node has one edge per tensor input: a pair (target, output number). The target is the node that
# made the input; or, for a leaf that requires grad, the leaf itself with the number LEAF; or None.
# Leaves stand in the graph themselves because a leaf and its AccumulateGrad would otherwise hold
# each other alive. `next_functions` shows the AccumulateGrad that PyTorch users know.

# Note [Saving an output]
# -----------------------
# The derivative of exp is its own result. Were the node to hold that result as it is, the result
# would hold the node and the node the result, and only the garbage collector could free the pair.
# So the node holds another tensor object over the same array, without the node, and puts the node
# back whenever the saved output is read. That is why `y is y.grad_fn._saved_result` is False,
# while an *input* is saved as itself.

# Note [Versions]: what was written since
# ----------------------------------------
# Saving costs no copy, so a later in-place write would change what a rule reads. The node keeps
# the version of every tensor it saves and compares on unpacking. None stands for "all zero".

LEAF: Final = -1
_new = object.__new__

#: Stands in place of the versions when what was saved is gone.
FREED: Final[Any] = type("FREED", (), {"__slots__": ()})()

next_sequence: Final = itertools.count(1).__next__

FREED_MESSAGE: Final = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)

REGISTER_FREED: Final = (
    "Calling register_hooks on a saved tensor after it has been freed. Saved intermediate values "
    "of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to "
    "access saved variables after calling backward."
)

Edge = tuple[Any, int]  # Note [Edges]


class Extras:
    """What few nodes have: hooks, tensors whose gradient is retained, notes."""

    __slots__ = ("hooks", "metadata", "pre_hooks", "retained", "tensor_hooks")

    def __init__(self) -> None:
        self.hooks = HookDict()
        self.pre_hooks = HookDict()
        self.tensor_hooks: dict[int, HookDict] = {}
        self.retained: dict[int, weakref.ref[Any]] = {}
        self.metadata: dict[Any, Any] = {}

    def has_hooks(self) -> bool:
        """Return whether somebody's function runs with the node."""
        return bool(self.hooks or self.pre_hooks or self.tensor_hooks)


class InputMetadata:
    """What a node knows of one gradient that it takes: `shape`, `dtype` and `device`."""

    __slots__ = ("device", "dtype", "is_cpp_nested_tensor", "is_nested_tensor", "shape")

    def __init__(self, shape: tuple[int, ...], key: DispatchKey) -> None:
        self.shape, self.dtype, self.device = list(shape), key.dtype, key.device
        self.is_nested_tensor = self.is_cpp_nested_tensor = False


class Node:
    """One recorded operation: where its inputs came from, and how to pull a gradient back.

    Abstract: `OpNode` is an op's, `FunctionNode` (function.py) a user's, `AccumulateGrad` a leaf's.
    """

    __slots__ = ("__weakref__", "_edges", "_extras", "_key", "_outputs", "_seq", "_shape")

    _edges: tuple[Edge | None, ...]
    _seq: int
    _shape: tuple[int, ...]
    _key: DispatchKey
    _outputs: tuple[tuple[tuple[int, ...], DispatchKey], ...] | None  # of several, else None
    _extras: Extras | None
    _plan: Any = None  # op.Plan, for the nodes of ops

    def __new__(cls) -> Self:
        """Refuse to make a node of no kind: nodes are made by operations."""
        if cls is Node:
            msg = "Can't instantiate abstract class Node: nodes are made by operations."
            raise TypeError(msg)
        return _new(cls)

    def __lt__(self, other: Node) -> bool:
        """Return False: a node and its copy have one number, and either may run first."""
        return False

    def name(self) -> str:
        """Return the name that PyTorch gives a node of this kind."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes that the gradient goes on to, one per tensor input, with the output number."""
        return tuple(
            (None, 0) if edge is None
            else (AccumulateGrad.of(edge[0]), 0) if edge[1] == LEAF
            else edge
            for edge in self._edges
        )  # fmt: skip

    @property
    def extras(self) -> Extras:
        """Return the node's hooks and notes, made on first use."""
        if self._extras is None:
            self._extras = Extras()
        return self._extras

    @property
    def metadata(self) -> dict[Any, Any]:
        """Notes that a user may leave on the node, and what anomaly mode left there.

        That is ``traceback_``, the lines that made the node, and ``parent_``, the node during
        whose backward it was made.
        """
        notes, trace = self.extras.metadata, traces.trace_of(self)
        if trace is not None and "traceback_" not in notes:
            notes["traceback_"] = trace.format()
            if self._seq.parent is not None:  # type: ignore[attr-defined]  # a TracedNumber
                notes["parent_"] = self._seq.parent  # type: ignore[attr-defined]  # likewise
        return notes

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn(grad_inputs, grad_outputs)`` afterwards; its result replaces *grad_inputs*."""
        return add_hook(self.extras.hooks, fn)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn(grad_outputs)`` before the node; what it returns replaces them."""
        return add_hook(self.extras.pre_hooks, fn)

    def _sequence_nr(self) -> int:
        return int(self._seq)

    @property
    def _input_metadata(self) -> tuple[InputMetadata, ...]:
        """Return shape, dtype and device of every gradient that the node takes."""
        count = 1 if self._outputs is None else len(self._outputs)
        return tuple(InputMetadata(*self.output_meta(number)) for number in range(count))

    def output_meta(self, number: int) -> tuple[tuple[int, ...], DispatchKey]:
        """Return shape and key of one output."""
        return (self._shape, self._key) if self._outputs is None else self._outputs[number]

    def apply(self, grad: Any, wanted: Sequence[bool] | None) -> Sequence[Any]:
        """Return a gradient for every edge, None where there is none or none is *wanted*.

        *grad* is the gradient of the output, or a list of them where there are several outputs.
        """
        raise NotImplementedError

    def release(self) -> None:
        """Drop what was saved."""

    def __call__(self, *grads: Any) -> Any:
        """Return the gradients of the inputs for those of the outputs, as PyTorch's nodes do."""
        self._check_arguments(grads)
        results = tuple(self.apply(grads[0] if self._outputs is None else list(grads), None))
        return results[0] if len(results) == 1 else results

    def _check_arguments(self, grads: Sequence[Any]) -> None:
        expected = 1 if self._outputs is None else len(self._outputs)
        if len(grads) != expected:
            msg = f"expected {expected} arguments, got {len(grads)} instead"
            raise ArgumentError(msg)
        for position, grad in enumerate(grads):
            if grad is not None and not isinstance(grad, Value):
                msg = f"argument {position} is not a Variable"
                raise ArgumentError(msg)


#: Nodes whose name PyTorch gives with a namespace.
_IN_NAMESPACE: Final = frozenset({"CopyBackwards", "CopySlices", "NotImplemented"})


class OpNode(Node):
    """A recorded op. A subclass is made per op and overload, and carries its name."""

    __slots__ = ("_plan", "_saved", "_versions")

    _saved: tuple[Any, ...]
    _versions: Any  # a tuple aligned with _saved; None for all zero; FREED
    #: Whether anything with a history was ever detached in place: what was saved may have been.
    any_detached: ClassVar[bool] = False

    def name(self) -> str:
        """Return the name that PyTorch gives a node of this kind."""
        name = type(self).__name__
        return f"torch::autograd::{name}" if name in _IN_NAMESPACE else name

    def apply(self, grad: Any, wanted: Sequence[bool] | None) -> Sequence[Any]:
        """Return a gradient for every edge, as the op's rules state them: nothing for nothing."""
        if grad is None or (self._outputs is not None and all(g is None for g in grad)):
            return [None] * len(self._edges)
        return self._plan.pull(self, grad, self.unpack(), wanted)  # type: ignore[no-any-return]  # a layer above

    def unpack(self) -> tuple[Any, ...]:
        """Return the saved values after checking that nobody wrote into them."""
        saved, versions, plan = self._saved, self._versions, self._plan
        if versions is FREED:
            raise freed_error(self)
        packed = False
        for slot in plan.tensor_slots:
            item = saved[slot]
            try:
                storage = item._storage
            except AttributeError:  # packed, a list of tensors, or a number or None for a tensor
                packed = packed or is_packed(item)
                self._check_items(item, versions[slot] if versions else None)
                continue
            if storage is not None and storage.version != (versions[slot] if versions else 0):
                _raise_modified(self, item, versions[slot] if versions else 0, self._origin(slot))
        if packed:
            saved = unpacked(saved)
        if _mode.enabled:
            if plan.result_slots:
                saved = self._with_history(saved)
            if OpNode.any_detached:
                saved = self._with_edges(saved)
        return saved

    def _with_history(self, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return *saved* with the node put back on its own outputs. Note [Saving an output]."""
        items = list(saved)
        for slot, number in self._plan.result_slots:
            if items[slot] is not None:
                items[slot] = with_history(items[slot], self, number)
        return tuple(items)

    def _with_edges(self, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return *saved*, each input with the history that it had, if it was detached since."""
        if self._plan.op.has_lists:
            return saved
        items = list(saved)
        for (slot, _), edge in zip(self._plan.edged, self._edges, strict=True):
            item = items[slot]
            if isinstance(item, Value) and edge and edge[1] != LEAF and not item._requires_grad:
                items[slot] = with_history(item, *edge)
        return tuple(items)

    def _check_items(self, items: Any, versions: Any) -> None:
        """Check the versions of a list of saved tensors."""
        if isinstance(items, (tuple, list)):
            for position, tensor in enumerate(items):
                if isinstance(tensor, Value):
                    check_version(tensor, versions[position] if versions else 0, self)

    def _origin(self, slot: int) -> tuple[str, int] | None:
        for result_slot, number in self._plan.result_slots:
            if slot == result_slot:
                return type(self).__name__, number
        return None

    def release(self) -> None:
        """Drop what was saved."""
        plan = self._plan
        if plan.frees and self._versions is not FREED:
            self._saved, self._versions = plan.strip(self._saved), FREED

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_"):
            return self._read_saved(name.removeprefix("_saved_"))
        if name.startswith("_raw_saved_"):
            return self._raw_saved(name.removeprefix("_raw_saved_"))
        msg = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(msg)

    def _read_saved(self, name: str) -> Any:
        plan = self._plan
        if name not in plan.readable:
            msg = f"{type(self).__name__!r} object has no attribute '_saved_{name}'"
            raise AttributeError(msg)
        slot = plan.readable[name]
        if slot in plan.static_slots:
            if self._versions is FREED and plan.wraps(slot):
                raise freed_error(self)
            return plan.present(self, name, self._saved[slot])
        if slot not in plan.tensor_slots:
            return None
        with _Recording():
            return self.unpack()[slot]

    def _raw_saved(self, name: str) -> Any:
        """Return what stands for a saved tensor, or a tuple of them for a list, to register on."""
        plan = self._plan
        slot = plan.readable.get(name)
        if slot is None or slot in plan.static_slots:
            msg = f"{type(self).__name__!r} object has no attribute '_raw_saved_{name}'"
            raise AttributeError(msg)
        items = self._saved[slot] if slot in plan.tensor_slots and self._saved else None
        if isinstance(items, (tuple, list)):
            return tuple(self._raw_at(slot, position) for position in range(len(items)))
        return self._raw_at(slot, None)

    def _raw_at(self, slot: int, position: int | None) -> SavedTensor:
        def read() -> Any:
            if self._versions is FREED:
                raise GraphFreedError(REGISTER_FREED)
            if slot not in self._plan.tensor_slots:
                return None
            item = self._saved[slot]
            return item if position is None else item[position]

        def write(hooks: Any) -> None:
            item = read()
            edge = None if self._origin(slot) else history_of(item)
            packed: Any = Packed(alias_of_output(item), hooks, edge)
            if position is not None:
                packed = [packed if i == position else t for i, t in enumerate(self._saved[slot])]
            self._saved = (*self._saved[:slot], packed, *self._saved[slot + 1 :])

        return SavedTensor.at(read, write)

    def __dir__(self) -> list[str]:
        plan = self._plan
        raw = [name for name, slot in plan.readable.items() if slot not in plan.static_slots]
        found = {*super().__dir__(), *(f"_saved_{name}" for name in plan.readable)}
        return sorted(found | {f"_raw_saved_{name}" for name in raw})


class GradientEdge(NamedTuple):
    """A place that a gradient arrives at: a node, and which of its outputs.

    Attributes:
        node: The node; of a leaf its AccumulateGrad.
        output_nr: Which of the outputs.
        ownership_token: What else to keep alive; PyTorch's C++ nodes need it.
    """

    node: Node
    output_nr: int
    ownership_token: Any = None

    def _edge(self) -> Edge:
        """Return it as an edge of the graph."""
        node = self.node
        return (node.variable, LEAF) if isinstance(node, AccumulateGrad) else (node, self.output_nr)


class AccumulateGrad(Node):
    """The end of a path: adds the gradient that arrives into its leaf's ``.grad``.

    The engine adds the gradient itself: Note [Edges]. In the graph of an unpacked leaf the node
    takes part as one that leads on to the leaf.
    """

    __slots__ = ("variable",)

    variable: Any
    _alive: Final[weakref.WeakValueDictionary[int, AccumulateGrad]] = weakref.WeakValueDictionary()

    @classmethod
    def of(cls, leaf: Value) -> AccumulateGrad:
        """Return the one accumulator of *leaf*, the same object as long as somebody holds it."""
        found = cls._alive.get(id(leaf))
        if found is None or found.variable is not leaf:
            found = object.__new__(cls)
            found.variable, found._edges, found._seq = leaf, ((leaf, LEAF),), 2**64 - 1
            found._shape, found._key, found._outputs = leaf._array.shape, leaf._key, None
            found._extras = None
            cls._alive[id(leaf)] = found
        return found

    def name(self) -> str:
        """Return the name that PyTorch gives a node of this kind."""
        return "torch::autograd::AccumulateGrad"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """Nothing: the path ends here."""
        return ()

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn((), grad_outputs)`` after the gradient was added."""
        return add_hook(leaf_hooks(self.variable).node_after, fn)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Call ``fn(grad_outputs)`` before the gradient is added; what it returns replaces it."""
        return add_hook(leaf_hooks(self.variable).node_before, fn)

    def apply(self, grad: Any, wanted: Sequence[bool] | None) -> Sequence[Any]:
        """Return the gradient as it came."""
        return (grad,)

    def __call__(self, *grads: Any) -> Any:
        """Add the gradient now."""
        self._check_arguments(grads)
        accumulate(self.variable, grads[0])
        return ()


#: How a gradient is added to a leaf's; engine.py puts it here.
accumulate: Callable[[Value, Any], None] = cast("Any", None)


def leaf_hooks(leaf: Value) -> LeafHooks:
    """Return the hooks of *leaf*, made on first need."""
    if leaf._hooks is None:
        leaf._hooks = LeafHooks()
    return leaf._hooks  # type: ignore[no-any-return]  # value.py does not know the class


def gradient_edge(value: Value) -> Edge | None:
    """Return where the gradient of *value* goes: Note [Edges]."""
    if value._base is not None:
        refresh(value)
    if not value._requires_grad:
        return None
    node = value._node
    if node is None:
        return value, LEAF
    if type(node) is AccumulateGrad:  # a leaf that hooks packed and unpacked
        return node.variable, LEAF
    return node, value._output_nr


def history_of(value: Value) -> tuple[Node, int] | None:
    """Return where the gradient of *value* goes, as a node."""
    edge = gradient_edge(value)
    return (AccumulateGrad.of(edge[0]), 0) if edge is not None and edge[1] == LEAF else edge


def with_history(saved: Value, node: Node, number: int) -> Any:
    """Return another object for a saved tensor, as output *number* of *node* if it is floating."""
    made = new_value(saved._array, saved._key)
    made._storage = saved._storage
    if saved._key.floating:
        made._requires_grad, made._node, made._output_nr = True, node, number
    return made


def alias_of_output(output: Value) -> Any:
    """Return what a node may keep of its own output: Note [Saving an output]."""
    alias = _new(_value.result_class)
    alias._array, alias._key = output._array, output._key
    alias._node = alias._grad = alias._base = alias._hooks = None
    alias._output_nr, alias._requires_grad = 0, False
    alias._storage = output._storage or storage_of(output)
    return alias


def version_of(item: Any) -> Any:
    """Return the version to remember for a saved item; for a list of tensors, one each."""
    if isinstance(item, Value):
        return 0 if item._storage is None else item._storage.version
    if isinstance(item, (list, tuple)):
        return tuple(version_of(tensor) for tensor in item)
    return 0


def check_version(tensor: Value, expected: int, saver: Node | None = None) -> None:
    """Raise if *tensor* was written to since *saver* saved it."""
    if version_of(tensor) != expected:
        _raise_modified(saver, tensor, expected, None)


def _raise_modified(
    saver: Node | None, tensor: Value, expected: int, origin: tuple[str, int] | None
) -> NoReturn:
    """Raise PyTorch's error for a saved tensor that was written to, and say by what."""
    node = tensor._node
    if origin is None and node is not None:
        origin = node.name(), tensor._output_nr
    made_by = ""
    if origin is not None:
        op = origin[0].rstrip("0123456789").removesuffix("Backward")
        made_by = f", which is output {origin[1]} of {op},"
    found = version_of(tensor)
    kind = f"torch.{tensor._key.dtype.scalar_name}Tensor {list(tensor._array.shape)}"
    shape = tuple(tensor._array.shape)
    saved_by = "backward" if saver is None else saver.name()
    write = traces.first_write_after(tensor._storage, expected)
    trace = None if saver is None else traces.trace_of(saver)
    saved_at = None if trace is None else trace.place()
    modified_at = None if write is None or write.trace is None else write.trace.place()
    by = "" if write is None else f", {_order(write, found, expected)} by {write.name}()"
    hint = "Write into a clone(), or after backward(), or use the operation without the underscore."
    if write is not None and write.name.endswith(".step"):
        hint = (
            "Go backward through all losses before the step, or compute the later ones anew after "
            "it."
        )
    name = _name_of(tensor)
    what = "a tensor" if name is None else f"{name!r},"
    msg = (
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [{kind}]{made_by} is at version {found}; expected version {expected} instead. "
        f"Hint: {_WITH_TRACES if traces.state.anomaly else _WITHOUT_TRACES}\n"
        f"{saved_by}: {what} of shape {shape}{',' if name else ''} was saved at version {expected}"
        f"{_at(saved_at)}, and written to {found - expected} time(s) since{by}{_at(modified_at)}. "
        f"{hint}"
    )
    raise SavedTensorModifiedError(
        msg, op=saved_by, shape=shape, expected_version=expected, found_version=found,
        modified_by=None if write is None else write.name, modified_at=modified_at,
        saved_at=saved_at, hint=hint, tensor=name,
    )  # fmt: skip


def _name_of(tensor: Value) -> str | None:
    """Return what a user calls *tensor*, or the tensor that it is a view of; None if unknown."""
    find = traces.words.name_of
    if find is None:
        return None
    name = find(tensor)
    return name if name is not None or tensor._base is None else find(tensor._base)


_WITHOUT_TRACES: Final = (
    "enable anomaly detection to find the operation that failed to compute its gradient, with "
    "torch.autograd.set_detect_anomaly(True, check_nan=False)."
)
_WITH_TRACES: Final = (
    "the backtrace further above shows the operation that failed to compute its gradient. The "
    "variable in question was changed in there or anywhere later. Good luck!"
)


def _order(write: traces.Write, found: int, expected: int) -> str:
    """Return which of the writes is known: with one, there is no question."""
    if found == expected + 1:
        return "namely"
    return "first" if write.version == expected + 1 else "lastly"


def _at(place: str | None) -> str:
    return "" if place is None else f" (at {place})"


def freed_error(node: Node) -> GraphFreedError:
    """Return PyTorch's error for a node whose saved values are gone, with what is known of it."""
    trace, freed_by = traces.trace_of(node), traces.words.freed
    made_at = None if trace is None else trace.place()
    made = "" if made_at is None else f", made at {made_at},"
    freed = "an earlier backward pass" if freed_by is None else freed_by(node)
    msg = (
        f"{FREED_MESSAGE}\n"
        f"{node.name()}: what this node{made} saved was freed by {freed}. If a value is carried "
        "over from an earlier step, detach() it; for two losses of one graph, add them before "
        "backward(), or pass retain_graph=True to the first."
    )
    if freed_by is None:
        msg += " autograd.track_origins() tells where the node was made, and where freed."
    return GraphFreedError(
        msg, op=node.name(), made_at=made_at, freed_by=None if freed_by is None else freed
    )


class _Recording:
    """Grad mode on, for reading a saved output with its history."""

    def __enter__(self) -> None:
        self._before = _mode.enabled
        _mode.enabled = True

    def __exit__(self, *exc: object) -> None:
        _mode.enabled = self._before
