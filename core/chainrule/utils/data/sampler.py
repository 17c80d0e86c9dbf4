"""Samplers: in which order the samples of a dataset are taken."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

from ... import ops
from ...dtypes import float64, int64
from ...random import Generator
from ...tensor import Tensor, as_tensor

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """The numbers of samples, in the order in which to take them. Derive, and write ``__iter__``.

    Write ``__len__`` too, where it is known.

    >>> class Backwards(Sampler):
    ...     def __init__(self, data):
    ...         self.data = data
    ...
    ...     def __iter__(self):
    ...         return iter(range(len(self.data) - 1, -1, -1))
    >>> list(Backwards("abc"))
    [2, 1, 0]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """All samples in order.

    Args:
        data_source: The dataset.
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Samples drawn at random.

    Args:
        data_source: The dataset.
        replacement: A sample may be drawn again before all were.
        num_samples: How many to draw; as many as there are by default.
        generator: Where the numbers come from; by default a new one for each pass, seeded by the
            default generator.

    Raises:
        TypeError: *replacement* is no bool.
        ValueError: *num_samples* is no positive integer.
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ) -> None:
        self.data_source, self.replacement = data_source, replacement
        self._num_samples, self.generator = num_samples, generator
        if not isinstance(replacement, bool):
            msg = f"replacement should be a boolean value, but got replacement={replacement}"
            raise TypeError(msg)
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            msg = (
                "num_samples should be a positive integer value, but got "
                f"num_samples={self.num_samples}"
            )
            raise ValueError(msg)

    @property
    def num_samples(self) -> int:
        """How many samples a pass draws."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        total, count = len(self.data_source), self.num_samples
        generator = self.generator
        if generator is None:
            generator = Generator()
            generator.manual_seed(drawn_seed())
        if self.replacement:
            for _ in range(count // 32):  # in blocks of 32, which the numbers depend on
                yield from _integers(total, 32, generator)
            yield from _integers(total, count % 32, generator)
        else:
            for _ in range(count // total):
                yield from drawn_order(total, generator)
            yield from drawn_order(total, generator)[: count % total]

    def __len__(self) -> int:
        return self.num_samples


# The order of samples is the host's business: it is drawn on the CPU, or where a generator that was
# given draws, whatever device new tensors are made on.


def _place_of(generator: Any) -> Any:
    return "cpu" if generator is None else generator.device


def drawn_seed(generator: Any = None) -> int:
    """Return a seed drawn from *generator*, or from the CPU's own."""
    seed = ops.empty((), dtype=int64, device=_place_of(generator))
    return int(seed.random_(generator=generator).item())


def drawn_order(count: int, generator: Any = None) -> list[int]:
    """Return the numbers below *count* in an order drawn from *generator*, or the CPU's own."""
    order = ops.randperm(count, generator=generator, device=_place_of(generator))
    found: list[int] = order.tolist()
    return found


def _integers(below: int, count: int, generator: Any) -> list[int]:
    drawn = ops.randint(
        high=below, size=(count,), dtype=int64, generator=generator, device=_place_of(generator)
    )
    found: list[int] = drawn.tolist()
    return found


class SubsetRandomSampler(Sampler[int]):
    """Some samples in an order drawn at random.

    Args:
        indices: Their numbers.
        generator: Where the order comes from.
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for place in drawn_order(len(self.indices), self.generator):
            yield self.indices[place]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Samples drawn with probabilities of their own.

    Args:
        weights: How probable each sample is; they need not add up to one.
        num_samples: How many to draw.
        replacement: A sample may be drawn again.
        generator: Where the numbers come from.

    Raises:
        ValueError: *num_samples* is no positive integer, *replacement* no bool, or *weights* no
            vector.
    """

    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Any = None,
    ) -> None:
        if not _is_count(num_samples):
            msg = (
                f"num_samples should be a positive integer value, but got num_samples={num_samples}"
            )
            raise ValueError(msg)
        if not isinstance(replacement, bool):
            msg = f"replacement should be a boolean value, but got replacement={replacement}"
            raise ValueError(msg)  # noqa: TRY004 - as PyTorch
        place = weights.device if isinstance(weights, Tensor) else _place_of(generator)
        self.weights = as_tensor(weights, dtype=float64, device=place)
        if self.weights.dim() != 1:
            msg = (
                "weights should be a 1d sequence but given weights have shape "
                f"{tuple(self.weights.shape)}"
            )
            raise ValueError(msg)
        self.num_samples, self.replacement = num_samples, replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = ops.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from iter(drawn.tolist())

    def __len__(self) -> int:
        return self.num_samples


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


class BatchSampler(Sampler[list[int]]):
    """Lists of samples for batches.

    Args:
        sampler: The samples.
        batch_size: How many a batch has.
        drop_last: Leave out the last batch if it is smaller.

    Raises:
        ValueError: *batch_size* is no positive integer, or *drop_last* no bool.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not _is_count(batch_size):
            msg = f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            raise ValueError(msg)
        if not isinstance(drop_last, bool):
            msg = f"drop_last should be a boolean value, but got drop_last={drop_last}"
            raise ValueError(msg)  # noqa: TRY004 - as PyTorch
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        samples = iter(self.sampler)
        while batch := list(itertools.islice(samples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]  # asked of those that have one
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
