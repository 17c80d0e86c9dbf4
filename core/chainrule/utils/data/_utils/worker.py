"""Worker processes: what runs in one, and the pool that starts, asks and ends them.

# Note [No shared locks]: every worker has two pipes of its own, one to it and one from it, and no
# queue that it shares with others. A worker that dies in the middle of a word can so leave no lock
# locked, and its end is seen at once: its pipe ends too. Who forks inherits the ends of all pipes,
# and would keep them open; so a worker closes at first whatever is not its own.
"""

from __future__ import annotations

import contextlib
import os
import queue
import random
import signal
import sys
import threading
import time
import traceback
import weakref
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any

from ....random import manual_seed
from .fetch import IterableFetcher, MapFetcher

__all__ = ["ExceptionWrapper", "Pool", "WorkerInfo", "get_worker_info"]

#: How long workers may take to finish what they are doing, and then to obey a signal.
_PATIENCE, _LAST_PATIENCE = 5.0, 1.0


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker is told of itself.

    Attributes:
        id: Its number, from zero.
        num_workers: How many there are.
        seed: What its random numbers were seeded with.
        dataset: Its copy of the dataset.
        rng: None.
        worker_method: ``"multiprocessing"``.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str = "multiprocessing"


_info: list[WorkerInfo] = []


def get_worker_info() -> WorkerInfo | None:
    """Return what this worker process is told of itself; None in the main process.

    >>> get_worker_info() is None
    True
    """
    return _info[-1] if _info else None


class ExceptionWrapper:
    """An exception on its way from a worker: its class and its traceback as text.

    Args:
        error: The exception, just caught.
        where: ``"in DataLoader worker process 0"``.
    """

    def __init__(self, error: BaseException, where: str) -> None:
        self.exc_type: Any = type(error)
        self.exc_msg = "".join(traceback.format_exception(error))
        self.where = where

    def reraise(self) -> None:
        """Raise the exception again, with the traceback of the worker in its message."""
        text = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        if issubclass(self.exc_type, KeyError):
            raise self.exc_type(_Verbatim(text))
        try:
            error = self.exc_type(text)
        except Exception:  # noqa: BLE001 - whatever its constructor does: it wants other arguments
            raise RuntimeError(text) from None
        raise error


class _Verbatim(str):
    """A text that prints as it is, where KeyError would print its repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class EndOfIterable:
    """In place of a batch: the dataset of this worker has ended."""


class Resume:
    """In place of the number of a batch: begin the dataset anew."""


@dataclass
class Task:
    """All that a worker must know."""

    iterable: bool
    dataset: Any
    auto_collation: bool
    collate_fn: Any
    drop_last: bool
    base_seed: int
    init_fn: Any
    worker_id: int
    num_workers: int


# In the worker


def run(task: Task, requests: Any, results: Any) -> None:
    """Fetch what is asked for until told to stop: the main function of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to act on
    _close_all_but(requests, results)
    seed = task.base_seed + task.worker_id
    _seed(seed, task.base_seed, task.worker_id)
    _info.append(WorkerInfo(task.worker_id, task.num_workers, seed, task.dataset))
    asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, asked), daemon=True).start()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody waits any more
        _answer(task, asked, results)


def _answer(task: Task, asked: Any, results: Any) -> None:
    """Answer requests: triples of round, number and index; None ends it."""
    where = f"in DataLoader worker process {task.worker_id}"
    fetcher: Any = None
    failed: ExceptionWrapper | None = None
    try:
        if task.init_fn is not None:
            task.init_fn(task.worker_id)
        fetcher = _fetcher(task)
    except Exception as error:  # noqa: BLE001 - the user's; raised again in the main process
        failed = ExceptionWrapper(error, where)
    ended = False
    while (request := asked.get()) is not None:
        round_, number, index = request
        if isinstance(number, Resume):
            ended = False
            if failed is None:
                fetcher = _fetcher(task)
            continue
        if ended:
            continue
        if failed is not None:
            answer: Any = failed
        else:
            answer, ended = _fetched(task, fetcher, index, where)
        _send(results, (round_, number, answer), where)


def _fetched(task: Task, fetcher: Any, index: Any, where: str) -> tuple[Any, bool]:
    """Return a batch, or what there is in its place, and whether the dataset has ended."""
    try:
        return fetcher.fetch(index), False
    except Exception as error:  # noqa: BLE001 - the user's; raised again in the main process
        if isinstance(error, StopIteration) and task.iterable:
            return EndOfIterable(), True
        return ExceptionWrapper(error, where), False


def _send(results: Any, message: tuple[Any, ...], where: str) -> None:
    """Send an answer; what cannot be pickled becomes the exception that says so."""
    try:
        results.send(message)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:  # noqa: BLE001 - pickling calls the user's code
        results.send((*message[:2], ExceptionWrapper(error, where)))


def _fetcher(task: Task) -> Any:
    kind = IterableFetcher if task.iterable else MapFetcher
    return kind(task.dataset, task.auto_collation, task.collate_fn, task.drop_last)


def _listen(requests: Any, asked: Any) -> None:
    """Take requests off the pipe at once, so that nobody has to wait to ask."""
    try:
        while True:
            message = requests.recv()
            asked.put(message)
            if message is None:
                return
    except (EOFError, OSError):
        os._exit(1)  # the main process is gone, and nobody is left to work for


def _seed(seed: int, base_seed: int, worker_id: int) -> None:
    """Seed all generators of random numbers, as PyTorch does."""
    random.seed(seed)
    manual_seed(seed)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        words = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
        numpy.random.seed(numpy.random.SeedSequence(words).generate_state(4))


#: The ends of pipes that this process keeps, as the main process of workers.
_kept: weakref.WeakSet[Any] = weakref.WeakSet()


def _close_all_but(*own: Any) -> None:
    """Close what was inherited of other workers' pipes. Note [No shared locks]."""
    for end in list(_kept):
        if end not in own and not end.closed:
            end.close()


# In the main process


class Worker:
    """A worker process and the pipes to it and from it."""

    def __init__(self, context: Any, task: Task) -> None:
        self.id = task.worker_id
        requests, self.requests = context.Pipe(duplex=False)
        self.results, results = context.Pipe(duplex=False)
        _kept.update((self.requests, self.results))
        self.process = context.Process(target=run, args=(task, requests, results), daemon=True)
        try:
            self.process.start()
        finally:
            requests.close()
            results.close()


class Pool:
    """The workers of one iteration, or of all with ``persistent_workers``.

    Args:
        context: Of `multiprocessing`.
        tasks: One per worker.
    """

    def __init__(self, context: Any, tasks: list[Task]) -> None:
        self.workers: list[Worker] = []
        self.owner = os.getpid()
        self.is_open = True
        try:
            for task in tasks:
                self.workers.append(Worker(context, task))
        except BaseException:
            self.close()
            raise

    def ask(self, worker_id: int, message: Any) -> None:
        """Send a request.

        Raises:
            RuntimeError: the worker is dead.
        """
        try:
            self.workers[worker_id].requests.send(message)
        except (BrokenPipeError, ConnectionResetError):
            self.fail([self.workers[worker_id]])

    def receive(self, timeout: float | None) -> Any:
        """Return the next answer of any worker; None if there was none in time.

        Raises:
            RuntimeError: a worker is dead.
        """
        by_pipe = {worker.results: worker for worker in self.workers}
        by_sentinel = {worker.process.sentinel: worker for worker in self.workers}
        ready = connection.wait([*by_pipe, *by_sentinel], timeout)
        for pipe in by_pipe.keys() & set(ready):  # the last words of a dead worker count too
            try:
                return pipe.recv()
            except (EOFError, OSError):
                self.fail([by_pipe[pipe]])
        dead = [by_sentinel[item] for item in ready if item in by_sentinel]
        late = [worker for worker in dead if _has_word(worker)]
        if late:
            return late[0].results.recv()
        if dead:
            self.fail(dead)
        return None

    def fail(self, dead: list[Worker]) -> None:
        """End all workers, and raise that some are dead.

        Raises:
            RuntimeError: always.
        """
        for worker in dead:
            worker.process.join(_LAST_PATIENCE)
        pids = ", ".join(str(worker.process.pid) for worker in dead)
        how = "; ".join(f"worker {w.id} {_end_of(w.process.exitcode)}" for w in dead)
        self.close()
        msg = (
            f"DataLoader worker (pid(s) {pids}) exited unexpectedly\n"
            f"DataLoader: expected a batch, but {how}. Run with num_workers=0 to see what happens "
            "in the main process; a SIGKILL mostly means that memory ran out."
        )
        raise RuntimeError(msg)

    def close(self) -> None:
        """End all workers: ask, then wait a little, then insist. A second time does nothing."""
        if not self.is_open or os.getpid() != self.owner:
            return
        self.is_open = False
        for worker in self.workers:
            _tell_to_stop(worker.requests)
            worker.results.close()  # who is sending need not go on
        processes = [worker.process for worker in self.workers]
        _join(processes, _PATIENCE)
        for insist in ("terminate", "kill"):
            alive = [process for process in processes if process.is_alive()]
            for process in alive:
                getattr(process, insist)()
            _join(alive, _LAST_PATIENCE)


def _has_word(worker: Worker) -> bool:
    try:
        return bool(worker.results.poll())
    except (EOFError, OSError):
        return False


def _end_of(code: int | None) -> str:
    """Return in words how a process ended."""
    if code is None:
        return "closed its pipe"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by signal {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _tell_to_stop(requests: Any) -> None:
    """Ask a worker to stop, without waiting for it."""
    with contextlib.suppress(OSError):
        os.set_blocking(requests.fileno(), False)
        requests.send(None)
    with contextlib.suppress(OSError):
        requests.close()


def _join(processes: list[Any], patience: float) -> None:
    """Wait for *processes* to end, all together no longer than *patience* seconds."""
    deadline = time.monotonic() + patience
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
