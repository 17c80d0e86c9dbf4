"""`DataLoader` without workers, and how samples are joined."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pytest


class Pair(NamedTuple):
    a: Any
    b: Any


def lists(batches):
    return [batch.tolist() for batch in batches]


def counting(lib, count=5, length=None):
    """Return an iterable dataset of numbers."""

    class Counting(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(count))

    if length is not None:
        Counting.__len__ = lambda self: length
    return Counting()


def test_batches_come_in_order(lib):
    loader = lib.utils.data.DataLoader(range(5), batch_size=2)

    assert lists(loader) == [[0, 1], [2, 3], [4]]
    assert len(loader) == 3
    assert lists(lib.utils.data.DataLoader(range(5), 2, drop_last=True)) == [[0, 1], [2, 3]]


def test_shuffled_batches_have_every_sample_once(lib):
    loader = lib.utils.data.DataLoader(range(20), batch_size=3, shuffle=True)
    first, second = (list(chain(*lists(loader))) for _ in range(2))

    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second


def test_samples_come_one_by_one_without_a_batch_size(lib):
    assert list(lib.utils.data.DataLoader(["a", 1], batch_size=None)) == ["a", 1]


def test_samplers_of_ones_own_are_used(lib):
    loader = lib.utils.data.DataLoader
    assert lists(loader(range(5), 2, sampler=[4, 0, 1])) == [[4, 0], [1]]
    assert lists(loader(range(5), batch_sampler=[[4, 0], [1]])) == [[4, 0], [1]]


def test_dataset_that_gives_whole_batches_is_asked_for_them(lib):
    class Batches(lib.utils.data.Dataset):
        def __len__(self):
            return 4

        def __getitems__(self, indices):
            return [10 * index for index in indices]

    assert lists(lib.utils.data.DataLoader(Batches(), 3)) == [[0, 10, 20], [30]]


def test_function_of_ones_own_joins(lib):
    assert list(lib.utils.data.DataLoader(range(3), 2, collate_fn=sum)) == [1, 2]


def test_iterable_dataset_is_cut_into_batches(lib):
    loader = lib.utils.data.DataLoader
    assert lists(loader(counting(lib), 2)) == [[0, 1], [2, 3], [4]]
    assert lists(loader(counting(lib), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert list(loader(counting(lib), None)) == [0, 1, 2, 3, 4]
    assert len(loader(counting(lib, length=5), 2)) == 3


def test_wrong_length_of_an_iterable_dataset_is_warned_about(lib, warns):
    loader = lib.utils.data.DataLoader(counting(lib, 3, length=2))
    assert len(loader) == 2
    with warns(UserWarning, "Length of IterableDataset "):
        list(loader)


def test_pinned_memory_is_warned_about_when_the_pass_begins(lib, warns):
    loader = lib.utils.data.DataLoader(range(2), pin_memory=True)
    with warns(
        UserWarning, "'pin_memory' argument is set as true but no accelerator is found, the"
    ):
        list(loader)


@pytest.mark.parametrize(
    ("settings", "error", "sentence"),
    [
        ({"batch_size": 0}, ValueError, "batch_size should be a positive integer value, but got b"),
        ({"num_workers": -1}, ValueError, "num_workers option should be non-negative; use num_wor"),
        ({"timeout": -1}, ValueError, "timeout option should be non-negative"),
        (
            {"shuffle": True, "sampler": [1]},
            ValueError,
            "sampler option is mutually exclusive with shuffle",
        ),
        (
            {"batch_sampler": [[1]], "batch_size": 2},
            ValueError,
            "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and dro",
        ),
        (
            {"batch_size": None, "drop_last": True},
            ValueError,
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_las",
        ),
        (
            {"prefetch_factor": 2},
            ValueError,
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0",
        ),
        (
            {"num_workers": 1, "prefetch_factor": -1},
            ValueError,
            "prefetch_factor option should be non-negative",
        ),
        (
            {"persistent_workers": True},
            ValueError,
            "persistent_workers option needs num_workers > 0",
        ),
        (
            {"multiprocessing_context": "fork"},
            ValueError,
            "multiprocessing_context can only be used with multi-process loading (num_workers > 0)",
        ),
        (
            {"num_workers": 1, "multiprocessing_context": "foo"},
            ValueError,
            "multiprocessing_context option should specify a valid start method in ['fork', 'spawn",
        ),
        (
            {"num_workers": 1, "multiprocessing_context": 5},
            TypeError,
            "multiprocessing_context option should be a valid context object or a string specifyin",
        ),
    ],
)
def test_impossible_settings_are_refused(lib, raises, settings, error, sentence):
    with raises(error, sentence):
        lib.utils.data.DataLoader(range(10), **settings)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"shuffle": True}, "shuffle"),
        ({"sampler": [1]}, "sampler"),
        ({"batch_sampler": [[1]]}, "batch_sampler"),
    ],
)
def test_order_of_an_iterable_dataset_cannot_be_set(lib, raises, settings, name):
    with raises(ValueError, f"DataLoader with IterableDataset: expected unspecified {name} option"):
        lib.utils.data.DataLoader(counting(lib), **settings)


def test_what_batches_depend_on_is_fixed(lib, raises):
    loader = lib.utils.data.DataLoader(range(3))
    for name in ("batch_size", "sampler", "drop_last", "dataset"):
        with raises(ValueError, f"{name} attribute should not be set after DataLoader is initial"):
            setattr(loader, name, None)
    loader.note = "anything else"

    assert loader.note == "anything else"


def test_too_many_workers_are_warned_about(lib, warns):
    with warns(UserWarning, "This DataLoader will create 1000 worker processes in total. Our"):
        lib.utils.data.DataLoader(range(3), num_workers=1000)


# Joining


@pytest.mark.parametrize(
    ("batch", "dtype"),
    [
        ([1, 2], "int64"),
        ([1.0, 2.0], "float64"),
        ([True, False], "bool"),
        ([np.float32(1), np.float32(2)], "float32"),
        ([np.array(1), np.array(2)], "int64"),
        ([np.ones(2), np.ones(2)], "float64"),
    ],
)
def test_numbers_are_joined_as_a_tensor(lib, batch, dtype):
    joined = lib.utils.data.default_collate(batch)

    assert joined.dtype is getattr(lib, dtype)
    assert joined.tolist() == np.stack(batch).tolist()


def test_containers_are_joined_part_by_part(lib):
    collate = lib.utils.data.default_collate
    named = collate([Pair(1, "x"), Pair(2, "y")])
    ordered = collate([OrderedDict(a=1), OrderedDict(a=2)])

    assert collate([{"a": 1}, {"a": 2}])["a"].tolist() == [1, 2]
    assert type(ordered) is OrderedDict
    assert type(named) is Pair
    assert named.a.tolist() == [1, 2]
    assert named.b == ("x", "y")
    assert lists(collate([(1, 2), (3, 4)])) == [[1, 3], [2, 4]]
    assert lists(collate([[1, 2], [3, 4]])) == [[1, 3], [2, 4]]
    assert collate(["a", "b"]) == ["a", "b"]
    assert collate([b"a", b"b"]) == [b"a", b"b"]
    assert lists(collate([range(2), range(2)])) == [[0, 0], [1, 1]]


def test_dict_with_a_default_keeps_it(lib):
    first = defaultdict(list, a=1)
    joined = lib.utils.data.default_collate([first, defaultdict(list, a=2)])

    assert joined["missing"] == []
    assert first == {"a": 1}


def test_tensors_are_stacked_with_their_gradients(lib):
    x = lib.ones(2, requires_grad=True)
    lib.utils.data.default_collate([x, x * 3]).sum().backward()

    assert x.grad.tolist() == [4.0, 4.0]


@pytest.mark.parametrize(
    ("batch", "error", "sentence"),
    [
        (
            [None],
            TypeError,
            "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; f",
        ),
        (
            [np.array(["a"])],
            TypeError,
            "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; f",
        ),
        ([[1], [1, 2]], RuntimeError, "each element in list of batch should be of equal size"),
        ([{"a": 1}, {"b": 1}], KeyError, "'a'"),
    ],
)
def test_what_cannot_be_joined_is_refused(lib, raises, batch, error, sentence):
    with raises(error, sentence):
        lib.utils.data.default_collate(batch)


def test_joining_by_type_can_be_extended(lib):
    from_module = lib.utils.data._utils.collate

    def total(batch, *, collate_fn_map):
        return sum(batch)

    def joined(batch, *, collate_fn_map):
        return "".join(batch)

    functions = {int: total, (str, bytes): joined}

    assert from_module.collate([(1, "a"), (2, "b")], collate_fn_map=functions) == [3, "ab"]


def test_arrays_are_converted_inside_of_containers(lib):
    convert = lib.utils.data.default_convert
    found = convert({"a": np.ones(1), "b": [np.ones(1), "x"], "c": (np.ones(1), 5)})

    assert found["a"].dtype is lib.float64
    assert lib.is_tensor(found["b"][0])
    assert found["b"][1] == "x"
    assert isinstance(found["c"], list)
    assert convert("text") == "text"
    assert type(convert(Pair(np.ones(1), 2))) is Pair
