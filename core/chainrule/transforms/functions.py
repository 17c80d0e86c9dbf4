"""What `vmap` does with an `autograd.Function`: run its own `vmap`, or one that is generated.

The function is recorded on the level of its arguments as on any; in place of its forward runs the
function itself on the level below, mapped by what its author wrote.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import ops
from ..errors import AutogradError
from ..function import Function, FunctionCtx
from ..grad_mode import mode
from ..trees import _broadcast_to_and_flatten, tree_flatten, tree_unflatten
from ..value import Value
from .batched import BatchedArray, BatchLevel
from .wrapped import alias, is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MORE = "For more details, please see https://pytorch.org/docs/main/notes/extending.func.html"


class VmapInfo(NamedTuple):
    """What a function's `vmap` is told of the mapping."""

    batch_size: int
    randomness: str


def apply_batched(cls: Any, node_class: Any, args: Any, forward: Any) -> Any:
    """Return what a function gives for batched arguments."""
    level = _level_of(args, BatchedArray)
    rule = _rule_of(cls, forward)
    before = mode.enabled

    def run(*given: Any) -> Any:
        mode.enabled = before  # the level below records for itself
        try:
            return rule(level, given)
        finally:
            mode.enabled = False

    return cls._run(node_class, args, run)[0]


def _level_of(args: Sequence[Any], kind: type[Any]) -> Any:
    top = max((a._key.backend.level for a in args if isinstance(a, Value)), default=0)
    arrays = [a._array for a in args if isinstance(a, Value) and a._key.backend.level == top]
    found = next((a.level for a in arrays if a.level.alive), arrays[0].level)
    if kind is BatchedArray and any(a.level is not found or not found.alive for a in arrays):
        raise found.backend.escaped()
    return found


def _rule_of(cls: Any, forward: Any) -> Callable[[Any, Sequence[Any]], Any]:
    """Return how *cls* is mapped.

    Raises:
        AutogradError: it says so in no way, or in two.
    """
    overridden = cls.vmap is not Function.vmap
    if overridden and cls.generate_vmap_rule:
        msg = (
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and "
            "an overridden vmap staticmethod. Please set generate_vmap_rule=False or delete the "
            f"overridden vmap staticmethod to avoid ambiguity. {_MORE}"
        )
        raise AutogradError(msg)
    if overridden:
        return lambda level, args: _mapped_by_author(cls, level, args)
    if cls.generate_vmap_rule:
        return lambda level, args: _generated(cls, level, args)
    if forward is not None and cls._op is not None:  # a published function has a kernel
        return lambda level, args: forward(*args)
    msg = (
        f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please "
        f"override and implement the vmap staticmethod or set generate_vmap_rule=True. {_MORE}"
    )
    raise AutogradError(msg)


def _unbatched(level: Any, args: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the arguments of the level below, and the mapped dimension of each."""
    inner, dims = [], []
    for arg in args:
        mine = isinstance(arg, Value) and arg._key.backend is level.backend
        array = arg._array if mine else None
        inner.append(arg if array is None else array.tensor)
        dims.append(0 if array is not None and array.batched else None)
    return inner, dims


def _batched(level: Any, outputs: Sequence[Any], dims: Sequence[Any]) -> list[Any]:
    """Return outputs of the level below as tensors of one sample."""
    made = []
    for output, dim in zip(outputs, dims, strict=True):
        if not is_tensor(output):
            made.append(output)
        elif dim is None:
            made.append(level.backend.wrapped(level, output))
        else:
            moved = ops.movedim(output, dim, 0) if dim else output
            made.append(level.backend.batch(level, moved))
    return made


def _mapped_by_author(cls: Any, level: Any, args: Sequence[Any]) -> Any:
    inner, dims = _unbatched(level, args)
    if all(dim is None for dim in dims):
        return _rewrap(level, cls._apply(cls._backward_cls, tuple(inner), {}))
    info = VmapInfo(level.size, level.randomness)
    result = cls.vmap(info, tuple(dims), *inner)
    if not (isinstance(result, tuple) and len(result) == 2):
        what = f"a {type(result)}" if not isinstance(result, tuple) else f"{len(result)} returns"
        msg = (
            "Expected the vmap staticmethod to have two returns, an output and out_dims with "
            f"pytree structure compatible with the output. Got {what} instead"
        )
        raise AutogradError(msg)
    output, out_dims = result
    leaves, spec = tree_flatten(output)
    flat = _broadcast_to_and_flatten(out_dims, spec)
    if flat is None:
        msg = (
            "The autograd.Function's vmap staticmethod returned an incompatible (output, out_dims) "
            f"tuple. Expected out_dims={out_dims} to be compatible with the structure of "
            f"`output`. out_dims has structure {tree_flatten(out_dims)[1]} but output has "
            f"structure {spec}. {_MORE}"
        )
        raise AutogradError(msg)
    return tree_unflatten(_batched(level, leaves, flat), spec)


def _rewrap(level: Any, result: Any) -> Any:
    many = result if isinstance(result, tuple) else (result,)
    made = tuple(_batched(level, list(many), [None] * len(many)))
    return made if isinstance(result, tuple) else made[0]


class _Context(FunctionCtx):
    """A ``ctx`` of one sample, for a rule that is generated."""

    in_jvp = False
    needs_input_grad: tuple[bool, ...] = ()

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What setup_context saved."""
        return (self.saved_for_forward if self.in_jvp else self.to_save) or ()


def _generated(cls: Any, level: Any, args: Sequence[Any]) -> Any:
    """Map a function by mapping its forward, backward and jvp, which are tensor operations."""
    inner, dims = _unbatched(level, args)
    made = _generated_class(cls, level, dims)
    result = made.apply(*inner)
    many = result if isinstance(result, tuple) else (result,)
    outputs = tuple(_batched(level, list(many), made.out_dims))
    return outputs if isinstance(result, tuple) else outputs[0]


def _generated_class(cls: Any, level: Any, dims: list[Any]) -> Any:
    """Return the function on the level below that does for all samples what *cls* does for one."""

    def context(run: Any, ctx: Any) -> tuple[Any, list[Any]]:
        """Return a ctx of one sample, set up anew, and the arguments of one sample."""
        tensors = iter(ctx.saved_tensors)
        inputs = [next(tensors) if kept else item for kept, item in ctx.layout[0]]
        outputs = [next(tensors) if kept else item for kept, item in ctx.layout[1]]
        given, results = _batched(run, inputs, dims), _batched(run, outputs, made.out_dims)
        own = _Context()
        own.needs_input_grad = ctx.needs_input_grad
        cls.setup_context(own, tuple(given), tuple(results) if made.many else results[0])
        return own, given

    class Generated(Function):
        out_dims: Any = ()
        many = False

        @staticmethod
        def forward(*inputs: Any) -> Any:
            with _running(level) as run:
                given = [alias(x) if is_tensor(x) else x for x in _batched(run, inputs, dims)]
                result = cls.forward(*given)
                made.many = isinstance(result, tuple)
                outputs, made.out_dims = _unbatched(run, result if made.many else (result,))
            return tuple(outputs) if made.many else outputs[0]

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            outputs = output if isinstance(output, tuple) else (output,)
            ctx.layout = [
                [(is_tensor(x), None if is_tensor(x) else x) for x in items]
                for items in (inputs, outputs)
            ]
            tensors = [x for x in (*inputs, *outputs) if is_tensor(x)]
            ctx.save_for_backward(*tensors)
            ctx.save_for_forward(*tensors)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            with _running(level) as run:
                own, given = context(run, ctx)
                found = cls._backward_of()(own, *_batched(run, grads, made.out_dims))
                found = found if isinstance(found, tuple) else (found,)
                return tuple(_for_input(run, g, x) for g, x in zip(found, given, strict=False))

        @staticmethod
        def jvp(ctx: Any, *tangents: Any) -> Any:
            with _running(level) as run:
                own, _ = context(run, ctx)
                own.in_jvp = True
                found = cls.jvp(own, *_batched(run, tangents, dims))
                many = found if isinstance(found, tuple) else (found,)
                pairs = zip(many, made.out_dims, strict=True)
                changes = tuple(_like_output(run, change, dim) for change, dim in pairs)
            return changes if isinstance(found, tuple) else changes[0]

    made = Generated
    Generated.__name__ = f"Vmapped{cls.__name__}"
    return Generated


@contextlib.contextmanager
def _running(level: Any) -> Iterator[Any]:
    """Give *level* if it runs, or another run of the same mapping: backward comes later."""
    if level.alive and level in mode.levels:
        yield level
    else:
        with BatchLevel(level.size, level.randomness) as run:
            yield run


def _for_input(level: Any, gradient: Any, given: Any) -> Any:
    """Return a gradient of one sample as that of the input below: summed if all share the input."""
    if gradient is None or not is_tensor(given):
        return None
    array = level.backend.lift(gradient, given._array)._array
    if given._array.batched:
        return array.whole()
    return ops.sum(array.whole(), 0)


def _like_output(level: Any, change: Any, dim: Any) -> Any:
    if not is_tensor(change):
        return change
    array = change._array if change._key.backend is level.backend else None
    if array is None:
        return change
    return array.tensor if dim is None and not array.batched else array.whole()
