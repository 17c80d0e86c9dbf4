"""Samplers: in which order samples are taken."""

from __future__ import annotations

import pytest

import chainrule as cr


def test_sequential_sampler_goes_in_order(lib):
    assert list(lib.utils.data.SequentialSampler("abc")) == [0, 1, 2]


def test_random_sampler_takes_each_sample_once(lib):
    sampler = lib.utils.data.RandomSampler(range(20))
    first, second = list(sampler), list(sampler)

    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    assert len(sampler) == 20


@pytest.mark.parametrize("count", [3, 10, 25, 40])
def test_random_sampler_draws_as_many_as_asked(lib, count):
    for replacement in (False, True):
        sampler = lib.utils.data.RandomSampler(range(10), replacement, count)

        assert len(list(sampler)) == count
        assert set(sampler) <= set(range(10))


def test_same_generator_gives_the_same_order(lib):
    orders = [
        list(lib.utils.data.RandomSampler(range(9), generator=lib.Generator().manual_seed(7)))
        for _ in range(2)
    ]

    assert orders[0] == orders[1]


def test_subset_sampler_takes_its_numbers(lib):
    assert sorted(lib.utils.data.SubsetRandomSampler([5, 3, 8])) == [3, 5, 8]


def test_weighted_sampler_takes_what_has_weight(lib):
    sampler = lib.utils.data.WeightedRandomSampler([0.0, 1.0, 0.0, 3.0], 50)

    assert set(sampler) == {1, 3}
    assert len(sampler) == 50


def test_batch_sampler_gathers_lists(lib):
    batches = lib.utils.data.BatchSampler(range(7), 3, drop_last=False)
    whole = lib.utils.data.BatchSampler(range(7), 3, drop_last=True)

    assert list(batches) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(whole) == [[0, 1, 2], [3, 4, 5]]
    assert (len(batches), len(whole)) == (3, 2)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
def test_distributed_samplers_share_the_samples(lib, shuffle, drop_last):
    make = lib.utils.data.DistributedSampler
    shares = [list(make(range(11), 3, rank, shuffle, 1, drop_last)) for rank in range(3)]
    taken = sorted(sample for share in shares for sample in share)

    assert {len(share) for share in shares} == {3 if drop_last else 4}
    assert len(set(taken)) == (9 if drop_last else 11)


def test_distributed_sampler_draws_another_order_each_epoch(lib):
    sampler = lib.utils.data.DistributedSampler(range(20), 2, 0)
    first = list(sampler)
    sampler.set_epoch(1)

    assert list(sampler) != first


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda d: d.RandomSampler([1], replacement=5),
            TypeError,
            "replacement should be a boolean value, but got replacement=5",
        ),
        (
            lambda d: d.RandomSampler([1], num_samples=-1),
            ValueError,
            "num_samples should be a positive integer value, but got num_samples=-1",
        ),
        (
            lambda d: d.RandomSampler([]),
            ValueError,
            "num_samples should be a positive integer value, but got num_samples=0",
        ),
        (
            lambda d: d.WeightedRandomSampler([1, 2], True),
            ValueError,
            "num_samples should be a positive integer value, but got num_samples=True",
        ),
        (
            lambda d: d.WeightedRandomSampler([[1, 2]], 1),
            ValueError,
            "weights should be a 1d sequence but given weights have shape (1, 2)",
        ),
        (
            lambda d: d.WeightedRandomSampler([1, 2], 1, replacement=2),
            ValueError,
            "replacement should be a boolean value, but got replacement=2",
        ),
        (
            lambda d: d.BatchSampler([1], 0, True),
            ValueError,
            "batch_size should be a positive integer value, but got batch_size=0",
        ),
        (
            lambda d: d.BatchSampler([1], 1, 2),
            ValueError,
            "drop_last should be a boolean value, but got drop_last=2",
        ),
        (
            lambda d: d.DistributedSampler([1]),
            ValueError,
            "Default process group has not been initialized, please make sure to call init_process",
        ),
        (
            lambda d: d.DistributedSampler([1], 3, 3),
            ValueError,
            "Invalid rank 3, rank should be in the interval [0, 2]",
        ),
    ],
)
def test_impossible_sampler_is_refused(lib, raises, call, error, sentence):
    with raises(error, sentence):
        call(lib.utils.data)


@pytest.mark.parametrize("device", ["cpu", "sim"])
def test_order_is_drawn_on_the_host_whatever_the_default_device(device):
    expected = list(orders())
    cr.set_default_device(device)
    try:
        assert list(orders()) == expected
    finally:
        cr.set_default_device(None)


def orders():
    cr.manual_seed(3)
    data = cr.utils.data
    yield list(data.RandomSampler(range(9)))
    yield list(data.WeightedRandomSampler([0.1, 0.2, 0.7], 5))
    yield list(data.random_split(range(6), [2, 4])[0])


def test_order_is_drawn_where_a_given_generator_draws():
    generator = cr.Generator("sim:0").manual_seed(1)

    assert sorted(cr.utils.data.RandomSampler(range(9), generator=generator)) == list(range(9))
