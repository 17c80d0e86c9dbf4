"""A counter-based stream: every number can be computed on its own, on any device.

**The words.** Philox4x32-10 maps a counter of four words and a key of two to four random words.
Here the key is the seed, low word first. The counter's first two words are the index of a block,
the last two are the offset, each low word first. Word ``w`` of a draw is word ``w % 4`` of block
``w // 4``.

**The offset.** Every draw with at least one element uses the words of one offset, from the first
on, and adds one to it. So element ``i`` depends on the seed, the offset and ``i`` alone.

**The elements.** Element ``i`` of a 32-bit draw uses word ``i``; of a 64-bit draw, word ``2i`` as
the high and word ``2i + 1`` as the low half. What is made of them is said at each draw in
`WordStream`; normal numbers and permutations are said below.

Words, whole numbers, uniform numbers, Bernoulli numbers, permutations, and normal numbers in
float32, float16 and bfloat16 are made by integer and correctly rounded operations: they are the
same on every device. What takes a logarithm or a tangent in float64 agrees to a few units in the
last place.
"""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Callable
from typing import Any, Final

from chainrule.backend import Array

from .streams_float import blocks, box_muller, fused_multiply_add, quiet
from .streams_words import DEFAULT_SEED, MASK_64, PARTS, WordStream

#: Seed and offset, as PyTorch's CUDA generator lays them out.
LAYOUT: Final = struct.Struct("<QQ")
MASK_32: Final = (1 << 32) - 1

MULTIPLIERS: Final = 0xD2511F53, 0xCD9E8D57
#: What is added to the key between rounds: the golden ratio and the square root of three less one.
WEYL: Final = 0x9E3779B9, 0xBB67AE85
ROUNDS: Final = 10


def philox4x32(xp: Any, counter: tuple[Array, ...], key: tuple[int, int]) -> tuple[Array, ...]:
    """Return four arrays of random words for four arrays of counter words.

    Args:
        xp: The array namespace.
        counter: Four arrays of one shape, ``uint64`` with values below ``2^32``.
        key: Two words.

    Returns:
        Four arrays of that shape, likewise.

    Source:
        J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw (2011), Parallel random numbers: as
        easy as 1, 2, 3, SC '11.

    >>> import numpy
    >>> zeros = (numpy.zeros(1, "uint64"),) * 4
    >>> [hex(word[0]) for word in philox4x32(numpy, zeros, (0, 0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    low, half = xp.uint64(MASK_32), xp.uint64(32)
    first, second = (xp.uint64(multiplier) for multiplier in MULTIPLIERS)
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        left, right = c0 * first, c2 * second
        c0, c1 = (right >> half) ^ c1 ^ xp.uint64(k0), right & low
        c2, c3 = (left >> half) ^ c3 ^ xp.uint64(k1), left & low
        k0, k1 = (k0 + WEYL[0]) & MASK_32, (k1 + WEYL[1]) & MASK_32
    return c0, c1, c2, c3


class PhiloxStream(WordStream):
    """A stream whose numbers depend on seed, offset and position only, as the module says.

    >>> import numpy
    >>> stream = PhiloxStream(numpy, seed=0)
    >>> stream.integers((4,), "int64", 0, 10)
    array([1, 3, 8, 0])
    >>> stream.set_state(stream.get_state()[:8] + bytes(8))  # offset zero again
    >>> stream.integers((2,), "int64", 0, 10)
    array([1, 3])

    Differs from PyTorch:
        The numbers are not those of PyTorch's CUDA generator, which depend on how a kernel is
        split among threads. The state is laid out like its state.
    """

    def __init__(self, xp: Any, seed: int = DEFAULT_SEED) -> None:
        self._lock = threading.Lock()  # two threads must not draw at one offset
        super().__init__(xp, seed)

    def seed(self, seed: int) -> None:
        """Start again from *seed*, taken modulo ``2^64``, at offset zero."""
        with self._lock:
            self._seed, self._offset = seed & MASK_64, 0

    def initial_seed(self) -> int:
        """Return the seed this stream started from, between 0 and ``2^64 - 1``."""
        return self._seed

    def get_state(self) -> bytes:
        """Return seed and offset, 8 bytes each, little-endian."""
        with self._lock:
            return LAYOUT.pack(self._seed, self._offset)

    def set_state(self, state: bytes) -> None:
        """Go on from *state*, which `get_state` returned.

        Raises:
            RuntimeError: the state is not 16 bytes long.
        """
        if len(state) != LAYOUT.size:
            raise RuntimeError(
                "RNG state is wrong size\n"
                f"PhiloxStream.set_state: expected {LAYOUT.size} bytes, seed and offset, "
                f"got {len(state)}. Pass what get_state returned."
            )
        with self._lock:
            self._seed, self._offset = LAYOUT.unpack(state)

    def normal(
        self, shape: tuple[int, ...], dtype: str, mean: float = 0.0, std: float = 1.0
    ) -> Array:
        """Return numbers of the normal distribution, real or complex.

        Elements ``2j`` and ``2j + 1`` are ``mean + std r cos(2 pi u')`` and
        ``mean + std r sin(2 pi u')`` with ``r = sqrt(-2 log(1 - u))``, where ``u`` and ``u'`` are
        uniform numbers ``2j`` and ``2j + 1``: u53 in float64, u24 in the others, which
        `chainrule_xp.streams_float.box_muller` turns into float32 bit for bit.

        A complex number has independent parts, each with mean *mean* and standard deviation
        ``std / sqrt(2)``, so that its variance is ``std^2``.
        """
        if dtype in PARTS:
            parts = self.normal((*shape, 2), PARTS[dtype], mean, std / math.sqrt(2.0))
            return parts.view(dtype).reshape(shape)
        count = math.prod(shape)
        z = self._standard_normal(count) if dtype == "float64" else self._normal32(count)
        return self._cast(fused_multiply_add(self._xp, z, std, mean), dtype).reshape(shape)

    def permutation(self, n: int, dtype: str = "int64") -> Array:
        """Return the numbers ``0 … n - 1`` in random order, ``(n,)``.

        They are sorted by the 64-bit words of a draw of ``n``, after the low bits of word ``i``, as
        many as ``n - 1`` has, were replaced by ``i``: so no two keys are equal.
        """
        xp = self._xp
        bits = xp.uint64((1 << max(n - 1, 0).bit_length()) - 1)
        keys = (self.words64(n) & ~bits) | xp.arange(n, dtype=xp.uint64)
        keys.sort()
        return self._cast(keys & bits, dtype)

    def _normal32(self, count: int) -> Array:
        u = self._u24(count + count % 2).reshape(-1, 2)
        for block in blocks(self._xp, len(u)):
            u[block, 0], u[block, 1] = box_muller(self._xp, u[block, 0], u[block, 1])
        return u.reshape(-1)[:count]

    def _standard_normal(self, count: int) -> Array:
        xp = self._xp
        u = self._u53(count + count % 2).reshape(-1, 2)
        radius, angle = xp.sqrt(xp.log1p(-u[:, 0]) * -2.0), u[:, 1] * (2.0 * math.pi)
        u[:, 0], u[:, 1] = radius * xp.cos(angle), radius * xp.sin(angle)
        return u.reshape(-1)[:count]

    def _elementary(self, name: str, x: Array, finish: Callable[[Array], Array]) -> Array:
        with quiet(self._xp):
            return finish(getattr(self._xp, name)(x))

    def _words32(self, count: int) -> Array:
        xp, size = self._xp, -(-count // 4)
        words = xp.empty((size, 4), xp.uint32)
        if count:
            with self._lock:
                key, offset = _halves(self._seed), _halves(self._offset)
                self._offset = (self._offset + 1) & MASK_64
            for block in blocks(xp, size):
                self._fill(words[block], block.start, offset, key)
        return words.reshape(-1)[:count]

    def _fill(
        self, words: Array, start: int, offset: tuple[int, int], key: tuple[int, int]
    ) -> None:
        """Write the words of blocks *start* and on, one a row."""
        xp = self._xp
        index = xp.arange(start, start + len(words), dtype=xp.uint64)
        same = xp.zeros_like(index)
        low, high = (same + xp.uint64(half) for half in offset)
        counter = index & xp.uint64(MASK_32), index >> xp.uint64(32), low, high
        for column, word in enumerate(philox4x32(xp, counter, key)):
            words[:, column] = word

    def words64(self, count: int) -> Array:
        xp = self._xp
        words = self._words32(2 * count).astype(xp.uint64)
        return (words[0::2] << xp.uint64(32)) | words[1::2]


def _halves(number: int) -> tuple[int, int]:
    return number & MASK_32, number >> 32
