"""The CPU's stream: the Mersenne Twister, used as PyTorch's CPU kernels use it."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any, Final, final

from chainrule.backend import Array

from .streams_float import blocks, box_muller, fused_multiply_add, quiet
from .streams_words import MASK_64, PARTS, WordStream

#: PyTorch's layout: seed, words left, seeded, next word, the 624 words in 64 bits each, three
#: floats of which the second is the pending normal number, whether there is one, and two fields
#: that its CPU kernels do not use.
LAYOUT: Final = struct.Struct("<QiiQ624Qdddi4xf?3x")
WORDS: Final = 624

#: A random permutation at least this long is drawn with 64 bits a step.
LONG: Final = 0xFFFF_FFFF // 20
#: More than any library's logarithm or tangent is off, as a fraction.
DOUBT: Final = 2.0**-48


@final
class MT19937Stream(WordStream):
    """A stream of the numbers that PyTorch draws on the CPU from the same seed.

    >>> import numpy
    >>> stream = MT19937Stream(numpy, seed=0)
    >>> stream.uniform((2,), "float32")
    array([0.4962566, 0.7682218], dtype=float32)

    The promise is made for PyTorch 2.13 on x86-64 Linux with AVX2 or AVX-512, and there it is bit
    for bit, in every dtype: whole numbers, uniform, normal, Bernoulli, exponential, geometric,
    Cauchy and log-normal numbers, permutations and choices, and the state. Elsewhere PyTorch's own
    numbers vary in the last places of what contains a logarithm, a sine or a tangent, and so do
    these: a normal number in float32 is within 3e-6.

    Differs from PyTorch:
        `multinomial` without replacement leaves open, as `topk` does, the order of equal scores;
        here the lower index comes first. Equal scores are common in float16 only.

    Source:
        M. Matsumoto and T. Nishimura (1998), Mersenne Twister: a 623-dimensionally equidistributed
        uniform pseudo-random number generator, ACM TOMACS 8(1). The words are NumPy's.
    """

    _engine: Any = None

    # State.

    def seed(self, seed: int) -> None:
        """Start again from *seed*, of which the generator takes the low 32 bits."""
        self._seed = seed & MASK_64
        self._untouched = True
        self._pending: float | None = None
        if self._engine is not None:
            self._engine.seed(self._seed & 0xFFFF_FFFF)

    def initial_seed(self) -> int:
        """Return the seed this stream started from, between 0 and ``2^64 - 1``."""
        return self._seed

    def get_state(self) -> bytes:
        """Return the state as PyTorch's ``get_rng_state`` lays it out, 5056 bytes."""
        _, words, position, *_ = self._random().get_state()
        pending = self._pending
        return LAYOUT.pack(
            self._seed, WORDS + 1 - position, 1, 0 if self._untouched else position,
            *words.tolist(), 0.0, pending or 0.0, 0.0, pending is not None, 0.0, False,
        )  # fmt: skip

    def set_state(self, state: bytes) -> None:
        """Go on from *state*, which `get_state` returned, or PyTorch's ``get_rng_state``.

        Raises:
            RuntimeError: the state has another length, or is not that of a Mersenne Twister.
        """
        if len(state) != LAYOUT.size:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {LAYOUT.size} but found the input RNG "
                f"state size to be {len(state)}\n"
                "MT19937Stream.set_state: pass what get_state returned."
            )
        seed, left, seeded, following, *rest = LAYOUT.unpack(state)
        words, (_, pending, _, is_pending, *_) = rest[:WORDS], rest[WORDS:]
        position = WORDS + 1 - left
        untouched = left == 1 and following == 0
        if seeded != 1 or not 0 < left <= WORDS or not (untouched or following == position):
            raise RuntimeError(
                "Invalid mt19937 state\n"
                f"MT19937Stream.set_state: expected the next of {WORDS} words and how many are "
                f"left to agree, got {following} and {left}. Pass what get_state returned."
            )
        self._random().set_state(("MT19937", words, position))
        self._seed, self._untouched = seed, untouched
        self._pending = pending if is_pending else None

    def _random(self) -> Any:
        if self._engine is None:
            # Imported here, because a program that draws nothing should not pay for it.
            from numpy.random import RandomState

            self._engine = RandomState(self._seed & 0xFFFF_FFFF)
        return self._engine

    # Words.

    def _words32(self, count: int) -> Array:
        self._untouched = self._untouched and count == 0
        return self._xp.asarray(self._random().randint(1 << 32, size=count, dtype="uint32"))

    def words64(self, count: int) -> Array:
        self._untouched = self._untouched and count == 0
        return self._xp.asarray(self._random().randint(1 << 64, size=count, dtype="uint64"))

    # Normal numbers.

    def normal(
        self, shape: tuple[int, ...], dtype: str, mean: float = 0.0, std: float = 1.0
    ) -> Array:
        """Return numbers of the normal distribution, real or complex.

        Fewer than 16 come one by one, from pairs of which the second waits for the next call.
        More come in blocks of 16, from eight distances and eight directions; where the last block
        is not full, the last 16 numbers are drawn anew.

        A complex number has independent parts, each with mean *mean* and standard deviation
        ``std / sqrt(2)``, so that its variance is ``std^2``.
        """
        if dtype in PARTS:
            parts = self.normal((*shape, 2), PARTS[dtype], mean, std / math.sqrt(2.0))
            return parts.view(dtype).reshape(shape)
        count = math.prod(shape)
        if count < 16:
            values = fused_multiply_add(self._xp, self._standard_normal(count), std, mean)
        else:
            values = self._normal_blocks(count, dtype, mean, std)
        return self._cast(values, dtype).reshape(shape)

    def _normal_blocks(self, count: int, dtype: str, mean: float, std: float) -> Array:
        draw = self._u53 if dtype == "float64" else self._u24
        full = count - count % 16
        # The 16-bit kernels go block by block; the others draw every number before the first block.
        values = draw(count if dtype in {"float32", "float64"} else full)
        for block in blocks(self._xp, full):
            self._fill_normal(values[block], mean, std)
        if full == count:
            return values
        last = draw(16)
        self._fill_normal(last, mean, std)
        return self._xp.concatenate([values[: count - 16], last])

    def _fill_normal(self, values: Array, mean: float, std: float) -> None:
        """Replace uniform *values*, a multiple of 16, by normal ones."""
        xp = self._xp
        pairs = values.reshape(-1, 2, 8)
        transform = _box_muller_float64 if values.dtype == xp.float64 else box_muller
        for half, normal in enumerate(transform(xp, pairs[:, 0], pairs[:, 1])):
            pairs[:, half] = fused_multiply_add(xp, normal, std, mean)

    def _standard_normal(self, count: int) -> Array:
        xp = self._xp
        values = xp.empty(count, xp.float64)
        first = 0
        if count and self._pending is not None:
            values[0], self._pending, first = self._pending, None, 1
        pairs = (count - first + 1) // 2
        if pairs:
            u = self._u53(2 * pairs).reshape(pairs, 2)
            radius = xp.sqrt(self._elementary("log1p", -u[:, 1], lambda y: y) * -2.0)
            direction = _direction(xp, u[:, 0])
            u[:, 0], u[:, 1] = radius * direction.real, radius * direction.imag
            drawn = u.reshape(-1)
            values[first:] = drawn[: count - first]
            if (count - first) % 2:
                self._pending = float(drawn[-1])
        return values

    def _elementary(self, name: str, x: Array, finish: Callable[[Array], Array]) -> Array:
        """Return ``finish(f(x))``, with the C library's *f* wherever the last bits matter.

        Source:
            A. Ziv (1991), Fast evaluation of elementary mathematical functions with correctly
            rounded last bit, ACM TOMS 17(3): only what rounds differently at the two ends of its
            error bound is worth the slow and exact way.
        """
        with quiet(self._xp):
            values = getattr(self._xp, name)(x)
            unsure = finish(values * (1.0 - DOUBT)) != finish(values * (1.0 + DOUBT))
            values[unsure] = list(map(getattr(math, name), x[unsure].tolist()))
            return finish(values)

    # Permutations.

    def permutation(self, n: int, dtype: str = "int64") -> Array:
        """Return the numbers ``0 … n - 1`` in random order, ``(n,)``.

        Step ``i`` swaps places ``i`` and ``i + word % (n - i)``. All steps are worked out at once.

        Source:
            R. Durstenfeld (1964), Algorithm 235: Random permutation, Communications of the ACM
            7(7). From 214,748,364 on the inside-out form: D. E. Knuth, The Art of Computer
            Programming, volume 2, section 3.4.2, exercise 18.
        """
        xp = self._xp
        if n >= LONG:
            return self._long_permutation(n).astype(dtype, copy=False)
        step = xp.arange(n, dtype=xp.uint32)
        target = step.copy()
        target[:-1] += self._words32(max(n - 1, 0)) % (n - step[:-1])
        return self._cast(_after_swaps(xp, step, target), dtype)

    def _long_permutation(self, n: int) -> Array:
        """Return it with step ``i`` putting ``i`` at place ``word % (i + 1)``, one by one."""
        xp = self._xp
        values = xp.empty(n, xp.int64)
        places = memoryview(values)
        for block in blocks(xp, n):
            step = xp.arange(block.start, block.stop, dtype=xp.uint64)
            targets = self.words64(len(step)) % (step + xp.uint64(1))
            for i, target in enumerate(targets.tolist(), block.start):
                places[i] = places[target]
                places[target] = i
        return values


# Note [The C library's functions]: PyTorch calls the C library for log, sin and cos of a float64,
# one number at a time. NumPy does so for complex numbers; for real ones it has vector code of its
# own, which differs in the last place now and then.


def _box_muller_float64(xp: Any, distance: Array, turn: Array) -> tuple[Array, Array]:
    radius = xp.sqrt(xp.log1p(-distance.astype(xp.complex128)).real * -2.0)
    direction = _direction(xp, turn)
    return radius * direction.real, radius * direction.imag


def _direction(xp: Any, turn: Array) -> Array:
    """Return the complex number of absolute value one at *turn* of a whole turn."""
    return xp.exp(turn * (2.0 * math.pi) * 1j)


def _after_swaps(xp: Any, step: Array, target: Array) -> Array:
    """Return ``0 … n - 1`` after each step ``i`` in turn swapped places ``i`` and ``target[i]``.

    No target lies before its step, so a step settles its own place for good: it brings there what
    it finds at its target, and leaves at the target what it found at its own place. Of the steps
    that share a target, the first finds the target's own number, and every other one what the step
    before it left. A step that is its own target finds what was left at its place.
    """
    moves = xp.flatnonzero(target != step)
    order = (target[moves].astype(xp.uint64) << xp.uint64(32)) | moves.astype(xp.uint64)
    order.sort()
    steps = order.astype(xp.uint32)  # by target, and steps of one target in their order
    targets = (order >> xp.uint64(32)).astype(xp.uint32)
    shared = targets[1:] == targets[:-1]
    again, last = xp.flatnonzero(shared), xp.flatnonzero(~shared)
    # What a step finds at its own place was left by the last step that had this target, if any.
    left_by = step.copy()
    left_by[targets[last]] = steps[last]
    left_by[targets[-1:]] = steps[-1:]
    stays = xp.flatnonzero(target == step).astype(xp.uint32)
    result = target.astype(xp.int64)
    places = xp.concatenate([steps[again + 1], stays])
    result[places] = _followed(xp, left_by, xp.concatenate([steps[again], stays]))
    return result


def _followed(xp: Any, pointer: Array, start: Array) -> Array:
    """Return where *pointer* leads from each *start*, until it points at itself."""
    end, active, here = start.copy(), xp.arange(len(start)), start
    while len(active):
        following = pointer[here]
        moved = xp.flatnonzero(following != here)
        active, here = active[moved], following[moved]
        end[active] = here
    return end
