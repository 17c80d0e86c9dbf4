"""`DataLoader`: batches of a dataset, fetched here or by worker processes."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from ..._warn import warn
from ._utils.collate import default_collate, default_convert
from ._utils.fetch import IterableFetcher, MapFetcher
from ._utils.worker import EndOfIterable, ExceptionWrapper, Pool, Resume, Task, get_worker_info
from .dataset import IterableDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler, drawn_seed

__all__ = ["DataLoader", "_DatasetKind", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)

_FIXED = frozenset(
    {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}
)


class _DatasetKind:
    """Whether samples come by number or one after the other."""

    Map = 0
    Iterable = 1


class _InfiniteConstantSampler:
    """Stands for the sampler of an iterable dataset: numbers are counted, not read."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class DataLoader(Generic[T_co]):
    """Batches of the samples of a dataset.

    Args:
        dataset: Samples by number, or an `IterableDataset`.
        batch_size: How many samples a batch has; None for samples one by one.
        shuffle: Take the samples in a new random order each time.
        sampler: In which order to take them.
        batch_sampler: Which samples each batch has.
        num_workers: How many processes fetch ahead; 0 to fetch here.
        collate_fn: Joins a list of samples into a batch; `default_collate` by default.
        pin_memory: Taken for PyTorch's sake: what is copied to a device goes through pinned memory
            in any case.
        drop_last: Leave out the last batch if it is smaller.
        timeout: How many seconds to wait for a worker; 0 for any time.
        worker_init_fn: Called with the number of each worker in it, before it fetches.
        multiprocessing_context: How processes are started: a name, or a context.
        generator: Where the order and the workers' seeds come from.
        prefetch_factor: How many batches each worker fetches ahead; 2 by default.
        persistent_workers: Keep the workers from one iteration to the next.
        pin_memory_device: Taken for PyTorch's sake.
        in_order: Give the batches in the order of the samples, rather than as they are ready.

    Raises:
        ValueError: a setting is impossible, or two exclude one another.
        TypeError: *multiprocessing_context* is none.

    Iterating raises:
        RuntimeError: a worker died, or did not answer in time.
        Exception: what a worker raised, of its class, with its traceback in the message.

    >>> list(DataLoader(range(5), batch_size=2))
    [tensor([0, 1]), tensor([2, 3]), tensor([4])]
    """

    dataset: Any
    batch_size: int | None
    num_workers: int
    sampler: Any
    batch_sampler: Any
    _iterator: Any = None
    __initialized = False
    __multiprocessing_context: Any = None

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[..., Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        prefetch_factor = _checked(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset, self.num_workers, self.prefetch_factor = dataset, num_workers, prefetch_factor
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.timeout, self.worker_init_fn = timeout, worker_init_fn
        self.multiprocessing_context, self.in_order = multiprocessing_context, in_order
        self._dataset_kind = _DatasetKind.Map
        if isinstance(dataset, IterableDataset):
            self._dataset_kind = _DatasetKind.Iterable
            _expect_unspecified(shuffle, sampler, batch_sampler)
            sampler = _InfiniteConstantSampler() if batch_sampler is None else sampler
            shuffle = None
        if sampler is not None and shuffle:
            msg = "sampler option is mutually exclusive with shuffle"
            raise ValueError(msg)
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                msg = (
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                    "and drop_last"
                )
                raise ValueError(msg)
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            msg = (
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
            raise ValueError(msg)
        if sampler is None:
            random = RandomSampler(dataset, generator=generator) if shuffle else None
            sampler = random or SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.drop_last = batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        joined = default_collate if self._auto_collation else default_convert
        self.collate_fn = joined if collate_fn is None else collate_fn
        self.persistent_workers = persistent_workers
        self.__initialized = True
        self._IterableDataset_len_called: int | None = None
        self.check_worker_number_rationality()

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__initialized and name in _FIXED:
            msg = f"{name} attribute should not be set after {type(self).__name__} is initialized"
            raise ValueError(msg)
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> Any:
        """How processes are started: a context of `multiprocessing`, or None for the usual one."""
        return self.__multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            context = _context_of(context, self.num_workers)
        self.__multiprocessing_context = context

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __iter__(self) -> Any:
        if not (self.persistent_workers and self.num_workers > 0):
            return self._get_iterator()
        if self._iterator is None or not self._iterator.is_usable:
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator

    def _get_iterator(self) -> Any:
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        self.check_worker_number_rationality()
        return _MultiProcessingDataLoaderIter(self)

    def __len__(self) -> int:
        if self._dataset_kind != _DatasetKind.Iterable:
            return len(self._index_sampler)
        count = self._IterableDataset_len_called = len(self.dataset)
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn if there are more workers than processors."""
        if not self.num_workers:
            return
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        suggested = allowed or os.cpu_count()
        if suggested is not None and self.num_workers > suggested:
            warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our "
                f"suggested max number of worker in current system is {suggested}, which is "
                "smaller than what this DataLoader is going to create. Please be aware that "
                "excessive worker creation might get DataLoader running slow or even freeze, "
                "lower the worker number to avoid potential slowness/freeze if necessary.",
                stacklevel=3,
            )


def _checked(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent: bool
) -> int | None:
    """Return the prefetch factor after checking what is about workers."""
    if num_workers < 0:
        msg = (
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
        raise ValueError(msg)
    if timeout < 0:
        msg = "timeout option should be non-negative"
        raise ValueError(msg)
    if num_workers == 0 and prefetch_factor is not None:
        msg = (
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 "
            "to enable multiprocessing, otherwise set prefetch_factor to None."
        )
        raise ValueError(msg)
    if num_workers > 0 and prefetch_factor is None:
        prefetch_factor = 2
    elif prefetch_factor is not None and prefetch_factor < 0:
        msg = "prefetch_factor option should be non-negative"
        raise ValueError(msg)
    if persistent and num_workers == 0:
        msg = "persistent_workers option needs num_workers > 0"
        raise ValueError(msg)
    return prefetch_factor


def _expect_unspecified(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    """Check that nothing is said of the order of an iterable dataset.

    Raises:
        ValueError: something is.
    """
    for name, value in (("shuffle", shuffle or None), ("sampler", sampler)):
        if value is not None:
            msg = (
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                f"{name}={value}"
            )
            raise ValueError(msg)
    if batch_sampler is not None:
        msg = (
            "DataLoader with IterableDataset: expected unspecified batch_sampler option, but got "
            f"batch_sampler={batch_sampler}"
        )
        raise ValueError(msg)


def _context_of(context: Any, num_workers: int) -> Any:
    """Return a context of `multiprocessing`, which may be given by name."""
    if num_workers == 0:
        msg = (
            "multiprocessing_context can only be used with multi-process loading "
            f"(num_workers > 0), but got num_workers={num_workers}"
        )
        raise ValueError(msg)
    if isinstance(context, str):
        valid = multiprocessing.get_all_start_methods()
        if context not in valid:
            msg = (
                "multiprocessing_context option should specify a valid start method in "
                f"{valid!r}, but got multiprocessing_context={context!r}"
            )
            raise ValueError(msg)
        return multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        msg = (
            "multiprocessing_context option should be a valid context object or a string "
            f"specifying the start method, but got multiprocessing_context={context}"
        )
        raise TypeError(msg)
    return context


def _has_accelerator() -> bool:
    from ... import accelerator  # seldom needed

    return accelerator.is_available()


class _BaseDataLoaderIter:
    """One pass over the batches."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader
        self._dataset, self._dataset_kind = loader.dataset, loader._dataset_kind
        self._auto_collation = loader._auto_collation
        self._timeout, self._collate_fn = loader.timeout, loader.collate_fn
        if loader.pin_memory and not _has_accelerator():
            warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device "
                "pinned memory won't be used.",
                stacklevel=4,
            )
        self._begin(loader)

    def _begin(self, loader: DataLoader[Any]) -> None:
        self._sampler_iter = iter(loader._index_sampler)
        self._base_seed = drawn_seed(loader.generator)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called

    def __iter__(self) -> Any:
        return self

    def _next_index(self) -> Any:
        return next(self._sampler_iter)

    def _next_data(self) -> Any:
        raise NotImplementedError

    def __next__(self) -> Any:
        data = self._next_data()
        self._num_yielded += 1
        promised = self._IterableDataset_len_called
        if (
            self._dataset_kind == _DatasetKind.Iterable
            and promised is not None
            and self._num_yielded > promised
        ):
            self._warn_of_length(promised)
        return data

    def _warn_of_length(self, promised: int) -> None:
        text = (
            f"Length of IterableDataset {self._dataset} was reported to be {promised} (when "
            f"accessing len(dataloader)), but {self._num_yielded} samples have been fetched. "
        )
        if self._loader.num_workers > 0:
            text += (
                "For multiprocessing data-loading, this could be caused by not properly "
                "configuring the IterableDataset replica at each worker. Please see "
                "https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset for "
                "examples."
            )
        warn(text, stacklevel=3)

    def __len__(self) -> int:
        return len(self._loader._index_sampler)

    def __getstate__(self) -> Any:
        msg = "{} cannot be pickled"
        raise NotImplementedError(msg, type(self).__name__)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """A pass whose batches are fetched when they are asked for."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        is_iterable = self._dataset_kind == _DatasetKind.Iterable
        kind = IterableFetcher if is_iterable else MapFetcher
        self._dataset_fetcher = kind(
            loader.dataset, self._auto_collation, self._collate_fn, loader.drop_last
        )

    def _next_data(self) -> Any:
        return self._dataset_fetcher.fetch(self._next_index())


class _Pending(NamedTuple):
    """A batch that a worker was asked for, and what it answered."""

    worker_id: int
    answer: Any


_NOT_YET: Any = object()


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """A pass whose batches are fetched ahead by workers, and put in order here."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._num_workers: int = loader.num_workers
        self._ahead = self._num_workers * int(loader.prefetch_factor or 1)
        self._in_order, self._persistent = loader.in_order, loader.persistent_workers
        context = loader.multiprocessing_context or multiprocessing.get_context()
        self._pool = Pool(context, [self._task(loader, i) for i in range(self._num_workers)])
        self._finalizer = weakref.finalize(self, Pool.close, self._pool)
        self._round = 0
        self._start()

    def _task(self, loader: DataLoader[Any], worker_id: int) -> Task:
        return Task(
            iterable=self._dataset_kind == _DatasetKind.Iterable,
            dataset=loader.dataset,
            auto_collation=self._auto_collation,
            collate_fn=self._collate_fn,
            drop_last=loader.drop_last,
            base_seed=self._base_seed,
            init_fn=loader.worker_init_fn,
            worker_id=worker_id,
            num_workers=self._num_workers,
        )

    @property
    def is_usable(self) -> bool:
        """Whether its workers are there for another pass."""
        return self._pool.is_open

    @property
    def _workers(self) -> list[Any]:
        return [worker.process for worker in self._pool.workers]

    def _reset(self, loader: DataLoader[Any]) -> None:
        """Begin another pass with the same workers."""
        self._begin(loader)
        self._round += 1
        for worker_id in range(self._num_workers):
            self._pool.ask(worker_id, (self._round, Resume(), None))
        self._start()

    def _start(self) -> None:
        self._asked = self._given = 0  # how many batches were asked for, and which is next
        self._pending: dict[int, _Pending] = {}
        self._active = [True] * self._num_workers
        self._turn = 0
        for _ in range(self._ahead):
            self._ask_for_next()

    def _ask_for_next(self) -> None:
        """Ask the worker whose turn it is for one more batch, if there are any."""
        worker_id = self._whose_turn()
        if worker_id is None:
            return
        try:
            index = self._next_index()
        except StopIteration:
            return
        self._pending[self._asked] = _Pending(worker_id, _NOT_YET)
        self._pool.ask(worker_id, (self._round, self._asked, index))
        self._asked += 1

    def _whose_turn(self) -> int | None:
        """Return the next active worker in turn; the least busy one where order is free."""
        if not any(self._active):
            return None
        if not self._in_order:
            busy = [pending.worker_id for pending in self._pending.values()]
            return min((i for i, active in enumerate(self._active) if active), key=busy.count)
        while not self._active[self._turn]:
            self._turn = (self._turn + 1) % self._num_workers
        chosen, self._turn = self._turn, (self._turn + 1) % self._num_workers
        return chosen

    def _next_data(self) -> Any:
        while True:
            self._skip_what_will_not_come()
            if not self._pending:
                if not self._persistent:
                    self._shutdown_workers()
                raise StopIteration
            first = self._pending.get(self._given)
            if first is not None and first.answer is not _NOT_YET:
                return self._take(self._given, first.answer)
            number, answer = self._receive()
            worker_id = self._pending[number].worker_id
            if isinstance(answer, EndOfIterable):
                self._active[worker_id] = False
                del self._pending[number]
                self._ask_for_next()
            elif number == self._given or not self._in_order:
                return self._take(number, answer)
            else:
                self._pending[number] = _Pending(worker_id, answer)

    def _skip_what_will_not_come(self) -> None:
        """Go on to the next batch that there is, or that an active worker was asked for."""
        for number in sorted(self._pending):
            pending = self._pending[number]
            if self._active[pending.worker_id] or pending.answer is not _NOT_YET:
                break
            del self._pending[number]
        self._given = min(self._pending, default=self._asked)

    def _take(self, number: int, answer: Any) -> Any:
        """Return a batch, after asking for another in its place."""
        del self._pending[number]
        self._ask_for_next()
        if isinstance(answer, ExceptionWrapper):
            answer.reraise()
        return answer

    def _receive(self) -> tuple[int, Any]:
        """Return the number of a batch and the batch, as soon as one is there."""
        if not self._pool.is_open:
            msg = "DataLoader: the workers of this iteration have ended. Begin another one."
            raise RuntimeError(msg)
        while True:
            message = self._pool.receive(self._timeout or None)
            if message is None:
                self._shutdown_workers()
                msg = f"DataLoader timed out after {self._timeout} seconds"
                raise RuntimeError(msg)
            round_, number, answer = message
            if round_ == self._round and number in self._pending:  # not of a pass given up
                return number, answer

    def _shutdown_workers(self) -> None:
        self._pool.close()
