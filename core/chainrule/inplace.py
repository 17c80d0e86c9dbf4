"""Writing into a tensor: what forbids it, what it does to the values, what to the history.

The values are written where they are, so that every view sees them. The history is rewritten as if
the operation had made a new tensor: the target takes the node of the result. If the target is a
view, its *base* takes a node that says "the base as it was, with this part replaced", and every
view of that memory finds its history again when it is next used (`views.refresh`).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, cast

from .errors import ArgumentError, DTypeError, InplaceError, ShapeError
from .grad_mode import mode
from .graph import alias_of_output, version_of
from .plan import requires_grad
from .saved import Packed, in_force
from .shapes import broadcast_shapes
from .storage import check_inference_write
from .value import Value, count_write, new_value
from .views import refresh, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .op import Op

#: Ops that rewriting a history needs; ops/copying.py puts them here.
view_scatter: Op[Any, Any] = cast("Any", None)
zero: Op[Any, Any] = cast("Any", None)

#: Called with the target of every write, before it is written to, while somebody asks for that.
before_write: Callable[[Value], None] | None = None

_OVERLAP = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
    "single memory location. Please clone() the tensor before performing the operation."
)


def run_in_place(
    op: Op[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str | None = None
) -> Any:
    """Return the first argument after writing the op's result into it.

    Args:
        op: What computes the result.
        args: Its arguments, the target first.
        kwargs: Those given by name.
        name: What users call the write; by default the op's name with an underscore.

    Raises:
        InplaceError: the write would make a gradient wrong. Nothing has changed then.
        DTypeError: the result's category is above the target's.
        ShapeError: the target would have to grow, or several of its elements share memory.
    """
    target, name = args[0], name or f"{op.__name__}_"
    if not isinstance(target, Value):
        msg = f"{name}(): argument 'input' (position 1) must be Tensor, not {type(target).__name__}"
        raise ArgumentError(msg)
    check_inference_write(target._storage, name)
    if target._base is not None:
        refresh(target)
    sources = [*args[1:], *kwargs.values()]
    recorded = mode.enabled and (target._requires_grad or any(map(requires_grad, sources)))
    if mode.enabled:
        check_history(target, name, recorded=recorded)
    if not recorded:  # recording is off, or no argument requires grad
        write(target, op.general(args, kwargs), name)
        return target
    old = _as_it_was(target)
    if in_force.hooks:  # what hooks pack must not change with the target
        old._array, old._storage = target._key.backend.copy(target._array), None
    result = op.general((old, *args[1:]), kwargs)
    check_write(target, result, name)
    if _saved_by(result, old):
        old._array, old._storage = target._key.backend.copy(target._array), None
    write(target, result, name)
    rewrite_history(target, result)
    return target


def check_history(target: Value, name: str, *, recorded: bool) -> None:
    """Check, before anything changes, that the target's history can be rewritten."""
    base = target._base
    if base is None:
        if target._requires_grad and target._node is None:
            msg = (
                "a leaf Variable that requires grad is being used in an in-place operation.\n"
                f"{name}: write under no_grad(), or into a clone()."
            )
            raise InplaceError(msg)
        return
    if recorded or base._requires_grad:
        obstacle = target._view.obstacle()
        if obstacle is not None:
            raise InplaceError(refusal(target, obstacle, "is being"))
    if base._requires_grad and base._node is None:
        msg = (
            "a view of a leaf Variable that requires grad is being used in an in-place operation.\n"
            f"{name}: write under no_grad(), or into a clone()."
        )
        raise InplaceError(msg)


def check_writable(target: Any, sources: Sequence[Any], name: str) -> None:
    """Check, before anything changes, that a write past autograd makes no gradient wrong.

    Raises:
        InplaceError: *target* requires grad, or one of *sources* does, and recording is on.
    """
    if not isinstance(target, Value):
        msg = f"{name}(): argument 'input' (position 1) must be Tensor, not {type(target).__name__}"
        raise ArgumentError(msg)
    check_inference_write(target._storage, name)
    if target._base is not None:
        refresh(target)
    if not mode.enabled:
        return
    recorded = target._requires_grad or any(map(requires_grad, sources))
    check_history(target, name, recorded=recorded)
    if recorded:
        msg = (
            f"{name}: expected a target and sources that require no grad, since this write is not "
            "differentiated. Write under no_grad(), or use the operation without the underscore."
        )
        raise InplaceError(msg)


def end_history(target: Any, name: str) -> None:
    """Prepare *target* for being overwritten with values that depend on nothing.

    The history of a computed tensor ends here, as if it had been filled with zeros.

    Raises:
        InplaceError: *target* is a leaf that requires grad, or a view of one.
    """
    if mode.enabled and isinstance(target, Value) and target._requires_grad:
        zero.in_place((target,), {})
    else:
        check_writable(target, (), name)


def _as_it_was(target: Value) -> Any:
    """Return another object for the target before the write: same array, same history.

    Of a view, without the hooks on it: the gradient of a view that is written to is a part of its
    base's, and comes past the node that the view had before.
    """
    old = new_value(target._array, target._key)
    old._requires_grad, old._node = target._requires_grad, target._node
    if target._base is not None and target._node is not None and target._node._extras is not None:
        old._node = copy.copy(target._node)
        old._node._extras = None
    old._output_nr, old._storage = target._output_nr, target._storage
    return old


def _saved_by(result: Any, old: Value) -> bool:
    """Return whether the node of *result* saved *old*: then it must keep the values of before."""
    node = result._node
    return node is not None and any(item is old for item in getattr(node, "_saved", ()))


def rewrite_history(target: Any, result: Any) -> None:
    """Let *target*, or the base it looks into, continue from *result*."""
    result = _like(target, result)
    if result._node is not None:
        _point_saved_outputs_at(target, result._node)
    base = target._base
    if base is None:
        retained = _take_retained(target)
        target._node, target._output_nr = result._node, result._output_nr
        target._requires_grad = result._requires_grad
        if retained is not None and target._node is not None:
            target._node.extras.retained[target._output_nr] = retained
        return
    _take_retained(target)
    old = _as_it_was(base)
    view_scatter.record_onto(base, (old, result, target._view.way()))
    retained = _take_retained(old)
    if retained is not None:
        base._node.extras.retained[0] = retained


def _take_retained(tensor: Any) -> Any:
    """Return, and forget at the old node, that ``retain_grad`` was called."""
    node = tensor._node
    if node is None or node._extras is None:
        return None
    return node._extras.retained.pop(tensor._output_nr, None)


def _like(target: Any, result: Any) -> Any:
    """Return *result* with the dtype and shape of *target*, recorded.

    The gradient arrives at a node in the dtype that its output has in the end.
    """
    node = result._node
    if result._key is not target._key and node is not None and node._outputs is None:
        node._key = target._key
    if result._array.shape != target._array.shape:
        result = result.expand(tuple(target._array.shape))
    return result


def _point_saved_outputs_at(target: Value, node: Any) -> None:
    """Let a node that saved its own output look at *target*, where that output now lives."""
    plan = node._plan
    if plan is None or not plan.result_slots:
        return
    saved = list(node._saved)
    if any(type(saved[slot]) is Packed for slot, _ in plan.result_slots):
        return
    for slot, _ in plan.result_slots:
        saved[slot] = alias_of_output(target)
    node._saved = tuple(saved)
    node._versions = tuple(map(version_of, saved))


def check_write(target: Value, result: Any, name: str) -> None:
    """Check that *result* fits into *target*.

    Raises:
        DTypeError: the result's category is above the target's.
        ShapeError: *target* would have to grow, or several of its elements share memory.
    """
    if isinstance(result, Value):
        if result._key.category > target._key.category:
            found, wanted = result._key.dtype.scalar_name, target._key.dtype.scalar_name
            msg = (
                f"result type {found} can't be cast to the desired output type {wanted}\n"
                f"{name}: an in-place operation keeps the dtype of its target. Convert the target "
                "first."
            )
            raise DTypeError(msg)
        check_shape(target, result, name)
    array = target._array
    strides = target._key.backend.strides(array)
    if (
        0 in strides
        and 0 not in array.shape
        and any(s == 0 and n > 1 for s, n in zip(strides, array.shape, strict=True))
    ):
        msg = (
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation."
        )
        raise ShapeError(msg)


def write(target: Value, result: Any, name: str) -> None:
    """Write *result* into *target*, cast to its dtype, and count the version up.

    Raises:
        DTypeError, ShapeError: see `check_write`.
    """
    check_write(target, result, name)
    source = result._array if isinstance(result, Value) else result
    if isinstance(result, Value) and result._key.backend.level != target._key.backend.level:
        source = _across_levels(target, result)
    if before_write is not None:
        before_write(target)
    target._key.backend.assign(target._array, source)
    count_write(target, name)


def _across_levels(target: Any, result: Any) -> Any:
    """Return what to write where *target* and *result* are of different transforms."""
    if result._key.backend.level > target._key.backend.level:
        result._key.backend.raise_target(target, result)
        return result._array
    return target._key.backend.lift(result, target._array)._array


def check_shape(target: Value, result: Value, name: str) -> None:
    """Check that *result* broadcasts to the shape of *target*."""
    shape, found = tuple(target._array.shape), tuple(result._array.shape)
    if shape != found and tuple(broadcast_shapes(shape, found)) != shape:
        msg = (
            f"output with shape {list(shape)} doesn't match the broadcast shape {list(found)}\n"
            f"{name}: an in-place operation cannot change the shape of its target."
        )
        raise ShapeError(msg)


def fill_out(out: Any, result: Any) -> Any:
    """Return *out* holding *result*: written into its memory, or replaced if the shape differs."""
    if not isinstance(out, Value):
        msg = f"argument 'out' must be Tensor, not {type(out).__name__}"
        raise ArgumentError(msg)
    check_inference_write(out._storage, "out=")
    if out._array.shape == result._array.shape:
        write(out, result, "out")
        return out
    if out._base is None:
        out._array = result._key.backend.astype(result._array, out._key.dtype)
        count_write(out, "out=")
        return out
    msg = (
        f"out=: expected shape {tuple(result._array.shape)}, got a view of shape "
        f"{tuple(out._array.shape)}."
    )
    raise ShapeError(msg)
