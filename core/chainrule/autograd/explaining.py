"""Why ``.grad`` is None, or what will fill it: `explain_grad`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ..errors import ArgumentError
from ..value import Value
from ..views import refresh
from ._live import ends_above, leaves_of, path, walk
from ._naming import described, name_of, place_of, user_frame
from .origins import is_freed, is_tracking_origins, tracker

if TYPE_CHECKING:
    from types import FrameType

    from ..graph import Node

__all__ = ["Explanation", "explain_grad"]

_TRACK = "Under chainrule.autograd.track_origins(), the lines are named."


class Explanation(str):
    """An answer in words, which a terminal shows as lines.

    Attributes:
        reason: The answer in one word: ``"filled"``, ``"dtype"``, ``"frozen"``, ``"not_leaf"``,
            ``"cut"``, ``"unused"``, ``"not_run"``, ``"reset"``, ``"no_path"``.
    """

    __slots__ = ("reason",)

    reason: str

    def __new__(cls, reason: str, *lines: str) -> Self:
        """Return the answer made of *lines*."""
        made = super().__new__(cls, "\n".join(line for line in lines if line))
        made.reason = reason
        return made

    def __repr__(self) -> str:
        return str(self)


def explain_grad(tensor: Any, loss: Any = None, model: Any = None) -> Explanation:
    """Say in words why the ``.grad`` of *tensor* is None, or what will fill it.

    Args:
        tensor: The tensor whose gradient is missing.
        loss: The result that ``backward()`` was, or will be, called on: then the answer is about
            the way from there. Without it, every graph that is alive is looked through.
        model: A module, so that parameters are called by their names in it. Without it, names of
            variables, and of parameters of modules in variables, are looked up where this is
            called.

    Returns:
        The answer, a string with a one-word ``reason``.

    Raises:
        TypeError: *tensor* is no tensor.

    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> scaled = w * 2
    >>> cr.explain_grad(scaled)
    scaled.grad is None: it is not a leaf: MulBackward0 made it.
    backward() fills the .grad of leaves: here w.
    Call scaled.retain_grad() before backward() to have its gradient kept too.
    >>> cr.explain_grad(w, loss=scaled.detach().sum()).reason
    'cut'
    """
    if not isinstance(tensor, Value):
        msg = f"explain_grad: expected a tensor, got {type(tensor).__name__}."
        raise ArgumentError(msg)
    if tensor._base is not None:
        refresh(tensor)
    frame = user_frame()
    name = name_of(tensor, frame, model) or "the tensor"
    if tensor._grad is not None:
        return _filled(tensor, name)
    head = f"{name}.grad is None: " if " " not in name else f"the .grad of {name} is None: "
    if not tensor._key.floating:
        return Explanation(
            "dtype",
            f"{head}it is {tensor._key.dtype}; only floating and complex tensors have gradients.",
            "Convert it with .float(), then call requires_grad_() on the result.",
        )
    if not tensor._requires_grad:
        return _without(tensor, name, head)
    if tensor._node is not None and not tensor.retains_grad:  # type: ignore[attr-defined]  # a Tensor
        return _not_leaf(tensor, name, head, frame, model)
    if loss is not None:
        return _on_the_way(tensor, name, head, loss, frame)
    return _anywhere(tensor, head)


def _filled(tensor: Any, name: str) -> Explanation:
    grad = tensor._grad
    zero = bool((grad.detach() == 0).all())
    by = tracker.arrived.get(tensor) if is_tracking_origins() else None
    return Explanation(
        "filled",
        f"{name} has a gradient, of shape {tuple(grad._array.shape)}"
        + (f", from {by}." if by else "."),
        "It is zero everywhere: it was filled with zeros (zero_grad(set_to_none=False)), or the "
        "result does not change with the tensor here: relu or clamp may be saturated, or a mask "
        "may leave it out."
        if zero
        else "",
    )


def _without(tensor: Any, name: str, head: str) -> Explanation:
    cut = tracker.cuts.get(tensor) if is_tracking_origins() else None
    if cut is not None:
        return Explanation(
            "cut",
            f"{head}it has no history, although it was computed from a tensor that has: {cut}.",
        )
    call = f"{name}.requires_grad_()" if " " not in name else "requires_grad_() on it"
    return Explanation(
        "frozen",
        f"{head}requires_grad is False, so that nothing is recorded for it.",
        f"Call {call} before the computation, if it is to be trained.",
        "" if is_tracking_origins() else
        "If it was computed from a tensor that requires grad, its history was cut on the way: by "
        f"detach(), no_grad(), an integer dtype, a number. {_TRACK}",
    )  # fmt: skip


def _not_leaf(
    tensor: Any, name: str, head: str, frame: FrameType | None, model: Any
) -> Explanation:
    node = tensor._node
    leaves = [name_of(leaf, frame, model) or described(leaf) for leaf in leaves_of(node)]
    shown = ", ".join(leaves[:5]) + (f" and {len(leaves) - 5} more" if len(leaves) > 5 else "")
    call = f"{name}." if " " not in name else ""
    return Explanation(
        "not_leaf",
        f"{head}it is not a leaf: {node.name()} made it{place_of(node)}.",
        f"backward() fills the .grad of leaves: here {shown or 'none'}.",
        f"Call {call}retain_grad() before backward() to have its gradient kept too.",
    )


def _on_the_way(
    tensor: Any, name: str, head: str, loss: Any, frame: FrameType | None
) -> Explanation:
    """Answer for a leaf, or a tensor that retains its gradient, and a result."""
    result = name_of(loss, frame) or "the result"
    if loss._base is not None:
        refresh(loss)
    if not loss._requires_grad:
        why = tracker.why(loss) if is_tracking_origins() else _TRACK
        return Explanation("cut", f"{head}{result} has no history at all.", _sentence(why))
    goal = tensor if tensor._node is None else tensor._node
    if loss is tensor:
        way: list[Node] | None = []
    else:
        way = path(loss._node, goal)
    if way is None:
        return _no_path(tensor, head, result)
    shown = " <- ".join(node.name() for node in way[:6]) + (" <- ..." if len(way) > 6 else "")
    if way and any(map(is_freed, walk(loss._node))):
        return _reset(tensor, head, f"there is a way from {result} to it ({shown}), and a backward "
                      "pass went that graph already")  # fmt: skip
    return Explanation(
        "not_run",
        f"{head}there is a way from {result} to it ({shown}), but no backward pass came along.",
        f"Call {result}.backward()." if " " not in result else "Call backward() on the result.",
    )


def _no_path(tensor: Any, head: str, result: str) -> Explanation:
    lost = _where_lost(tensor)
    return Explanation(
        "no_path" if not lost else "cut",
        f"{head}no way leads from {result} to it.",
        lost
        or "It was not used, or another tensor was in its place, or its history was cut: by "
        "detach(), no_grad(), an integer dtype, a number.",
        "" if is_tracking_origins() else _TRACK,
    )


def _where_lost(tensor: Any) -> str:
    cuts = tracker.lost.get(tensor) if is_tracking_origins() else None
    if not cuts:
        return ""
    lines = dict.fromkeys(f"  {cut.what()}, at {cut.place}" for cut in cuts)
    return "Where it was used and its history ended:\n" + "\n".join(lines)


def _reset(tensor: Any, head: str, because: str) -> Explanation:
    by = tracker.arrived.get(tensor) if is_tracking_origins() else None
    if by is not None:
        return Explanation(
            "reset",
            f"{head}it had a gradient from {by}, which was reset since: by zero_grad(), or by "
            "setting .grad to None.",
        )
    return Explanation(
        "reset",
        f"{head}{because}.",
        "So it was reset since, by zero_grad() or by setting .grad to None; or the pass was one of "
        "autograd.grad(), which returns gradients and fills none; or inputs= left it out.",
    )


def _anywhere(tensor: Any, head: str) -> Explanation:
    """Answer for a tensor without a word about the result: look through what is alive."""
    if is_tracking_origins() and tracker.arrived.get(tensor) is not None:
        return _reset(tensor, head, "")
    node = tensor._node
    ends = ends_above(tensor if node is None else node) or ([] if node is None else [node])
    if not ends:
        lost = _where_lost(tensor)
        return Explanation(
            "cut" if lost else "unused",
            f"{head}no graph that is alive leads to it.",
            lost
            or "It was not used yet, or only with recording off; or what was computed from it "
            "is gone; or it took the place of the tensor that was used.",
            "" if is_tracking_origins() else _TRACK,
        )
    shown = ", ".join(f"{node.name()}{place_of(node)}" for node in ends[:3])
    freed = [node for end in ends for node in walk(end) if is_freed(node)]
    if freed:
        return _reset(tensor, head, f"graphs lead to it, from {shown}, and a backward pass went "
                      "along one of them already")  # fmt: skip
    return Explanation(
        "not_run",
        f"{head}a graph leads to it, but no backward pass came along.",
        f"Call backward() on what was made by {shown}.",
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
