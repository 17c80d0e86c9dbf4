"""Writing into a tensor: what forbids it, what it does to the values, what to the history.

The values are written where they are, so that every view sees them. The history is rewritten as if
the operation had made a new tensor: the target takes the node of the result. If the target is a
view, its *base* takes a node that says "the base as it was, with this part replaced", and every
view of that memory finds its history again when it is next used (`views.refresh`).
"""

from __future__ import annotations

import copy
import functools
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from ._warn import warn
from .errors import ArgumentError, AutogradError, DTypeError, InplaceError, ShapeError
from .grad_mode import mode
from .graph import OpNode, alias_of_output, version_of
from .mixing import apart
from .overlap import check_distinct, check_overlap, warn_if_repeated
from .plan import requires_grad
from .saved import Packed, in_force
from .shapes import broadcast_shapes
from .storage import check_inference_write
from .traces import levels_out
from .value import Value, count_write, new_value
from .views import refresh, refusal, way_to

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .op import Op

#: Ops that rewriting a history needs; ops/copying.py puts them here.
view_scatter: Op[Any, Any] = cast("Any", None)
zero: Op[Any, Any] = cast("Any", None)
#: Gives a tensor another shape; ops/memory.py puts it here.
resize: Callable[[Any, tuple[int, ...]], None] = cast("Any", None)

#: Called with the target and the name of every write before anything else, in strict mode.
refuse_write: Callable[[Value, str], None] | None = None

#: Called with the target of every write, before it is written to, while somebody asks for that.
before_write: Callable[[Value], None] | None = None

#: Ops that set elements to one value: an element may be set twice.
_CONSTANT: Final = frozenset({"zero", "fill"})
#: Ops that write here and there: none of their sources may be the target.
_AT_PLACES: Final = frozenset({
    "_index_put", "index_add", "index_copy", "put", "scatter", "scatter_add", "scatter_reduce",
})  # fmt: skip
#: Writes whose result has the shape of the target, or there is another sentence.
_NEVER_BROADCAST: Final = frozenset({"addmm_", "addmv_", "baddbmm_"})
#: The names of nodes that PyTorch counts on when an op writes in place.
_NODES: Final = {
    "AcoshBackward0": "AcoshBackward1", "AsinhBackward0": "AsinhBackward1",
    "AtanhBackward0": "AtanhBackward1", "ConjPhysicalBackward0": "ConjPhysicalBackward1",
    "FillBackward0": "FillBackward2", "FillBackward1": "FillBackward3",
    "PolygammaBackward0": "PolygammaBackward1",
}  # fmt: skip
#: Ops beside the elementwise ones of which a source may be the target, but no part of it.
_FROM_WHOLE: Final = frozenset({"copy", "masked_fill"})


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
    if refuse_write is not None:
        refuse_write(target, name)
    if target._base is not None:
        refresh(target)
    sources = [*args[1:], *kwargs.values()]
    _check_memory(op, target, sources, name)
    recorded = mode.enabled and (target._requires_grad or any(map(requires_grad, sources)))
    if mode.enabled:
        check_history(target, name, recorded=recorded)
    if not recorded:  # recording is off, or no argument requires grad
        write(target, _computed(op, target, args, kwargs), name)
        return target
    old = _as_it_was(target)
    if in_force.hooks:  # what hooks pack must not change with the target
        old._array, old._storage = target._key.backend.copy(target._array), None
    result = op.general((old, *args[1:]), kwargs)
    check_write(target, result, name)
    if _saved_by(result, old):
        old._array, old._storage = target._key.backend.copy(target._array), None
    write(target, result, name)
    if result._node is None and target._key.floating:
        result = _constant(op, args, old, result)
    rewrite_history(target, result)
    return target


def _computed(op: Op[Any, Any], target: Value, args: tuple[Any, ...], kwargs: Any) -> Any:
    """Return what is to be written: of ``copy_`` from what is alike, the source itself."""
    if kwargs:
        return op.general(args, kwargs)
    if op.__name__ == "copy" and args[1]._key is target._key and not target._key.backend.level:
        return args[1]
    return op.fast(*args)


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
    if base._node is None and (base._requires_grad or target._requires_grad):
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
    if refuse_write is not None:
        refuse_write(target, name)
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


def _check_memory(op: Any, target: Value, sources: Sequence[Any], name: str) -> None:
    """Check that the op may write there: no element twice, none that is yet to be read."""
    try:
        whole, plain = op.memory
    except AttributeError:
        whole, plain = op.memory = _memory_of(op)
    if whole is not None:
        storage = target._storage
        for source in sources:  # most have no memory in common, and need no closer look
            if isinstance(source, Value) and (
                source is target or (storage is not None and source._storage is storage)
            ):
                check_overlap(target, sources, name, whole=whole)
                break
    if (
        plain is not None
        and not target._key.backend.is_contiguous(target._array)
        and 0 in target._key.backend.strides(target._array)
        and not warn_if_repeated(target, plain)
    ):
        check_distinct(target, name)


def _memory_of(op: Any) -> tuple[bool | None, str | None]:
    """Return what an op's write asks of memory, which is found out once.

    That is whether a source that is the whole target is refused, None if a source may be anything;
    and the name of the write, None if it may set an element twice.
    """
    name, plain = op.__name__, f"{op.__name__.lstrip('_')}_"
    elementwise = name in _FROM_WHOLE or getattr(op, "promote", None) is not None
    whole = True if name in _AT_PLACES else False if elementwise else None
    return whole, None if name in _CONSTANT else plain


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
        name = type(result._node).__name__
        if name in _NODES:
            result._node.__class__ = _node_class(_NODES[name])
    base = target._base
    if base is None:
        retained = _take_retained(target)
        target._node, target._output_nr = result._node, result._output_nr
        target._requires_grad = result._requires_grad
        if retained is not None and target._node is not None:
            target._node.extras.retained[target._output_nr] = retained
        return
    before = _as_it_was(base)
    stride: Any = base._key.backend.strides(base._array)
    if any(step < 0 for step in stride):
        stride = None  # no tensor of PyTorch's lies so; the views of one count no elements
    view_scatter.record_onto(base, (before, result, way_to(target), stride))
    retained = _take_retained(before)
    if retained is not None:
        base._node.extras.retained[0] = retained
    refresh(target)  # it keeps this history, whatever becomes of its base before somebody looks


def _constant(op: Op[Any, Any], args: tuple[Any, ...], old: Any, result: Any) -> Any:
    """Return *result*, which depends on nothing, with a history that gives *old* zeros."""
    made = new_value(result._array, old._key)
    old._requires_grad = True
    zero.record_onto(made, (old,))
    stem = "".join(part.capitalize() for part in op.__name__.split("_"))
    number = int(getattr(op, "promote", None) == "compare" and isinstance(args[-1], Value))
    made._node.__class__ = _node_class(f"{stem}Backward{number}")
    return made


@functools.cache
def _node_class(name: str) -> type[OpNode]:
    namespace = {"__slots__": ("_widths",), "__module__": OpNode.__module__}
    return type(name, (OpNode,), namespace)


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
    versions = list(node._versions or map(_never_written, saved))
    for slot, _ in plan.result_slots:
        saved[slot] = alias_of_output(target)
        versions[slot] = version_of(saved[slot])
    node._saved, node._versions = tuple(saved), tuple(versions)


def _never_written(item: Any) -> Any:
    """Return the version of a saved item that nobody had written to."""
    return (0,) * len(item) if isinstance(item, (list, tuple)) else 0


def check_write(target: Value, result: Any, name: str) -> None:
    """Check that *result* fits into *target*.

    Raises:
        DTypeError: the result's category is above the target's.
        MixedBackendError: the result is on another device.
        ShapeError: *target* would have to grow.
    """
    if isinstance(result, Value):
        if result._array.shape != target._array.shape:
            check_shape(target, result, name)
        if result._key is not target._key:
            _check_key(target, result, name)


def _check_key(target: Value, result: Value, name: str) -> None:
    """Check that *result* is on the device of *target*, and its dtype can be cast to that."""
    if result._key.device != target._key.device:
        cure = (
            f"{name}: the result would leave the device of its target. Move the target with "
            ".to(...) first."
        )
        raise apart(target._key.device, result._key.device, cure)
    if result._key.category > target._key.category:
        found, wanted = result._key.dtype.scalar_name, target._key.dtype.scalar_name
        msg = (
            f"result type {found} can't be cast to the desired output type {wanted}\n"
            f"{name}: an in-place operation keeps the dtype of its target. Convert the target "
            "first."
        )
        raise DTypeError(msg)


def write(target: Value, result: Any, name: str) -> None:
    """Write *result* into *target*, cast to its dtype, and count the version up.

    Raises:
        DTypeError, ShapeError: see `check_write`.
    """
    check_write(target, result, name)
    source = result
    if isinstance(result, Value):
        source = result._array
        if result._key is not target._key and (
            result._key.backend.level != target._key.backend.level
        ):
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
    if shape != found and name in _NEVER_BROADCAST:
        msg = (
            f"Bad in-place call: input tensor size {list(shape)} and output tensor size "
            f"{list(found)} should match\n{name}: expand the target first."
        )
        raise ShapeError(msg)
    if shape != found and tuple(broadcast_shapes(shape, found)) != shape:
        msg = (
            f"output with shape {list(shape)} doesn't match the broadcast shape {list(found)}\n"
            f"{name}: an in-place operation cannot change the shape of its target."
        )
        raise ShapeError(msg)


def fill_out(out: Any, result: Any, sources: Sequence[Any] = (), *, resizes: bool = False) -> Any:
    """Return *out* holding *result*, computed from *sources*; it is resized if need be.

    Args:
        out: Where to write.
        result: What to write.
        sources: What it was computed from, where *out* must not share memory with it in part.
        resizes: The function is known to resize, and need not warn of it.

    Raises:
        AutogradError: one of them requires grad, and recording is on.
        DTypeError: the result's category is above that of *out*.
        ShapeError: *out* shares a part of its memory with itself or with a source.
    """
    if not isinstance(out, Value):
        msg = f"argument 'out' must be Tensor, not {type(out).__name__}"
        raise ArgumentError(msg)
    if mode.enabled and (out._requires_grad or result._requires_grad):
        refuse_out(sys._getframe(1).f_code.co_name)
    check_inference_write(out._storage, "out=")
    check_overlap(out, sources, "out=")
    if sources:
        check_distinct(out, "out=")
    shape = tuple(result._array.shape)
    if tuple(out._array.shape) != shape:
        _check_key(out, result, "out=")
        if not resizes:
            _warn_of_resizing(tuple(out._array.shape), shape)
        resize(out, shape)
    check_distinct(out, "out=")
    write(out, result, "out=")
    return out


def refuse_out(name: str) -> NoReturn:
    """Raise PyTorch's words for ``out=`` where a gradient is wanted."""
    name = name.lstrip("_")
    msg = (
        f"{name}(): functions with out=... arguments don't support automatic differentiation, but "
        f"one of the arguments requires grad.\n{name}: drop out=, or compute under no_grad()."
    )
    raise AutogradError(msg)


def _warn_of_resizing(found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if 0 in found:
        return
    warn(
        f"An output with one or more elements was resized since it had shape {list(found)}, which "
        f"does not match the required output shape {list(wanted)}. This behavior is deprecated, "
        "and in a future PyTorch release outputs will not be resized unless they have zero "
        "elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero "
        "elements with t.resize_(0).",
        UserWarning,
        stacklevel=levels_out(),
    )
