"""Square brackets written to: ``x[i, 1:, mask] = value``.

What stands in the brackets is a view, or places in one. Unrecorded, the elements are written where
they are. Recorded, the write goes through the in-place form of an op, so that the history of the
tensor, and of what it is a view of, continues from there.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ..dtypes import bool_
from ..errors import ArgumentError, DimError, DTypeError, ShapeError
from ..inplace import check_writable, write
from ..mixing import common_key
from ..op import primitive
from ..overlap import check_distinct, check_overlap, warn_if_repeated
from ..plan import recording
from ..shapes import broadcast_shapes
from ..value import Value, new_value
from ._arguments import check_tensor, zeros_shaped
from .brackets import (
    check_masks,
    explain,
    items_of,
    parse,
    placed,
    taken_by,
)
from .broadcasting import expanded_size
from .complex import imag, real
from .copying import copy, fill
from .filling import as_number
from .fused import UpdateOp
from .indexing import _index, basic_part, no_dimensions
from .shape import reshape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["index_put"]


@primitive(dtype="same", nodes={"": "IndexPutBackward0"})
def _index_put(
    self: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool
) -> Tensor:
    """Return a copy of *self* with *values* at *indices*, or added there."""


_index_put.vjp(
    self=lambda grad, indices, values_shape, accumulate: (
        grad if accumulate else _index_put(grad, indices, zeros_shaped(grad, ()), False)
    ),
    indices=None,
    values=lambda grad, indices: _index(grad, indices),
)


def _write_at_(
    targets: Sequence[Tensor],
    values: Sequence[Tensor],
    indices: Sequence[Tensor],
    *,
    dims: tuple[int, ...],
    accumulate: bool,
) -> None:
    """Write into a tensor at places given by tensors, without a copy of the rest of it.

    Args:
        targets: The one that is written to.
        values: What is written or, with *accumulate*, added.
        indices: Tensors of places or masks.
        dims: Which position among the indices each has; what is between takes all of a dimension.
        accumulate: See *values*.
    """
    whole: list[Tensor | None] = [None] * (dims[-1] + 1)
    for position, index in zip(dims, indices, strict=True):
        whole[position] = index
    (target,) = targets
    target.copy_(_index_put(target, tuple(whole), values[0], accumulate))


_write_at_ = UpdateOp(_write_at_, ("targets",))


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """Write *value* at ``self[index]``, broadcast and cast to the dtype of *self*.

    Args:
        self: ``(*)``, what is written to.
        index: As for reading.
        value: A number, or a tensor that broadcasts to ``self[index]``; sizes of 1 in front may be
            more than it has. If a place is named twice, the last value stays.

    Raises:
        RuntimeError: *value* does not fit, or the write would make a gradient wrong.
        TypeError: *value* is neither a number nor a tensor.
        IndexError: as for reading.

    >>> import chainrule as cr
    >>> x = cr.zeros(3)
    >>> x[1:] = cr.tensor([1, 2])
    >>> x[x == 0] = -1
    >>> x
    tensor([-1.,  1.,  2.])
    """
    check_tensor("__setitem__", self)
    if not isinstance(value, Value):
        value = as_number(value, self._key.dtype)
    if type(index) is int and not self._array.shape:
        raise no_dimensions()
    items = items_of(index)
    if len(items) == 1 and isinstance(items[0], slice) and not self._array.shape:
        msg = "slice() cannot be applied to a 0-dim tensor."
        raise DimError(msg)
    if index is False:
        return
    parsed = parse(self, (None,) if index is True else items)
    target = basic_part(self, parsed.basic)
    if parsed.indices:
        _put(target, parsed.indices, value, "__setitem__")
    else:
        _assign(target, value)


def _assign(target: Tensor, value: Any) -> None:
    """Write *value* into all of *target*."""
    check_distinct(target, "__setitem__")
    if not isinstance(value, Value):
        if recording((target,)):
            fill.in_place((target, value), {}, "__setitem__")
            return
        check_writable(target, (), "__setitem__")
        write(target, value, "__setitem__")
        return
    if value._key.device != target._key.device:
        value = value.to(target._key.device)  # type: ignore[attr-defined]  # a Tensor
    value = _without_leading_ones(value)
    shape = expanded_size(value, tuple(target._array.shape))  # raises where it does not fit
    if value._storage is not None and value._storage is target._storage:
        value = value.expand(shape)  # a part of the target, which may be repeated all over it
    if recording((target, value)):
        copy.in_place((target, value), {}, "__setitem__")
        return
    check_writable(target, (value,), "__setitem__")
    check_overlap(target, (value,), "__setitem__")
    key = target._key
    if value._key.dtype is not key.dtype:
        value = new_value(
            value._key.backend.astype(value._array, key.dtype), value._key.of(key.dtype)
        )
    write(target, value, "__setitem__")


def _without_leading_ones(value: Any) -> Any:
    shape = value._array.shape
    kept = next((i for i, n in enumerate(shape) if n != 1), len(shape))
    return reshape(value, shape[kept:]) if kept else value


def _put(
    target: Tensor, indices: Sequence[Any], value: Any, name: str, *, accumulate: bool = False
) -> None:
    """Write *value* into *target* at places given by tensors."""
    if not isinstance(value, Value):
        key = target._key
        value = new_value(key.backend.full((), value, key.dtype, key.device), key)
    elif not value._array.shape and value._key.device.type == "cpu":
        value = value.to(target._key.device)  # type: ignore[attr-defined]  # a Tensor
    indices = placed(target, indices)
    common_key(name, [target, value])
    one_mask = not accumulate and prod(value._array.shape) == 1 and _is_one_mask(indices)
    if one_mask:
        value = value.to(target.dtype)
        if value._storage is not None and value._storage is target._storage:
            value = value.clone()  # one number, which is read before anything is written
    check_masks(target._array.shape, indices)
    _check_values(target, indices, value)
    value = _without_leading_ones(value)
    try:
        if recording((target, value)) or _on_a_level(target, value, *indices):
            _index_put.in_place((target, tuple(indices), value, accumulate), {}, name)
            return
        check_writable(target, (value,), name)
        warn_if_repeated(target, "masked_fill_" if one_mask else "index_put_")
        if not one_mask:
            check_overlap(target, (value, *indices), name, whole=True)
        dims = tuple(position for position, one in enumerate(indices) if one is not None)
        places = [indices[position] for position in dims]
        _write_at_([target], [value], places, dims=dims, accumulate=accumulate)
    except (IndexError, ValueError):
        _explain_values(target, indices, value)
        raise


def _on_a_level(*tensors: Any) -> bool:
    """Return whether a function transform wraps one of *tensors*."""
    return any(tensor is not None and tensor._key.backend.level for tensor in tensors)


def _is_one_mask(indices: Sequence[Any]) -> bool:
    """Return whether a mask is all there is: then one value fills, whatever its dtype."""
    used = [index for index in indices if index is not None]
    return len(used) == 1 and used[0]._key.dtype is bool_


def _check_values(target: Tensor, indices: Sequence[Any], value: Tensor) -> None:
    if value._key.dtype is not target._key.dtype:
        explain(target._array.shape, indices)
        msg = (
            "Index put requires the source and destination dtypes match, got "
            f"{target._key.dtype.scalar_name} for the destination and "
            f"{value._key.dtype.scalar_name} for the source."
        )
        raise DTypeError(msg)


def _explain_values(target: Tensor, indices: Sequence[Any], value: Tensor) -> None:
    """Raise PyTorch's error for places or values that do not fit, if it has one."""
    explain(target._array.shape, indices)
    found = list(_index(target, tuple(indices))._array.shape)
    try:
        fits = list(broadcast_shapes(found, value._array.shape)) == found
    except ShapeError:
        fits = False
    if not fits:
        msg = (
            f"shape mismatch: value tensor of shape {list(value._array.shape)} cannot be broadcast "
            f"to indexing result of shape {found}"
        )
        raise ShapeError(msg)


def index_put(
    input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False
) -> Tensor:
    """Return a copy of *input* with *values* at *indices*.

    Args:
        input: ``(*)``.
        indices: Tensors of places or masks, one per dimension; those left out at the end take all.
        values: What to put there: of the dtype of *input*, broadcast to ``input[indices]``.
        accumulate: Add instead, also where a place is named more than once.

    Raises:
        IndexError: a place is out of range, or there are too many tensors.
        RuntimeError: *values* do not fit in shape or dtype.

    Gradient:
        For *input* ``grad``, with zeros at *indices* unless accumulated; for *values*
        ``grad[indices]``.

    >>> import chainrule as cr
    >>> cr.index_put(cr.zeros(3), [cr.tensor([0, 0])], cr.tensor([1.0, 2.0]), accumulate=True)
    tensor([3., 0., 0.])
    """
    _check_put(input, indices)
    indices = placed(input, indices)
    check_masks(input._array.shape, indices)
    _check_values(input, indices, values)
    try:
        return _index_put(input, tuple(indices), values, accumulate)
    except (IndexError, ValueError):
        _explain_values(input, indices, values)
        raise


def _check_put(input: Tensor, indices: Any) -> None:
    check_tensor("index_put", input)
    if not isinstance(indices, (list, tuple)):
        msg = (
            "index_put(): argument 'indices' (position 1) must be tuple of Tensors, not "
            f"{type(indices).__name__}"
        )
        raise ArgumentError(msg)
    shape, used = input._array.shape, sum(1 if i is None else taken_by(i) for i in indices)
    if used > len(shape):
        msg = f"too many indices for tensor of dimension {len(shape)} (got {used})"
        raise DimError(msg)


def index_put_(
    input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False
) -> Tensor:
    """In-place form of index_put."""
    _check_put(input, indices)
    _put(input, indices, values, "index_put_", accumulate=accumulate)
    return input


def set_real(self: Tensor, value: Any) -> None:
    """Write *value* into the real part of *self*: what ``self.real = value`` does."""
    setitem(real(self), ..., value)


def set_imag(self: Tensor, value: Any) -> None:
    """Write *value* into the imaginary part of *self*: what ``self.imag = value`` does."""
    setitem(imag(self), ..., value)
