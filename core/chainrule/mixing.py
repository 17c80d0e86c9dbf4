"""Tensors that meet in one op: on which backend it runs, and what may come from another device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import MixedBackendError
from .schema import NUMBER_OR_TENSOR
from .value import Value, new_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .backend import DispatchKey
    from .op import Op


def common_key(op: str, values: Sequence[Value]) -> DispatchKey:
    """Return the key whose backend and device an op on *values* runs with.

    Arrays of equal storage mix; the more derived backend runs.

    Raises:
        MixedBackendError: two devices, or two kinds of array.
    """
    key = values[0]._key
    for value in values[1:]:
        other = value._key
        if other is key or (other.backend is key.backend and other.device == key.device):
            continue
        if other.device != key.device:
            raise apart(key.device, other.device, f"{op}: move one of them with .to(...).")
        ours, theirs = key.backend, other.backend
        if ours.level != theirs.level:
            if ours.level < theirs.level:
                key = theirs.key(key.dtype, key.device)
            continue
        if ours.spec.storage != theirs.spec.storage:
            place = f"{key.device}@{ours.name}"
            cure = f"{op}: expected tensors of one kind of array. Move one with .to('{place}')."
            raise apart(place, f"{other.device}@{theirs.name}", cure)
        if theirs.isa(ours.name):
            key = theirs.key(key.dtype, key.device)
    return key


def apart(one: object, other: object, cure: str) -> MixedBackendError:
    """Return PyTorch's error about tensors in two places, and what to do."""
    return MixedBackendError(
        "Expected all tensors to be on the same device, but found at least two devices, "
        f"{one} and {other}!\n{cure}"
    )


def with_numbers_moved(
    op: Op[Any, Any], tensors: Sequence[Any], values: Sequence[Value]
) -> list[Any]:
    """Return *tensors*, inputs of *op*, with numbers that lie on the CPU moved to the others.

    A number is a tensor without dimensions where *op* takes a number too: so it is in PyTorch. Its
    history stays with the tensor that was given.
    """
    place = next((v._key for v in values if v._key.device.type != "cpu"), None)
    if place is None:
        return list(tensors)
    on_a_level = any(value._key.backend.level for value in values)
    made = []
    for param, tensor in zip(op.schema.tensors, tensors, strict=False):
        is_number = (
            (op.promote is not None or param.kind == NUMBER_OR_TENSOR)
            and isinstance(tensor, Value)
            and tensor._key.device.type == "cpu"
            and tensor._array.shape == ()
        )
        if is_number and on_a_level:  # where an op of its own keeps what the transform knows
            made.append(tensor.to(place.device))
        else:
            made.append(_standing_for(tensor, place) if is_number else tensor)
    return made


def _standing_for(number: Value, place: DispatchKey) -> Any:
    """Return *number* at *place*, which writes it there by itself; it requires grad as here."""
    key = place.of(number._key.dtype)
    on_host = number._key.backend.tolist(number._array)
    made = new_value(key.backend.full((), on_host, key.dtype, key.device), key)
    made._requires_grad = number._requires_grad
    return made
