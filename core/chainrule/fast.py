"""The fast paths: elementwise ops on tensors that need no promotion, no transfer and no check.

They do what `Op.general` does, unrolled for one and two inputs. Nothing here is looked up twice
and nothing is called that need not be: an op call on small tensors is a handful of attribute
reads, one kernel and, when it is recorded, one node. Whatever is not plain is handed to general.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import value as _value
from .dtypes import COMPLEX, FLOATING, INTEGER, PLAIN
from .grad_mode import mode
from .graph import LEAF, alias_of_output, next_sequence
from .plan import record
from .schema import NUMBER_OR_TENSOR, REQUIRED, TENSOR, TENSORS
from .value import Value, new_value
from .views import become_view, refresh
from .watching import makes_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .op import Op
    from .plan import Plan

_new: Callable[[Any], Any] = object.__new__
new_node: Callable[[Any], Any] = object.__new__  # exchanged at times: Note [Watching]
makes_nodes(globals())


#: Makes a quick call in compiled code; plugin/quick_calls.py fills it where a backend brings that.
compiled: Callable[[Op[Any, Any], str, Callable[..., Any]], Callable[..., Any]] | None = None


def fast_path(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return the quickest way to call *op* with positional arguments."""
    kind = kind_of(op)
    call = _MAKERS[kind](op)
    return call if compiled is None else compiled(op, kind, call)


def kind_of(op: Op[Any, Any]) -> str:
    """Return which of the quick calls below suits *op*."""
    schema = op.schema
    kinds = [p.kind for p in schema.tensors]
    plain = not op.multiple and not op.view and op.promote is not None
    plain = plain and schema.params[: len(kinds)] == schema.tensors
    plain = plain and all(p.default is not REQUIRED for p in schema.params[len(kinds) :])
    if plain and kinds == [TENSOR]:
        return "unary"
    if plain and len(kinds) == 2 and set(kinds) <= {TENSOR, NUMBER_OR_TENSOR}:
        return "binary"
    if op.kind == "composite":
        return "traced"
    if _is_plain_view(op):
        return "view"
    if _is_of_one(op, kinds):
        return "of_one"
    if kinds == [TENSORS] and op.promote is None and not op.multiple and not op.refuses:
        return "join"
    return "pair" if op.kind == "primitive" and _is_pair(op) else "positional"


def _is_plain_view(op: Op[Any, Any]) -> bool:
    """Return whether a view op takes one tensor, checks nothing, and has one node name."""
    plain = op.view and not op.multiple and op.kind == "primitive" and not op.branches
    return plain and op.schema.tensor_positions == (0,) and op.check is None and not op.refuses


def _view(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return the fast path of a view: one tensor, static arguments, another look at its memory."""
    table, general, plans, overload = op.table, op.general, op.plans, op.only_overload
    names = tuple(p.name for p in op.schema.params[1:])
    count, same_dtype = len(names), op.dtype == "same"

    def view(self: Any, *statics: Any) -> Any:
        if len(statics) != count or not isinstance(self, Value):
            return general((self, *statics), {})
        base = self._base
        if base is not None:
            refresh(self)
        key = self._key
        array = table[key.index](self._array, **dict(zip(names, statics)))  # noqa: B905 - counted above; strict costs time here
        out = _new(_value.result_class)
        out._array = array
        out._key = key if same_dtype else key.of(op.result_dtype(key, array))
        out._grad = out._hooks = out._node = None
        out._output_nr, out._requires_grad = 0, False
        bound = (self, *statics)
        become_view(out, self, op, bound, None)
        if not (self._requires_grad and mode.enabled and out._key.floating):
            return out
        try:
            plan = plans[overload, 1, 0]
        except KeyError:
            plan = op.plan(overload, 1)
        if plan is None:
            return out
        if plan.tensor_slots:
            record(plan, bound, (out,))
        else:
            _record_shape(plan, bound, out)
        return out

    return view


def _is_of_one(op: Op[Any, Any], kinds: Sequence[str]) -> bool:
    """Return whether an op takes one tensor, first, and promotes and refuses nothing."""
    plain = kinds == [TENSOR] and op.schema.tensor_positions == (0,) and op.promote is None
    return plain and not (op.multiple or op.view or op.refuses)


def _of_one(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return the fast path of an op on one tensor that makes a new one: a reduction, a copy."""
    table, general, plans, branches = op.table, op.general, op.plans, op.branches
    params, required = op.schema.params[1:], op.schema.required - 1
    names, defaults = tuple(p.name for p in params), tuple(p.default for p in params)
    positional, same_dtype = op.schema.positional - 1, op.dtype == "same"
    has_scalars = bool(op.schema.scalars)

    def of_one(self: Any = REQUIRED, *statics: Any) -> Any:
        count = len(statics)
        if not required <= count <= positional or not isinstance(self, Value) or op.check:
            return general((self, *statics), {})
        if self._base is not None:
            refresh(self)
        key = self._key
        if statics:
            if has_scalars and not PLAIN.issuperset(map(type, statics)):
                return general((self, *statics), {})
            given = {n: s for n, s, d in zip(names, statics, defaults) if s is not d}  # noqa: B905 - defaults may be left out
            array = table[key.index](self._array, **given)
        else:
            array = table[key.index](self._array)
        if type(array) is not key.array_type:
            array = op.as_array(array, key)
        out = _new(_value.result_class)
        out._array, out._key = array, key
        out._storage = out._grad = out._base = out._hooks = out._node = None
        out._output_nr, out._requires_grad = 0, False
        if not same_dtype:
            dtype = op.result_dtype(key, array)
            if dtype is not key.dtype:
                out._key = key.of(dtype)
        if not (self._requires_grad and mode.enabled and out._key.floating):
            return out
        bound = (self, *statics, *defaults[count:])
        overload = op.overload(bound) if branches else op.only_overload
        try:
            plan = plans[overload, 1, 0]
        except KeyError:
            plan = op.plan(overload, 1)
        if plan is not None:
            if plan.tensor_slots:
                record(plan, bound, (out,))
            else:
                _record_shape(plan, bound, out)
        return out

    return of_one


def _record_shape(plan: Plan, bound: tuple[Any, ...], out: Any) -> None:
    """Make the node of an op of one tensor that saves its shape and statics at most."""
    source = bound[0]
    node = new_node(plan.node_class)
    node._plan, node._extras, node._outputs, node._versions = plan, None, None, None
    node._key, node._shape, node._seq = out._key, out._array.shape, next_sequence()
    saved = [None, *bound[1:], *plan.padding]
    for slot, _ in plan.shape_slots:
        saved[slot] = source._array.shape
    node._saved = tuple(saved)
    made_by = source._node
    node._edges = ((source, LEAF) if made_by is None else (made_by, source._output_nr),)
    out._requires_grad, out._node = True, node


def _join(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return the fast path of an op on one list of tensors of one key."""
    table, general, overload = op.table, op.general, op.only_overload
    params = op.schema.params[1:]
    names, defaults = tuple(p.name for p in params), tuple(p.default for p in params)
    required = op.schema.required - 1

    def join(tensors: Any, *statics: Any) -> Any:
        if not required <= len(statics) <= len(names) or not isinstance(tensors, (list, tuple)):
            return general((tensors, *statics), {})
        arrays, wanted, key = [], False, None
        for tensor in tensors:
            if not isinstance(tensor, Value):
                return general((tensors, *statics), {})
            if tensor._base is not None:
                refresh(tensor)
            if tensor._key is not key:
                if key is not None:
                    return general((tensors, *statics), {})
                key = tensor._key
            arrays.append(tensor._array)
            wanted = wanted or tensor._requires_grad
        if key is None:
            return general((tensors, *statics), {})
        array = table[key.index](arrays, **dict(zip(names, statics)))  # noqa: B905 - defaults may be left out
        out = new_value(array, key)
        if op.dtype != "same":
            out._key = key.of(op.result_dtype(key, out._array))
        if wanted and mode.enabled and out._key.floating:
            plan = op.plan(overload, 1)
            if plan is not None:
                record(plan, (tensors, *statics, *defaults[len(statics) :]), (out,))
        return out

    return join


def _positional(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return the quick call of any other op: only the defaults are filled in."""
    general, schema, evaluate = op.general, op.schema, op.evaluate
    defaults, tensors, scalars = tuple(schema.defaults), schema.tensor_positions, schema.scalars

    def call(*args: Any) -> Any:
        count = len(args)
        if schema.required <= count <= schema.positional:
            bound = (*args, *defaults[count:])
            for position in tensors:
                if not isinstance(bound[position], Value):
                    return general(args, {})
            for position in scalars:
                if bound[position].__class__ not in PLAIN:
                    return general(args, {})
            if op.check is not None:
                op.check(*bound)
            return evaluate(bound)
        return general(args, {})

    return call


def evaluation(op: Op[Any, Any]) -> Callable[[Any], Any]:
    """Return the quickest `evaluate` for *op*."""
    if op.has_lists or op.promote == "divide" or op.kind not in {"primitive", "composite"}:
        return op.evaluate_any
    schema = op.schema
    count = len(schema.tensors)
    plain = (
        op.promote is None
        and not op.multiple
        and not op.refuses
        and [p.kind for p in schema.params[:count]] == [TENSOR] * count
        and count > 0
    )
    if not plain:
        return _of_one_key(op)
    if _is_pair(op):
        return _of_a_pair(op)
    table, any_kind, plans, statics = op.table, op.evaluate_any, op.plans, schema.statics
    others, same_dtype, view = range(1, count), op.dtype == "same", op.view

    def evaluate(bound: Any) -> Any:
        source = bound[0]
        if source._base is not None:
            refresh(source)
        key = source._key
        arrays = [source._array]
        for position in others:
            other = bound[position]
            if other._base is not None:
                refresh(other)
            if other._key is not key:
                return any_kind(bound)
            arrays.append(other._array)
        keywords = {name: bound[i] for i, name, default in statics if bound[i] is not default}
        array = table[key.index](*arrays, **keywords)
        if type(array) is not key.array_type:
            array = op.as_array(array, key)
        out = _new(_value.result_class)
        out._array = array
        out._storage = out._grad = out._base = out._hooks = out._node = None
        out._output_nr, out._requires_grad = 0, False
        out._key = key if same_dtype else key.of(op.result_dtype(key, array))
        if view:
            become_view(out, source, op, bound, None)
        wanted = 1 if source._requires_grad else 0
        for position in others:
            if bound[position]._requires_grad:
                wanted |= 1 << position
        if wanted and mode.enabled and out._key.floating:
            overload = op.overload(bound) if op.branches else op.only_overload
            try:
                plan = plans[overload, wanted, 0]
            except KeyError:
                plan = op.plan(overload, wanted)
            if plan is not None:
                record(plan, bound, (out,))
        return out

    return evaluate


def _is_pair(op: Op[Any, Any]) -> bool:
    """Return whether an op takes two tensors and nothing else, and makes a new one: a product."""
    kinds = [p.kind for p in op.schema.params]
    plain = kinds == [TENSOR, TENSOR] and op.promote is None and op.dtype == "same"
    return plain and not (op.multiple or op.view or op.refuses or op.branches)


def _pair(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return the fast path of an op of two tensors and nothing else."""
    general, compute = op.general, _of_a_pair(op)

    def pair(self: Any = REQUIRED, other: Any = REQUIRED, *rest: Any) -> Any:
        if rest or not (isinstance(self, Value) and isinstance(other, Value)):
            return general((self, other, *rest), {})
        if op.check is not None:
            op.check(self, other)
        return compute((self, other))

    return pair


def _of_a_pair(op: Op[Any, Any]) -> Callable[[Any], Any]:
    """Return a quick `evaluate` for an op of two tensors of one key and nothing else: a product."""
    table, any_kind, plans, overload = op.table, op.evaluate_any, op.plans, op.only_overload

    def evaluate(bound: Any) -> Any:
        left, right = bound
        if left._base is not None:
            refresh(left)
        if right._base is not None:
            refresh(right)
        key = left._key
        if right._key is not key:
            return any_kind(bound)
        array = table[key.index](left._array, right._array)
        if type(array) is not key.array_type:
            array = op.as_array(array, key)
        out = _new(_value.result_class)
        out._array, out._key = array, key
        out._storage = out._grad = out._base = out._hooks = out._node = None
        out._output_nr, out._requires_grad = 0, False
        wanted = 2 * right._requires_grad + left._requires_grad
        if wanted and mode.enabled and key.floating:
            try:
                plan = plans[overload, wanted, 0]
            except KeyError:
                plan = op.plan(overload, wanted)
            if plan is None:
                return out
            if not plan.of_two:
                record(plan, bound, (out,))
                return out
            node = new_node(plan.node_class)
            node._plan, node._extras, node._outputs, node._versions = plan, None, None, None
            node._key, node._shape, node._seq = key, array.shape, next_sequence()
            keep, of_left, of_right = plan.keep, left._storage, right._storage
            if of_left is not None or of_right is not None:
                node._versions = (
                    of_left.version if of_left is not None and keep[0] else 0,
                    of_right.version if of_right is not None and keep[1] else 0,
                )
            node._edges = (
                None if not left._requires_grad
                else (left, LEAF) if left._node is None else (left._node, left._output_nr),
                None if not right._requires_grad
                else (right, LEAF) if right._node is None else (right._node, right._output_nr),
            )  # fmt: skip
            node._saved = (left if keep[0] else None, right if keep[1] else None)
            out._requires_grad, out._node = True, node
        return out

    return evaluate


def _of_one_key(op: Op[Any, Any]) -> Callable[[Any], Any]:
    """Return a quick `evaluate` for tensors that need neither promotion nor transfer.

    Numbers may stand among them, and optional ones be missing. Where nothing is promoted, their
    dtypes may differ.
    """
    table, any_kind, positions, statics = (
        op.table, op.evaluate_any, op.schema.tensor_positions, op.schema.statics
    )  # fmt: skip
    promotes, direct, boolean = op.promote is not None, op.direct, op.promote == "compare"
    direct_with_number = direct & {FLOATING, COMPLEX} if promotes else direct

    def evaluate(bound: Any) -> Any:
        key, arrays, wanted, numbers, bit = None, [], 0, 0, 1
        for position in positions:
            item = bound[position]
            if isinstance(item, Value):
                if item._base is not None:
                    refresh(item)
                other = item._key
                if key is None:
                    key = other
                elif other is not key and (
                    promotes or other.index != key.index or other.device != key.device
                ):
                    return any_kind(bound)
                if item._requires_grad:
                    wanted |= bit
                arrays.append(item._array)
            elif item is None:
                arrays.append(None)
            elif item.__class__ is float or item.__class__ is int:
                numbers |= bit
                arrays.append(item)
            else:
                return any_kind(bound)
            bit <<= 1
        if (
            key is None
            or key.category not in (direct_with_number if numbers else direct)
            or key.backend.level
        ):
            return any_kind(bound)
        keywords = {name: bound[i] for i, name, default in statics if bound[i] is not default}
        try:
            result = table[key.index](*arrays, **keywords)
        except Exception as error:  # noqa: BLE001 - any library's; explained, or raised as it is
            op.fail(error, [v for v in map(bound.__getitem__, positions) if isinstance(v, Value)])
        promoted = key.boolean if boolean else key
        result_key = promoted if promotes else op.known_key(key)
        outputs = op.wrapped(result, key, result_key, bound)
        if wanted and mode.enabled:
            op.record_if_floating(bound, outputs, wanted, numbers)
        return op.schema.return_type(outputs) if op.multiple else outputs[0]  # type: ignore[misc]  # multiple ones have one

    return evaluate


def _traced(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return a composite's quick call: with no rule stated, its body is all there is."""
    general, function, rules = op.general, op.function, op.rules
    required, positional = max(op.schema.required, 1), op.schema.positional

    def call(*args: Any) -> Any:
        if rules or not required <= len(args) <= positional or not isinstance(args[0], Value):
            return general(args, {})
        return general(args, {}) if op.has_kernel(args[0]._key.index) else function(*args)

    return call


def find_plan(op: Op[Any, Any], mask: int, number: Any) -> Plan | None:
    """Return the plan for a pattern of the first two inputs; None if no gradient is possible."""
    bound = [p.default for p in op.schema.params]
    bound[: len(op.differentiable)] = [_AN_INPUT] * len(op.differentiable)
    if number is not None:
        bound[1] = number
    return op.plan(op.overload(bound), mask, 2 if number is not None else 0)


_AN_INPUT = object.__new__(Value)


def _unary(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return the fast path of an elementwise op of one tensor."""
    table, general, plans = op.table, op.general, op.fast_plans
    direct, boolean = op.direct, op.promote == "compare"

    def unary(self: Any = REQUIRED, *statics: Any) -> Any:
        if statics or not isinstance(self, Value) or self._key.category not in direct:
            return general((self, *statics), {})
        if self._base is not None:
            refresh(self)
        key = self._key
        array = table[key.index](self._array)
        if type(array) is not key.array_type:
            array = op.as_array(array, key)
        out = _new(_value.result_class)
        out._array, out._key = array, key.boolean if boolean else key
        out._storage = out._grad = out._base = out._hooks = out._node = None
        out._output_nr, out._requires_grad = 0, False
        if not (self._requires_grad and mode.enabled):
            return out
        plan = plans.get(1, 0)
        if plan == 0:
            plan = plans[1] = find_plan(op, 1, None)
        if plan is None:
            return out
        if plan.shape_slots:
            record(plan, (self, *plan.tail), (out,))
            return out
        node = new_node(plan.node_class)
        node._plan, node._extras, node._outputs, node._versions = plan, None, None, None
        node._key, node._shape, node._seq = key, array.shape, next_sequence()
        saved = (self if plan.keep[0] else None, *plan.tail)
        if self._storage is not None and plan.keep[0]:
            node._versions = (self._storage.version, *plan.tail, 0)
        if plan.keeps_result:
            saved = (*saved, alias_of_output(out))
        node._saved = saved
        node._edges = ((self, LEAF) if self._node is None else (self._node, self._output_nr),)
        out._requires_grad, out._node = True, node
        return out

    return unary


def numbers_have_edges(op: Op[Any, Any]) -> bool:
    """Return whether the node of a binary op has an edge for a number: no overload takes it."""
    return op.schema.tensors[1].kind == TENSOR


def _binary(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return the fast path of an elementwise op of a tensor and a tensor or Python number."""
    table, general, plans = op.table, op.general, op.fast_plans
    direct, boolean = op.direct, op.promote == "compare"
    direct_with_number = direct & {FLOATING, COMPLEX}
    two_edges = numbers_have_edges(op)

    def binary(self: Any = REQUIRED, other: Any = REQUIRED, *statics: Any) -> Any:
        number = other if other.__class__ is float or other.__class__ is int else None
        try:
            if self._base is not None:
                refresh(self)
            key = self._key
            if statics or key.category not in (direct if number is None else direct_with_number):
                small = number.__class__ is int and 0 <= number < 128  # in every integer dtype
                of_integers = small and key.category == INTEGER and INTEGER in direct
                if statics or not of_integers:
                    return general((self, other, *statics), {})
            if number is None:
                if other._base is not None:
                    refresh(other)
                if other._key is not key:
                    return general((self, other), {})
                operand, mask = other._array, 2 * other._requires_grad + self._requires_grad
            else:
                operand, mask = number, 4 + self._requires_grad
        except AttributeError:
            return general((self, other, *statics), {})
        try:
            array = table[key.index](self._array, operand)
        except Exception as error:  # noqa: BLE001 - any library's; explained, or raised as it is
            op.fail(error, [v for v in (self, other) if isinstance(v, Value)])
        if type(array) is not key.array_type:
            array = op.as_array(array, key)
        out = _new(_value.result_class)
        out._array, out._key = array, key.boolean if boolean else key
        out._storage = out._grad = out._base = out._hooks = out._node = None
        out._output_nr, out._requires_grad = 0, False
        if not (mask & 3 and mode.enabled):
            return out
        plan = plans.get(mask, 0)
        if plan == 0:
            plan = plans[mask] = find_plan(op, mask & 3, number)
        if plan is None:
            return out
        if plan.shape_slots:
            record(plan, (self, other, *plan.tail), (out,))
            return out
        node = new_node(plan.node_class)
        node._plan, node._extras, node._outputs, node._versions = plan, None, None, None
        node._key, node._shape, node._seq = key, array.shape, next_sequence()
        keep = plan.keep
        saved = (self if keep[0] else None, other if keep[1] else None, *plan.tail)
        storage = self._storage
        if number is None:
            if storage is not None or other._storage is not None:
                node._versions = (
                    storage.version if storage is not None and keep[0] else 0,
                    other._storage.version if other._storage is not None and keep[1] else 0,
                    *plan.tail, 0,
                )  # fmt: skip
            edges: tuple[Any, ...] = (
                None if not self._requires_grad
                else (self, LEAF) if self._node is None else (self._node, self._output_nr),
                None if not other._requires_grad
                else (other, LEAF) if other._node is None else (other._node, other._output_nr),
            )  # fmt: skip
        else:
            if storage is not None and keep[0]:
                node._versions = (storage.version, 0, *plan.tail, 0)
            edge = (self, LEAF) if self._node is None else (self._node, self._output_nr)
            edges = (edge, None) if two_edges else (edge,)
        node._edges = edges
        if plan.keeps_result:
            saved = (*saved, alias_of_output(out))
        node._saved = saved
        out._requires_grad, out._node = True, node
        return out

    return binary


_MAKERS: Final = {
    "unary": _unary,
    "binary": _binary,
    "traced": _traced,
    "view": _view,
    "of_one": _of_one,
    "join": _join,
    "pair": _pair,
    "positional": _positional,
}
