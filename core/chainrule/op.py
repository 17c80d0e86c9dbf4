"""One op: its schema, its kernels per backend, its gradient rules, its cached plans.

How ``c = a * b`` runs: the op's fast path (fast.py) finds that both tensors have one dispatch
key, takes the kernel from ``op.table[key.index]``, wraps the array and, if one of them requires
grad, leaves a node that saves what the rules of the wanted gradients name. Everything else
(promotion, keyword arguments, lists, several outputs, mistakes) goes through `Op.general`, which
does the same in the same order, only step by step: bind, check, promote, compute, record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, ParamSpec, TypeVar, cast, overload

from . import dtypes
from .errors import (
    ArgumentError,
    MixedBackendError,
    OpDefinitionError,
    ShapeError,
    UnsupportedDTypeError,
)
from .fast import evaluation, fast_path
from .grad_mode import mode
from .graph import OpNode
from .inplace import fill_out, refuse_out, run_in_place
from .kernel_table import KernelTable
from .mixing import common_key, with_numbers_moved
from .overriding import classes, dispatch, overloaded
from .plan import NOT_IMPLEMENTED, SPECIAL, Plan, names_of, record, recording, requires_grad
from .schema import REQUIRED, TENSORS, Schema
from .shapes import broadcast_shapes
from .value import Value, new_value
from .views import become_view, refresh

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .backend import Array, DispatchKey

__all__ = ["NOT_IMPLEMENTED", "Op", "composite", "primitive"]

P = ParamSpec("P")
R = TypeVar("R")

#: Every op that was made, for the backends that come alive after it.
all_ops: Final[dict[str, Op[Any, Any]]] = {}


class Op(KernelTable, Generic[P, R]):
    """An op. Made by `primitive` and `composite`; called with tensors, it computes and records.

    Args:
        function: The statement: its signature is the schema, its docstring the manual, its body
            (of a composite) the reference.
        kind: ``"primitive"`` or ``"composite"``.
        namespace: The part of the name before ``::``.
        promote: What happens to dtypes that differ. "arithmetic": to the common one; "float":
            likewise, and integers to the default floating dtype; "divide": likewise, unless a
            rounding mode is given; "compare": as arithmetic, and the result is bool; None: nothing,
            the kernel takes what comes.
        view: The result looks into the memory of the first input.
        nodes: PyTorch's node name per overload. A key is a condition on a parameter:
            ``"dim"`` (given, not None), ``"exponent:Tensor"``, ``"exponent:Number"``, or ``""``.
        saves: Saved names that PyTorch lists and no rule here needs.
        outputs: The names of several outputs, where the return annotation has none.
        dtype: The dtype of the result: ``"same"`` as the first input's, ``"real"``: that of a
            component of it, ``"complex"``: the other way round, or a name like ``"int64"``; None
            asks the array. A promotion decides by itself, up to ``"real"``. Views keep the dtype.
        zeros_for_missing: Whether a rule gets zeros for an output that no gradient reached; None
            otherwise.
        refuses: Categories of dtypes that the op does not take ("bool", "integer", "floating",
            "complex"), each with PyTorch's sentence, or the word that stands in its
            ``"word" not implemented for 'Long'``.
    """

    #: Categories of dtypes for which an op of this class promotes in a way of its own.
    indirect: ClassVar[frozenset[int]] = frozenset()

    def __init__(
        self,
        function: Callable[P, R],
        *,
        kind: str,
        namespace: str = "cr",
        promote: str | None = None,
        view: bool = False,
        nodes: dict[str, str] | None = None,
        saves: tuple[str, ...] = (),
        outputs: tuple[str, ...] | None = None,
        dtype: str | None = None,
        zeros_for_missing: bool = True,
        refuses: dict[str, str] | None = None,
    ) -> None:
        self.function: Any = function
        self.__name__ = self.__qualname__ = function.__name__
        self.__module__, self.__doc__ = function.__module__, function.__doc__
        self.__wrapped__ = function
        self.function_class: Any = None  # the `Function` that the op was made of
        self.name = f"{namespace}::{function.__name__}"
        self.kind, self.promote, self.view = kind, promote, view
        self.dtype = "same" if view and dtype is None else dtype
        self.nodes, self.also_saves = nodes or {}, saves
        self.refuses = {_CATEGORIES[name]: text for name, text in (refuses or {}).items()}
        self.direct = _direct(promote, real=dtype == "real") - self.refuses.keys() - self.indirect
        self.check: Callable[..., None] | None = None
        self.only_overload = next(iter(self.nodes), "")
        self.branches = any(self.nodes)  # some node name depends on the arguments
        self.schema = Schema(function, outputs)
        self.differentiable = tuple(p.name for p in self.schema.tensors)
        self.has_lists = any(p.kind == TENSORS for p in self.schema.tensors)
        self.multiple = self.schema.return_type is not None
        self.rules: dict[str, Any] = {}
        self.joint_rules: dict[tuple[str, ...], Callable[..., Any]] = {}
        self.jvp_rules: dict[str, Callable[..., Any]] = {}
        self.batch_rule: Callable[[Any], Any] | None = None
        self.takes_all_grads = self.takes_cotangents = False
        self.frees_in_any_case: bool = (
            False  # a node can be gone through once, though it saves nothing
        )
        self.zeros_for_missing = zeros_for_missing
        self.plans: dict[tuple[str, int, int], Plan | None] = {}
        self.fast_plans: dict[int, Any] = {}
        self._lay_out([])
        self.make_table()
        all_ops[self.name] = self
        self.evaluate = evaluation(self)
        self.fast = fast_path(self)

    # Stating gradients

    def vjp(self, /, **rules: Any) -> None:
        """State a gradient formula per input: a function of ``grad`` and of what it names.

        A formula may name inputs, static arguments, outputs, and ``<input>_shape``. None says
        that the output does not depend on that input differentiably.

        Raises:
            OpDefinitionError: a formula names what the op does not have.
        """
        for name in rules:
            if name not in self.differentiable:
                msg = (
                    f"{self.name}: a rule for {name!r}, which is no tensor input of "
                    f"{self.__name__}()."
                )
                raise OpDefinitionError(msg)
        self.rules.update(rules)
        self._rules_changed()

    def vjp_joint(self, *inputs: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """State one rule for several inputs: it gives a tuple, and may ask which are ``wanted``."""

        def add(rule: Callable[..., Any]) -> Callable[..., Any]:
            self.joint_rules[inputs] = rule
            self.rules.update(dict.fromkeys(inputs, "joint"))
            self._rules_changed()
            return rule

        return add

    def jvp(self, /, **rules: Callable[..., Any]) -> None:
        """State forward mode per input: a function of ``tangent`` and of what it names.

        What the rules give is summed. Needed only where the vjp rules, from which forward mode is
        derived otherwise, are slow or not differentiable.

        Raises:
            OpDefinitionError: a rule names what the op does not have.
        """
        known = {"tangent", *self.schema.position, *self.schema.outputs}
        for name, rule in rules.items():
            unknown = [n for n in names_of(rule) if n not in known]
            if name not in self.differentiable or unknown:
                what = unknown[0] if unknown else name
                msg = f"{self.name}: a jvp rule names {what!r}, which the op does not have."
                raise OpDefinitionError(msg)
        self.jvp_rules.update(rules)

    def batch(self, rule: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """State what the op does on a whole batch: a function of a `transforms.batching.Call`."""
        self.batch_rule = rule
        return rule

    def checks(self, check: Callable[..., None]) -> Callable[..., None]:
        """State what must hold of the arguments, given in order, where more than dtypes matters.

        The fast path does not ask: refuse the categories of dtypes where there is doubt.
        """
        self.check = check
        return check

    def _rules_changed(self) -> None:
        rules = [r for r in (*self.rules.values(), *self.joint_rules.values()) if callable(r)]
        mentioned = [n for rule in rules for n in names_of(rule)]
        self.takes_cotangents = "cotangents" in mentioned
        self.takes_all_grads = self.takes_cotangents or "grads" in mentioned
        self._lay_out([n for n in mentioned if n not in SPECIAL])

    def _lay_out(self, mentioned: list[str]) -> None:
        """Give every name that may be saved its slot, and forget the plans made before."""
        position = self.schema.position
        self.shape_names = tuple(dict.fromkeys(
            n for n in mentioned if n.endswith("_shape") and n not in position
        ))  # fmt: skip
        names = [*position, *self.schema.outputs, *self.shape_names]
        self.slots = {name: slot for slot, name in enumerate(names)}
        unknown = [n for n in mentioned if n not in self.slots]
        if unknown:
            msg = (
                f"{self.name}: a rule names {unknown[0]!r}, which is neither an argument nor an "
                "output."
            )
            raise OpDefinitionError(msg)
        readable = [n for n in mentioned if n not in self.shape_names]
        self.readable = tuple(dict.fromkeys([*readable, *self.also_saves]))
        self.plans.clear()
        self.fast_plans.clear()

    # Calling

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the result, recorded where an input requires grad."""
        return self.general(args, kwargs) if kwargs else self.fast(*args)  # type: ignore[no-any-return]  # the statement's type; a cast costs a call

    @property
    def method(self) -> Callable[P, R]:
        """The op as a plain function, to be a method of `Tensor`."""
        fast, general = self.fast, self.general

        def method(*args: Any, **kwargs: Any) -> Any:
            return general(args, kwargs) if kwargs else fast(*args)

        method.__name__ = method.__qualname__ = self.__name__
        method.__doc__, method.__wrapped__ = self.__doc__, self.function  # type: ignore[attr-defined]  # for inspect
        return cast("Callable[P, R]", method)

    def general(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the op with any arguments."""
        schema = self.schema
        if args and args[-1] is REQUIRED:  # the fast path was called with too few
            args = args[: next(i for i, a in enumerate(args) if a is REQUIRED)]
        if kwargs and "out" in kwargs and "out" not in schema.position:
            return self._write_out(**kwargs)(args)
        if kwargs and schema.factors:
            for name in schema.factors.intersection(kwargs):
                if isinstance(kwargs[name], Value):
                    kwargs = {**kwargs, name: kwargs[name].item()}
        bound = schema.bind(args, kwargs)
        for position in schema.scalars:
            bound[position] = dtypes.plain_number(bound[position])
        for position in schema.tensor_positions:
            if not isinstance(bound[position], Value):
                try:
                    schema.check(bound, numbers=self.promote is not None)
                except ArgumentError:
                    asked = overloaded((*args, *kwargs.values()))
                    if not asked:
                        raise
                    return dispatch(self, asked, args, kwargs or None)
                break
        if self.check is not None:
            self.check(*bound)
        return self._run(bound)

    def _run(self, bound: Sequence[Any]) -> Any:
        if self.rules or self.kind != "composite" or self._kernel_suffices(bound):
            return self.evaluate(bound)
        try:  # traced: the parts are recorded
            return self.function(**dict(zip(self.schema.position, bound, strict=True)))
        except RecursionError as error:
            raise self.unusable_body(None, error) from None

    def _kernel_suffices(self, bound: Sequence[Any]) -> bool:
        """Return whether a composite without a rule runs as its kernel: nothing is recorded."""
        first = next((item for item in bound if isinstance(item, Value)), None)
        return first is not None and self.has_kernel(first._key.index) and not recording(bound)

    def evaluate_any(self, bound: Sequence[Any]) -> Any:
        """Compute from bound arguments as one op, and record it: whatever the arguments are."""
        schema = self.schema
        tensors = [bound[position] for position in schema.tensor_positions]
        source = tensors[0]
        if len(tensors) == 1 and isinstance(source, Value):
            values, key = tensors, source._key
            if source._base is not None:
                refresh(source)
        else:
            values = _values_in(tensors)
            if not values:
                raise self._no_tensor(bound)
            for value in values:
                if value._base is not None:
                    refresh(value)
            try:
                key = common_key(self.__name__, values)
            except MixedBackendError:
                tensors = with_numbers_moved(self, tensors, values)
                values = _values_in(tensors)
                key = common_key(self.__name__, values)
            if key.backend.level:
                bound, tensors, values = key.backend.lifted(self, bound, tensors)  # type: ignore[attr-defined]  # a transform's
        if self.promote is None:
            if self.refuses:
                self._refuse(key.dtype)
            arrays, result_key = [_array_of(tensor) for tensor in tensors], self.known_key(key)
        else:
            arrays, result_key = self._promoted(tensors, values, key, bound)
        statics = {n: bound[i] for i, n, default in schema.statics if bound[i] is not default}
        try:
            result = self.table[key.index](*arrays, **statics)
        except Exception as error:  # noqa: BLE001 - any library's; explained, or raised as it is
            self.fail(error, values)
        outputs = self.wrapped(result, key, result_key, bound)
        if mode.enabled:
            self._record(bound, tensors, outputs)
        return schema.return_type(outputs) if self.multiple else outputs[0]  # type: ignore[misc]  # multiple ones have one

    def result_dtype(self, key: DispatchKey, array: Array) -> dtypes.DType:
        """Return the dtype of a result: as stated, or as the array says."""
        if self.dtype is None:
            return key.backend.dtype_of(array)
        return self._stated_dtype(key.dtype)

    def _stated_dtype(self, dtype: dtypes.DType) -> dtypes.DType:
        if self.dtype == "real":
            return dtype.to_real()
        return dtype.to_complex() if self.dtype == "complex" else dtypes.by_name(self.dtype or "")

    def known_key(self, key: DispatchKey) -> DispatchKey | None:
        """Return the result's key where the statement says its dtype; None: ask the array."""
        if self.dtype == "same":
            return key
        return None if self.dtype is None else key.of(self._stated_dtype(key.dtype))

    def wrapped(
        self, result: Any, key: DispatchKey, result_key: DispatchKey | None, bound: Sequence[Any]
    ) -> list[Any]:
        """Return what a kernel gave as tensors; *result_key* of a single one, where it is known.

        Raises:
            ArgumentError: the kernel gave something else than the statement promises.
        """
        if self.multiple:
            if type(result) is not tuple or len(result) != self.schema.output_count:
                self._check_count(result, key)
            return [self._wrap(array, key, None, bound, i) for i, array in enumerate(result)]
        return [self._wrap(result, key, result_key, bound, None)]

    def _wrap(
        self,
        array: Array,
        key: DispatchKey,
        result_key: DispatchKey | None,
        bound: Sequence[Any],
        number: int | None,
    ) -> Any:
        if type(array) is not key.array_type:
            array = self.as_array(array, key)
        if result_key is None:
            dtype = key.backend.dtype_of(array)
            result_key = key if dtype is key.dtype else key.of(dtype)
        value = new_value(array, result_key)
        if self.view:
            become_view(value, bound[0], self, bound, number)
        return value

    def as_array(self, result: Any, key: DispatchKey) -> Array:
        """Return what a kernel gave, of another type than the backend's arrays, as an array.

        Raises:
            ArgumentError: it cannot be one.
        """
        try:
            return key.backend.wrap(result)
        except ArgumentError as error:
            raise self._wrong_result(str(error), key) from None

    def _check_count(self, result: Any, key: DispatchKey) -> None:
        expected = self.schema.output_count
        is_sequence = isinstance(result, (tuple, list))
        if is_sequence and expected in {None, len(result)}:
            return
        found = f"a tuple of {len(result)}" if is_sequence else type(result).__name__
        count = "arrays" if expected is None else f"{expected} arrays"
        raise self._wrong_result(f"a kernel returned {found}, expected a tuple of {count}", key)

    def _wrong_result(self, what: str, key: DispatchKey) -> ArgumentError:
        return ArgumentError(
            f"{self.name}: {what}\nchainrule.explain({self.name!r}, ...) on backend "
            f"{key.backend.name!r} says whose kernel it is; chainrule.testing.opcheck() tests it."
        )

    def _promoted(
        self, tensors: list[Any], values: list[Value], key: DispatchKey, bound: Sequence[Any]
    ) -> tuple[list[Any], DispatchKey | None]:
        """Return the inputs as arrays, promoted as the op's policy says, and the result's key."""
        to_float = self.promote == "float" or (
            self.promote == "divide" and bound[self.schema.position["rounding_mode"]] is None
        )
        compute, result = self._promotion(tensors, values, to_float=to_float)
        if self.refuses:
            self._refuse(compute)
        if self.dtype == "real":
            result = result.to_real()
        astype = key.backend.astype
        arrays = [
            (tensor._array if tensor._key.dtype is compute else astype(tensor._array, compute))
            if isinstance(tensor, Value)
            else _fit_number(tensor, compute)
            for tensor in tensors
        ]
        return arrays, key.of(result)

    def _promotion(
        self, tensors: list[Any], values: list[Value], *, to_float: bool
    ) -> tuple[dtypes.DType, dtypes.DType]:
        """Return the dtype to compute in, and that of the result. See Note [Type promotion]."""
        first = values[0]._key.dtype
        if len(values) == len(tensors) and all(v._key.dtype is first for v in values):
            dtype = first
        else:
            numbers = [t for t in tensors if t is not None and not isinstance(t, Value)]
            dtype = dtypes.default_promotion(
                [v._key.dtype for v in values if v._array.shape != ()],
                [v._key.dtype for v in values if v._array.shape == ()],
                [dtypes.category_of_number(number) for number in numbers],
            )
        if to_float and dtype.category <= dtypes.INTEGER:
            dtype = dtypes.get_default_dtype()
        return dtype, (dtypes.bool_ if self.promote == "compare" else dtype)

    def _refuse(self, dtype: dtypes.DType) -> None:
        """Raise PyTorch's sentence if the op does not take *dtype*."""
        sentence = self.refuses.get(dtype.category)
        if sentence is not None:
            if " " not in sentence:
                sentence = f"\"{sentence}\" not implemented for '{dtype.scalar_name}'"
            msg = (
                f"{sentence}\n{self.__name__}: does not take {dtype}. Convert with .to(...) first."
            )
            raise UnsupportedDTypeError(msg)

    def _record(self, bound: Sequence[Any], tensors: Sequence[Any], outputs: list[Any]) -> None:
        """Leave a node on *outputs* if an input requires grad and has a rule."""
        wanted = numbers = 0
        bit = 1
        for tensor in tensors:
            if isinstance(tensor, Value):
                if tensor._requires_grad:
                    wanted |= bit
            elif isinstance(tensor, (list, tuple)):
                if any(map(requires_grad, tensor)):
                    wanted |= bit
            elif tensor is not None:
                numbers |= bit
            bit <<= 1
        if wanted:
            self.record_if_floating(bound, outputs, wanted, numbers)

    def record_if_floating(
        self, bound: Sequence[Any], outputs: list[Any], wanted: int, numbers: int
    ) -> None:
        """Leave a node on *outputs*, unless all are integers; the bits are those of `plan`."""
        for output in outputs:
            if output._key.floating:
                overload = self.overload(bound) if self.branches else self.only_overload
                plan = self.plan(overload, wanted, numbers)
                if plan is not None:
                    record(plan, bound, outputs)
                return

    def overload(self, bound: Sequence[Any]) -> str:
        """Return which of the stated node names applies: the first whose condition holds."""
        for condition in self.nodes:
            name, _, kind = condition.partition(":")
            if not name:
                return condition
            item = bound[self.schema.position[name]]
            if (item is not None) if not kind else isinstance(item, Value) == (kind == "Tensor"):
                return condition
        return ""

    def plan(self, overload: str, wanted: int, numbers: int = 0) -> Plan | None:
        """Return the plan for one pattern of inputs, made on first use.

        Args:
            overload: Which of the stated node names applies.
            wanted: A bit per tensor input: it requires grad.
            numbers: A bit per tensor input: it is a Python number.

        Returns:
            None if the result depends differentiably on none of the wanted inputs.
        """
        try:
            return self.plans[overload, wanted, numbers]
        except KeyError:
            names = [
                {n for i, n in enumerate(self.differentiable) if bits >> i & 1}
                for bits in (wanted, numbers)
            ]
            plan = None
            for name in names[0] - self.rules.keys():
                msg = (
                    f"{self.name}: states no gradient rule for {name!r}, which requires grad. "
                    f"State {self.__name__}.vjp({name}=...): a formula, None, or "
                    "NOT_IMPLEMENTED('why')."
                )
                raise OpDefinitionError(msg) from None
            if any(self.rules.get(name) is not None for name in names[0]):
                plan = Plan(self, self.node_class(overload), names[0], names[1], overload)
            return self.plans.setdefault((overload, wanted, numbers), plan)

    def node_class(self, overload: str = "") -> type[OpNode]:
        """Return the class of the nodes of one overload: its name is what users read."""
        stem = "".join(part[:1].upper() + part[1:] for part in self.__name__.split("_"))
        name = self.nodes.get(overload) or f"{stem}Backward0"
        if self.rules and all(
            rule is None or isinstance(rule, NOT_IMPLEMENTED) for rule in self.rules.values()
        ):
            name = "NotImplemented"
        made = _node_classes.get((self.name, name))
        if made is None:
            made = type(
                name, (OpNode,), {"__slots__": ("_widths",), "__module__": OpNode.__module__}
            )
            _node_classes[self.name, name] = made
        return made

    # In-place forms, out=, errors

    def in_place(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], name: str | None = None
    ) -> Any:
        """Return the first argument after writing the op's result into it; users call it *name*."""
        if len(args) > self.schema.positional:
            older = self.schema.factors_last(args, kwargs, name or f"{self.__name__}_")
            args, kwargs = older or (args, kwargs)
        return run_in_place(self, args, kwargs, name)

    def record_onto(self, output: Any, bound: Sequence[Any]) -> None:
        """Give *output*, computed elsewhere, the history of this op on *bound*."""
        tensors = [bound[position] for position in self.schema.tensor_positions]
        self._record(bound, tensors, [output])

    def _write_out(self, out: Any, **kwargs: Any) -> Callable[[tuple[Any, ...]], Any]:
        """Return the op as a function that writes into *out*, which takes no part in autograd."""

        def call(args: tuple[Any, ...]) -> Any:
            if out is None:
                return self.general(args, kwargs)
            bound = self.schema.bind(args, kwargs)
            if mode.enabled and any(map(requires_grad, [out, *bound])):
                refuse_out(self.__name__)
            result = self.general(args, kwargs)
            if isinstance(result, tuple):
                return type(result)([fill_out(*pair) for pair in zip(out, result, strict=True)])
            return fill_out(out, result, bound if self.promote is not None else ())

        return call

    def fail(self, error: Exception, values: list[Value]) -> None:
        """Raise what a user should read for a kernel's *error*: PyTorch's sentence, if any."""
        if self.promote is not None:
            try:
                broadcast_shapes(*(value._array.shape for value in values))
            except ShapeError as shapes:
                found = ", ".join(str(tuple(value._array.shape)) for value in values)
                msg = (
                    f"{shapes}\n{self.__name__}: expected shapes that broadcast, got {found}. "
                    "Reshape one of them, or insert a dimension with unsqueeze()."
                )
                raise ShapeError(msg) from None
        raise error

    def _no_tensor(self, bound: Sequence[Any]) -> ArgumentError:
        param = self.schema.tensors[0]
        item = bound[self.schema.position[param.name]]
        if param.kind == TENSORS:
            return ArgumentError(f"{self.__name__}(): expected a non-empty list of Tensors")
        return ArgumentError(
            f"{self.__name__}(): argument '{param.public}' (position 1) must be Tensor, "
            f"not {type(item).__name__}"
        )

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return _op_named, (self.name,)


classes.append(Op)


def _direct(promote: str | None, *, real: bool) -> frozenset[int]:
    """Return the categories of dtypes that the fast path takes: neither converted nor checked."""
    found = {dtypes.FLOATING} if real else {dtypes.FLOATING, dtypes.COMPLEX}
    return frozenset(
        found if promote in {"float", "divide"} else {dtypes.BOOL, dtypes.INTEGER} | found
    )


_CATEGORIES: Final = {
    "bool": dtypes.BOOL,
    "integer": dtypes.INTEGER,
    "floating": dtypes.FLOATING,
    "complex": dtypes.COMPLEX,
}


def _op_named(name: str) -> Op[Any, Any]:
    return all_ops[name]


_node_classes: Final[dict[tuple[str, str], type[OpNode]]] = {}


@overload
def primitive(function: Callable[P, R]) -> Op[P, R]: ...
@overload
def primitive(**options: Any) -> Callable[[Callable[P, R]], Op[P, R]]: ...
def primitive(function: Any = None, **options: Any) -> Any:
    """Return the op that the decorated statement describes; a kernel must supply the computation.

    Registers nothing: core's ops are collected as a plugin's are.
    """
    if function is None:
        return lambda f: Op(f, kind="primitive", **options)
    return Op(function, kind="primitive", **options)


@overload
def composite(function: Callable[P, R]) -> Op[P, R]: ...
@overload
def composite(**options: Any) -> Callable[[Callable[P, R]], Op[P, R]]: ...
def composite(function: Any = None, **options: Any) -> Any:
    """Return the op that the decorated statement describes; its body is the reference.

    With a rule stated it is one node; without one it is traced, and its parts are recorded.
    """
    if function is None:
        return lambda f: Op(f, kind="composite", **options)
    return Op(function, kind="composite", **options)


def _values_in(tensors: list[Any]) -> list[Value]:
    values: list[Value] = []
    for tensor in tensors:
        if isinstance(tensor, Value):
            values.append(tensor)
        elif isinstance(tensor, (tuple, list)):
            values.extend(item for item in tensor if isinstance(item, Value))
    return values


def _array_of(tensor: Any) -> Any:
    if isinstance(tensor, Value):
        return tensor._array
    if isinstance(tensor, (tuple, list)):
        return [_array_of(item) for item in tensor]
    return tensor


def _fit_number(number: Any, dtype: dtypes.DType) -> Any:
    """Return a Python number as a kernel computing in *dtype* takes it; integers wrap around."""
    if dtype.category != dtypes.INTEGER or not isinstance(number, int):
        return number
    bits = 8 * dtype.itemsize
    low = -(1 << (bits - 1)) if dtype.is_signed else 0
    return (number - low) % (1 << bits) + low
