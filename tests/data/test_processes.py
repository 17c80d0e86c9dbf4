"""How worker processes end: always, soon, and without leaving one behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import chainrule as cr
from chainrule.utils.data import DataLoader
from chainrule.utils.data._utils import worker

#: What every script begins with: samples that tell who made them, and may take their time.
BEGINNING = """
    import os, signal, sys, time
    import chainrule as cr
    from chainrule.utils.data import DataLoader

    class Samples:
        def __init__(self, seconds=0.0):
            self.seconds = seconds
        def __len__(self):
            return 1000
        def __getitem__(self, index):
            time.sleep(self.seconds)
            return os.getpid()

    def first(batch):
        return batch[0]

    # A shell starts what runs in the background with interrupts ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
"""


class Numbers:
    def __len__(self):
        return 100

    def __getitem__(self, index):
        return index


class Large(Numbers):
    """Samples far larger than what a pipe holds."""

    def __getitem__(self, index):
        return cr.full((1 << 18,), float(index))


def script(body):
    return textwrap.dedent(BEGINNING) + textwrap.dedent(body)


def start(body, **settings):
    return subprocess.Popen(
        [sys.executable, "-c", script(body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **settings,
    )


def is_alive(pid):
    """Return whether a process runs; a dead one that nobody has waited for does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123 - a file of the kernel's
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_dead(pids, seconds=60.0):
    deadline = time.monotonic() + seconds
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [pid for pid in pids if is_alive(pid)]


def pids_of(iterator):
    return [process.pid for process in iterator._workers]


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="reads /proc")  # noqa: PTH110 - a file of the kernel's
class TestEnds:
    def test_workers_end_with_the_pass(self):
        iterator = iter(DataLoader(Numbers(), 10, num_workers=2))
        assert len(list(iterator)) == 10

        assert wait_until_dead(pids_of(iterator)) == []

    def test_workers_end_when_a_pass_is_given_up(self, monkeypatch):
        monkeypatch.setattr(worker, "_PATIENCE", 120.0)  # which nobody is to wait out
        loader = DataLoader(Large(), num_workers=2, prefetch_factor=4)
        for _ in loader:
            break
        iterator = iter(loader)
        pids = pids_of(iterator)
        next(iterator)
        began = time.monotonic()
        del iterator
        gc.collect()

        assert wait_until_dead(pids) == []
        assert time.monotonic() - began < 60

    def test_persistent_workers_end_with_their_loader(self):
        loader = DataLoader(Numbers(), 10, num_workers=2, persistent_workers=True)
        list(loader)
        pids = pids_of(loader._iterator)
        assert all(map(is_alive, pids))
        del loader
        gc.collect()

        assert wait_until_dead(pids) == []

    def test_death_of_one_worker_ends_the_others_and_is_explained(self):
        iterator = iter(DataLoader(Numbers(), num_workers=2))
        pids = pids_of(iterator)
        next(iterator)
        os.kill(pids[1], signal.SIGKILL)
        with pytest.raises(RuntimeError) as caught:
            list(iterator)
        first, second = str(caught.value).split("\n")

        assert first == f"DataLoader worker (pid(s) {pids[1]}) exited unexpectedly"
        assert "worker 1 was killed by signal SIGKILL" in second
        assert wait_until_dead(pids) == []
        with pytest.raises(RuntimeError, match="the workers of this iteration have ended"):
            next(iterator)

    def test_persistent_workers_are_started_anew_after_a_death(self):
        loader = DataLoader(Numbers(), 10, num_workers=2, persistent_workers=True)
        list(loader)
        os.kill(pids_of(loader._iterator)[0], signal.SIGKILL)
        with pytest.raises(RuntimeError, match="exited unexpectedly"):
            list(loader)

        assert len(list(loader)) == 10

    def test_worker_killed_in_the_middle_of_a_large_batch_is_told(self):
        iterator = iter(DataLoader(Large(), num_workers=1, prefetch_factor=4))
        (pid,) = pids_of(iterator)
        time.sleep(0.3)  # it has filled its pipe by then, and waits
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(RuntimeError, match="exited unexpectedly"):
            list(iterator)

    def test_large_batches_pass_whole(self):
        loader = DataLoader(Large(), num_workers=2)

        assert [batch[0, -1].item() for batch in loader] == list(range(100))

    def test_lists_of_numbers_longer_than_a_pipe_pass_too(self):
        many = [list(range(100)) * 2000] * 4
        loader = DataLoader(Numbers(), batch_sampler=many, num_workers=1, collate_fn=len)

        assert list(loader) == [200_000] * 4

    def test_sample_that_cannot_be_pickled_is_told(self):
        class Functions(Numbers):
            def __getitem__(self, index):
                return lambda: index

        loader = DataLoader(Functions(), None, num_workers=1)
        with pytest.raises(Exception, match=r"Caught \w+ in DataLoader worker process 0\."):
            list(loader)

    def test_no_worker_is_left_when_the_interpreter_ends(self):
        process = start(
            """
            iterator = iter(DataLoader(Samples(0.01), num_workers=2, collate_fn=first))
            print(next(iterator), next(iterator), flush=True)
            """
        )
        out, err = process.communicate(timeout=30)

        assert (process.returncode, err) == (0, "")
        assert wait_until_dead(map(int, out.split())) == []

    def test_no_worker_is_left_when_the_main_process_is_killed(self):
        process = start(
            """
            iterator = iter(DataLoader(Samples(0.01), num_workers=2, collate_fn=first))
            print(next(iterator), next(iterator), flush=True)
            time.sleep(60)
            """
        )
        pids = list(map(int, process.stdout.readline().split()))
        assert all(map(is_alive, pids))
        process.kill()
        process.communicate(timeout=10)

        assert wait_until_dead(pids) == []

    def test_worker_that_sleeps_is_not_left_when_the_main_process_is_killed(self):
        process = start(
            """
            iterator = iter(DataLoader(Samples(60.0), num_workers=2, collate_fn=first))
            print(*[worker.pid for worker in iterator._workers], flush=True)
            next(iterator)
            """
        )
        pids = list(map(int, process.stdout.readline().split()))
        time.sleep(0.5)
        process.kill()
        process.communicate(timeout=10)

        assert wait_until_dead(pids) == []

    def test_interrupt_is_raised_in_the_main_process_alone(self):
        process = start(
            """
            iterator = iter(DataLoader(Samples(0.01), num_workers=2, collate_fn=first))
            print(next(iterator), next(iterator), flush=True)
            try:
                for _ in iterator:
                    pass
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            """,
            start_new_session=True,
        )
        pids = list(map(int, process.stdout.readline().split()))
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
        out, err = process.communicate(timeout=30)

        assert (process.returncode, out, err) == (0, "interrupted\n", "")
        assert wait_until_dead(pids) == []

    def test_interrupt_that_nobody_catches_ends_the_program_soon(self):
        process = start(
            """
            for _ in DataLoader(Samples(0.2), num_workers=2, collate_fn=first):
                print("a batch", flush=True)
            """,
            start_new_session=True,
        )
        process.stdout.readline()
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)

        assert process.returncode == -signal.SIGINT, err
        assert err.count("Traceback") == 1
        assert err.rstrip().endswith("KeyboardInterrupt")
        assert time.monotonic() - began < 30  # all samples take 100 s


def test_workers_start_while_other_threads_compute():
    """Fork copies locks as they are: none that a worker needs may be held by another thread."""
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            x = cr.randn(8, 8, requires_grad=True)
            (x @ x).sum().backward()
            cr.manual_seed(0)

    threads = [threading.Thread(target=compute, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            batches = [b.tolist() for b in DataLoader(Numbers(), 25, num_workers=2, timeout=20)]
            assert sum(batches, []) == list(range(100))  # noqa: RUF017 - four lists
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def differentiate(batch):
    x = cr.tensor(batch, dtype=cr.float32, requires_grad=True)
    (x @ x).sum().backward()
    return x.grad


def test_workers_compute_gradients():
    batches = list(DataLoader(Numbers(), 50, num_workers=2, collate_fn=differentiate))

    assert batches[1].tolist() == [2.0 * i for i in range(50, 100)]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_may_be_started_in_other_ways(method):
    loader = DataLoader(range(6), 2, num_workers=1, multiprocessing_context=method, collate_fn=sum)

    assert list(loader) == [1, 5, 9]
    assert loader.multiprocessing_context is multiprocessing.get_context(method)


def test_two_passes_at_once_do_not_disturb_one_another():
    loader = DataLoader(Numbers(), 25, num_workers=1)
    pairs = list(zip(loader, loader, strict=True))

    assert [(one.tolist(), other.tolist()) for one, other in pairs] == [
        (list(range(start, start + 25)),) * 2 for start in range(0, 100, 25)
    ]


def test_loader_in_a_worker_is_refused_by_the_system():
    """A worker is a daemon, and may have no children: the error is told, and nothing hangs."""

    class Nested(Numbers):
        def __getitem__(self, index):
            return next(iter(DataLoader(Numbers(), num_workers=1)))

    with pytest.raises(AssertionError, match="daemonic processes"):
        list(DataLoader(Nested(), num_workers=1))
