"""Datasets: samples by number or one after the other, joined, chained and split."""

from __future__ import annotations

import pytest


def counting(lib, count=5, length=None):
    """Return an iterable dataset of numbers."""

    class Counting(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(count))

    if length is not None:
        Counting.__len__ = lambda self: length
    return Counting()


def test_tensor_dataset_gives_rows(lib):
    dataset = lib.utils.data.TensorDataset(lib.arange(3), lib.ones(3, 2))

    assert len(dataset) == 3
    assert [tensor.tolist() for tensor in dataset[1]] == [1, [1.0, 1.0]]


def test_stacked_datasets_give_tuples_or_dicts(lib):
    stack = lib.utils.data.StackDataset

    assert stack([1, 2], [3, 4])[1] == (2, 4)
    assert stack(a=[1, 2], b=[3, 4])[0] == {"a": 1, "b": 3}
    assert stack(stack([1, 2]), [3, 4]).__getitems__([0, 1]) == [((1,), 3), ((2,), 4)]
    assert len(stack([1, 2])) == 2


def test_joined_datasets_count_through(lib):
    data = lib.utils.data
    one, two = data.TensorDataset(lib.arange(2)), data.TensorDataset(lib.arange(3))
    joined = one + two

    assert len(joined) == 5
    assert [joined[i][0].item() for i in (0, 1, 2, 4, -1)] == [0, 1, 0, 2, 2]


def test_chained_datasets_follow_one_another(lib):
    chained = counting(lib, 2) + counting(lib, 3)

    assert list(chained) == [0, 1, 0, 1, 2]
    assert len(lib.utils.data.ChainDataset([counting(lib, length=3)])) == 3


def test_subset_has_the_samples_chosen(lib):
    subset = lib.utils.data.Subset("abcd", [3, 1])

    assert list(subset) == ["d", "b"]
    assert subset.__getitems__([1, 0]) == ["b", "d"]


@pytest.mark.parametrize(
    ("lengths", "counts"),
    [([3, 7], [3, 7]), ([0.3, 0.7], [3, 7]), ([0.33, 0.33, 0.34], [4, 3, 3])],
)
def test_random_split_gives_every_sample_to_one_part(lib, lengths, counts):
    parts = lib.utils.data.random_split(range(10), lengths)

    assert [len(part) for part in parts] == counts
    assert sorted(sample for part in parts for sample in part) == list(range(10))


def test_random_split_by_a_generator_is_the_same_each_time(lib):
    splits = [
        lib.utils.data.random_split(range(10), [5, 5], lib.Generator().manual_seed(3))
        for _ in range(2)
    ]

    assert splits[0][0].indices == splits[1][0].indices


def test_empty_part_of_a_split_is_warned_about(lib, warns):
    with warns(UserWarning, "Length of split at index 0 is 0. This might result in an empty"):
        lib.utils.data.random_split(range(1), [0.0, 1.0])


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda t, d: d.TensorDataset(t.ones(2), t.ones(3)),
            AssertionError,
            "Size mismatch between tensors",
        ),
        (lambda t, d: d.StackDataset([1], [1, 2]), ValueError, "Size mismatch between datasets"),
        (lambda t, d: d.StackDataset(), ValueError, "At least one dataset should be passed"),
        (
            lambda t, d: d.StackDataset([1], a=[2]),
            ValueError,
            "Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like input",
        ),
        (
            lambda t, d: d.ConcatDataset([]),
            AssertionError,
            "datasets should not be an empty iterable",
        ),
        (
            lambda t, d: d.ConcatDataset([counting(t)]),
            AssertionError,
            "ConcatDataset does not support IterableDataset",
        ),
        (
            lambda t, d: d.ConcatDataset([[1]])[-2],
            ValueError,
            "absolute value of index should not exceed dataset length",
        ),
        (
            lambda t, d: list(d.ChainDataset([[1]])),
            AssertionError,
            "ChainDataset only supports IterableDataset",
        ),
        (
            lambda t, d: d.random_split(range(10), [3, 3]),
            ValueError,
            "Sum of input lengths does not equal the length of the input dataset!",
        ),
        (
            lambda t, d: d.random_split(range(10), [1.5, -0.5]),
            ValueError,
            "Fraction at index 0 is not between 0 and 1",
        ),
        (
            lambda t, d: d.Dataset()[0],
            NotImplementedError,
            "Subclasses of Dataset should implement __getitem__.",
        ),
    ],
)
def test_impossible_dataset_is_refused(lib, raises, call, error, sentence):
    with raises(error, sentence):
        call(lib, lib.utils.data)


def test_iterable_dataset_is_abstract(lib):
    with pytest.raises(TypeError, match="abstract"):
        lib.utils.data.IterableDataset()
