"""Gradients made to fit, and added into the ``.grad`` of tensors.

Rules are pure maths; what the forward pass did to shapes (broadcasting) and dtypes (promotion) is
undone here, in `fit`, for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import ops
from .inplace import write
from .locks import new_lock
from .shapes import contiguous_strides
from .value import new_value

if TYPE_CHECKING:
    from .backend import DispatchKey

# Note [Whose gradient]
# ---------------------
# The first gradient of a leaf becomes its `.grad` as it is if nobody else can look at its memory;
# later ones are added to it in place. So a pass remembers the gradients that others may have seen:
# those that the user gave or a hook or Function returned, and those that were retained.


_locks: Final = tuple(new_lock() for _ in range(16))


class Ownership:
    """Which gradients of one pass somebody else may hold: Note [Whose gradient]."""

    __slots__ = ("shared",)

    def __init__(self) -> None:
        self.shared: dict[int, Any] = {}

    def share(self, grad: Any) -> None:
        """Remember that somebody else may look at the memory of *grad*."""
        self.shared[id(grad._array)] = grad
        if grad._base is not None:
            self.shared[id(grad._base._array)] = grad._base

    def is_ours(self, grad: Any) -> bool:
        """Return whether nobody else looks at the memory of *grad*: then it need not be copied."""
        if id(grad._array) in self.shared:
            return False
        base = grad._base
        return base is None or (
            id(base._array) not in self.shared and grad._key.backend.is_contiguous(grad._array)
        )

    def add_to_grad(self, leaf: Any, grad: Any, *, create_graph: bool) -> None:
        """Add *grad* into ``leaf.grad``: in place, unless the pass is recorded.

        Passes of several threads may add to one leaf: no user's code runs under the lock.
        """
        with _locks[id(leaf) // 64 % len(_locks)]:
            self._add_to_grad(leaf, grad, create_graph=create_graph)

    def _add_to_grad(self, leaf: Any, grad: Any, *, create_graph: bool) -> None:
        before = leaf._grad
        if before is not None:
            if create_graph:
                leaf._grad = ops.add(before, grad)
            elif before._key is grad._key and before._array.shape == grad._array.shape:
                write(before, ops.add.fast(before, grad), "add_")
            else:
                ops.add.in_place((before, grad), {})
        elif create_graph:
            leaf._grad = ops.copy(grad.detach(), grad)
        elif not leaf._key.backend.is_contiguous(leaf._array):
            leaf._grad = laid_out_like(grad, leaf)
        elif self.is_ours(grad):
            self.share(grad)
            leaf._grad = grad if grad._base is None else new_value(grad._array, grad._key)
        else:
            leaf._grad = new_value(grad._key.backend.copy(grad._array), grad._key)


def as_gradient_of(leaf: Any, grad: Any) -> Any:
    """Return *grad* with the dtype that a user set for the gradient of *leaf*."""
    key = leaf._key
    dtype = leaf._hooks.grad_dtype(key.dtype)
    if dtype is None or dtype is grad._key.dtype:
        return grad
    return fit(grad, grad._array.shape, key.of(dtype))


def fit(grad: Any, shape: tuple[int, ...], key: DispatchKey) -> Any:
    """Return *grad* as the gradient of a tensor of *shape* and *key*.

    Promotion and broadcasting are undone.

    Raises:
        ShapeError: *shape* does not broadcast to the gradient's.
    """
    if grad._key.dtype.is_complex and not key.dtype.is_complex:
        grad = ops.real(grad)
    if grad._array.shape != shape:
        grad = ops.sum_to_size(grad, *shape)
    if grad._key is not key:
        if grad._key.backend.level != key.backend.level:  # a transform's: it stays on its level
            return grad if grad._key.dtype is key.dtype else ops._to_copy(grad, dtype=key.dtype)
        grad = ops._to_copy(grad, dtype=key.dtype, device=key.device, backend=key.backend)
    return grad


def laid_out_like(grad: Any, leaf: Any) -> Any:
    """Return a copy of *grad* with the strides of *leaf*, if those are of a tensor without gaps."""
    shape, strides = leaf._array.shape, leaf._key.backend.strides(leaf._array)
    order = sorted(range(len(shape)), key=lambda dim: -strides[dim])
    packed = contiguous_strides([shape[dim] for dim in order])
    if tuple(strides[dim] for dim in order) != packed:
        return new_value(grad._key.backend.copy(grad._array), grad._key)
    back = sorted(range(len(shape)), key=order.__getitem__)
    moved = ops.clone(ops.permute(grad, order))
    return new_value(ops.permute(moved, back)._array, grad._key)
