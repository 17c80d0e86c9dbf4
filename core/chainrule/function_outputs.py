"""What a user's function returns, turned into outputs of its node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import ops, views
from ._warn import warn
from .errors import AutogradError, InplaceError
from .grad_mode import mode
from .inplace import check_history, rewrite_history
from .value import Value, count_write, new_value, share

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIRTY_VIEW = (
    "If your Function modifies inplace an input that is a view of another Tensor, your Function "
    "cannot return more than one Tensor. This is not supported by the current autograd engine. You "
    "should either make sure the input is not a view (using .clone() for example) or make your "
    "Function only return one Tensor (potentially splitting it into two Functions: one doing the "
    "inplace that returns a single Tensor and a second one that does the other operations). You "
    "can ask on the forum https://discuss.pytorch.org/ if you need help to do this change."
)


class Outputs:
    """The outputs of one application of a function.

    Args:
        node: The node, which is ``ctx`` too.
        returned: What forward returned, as a sequence.
        inputs: The tensors among the arguments.
        recorded: Whether *node* becomes their history.
    """

    def __init__(
        self, node: Any, returned: Sequence[Any], inputs: Sequence[Value], *, recorded: bool
    ) -> None:
        self.node, self.returned, self.recorded = node, returned, recorded
        self.given = {id(tensor) for tensor in inputs}
        self.dirty = self._marked("dirty_tensors")
        self.plain = self._marked("non_differentiable")
        if self.plain:
            node.without_gradient = tuple(
                number for number, item in enumerate(returned) if id(item) in self.plain
            )
        self._check_dirty()
        tensors = [item for item in returned if isinstance(item, Value)]
        self.several = sum(id(t) not in self.plain and t._key.floating for t in tensors) > 1
        self._describe()

    def _marked(self, kind: str) -> set[int]:
        """Return the identities of what forward marked."""
        marked = getattr(self.node, kind) or ()
        for position, item in enumerate(marked):
            if not isinstance(item, Value):
                what = (
                    f"mark_dirty can only accept variables, but argument {position} is of type "
                    if kind == "dirty_tensors"
                    else "mark_non_differentiable only accepts variable arguments, but got "
                )
                msg = f"{what}{type(item).__name__}\n{self.node.name()}: mark tensors only."
                raise AutogradError(msg)
        return {id(tensor) for tensor in marked}

    def _check_dirty(self) -> None:
        if self.dirty - {id(item) for item in self.returned}:
            msg = (
                "Some elements marked as dirty during the forward method were not returned as "
                "output. The inputs that are modified inplace must all be outputs of the Function."
            )
            raise AutogradError(msg)
        if self.dirty - self.given:
            warn(
                "ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that "
                "have been mutated should be passed to ctx.mark_dirty().",
                UserWarning,
                stacklevel=6,
            )

    def _describe(self) -> None:
        """Tell the node the shapes and keys of its outputs."""
        node = self.node
        meta: Any = [
            (item._array.shape, item._key) if isinstance(item, Value) else ((), None)
            for item in self.returned
        ]
        if len(meta) == 1:
            (node._shape, node._key), node._outputs = meta[0], None
        else:
            node._outputs = tuple(meta)

    def results(self) -> list[Any]:
        """Return what stands for everything that forward returned."""
        made: dict[int, Any] = {}
        found = []
        for number, item in enumerate(self.returned):
            result = made.get(id(item))
            if result is None:
                result = made[id(item)] = self._result(number, item)
            elif result._node is self.node:
                result._output_nr = number  # returned twice: the last place counts
            found.append(result)
        return found

    def _result(self, number: int, item: Any) -> Any:
        if not isinstance(item, Value):
            return item
        is_input, is_dirty = id(item) in self.given, id(item) in self.dirty
        if is_dirty and is_input:
            count_write(item, "mark_dirty")
        if not self.recorded or id(item) in self.plain or not item._key.floating:
            result = self._apart(item, is_input=is_input, is_dirty=is_dirty)
            if not (is_input and is_dirty):
                self._mark_view(result)
            return result
        if is_input and is_dirty:
            return self._written(number, item)
        if is_input:
            item = self._as_view(item)
        item._node, item._output_nr, item._requires_grad = self.node, number, True
        self._mark_view(item)
        return item

    def _mark_view(self, output: Any) -> None:
        """Have a view that is an output forbid writes from now on, not those that forward made."""
        if output._base is not None:
            output._view.in_grad_mode = views.SEVERAL if self.several else views.CUSTOM
            output._view.seen = output._storage.writes

    def _apart(self, tensor: Any, *, is_input: bool, is_dirty: bool) -> Any:
        """Return an output that carries no gradient."""
        if not tensor._requires_grad:
            return self._as_view(tensor) if is_input and not is_dirty else tensor
        if is_input:
            return share(tensor._array, tensor)
        if tensor._base is None:
            tensor._node, tensor._output_nr, tensor._requires_grad = None, 0, False
        return tensor

    def _as_view(self, tensor: Any) -> Any:
        """Return a new view of an input that was returned as it is."""
        before = mode.enabled
        if before:
            mode.enabled = False
        try:
            return ops.view_as(tensor, tensor)
        finally:
            mode.enabled = before

    def _written(self, number: int, tensor: Any) -> Any:
        """Return an input that forward wrote into, with its history rewritten."""
        if tensor._requires_grad and tensor._node is None and tensor._base is None:
            msg = "a leaf Variable that requires grad has been used in an in-place operation."
            raise InplaceError(msg)
        if tensor._base is not None and len(self.returned) > 1:
            raise InplaceError(_DIRTY_VIEW)
        check_history(tensor, "mark_dirty", recorded=True)
        after = new_value(tensor._array, tensor._key)
        after._node, after._output_nr, after._requires_grad = self.node, number, True
        rewrite_history(tensor, after)
        return tensor


def give_history(
    node: Any, returned: Sequence[Any], inputs: Sequence[Value], *, recorded: bool
) -> list[Any]:
    """Return the outputs of a function, and let *node* keep what was saved."""
    results = Outputs(node, returned, inputs, recorded=recorded).results()
    if recorded:
        number_of = {id(item): n for n, item in enumerate(returned) if isinstance(item, Value)}
        number_of |= {id(item): n for n, item in enumerate(results) if isinstance(item, Value)}
        node.keep(number_of, results)
    node.to_save = node.dirty_tensors = node.non_differentiable = None
    return results
