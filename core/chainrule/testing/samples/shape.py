"""Samples of chainrule/ops/shape.py, axes.py and broadcasting.py."""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

ANY = ("bool", "int64", "float32", "float64", "complex128")


def on_one(*calls: tuple[Any, ...], turned: bool = True) -> Callable[[Maker], Iterator[Sample]]:
    """Return samples of one tensor: a call is its shape, other arguments, a dict of keywords.

    With *turned*, the first call of two dimensions and more is made with odd strides too.
    """

    def samples(make: Maker) -> Iterator[Sample]:
        for shape, *arguments in calls:
            yield _sample(make(*shape), arguments)
        shape, *arguments = next(((*c,) for c in calls if len(c[0]) > 1), ((),))
        if turned and len(shape) > 1:
            yield _sample(make.transposed(*shape), arguments)
            yield _sample(make.strided(*shape), arguments)

    return samples


def _sample(tensor: Any, arguments: list[Any]) -> Sample:
    keywords = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
    return Sample(tensor, *arguments, **keywords)


def failing(*calls: tuple[Any, ...]) -> Callable[[Maker], Iterator[ErrorSample]]:
    """Return calls of one tensor that fail: type, message, shape, other arguments."""

    def errors(make: Maker) -> Iterator[ErrorSample]:
        for raises, message, shape, *arguments in calls:
            sample = _sample(make(*shape), list(arguments))
            yield ErrorSample(sample=sample, raises=raises, match=re.escape(message))

    return errors


def _sizes(given: tuple[Any, ...]) -> Any:
    return given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


def _no_view(make: Maker) -> Iterator[ErrorSample]:
    yield from failing(
        (RuntimeError, "shape '[5]' is invalid for input of size 6", (2, 3), 5),
        (RuntimeError, "only one dimension can be inferred", (2, 3), -1, -1),
        (RuntimeError, "invalid shape dimension -2 at index 0 of shape [-2, 3]", (2, 3), -2, 3),
        (RuntimeError, "cannot reshape tensor of 0 elements into shape [0, -1]", (0, 3), 0, -1),
        (
            TypeError,
            "view() received an invalid combination of arguments - got (float",
            (2, 3),
            2.0,
        ),
    )(make)
    sentence = "view size is not compatible with input tensor's size and stride"
    yield ErrorSample(sample=Sample(make.transposed(2, 3), -1), raises=RuntimeError, match=sentence)


def _reshaped(make: Maker) -> Iterator[Sample]:
    yield from on_one(
        ((2, 3), 3, 2), ((2, 3), (6,)), ((2, 3), -1), ((), (1, 1)), ((0, 3), 3, 0), ((1,), ())
    )(make)
    yield Sample(make.transposed(4, 6), 2, 2, 6)  # not contiguous, and yet a view
    yield Sample(make.transposed(4, 6), -1)
    yield Sample(make(2, 3), shape=(3, -1))


def _expanded(np: Any, x: Any, size: tuple[int, ...]) -> Any:
    wanted = list(size)
    for back in range(1, x.ndim + 1):
        if wanted[-back] == -1:
            wanted[-back] = x.shape[-back]
    return np.broadcast_to(x, wanted)


def _pairs(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(3, 2))
    yield Sample(make(), make(1))


def _together(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 1), make(2))
    yield Sample(make(2, 3), make(), make(2, 1))


def _each(make: Maker) -> Iterator[Sample]:
    for shape in ((), (3,), (2, 3), (2, 1, 3), (0,)):
        yield Sample(make(*shape))
    yield Sample(make(), make(3))
    yield Sample([make(2, 3)])


_OUT_OF_RANGE = "Dimension out of range (expected to be in range of [-2, 1], but got 2)"
_READ_AS = {"float32": "int32", "float64": "int64"}


def _bytes(make: Maker) -> Iterator[Sample]:
    same = dtypes.by_name(_READ_AS[make.dtype.name])
    yield Sample(make(2, 4), same)
    yield Sample(make.transposed(2, 4), same)
    yield Sample(make(), same)
    yield Sample(make(2, 4), dtype=dtypes.uint8)
    yield Sample(make(2, 4), dtypes.complex128 if make.dtype is dtypes.float64 else dtypes.float64)


cases = [
    OpCase(
        "view",
        on_one(
            ((2, 3), 3, 2), ((2, 3), (6,)), ((2, 3), -1), ((), (1, 1)), ((0, 3), 3, 0), turned=False
        ),
        lambda np, x, *size: x.reshape(_sizes(size)),
        ANY,
        saved=(),
        node="ViewBackward0",
        errors=_no_view,
    ),
    # The bytes of a number in another precision are others: not to be compared.
    OpCase("shape.view", _bytes, grad=False, deterministic=False),
    OpCase("view_as", _pairs, lambda np, x, other: x.reshape(other.shape)),
    OpCase(
        "reshape",
        _reshaped,
        lambda np, x, *size, shape=None: x.reshape(_sizes(size) if shape is None else shape),
        ANY,
        saved=(),
        node="ViewBackward0",
        errors=failing((RuntimeError, "shape '[5]' is invalid for input of size 6", (2, 3), 5)),
    ),
    OpCase("reshape_as", _pairs, lambda np, x, other: x.reshape(other.shape)),
    OpCase(
        "flatten",
        on_one(((2, 3, 4),), ((2, 3, 4), 1), ((2, 3, 4), 0, 1), ((2, 3), 1), ((),), ((0, 2),)),
        lambda np, x, start=0, end=-1: x.reshape(
            x.shape[:start]
            + (prod(x.shape[start : end % max(x.ndim, 1) + 1]),)
            + (x.shape[end % x.ndim + 1 :] if x.ndim else ())
        ),
        node="ViewBackward0",
        errors=failing(
            (
                RuntimeError,
                "flatten() has invalid args: start_dim cannot come after end_dim",
                (2, 3),
                1,
                0,
            ),
            (IndexError, _OUT_OF_RANGE, (2, 3), 2),
        ),
    ),
    OpCase(
        "unflatten",
        on_one(((6, 2), 0, (2, 3)), ((2, 6), -1, (3, -1)), ((2, 3), 1, (3, 1))),
        lambda np, x, dim, sizes: x.reshape(
            x.shape[: dim % x.ndim] + tuple(sizes) + x.shape[dim % x.ndim + 1 :]
        ),
        node="ViewBackward0",
        errors=failing(
            (
                RuntimeError,
                "unflatten: Provided sizes [3, 2] don't multiply up to the size of dim 0",
                (2, 3),
                0,
                (3, 2),
            ),
            (RuntimeError, "unflatten: sizes must be non-empty", (2, 3), 0, ()),
        ),
    ),
    OpCase("ravel", on_one(((2, 3),), ((),), ((0, 2),)), lambda np, x: x.reshape(-1)),
    OpCase(
        "squeeze",
        on_one(
            ((2, 1, 3),),
            ((1, 2, 1), 0),
            ((1, 2, 1), 1),
            ((1, 2, 1), (0, -1)),
            ((1, 2, 1), 0, 1),
            ((), 0),
            ((1, 2), {"dim": 0}),
        ),
        lambda np, x, *dims, dim=None: np.squeeze(
            x,
            tuple(
                d % x.ndim
                for d in (_sizes(dims) if dim is None else [dim]) or range(x.ndim)
                if x.shape[d] == 1
            )
            if x.ndim
            else None,
        ),
        saved=(),
        node="SqueezeBackward0",
        errors=failing(
            (IndexError, _OUT_OF_RANGE, (2, 3), 2),
            (RuntimeError, "dim 0 appears multiple times in the list of dims", (1, 3), (0, 0)),
        ),
    ),
    OpCase(
        "unsqueeze",
        on_one(((2, 3), 0), ((2, 3), -1), ((2, 3), 1), ((), 0), ((0,), 1)),
        lambda np, x, dim: np.expand_dims(x, dim),
        ANY,
        saved=("dim",),
        node="UnsqueezeBackward0",
        errors=failing(
            (
                IndexError,
                "Dimension out of range (expected to be in range of [-3, 2], but got 3)",
                (2, 3),
                3,
            ),
        ),
    ),
    OpCase("contiguous", on_one(((2, 3),), ((),), ((0,),)), lambda np, x: x),
    OpCase("atleast_1d", _each, lambda np, *x: np.atleast_1d(*_sizes(x))),
    OpCase("atleast_2d", _each, lambda np, *x: np.atleast_2d(*_sizes(x))),
    OpCase("atleast_3d", _each, lambda np, *x: np.atleast_3d(*_sizes(x))),
    # Axes
    OpCase(
        "transpose",
        on_one(((2, 3), 0, 1), ((2, 3, 4), -1, 0), ((2, 3), 1, 1), ((), 0, -1)),
        lambda np, x, a, b: np.swapaxes(x, a, b) if x.ndim else x,
        ANY,
        saved=("dim0", "dim1"),
        node="TransposeBackward0",
        errors=failing((IndexError, _OUT_OF_RANGE, (2, 3), 0, 2)),
    ),
    OpCase("swapaxes", on_one(((2, 3), 0, 1)), lambda np, x, a, b: np.swapaxes(x, a, b)),
    OpCase(
        "t",
        on_one(((2, 3),), ((3,),), ((),)),
        lambda np, x: x.T,
        ANY,
        saved=(),
        node="TBackward0",
        errors=failing(
            (RuntimeError, "t() expects a tensor with <= 2 dimensions, but self is 3D", (2, 3, 4)),
        ),
    ),
    OpCase(
        "permute",
        on_one(((2, 3, 4), 2, 0, 1), ((2, 3, 4), (0, -1, 1)), ((), ()), ((2, 3), {"dims": (1, 0)})),
        lambda np, x, *order, dims=None: np.transpose(x, _sizes(order) if dims is None else dims),
        saved=("dims",),
        node="PermuteBackward0",
        errors=failing(
            (RuntimeError, "permute(sparse_coo): number of dimensions", (2, 3), 0),
            (RuntimeError, "permute(): duplicate dims are not allowed.", (2, 3), 0, 0),
            (IndexError, _OUT_OF_RANGE, (2, 3), 0, 2),
        ),
    ),
    OpCase(
        "movedim",
        on_one(((2, 3, 4), 0, -1), ((2, 3, 4), (0, 1), (-1, 0)), ((), 0, 0)),
        lambda np, x, a, b: np.moveaxis(x, a, b) if x.ndim else x,
        node="PermuteBackward0",
        errors=failing(
            (RuntimeError, "movedim: repeated dim in `source` ([0, 0])", (2, 3), (0, 0), (0, 1)),
            (
                RuntimeError,
                "movedim: repeated dim in `destination` ([1, 1])",
                (2, 3),
                (0, 1),
                (1, 1),
            ),
            (IndexError, _OUT_OF_RANGE, (2, 3), 0, 2),
            (
                TypeError,
                "movedim() received an invalid combination of arguments",
                (2, 3),
                0,
                (1, 0),
            ),
        ),
    ),
    OpCase(
        "adjoint",
        on_one(((2, 3),), ((2, 3, 4),)),
        lambda np, x: np.conj(np.swapaxes(x, -1, -2)),
        ("float32", "float64", "complex128"),
        node=None,
        errors=failing(
            (RuntimeError, "tensor.adjoint() is only supported on matrices or batches", (3,)),
        ),
    ),
    # Broadcasting
    OpCase(
        "expand",
        on_one(
            ((2, 1), 2, 3),
            ((2, 1), (-1, 3)),
            ((3,), 2, 3),
            ((), 2),
            ((1, 3), 0, 3),
            ((2, 3), 2, 3),
            ((2, 1), {"size": (2, 3)}),
        ),
        lambda np, x, *sizes, size=None: _expanded(np, x, _sizes(sizes) if size is None else size),
        ANY,
        saved=(),
        node="ExpandBackward0",
        errors=failing(
            (
                RuntimeError,
                "expand(torch.FloatTensor{[2, 3]}, size=[3]): the number of sizes",
                (2, 3),
                3,
            ),
            (
                RuntimeError,
                (
                    "The expanded size of the tensor (4) must match the existing size (3) at "
                    "non-singleton dimension 1.  Target sizes: [2, 4].  Tensor sizes: [2, 3]"
                ),
                (2, 3),
                2,
                4,
            ),
            (
                RuntimeError,
                (
                    "The expanded size of the tensor (-1) isn't allowed in a leading, "
                    "non-existing dimension 0"
                ),
                (3,),
                -1,
                3,
            ),
        ),
    ),
    OpCase(
        "expand_as",
        lambda make: [Sample(make(1, 3), make(2, 3)), Sample(make(), make(2))],
        lambda np, x, other: np.broadcast_to(x, other.shape),
    ),
    OpCase(
        "broadcast_to",
        on_one(((2, 1), (2, 3)), ((), (2,))),
        lambda np, x, size: np.broadcast_to(x, size),
    ),
    OpCase(
        "broadcast_shapes",
        lambda make: [Sample((2, 3), (3,)), Sample((2, 1), 3, (1, 1, 1)), Sample()],
        lambda np, *shapes: np.broadcast_shapes(*shapes),
        grad=False,
        errors=lambda make: [
            ErrorSample(
                sample=Sample((2, 3), (4,)),
                raises=RuntimeError,
                match="Attempting to broadcast a dimension of length 4 at -1! Mismatching "
                "argument at index 1 had",
            )
        ],
    ),
    OpCase("broadcast_tensors", _together, lambda np, *x: np.broadcast_arrays(*_sizes(x))),
]
