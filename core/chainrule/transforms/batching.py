"""Batch rules: what an op does on a whole batch at once.

A rule gets a `Call` and returns the inner result: a tensor, or a tuple of them, whose first
dimension is the batch. Most ops fall into a few families (elementwise, along a dimension, views),
so a rule is a line in a table: batch_rules.py. An op without one runs sample by sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import ops
from .._warn import warn
from ..errors import AutogradError
from .batched import BatchedArray
from .wrapped import apply, is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..op import Op

Rule = Any  # a function of a Call


class Call:
    """One call of an op on batched arrays.

    Attributes:
        op: The op.
        level: The level of the batch.
        operands: Per tensor input a `BatchedArray`, a number, None, or a list of them.
        statics: The static arguments that differ from the defaults.
    """

    __slots__ = ("level", "op", "operands", "statics")

    def __init__(
        self, op: Op[Any, Any], level: Any, operands: Sequence[Any], statics: dict[str, Any]
    ) -> None:
        self.op, self.level, self.operands, self.statics = op, level, operands, statics

    def static(self, name: str) -> Any:
        """Return a static argument, or its default."""
        if name in self.statics:
            return self.statics[name]
        return self.op.schema.defaults[self.op.schema.position[name]]

    def run(self, tensors: Sequence[Any], op: Any = None, /, **statics: Any) -> Any:
        """Return what the op gives for inner *tensors*, with *statics* in place of its own."""
        return apply(op or self.op, tensors, {**self.statics, **statics})

    def whole(self, number: int = 0) -> Any:
        """Return an operand with its batch dimension, repeated if it has none."""
        return whole(self.operands[number])

    def wholes(self) -> list[Any]:
        """Return every operand with its batch dimension; numbers and None as they are."""
        return [whole(operand) for operand in self.operands]

    def ndim(self, number: int = 0) -> int:
        """Return the number of dimensions of one sample of an operand."""
        return len(self.operands[number].shape)


def whole(operand: Any) -> Any:
    """Return an operand as an inner tensor with the batch dimension."""
    if isinstance(operand, BatchedArray):
        return operand.whole()
    return [whole(item) for item in operand] if isinstance(operand, (list, tuple)) else operand


def kernel_for(op: Op[Any, Any]) -> Callable[..., Any]:
    """Return the kernel of *op* over batched arrays: nothing is mapped, or its rule runs."""
    from . import batch_rules

    rule = batch_rules.rule_for(op)

    def kernel(*operands: Any, **statics: Any) -> Any:
        level, batched = _level_of(operands)
        if not batched:
            return _rewrapped(apply(op, [_inner(o) for o in operands], statics), level, False)
        return _rewrapped(rule(Call(op, level, operands, statics)), level, True)

    return kernel


def _level_of(operands: Sequence[Any]) -> tuple[Any, bool]:
    """Return the level of the operands, and whether one of them is batched.

    Raises:
        AutogradError: one belongs to a run of `vmap` that is over.
    """
    level: Any = None
    batched = False
    for operand in operands:
        if isinstance(operand, BatchedArray):
            if level is None:
                level = operand.level
            if operand.level is not level or not level.alive:
                raise level.backend.escaped()
            batched = batched or operand.batched
        elif isinstance(operand, (list, tuple)) and operand:
            inside, some = _level_of(operand)
            level, batched = level or inside, batched or some
    return level, batched


def _inner(operand: Any) -> Any:
    if isinstance(operand, BatchedArray):
        return operand.tensor
    return [_inner(item) for item in operand] if isinstance(operand, (list, tuple)) else operand


def _rewrapped(result: Any, level: Any, batched: bool) -> Any:
    if isinstance(result, BatchedArray):  # the rule says more than that
        return result
    if is_tensor(result):
        return BatchedArray(level, result, batched)
    return tuple(BatchedArray(level, item, batched) for item in result)


# Sample by sample

_told: Final[set[str]] = set()


def one_by_one(call: Call) -> Any:
    """Return the results of the samples, computed one after the other, stacked."""
    tell(call.op)
    count = call.level.size
    if not count:
        return _of_no_samples(call)
    results = [_sample(call, number) for number in range(count)]
    return _stacked(results)


def _sample(call: Call, number: int) -> Any:
    tensors = [_at(operand, number) for operand in call.operands]
    return apply(call.op, tensors, call.statics)


def _at(operand: Any, number: int) -> Any:
    if isinstance(operand, BatchedArray):
        return ops.select(operand.tensor, 0, number) if operand.batched else operand.tensor
    return [_at(i, number) for i in operand] if isinstance(operand, (list, tuple)) else operand


def _stacked(results: list[Any]) -> Any:
    if is_tensor(results[0]):
        return _stack(results)
    return tuple(_stack(list(items)) for items in zip(*results, strict=True))


def _stack(tensors: list[Any]) -> Any:
    if len({tuple(tensor._array.shape) for tensor in tensors}) > 1:
        msg = (
            "vmap: We do not support batching operators that can output dynamic shape.\n"
            "vmap: the results of the samples have different shapes: "
            f"{sorted({tuple(tensor._array.shape) for tensor in tensors})}."
        )
        raise AutogradError(msg)
    return ops.stack(tensors)


def _of_no_samples(call: Call) -> Any:
    """Return a batch of nothing, of the shapes that one sample of zeros gives."""

    def zeros(operand: Any) -> Any:
        if isinstance(operand, BatchedArray) and operand.batched:
            return operand.tensor.new_zeros(operand.shape)
        if isinstance(operand, (list, tuple)):
            return [zeros(item) for item in operand]
        return _inner(operand)

    result = apply(call.op, [zeros(operand) for operand in call.operands], call.statics)
    many = (result,) if is_tensor(result) else tuple(result)
    made = tuple(one.new_zeros((0, *one._array.shape)) for one in many)
    return made[0] if is_tensor(result) else made


def tell(op: Op[Any, Any]) -> None:
    """Say, once per op, that it runs sample by sample."""
    if op.name in _told:
        return
    _told.add(op.name)
    warn(
        "There is a performance drop because we have not yet implemented the batching rule for "
        f"{op.name}. Please file us an issue on GitHub so that we can prioritize its "
        "implementation.\n"
        f"vmap: {op.__name__} runs sample by sample. State {op.__name__}.batch(rule) to run it at "
        "once.",
        UserWarning,
        stacklevel=3,
    )


# Families


def elementwise(call: Call) -> Any:
    """Run an op of elements at once: every operand gets the dimensions of the largest."""
    arrays = [o for o in call.operands if isinstance(o, BatchedArray)]
    ndim = max(len(array.shape) for array in arrays)
    return call.run([_aligned(o, ndim) for o in call.operands])


def _aligned(operand: Any, ndim: int) -> Any:
    """Return an operand with the batch in front of *ndim* dimensions, to broadcast."""
    if not isinstance(operand, BatchedArray):
        return operand
    tensor, missing = operand.tensor, ndim - len(operand.shape)
    if operand.batched and missing:
        shape = tensor._array.shape
        return ops.reshape(tensor, (shape[0], *(1,) * missing, *shape[1:]))
    return tensor


def shifted(dim: Any, ndim: int) -> Any:
    """Return a dimension of a sample, or several, as of the batch."""
    if isinstance(dim, (tuple, list)):
        return tuple(shifted(one, ndim) for one in dim)
    return dim + 1 if dim >= 0 else dim + ndim + 1


def along(*names: str, grows: int = 0) -> Rule:
    """Return the rule of an op along dimensions: those that the static arguments *names* name.

    Args:
        names: The arguments, each an integer or a sequence of them.
        grows: By how many dimensions the result is larger; they count for negative ones.
    """

    def rule(call: Call) -> Any:
        ndim = call.ndim() + grows
        tensors = call.wholes()
        if call.ndim() == 0 and not grows:
            return _along_a_number(call, tensors, names)
        return call.run(tensors, **{n: shifted(call.static(n), ndim) for n in names})

    return rule


def _along_a_number(call: Call, tensors: list[Any], names: tuple[str, ...]) -> Any:
    """Run an op along the dimension that a number is said to have."""
    tensors = [
        ops.unsqueeze(t, 1) if is_tensor(t) and len(t._array.shape) == 1 else t for t in tensors
    ]
    statics = {n: 1 if isinstance(call.static(n), int) else (1,) for n in names}
    result = call.run(tensors, **statics)

    def back(tensor: Any) -> Any:
        return ops.squeeze(tensor, 1) if len(tensor._array.shape) > 1 else tensor

    return back(result) if is_tensor(result) else tuple(map(back, result))


def reduced(name: str = "dim") -> Rule:
    """Return the rule of a reduction over the dimensions *name*; () or None stands for all."""

    def rule(call: Call) -> Any:
        ndim, dims = call.ndim(), call.static(name)
        if ndim == 0:
            return _along_a_number(call, call.wholes(), (name,))
        every = dims is None or dims == ()
        return call.run(
            call.wholes(), **{name: tuple(range(1, ndim + 1)) if every else shifted(dims, ndim)}
        )

    return rule


def sized(name: str) -> Rule:
    """Return the rule of an op that is told a size: the batch is put in front of it."""

    def rule(call: Call) -> Any:
        return call.run(call.wholes(), **{name: (call.level.size, *call.static(name))})

    return rule


def plain(call: Call) -> Any:
    """Run an op that does not see leading dimensions."""
    return call.run(call.wholes())
