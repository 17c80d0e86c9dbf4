"""What forward mode does with an `autograd.Function`: run it below, and its own `jvp`.

The function is recorded on the level of its arguments as on any. Below, it computes the values, and
what its author wrote for `jvp` the changes, which are held to what PyTorch expects of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import AutogradError, InplaceError
from ..function import Function
from ..grad_mode import mode
from ..ops.generator import RngState
from ..value import Value
from .dual import DualArray, check_shape
from .functions import _level_of
from .wrapped import is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def apply_dual(cls: Any, node_class: Any, args: Any, forward: Any) -> Any:
    """Return what a function gives for dual arguments, and how it changes."""
    pushed = _Pushed(cls, args)
    first_style = cls.setup_context is Function.setup_context

    def run(*given: Any) -> Any:
        if not first_style:
            return pushed.run(None if cls._op is None else forward)
        ctx = given[0]
        drawn = RngState() if ctx.requires_grad else None
        result = pushed.run(None)
        pushed.save(ctx, drawn)
        return result

    return cls._run(node_class, args, run)[0]


class _Pushed:
    """One application of a function to dual tensors.

    Attributes:
        args: The arguments.
        primals: Their values, of the level below.
        tangents: Their changes, None for zero and for what is no tensor.
        outputs: What the function gave below.
        made: What stands for that on the level of the arguments.
        written: Whether forward wrote into an argument.
    """

    def __init__(self, cls: Any, args: Sequence[Any]) -> None:
        self.cls, self.args, self.level = cls, args, _level_of(args, DualArray)
        self.primals = tuple(map(self._primal, args))
        self.tangents = tuple(map(self._tangent, args))
        self.recording = mode.enabled
        self.outputs: Sequence[Any] = ()
        self.made: Sequence[Any] = ()
        self.written = False
        self._noted: dict[str, Any] = {}
        if any(t is not None for t in self.tangents) and cls.jvp is Function.jvp:
            msg = (
                "You must implement the jvp function for custom autograd.Function to use it with "
                "forward mode AD."
            )
            raise NotImplementedError(msg)

    def _primal(self, arg: Any) -> Any:
        return arg._array.primal if self._is_mine(arg) else arg

    def _tangent(self, arg: Any) -> Any:
        return arg._array.live_tangent() if self._is_mine(arg) else None

    def _is_mine(self, arg: Any) -> bool:
        return isinstance(arg, Value) and arg._key.backend is self.level.backend

    def run(self, kernel: Callable[..., Any] | None) -> Any:
        """Return the outputs; *kernel* computes them in place of forward."""
        mode.enabled = self.recording  # the level below records for itself
        try:
            result, node = self.cls._run(
                self.cls._backward_cls, self.primals, kernel or self._forward_of_first_style()
            )
            self.outputs = result if isinstance(result, tuple) else (result,)
            changes = self._changes(node)
        finally:
            mode.enabled = False
        self.made = tuple(map(self._dual, self.outputs, changes))
        return self.made if isinstance(result, tuple) else self.made[0]

    def _forward_of_first_style(self) -> Callable[..., Any] | None:
        """Return forward, noting what it leaves on its ctx; None in the second style."""
        if self.cls.setup_context is not Function.setup_context:
            return None

        def forward(ctx: Any, *args: Any) -> Any:
            before = {*vars(ctx)}
            result = self.cls.forward(ctx, *args)
            self._noted = {name: item for name, item in vars(ctx).items() if name not in before}
            return result

        return forward

    def save(self, ctx: Any, drawn: RngState | None) -> None:
        """Have *ctx*, of the level of the arguments, hold what forward left on the one below.

        Where a backward pass may need it (*drawn* is the state of random numbers before), forward
        runs again, on the dual tensors, so that what it saved on its way has changes too; unless it
        writes into an argument, which it must not do twice. It draws the same numbers.
        """
        if drawn is not None and not self.written:
            with drawn.restored():
                self.cls.forward(ctx, *self.args)
            return
        below, here = (*self.primals, *self.outputs), (*self.args, *self.made)
        stands_for = {id(b): h for b, h in zip(below, here, strict=True) if is_tensor(b)}
        for name, item in self._noted.items():
            many = isinstance(item, tuple)
            found = tuple(stands_for.get(id(t), t) for t in (item if many else (item,)))
            setattr(ctx, name, found if many else found[0])

    # The changes

    def _changes(self, node: Any) -> list[Any]:
        """Return what the author's jvp gives, one change per output, after PyTorch's checks."""
        if all(t is None for t in self.tangents):
            return [None] * len(self.outputs)
        versions = [None if t is None else t._version for t in self.tangents]
        given = [
            ops.zeros_like(primal).detach()
            if tangent is None and node.materialize_grads and _changes_at_all(primal)
            else tangent
            for primal, tangent in zip(self.primals, self.tangents, strict=True)
        ]
        node._in_jvp = True
        try:
            found = self.cls.jvp(node, *given)
        finally:
            node._in_jvp = False
        changes = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(changes) != len(self.outputs):
            msg = (
                "Function's jvp returned an invalid number of forward gradients (expected "
                f"{len(self.outputs)} but got {len(changes)})"
            )
            raise AutogradError(msg)
        for position, (output, change) in enumerate(zip(self.outputs, changes, strict=True)):
            if change is None:
                continue
            if not is_tensor(change):
                kind = type(change).__name__
                msg = f"expected Variable or None (got {kind}) for grad output {position}."
                raise AutogradError(msg)
            if not _changes_at_all(output) or position in node.without_gradient:
                msg = (
                    f"Function's jvp returned a gradient at position {position}, but  the "
                    "corresponding forward output is not a differentiable Tensor.You should return "
                    "None at that position instead."
                )
                raise AutogradError(msg)
            check_shape(output, change)
            self._check_memory(output, change, versions)
        return changes

    def _check_memory(self, output: Any, change: Any, versions: Sequence[int | None]) -> None:
        """Check that *change* shares memory with a tangent as *output* does with an argument."""
        for primal, tangent, version in zip(self.primals, self.tangents, versions, strict=True):
            if tangent is None:
                continue
            if output is primal:
                _check_written(change, tangent, version)
            elif is_tensor(primal) and output._base is primal:
                _check_viewed(change, tangent)

    def _dual(self, output: Any, change: Any) -> Any:
        """Return what stands for *output*, which changes by *change*."""
        if not is_tensor(output):
            return output
        for arg, primal, tangent in zip(self.args, self.primals, self.tangents, strict=True):
            if output is primal:  # what is returned as it is, and not written to, is a view by now
                self.written = True
                if tangent is None and change is not None:
                    arg.copy_(self.level.backend.value(DualArray(self.level, +output, change)))
                return arg
        return self.level.backend.value(DualArray(self.level, output, change))


def _changes_at_all(item: Any) -> bool:
    return is_tensor(item) and bool(item._key.floating)


def _check_written(change: Any, tangent: Any, version: int | None) -> None:
    if change._version == version:
        msg = (
            "An inplace custom Function is not modifying the forward mode gradients inplace. If "
            "the forward is modifying an input inplace, then the jvp function must modify the "
            "corresponding gradient inplace."
        )
        raise InplaceError(msg)
    if change is not tangent:
        msg = (
            "An inplace custom Function is not returning the forward mode gradients as-is. If the "
            "forward is modifying an input inplace, then the jvp function must modify the gradient "
            "inplace and return it as-is."
        )
        raise InplaceError(msg)


def _check_viewed(change: Any, tangent: Any) -> None:
    if change._base is None:
        msg = (
            "A custom Function's forward is returning a view (or an input as-is) but the jvp is "
            "not returning a view."
        )
        raise InplaceError(msg)
    if change._base is not (tangent if tangent._base is None else tangent._base):
        what = (
            "the given grad input"
            if tangent._base is None
            else ("the same base as the given grad input")
        )
        msg = (
            f"A custom Function is returning a view but the jvp is not returning a view of {what}."
        )
        raise InplaceError(msg)
