"""Views: how one was made, and how it finds its history after the base was written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import InplaceError
from .grad_mode import IN_INFERENCE, mode
from .value import storage_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .op import Op

_MULTI_VIEW_BASE = (
    "Output {number} of {op} is a view and its base or another view of its base has been modified "
    "inplace. This view is the output of a function that returns multiple views. Such functions do "
    "not allow the output views to be modified inplace. You should replace the inplace operation "
    "by an out-of-place one."
)


_NO_GRAD_VIEW_BASE = (
    "A view was created in no_grad mode and its base or another view of its base has been modified "
    "inplace with grad mode enabled. Given that this use case is ambiguous and error-prone, it is "
    "forbidden. You can clarify your code by moving both the view and the inplace either both "
    "inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if "
    "you want the inplace to be tracked)."
)
_INFERENCE_VIEW_BASE = (
    "A view was created in inference mode and its base or another view of its base has been "
    "modified inplace in normal mode. Given that this use case is ambiguous and error-prone, it is "
    "forbidden. You can clarify your code by moving both the view and the inplace either both "
    "inside the inference_mode block (if you don't want the inplace to be tracked) or both outside "
    "(if you want the inplace to be tracked)."
)
_new = object.__new__


class ViewRecord:
    """The call that made a view: enough to make it again from another base.

    Attributes:
        op: The view op.
        bound: Its arguments; the first is the tensor that was viewed, maybe a view itself.
        number: Which output, for an op that returns several views; else None.
        in_grad_mode: Whether recording was on when the view was made.
        seen: How often the history of the memory had been rewritten when the view's was last read.
    """

    __slots__ = ("bound", "in_grad_mode", "number", "op", "seen")

    op: Op[Any, Any]
    bound: Any
    number: int | None
    in_grad_mode: bool
    seen: int

    def replay(self, parent: Any) -> Any:
        """Return this view of *parent*."""
        made = self.op.evaluate((parent, *self.bound[1:]))
        return made if self.number is None else made[self.number]

    def made_in(self) -> Any:
        """Return the mode in which this view, or the nearest of those it is a view of, was made.

        True for recording if all were; else False, or `IN_INFERENCE`.
        """
        parent = self.bound[0]
        if not self.in_grad_mode or parent._base is None:
            return self.in_grad_mode
        return parent._view.made_in()

    def chain(self) -> Callable[[Any], Any]:
        """Return the way from the base to the view, as a function of the base."""
        parent = self.bound[0]
        if parent._base is None:
            return self.replay
        outer = parent._view.chain()
        return lambda base: self.replay(outer(base))


def become_view(view: Any, source: Any, op: Op[Any, Any], bound: Any, number: int | None) -> None:
    """Make *view* one of *source*: the same storage, the same base, and how it was made."""
    view._storage = storage = storage_of(source)
    view._base = source if source._base is None else source._base
    record = view._view = _new(ViewRecord)
    record.op, record.bound, record.number = op, bound, number
    record.in_grad_mode, record.seen = mode.enabled, storage.rebased


def refresh(view: Any) -> None:
    """Give *view* the history that the memory it looks into has by now.

    Raises:
        InplaceError: it is one of several views that one op made, which cannot be made again.
    """
    record, storage = view._view, view._storage
    if record.seen == storage.rebased:
        return
    made_in = record.made_in()
    if not made_in:
        raise InplaceError(_INFERENCE_VIEW_BASE if made_in is IN_INFERENCE else _NO_GRAD_VIEW_BASE)
    if record.number is not None:
        op = record.op.__name__.strip("_").split("_")[0].capitalize()
        raise InplaceError(_MULTI_VIEW_BASE.format(number=record.number, op=op))
    parent = record.bound[0]
    if parent._base is not None:
        refresh(parent)
    before, mode.enabled = mode.enabled, True
    try:
        again = record.replay(parent)
    finally:
        mode.enabled = before
    view._node, view._output_nr = again._node, again._output_nr
    view._requires_grad = again._requires_grad
    record.seen = storage.rebased
