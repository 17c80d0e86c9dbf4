"""`as_strided`: any view of a memory, by sizes and strides."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import dtypes, views
from ..errors import ShapeError
from ..op import composite, primitive
from ..value import new_value
from ._arguments import check_tensor, integers, new_look, zeros_shaped
from .arithmetic import add, div
from .complex import _view_as_complex, _view_as_real
from .copying import view_scatter
from .indexing import _index, index_backward
from .shape import reshape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..tensor import Tensor

__all__ = ["as_strided"]

#: Size, strides and offset of a view of a memory, all in elements.
Layout = tuple[tuple[int, ...], tuple[int, ...], int]


@primitive(view=True, nodes={"": "AsStridedBackward0"})
def _as_strided(
    self: Tensor,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    storage_offset: int | None,
    extent: int,
    layout: Layout,
) -> Tensor:
    """Return a view of the memory of *self*, which has *extent* elements and *layout* in it."""


_as_strided.vjp(
    self=lambda grad, size, stride, storage_offset, extent, layout: _as_strided_backward(
        grad,
        (size, stride, layout[2] if storage_offset is None else storage_offset),
        extent,
        layout,
    )
)
# The rest is ours, not PyTorch's.
_as_strided.readable = ("size", "stride", "storage_offset")  # type: ignore[has-type]  # a cycle of modules


def _as_strided_backward(grad: Tensor, view: Layout, extent: int, source: Layout) -> Tensor:
    """Return the gradient of the source: *grad* added up in the memory, and read from there.

    Where elements of the source share memory, each gets an equal part.
    """
    memory = index_backward(grad, (_positions(grad, view),), (extent,))
    places = _positions(grad, source)
    found = _index(memory, (places,))
    if not _may_overlap(source):
        return found
    key = grad._key
    ones = new_value(key.backend.full(tuple(source[0]), 1, key.dtype, key.device), key)
    count = index_backward(ones, (places,), (extent,))
    return div(found, _index(count, (places,)))


def _positions(like: Tensor, layout: Layout) -> Tensor:
    """Return where in the memory each element of a view lies."""
    backend, device = like._key.backend, like._key.device
    key = backend.key(dtypes.int64, device)
    size, stride, offset = layout
    total: Any = new_value(backend.full((1,) * len(size), offset, dtypes.int64, device), key)
    for dim, (count, step) in enumerate(zip(size, stride, strict=True)):
        steps = new_value(backend.arange(0, 1, count, dtypes.int64, device), key) * step
        total = add(total, reshape(steps, [count if d == dim else 1 for d in range(len(size))]))
    return total  # type: ignore[no-any-return]  # a Tensor


def _may_overlap(layout: Layout) -> bool:
    """Return whether two elements of a view may share memory."""
    reach = 0
    for step, count in sorted(zip(layout[1], layout[0], strict=True)):
        if count > 1:
            if step <= reach:
                return True
            reach += step * (count - 1)
    return False


def as_strided(
    input: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:
    """Return a view of the memory of *input* with any sizes and strides.

    Args:
        input: ``(*)``.
        size: The shape of the result.
        stride: How many elements to step in memory, per dimension; 0 repeats.
        storage_offset: Which element of the memory is the first; that of *input* if None.

    Raises:
        RuntimeError: the two differ in length, or the view would leave the memory.

    Gradient:
        ``grad`` added up where elements of the result share memory, and shared equally where
        elements of *input* do.

    Differs from PyTorch:
        The memory of a view is that of the tensor it is a view of; what that tensor was cut from
        before it became a tensor is out of reach.

    >>> import chainrule as cr
    >>> cr.arange(4).as_strided((3, 2), (1, 1))
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    check_tensor("as_strided", input)
    sizes, steps = (
        integers("as_strided", "size", (size,)),
        integers("as_strided", "stride", (stride,)),
    )
    layout, extent = _layout(input)
    _check_layout(
        sizes, steps, layout[2] if storage_offset is None else storage_offset, extent, input
    )
    return _as_strided(input, sizes, steps, storage_offset, extent, layout)


def memory_of(input: Tensor) -> tuple[Tensor, int]:
    """Return the tensor whose memory *input* looks into, and at which byte of it.

    It is the base of a view, unless one of the two got other memory by ``.data =``.
    """
    backend, base = input._key.backend, input._base
    if base is None or base._key.backend.level != backend.level:  # a transform wraps a view alone
        return input, 0
    away = backend.data_ptr(input._array) - backend.data_ptr(base._array)
    return (base, away) if 0 <= away <= _bytes_of(base) - _bytes_of(input) else (input, 0)


def _bytes_of(tensor: Tensor) -> int:
    strides = tensor._key.backend.strides(tensor._array)
    return _reach(tuple(tensor._array.shape), strides) * tensor._key.dtype.itemsize


def _layout(input: Tensor) -> tuple[Layout, int]:
    """Return the layout of *input* in its memory, and how many elements the memory has."""
    owner, away = memory_of(input)
    strides, itemsize = input._key.backend.strides(input._array), input._key.dtype.itemsize
    return (
        (tuple(input._array.shape), strides, away // itemsize),
        _bytes_of(owner) // itemsize,  # of its own: the owner may be complex
    )


def _reach(size: Sequence[int], stride: Sequence[int]) -> int:
    """Return how many elements of memory a view spans."""
    if prod(size) == 0:
        return 0
    return 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))


def _lies_within(layout: Layout, extent: int) -> bool:
    """Return whether a view lies inside a memory of *extent* elements."""
    size, stride, offset = layout
    return offset >= 0 and offset + _reach(size, stride) <= extent


def _check_layout(
    size: tuple[int, ...], stride: tuple[int, ...], offset: int, extent: int, input: Tensor
) -> None:
    if len(size) != len(stride):
        msg = "mismatch in length of strides and shape"
        raise ShapeError(msg)
    if any(n < 0 for n in size):
        msg = (
            f"Storage size calculation overflowed with sizes={list(size)} and "
            f"strides={list(stride)}"
        )
        raise ShapeError(msg)
    if any(step < 0 for step in stride):
        msg = (
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
        raise ShapeError(msg)
    if offset < 0:
        msg = f"Tensor: invalid storage offset {offset}"
        raise ShapeError(msg)
    itemsize, needed = input._key.dtype.itemsize, _reach(size, stride)
    if needed and offset + needed > extent:
        msg = (
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and "
            f"itemsize {itemsize} requiring a storage size of {(offset + needed) * itemsize} are "
            f"out of bounds for storage of size {extent * itemsize}"
        )
        raise ShapeError(msg)


def look_into_new_memory(like: Any, stride: tuple[int, ...]) -> Any:
    """Return a tensor of zeros like *like* that lies in memory of its own with these strides."""
    key, size = like._key, tuple(like._array.shape)
    extent = _reach(size, stride)
    memory: Any = new_value(key.backend.full((extent,), 0, key.dtype, key.device), key)
    return _as_strided.evaluate((memory, size, stride, 0, extent, ((extent,), (1,), 0)))


as_strided_ = new_look(as_strided)


@composite(view=True, nodes={"": "AsStridedBackward0"})
def _seen_again(
    self: Tensor,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    storage_offset: int,
    view: Callable[[Tensor], Tensor],
    source_stride: tuple[int, ...],
) -> Tensor:
    """Return what *view* shows of *self*; the two have these sizes and strides."""
    return view(self)


_seen_again.vjp(
    self=lambda grad, self_shape, size, stride, storage_offset, view, source_stride: view_scatter(
        zeros_shaped(grad, self_shape), grad, view, source_stride
    )
)
_seen_again.readable = ("size", "stride", "storage_offset")  # type: ignore[has-type]  # a cycle of modules


def _look_again(view: Any, source: Any) -> None:
    """Give *view* the history of a look at *source*, whose own history is new.

    Of a source that got other memory meanwhile (``.data =``), it is that of the same look there.
    """
    layout, extent = _layout(source)
    size, strides, offset = look = _layout(view)[0]
    view._node, view._output_nr = None, 0
    view._requires_grad = source._requires_grad
    if _may_overlap(look):
        again = None if _lies_within(look, extent) else _same_look(view, source)
        if again is None:
            _as_strided.record_onto(view, (source, size, strides, offset, extent, layout))
        else:
            view._node, view._output_nr = again._node, again._output_nr
    else:
        way = views.way_to(view, source)
        _seen_again.record_onto(view, (source, size, strides, offset, way, layout[1]))


def _same_look(view: Any, source: Any) -> Any:
    """Return what the calls that made *view* show of *source*; None if it has no room for them."""
    try:
        made = views.way_to(view, source)(source)
    except (RuntimeError, ValueError):
        return None
    return made if made._array.shape == view._array.shape else None


def _way_by_layout(view: Any) -> views.Way:
    """Return the way from the base to *view* by where its elements lie.

    Between a complex base and its parts, or the other way round, it leads over all of the memory.
    A base that got other memory meanwhile (``.data =``), or less of it, is asked for the calls that
    made the view instead: nothing may look outside of a memory.
    """
    base = view._base
    (lie, extent), look = _layout(base), _layout(view)[0]
    steps: list[tuple[Any, tuple[Any, ...], None]] = []
    if base._key.dtype is not view._key.dtype:
        to_parts = base._key.dtype.is_complex
        row = ((extent,), (1,), 0) if to_parts else ((extent // 2, 2), (2, 1), 0)
        steps.append((_as_strided, (*row, extent, lie), None))
        steps.append((_view_as_real if to_parts else _view_as_complex, (), None))
        extent = extent * 2 if to_parts else extent // 2
        lie = ((extent // 2, 2), (2, 1), 0) if to_parts else ((extent,), (1,), 0)
    if not _lies_within(look, extent) or min((0, *lie[1], *look[1])) < 0:
        return view._view.way()  # type: ignore[no-any-return]  # a Way
    steps.append((_as_strided, (*look, extent, lie), None))
    return views.Way(tuple(steps))


views.look_again, views.way_by_layout = _look_again, _way_by_layout
