"""What forward mode does with one op: the result, and how it changes with the inputs.

In this order: the op's own `jvp` rules; a linear op, applied to the tangents; an op of elements,
whose derivative is a factor per element, so that its vjp rule, given the tangent, is the jvp; and
for any other op the vjp differentiated: it is linear in the cotangent, and the transpose of a
transpose is the map itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import ops
from ..errors import DerivativeError
from ..grad_mode import mode
from ..plan import NOT_IMPLEMENTED, names_of
from .dual import DualArray
from .entry import Stretch, pull
from .wrapped import apply, is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..op import Op

Rule = Any  # a function of a Push; returns the result, and the tangents of the outputs

#: Rules that are stated here, by the op's name; push_rules.py fills it.
RULES: Final[dict[str, Rule]] = {}


class Push:
    """One call of an op on dual arrays.

    Attributes:
        op: The op.
        primals: The tensor inputs, in order: inner tensors, numbers, None, or lists.
        tangents: The tangent of each, None for zero; a list of them for a list.
        statics: The static arguments that differ from the defaults.
    """

    __slots__ = ("op", "primals", "statics", "tangents")

    def __init__(
        self, op: Op[Any, Any], primals: list[Any], tangents: list[Any], statics: dict[str, Any]
    ) -> None:
        self.op, self.primals, self.tangents, self.statics = op, primals, tangents, statics

    def static(self, name: str) -> Any:
        """Return a static argument, or its default."""
        if name in self.statics:
            return self.statics[name]
        return self.op.schema.defaults[self.op.schema.position[name]]

    def run(self, tensors: Sequence[Any] | None = None) -> Any:
        """Return what the op gives for *tensors*, by default for the primals."""
        return apply(self.op, self.primals if tensors is None else tensors, self.statics)

    def names(self, result: Any) -> dict[str, Any]:
        """Return everything that a rule may name."""
        op = self.op
        found = {p.name: self.static(p.name) for p in op.schema.params if p.kind == "static"}
        for name, primal in zip(op.differentiable, self.primals, strict=True):
            found[name] = primal
            found[f"{name}_shape"] = _shape(primal)
        outputs = (result,) if is_tensor(result) else result
        return found | dict(zip(op.schema.outputs, outputs, strict=False))


def _shape(primal: Any) -> Any:
    if is_tensor(primal):
        return tuple(primal._array.shape)
    return tuple(_shape(one) for one in primal) if isinstance(primal, (list, tuple)) else ()


def kernel_for(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return the kernel of *op* over dual arrays."""
    from . import push_rules

    rule = push_rules.rule_for(op)

    def kernel(*operands: Any, **statics: Any) -> Any:
        level = _level_of(operands)
        if op.view:
            return _view(op, level, operands[0], statics)
        primals = [_part(o, lambda array: array.primal) for o in operands]
        tangents = [_part(o, DualArray.live_tangent, None) for o in operands]
        push = Push(op, primals, tangents, statics)
        if not any(map(_some, tangents)):
            result, changes = push.run(), None
        else:
            result, changes = rule(push)
        if is_tensor(result):
            return _dual(level, result, changes)
        changes = changes or [None] * len(result)
        return tuple(_dual(level, r, c) for r, c in zip(result, changes, strict=True))

    return kernel


def _view(op: Op[Any, Any], level: Any, operand: DualArray, statics: dict[str, Any]) -> Any:
    """Return a view of the primal and of the tangent. Note [Tangents of views] in dual.py."""
    result = apply(op, [operand.primal], statics)
    single = is_tensor(result)
    tangent, differentiable = operand.tangent_to_view(), _is_differentiable(op)
    changes: Any = None
    if tangent is not None and differentiable:
        changes = apply(op, [tangent], statics)
    made = []
    for number, primal in enumerate((result,) if single else result):
        floating = primal._key.floating and differentiable

        def look(of: Any, number: int = number) -> Any:
            again = apply(op, [of], statics)
            return again if single else again[number]

        change = None if changes is None or not floating else changes if single else changes[number]
        made.append(DualArray(level, primal, change, (operand, look) if floating else None))
    return made[0] if single else tuple(made)


def _is_differentiable(op: Op[Any, Any]) -> bool:
    return any(rule is not None for rule in op.rules.values())


def _dual(level: Any, result: Any, tangent: Any) -> DualArray:
    return DualArray(level, result, tangent if result._key.floating else None)


def _some(tangent: Any) -> bool:
    return any(map(_some, tangent)) if isinstance(tangent, list) else tangent is not None


def _level_of(operands: Sequence[Any]) -> Any:
    """Return the level of the operands, one that is not over if there is one."""
    found: Any = None
    for operand in operands:
        inside: Any = None
        if isinstance(operand, DualArray):
            inside = operand.level
        elif isinstance(operand, (list, tuple)) and operand:
            inside = _level_of(operand)
        if inside is not None and (found is None or not found.alive):
            found = inside
    return found


_KEEP: Final[Any] = object()


def _part(operand: Any, part: Callable[[DualArray], Any], other: Any = _KEEP) -> Any:
    if isinstance(operand, DualArray):
        return part(operand)
    if isinstance(operand, (list, tuple)):
        return [_part(item, part, other) for item in operand]
    return operand if other is _KEEP else other


# Families


def linear(push: Push) -> tuple[Any, Any]:
    """Apply a linear op to the tangents."""
    tangents = [_or_zeros(t, p) for t, p in zip(push.tangents, push.primals, strict=True)]
    return push.run(), push.run(tangents)


def linear_in(*names: str) -> Rule:
    """Return the rule of an op that is linear in some inputs together; the others do not change."""

    def rule(push: Push) -> tuple[Any, Any]:
        rows = zip(push.op.differentiable, push.tangents, push.primals, strict=True)
        mixed = [_or_zeros(t, p) if name in names else p for name, t, p in rows]
        return push.run(), push.run(mixed)

    return rule


def multilinear(push: Push) -> tuple[Any, Any]:
    """Sum over the inputs: the op with one of them replaced by its tangent."""
    total: Any = None
    for place, tangent in enumerate(push.tangents):
        if tangent is not None:
            one = push.run([*push.primals[:place], tangent, *push.primals[place + 1 :]])
            total = one if total is None else total + one
    return push.run(), total


def _or_zeros(tangent: Any, primal: Any) -> Any:
    if isinstance(tangent, list):
        return [_or_zeros(t, p) for t, p in zip(tangent, primal, strict=True)]
    if tangent is None and is_tensor(primal) and primal._key.floating:
        return ops.zeros_like(primal)
    return primal if tangent is None else tangent


def stated(push: Push) -> tuple[Any, Any]:
    """Sum what the op's `jvp` rules give."""
    result = push.run()
    named, op = push.names(result), push.op
    total: Any = None
    for name, tangent in zip(op.differentiable, push.tangents, strict=True):
        rule = op.jvp_rules.get(name)
        if not _some(tangent) or rule is None:
            continue
        part = rule(*[tangent if n == "tangent" else named[n] for n in names_of(rule)])
        total = part if total is None else _plus(total, part)
    return result, total


def _plus(one: Any, other: Any) -> Any:
    if isinstance(one, (tuple, list)):
        return tuple(map(_plus, one, other))
    if one is None or other is None:
        return other if one is None else one
    return one + other


def of_elements(push: Push) -> tuple[Any, Any]:
    """Multiply each tangent with the derivative, as the vjp rules do with the cotangent."""
    if _mixes_complex(push):
        return by_transposing(push)
    result = push.run()
    named, op = push.names(result), push.op
    total: Any = None
    for name, tangent in zip(op.differentiable, push.tangents, strict=True):
        rule = op.rules.get(name)
        if tangent is None or rule is None:
            continue
        if isinstance(rule, NOT_IMPLEMENTED):
            raise refusal(op, rule.why)
        change = _factor_times(rule, named, _like_result(tangent, result))
        total = change if total is None else total + change
    if total is not None and total._array.shape != result._array.shape:
        total = ops.expand(total, tuple(result._array.shape))
    return result, total


def _factor_times(rule: Any, named: dict[str, Any], tangent: Any) -> Any:
    """Return what a vjp rule gives for *tangent*: its conjugate factor conjugated back."""
    is_complex = tangent._key.complex
    given = ops.conj(tangent) if is_complex else tangent
    made = rule(*[given if n == "grad" else named[n] for n in names_of(rule)])
    return ops.conj(made) if is_complex else made


def _like_result(tangent: Any, result: Any) -> Any:
    """Return *tangent* broadcast to the result, in its dtype."""
    if tangent._key.dtype is not result._key.dtype and result._key.floating:
        tangent = tangent.to(result._key.dtype)
    shape = tuple(result._array.shape)
    return tangent if tuple(tangent._array.shape) == shape else ops.expand(tangent, shape)


def _mixes_complex(push: Push) -> bool:
    """Return whether the vjp rules are no plain factors: joint, or from complex to real."""
    if push.op.joint_rules or push.op.takes_all_grads:
        return True
    values = [p for p in push.primals if is_tensor(p)]
    if not any(v._key.complex for v in values):
        return push.op.dtype == "complex" or push.op.name in _TO_COMPLEX
    return push.op.dtype == "real" or push.op.name in _NOT_HOLOMORPHIC


_TO_COMPLEX: Final = frozenset({"cr::_complex", "cr::_polar"})
_NOT_HOLOMORPHIC: Final = frozenset({"cr::sgn", "cr::abs", "cr::angle", "cr::_conj"})


# Any op


def by_transposing(push: Push, at: float = 0) -> tuple[Any, Any]:
    """Differentiate the vjp by the cotangent, along the tangents. Note [Transposing twice].

    Args:
        push: The call.
        at: The cotangent to differentiate at; of no importance where the rule is really linear.
    """
    before, mode.enabled = mode.enabled, True
    stretch = Stretch(recording=before)
    try:
        inputs, directions = _entered(push, stretch)
        result = push.run(inputs[0])
        outputs = [result] if is_tensor(result) else list(result)
        wanted = [o for o in outputs if o.requires_grad]
        changes = _changes(push.op, stretch, wanted, inputs[1], directions, at)
        by_id = dict(zip(map(id, wanted), changes, strict=True))
        found = [by_id.get(id(output)) for output in outputs]
        left = [stretch.leave(output) for output in outputs]
    finally:
        mode.enabled = before
    if is_tensor(result):
        return left[0], found[0]
    return tuple(left), found


# Note [Transposing twice]
# ------------------------
# The vjp of an op at x is linear in the cotangent u: v = Jᵀu. Recorded as a function of u, its own
# vjp along t is (Jᵀ)ᵀt = Jt, which is the jvp. So an op that states how to pull a cotangent back
# needs no rule of its own to push a tangent forward. The u to differentiate at does not matter; it
# is zero, which the checks that some rules make of a cotangent let pass.


def _entered(push: Push, stretch: Stretch) -> tuple[tuple[list[Any], list[Any]], list[Any]]:
    """Return the inputs to run with, those to differentiate by, and their tangents."""
    entered: list[Any] = []
    directions: list[Any] = []

    def enter(primal: Any, tangent: Any) -> Any:
        if isinstance(tangent, list):
            return [enter(p, t) for p, t in zip(primal, tangent, strict=True)]
        if tangent is None:
            return primal
        made = stretch.enter(primal)
        entered.append(made)
        directions.append(tangent)
        return made

    inputs = [enter(p, t) for p, t in zip(push.primals, push.tangents, strict=True)]
    return (inputs, entered), directions


def _changes(
    op: Op[Any, Any],
    stretch: Stretch,
    outputs: list[Any],
    inputs: list[Any],
    along: list[Any],
    at: float,
) -> list[Any]:
    """Return how *outputs* change when *inputs* change *along* their directions."""
    if not outputs:
        return []
    cotangents = []
    for output in outputs:
        point = ops.full_like(output, at).detach()
        point._requires_grad = True
        stretch.inside(point)
        cotangents.append(point)
    try:
        pulled = pull(outputs, cotangents, inputs, create_graph=True)
    except DerivativeError as error:
        raise refusal(op, str(error)) from None
    pairs = [(v, t) for v, t in zip(pulled, along, strict=True) if v is not None]
    if not pairs:
        return [None] * len(outputs)
    ends, directions = zip(*pairs, strict=True)
    record = stretch.leads_out([*ends, *directions])
    found = pull(ends, directions, cotangents, create_graph=record)
    return [None if one is None else stretch.leave(one) for one in found]


def refusal(op: Op[Any, Any], why: str) -> DerivativeError:
    """Return the error for an op without a derivative."""
    return DerivativeError(
        f"Trying to use forward AD with {op.__name__} that does not support it because it has not "
        "been implemented yet.\nPlease file an issue to PyTorch at "
        "https://github.com/pytorch/pytorch/issues/new?template=feature-request.yml so that we can "
        f"prioritize its implementation.\n{op.__name__}: {why}"
    )
