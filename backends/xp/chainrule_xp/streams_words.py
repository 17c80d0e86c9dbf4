"""The draws, made from a sequence of random 32-bit words; what makes the words is a subclass's.

Every distribution is stated once, as PyTorch's CPU kernels compute it, so that two streams differ
in their words alone, in the order in which normal numbers and permutations use them up, and in how
much they care about the last bit of a logarithm.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from chainrule.backend import Array

from .streams_float import fused_multiply_add, perhaps_any, quiet

#: The seed of a stream that was given none, which is PyTorch's.
DEFAULT_SEED: Final = 67280421310721

#: Bits of the significand, the leading one included.
SIGNIFICAND: Final = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}
#: The dtype of the real and imaginary parts.
PARTS: Final = {"complex64": "float32", "complex128": "float64"}

MASK_24: Final = (1 << 24) - 1
MASK_53: Final = (1 << 53) - 1
MASK_64: Final = (1 << 64) - 1


class WordStream(ABC):
    """Random arrays from random words. A subclass says where the words come from.

    A draw returns a new contiguous array of the namespace. Its ``dtype`` is a NumPy name such as
    ``"float32"``. Arguments are checked by the caller: the ranges of *low*, *high*, *p*, *rate*,
    the signs of *std* and *probs*, and whether PyTorch has that draw for that dtype.

    ``u24`` and ``u53`` below are uniform numbers in ``[0, 1)``: the low 24 bits of a word times
    ``2^-24``, and the low 53 bits of two words, the first of them high, times ``2^-53``.
    """

    def __init__(self, xp: Any, seed: int = DEFAULT_SEED) -> None:
        self._xp = xp
        self.seed(seed)

    # What a subclass states.

    @abstractmethod
    def seed(self, seed: int) -> None:
        """Start again from *seed*, taken modulo ``2^64``."""

    @abstractmethod
    def initial_seed(self) -> int:
        """Return the seed this stream started from, between 0 and ``2^64 - 1``."""

    @abstractmethod
    def get_state(self) -> bytes:
        """Return all that decides which numbers come next."""

    @abstractmethod
    def set_state(self, state: bytes) -> None:
        """Go on from *state*, which `get_state` returned.

        Raises:
            RuntimeError: the state is not one of this stream.
        """

    @abstractmethod
    def normal(
        self, shape: tuple[int, ...], dtype: str, mean: float = 0.0, std: float = 1.0
    ) -> Array:
        """Return numbers of the normal distribution, real or complex.

        A complex number has independent parts, each with mean *mean* and standard deviation
        ``std / sqrt(2)``, so that its variance is ``std^2``.
        """

    @abstractmethod
    def permutation(self, n: int, dtype: str = "int64") -> Array:
        """Return the numbers ``0 … n - 1`` in random order, ``(n,)``."""

    @abstractmethod
    def _words32(self, count: int) -> Array:
        """Return the next *count* words, ``uint32``, which the caller may overwrite."""

    @abstractmethod
    def words64(self, count: int) -> Array:
        """Return *count* pairs of words, ``uint64``, the first word of a pair high.

        Public for kernels that make their own numbers of the words, in another language.
        """

    @abstractmethod
    def _standard_normal(self, count: int) -> Array:
        """Return *count* standard normal numbers computed in float64."""

    @abstractmethod
    def _elementary(self, name: str, x: Array, finish: Callable[[Array], Array]) -> Array:
        """Return ``finish(f(x))`` for the function *name* of the namespace, *x* float64."""

    # Uniform numbers and whole numbers.

    def uniform(
        self, shape: tuple[int, ...], dtype: str, low: float = 0.0, high: float = 1.0
    ) -> Array:
        """Return numbers uniform in ``[low, high)``: ``u24 (high - low) + low``, or u53 in float64.

        The 16-bit dtypes are drawn in float32 and rounded; what rounds to *high* becomes *low*.
        Both parts of a complex number are drawn so.
        """
        if dtype in PARTS:
            return self.uniform((*shape, 2), PARTS[dtype], low, high).view(dtype).reshape(shape)
        xp, count = self._xp, math.prod(shape)
        wide = dtype == "float64"
        values = self._u53(count) if wide else self._u24(count)
        if (low, high) != (0.0, 1.0):
            number = xp.float64 if wide else xp.float32
            values = fused_multiply_add(xp, values, float(number(high) - number(low)), low)
        elif wide or dtype == "float32":
            return values.reshape(shape)
        return self._below(values.astype(dtype, copy=False), low, high).reshape(shape)

    def integers(self, shape: tuple[int, ...], dtype: str, low: int, high: int) -> Array:
        """Return whole numbers uniform in ``[low, high)``: ``low + word % (high - low)``.

        A range of ``2^28`` or more takes two words, and may be as large as ``2^64``. For a
        floating dtype the bounds move inwards until both ends survive rounding to it.
        """
        if dtype in SIGNIFICAND:
            low, high = self._representable(dtype, low, high)
        xp, count, span = self._xp, math.prod(shape), high - low
        if span < 1 << 28:
            values = (self._words32(count) % xp.uint32(span)).astype(xp.int64)
            values += low
        else:
            words = self.words64(count)  # over all 64 bits, each is a number as it stands
            if span <= MASK_64:
                words = words % xp.uint64(span) + xp.uint64(low & MASK_64)  # wraps around
            values = words.view(xp.int64)
        return self._cast(values, dtype).reshape(shape)

    def random_full(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Return whole numbers uniform over what *dtype* holds without gaps, none negative.

        That is ``0 … maximum`` for integers, ``0 … 2^s`` for a float with *s* significant bits.
        """
        xp, count = self._xp, math.prod(shape)
        if dtype in SIGNIFICAND:
            span = (1 << SIGNIFICAND[dtype]) + 1
        else:
            span = 2 if dtype == "bool" else int(xp.iinfo(dtype).max) + 1
        if dtype in {"int64", "uint64", "float64"}:
            words = self.words64(count)
            words = words % xp.uint64(span) if span <= MASK_64 else words
        else:
            words = self._words32(count)
            words = words % xp.uint32(span) if span < 1 << 32 else words
        return self._cast(words, dtype).reshape(shape)

    def bernoulli(self, shape: tuple[int, ...], dtype: str, p: float | Array) -> Array:
        """Return ones with probability *p* and zeros: ``u53 < p``.

        Where *p* is an array, of a shape that broadcasts to *shape* and of another dtype than
        ``float64``, the comparison is ``u24 < p``.
        """
        xp, count = self._xp, math.prod(shape)
        if isinstance(p, int | float):
            # Below p, in units of 2^-53; the scaling is exact.
            ones = (self.words64(count) & xp.uint64(MASK_53)) < xp.uint64(math.ceil(p * 2.0**53))
        else:
            p = xp.broadcast_to(p, shape).reshape(-1)
            if p.dtype == xp.float64:
                ones = self._u53(count) < p
            else:
                ones = self._u24(count) < p.astype(xp.float32)
        return ones.astype(dtype).reshape(shape)

    # Distributions that invert their cumulative function, in float64.

    def exponential(self, shape: tuple[int, ...], dtype: str, rate: float = 1.0) -> Array:
        """Return waiting times of mean ``1 / rate``: ``-log(1 - u53) / rate``."""
        scale = -1.0 / rate
        u = self._u53(math.prod(shape))
        return self._elementary("log1p", -u, lambda y: self._cast(scale * y, dtype)).reshape(shape)

    def geometric(self, shape: tuple[int, ...], dtype: str, p: float) -> Array:
        """Return the number of trials up to the first success: ``ceil(log(u53) / log(1 - p))``."""
        failure = math.log1p(-p)

        def finish(y: Array) -> Array:
            return self._cast(self._xp.ceil(y / failure), dtype)

        return self._elementary("log", self._u53(math.prod(shape)), finish).reshape(shape)

    def cauchy(
        self, shape: tuple[int, ...], dtype: str, median: float = 0.0, sigma: float = 1.0
    ) -> Array:
        """Return numbers of the Cauchy distribution: ``median + sigma tan(pi (u53 - 1/2))``."""

        def finish(tangent: Array) -> Array:
            return self._cast(fused_multiply_add(self._xp, tangent, sigma, median), dtype)

        angle = (self._u53(math.prod(shape)) - 0.5) * math.pi
        return self._elementary("tan", angle, finish).reshape(shape)

    def log_normal(
        self, shape: tuple[int, ...], dtype: str, mean: float = 1.0, std: float = 2.0
    ) -> Array:
        """Return numbers whose logarithm is normal with *mean* and *std*."""
        z = self._standard_normal(math.prod(shape))
        exponent = fused_multiply_add(self._xp, z, std, mean)
        return self._elementary("exp", exponent, lambda y: self._cast(y, dtype)).reshape(shape)

    # Choices.

    def multinomial(self, probs: Array, num_samples: int, replacement: bool = False) -> Array:
        """Return indices into *probs*, each drawn as often as its weight says.

        Args:
            probs: Weights, ``(k,)`` or ``(m, k)``, floating; they need not sum to one.
            num_samples: How many to draw from each row.
            replacement: Whether an index may be drawn again.

        Returns:
            ``int64``, ``(num_samples,)`` or ``(m, num_samples)``.

        Source:
            Without replacement, the largest ``weight / exponential`` win: P. S. Efraimidis and
            P. G. Spirakis (2006), Weighted random sampling with a reservoir, Information
            Processing Letters 97(5).
        """
        if replacement and num_samples > 1:
            return self._multinomial_again(probs, num_samples)
        xp = self._xp
        with quiet(xp):  # in float16 a waiting time may round to zero
            score = probs / self.exponential(probs.shape, str(probs.dtype))
        if num_samples == 1:
            return xp.argmax(score, axis=-1).astype(xp.int64).reshape(*probs.shape[:-1], 1)
        order = xp.argsort(-score, axis=-1, kind="stable")
        return order[..., :num_samples].astype(xp.int64)  # a copy, contiguous

    def _multinomial_again(self, probs: Array, num_samples: int) -> Array:
        xp = self._xp
        shape = (*probs.shape[:-1], num_samples)
        u = self._u53(math.prod(shape)).reshape(-1, num_samples)
        weights = probs.astype(xp.float64 if probs.dtype == xp.float64 else xp.float32)
        cumulative = xp.cumsum(weights.reshape(-1, probs.shape[-1]), axis=-1)
        cumulative /= cumulative[:, -1:].copy()
        cumulative[:, -1] = 1.0  # also where the division rounded down
        bounds = cumulative.astype(xp.float64)
        chosen = xp.empty(u.shape, xp.int64)
        for row in range(len(u)):
            chosen[row] = xp.searchsorted(bounds[row], u[row])
        return chosen.reshape(shape)

    # Parts of the above.

    def _u24(self, count: int) -> Array:
        words = self._words32(count)
        words &= self._xp.uint32(MASK_24)
        values = words.view(self._xp.float32)
        values[...] = words.view(self._xp.int32)  # in place: memory costs more than arithmetic
        values *= 2.0**-24
        return values

    def _u53(self, count: int) -> Array:
        words = self.words64(count)
        words &= self._xp.uint64(MASK_53)
        values = words.view(self._xp.float64)
        values[...] = words.view(self._xp.int64)
        values *= 2.0**-53
        return values

    def _cast(self, values: Array, dtype: str) -> Array:
        """Return *values* as *dtype*; a 16-bit float is rounded to float32 first, as PyTorch's."""
        with quiet(self._xp):
            if dtype in {"float16", "bfloat16"}:
                values = values.astype(self._xp.float32)
            return values.astype(dtype, copy=False)

    def _below(self, values: Array, low: float, high: float) -> Array:
        """Return *values* with *low* for what was rounded up to *high*."""
        xp = self._xp
        ends = self._cast(xp.asarray([low, high], xp.float64), str(values.dtype))
        reached = values == ends[1]
        return xp.where(reached, ends[0], values) if perhaps_any(xp, reached) else values

    def _representable(self, dtype: str, low: int, high: int) -> tuple[int, int]:
        """Return the range moved inwards so that no number in it rounds to one outside."""
        number, digits = self._xp.dtype(dtype).type, SIGNIFICAND[dtype]
        lowest, highest = int(number(low + 1)), int(number(high - 1))
        if lowest < low:
            low = lowest + (1 << (abs(low + 1).bit_length() - digits))
        if highest >= high:
            high = highest - (1 << (abs(high - 1).bit_length() - digits))
        return low, high
