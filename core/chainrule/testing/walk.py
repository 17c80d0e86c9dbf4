"""Walking over the samples of a case: the tensors in them, the call, what its graph shows."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..tensor import Tensor
from .cases import Sample
from .maker import Maker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..graph import Node
    from .cases import OpCase


def samples(
    case: OpCase, dtype: str, device: str, *, requires_grad: bool = False
) -> Iterator[Sample]:
    """Yield the samples of *case*, made anew."""
    kind = dtypes.by_name(dtype)
    recorded = requires_grad and kind.category >= dtypes.FLOATING
    yield from case.samples(Maker(kind, device, requires_grad=recorded))


@contextlib.contextmanager
def naming(case: OpCase, sample: Sample) -> Iterator[None]:
    """Let whatever fails inside say which sample it was."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"sample: {case.name}{sample!r}")
        raise


def run(case: OpCase, sample: Sample) -> Any:
    """Return what the op gives for *sample*."""
    return case.operation()(*sample.args, **sample.kwargs)


def tensors_of(item: Any) -> list[Tensor]:
    """Return the tensors in a sample, a result, or nested lists, in order."""
    if isinstance(item, Tensor):
        return [item]
    if isinstance(item, Sample):
        return tensors_of([*item.args, *item.kwargs.values()])
    if isinstance(item, (list, tuple)):
        return [tensor for part in item for tensor in tensors_of(part)]
    return []


def with_tensors(item: Any, tensors: Iterator[Any]) -> Any:
    """Return *item* with its tensors replaced, in order, by those that come."""
    if isinstance(item, Tensor):
        return next(tensors)
    if isinstance(item, Sample):
        args = [with_tensors(part, tensors) for part in item.args]
        return Sample(*args, **{k: with_tensors(v, tensors) for k, v in item.kwargs.items()})
    if type(item) in {list, tuple}:
        return type(item)([with_tensors(part, tensors) for part in item])
    return item


def as_function(
    case: OpCase, sample: Sample
) -> tuple[Callable[..., tuple[Tensor, ...]], tuple[Tensor, ...]]:
    """Return the call of *sample* as a function of its tensors, and these."""

    def function(*tensors: Tensor) -> tuple[Tensor, ...]:
        result = run(case, with_tensors(sample, iter(tensors)))
        return tuple(t for t in tensors_of(result) if t.dtype.category >= dtypes.FLOATING)

    return function, tuple(tensors_of(sample))


def differentiable(item: Any) -> list[Tensor]:
    """Return the tensors in a sample or a result that carry a gradient."""
    return [tensor for tensor in tensors_of(item) if tensor.requires_grad]


def node_of(result: Any) -> Node | None:
    """Return the node that made the first output that has one."""
    return next((t.grad_fn for t in tensors_of(result) if t.grad_fn is not None), None)


def saved_names(node: Any) -> tuple[str, ...]:
    """Return the saved names that *node* shows, without ``_saved_``, in order of the alphabet.

    Symbolic sizes are left out: PyTorch lists them, chainrule does not.
    """
    names = [n.removeprefix("_saved_") for n in dir(node) if n.startswith("_saved_")]
    return tuple(sorted(name for name in names if "sym_" not in name))
