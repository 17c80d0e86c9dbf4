"""A sampler for several processes that share a dataset."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ...random import Generator
from .sampler import Sampler, drawn_order

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """The share of the samples that is one process's.

    There are no process groups here, so how many processes there are must be said.

    Args:
        dataset: The dataset.
        num_replicas: How many processes there are.
        rank: Which of them this is.
        shuffle: Draw the order at random, the same one in all processes.
        seed: Of the order.
        drop_last: Leave out what does not divide evenly, rather than repeat the first samples.

    Raises:
        ValueError: *num_replicas* or *rank* is missing, or *rank* is out of range.

    >>> list(DistributedSampler(range(5), num_replicas=2, rank=0, shuffle=False))
    [0, 2, 4]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            msg = (
                "Default process group has not been initialized, please make sure to call "
                "init_process_group.\nDistributedSampler: expected num_replicas and rank, since "
                "there are no process groups here."
            )
            raise ValueError(msg)
        if rank >= num_replicas or rank < 0:
            msg = f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            raise ValueError(msg)
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.epoch, self.shuffle, self.seed, self.drop_last = 0, shuffle, seed, drop_last
        count = len(dataset)
        if drop_last and count % num_replicas:
            count -= num_replicas
        self.num_samples = math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        indices = list(range(count))
        if self.shuffle:
            generator = Generator()
            generator.manual_seed(self.seed + self.epoch)
            indices = drawn_order(count, generator)
        missing = self.total_size - count
        if missing > 0:
            indices += (indices * math.ceil(missing / count))[:missing]
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Draw another order, which depends on *epoch*."""
        self.epoch = epoch
