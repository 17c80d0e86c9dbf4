"""Fetching the samples of a batch from a dataset."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["IterableFetcher", "MapFetcher"]


class MapFetcher:
    """Fetches samples by number.

    Args:
        dataset: The dataset.
        auto_collation: Numbers come in lists, for a batch.
        collate_fn: Joins the samples of a batch, or converts one sample.
        drop_last: Of no meaning here.
    """

    def __init__(
        self, dataset: Any, auto_collation: bool, collate_fn: Callable[..., Any], drop_last: bool
    ) -> None:
        self.dataset, self.auto_collation, self.collate_fn = dataset, auto_collation, collate_fn

    def fetch(self, index: Any) -> Any:
        """Return the batch, or the sample, of *index*."""
        if not self.auto_collation:
            return self.collate_fn(self.dataset[index])
        if getattr(self.dataset, "__getitems__", None):
            return self.collate_fn(self.dataset.__getitems__(index))
        return self.collate_fn([self.dataset[i] for i in index])


class IterableFetcher:
    """Fetches the next samples.

    Args:
        dataset: The dataset.
        auto_collation: As many are fetched as numbers come.
        collate_fn: Joins the samples of a batch, or converts one sample.
        drop_last: Leave out the last batch if it is smaller.
    """

    def __init__(
        self, dataset: Any, auto_collation: bool, collate_fn: Callable[..., Any], drop_last: bool
    ) -> None:
        self.iterator: Iterator[Any] = iter(dataset)
        self.auto_collation, self.collate_fn, self.drop_last = auto_collation, collate_fn, drop_last
        self.ended = False

    def fetch(self, index: Any) -> Any:
        """Return the next batch, or sample.

        Raises:
            StopIteration: there is none.
        """
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.iterator))
        batch = list(itertools.islice(self.iterator, len(index)))
        self.ended = len(batch) < len(index)
        if not batch or (self.drop_last and self.ended):
            raise StopIteration
        return self.collate_fn(batch)
