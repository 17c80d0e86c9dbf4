"""Writing into tensors that the graph still needs: they are copied first."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any

from .. import inplace
from ..errors import AutogradError
from ..graph import alias_of_output
from ..value import storage_of
from ._saved_tensors import saved_tensors_hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["allow_mutation_on_saved_tensors"]


class _Kept:
    """One saved tensor: as it is in memory, until somebody writes there."""

    __slots__ = ("__weakref__", "owner", "tensor")

    def __init__(self, tensor: Any, owner: _AllowMutationOnSavedContext) -> None:
        self.tensor, self.owner = alias_of_output(tensor), owner


class _AllowMutationOnSavedContext:
    """What was saved inside one block, by the memory that it lies in."""

    def __init__(self) -> None:
        self._kept: weakref.WeakKeyDictionary[Any, weakref.WeakSet[_Kept]]
        self.clear()
        self.open = True

    def clear(self) -> None:
        """Forget what was saved: a later write does not copy it any more."""
        self._kept = weakref.WeakKeyDictionary()

    def pack(self, tensor: Any) -> _Kept:
        """Return what stands for *tensor*."""
        kept = _Kept(tensor, self)
        self._kept.setdefault(storage_of(tensor), weakref.WeakSet()).add(kept)
        return kept

    def before_write(self, target: Any) -> None:
        """Copy what was saved of the memory that *target* looks into."""
        for kept in self._kept.pop(target._storage, ()) if target._storage is not None else ():
            tensor = kept.tensor
            tensor._array, tensor._storage = tensor._key.backend.copy(tensor._array), None


def _unpack(kept: _Kept) -> Any:
    if not kept.owner.open:
        msg = (
            "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context"
            "in which the graph was originally recorded."
        )
        raise AssertionError(msg)
    return kept.tensor


@contextlib.contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_AllowMutationOnSavedContext]:
    """Allow writing into tensors that the backward pass needs: what is needed is copied first.

    The copy is made at the write, and only if something was saved from that memory. The backward
    pass must run inside the block too.

    Raises:
        RuntimeError: blocks are nested.
        AssertionError: the backward pass runs after the block.

    >>> import chainrule as cr
    >>> x = cr.zeros(2, requires_grad=True)
    >>> with allow_mutation_on_saved_tensors():
    ...     y = x.clone()
    ...     z = y.sin().sum()
    ...     _ = y.fill_(7.0)
    ...     z.backward()
    >>> x.grad
    tensor([1., 1.])
    """
    if inplace.before_write is not None:
        msg = "allow_mutation_on_saved_tensors contexts cannot be nested"
        raise AutogradError(msg)
    context = _AllowMutationOnSavedContext()
    with saved_tensors_hooks(context.pack, _unpack):
        inplace.before_write = context.before_write
        try:
            yield context
        finally:
            inplace.before_write = None
            context.open = False
            context.clear()
