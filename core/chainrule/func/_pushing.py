"""`jvp` and `linearize`: forward mode as functions of functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd.forward_ad import check_floating, check_tangent
from ..errors import AutogradError
from ..grad_mode import mode
from ..shapes import Size
from ..transforms.dual import DualLevel, dual, parts_of
from ..transforms.entry import pull
from ..trees import tree_flatten, tree_unflatten
from ..value import Value
from ._differentiating import Entered, entered_run
from ._trees import map_aux, split_aux, tensors_of

if TYPE_CHECKING:
    from collections.abc import Callable

_WHO = "jvp(f, primals, tangents)"


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """Return the value of *func* and how it changes when its arguments change along *tangents*.

    Args:
        func: Gives a tensor or a tree of them; or that and something else, if *has_aux*.
        primals: Its arguments, a tuple.
        tangents: A tuple of the same structure: the direction.
        strict: Refuse a result that does not depend on the arguments.
        has_aux: Whether *func* returns ``(value, aux)``.

    Returns:
        ``(value, change)`` or ``(value, change, aux)``.

    Raises:
        RuntimeError: the structures or the shapes of *primals* and *tangents* differ, or *func*
            returns something that is no tensor.

    >>> import chainrule as cr
    >>> cr.func.jvp(cr.exp, (cr.tensor(0.0),), (cr.tensor(2.0),))
    (tensor(1.), tensor(2.))
    """
    values, directions, spec = _matched(primals, tangents)
    with DualLevel() as level:
        entered = []
        for value, direction in zip(values, directions, strict=True):
            check_floating("primal", value)
            check_floating("tangent", direction)
            check_tangent(value, direction, level)
            entered.append(dual(level, value, direction))
        result = func(*tree_unflatten(entered, spec))
        aux = None
        if has_aux:
            result, aux = split_aux(result, _WHO)
            aux = map_aux(lambda one: parts_of(level, one)[0], aux)
        outputs, out_spec = tensors_of(result, f"{_WHO}: expected f(*primals)")
        parts = [parts_of(level, output) for output in outputs]
    changes = [_change(output, tangent, strict) for output, tangent in parts]
    made = tree_unflatten([p for p, _ in parts], out_spec), tree_unflatten(changes, out_spec)
    return (*made, aux) if has_aux else made


def _check_tensors(which: str, items: list[Any]) -> None:
    for item in items:
        if not isinstance(item, Value):
            msg = f"{_WHO}: Expected {which} to only contain Tensors, got {type(item)}"
            raise AutogradError(msg)


def _change(output: Any, tangent: Any, strict: bool) -> Any:
    if tangent is not None:
        return tangent
    if strict:
        msg = (
            f"{_WHO}, strict=True): The output of f is independent of the inputs. This is not "
            "allowed with strict=True."
        )
        raise AutogradError(msg)
    return ops.zeros_like(output).detach()


def _matched(primals: Any, tangents: Any) -> tuple[list[Any], list[Any], Any]:
    if not isinstance(primals, tuple):
        msg = (
            f"{_WHO}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
        raise AutogradError(msg)
    values, spec = tree_flatten(primals)
    directions, tangent_spec = tree_flatten(tangents)
    if spec != tangent_spec:
        msg = (
            f"{_WHO}: Expected primals and tangents to have the same python structure. For "
            "example, if primals is a tuple of 3 tensors, tangents also must be. Got primals with "
            f"structure {spec} and tangents with structure {tangent_spec}"
        )
        raise AutogradError(msg)
    if not values:
        msg = f"{_WHO}: Expected primals to contain at least one Tensor."
        raise AutogradError(msg)
    _check_tensors("primals", values)
    _check_tensors("tangents", directions)
    return values, directions, spec


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the value of *func* and the linear function that it is like nearby.

    *func* runs once; the linear function may be called often.

    Args:
        func: Gives a tensor or a tree of them.
        primals: Its arguments, trees of tensors.

    Returns:
        The value, and a function of tangents, one per argument, that gives the change.

    Raises:
        RuntimeError: a tangent has another structure, shape or dtype than its argument.

    >>> import chainrule as cr
    >>> value, change = cr.func.linearize(cr.square, cr.tensor([1.0, 2.0]))
    >>> change(cr.tensor([1.0, 1.0]))
    tensor([2., 4.])
    """
    run, outputs, out_spec, _ = entered_run(func, primals)
    inputs, spec = tree_flatten(primals)
    # What is pulled back is linear in the cotangents: its own vjp is the map forward.
    cotangents = [_point(output, run) for output in outputs]
    pulled = pull(outputs, cotangents, run.inputs, create_graph=True)

    def linear(*tangents: Any) -> Any:
        given, given_spec = tree_flatten(tangents)
        if given_spec != spec:
            msg = (
                f"Expected the tangents {given_spec} to have the same argspec as the primals {spec}"
            )
            raise AutogradError(msg)
        for position, (tangent, primal) in enumerate(zip(given, inputs, strict=True)):
            _check_like(position, tangent, primal)
        pairs = [(p, t) for p, t in zip(pulled, given, strict=True) if p is not None]
        ends, directions = [p for p, _ in pairs], [t for _, t in pairs]
        record = mode.enabled and run.stretch.leads_out([*ends, *directions])
        found = pull(ends, directions, cotangents, create_graph=record)
        changes = [
            ops.zeros_like(output).detach() if change is None else run.stretch.leave(change)
            for change, output in zip(found, outputs, strict=True)
        ]
        return tree_unflatten(changes, out_spec)

    return tree_unflatten([run.stretch.leave(output) for output in outputs], out_spec), linear


def _point(output: Any, run: Entered) -> Any:
    """Return a cotangent to differentiate by."""
    made = ops.ones_like(output).detach()
    made._requires_grad = True
    run.stretch.inside(made)
    return made


def _check_like(position: int, tangent: Any, primal: Any) -> None:
    where = f"tangent:{position} with"
    whose = "of the corresponding primal."
    if tangent._array.shape != primal._array.shape:
        msg = (
            f"{where} shape {Size(tangent._array.shape)} in flattened pytree doesn't match the "
            f"shape {Size(primal._array.shape)} {whose}"
        )
        raise AutogradError(msg)
    if tangent._key.dtype is not primal._key.dtype:
        msg = (
            f"{where} dtype {tangent._key.dtype} in flattened pytree doesn't match the dtype "
            f"{primal._key.dtype} {whose}"
        )
        raise AutogradError(msg)
