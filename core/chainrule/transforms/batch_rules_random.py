"""Batch rules of random operations: numbers of its own for every sample, or the same for all."""

from __future__ import annotations

from math import prod
from typing import Any, Final

from .. import ops
from ..errors import AutogradError
from .batched import BatchedArray
from .batching import Call
from .batching import _aligned as aligned

_SAME = (
    "Vmap does not currently support same randomness with a batched tensor input. Please file an "
    "issue with functorch"
)


def _refuse_same(call: Call) -> None:
    if not call.level.draws_differ():
        msg = (
            f"{_SAME}\n{call.op.__name__}: the samples have different parameters. Pass "
            "randomness='different', or draw outside of vmap."
        )
        raise AutogradError(msg)


def _overwritten(call: Call) -> Any:
    """Draw in place of values that do not matter: of one sample, or of all."""
    if call.level.draws_differ():
        return call.run(call.wholes())
    first, *others = call.operands
    one = first.tensor.new_empty(first.shape)
    drawn = call.run([one, *(o.tensor if isinstance(o, BatchedArray) else o for o in others)])
    return BatchedArray(call.level, drawn, False)


def _of_parameters(call: Call) -> Any:
    """Draw with the parameters of every sample."""
    _refuse_same(call)
    return call.run(call.wholes())


def _normal_of(call: Call) -> Any:
    _refuse_same(call)
    arrays = [o for o in call.operands if isinstance(o, BatchedArray)]
    ndim = max(len(array.shape) for array in arrays)
    tensors = [aligned(o, ndim) for o in call.operands]
    return call.run(tensors)


def _noise(call: Call) -> Any:
    array, size = call.operands[0], call.static("size")
    if call.level.draws_differ():
        whole = None if size is None else (call.level.size, *size)
        return call.run([array.whole()], size=whole)
    one = array.tensor.new_empty(array.shape)
    return BatchedArray(call.level, call.run([one]), False)


def _multinomial(call: Call) -> Any:
    _refuse_same(call)
    array, count = call.operands[0], call.static("num_samples")
    shape = (call.level.size * prod(array.shape[:-1]), array.shape[-1])
    rows = ops.reshape(array.whole(), shape)
    return ops.reshape(call.run([rows]), (call.level.size, *array.shape[:-1], count))


#: The rules, by the op's name.
TABLE: Final[dict[str, Any]] = {
    **dict.fromkeys(
        ("cauchy", "exponential", "geometric", "log_normal", "normal", "random", "uniform",
         "_bernoulli_like"),
        _overwritten,
    ),
    "bernoulli": lambda call: (
        _of_parameters(call)
        if isinstance(call.operands[1], BatchedArray) and call.operands[1].batched
        else _overwritten(call)
    ),
    "_bernoulli_of": _of_parameters,
    "_normal_of": _normal_of,
    "_dropout_noise": _noise,
    "_multinomial": _multinomial,
}  # fmt: skip
