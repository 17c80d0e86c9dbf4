"""Samples of chainrule/ops/grids.py, embedding_bags.py, loss_ctc.py and of pdist."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _grids(make: Maker) -> Iterator[Sample]:
    for mode, padding, align in itertools.product((0, 1, 2), (0, 1, 2), (False, True)):
        yield Sample(make(1, 2, 3, 4), make(1, 2, 2, 2, low=-1.5, high=1.5), mode, padding, align)
    for mode, padding in itertools.product((0, 1), (0, 1, 2)):
        grid = make(1, 1, 2, 2, 3, low=-1.5, high=1.5)
        yield Sample(make(1, 2, 2, 3, 2), grid, mode, padding, False)
    yield Sample(make(0, 2, 3, 4), make(0, 2, 2, 2), 0, 0, False)


def _grid_errors(make: Maker) -> Iterator[ErrorSample]:
    x = make(1, 1, 4, 4)
    for sample, text in (
        (Sample(x, make(2, 2, 2, 2), 0, 0, False),
         r"grid_sampler\(\): expected grid and input to have same batch size, but got input with"),
        (Sample(x, make(1, 2, 2, 3), 0, 0, False),
         r"grid_sampler\(\): expected grid to have size 2 in last dimension, but got grid with"),
        (Sample(make(1, 1, 2, 2, 2), make(1, 2, 2, 2, 3), 2, 0, False),
         r"grid_sampler\(\): bicubic interpolation only supports 4D input"),
    ):  # fmt: skip
        yield ErrorSample(sample=sample, raises=RuntimeError, match=text)


def _affine(make: Maker) -> Iterator[Sample]:
    for align in (False, True):
        yield Sample(make(2, 2, 3), (2, 1, 2, 3), align)
        yield Sample(make(1, 3, 4), (1, 1, 1, 2, 2), align)


def _points(np: Any, theta: Any, size: Any, align: bool) -> Any:
    lines = []
    for n in size[2:]:
        line = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
        lines.append(line if align else line * (n - 1) / n)
    grid = np.stack([*np.meshgrid(*lines, indexing="ij")[::-1], np.ones(size[2:])], -1)
    return np.einsum("...j,nij->n...i", grid, theta)


def _bags(make: Maker) -> Iterator[Sample]:
    places = make.of([1, 2, 2, 4, 0], dtype=dtypes.int64)
    starts = make.of([0, 2, 2], dtype=dtypes.int64)
    for mode in (0, 1, 2):
        yield Sample(make(5, 3), places, starts, mode=mode)
        yield Sample(make(5, 3), places, starts, False, mode, False, None, False, 2)
    yield Sample(make(5, 3), places, starts, per_sample_weights=make(5))
    yield Sample(make(5, 3), places, starts, False, 0, False, make(5), False, -1)
    ends = make.of([0, 2, 5], dtype=dtypes.int64)
    yield Sample(make(5, 3), places, ends, mode=1, include_last_offset=True)
    yield Sample(make(5, 3), places[:0], starts[:1], mode=0)


def _bag_errors(make: Maker) -> Iterator[ErrorSample]:
    table = make(5, 3)
    for places, starts, text in (
        ([1, 2], [1], r"offsets\[0\] has to be 0, i\.e\., the first sequence in the mini-batch"),
        ([1, 2], [0, 5], r"offsets\[-1\] can not be greater than input's length 2 but got"),
        ([1, 9], [0], "Index 1 of input takes value 9 which is not in the valid range"),
    ):
        given = (make.of(items, dtype=dtypes.int64) for items in (places, starts))
        yield ErrorSample(sample=Sample(table, *given), raises=RuntimeError, match=text)


def _labels(make: Maker) -> Iterator[Sample]:
    def chances(*shape: int) -> Any:
        drawn: Any = make(*shape)
        return drawn.detach().log_softmax(-1).requires_grad_(drawn.requires_grad)

    labels = make.of([[1, 2, 1], [3, 3, 1]], dtype=dtypes.int64)
    for reduction in ("none", "mean", "sum"):
        yield Sample(chances(6, 2, 4), labels, [6, 5], [3, 2], reduction=reduction)
    yield Sample(chances(5, 2, 4), labels.reshape(-1)[:4], (5, 4), (3, 1), 0, "sum")
    yield Sample(chances(5, 2, 4), labels, [5, 1], [0, 3], 0, "none", True)
    yield Sample(chances(4, 3), labels[0, :2], [4], [2], blank=0)


def _label_errors(make: Maker) -> Iterator[ErrorSample]:
    x, labels = make(6, 2, 4), make.index(2, 3, below=3)
    for sample, text in (
        (Sample(x, labels, [7, 5], [3, 2]), "Expected input_lengths to have value at most 6"),
        (Sample(x, labels, [6], [3, 2]), "input_lengths must be of size batch_size"),
        (Sample(x, labels, [6, 5], [3, 2], 4), "blank must be in label range"),
        (Sample(x, labels, [6, 5], [4, 2]), "Expected tensor to have size at least 4 at dimension"),
    ):
        yield ErrorSample(sample=sample, raises=RuntimeError, match=text)


def _rows(make: Maker) -> Iterator[Sample]:
    for p in (0.5, 1, 2, 3, float("inf")):
        yield Sample(make(4, 3), p)
    yield Sample(make(1, 3))
    # PyTorch's process ends when it differentiates this.
    yield Sample(make(0, 3, requires_grad=False))


def _distances(np: Any, x: Any, p: float = 2) -> Any:
    first, second = np.triu_indices(len(x), 1)
    away = np.abs(x[first] - x[second])
    if p == float("inf"):
        return away.max(1) if len(away) else np.zeros(0)
    return (away**p).sum(1) ** (1 / p)


def _row_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2, 2, 2)),
        raises=RuntimeError,
        match="pdist only supports 2D tensors, got: 3D",
    )
    yield ErrorSample(
        sample=Sample(make(2, 2), -1.0),
        raises=RuntimeError,
        match="pdist only supports non-negative p values",
    )


cases = [
    OpCase(
        "grid_sampler",
        _grids,
        saved=("align_corners", "grid", "input", "interpolation_mode", "padding_mode"),
        node="GridSampler2DBackward0",
        errors=_grid_errors,
    ),
    OpCase(
        "affine_grid_generator",
        _affine,
        _points,
        saved=("align_corners", "size"),
        node="AffineGridGeneratorBackward0",
    ),
    OpCase("embedding_bag", _bags, errors=_bag_errors),
    OpCase(
        "nn.functional.ctc_loss",
        _labels,
        errors=_label_errors,
        grad=False,  # its gradient is right behind a log_softmax only, as PyTorch's: see tests/nn
    ),
    OpCase("nn.functional.pdist", _rows, _distances, errors=_row_errors),
]
