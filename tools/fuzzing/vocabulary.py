"""What a random program may consist of: the ops of the registry, and steps written by hand.

A step is a function ``step(lib, pool, pick)``: *lib* is chainrule or PyTorch, *pool* holds the
tensors made so far, *pick* draws the same choices for both. It returns what it made, or None.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
from math import ceil, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import chainrule
from chainrule import dtypes
from chainrule.testing import Sample, walk
from chainrule.testing.maker import Maker
from chainrule.testing.samples import all_cases

if TYPE_CHECKING:
    import random

    from chainrule.testing import OpCase

Step = "Callable[[Any, list[Any], random.Random], Any]"

#: Ops that are not drawn, and why.
LEFT_OUT = {
    "copy": "chainrule alone has it",
    "zero": "chainrule alone has it",
    "view_scatter": "chainrule alone has it",
    "median": "of equal elements PyTorch takes any; differences.md",
    "nanmedian": "of equal elements PyTorch takes any; differences.md",
    "kthvalue": "of equal elements PyTorch takes any; differences.md",
    "mode": "of equal elements PyTorch takes any; differences.md",
    "topk": "of equal elements PyTorch takes any; differences.md",
    "sort": "of equal elements PyTorch takes any unless stable; differences.md",
    "argsort": "of equal elements PyTorch takes any unless stable; differences.md",
    "msort": "of equal elements PyTorch takes any; differences.md",
    "empty": "its values are what lay in memory",
    "empty_like": "its values are what lay in memory",
    "new_empty": "its values are what lay in memory",
    "empty_strided": "its values are what lay in memory",
    "as_strided_scatter": "PyTorch's gradient of the input is that of what was overwritten",
    "ctc_loss": "PyTorch has two functions of the name, which scale in different ways",
    "nn.functional.pdist": "of equal extremes each gets the gradient in PyTorch, a share here",
    "pdist": "likewise",
    "cdist": "likewise",
    "cholesky_inverse": "PyTorch reads half of its input",
    "pixel_unshuffle": "PyTorch leaves the shape of what is empty",
    "scatter_reduce": "ties of extremes share otherwise; differences.md",
}
_CELLS = "PyTorch's takes batches alone"
LEFT_OUT |= dict.fromkeys(("gru_cell", "lstm_cell", "rnn_relu_cell", "rnn_tanh_cell"), _CELLS)

#: Ops of matrices: of one that is singular nobody knows more than a digit. The tensors that they
#: are given are their own, nudged by those of the pool.
_OF_MATRICES = re.compile(
    r"linalg|solve|inverse|pinv|cholesky|lu|qr|svd|det|geqrf|ormqr|eig|matrix"
)
_DTYPES = ("float64", "complex128", "int64", "bool")


def recorder() -> Any:
    """Return tools/record_saved_names.py, which knows PyTorch's name and call of every sample."""
    name = "record_saved_names"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, Path(__file__).parents[1] / f"{name}.py"
        )
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@functools.cache
def registry() -> dict[str, OpCase]:
    """Return the ops that may be drawn: those that PyTorch has and that draw nothing themselves."""
    found = {}
    for case in all_cases():
        if not case.deterministic or case.name in LEFT_OUT:
            continue
        try:
            recorder().counterparts(case.name)
        except LookupError:
            continue
        found[case.name] = case
    return found


@functools.cache
def samples_of(name: str, dtype: str) -> list[tuple[Any, Any]]:
    """Return the samples of one op as pairs: ours, PyTorch's."""
    case = registry()[name]
    if dtype not in case.dtypes:
        return []
    ours = list(case.samples(Maker(dtypes.by_name(dtype))))
    return [(sample, recorder().to_torch(sample)) for sample in ours]


def adapted(tensor: Any, shape: tuple[int, ...]) -> Any:
    """Return *tensor* with *shape*: a view of its first elements, or repeats of it."""
    if tuple(tensor.shape) == shape:
        return tensor
    flat, wanted = tensor.reshape(-1), prod(shape)
    if flat.shape[0] < wanted:
        flat = flat.repeat(ceil(wanted / flat.shape[0]))
    return flat[:wanted].reshape(shape)


def _substituted(name: str, sample: Any, pool: list[Any], pick: random.Random) -> Any:
    """Return *sample* with tensors of the pool in place of some of its own."""
    replaced = []
    for position, own in enumerate(_tensors(sample)):
        fitting = [t for t in pool if t.dtype == own.dtype and t.numel() > 0]
        if position and not own.dtype.is_floating_point and not own.dtype.is_complex:
            fitting = []  # an index: PyTorch's kernels do not check the bounds of all
        if fitting and (position == 0 or pick.random() < 0.5):
            drawn = adapted(pick.choice(fitting), tuple(own.shape))
            if _OF_MATRICES.search(name):
                drawn = own.clone() if own.dtype.is_complex else own + 0.001 * drawn
            replaced.append(drawn)
        else:
            replaced.append(own.clone())  # a later line may write into it
    return _with(sample, iter(replaced))


def is_tensor(item: Any) -> bool:
    """Return whether *item* is a tensor of either library."""
    return isinstance(item, (chainrule.Tensor, torch.Tensor))


def _tensors(item: Any) -> list[Any]:
    if is_tensor(item):
        return [item]
    if isinstance(item, Sample):
        return _tensors([*item.args, *item.kwargs.values()])
    return [t for p in item for t in _tensors(p)] if isinstance(item, (list, tuple)) else []


def _with(item: Any, tensors: Any) -> Any:
    if is_tensor(item):
        return next(tensors)
    if isinstance(item, Sample):
        args = [_with(part, tensors) for part in item.args]
        return Sample(*args, **{k: _with(v, tensors) for k, v in item.kwargs.items()})
    if type(item) in {list, tuple}:
        return type(item)([_with(part, tensors) for part in item])
    return item


def op_step(name: str, dtype: str, number: int, *, in_place: bool = False) -> Any:
    """Return the step that calls one op of the registry as one of its samples does."""

    def step(lib: Any, pool: list[Any], pick: random.Random) -> Any:
        ours, theirs = samples_of(name, dtype)[number]
        here = lib.__name__ == "chainrule"
        sample = _substituted(name, ours if here else theirs, pool, pick)
        if in_place:
            target = sample.args[0]
            if not any(target is t for t in pool) and not target.requires_grad:
                target = target.clone()
            return getattr(target, registry()[name].in_place)(*sample.args[1:], **sample.kwargs)
        if here:
            return walk.run(registry()[name], sample)
        return recorder().call(name, sample)

    return step


def draw_op(pick: random.Random) -> tuple[str, Any]:
    """Return a name for the report and the step of one op drawn from the registry."""
    while True:
        name = pick.choice(_names())
        dtype = pick.choices(_DTYPES, (12, 3, 1, 1))[0]
        samples = samples_of(name, dtype)
        if samples:
            number = pick.randrange(len(samples))
            in_place = bool(registry()[name].in_place) and pick.random() < 0.5
            label = f"{name}{'_' if in_place else ''}[{dtype}, {number}]"
            return label, op_step(name, dtype, number, in_place=in_place)


@functools.cache
def _names() -> list[str]:
    return sorted(registry())
