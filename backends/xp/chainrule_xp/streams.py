"""Random numbers for array backends: two kinds of stream with one interface.

`MT19937Stream` draws on the CPU what PyTorch draws there from the same seed, bit for bit.
`PhiloxStream` computes every number from its position, and so does a GPU as well as a CPU.

A backend makes one of the two in its ``stream(algorithm)``; a ``Generator`` is its face to users.
"""

from __future__ import annotations

from typing import Protocol

from chainrule.backend import Array, RandomStream

from .streams_mt19937 import MT19937Stream
from .streams_philox import PhiloxStream
from .streams_words import DEFAULT_SEED

__all__ = ["DEFAULT_SEED", "MT19937Stream", "PhiloxStream", "Stream"]


class Stream(RandomStream, Protocol):
    """What a stream can draw; `chainrule_xp.streams_words.WordStream` says how.

    A draw returns a new contiguous array of the stream's namespace, in the ``dtype`` of that NumPy
    name, and never fewer or other words for being drawn in another layout.
    """

    def uniform(
        self, shape: tuple[int, ...], dtype: str, low: float = 0.0, high: float = 1.0
    ) -> Array:
        """Return real or complex numbers uniform in ``[low, high)``."""

    def normal(
        self, shape: tuple[int, ...], dtype: str, mean: float = 0.0, std: float = 1.0
    ) -> Array:
        """Return real or complex numbers of the normal distribution."""

    def integers(self, shape: tuple[int, ...], dtype: str, low: int, high: int) -> Array:
        """Return whole numbers uniform in ``[low, high)``."""

    def random_full(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Return whole numbers uniform over the non-negative ones that *dtype* holds."""

    def bernoulli(self, shape: tuple[int, ...], dtype: str, p: float | Array) -> Array:
        """Return ones with probability *p*, a number or an array, and zeros."""

    def words64(self, count: int) -> Array:
        """Return *count* numbers of 64 random bits, ``uint64``, ``(count,)``."""

    def exponential(self, shape: tuple[int, ...], dtype: str, rate: float = 1.0) -> Array:
        """Return numbers of the exponential distribution, with mean ``1 / rate``."""

    def geometric(self, shape: tuple[int, ...], dtype: str, p: float) -> Array:
        """Return the number of trials up to the first success, from 1 on."""

    def cauchy(
        self, shape: tuple[int, ...], dtype: str, median: float = 0.0, sigma: float = 1.0
    ) -> Array:
        """Return numbers of the Cauchy distribution."""

    def log_normal(
        self, shape: tuple[int, ...], dtype: str, mean: float = 1.0, std: float = 2.0
    ) -> Array:
        """Return numbers whose logarithm is normal with *mean* and *std*."""

    def permutation(self, n: int, dtype: str = "int64") -> Array:
        """Return the numbers ``0 … n - 1`` in random order."""

    def multinomial(self, probs: Array, num_samples: int, replacement: bool = False) -> Array:
        """Return *num_samples* indices, each row of weights *probs* deciding for itself."""
