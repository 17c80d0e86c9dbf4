"""The node of a user's function, which is also the ``ctx`` that forward and backward share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ._warn import warn
from .errors import ArgumentError, AutogradError, DTypeError, GraphFreedError, ShapeError
from .graph import (
    FREED,
    LEAF,
    REGISTER_FREED,
    Node,
    alias_of_output,
    check_version,
    freed_error,
    history_of,
    version_of,
    with_history,
)
from .saved import Packed, SavedTensor, in_force
from .value import Value, new_value
from .watching import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .backend import DispatchKey

_READ_TWICE = (
    "saved_tensors can only be accessed once when clear_saved_tensors_on_access=True is set on the "
    "autograd.Function. Either access saved_tensors only once, or set "
    "clear_saved_tensors_on_access=False."
)
_REAL_AND_COMPLEX = (
    "Expected isFloatingType(grad.scalar_type()) || (input_is_complex == grad_is_complex) to be "
    "true, but got false.  (Could this error message be improved?  If so, please report an "
    "enhancement request to PyTorch.)"
)


class FunctionCtx:
    """What forward hands to backward: ``ctx``.

    Attributes:
        to_save: What `save_for_backward` was given, until forward is over.
        dirty_tensors: What `mark_dirty` was given, likewise.
        non_differentiable: What `mark_non_differentiable` was given, likewise.
        saved_for_forward: What `save_for_forward` was given.
        materialize_grads: Whether backward gets zeros for an output that no gradient reached.
    """

    to_save: tuple[Any, ...] | None = None
    dirty_tensors: tuple[Any, ...] | None = None
    non_differentiable: tuple[Any, ...] | None = None
    saved_for_forward: tuple[Any, ...] | None = None
    materialize_grads = True

    def save_for_backward(self, *tensors: Any) -> None:
        """Save *tensors* (or None) for backward, where they stand in ``ctx.saved_tensors``.

        Raises:
            TypeError: something else is given; put that on ``ctx`` as an attribute.
        """
        for position, tensor in enumerate(tensors):
            if tensor is not None and not isinstance(tensor, Value):
                msg = (
                    f"save_for_backward can only save variables, but argument {position} is of "
                    f"type {type(tensor).__name__}\n"
                    "Function: keep other things as attributes of ctx."
                )
                raise ArgumentError(msg)
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Save *tensors* (or None) for ``jvp``, where they stand in ``ctx.saved_tensors`` too.

        Raises:
            AssertionError: something else is given.
        """
        if any(tensor is not None and not isinstance(tensor, Value) for tensor in tensors):
            msg = (
                "save_for_forward expects all arguments to be tensors; you should save non-tensors "
                "as attributes on ctx."
            )
            raise AssertionError(msg)
        self.saved_for_forward = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say that forward wrote into these inputs; each must be returned."""
        self.dirty_tensors = tensors

    def mark_shared_storage(self, *pairs: Any) -> None:
        """Do nothing: which tensors share memory is known."""
        warn(
            "`mark_shared_storage` is deprecated. Tensors with shared storages are automatically "
            "tracked. Note that calls to `set_()` are not tracked",
            FutureWarning,
            stacklevel=2,
        )

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say that these outputs carry no gradient."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether backward gets zeros (True, the default) or None for an unused output."""
        self.materialize_grads = value


class BackwardCFunction(Node, FunctionCtx):
    """The node of a user's function: it *is* the ``ctx`` of both passes.

    A subclass per function carries its name: ``<Name>Backward``.
    """

    __slots__ = ("__dict__",)

    _forward_cls: ClassVar[Any]  # the Function
    needs_input_grad: tuple[bool, ...] = ()
    requires_grad = False  # whether forward was recorded
    _saved: tuple[Any, ...] = ()
    _versions: Any = ()
    _made_by: tuple[Any, ...] = ()  # the node of each, and which output it was
    _own_outputs: tuple[tuple[int, int], ...] = ()  # (position among the saved, output number)
    _input_positions: tuple[int, ...] = ()  # of the edges among the arguments
    _argument_count: int = 0
    _was_read = False
    without_gradient: tuple[int, ...] = ()  # the outputs that forward marked so
    _in_jvp = False  # then saved_tensors are those for forward mode
    _names: tuple[str, ...] | None = None  # of the saved tensors; a published function has some

    # What was saved

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` was given; checked against later writes."""
        if self._in_jvp:
            return self.saved_for_forward or self.to_save or self._saved
        if self._was_read:
            raise AutogradError(_READ_TWICE)
        if self._versions is FREED:
            raise freed_error(self)
        items = list(self._saved)
        for position, (tensor, version) in enumerate(zip(items, self._versions, strict=True)):
            if type(tensor) is Packed:
                items[position] = tensor.unpack()
            elif tensor is not None:
                check_version(tensor, version, self)
                node, number = self._made_by[position]
                if node is not None and tensor._node is None:  # detached in place since
                    items[position] = with_history(tensor, node, number)
        for position, number in self._own_outputs:
            items[position] = with_history(items[position], self, number)
        self.maybe_clear_saved_tensors()
        return tuple(items)

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """An old name of `saved_tensors`."""
        warn(
            "'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2
        )
        return self.saved_tensors

    def maybe_clear_saved_tensors(self) -> None:
        """Let go of what was saved, if the function wants that after the first look."""
        if self._forward_cls.clear_saved_tensors_on_access:
            self._saved, self._versions, self._own_outputs = (), (), ()
            self._was_read = True

    @property
    def _raw_saved_tensors(self) -> tuple[SavedTensor, ...]:
        """What `save_for_backward` was given, to register hooks on."""
        if self._versions is FREED:
            raise freed_error(self)
        return tuple(map(self._raw_at, range(len(self._saved))))

    def _raw_at(self, position: int) -> SavedTensor:
        def read() -> Any:
            if self._versions is FREED:
                raise GraphFreedError(REGISTER_FREED)
            return self._saved[position]

        def write(hooks: Any) -> None:
            item = self._saved[position]
            is_output = any(position == place for place, _ in self._own_outputs)
            made = Packed(alias_of_output(item), hooks, None if is_output else history_of(item))
            self._saved = (*self._saved[:position], made, *self._saved[position + 1 :])

        return SavedTensor.at(read, write)

    def name_saved(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Be told what the saved tensors may be; a published function has names for them."""

    def keep(self, number_of: dict[int, int], results: Sequence[Any]) -> None:
        """Keep what `save_for_backward` named; outputs without the node. Note [Saving an output].

        Args:
            number_of: The output number of what forward returned, by identity.
            results: What stands for it outside.
        """
        saved: list[Any] = []
        made_by: list[tuple[Any, int]] = []
        own: list[tuple[int, int]] = []
        for position, tensor in enumerate(self.to_save or ()):
            number = number_of.get(id(tensor))
            is_output = number is not None and results[number]._node is self
            if number is not None and is_output:
                own.append((position, number))
                tensor = alias_of_output(results[number])  # noqa: PLW2901 - in its place
            saved.append(tensor)
            made_by.append((None, 0) if tensor is None else (tensor._node, tensor._output_nr))
        self._made_by = tuple(made_by)
        self._versions = tuple(map(version_of, saved))
        if in_force.hooks:
            outputs = {position for position, _ in own}
            saved = [
                packed(tensor, in_force.hooks[-1], is_output=position in outputs)
                for position, tensor in enumerate(saved)
            ]
        self._saved, self._own_outputs = tuple(saved), tuple(own)

    def release(self) -> None:
        """Drop what was saved."""
        self._saved, self._made_by, self._versions = (), (), FREED

    # Backward

    def apply(self, grad: Any, wanted: Sequence[bool] | None) -> Sequence[Any]:
        """Return what the user's backward gives for *grad*, checked, one item per input."""
        grads = [grad] if self._outputs is None else list(grad)
        if self.materialize_grads:
            grads = [self._zeros(i) if g is None else g for i, g in enumerate(grads)]
        backward: Callable[..., Any] = self._forward_cls._backward_of()
        if self._forward_cls.boxed_grads_call:
            return self._checked(backward(self, grads))
        return self._checked(backward(self, *grads))

    def _zeros(self, number: int) -> Any:
        key: DispatchKey | None  # None for an output that is no tensor
        shape, key = self.output_meta(number)
        if key is None:
            return None
        return new_value(key.backend.full(tuple(shape), 0, key.dtype, key.device), key)

    def _checked(self, results: Any) -> list[Any]:
        """Return one gradient per edge after the checks that PyTorch makes."""
        name = self.name()
        items = list(results) if isinstance(results, tuple) else [results]
        expected = self._argument_count
        if len(items) > expected and all(item is None for item in items[expected:]):
            items = items[:expected]
        if len(items) != expected:
            msg = (
                f"function {name} returned an incorrect number of gradients (expected {expected}, "
                f"got {len(items)})\n"
                f"{name}: backward must return one gradient per argument of forward, None for what "
                "is no tensor; several of them as a tuple."
            )
            raise AutogradError(msg)
        for position, item in enumerate(items):
            self._check_kind(position, item)
        gradients = [items[position] for position in self._input_positions]
        for index, (edge, gradient) in enumerate(zip(self._edges, gradients, strict=True)):
            if edge is not None and gradient is not None:
                self._check_fit(index, edge, gradient)
        return gradients

    def _check_kind(self, position: int, item: Any) -> None:
        if item is None:
            return
        if position not in self._input_positions:
            msg = (
                f"function {self.name()} returned a gradient different than None at position "
                f"{position + 1}, but the corresponding forward input was not a Variable"
            )
            raise AutogradError(msg)
        if not isinstance(item, Value):
            msg = f"expected Variable or None (got {type(item).__name__})"
            raise AutogradError(msg)

    def _check_fit(self, index: int, edge: Any, gradient: Value) -> None:
        target, number = edge
        shape, key = (
            (target._array.shape, target._key) if number == LEAF else target.output_meta(number)
        )
        found = tuple(gradient._array.shape)
        tail = found[len(found) - len(shape) :] if len(found) >= len(shape) else None
        if tail is None or any(
            want not in {1, have} for want, have in zip(shape, tail, strict=True)
        ):
            msg = (
                f"Function {self.name()} returned an invalid gradient at index {index} - got "
                f"{list(found)} but expected shape compatible with {list(shape)}"
            )
            raise ShapeError(msg)
        if gradient._key.complex and not key.complex:
            msg = (
                f"{_REAL_AND_COMPLEX}\n{self.name()}: expected a real gradient at index {index}, "
                f"got {gradient._key.dtype}. Return its real part."
            )
            raise DTypeError(msg)
