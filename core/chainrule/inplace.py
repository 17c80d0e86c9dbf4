"""Writing into a tensor: what forbids it, and what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ArgumentError, DTypeError, InplaceError, ShapeError
from .grad_mode import mode
from .shapes import broadcast_shapes
from .value import Value, storage_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_writable(target: Any, sources: Sequence[Any], name: str) -> None:
    """Check, before anything changes, that writing into *target* makes no gradient wrong.

    Raises:
        InplaceError: it is a leaf that requires grad, or a view of one; or it has history, or is
            to get some from *sources*.
    """
    if not isinstance(target, Value):
        msg = f"{name}(): argument 'input' (position 1) must be Tensor, not {type(target).__name__}"
        raise ArgumentError(msg)
    if not mode.enabled:
        return
    if target._requires_grad and target._node is None:
        msg = (
            "a leaf Variable that requires grad is being used in an in-place operation.\n"
            f"{name}: write under no_grad(), or into a clone()."
        )
        raise InplaceError(msg)
    base = target._base
    if base is not None and base._requires_grad and base._node is None:
        msg = (
            "a view of a leaf Variable that requires grad is being used in an in-place operation.\n"
            f"{name}: write under no_grad(), or into a clone()."
        )
        raise InplaceError(msg)
    if target._requires_grad or any(isinstance(s, Value) and s._requires_grad for s in sources):
        msg = (
            f"{name}: expected a target without history and sources that require no grad, since an "
            "in-place operation on recorded tensors is not differentiated. "
            "Use the operation without the underscore, or write under no_grad()."
        )
        raise InplaceError(msg)


def write(target: Value, result: Any, name: str) -> None:
    """Write *result* into *target*, cast to its dtype, and count the version up.

    Raises:
        DTypeError: the result's category is above the target's.
        ShapeError: *target* would have to grow, or several of its elements share memory.
    """
    if isinstance(result, Value):
        if result._key.category > target._key.category:
            found, wanted = result._key.dtype.scalar_name, target._key.dtype.scalar_name
            msg = (
                f"result type {found} can't be cast to the desired output type {wanted}\n"
                f"{name}: an in-place operation keeps the dtype of its target. Convert the target first."
            )
            raise DTypeError(msg)
        _check_shape(target, result, name)
    array, backend = target._array, target._key.backend
    if any(s == 0 and n > 1 for s, n in zip(backend.strides(array), array.shape, strict=True)):
        msg = (
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation."
        )
        raise ShapeError(msg)
    backend.assign(array, result._array if isinstance(result, Value) else result)
    storage_of(target).version += 1


def _check_shape(target: Value, result: Value, name: str) -> None:
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
    if out._array.shape == result._array.shape:
        write(out, result, "out")
        return out
    if out._base is None:
        out._array = result._key.backend.astype(result._array, out._key.dtype)
        storage_of(out).version += 1
        return out
    msg = f"out=: expected shape {tuple(result._array.shape)}, got a view of shape {tuple(out._array.shape)}."
    raise ShapeError(msg)
