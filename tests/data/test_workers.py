"""`DataLoader` with worker processes: order, seeds, exceptions, ends."""

from __future__ import annotations

import os
import random
import signal
import time

import numpy as np
import pytest


def lists(batches):
    return [batch.tolist() for batch in batches]


class Numbers:
    """Samples that are numbers."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return index


class Slow(Numbers):
    """Samples of which the first take longest."""

    def __getitem__(self, index):
        time.sleep(0.02 * max(0, 4 - index))
        return index


class Failing(Numbers):
    """Samples of which one raises."""

    def __init__(self, count, error):
        super().__init__(count)
        self.error = error

    def __getitem__(self, index):
        if index == 1:
            raise self.error
        return index


class Dying(Numbers):
    """Samples of which one ends the process."""

    def __init__(self, count, how):
        super().__init__(count)
        self.how = how

    def __getitem__(self, index):
        if index == 1:
            if self.how == "exit":
                os._exit(3)
            os.kill(os.getpid(), signal.SIGKILL)
        return index


class Endless(Numbers):
    """Samples that never come."""

    def __getitem__(self, index):
        time.sleep(60)


class TwoArguments(Exception):  # noqa: N818 - its constructor is what matters
    def __init__(self, one, two):
        super().__init__(one, two)


class Unpicklable(Numbers):
    """Samples that cannot leave the process."""

    def __getitem__(self, index):
        return lambda: index


def identity(batch):
    return batch


def counting(lib, count=5):
    """Return an iterable dataset of numbers."""

    class Counting(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(count))

    return Counting()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_give_the_batches_of_a_loader_without(lib, workers):
    loader = lib.utils.data.DataLoader(Numbers(11), 3, num_workers=min(workers, 2))

    assert lists(loader) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]
    assert lists(loader) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]


def test_order_is_kept_where_the_first_are_slow(lib):
    loader = lib.utils.data.DataLoader(Slow(8), num_workers=2)

    assert lists(loader) == [[i] for i in range(8)]


def test_batches_may_come_as_they_are_ready(lib):
    loader = lib.utils.data.DataLoader(Slow(8), num_workers=2, in_order=False)

    assert sorted(lists(loader)) == [[i] for i in range(8)]


def test_shuffled_order_is_that_of_a_loader_without_workers(lib):
    found = []
    for workers in (0, 2):
        lib.manual_seed(0)
        found.append(lists(lib.utils.data.DataLoader(Numbers(9), 2, True, num_workers=workers)))

    assert found[0] == found[1]


def test_each_worker_iterates_over_a_copy_of_an_iterable_dataset(lib):
    loader = lib.utils.data.DataLoader(counting(lib), 2, num_workers=2)

    assert lists(loader) == [[0, 1], [0, 1], [2, 3], [2, 3], [4], [4]]


class Facts(Numbers):
    """Samples that tell about the worker."""

    def __init__(self, count, lib):
        super().__init__(count)
        self.lib = lib

    def __getitem__(self, index):
        info = self.lib.utils.data.get_worker_info()
        drawn = (self.lib.rand(1).item(), random.random(), float(np.random.rand()))  # noqa: NPY002, S311 - what users call
        return info.id, info.num_workers, info.seed, self.lib.initial_seed(), drawn


def test_workers_know_themselves_and_have_seeds_of_their_own(lib):
    lib.manual_seed(0)
    loader = lib.utils.data.DataLoader(
        Facts(4, lib), batch_size=None, num_workers=2, collate_fn=identity
    )
    found = list(loader)

    assert [fact[:2] for fact in found] == [(0, 2), (1, 2), (0, 2), (1, 2)]
    assert found[0][2] == found[0][3] == found[1][2] - 1
    assert len({fact[4] for fact in found}) == 4
    assert lib.utils.data.get_worker_info() is None


def test_same_seed_gives_the_same_random_samples(lib):
    found = []
    for _ in range(2):
        lib.manual_seed(5)
        loader = lib.utils.data.DataLoader(
            Facts(4, lib), batch_size=None, num_workers=2, collate_fn=identity
        )
        found.append(list(loader))

    assert found[0] == found[1]


def started(worker_id):
    random.seed(100 + worker_id)


def drawn(batch):
    return random.randrange(10**9)  # noqa: S311 - a sample


def test_function_is_called_in_each_worker_first(lib):
    loader = lib.utils.data.DataLoader(
        Numbers(2), num_workers=2, worker_init_fn=started, collate_fn=drawn
    )
    expected = [random.Random(100 + worker).randrange(10**9) for worker in range(2)]  # noqa: S311 - a sample

    assert list(loader) == expected


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyError("gone"), IndexError("out")])
def test_exception_of_a_worker_is_raised_again_with_its_traceback(lib, error):
    loader = lib.utils.data.DataLoader(Failing(3, error), num_workers=1)
    with pytest.raises(type(error)) as caught:
        list(loader)
    lines = str(caught.value).split("\n")

    assert lines[0] == f"Caught {type(error).__name__} in DataLoader worker process 0."
    assert lines[1].startswith("Original Traceback (most recent call last):")
    assert "raise self.error" in str(caught.value)


def test_exception_with_arguments_of_its_own_becomes_a_runtime_error(lib):
    loader = lib.utils.data.DataLoader(Failing(3, TwoArguments(1, 2)), num_workers=1)
    with pytest.raises(RuntimeError, match=r"Caught TwoArguments in DataLoader worker process 0\."):
        list(loader)


def test_pass_goes_on_after_an_exception(lib):
    batches = iter(lib.utils.data.DataLoader(Failing(4, ValueError("wrong")), num_workers=2))
    assert next(batches).tolist() == [0]
    with pytest.raises(ValueError, match=r"Caught ValueError in DataLoader worker process 1\."):
        next(batches)

    assert lists(batches) == [[2], [3]]


def refuse(worker_id):
    msg = "not today"
    raise OSError(msg)


def test_exception_before_the_first_batch_is_raised_again(lib):
    loader = lib.utils.data.DataLoader(Numbers(3), num_workers=1, worker_init_fn=refuse)
    with pytest.raises(OSError, match=r"Caught OSError in DataLoader worker process 0\."):
        list(loader)


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_death_of_a_worker_is_told(lib, how):
    loader = lib.utils.data.DataLoader(Dying(8, how), num_workers=2)
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpecte"):
        list(loader)


def test_worker_that_takes_too_long_is_told(lib):
    batches = iter(lib.utils.data.DataLoader(Endless(2), num_workers=1, timeout=0.2))
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0\.2 seconds"):
        next(batches)


def test_persistent_workers_are_the_same_in_every_pass(lib):
    loader = lib.utils.data.DataLoader(
        Numbers(4), num_workers=2, collate_fn=whose, persistent_workers=True
    )
    first, second = set(loader), set(loader)

    assert first == second
    assert len(first) == 2


def whose(batch):
    return os.getpid()


def test_persistent_workers_begin_an_iterable_dataset_anew(lib):
    loader = lib.utils.data.DataLoader(
        counting(lib, 3), None, num_workers=1, persistent_workers=True
    )

    assert list(loader) == [0, 1, 2]
    assert list(loader) == [0, 1, 2]


def test_pass_given_up_leaves_nothing_to_the_next_one(lib):
    loader = lib.utils.data.DataLoader(Numbers(20), num_workers=2, persistent_workers=True)
    for _ in range(3):
        assert next(iter(loader)).tolist() == [0]

    assert lists(loader) == [[i] for i in range(20)]
