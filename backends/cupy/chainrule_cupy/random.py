"""Random numbers: the words of Philox in one launch, and dropout's zeros and factors in another.

The numbers are those of `chainrule_xp.streams.PhiloxStream`, bit for bit: the words are made by
integer operations alone. Where a step is captured as a graph, seed and offset are read from the
device, so that every replay draws other numbers: see `Drawing`.
"""

from __future__ import annotations

from math import ceil
from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet
from chainrule_xp.random import in_memory_order
from chainrule_xp.streams import DEFAULT_SEED, PhiloxStream

from .cuda import NULL, THREADS, Source, accumulator, blocks_for

ks = KernelSet("cupy")

# `drawn` is null, or holds seed and offset on the device; what is passed is then added to it.
SOURCE: Final = Source(
    r"""
typedef unsigned long long u64;

struct Words { unsigned w[4]; };

__device__ inline Words philox(u64 block, u64 offset, u64 seed) {
  unsigned c0 = (unsigned)block, c1 = (unsigned)(block >> 32);
  unsigned c2 = (unsigned)offset, c3 = (unsigned)(offset >> 32);
  unsigned k0 = (unsigned)seed, k1 = (unsigned)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    const u64 left = 0xD2511F53ull * c0, right = 0xCD9E8D57ull * c2;
    const unsigned n0 = (unsigned)(right >> 32) ^ c1 ^ k0;
    const unsigned n2 = (unsigned)(left >> 32) ^ c3 ^ k1;
    c1 = (unsigned)right; c3 = (unsigned)left; c0 = n0; c2 = n2;
    k0 += 0x9E3779B9u; k1 += 0xBB67AE85u;
  }
  Words made;
  made.w[0] = c0; made.w[1] = c1; made.w[2] = c2; made.w[3] = c3;
  return made;
}

#define SEED_AND_OFFSET \
  if (drawn) { seed = drawn[0]; offset += drawn[1]; }

extern "C" __global__ void philox_words(
    unsigned* __restrict__ out, long long count, u64 seed, u64 offset, const u64* drawn) {
  SEED_AND_OFFSET
  for (long long b = blockIdx.x * (long long)blockDim.x + threadIdx.x; b * 4 < count;
       b += (long long)blockDim.x * gridDim.x) {
    const Words made = philox((u64)b, offset, seed);
    for (int k = 0; k < 4 && b * 4 + k < count; k++) out[b * 4 + k] = made.w[k];
  }
}

// Two elements per block of words: an element is kept if 53 bits of its two words are below the
// limit, as `bernoulli` of the stream decides it.
extern "C" __global__ void dropout_noise(
    T* __restrict__ out, long long count, u64 limit, Acc kept, u64 seed, u64 offset,
    const u64* drawn) {
  SEED_AND_OFFSET
  const u64 mask = (1ull << 53) - 1;
  for (long long b = blockIdx.x * (long long)blockDim.x + threadIdx.x; b * 2 < count;
       b += (long long)blockDim.x * gridDim.x) {
    const Words made = philox((u64)b, offset, seed);
    for (int k = 0; k < 2 && b * 2 + k < count; k++) {
      const u64 pair = ((u64)made.w[2 * k] << 32) | made.w[2 * k + 1];
      out[b * 2 + k] = (T)((pair & mask) < limit ? kept : (Acc)0);
    }
  }
}

// Uniform in [0, 1): 24 bits of a word each.
extern "C" __global__ void uniform24(
    float* __restrict__ out, long long count, u64 seed, u64 offset, const u64* drawn) {
  SEED_AND_OFFSET
  for (long long b = blockIdx.x * (long long)blockDim.x + threadIdx.x; b * 4 < count;
       b += (long long)blockDim.x * gridDim.x) {
    const Words made = philox((u64)b, offset, seed);
    for (int k = 0; k < 4 && b * 4 + k < count; k++)
      out[b * 4 + k] = (float)(int)(made.w[k] & 0xffffffu) * 5.9604644775390625e-8f;
  }
}
""",
    ["philox_words", "dropout_noise", "uniform24"],
)


class Drawing:
    """Seed and offset on the device, for draws that a graph captures.

    A draw inside of a capture takes its offset from the beginning of the capture on. Before every
    replay, `advance` writes where the stream stands now, and moves it behind the graph's draws.
    """

    def __init__(self, stream: CupyStream) -> None:
        self.stream, self.used = stream, 0
        self.place = cupy.zeros(2, np.uint64)

    def next(self) -> int:
        """Return the offset of the next draw, counted from the beginning of the capture."""
        self.used += 1
        return self.used - 1

    def advance(self) -> None:
        """Put the device's seed and offset to where the stream stands, before a replay."""
        seed, offset = self.stream.reserve(self.used)
        self.place.set(np.array([seed, offset], np.uint64))


class CupyStream(PhiloxStream):
    """`PhiloxStream` on the device that is current: words in one launch."""

    def __init__(self, xp: Any, seed: int = DEFAULT_SEED) -> None:
        self.capturing: Drawing | None = None
        super().__init__(xp, seed)

    def reserve(self, draws: int) -> tuple[int, int]:
        """Return seed and offset, and move the offset on by *draws*."""
        with self._lock:
            seed, offset = self._seed, self._offset
            self._offset = (offset + draws) % (1 << 64)
        return seed, offset

    def place(self) -> tuple[Any, Any, Any]:
        """Return seed, offset and the device's pair (or a null pointer) for the next draw."""
        if self.capturing is not None:
            return np.uint64(0), np.uint64(self.capturing.next()), self.capturing.place
        seed, offset = self.reserve(1)
        return np.uint64(seed), np.uint64(offset), NULL

    def noise(self, shape: tuple[int, ...], dtype: Any, p: float, kept: float) -> Any:
        """Return *kept* where `bernoulli` gives one with probability *p*, and zeros."""
        out = cupy.empty(shape, dtype)
        if out.size:
            limit = np.uint64(ceil(p * 2.0**53))
            kernel = SOURCE.kernels(out.dtype.name)["dropout_noise"]
            numbers = (np.int64(out.size), limit, accumulator(out.dtype)(kept))
            kernel(blocks_for(-(-out.size // 2)), (THREADS,), (out, *numbers, *self.place()))
        return out

    def _words32(self, count: int) -> Any:
        out = cupy.empty(count, np.uint32)
        if count:
            kernel = SOURCE.kernels("float32")["philox_words"]
            blocks = blocks_for(-(-count // 4))
            kernel(blocks, (THREADS,), (out, np.int64(count), *self.place()))
        return out

    def _u53(self, count: int) -> Any:
        # Not in place, as the family does it: CuPy takes an assignment of an array to its own
        # memory for one that changes nothing, whatever the two dtypes are.
        words = self.words64(count)
        words &= np.uint64((1 << 53) - 1)
        return words.astype(np.float64) * 2.0**-53

    def _u24(self, count: int) -> Any:
        out = cupy.empty(count, np.float32)
        if count:
            kernel = SOURCE.kernels("float32")["uniform24"]
            blocks = blocks_for(-(-count // 4))
            kernel(blocks, (THREADS,), (out, np.int64(count), *self.place()))
        return out


@ks.forward("cr::_dropout_noise")
def dropout_noise(x: Any, *, p: float, stream: Any, size: Any = None, scaled: bool = True) -> Any:
    part = x.real.dtype
    number = accumulator(part)
    kept = float(number(1) / number(1 - p)) if scaled else 1.0

    def draw(shape: tuple[int, ...]) -> Any:
        return stream.noise(shape, part, 1 - p, kept).astype(x.dtype, copy=False)

    return in_memory_order(x, draw) if size is None else draw(size)
