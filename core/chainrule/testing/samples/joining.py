"""Samples of chainrule/ops/joining.py and splitting.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...dtypes import int64
from ..cases import ErrorSample, OpCase, Sample
from .shape import ANY, failing, on_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

_OUT_OF_RANGE = "Dimension out of range (expected to be in range of [-2, 1], but got 2)"


def on_list(*calls: tuple[Any, ...], spread: bool = False) -> Callable[[Maker], Iterator[Sample]]:
    """Return samples of several tensors: a call is their shapes and the other arguments."""

    def samples(make: Maker) -> Iterator[Sample]:
        for shapes, *arguments in calls:
            tensors = [make(*shape) for shape in shapes]
            yield Sample(*tensors, *arguments) if spread else Sample(tensors, *arguments)

    return samples


def _fails(*calls: tuple[Any, ...]) -> Callable[[Maker], Iterator[ErrorSample]]:
    """Return calls of several tensors that fail: type, message, shapes, other arguments."""

    def errors(make: Maker) -> Iterator[ErrorSample]:
        for raises, message, shapes, *arguments in calls:
            sample = Sample([make(*shape) for shape in shapes], *arguments)
            yield ErrorSample(sample=sample, raises=raises, match=re.escape(message))

    return errors


def _joined(make: Maker) -> Iterator[Sample]:
    yield from on_list(
        (((2, 3), (1, 3)),),
        (((2, 3), (2, 1)), -1),
        (((2,), (0,), (3,)),),
        (((0,), (2, 3)), 1),
        (((2, 3),),),
        (((0,), (0,)),),
    )(make)
    yield Sample((make.transposed(2, 3), make.strided(2, 3)))


def _cat(np: Any, arrays: Any, dim: int = 0) -> Any:
    kept = [x for x in arrays if x.shape != (0,)] or arrays
    return np.concatenate(kept, dim)


def _blocks(np: Any, *arrays: Any) -> Any:
    blocks = [np.atleast_2d(x) for x in arrays]
    out = np.zeros((sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)))
    row = column = 0
    for block in blocks:
        out[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return out if blocks else np.zeros((1, 0))


def _grids(np: Any, *arrays: Any, indexing: str = "ij") -> Any:
    lines = arrays[0] if isinstance(arrays[0], list) else arrays
    return np.meshgrid(*lines, indexing=indexing)


def _meshes(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2), make(3))
    yield Sample(make(2), make(3), make(), indexing="xy")
    yield Sample([make(2), make(3)], indexing="ij")
    yield Sample(make(2), indexing="xy")


def _product(np: Any, *arrays: Any) -> Any:
    if len(arrays) == 1:
        return arrays[0]
    return np.stack([g.reshape(-1) for g in np.meshgrid(*arrays, indexing="ij")], 1)


def _parts(np: Any, x: Any, size: Any = None, dim: int = 0, *, split_size: Any = None) -> Any:
    size = split_size if size is None else size
    cuts = (
        np.cumsum(size)[:-1] if isinstance(size, (list, tuple)) else range(size, x.shape[dim], size)
    )
    return np.split(x, list(cuts), dim)


def _chunks(np: Any, x: Any, chunks: int, dim: int = 0) -> Any:
    size = x.shape[dim]
    if size == 0:
        return [x] * chunks
    return _parts(np, x, -(-size // chunks), dim)


def _cut(np: Any, x: Any, where: Any, dim: int = 0) -> Any:
    return np.array_split(x, where if np.ndim(where) == 0 else list(where), dim)


def _cut_at_a_tensor(make: Maker) -> Iterator[Sample]:
    yield from on_one(((5, 2), 2), ((2, 5), 3, 1), ((5,), (1, 3)), ((5,), (3, 1, -1, 9)))(make)
    yield Sample(make(5), make.of([1, 3], dtype=int64))
    yield Sample(make(5), make.of(2, dtype=int64))


cases = [
    OpCase(
        "cat",
        _joined,
        _cat,
        ANY,
        saved=("dim",),
        node="CatBackward0",
        errors=_fails(
            (ValueError, "torch.cat(): expected a non-empty list of Tensors", ()),
            (
                RuntimeError,
                "Tensors must have same number of dimensions: got 2 and 1",
                ((2, 3), (3,)),
            ),
            (
                RuntimeError,
                (
                    "Sizes of tensors must match except in dimension 0. Expected size 3 but got "
                    "size 2 for tensor number 1 in the list."
                ),
                ((2, 3), (2, 2)),
            ),
            (
                RuntimeError,
                "zero-dimensional tensor (at position 0) cannot be concatenated",
                ((), ()),
            ),
            (IndexError, _OUT_OF_RANGE, ((2, 3), (2, 3)), 2),
        ),
    ),
    OpCase(
        "stack",
        on_list((((2, 3), (2, 3)),), (((2, 3), (2, 3)), -1), (((), (), ()),), (((0,), (0,)), 1)),
        lambda np, x, dim=0: np.stack(x, dim),
        ANY,
        saved=("dim",),
        node="StackBackward0",
        errors=_fails(
            (RuntimeError, "stack expects a non-empty TensorList", ()),
            (
                RuntimeError,
                (
                    "stack expects each tensor to be equal size, but got [2] at entry 0 and [3] "
                    "at entry 1"
                ),
                ((2,), (3,)),
            ),
            (IndexError, _OUT_OF_RANGE, ((2,), (2,)), 2),
        ),
    ),
    OpCase(
        "hstack",
        on_list((((2, 1), (2, 2)),), (((2,), (3,)),), (((), ()),)),
        lambda np, x: np.hstack(x),
        node="CatBackward0",
    ),
    OpCase(
        "vstack",
        on_list((((1, 2), (2, 2)),), (((3,), (3,)),), (((), ()),)),
        lambda np, x: np.vstack(x),
        node="CatBackward0",
    ),
    OpCase(
        "dstack",
        on_list((((2, 1), (2, 1)),), (((3,), (3,)),), (((), ()),)),
        lambda np, x: np.dstack(x),
        node="CatBackward0",
    ),
    OpCase(
        "column_stack",
        on_list((((2,), (2, 2)),), (((), ()),)),
        lambda np, x: np.column_stack(x),
        node="CatBackward0",
    ),
    OpCase(
        "meshgrid",
        _meshes,
        _grids,
        saved=(),
        node="ExpandBackward0",
        errors=lambda make: [
            ErrorSample(
                sample=Sample(),
                raises=RuntimeError,
                match="meshgrid expects a non-empty TensorList",
            ),
            ErrorSample(
                sample=Sample(make(2), indexing="a"),
                raises=RuntimeError,
                match='torch.meshgrid: indexing must be one of "xy" or "ij", but received: a',
            ),
        ],
    ),
    OpCase(
        "cartesian_prod",
        on_list((((2,), (3,)),), (((2,),),), spread=True),
        _product,
        node="StackBackward0",
    ),
    OpCase(
        "block_diag",
        on_list((((2, 3), (1,), ()),), (((1, 0), (2, 2)),), ((),), spread=True),
        _blocks,
        saved=(),
        node="BlockDiagBackward0",
        errors=lambda make: [
            ErrorSample(
                sample=Sample(make(1, 2, 3)),
                raises=RuntimeError,
                match="torch.block_diag: Input tensors must have 2 or fewer dimensions.",
            )
        ],
    ),
    # Splitting
    OpCase(
        "split",
        on_one(
            ((5, 2), 2),
            ((2, 4), [1, 3], -1),
            ((4,), 4),
            ((4,), {"split_size": 3}),
            ((4, 2), (1, 1, 2)),
        ),
        _parts,
        ANY,
        saved=("dim", "split_size"),
        node="SplitBackward0",
        errors=failing(
            (
                RuntimeError,
                (
                    "split_with_sizes expects split_sizes to sum exactly to 4 (input tensor's "
                    "size at dimension 0), but got split_sizes=[2, 3]"
                ),
                (4,),
                [2, 3],
            ),
            (
                RuntimeError,
                "split_with_sizes expects split_sizes have only non-negative entries",
                (4,),
                [5, -1],
            ),
            (
                RuntimeError,
                "split expects split_size be non-negative, but got split_size=-1",
                (4,),
                -1,
            ),
            (RuntimeError, "split_size can only be 0 if dimension size is 0", (4,), 0),
            (RuntimeError, "split expects at least a 1-dimensional tensor", (), 1),
        ),
    ),
    OpCase(
        "split_with_sizes",
        on_one(((5, 2), [2, 3]), ((2, 4), (1, 3), -1)),
        _parts,
        saved=("dim", "split_sizes"),
        node="SplitWithSizesBackward0",
    ),
    OpCase(
        "chunk",
        on_one(((5, 2), 2), ((2, 4), 3, -1), ((2,), 5), ((0, 2), 3)),
        _chunks,
        node="SplitBackward0",
        errors=failing(
            (RuntimeError, "chunk expects `chunks` to be greater than 0, got: 0", (2,), 0),
            (RuntimeError, "chunk expects at least a 1-dimensional tensor", (), 1),
        ),
    ),
    OpCase(
        "unsafe_split",
        on_one(((5, 2), 2), ((2, 4), 3, -1)),
        _parts,
        saved=("dim", "split_size"),
        node="UnsafeSplitBackward0",
        aliases=True,
    ),
    OpCase(
        "unsafe_split_with_sizes",
        on_one(((5, 2), [2, 3]), ((2, 4), (1, 3), -1)),
        _parts,
        saved=("dim", "split_sizes"),
        node="UnsafeSplitWithSizesBackward0",
        aliases=True,
    ),
    OpCase(
        "unsafe_chunk",
        on_one(((5, 2), 2), ((2, 4), 3, -1), ((2,), 5)),
        _chunks,
        node="UnsafeSplitBackward0",
        aliases=True,
    ),
    OpCase(
        "unbind",
        on_one(((2, 3),), ((2, 3), 1), ((2, 3), -1), ((3,),), ((0, 2),)),
        lambda np, x, dim=0: list(np.moveaxis(x, dim, 0)),
        ANY,
        saved=("dim",),
        node="UnbindBackward0",
        errors=failing(
            (IndexError, "Dimension specified as 0 but tensor has no dimensions", ()),
            (IndexError, _OUT_OF_RANGE, (2, 3), 2),
        ),
    ),
    OpCase(
        "tensor_split",
        _cut_at_a_tensor,
        _cut,
        node="SliceBackward0",
        errors=failing(
            (RuntimeError, "number of sections must be larger than 0, got 0", (2, 3), 0),
            (RuntimeError, "tensor_split expected at least a 1-dimensional tensor", (), 1),
        ),
    ),
    OpCase(
        "hsplit",
        on_one(((2, 4), 2), ((4,), 2), ((2, 3), (1, 2))),
        lambda np, x, where: np.hsplit(x, where),
        errors=failing(
            (
                RuntimeError,
                (
                    "torch.hsplit attempted to split along dimension 1, but the "
                    "size of the dimension 3 is not divisible by the split_size 2!"
                ),
                (2, 3),
                2,
            )
        ),
    ),
    OpCase(
        "vsplit",
        on_one(((4, 2), 2), ((3, 2), (1, 2))),
        lambda np, x, where: np.vsplit(x, where),
        errors=failing(
            (
                RuntimeError,
                (
                    "torch.vsplit requires a tensor with at least 2 dimension, "
                    "but got a tensor with 1 dimensions!"
                ),
                (3,),
                3,
            )
        ),
    ),
    OpCase("dsplit", on_one(((2, 2, 4), 2)), lambda np, x, where: np.dsplit(x, where)),
]
