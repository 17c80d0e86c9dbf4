"""Promises about sizes: how they print, which fit together, which dimensions there are."""

from __future__ import annotations

import pytest

from chainrule.shapes import (
    Size,
    broadcast_shapes,
    contiguous_strides,
    infer_size,
    normalize_size,
    wrap_dim,
    wrap_dims,
)


def test_size_is_a_tuple_that_stays_one():
    size = Size([2, 3])

    assert size == (2, 3)
    assert repr(size) == "torch.Size([2, 3])"
    assert type(size[:1]) is Size
    assert type(size + (4,)) is Size  # noqa: RUF005 - the operator is what is tested
    assert size.numel() == 6


@pytest.mark.parametrize(
    ("shapes", "both"),
    [
        (((), ()), ()),
        (((3, 1), (1, 4)), (3, 4)),
        (((0, 3), (3,)), (0, 3)),
        (((1,), (0,)), (0,)),
        (((2, 1, 3), (4, 1), (3,)), (2, 4, 3)),
    ],
)
def test_ones_and_missing_dimensions_broadcast(shapes, both):
    assert broadcast_shapes(*shapes) == both


def test_sizes_that_differ_do_not_broadcast():
    with pytest.raises(
        RuntimeError,
        match=r"^The size of tensor a \(3\) must match the size of tensor b \(4\) at "
        r"non-singleton dimension 1$",
    ):
        broadcast_shapes((2, 3), (2, 4))


def test_last_dimension_that_does_not_fit_is_named():
    with pytest.raises(
        RuntimeError, match=r"^The size .* a \(4\) must .* \(3\) at .* dimension 1$"
    ):
        broadcast_shapes((3, 4), (4, 3))


def test_dimensions_count_from_either_end():
    assert [wrap_dim(d, 3) for d in (0, 2, -1, -3)] == [0, 2, 2, 0]
    assert [wrap_dim(d, 0) for d in (0, -1)] == [0, 0]
    assert wrap_dims(None, 2) == (0, 1)


@pytest.mark.parametrize(
    ("dim", "ndim", "low", "high"), [(5, 2, -2, 1), (-3, 2, -2, 1), (1, 0, -1, 0)]
)
def test_dimension_out_of_range_raises(dim, ndim, low, high):
    with pytest.raises(
        IndexError,
        match=rf"^Dimension out of range \(expected to be in range of \[{low}, {high}\], "
        rf"but got {dim}\)",
    ):
        wrap_dim(dim, ndim)


def test_dimension_named_twice_raises():
    with pytest.raises(RuntimeError, match=r"^dim 1 appears multiple times in the list of dims"):
        wrap_dims((1, -1), 2)


def test_sizes_may_be_several_integers_or_one_sequence():
    assert (
        normalize_size((2, 3)) == normalize_size(((2, 3),)) == normalize_size(([2, 3],)) == (2, 3)
    )
    with pytest.raises(TypeError, match="expected integers, got float"):
        normalize_size((2.5,))


def test_one_size_may_be_inferred():
    assert infer_size((2, -1), 6) == (2, 3)
    assert infer_size((-1,), 0) == (0,)


@pytest.mark.parametrize(
    ("shape", "numel", "sentence"),
    [
        ((4,), 6, "shape '[4]' is invalid for input of size 6"),
        ((4, -1), 6, "shape '[4, -1]' is invalid for input of size 6"),
        ((-1, -1), 6, "only one dimension can be inferred"),
        ((-2, 3), 6, "invalid shape dimension -2"),
        ((0, -1), 0, "cannot reshape tensor of 0 elements into shape [0, -1]"),
    ],
)
def test_shape_that_does_not_fit_raises(shape, numel, sentence):
    with pytest.raises(RuntimeError) as caught:
        infer_size(shape, numel)

    assert str(caught.value).startswith(sentence)


def test_strides_of_a_contiguous_tensor():
    assert contiguous_strides((2, 3, 4)) == (12, 4, 1)
    assert contiguous_strides((2, 0, 4)) == (4, 4, 1)
    assert contiguous_strides(()) == ()
