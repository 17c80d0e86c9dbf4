"""How one pattern of inputs of one op is recorded, and how its node pulls a gradient back.

A pattern is the overload, which inputs require grad, and which stand there as Python numbers.
Its plan is made on first use and kept, so that recording is a few attribute stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import dtypes
from .dtypes import category_of_number
from .errors import DerivativeError
from .grad_mode import mode
from .graph import LEAF, OpNode, alias_of_output, next_sequence, version_of
from .schema import NUMBER_OR_TENSOR, STATIC, TENSOR, TENSORS, Param
from .value import Value, new_value
from .watching import makes_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .backend import DispatchKey
    from .op import Op

new_node: Callable[[Any], Any] = object.__new__  # exchanged at times: Note [Watching]
makes_nodes(globals())

#: Names a rule may use beside the op's own: the cotangent, those of all outputs (`cotangents`: None
#: where none came, `grads`: zeros there), and which inputs want one.
SPECIAL: Final = {"grad": -1, "grads": -2, "wanted": -3, "cotangents": -2}


class NOT_IMPLEMENTED:  # noqa: N801 - reads as a constant in a rule table
    """In place of a rule: differentiable, but there is no formula yet."""

    def __init__(self, why: str) -> None:
        self.why = why


_DTYPE_OF_NUMBER: Final = (dtypes.bool_, dtypes.int64, dtypes.float64, dtypes.complex128)


def names_of(rule: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names that *rule* asks for: what it names is what is saved."""
    code = rule.__code__
    return code.co_varnames[: code.co_argcount]


class Plan:
    """What a node of one pattern saves, and the rules it pulls with.

    The saved values stand in slots: the op's parameters, its outputs, the shapes that rules name.
    """

    __slots__ = (
        "active", "edged", "frees", "groups", "keep", "keeps_result", "node_class", "of_two", "op",
        "padding", "pulls", "readable", "result_slots", "shape_slots", "simple", "single",
        "static_slots", "tail", "tensor_slots",
    )  # fmt: skip

    shape_slots: tuple[tuple[int, int], ...]
    keeps_result: bool

    def __init__(
        self,
        op: Op[Any, Any],
        node_class: type[OpNode],
        wanted: set[str],
        numbers: set[str],
        overload: str = "",
    ) -> None:
        self.op, self.node_class = op, node_class
        rules = {name: op.rules.get(name) for name in op.differentiable if name in wanted}
        joint = {names: rule for names, rule in op.joint_rules.items() if wanted & set(names)}
        used = {
            n
            for rule in [*rules.values(), *joint.values()]
            if callable(rule)
            for n in names_of(rule)
        }
        self._lay_out(op, used, numbers)
        self.readable = _readable(op, numbers, overload)
        edged = [p for p in op.schema.tensors if _has_edge(op, p, numbers)]
        self.edged = tuple((op.schema.position[p.name], p.kind) for p in edged)
        names_of_edges = [p.name for p in edged]
        self.pulls = [self._pull_for(op, name, rules.get(name)) for name in names_of_edges]
        self.groups = [
            (
                tuple(names_of_edges.index(n) if n in names_of_edges else -1 for n in names),
                rule,
                tuple(SPECIAL.get(n, op.slots.get(n, 0)) for n in names_of(rule)),
            )
            for names, rule in joint.items()
        ]
        self.active = tuple(
            (i, *_quick(op, rules[name], pull))
            for i, (name, pull) in enumerate(zip(names_of_edges, self.pulls, strict=True))
            if pull is not None
        )
        self.single = len(self.active) == 1
        # Two edges, and nothing saved but inputs: the fast path lays it out by itself.
        self.of_two = len(edged) == 2 and not (self.shape_slots or self.keeps_result)
        self.simple = not (self.groups or op.has_lists or op.multiple)

    def _lay_out(self, op: Op[Any, Any], used: set[str], numbers: set[str]) -> None:
        """Decide which slots are filled, and with what."""
        slots, params = op.slots, op.schema.params
        tensors = {p.name for p in params if p.kind != STATIC} - numbers
        tensors_for_numbers = {p.name for p in params if p.kind == TENSOR} & numbers
        self.keep = tuple(p.kind == STATIC or p.name in numbers or p.name in used for p in params)
        self.static_slots = tuple(
            slots[p.name] for p in params if p.kind == STATIC or p.name in numbers
        )
        self.result_slots = tuple(
            (slots[n], i) for i, n in enumerate(op.schema.outputs) if n in used
        )
        self.keeps_result = bool(self.result_slots)
        self.tensor_slots = tuple(sorted(
            [slots[n] for n in tensors & used] + [slot for slot, _ in self.result_slots]
        ))  # fmt: skip
        # PyTorch wraps a number that stands for a tensor in one, and frees that with the others.
        self.frees = (
            bool(self.tensor_slots) or bool(tensors_for_numbers & used) or op.frees_in_any_case
        )
        self.shape_slots = tuple(
            (slots[n], slots[n.removesuffix("_shape")]) for n in used if n in op.shape_names
        )
        self.tail = tuple(p.default for p in params[len(op.differentiable) :])
        self.padding = (None,) * (len(slots) - len(params))

    def _pull_for(self, op: Op[Any, Any], name: str, rule: Any) -> Callable[[Any, Any], Any] | None:
        if isinstance(rule, NOT_IMPLEMENTED):
            return _refusal(op.__name__, name, rule.why)
        return _caller(rule, names_of(rule), op.slots) if callable(rule) else None

    def pull(
        self, node: OpNode, grad: Any, saved: tuple[Any, ...], wanted: Sequence[bool] | None
    ) -> Sequence[Any]:
        """Return the cotangents of the inputs for the output's (a list, of several outputs)."""
        grads = grad
        if node._outputs is not None:
            if self.op.zeros_for_missing and not self.op.takes_cotangents:
                grads = [_materialize(g, node._outputs[i]) for i, g in enumerate(grad)]
            grad = grads if self.op.takes_all_grads else grads[0]
        if wanted is None or self.op.has_lists:
            results = [None if pull is None else pull(grad, saved) for pull in self.pulls]
        else:
            pairs = zip(self.pulls, wanted, strict=False)
            results = [
                pull(grad, saved) if pull is not None and want else None for pull, want in pairs
            ]
            results += [None] * (len(self.pulls) - len(results))
        for positions, rule, slots in self.groups:
            mask = tuple(p >= 0 and node._edges[p] is not None for p in positions)
            special = {-1: grad, -2: grads, -3: mask}
            items = [saved[slot] if slot >= 0 else special[slot] for slot in slots]
            for position, cotangent in zip(positions, rule(*items), strict=True):
                if position >= 0:  # else a number stands there
                    results[position] = cotangent
        return _flatten(results, node) if self.op.has_lists else results

    def present(self, node: OpNode, name: str, item: Any) -> Any:
        """Return a static saved item as a user reads it: a tensor where a number stood for one."""
        if not self.wraps(self.op.slots[name]) or item is None:
            return item
        dtype = _DTYPE_OF_NUMBER[category_of_number(item)]
        key = node._key.of(dtype)
        return new_value(key.backend.full((), item, dtype, key.device), key)

    def wraps(self, slot: int) -> bool:
        """Return whether a static saved item stands for a tensor: a number in place of one."""
        params = self.op.schema.params
        return slot < len(params) and params[slot].kind == TENSOR

    def strip(self, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return *saved* without its tensors: what stays readable after the graph is freed."""
        statics = self.static_slots
        if not statics:
            return ()
        return tuple([item if slot in statics else None for slot, item in enumerate(saved)])


def _readable(op: Op[Any, Any], numbers: set[str], overload: str) -> dict[str, int]:
    """Return what users may read as ``_saved_<name>``, with its slot; -1 for what is never there.

    That is what this overload's rules name. The rule of an input that is a number belongs to
    another overload, and so does an argument whose presence would choose another one.
    """
    absent = {p.name for p in op.schema.tensors if p.kind == NUMBER_OR_TENSOR and p.name in numbers}
    rules = [rule for name, rule in op.rules.items() if name not in absent and callable(rule)]
    rules += [rule for names, rule in op.joint_rules.items() if not absent.issuperset(names)]
    others = {name for name in op.nodes if name != overload}
    named = {n for rule in rules for n in names_of(rule)} | set(op.also_saves)
    return {name: op.slots.get(name, -1) for name in op.readable if name in named - others}


def _has_edge(op: Op[Any, Any], param: Param, numbers: set[str]) -> bool:
    """Return whether the node has an edge for this input, be it one that leads nowhere.

    None for a number that another overload takes, and none for an input that the output does not
    depend on differentiably (an index, a mask). The fast path of two operands keeps both edges.
    """
    if param.kind == NUMBER_OR_TENSOR and param.name in numbers:
        return False
    unrolled = op.promote is not None and len(op.differentiable) == 2
    return unrolled or op.rules.get(param.name, "") is not None


def _quick(op: Op[Any, Any], rule: Any, pull: Any) -> tuple[Callable[[Any, Any], Any], int | None]:
    """Return a rule of the cotangent and one saved value as it is, with the slot of that value."""
    if callable(rule):
        names = names_of(rule)
        if len(names) == 2 and names[0] == "grad":
            return rule, op.slots[names[1]]
    return pull, None


def _caller(
    rule: Callable[..., Any], names: tuple[str, ...], slots: dict[str, int]
) -> Callable[[Any, Any], Any]:
    """Return *rule* as a function of the cotangent and the saved values."""
    if not names or names[0] not in {"grad", "grads", "cotangents"}:
        return lambda grad, saved: rule(*[saved[slots[n]] for n in names])
    rest = [slots[n] for n in names[1:]]
    if not rest:
        return lambda grad, saved: rule(grad)
    if len(rest) == 1:
        (one,) = rest
        return lambda grad, saved: rule(grad, saved[one])
    return lambda grad, saved: rule(grad, *[saved[slot] for slot in rest])


def _refusal(op: str, name: str, why: str) -> Callable[[Any, Any], Any]:
    def refuse(grad: Any, saved: Any) -> Any:
        msg = (
            f"the derivative for '{op}' is not implemented.\n"
            f"{op}: no gradient formula for {name!r}: {why}. Use detach() if no gradient is wanted."
        )
        raise DerivativeError(msg)

    return refuse


def _materialize(grad: Any, meta: tuple[tuple[int, ...], DispatchKey]) -> Any:
    """Return zeros for an output that no gradient reached."""
    if grad is not None:
        return grad
    shape, key = meta
    return new_value(key.backend.full(tuple(shape), 0, key.dtype, key.device), key)


def _flatten(results: list[Any], node: Any) -> list[Any]:
    """Return one cotangent per edge, where a rule gave a sequence for a list of tensors."""
    flat: list[Any] = []
    for result, width in zip(results, node._widths, strict=True):
        if isinstance(result, (list, tuple)):
            flat.extend(result)
        else:
            flat.extend([result] * width)
    return flat


def requires_grad(argument: Any) -> bool:
    """Return whether an argument, or a tensor in a list, requires grad."""
    if isinstance(argument, Value):
        return argument._requires_grad
    if isinstance(argument, (tuple, list)):
        return any(requires_grad(item) for item in argument)
    return False


def record(plan: Plan, bound: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Make the node of one evaluation: edges to the inputs, and what the plan says to keep."""
    op = plan.op
    node: Any = new_node(plan.node_class)
    node._plan, node._extras, node._versions = plan, None, None
    saved: Any = [item if keep else None for item, keep in zip(bound, plan.keep)]  # noqa: B905 - of one length by construction; strict costs time here
    if plan.padding:
        saved += plan.padding
        for slot, source in plan.shape_slots:
            saved[slot] = _shape_of(bound[source])
        for slot, number in plan.result_slots:
            saved[slot] = alias_of_output(outputs[number])
    node._saved = tuple(saved)
    for slot in plan.tensor_slots:
        # Only what was ever written to, or is no plain tensor, has a version to remember.
        item = saved[slot]
        storage: Any = None if item is None else getattr(item, "_storage", _UNKNOWN)
        if storage is not None and (storage is _UNKNOWN or storage.version):
            node._versions = tuple(map(version_of, saved))
            break
    edges: list[Any] = []
    if op.has_lists:
        node._widths = [_add_edges(edges, kind, bound[position]) for position, kind in plan.edged]
    else:
        for position, kind in plan.edged:
            argument = bound[position]
            if not isinstance(argument, Value):
                _add_edges(edges, kind, argument)
            elif not argument._requires_grad:
                edges.append(None)
            else:
                made_by = argument._node
                edges.append(
                    (argument, LEAF) if made_by is None else (made_by, argument._output_nr)
                )
    node._edges, node._seq = tuple(edges), next_sequence()
    first = outputs[0]
    node._shape, node._key, node._outputs = first._array.shape, first._key, None
    if not op.multiple:
        first._node, first._requires_grad = node, True
        return
    node._outputs = tuple([(output._array.shape, output._key) for output in outputs])
    for number, output in enumerate(outputs):
        if output._key.floating:
            output._node, output._requires_grad, output._output_nr = node, True, number


def _add_edges(edges: list[Any], kind: str, argument: Any) -> int:
    """Append the edges of one argument; return how many."""
    if isinstance(argument, Value):
        if not argument._requires_grad:
            edges.append(None)
        elif argument._node is None:
            edges.append((argument, LEAF))
        else:
            edges.append((argument._node, argument._output_nr))
    elif kind == TENSORS:
        for item in argument:
            _add_edges(edges, TENSOR, item)
        return len(argument)
    else:  # a number, or nothing, where a tensor might have been
        edges.append(None)
    return 1


_UNKNOWN: Final = object()


def _shape_of(argument: Any) -> Any:
    if isinstance(argument, Value):
        return argument._array.shape
    if isinstance(argument, (tuple, list)):
        return tuple(_shape_of(item) for item in argument)
    return ()


def recording(inputs: Sequence[Any]) -> bool:
    """Return whether an operation on *inputs* would be recorded now, or a transform looks on.

    What lies under a transform may require grad, or have a tangent, where its outer tensor does
    not say so.
    """
    if mode.levels and any(map(_is_transformed, inputs)):
        return True
    return mode.enabled and any(map(requires_grad, inputs))


def _is_transformed(argument: Any) -> bool:
    if isinstance(argument, (tuple, list)):
        return any(map(_is_transformed, argument))
    if not isinstance(argument, Value) or not argument._key.backend.level:
        return False
    return bool(argument._array.differentiated())
