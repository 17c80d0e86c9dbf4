"""Views: how one was made, and how it finds its history after the base was written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from .errors import InplaceError
from .grad_mode import IN_INFERENCE, mode
from .storage import InferenceStorage
from .value import new_value, storage_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .op import Op

_AMBIGUOUS = (
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your "
    "code by moving both the view and the inplace either both inside the {mode} block (if you "
    "don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."
)
_SEVERAL_VIEWS = (
    "This view is the output of a function that returns multiple views. Such functions do not "
    "allow the output views to be modified inplace. You should replace the inplace operation by an "
    "out-of-place one."
)
#: Why a view may not be written to while recording: beside False (made under no_grad) and
#: IN_INFERENCE, that its op returned several views.
SEVERAL: Final = "several"
#: Likewise, that a user's function returned it.
CUSTOM: Final = "custom"
_CUSTOM_VIEW = (
    "This view was created inside a custom Function (or because an input was returned as-is) and "
    "the autograd logic to handle view+inplace would override the custom backward associated with "
    "the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix "
    "this by cloning the output of the custom Function."
)

#: Gives a view its history anew, from what it is a view of; ops/striding.py fills it.
look_again: Callable[[Any, Any], None] = cast("Any", None)
#: Gives the way from the base to a view by where its elements lie; likewise.
way_by_layout: Callable[[Any], Way] = cast("Any", None)
_new = object.__new__


class ViewRecord:
    """The call that made a view: enough to make it again from another base.

    Attributes:
        op: The view op.
        bound: Its arguments; the first is the tensor that was viewed, maybe a view itself.
        number: Which output, for an op that returns several views; else None.
        in_grad_mode: Whether recording was on when the view was made; or why it is not written to.
        seen: How often the history of the memory had been rewritten when the view's was last read.
        asked: Set where ``requires_grad_`` made a leaf of the view: it requires grad by itself.
    """

    __slots__ = ("asked", "bound", "in_grad_mode", "number", "op", "seen")

    op: Op[Any, Any]
    bound: Any
    number: int | None
    in_grad_mode: Any
    seen: int
    asked: bool

    def own_flag_holds(self) -> bool:
        """Return whether the view requires grad by itself, where what it looks into does not."""
        return bool(self.in_grad_mode) or getattr(self, "asked", False)

    def replay(self, parent: Any) -> Any:
        """Return this view of *parent*."""
        made = self.op.evaluate((parent, *self.bound[1:]))
        return made if self.number is None else made[self.number]

    def obstacle(self) -> Any:
        """Return why a recorded write into this view is refused: None where it is not.

        SEVERAL, CUSTOM, False for no_grad, IN_INFERENCE; of this view, or of the nearest it is a
        view of.
        """
        if self.in_grad_mode is not True:
            return self.in_grad_mode
        if self.number is not None:
            return SEVERAL
        parent = self.bound[0]
        return None if parent._base is None else parent._view.obstacle()

    def way(self, source: Any = None) -> Way:
        """Return the way from *source*, by default the base, to the view."""
        steps, record, parent = [], self, self.bound[0]
        steps.append((record.op, record.bound[1:], record.number))
        while parent._base is not None and parent is not source:
            record = parent._view
            parent = record.bound[0]
            steps.append((record.op, record.bound[1:], record.number))
        return Way(tuple(reversed(steps)))


class Way:
    """How to come from a tensor to a view: the calls, without the tensors that they were made on.

    A node of the base's history keeps one; the tensors themselves would keep the base alive.
    """

    __slots__ = ("steps",)

    def __init__(self, steps: tuple[tuple[Op[Any, Any], Any, int | None], ...]) -> None:
        self.steps = steps

    def __call__(self, base: Any) -> Any:
        """Return the view of *base*."""
        for op, rest, number in self.steps:
            made = op.evaluate((base, *rest))
            base = made if number is None else made[number]
        return base


def way_to(view: Any, source: Any = None) -> Way:
    """Return the way from *source*, by default the base, to *view*.

    It is the calls that made the view; but where one of the tensors on the way was given another
    shape in place (``transpose_``), they would lead elsewhere now: then it is where the elements
    lie, from the base.
    """
    return way_by_layout(view) if is_reshaped(view) else view._view.way(source)


def is_reshaped(view: Any) -> bool:
    """Return whether a tensor that looks where *view* looks was given another shape in place."""
    return getattr(view._storage, "reshaped", False)


def become_view(view: Any, source: Any, op: Op[Any, Any], bound: Any, number: int | None) -> None:
    """Make *view* one of *source*: the same storage, the same base, and how it was made."""
    view._storage = storage = storage_of(source)
    view._base = source if source._base is None else source._base
    record = view._view = _new(ViewRecord)
    record.op, record.bound, record.number = op, bound, number
    record.in_grad_mode = recording = mode.enabled
    record.seen = storage.writes
    if (
        not recording
        and view._base._requires_grad
        and view._key.floating
        and type(storage) is not InferenceStorage
    ):
        view._requires_grad = True  # though it is a leaf: what it looks into requires grad


def own(result: Any) -> Any:
    """Return *result*, a tensor or a tuple of them, as no view.

    What it looks into is a value that an op made on its way, and that nobody else can see.
    """
    if isinstance(result, tuple):
        for part in result:
            own(part)
    elif result is not None and result._base is not None:
        refresh(result)
        result._base = None
    return result


def refresh(view: Any, *, always: bool = False) -> None:
    """Give *view* the history that the memory it looks into has by now, if one is asked for.

    Args:
        view: A tensor that is a view.
        always: Also where nothing is recorded: somebody asks for the history itself.

    Raises:
        InplaceError: the write was one that its view forbids.
    """
    record, storage = view._view, view._storage
    if record.seen == storage.writes:
        return
    if view._base._key.backend.level > view._key.backend.level:
        _follow(view)
    if view._base._requires_grad or view._node is not None:
        if not (mode.enabled or always):
            return
        # Else a base was detached or frozen, here or beside, and nothing was written.
        if storage.writes != getattr(storage, "flagged", None) or record.seen != storage.writes - 1:
            _look(view)
    else:  # nothing to renew yet; its base may be asked to require grad later
        if not record.own_flag_holds():
            view._requires_grad = False
        return
    record.seen = storage.writes


def _look(view: Any) -> None:
    """Give *view* its history anew."""
    _check_renewable(view)
    before, mode.enabled = mode.enabled, True
    try:
        (_renew if view._base._requires_grad else _end)(view)
    finally:
        mode.enabled = before


def _keep_retaining(view: Any, node: Any, number: int) -> None:
    """Have the node that *view* has now retain its gradient, if *node*, which it had, did."""
    if node is None or node._extras is None:
        return
    reference = node._extras.retained.get(number)
    if reference is not None and reference() is view and view._node is not None:
        del node._extras.retained[number]
        view._node.extras.retained[view._output_nr] = reference


def _check_renewable(view: Any) -> None:
    obstacle = view._view.obstacle()
    if obstacle is not None:
        raise InplaceError(refusal(view, obstacle, "its base or another view of its base has been"))


def _end(view: Any) -> None:
    """Let the history of *view* end at its base, which has none any more and was written to."""
    base, before, number = view._base, view._node, view._output_nr
    end = new_value(base._array, base._key)
    end._requires_grad = True
    if base._key is view._key:
        look_again(view, end)
    else:
        again = way_to(view)(end)
        view._node, view._output_nr = again._node, again._output_nr
    _keep_retaining(view, before, number)


def _renew(view: Any) -> None:
    """Let the history of *view* go on from what its base has by now."""
    record = view._view
    before, number = view._node, view._output_nr
    source = view._base if is_reshaped(view) else record.bound[0]
    if source._key is not view._key:
        if source._base is not None:
            refresh(source)
        again = way_to(view)(source) if source is view._base else record.replay(source)
        view._node, view._output_nr = again._node, again._output_nr
        view._requires_grad = again._requires_grad
    else:
        while source._base is not None and source._view.bound[0]._key is source._key:
            source = source._view.bound[0]
        if source._base is not None:
            refresh(source)
        look_again(view, source)
    _keep_retaining(view, before, number)


def _follow(view: Any) -> None:
    """Let *view* look at the array that a write under a function transform gave to its base."""
    again = view._view.way()(view._base)
    view._array, view._key = again._array, again._key


def refusal(view: Any, obstacle: Any, what: str) -> str:
    """Return PyTorch's words for a write into *view*, or under it, that is not allowed."""
    node, block = view._node, "inference_mode" if obstacle is IN_INFERENCE else "no_grad"
    made = "" if node is None else f"Output {view._output_nr} of {origin(node)} is a view"
    reasons = {SEVERAL: _SEVERAL_VIEWS, CUSTOM: _CUSTOM_VIEW}
    if node is not None and obstacle in reasons:
        return f"{made} and {what} modified inplace. {reasons[obstacle]}"
    if node is None or obstacle is not SEVERAL:
        kind = "inference" if obstacle is IN_INFERENCE else "no_grad"
        how = "in normal mode" if obstacle is IN_INFERENCE else "with grad mode enabled"
        start = f"{made} of a view which was created" if made else "A view was created"
        text = f"{start} in {kind} mode and {what} modified inplace {how}."
        if obstacle is CUSTOM:
            return f"{text} {_CUSTOM_VIEW}"
    else:
        text = f"{made} and {what} modified inplace."
    return f"{text} {_SEVERAL_VIEWS if obstacle is SEVERAL else _AMBIGUOUS.format(mode=block)}"


def origin(node: Any) -> str:
    """Return the name of the operation that *node* belongs to: ``Exp`` for ``ExpBackward0``."""
    name: str = node.name().rstrip("0123456789").removesuffix("Backward")
    return name
