"""Datasets: what gives samples by number, and what gives them one after the other."""

from __future__ import annotations

import bisect
import itertools
import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from ..._warn import warn
from ...random import default_generator
from ...tensor import Tensor
from .sampler import drawn_order

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Samples by number. Derive, and write ``__getitem__`` and ``__len__``.

    ``__getitems__`` may be written as well: it takes the numbers of a batch and returns a list.

    >>> class Squares(Dataset):
    ...     def __getitem__(self, index):
    ...         return index**2
    ...
    ...     def __len__(self):
    ...         return 4
    >>> Squares()[3]
    9
    """

    def __getitem__(self, index: Any) -> T_co:
        msg = "Subclasses of Dataset should implement __getitem__."
        raise NotImplementedError(msg)

    def __add__(self, other: Dataset[Any]) -> Any:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Samples one after the other. Derive, and write ``__iter__``.

    Each worker of a `DataLoader` iterates over a copy of its own; `get_worker_info` tells it which
    share of the samples is its own.
    """

    @abstractmethod
    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError

    def __add__(self, other: Dataset[Any]) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """The rows of tensors that have equally many: sample i is row i of each.

    Args:
        *tensors: Each ``(N, *)``.

    Raises:
        AssertionError: their first sizes differ.

    >>> import chainrule as cr
    >>> TensorDataset(cr.tensor([1, 2]), cr.tensor([3, 4]))[1]
    (tensor(2), tensor(4))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensors[0].size(0) != tensor.size(0) for tensor in tensors):
            msg = "Size mismatch between tensors"
            raise AssertionError(msg)
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


class StackDataset(Dataset[Any]):
    """Several datasets side by side: sample i is a tuple (or a dict) of their samples i.

    Args:
        *args: Datasets, for tuples.
        **kwargs: Datasets by name, for dicts.

    Raises:
        ValueError: there are none, their lengths differ, or both kinds are given.
    """

    datasets: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            msg = (
                "Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like "
                "input/output, but both types are given."
            )
            raise ValueError(msg)
        if not args and not kwargs:
            msg = "At least one dataset should be passed"
            raise ValueError(msg)
        self.datasets = args or kwargs
        datasets = list(args or kwargs.values())
        self._length = len(datasets[0])
        if any(self._length != len(dataset) for dataset in datasets):
            msg = "Size mismatch between datasets"
            raise ValueError(msg)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {key: dataset[index] for key, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        """Return the samples of a batch."""
        if isinstance(self.datasets, dict):
            columns = [_batch_of(dataset, indices) for dataset in self.datasets.values()]
            keys = list(self.datasets)
            return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
        columns = [_batch_of(dataset, indices) for dataset in self.datasets]
        return list(zip(*columns, strict=True))

    def __len__(self) -> int:
        return self._length


def _batch_of(dataset: Any, indices: list[Any]) -> list[Any]:
    """Return the samples of a batch, at once where the dataset can."""
    if not callable(getattr(dataset, "__getitems__", None)):
        return [dataset[index] for index in indices]
    items: list[Any] = dataset.__getitems__(indices)
    if len(items) != len(indices):
        msg = f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(items)}"
        raise ValueError(msg)
    return items


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other.

    Args:
        datasets: Some that have a length.

    Raises:
        AssertionError: there are none, or one is iterable only.

    >>> len(ConcatDataset([[1, 2], [3]])), ConcatDataset([[1, 2], [3]])[-1]
    (3, 3)
    """

    datasets: list[Any]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            msg = "datasets should not be an empty iterable"
            raise AssertionError(msg)
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            msg = "ConcatDataset does not support IterableDataset"
            raise AssertionError(msg)
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Return how many samples there are up to and with each dataset."""
        return list(itertools.accumulate(len(dataset) for dataset in sequence))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            if -index > len(self):
                msg = "absolute value of index should not exceed dataset length"
                raise ValueError(msg)
            index += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - start]


class ChainDataset(IterableDataset[Any]):
    """Iterable datasets one after the other.

    Args:
        datasets: Some `IterableDataset`.

    Raises:
        AssertionError: when it comes to one that is none.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        super().__init__()
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            self._expect_iterable(dataset)
            yield from dataset

    def __len__(self) -> int:
        total = 0
        for dataset in self.datasets:
            self._expect_iterable(dataset)
            total += len(dataset)
        return total

    @staticmethod
    def _expect_iterable(dataset: Any) -> None:
        if not isinstance(dataset, IterableDataset):
            msg = "ChainDataset only supports IterableDataset"
            raise AssertionError(msg)  # noqa: TRY004 - as PyTorch


class Subset(Dataset[T_co]):
    """Some samples of a dataset.

    Args:
        dataset: The whole.
        indices: The numbers of the samples.

    >>> list(Subset(["a", "b", "c"], [2, 0]))
    ['c', 'a']
    """

    dataset: Any
    indices: Sequence[int]

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        """Return the samples of a batch."""
        chosen = [self.indices[index] for index in indices]
        if callable(getattr(self.dataset, "__getitems__", None)):
            return self.dataset.__getitems__(chosen)  # type: ignore[no-any-return]  # as asked
        return [self.dataset[index] for index in chosen]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Any, lengths: Sequence[int | float], generator: Any = default_generator
) -> list[Subset[Any]]:
    """Return parts of *dataset*, whose samples are drawn at random.

    Args:
        dataset: The whole.
        lengths: How many samples each part has, or which fraction of all. What fractions leave over
            goes to the parts in turn.
        generator: Where the numbers come from.

    Raises:
        ValueError: the lengths do not add up to that of the dataset, or the fractions to one.

    >>> [len(part) for part in random_split(range(10), [0.3, 0.7])]
    [3, 7]
    """
    counts = list(lengths)
    if math.isclose(sum(counts), 1) and sum(counts) <= 1:
        counts = _counts_of(counts, len(dataset))
    if sum(counts) != len(dataset):
        msg = "Sum of input lengths does not equal the length of the input dataset!"
        raise ValueError(msg)
    order = drawn_order(int(sum(counts)), generator)
    ends = list(itertools.accumulate(int(count) for count in counts))
    return [
        Subset(dataset, order[end - int(count) : end])
        for end, count in zip(ends, counts, strict=True)
    ]


def _counts_of(fractions: list[Any], total: int) -> list[Any]:
    """Return how many of *total* samples each fraction is."""
    for position, fraction in enumerate(fractions):
        if fraction < 0 or fraction > 1:
            msg = f"Fraction at index {position} is not between 0 and 1"
            raise ValueError(msg)
    counts = [math.floor(total * fraction) for fraction in fractions]
    for position in range(total - sum(counts)):
        counts[position % len(counts)] += 1
    for position, count in enumerate(counts):
        if count == 0:
            warn(
                f"Length of split at index {position} is 0. This might result in an empty dataset.",
                stacklevel=3,
            )
    return counts
