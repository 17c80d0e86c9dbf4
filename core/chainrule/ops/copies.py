"""Copies of what is otherwise a view, choices of elements, and slices reduced into others."""

from __future__ import annotations

import builtins
import itertools
from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from .._warn import warn
from ..errors import DTypeError, ShapeError
from ..op import composite
from ..shapes import wrap_dim
from .linalg_checks import fail
from .striding import as_strided

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..device import Device
    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = [
    "alias_copy", "as_strided_copy", "as_strided_scatter", "combinations",
    "detach_copy", "diagonal_copy", "expand_copy", "index_reduce", "is_same_size", "narrow_copy",
    "nonzero_static", "permute_copy", "range", "select_copy", "slice_copy", "split_copy",
    "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy", "unbind_copy",
    "unfold_copy", "unravel_index",
    "unsqueeze_copy", "view_as_complex_copy", "view_as_real_copy", "view_copy",
]  # fmt: skip


# Copies of views


def _copy_of(view: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return *view* as a function that copies: what it gives shares no memory."""

    def function(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        made = view(input, *args, **kwargs)
        if isinstance(made, (tuple, list)):
            copies = tuple(part.clone() for part in made)
            if out is None:
                return copies
            for target, part in zip(out, copies, strict=True):
                target.resize_(part.shape).copy_(part)
            return None
        copy = made.clone()
        return copy if out is None else out.resize_(copy.shape).copy_(copy)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return what ``{name.removesuffix('_copy')}`` gives, with its own memory."
    return function


def _sliced(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    place = wrap_dim(dim, len(x._array.shape))
    return x[(slice(None),) * place + (slice(start, end, step),)]


alias_copy = _copy_of(lambda x: x, "alias_copy")
as_strided_copy = _copy_of(as_strided, "as_strided_copy")
detach_copy = _copy_of(lambda x: x, "detach_copy")  # a copy keeps its history, whatever its name
diagonal_copy = _copy_of(ops.diagonal, "diagonal_copy")
expand_copy = _copy_of(lambda x, size, *, implicit=False: x.expand(size), "expand_copy")
narrow_copy = _copy_of(ops.narrow, "narrow_copy")
permute_copy = _copy_of(ops.permute, "permute_copy")
select_copy = _copy_of(ops.select, "select_copy")
slice_copy = _copy_of(_sliced, "slice_copy")
split_copy = _copy_of(ops.split, "split_copy")
split_with_sizes_copy = _copy_of(ops.split_with_sizes, "split_with_sizes_copy")
squeeze_copy = _copy_of(ops.squeeze, "squeeze_copy")
t_copy = _copy_of(ops.t, "t_copy")
transpose_copy = _copy_of(ops.transpose, "transpose_copy")
unbind_copy = _copy_of(ops.unbind, "unbind_copy")
unfold_copy = _copy_of(
    lambda x, dimension, size, step: x.unfold(dimension, size, step), "unfold_copy"
)
unsqueeze_copy = _copy_of(ops.unsqueeze, "unsqueeze_copy")
view_as_complex_copy = _copy_of(ops.view_as_complex, "view_as_complex_copy")
view_as_real_copy = _copy_of(ops.view_as_real, "view_as_real_copy")
view_copy = _copy_of(lambda x, size: x.reshape(size), "view_copy")


# Put together


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Return the choices of *r* elements of a vector, as rows.

    >>> import chainrule as cr
    >>> cr.combinations(cr.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if len(input._array.shape) != 1:
        sentence = f"Expect a 1D vector, but got shape {list(input._array.shape)}"
        fail(ShapeError, sentence, "combinations: flatten it first.")
    if r < 0:
        fail(ShapeError, f"Expect a non-negative number, but got {r}", "combinations: how many?")
    if r == 0:
        return ops.empty(0, dtype=input._key.dtype, device=input.device)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(choose(builtins.range(input._array.shape[0]), r))
    index = ops.tensor(places, dtype=dtypes.int64, device=input.device).reshape(len(places), r)
    columns = index.reshape(len(places), r).unbind(1)
    return ops.stack([ops.index_select(input, 0, column) for column in columns], 1)


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Return the coordinates, per dimension of *shape*, of elements counted one after the other.

    >>> import chainrule as cr
    >>> cr.unravel_index(cr.tensor([3, 5]), (2, 3))
    (tensor([1, 1]), tensor([0, 2]))
    """
    if indices._key.category != dtypes.INTEGER:
        sentence = f"expected 'indices' to be an integer dtype, but got {indices._key.dtype}"
        raise ValueError(sentence)
    found: list[Any] = []
    rest: Any = indices
    for size in reversed((shape,) if isinstance(shape, int) else tuple(shape)):
        found.append(rest % size)
        rest = rest // size
    return ops.stack(found[::-1], -1).unbind(-1)


def range(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the numbers from *start* to *end*, which is included: an older `arange`.

    >>> import chainrule as cr
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     cr.range(1, 2, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is "
        "inconsistent with Python's range builtin. Instead, use torch.arange, which produces "
        "values in [start, end).",
        UserWarning,
        stacklevel=2,
    )
    first, last = (0, start) if end is None else (start, end)
    count = int((last - first) / step) + 1
    kind = dtype or dtypes.get_default_dtype()
    made: Any = ops.arange(count, dtype=kind, device=device) * step + first
    made = made.to(kind).requires_grad_(requires_grad)
    return made if out is None else out.resize_(made.shape).copy_(made)


# Writing


@composite
def index_reduce(
    self: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """Return a copy with the slices of *source* reduced into those of *self* that *index* names.

    Args:
        self: ``(*)``.
        dim: The dimension of the slices.
        index: Integers ``(N,)``.
        source: Shaped as *self*, but N along *dim*.
        reduce: ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: Whether what was there takes part.

    Raises:
        RuntimeError: there is no such reduction, or the shapes do not fit.

    Gradient:
        That of `scatter_reduce`.

    >>> import chainrule as cr
    >>> cr.index_reduce(cr.ones(2), 0, cr.tensor([0, 0]), cr.tensor([2.0, 3.0]), "prod")
    tensor([6., 1.])
    """
    if reduce not in {"prod", "mean", "amax", "amin"}:
        sentence = (
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got "
            f"{reduce}."
        )
        fail(ShapeError, sentence, "index_reduce: see its Args; index_add() sums.")
    place = wrap_dim(dim, len(self._array.shape))
    if not self._array.shape:
        found = index_reduce(self.reshape(1), 0, index.reshape(-1), source.reshape(-1), reduce,
                             include_self=include_self)  # fmt: skip
        return found.reshape(())
    if index._key.dtype not in {dtypes.int32, dtypes.int64}:
        sentence = "index_reduce(): Expected dtype int32/int64 for index"
        fail(DTypeError, sentence, "index_reduce: convert it with .long().")
    shape = [1] * len(self._array.shape)
    shape[place] = index.numel()
    spread = index.to(dtypes.int64).reshape(shape).expand(source._array.shape)
    return ops.scatter_reduce(self, place, spread, source, reduce, include_self=include_self)


@composite
def as_strided_scatter(
    self: Tensor,
    src: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:
    """Return a copy with *src* written where `as_strided` looks.

    >>> import chainrule as cr
    >>> cr.as_strided_scatter(cr.zeros(3), cr.ones(2), (2,), (2,))
    tensor([1., 0., 1.])
    """
    made = self.clone()
    if src._key.backend.level:  # the copy must hold what a function transform keeps of src
        made = src.new_empty(self._array.shape).copy_(self)
    as_strided(made, size, stride, storage_offset).copy_(src)
    return made


# Questions


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have one shape.

    >>> import chainrule as cr
    >>> cr.is_same_size(cr.ones(2), cr.ones(2, 1))
    False
    """
    return tuple(input._array.shape) == tuple(other._array.shape)


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1, out: Any = None) -> Tensor:
    """Return `nonzero` cut, or filled up with *fill_value*, to *size* rows.

    >>> import chainrule as cr
    >>> cr.nonzero_static(cr.tensor([0, 1]), size=2)
    tensor([[ 1],
            [-1]])
    """
    found: Any = ops.nonzero(input)[:size]
    count, ndim = found._array.shape
    rest = ops.full((size - count, ndim), fill_value, dtype=dtypes.int64, device=input.device)
    return ops.cat([found, rest], 0, out=out)
