"""Kernels of chainrule/ops/gathering.py, scattering.py, rows.py and embeddings.py.

CuPy lets a place that is out of bounds wrap around. Here every place is looked at on the device,
in the launch that uses it or in one before, and a wrong one is told as `faults` says.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet
from chainrule_xp import gathering as family

from . import faults
from .cuda import FLOATS, THREADS, Source, blocks_for, or_null
from .namespace import WIDE, Namespace, add_at
from .ordered import LARGER, MULTIPLY, SMALLER, combine_in_order
from .settings import deterministic

if TYPE_CHECKING:
    from collections.abc import Callable

ks = KernelSet("cupy")

_FAULT: Final = faults.register("index {place} is out of bounds: expected one from {low} to {high}")
_PLACE: Final = "index {place} is out of bounds for dimension 0: expected one from {low} to {high}"
#: Told late, it is the whole message; told at once, `embedding` writes PyTorch's line before it.
_NO_ROW: Final = faults.register(
    _PLACE if faults.BLOCKING else f"index out of range in self\nembedding: {_PLACE}"
)

CHECK: Final = Source(
    faults.REPORT
    + r"""
extern "C" __global__ void check_places(
    const T* __restrict__ places, long long count, long long low, long long high,
    long long* fault, int op) {
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count;
       i += (long long)blockDim.x * gridDim.x) {
    const long long place = (long long)places[i];
    if (place < low || place >= high) report(fault, op, place, low, high);
  }
}
""",
    ["check_places"],
    dtypes=["int64", "int32"],
)

# Rows are what lies behind the dimension, `inner` elements each; there are `size` of them, once
# for each of the `outer` elements before it.
ROWS: Final = Source(
    faults.REPORT
    + r"""
extern "C" __global__ void take_rows(
    const T* __restrict__ x, const I* __restrict__ places, T* __restrict__ out,
    long long outer, long long size, long long count, long long inner, long long* fault, int op) {
  const long long elements = outer * count * inner;
  for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < elements;
       e += (long long)blockDim.x * gridDim.x) {
    const long long j = e % inner, k = e / inner % count, o = e / inner / count;
    long long place = (long long)places[k];
    if (place < 0 || place >= size) { report(fault, op, place, 0, size); place = 0; }
    out[e] = x[(o * size + place) * inner + j];
  }
}
""",
    ["take_rows"],
    dtypes=["float32", "float64", "float16", "int64", "int32", "bool", "uint8"],
    indices=["int64", "int32"],
)

ADD: Final = Source(
    r"""
// In any order: a sum of floats may differ in its last bits from one time to the next.
extern "C" __global__ void add_rows(
    const T* __restrict__ grad, const I* __restrict__ places, Acc* __restrict__ out,
    const long long* __restrict__ counts, long long size, long long count, long long inner,
    long long left_out) {
  for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < count * inner;
       e += (long long)blockDim.x * gridDim.x) {
    const long long k = e / inner, j = e % inner, place = (long long)places[k];
    if (place < 0 || place >= size || place == left_out) continue;
    const Acc v = (Acc)grad[e];
    atomicAdd(out + place * inner + j, counts ? v / (Acc)counts[place] : v);
  }
}

// In the order of `order`, which sorts the places and keeps equal ones as they stood: the thread
// that meets the first of a run of equal places adds up the run.
extern "C" __global__ void add_sorted_rows(
    const T* __restrict__ grad, const I* __restrict__ places,
    const long long* __restrict__ order, T* __restrict__ out,
    const long long* __restrict__ counts, long long size, long long count, long long inner,
    long long left_out) {
  for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < count * inner;
       e += (long long)blockDim.x * gridDim.x) {
    const long long s = e / inner, j = e % inner, place = (long long)places[order[s]];
    if (place < 0 || place >= size || place == left_out) continue;
    if (s && (long long)places[order[s - 1]] == place) continue;
    Acc sum = 0;
    for (long long r = s; r < count && (long long)places[order[r]] == place; r++)
      sum += (Acc)grad[order[r] * inner + j];
    out[place * inner + j] = (T)(counts ? sum / (Acc)counts[place] : sum);
  }
}
""",
    ["add_rows", "add_sorted_rows"],
    indices=["int64", "int32"],
)


def check_places(places: Any, low: int, high: int, op: int = _FAULT) -> None:
    """Have the device look for places that are not from *low* to *high* - 1."""
    if not places.size:
        return
    places = cupy.ascontiguousarray(places)
    kernel = CHECK.kernels(places.dtype.name)["check_places"]
    numbers = (np.int64(places.size), np.int64(low), np.int64(high))
    kernel(blocks_for(places.size), (THREADS,), (places, *numbers, faults.record(), np.int32(op)))
    faults.launched()


def take_rows(x: Any, places: Any, dim: int, op: int = _FAULT) -> Any:
    """Return *x* with the rows along *dim* that *places* names, ``(*before, *places, *behind)``."""
    before, behind = x.shape[:dim], x.shape[dim + 1 :]
    shape = (*before, *places.shape, *behind)
    if x.dtype.name not in ROWS.dtypes or places.dtype.name not in ROWS.indices:
        check_places(places, 0, x.shape[dim], op)
        return x.take(places, dim)
    out = cupy.empty(shape, x.dtype)
    if out.size:
        kernel = ROWS.kernels(x.dtype.name, places.dtype.name)["take_rows"]
        sizes = (prod(before), x.shape[dim], places.size, prod(behind))
        arrays = (cupy.ascontiguousarray(x), cupy.ascontiguousarray(places), out)
        numbers = (*map(np.int64, sizes), faults.record(), np.int32(op))
        kernel(blocks_for(out.size), (THREADS,), (*arrays, *numbers))
        faults.launched()
    return out


def add_rows(grad: Any, places: Any, size: int, *, counts: Any = None, left_out: int = -1) -> Any:
    """Return *size* rows of zeros with the rows of *grad* added where *places* says.

    Args:
        grad: ``(*places, inner)``, floating.
        places: Of any shape, int64 or int32.
        size: How many rows there are.
        counts: By what each row's sum is divided, int64; None for 1.
        left_out: A row that stays zero.
    """
    inner, count = grad.shape[-1], places.size
    grad, places = cupy.ascontiguousarray(grad), cupy.ascontiguousarray(places).reshape(-1)
    exact = deterministic()
    wide = grad.dtype if exact or grad.dtype != np.float16 else np.dtype(np.float32)
    out = cupy.zeros((size, inner), wide)
    if count * inner and size:
        kernels = ADD.kernels(grad.dtype.name, places.dtype.name)
        numbers = (or_null(counts), *map(np.int64, (size, count, inner, left_out)))
        grid = blocks_for(count * inner)
        if exact:
            order = cupy.argsort(places, kind="stable")
            arguments = (grad, places, order, out, *numbers)
            kernels["add_sorted_rows"](grid, (THREADS,), arguments)
        else:
            kernels["add_rows"](grid, (THREADS,), (grad, places, out, *numbers))
    return out.astype(grad.dtype, copy=False)


# Rows


@ks.forward("cr::_embedding")
def embedding(
    weight: Any, indices: Any, *, padding_idx: int = -1, scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:  # fmt: skip
    return take_rows(weight, indices, 0, _NO_ROW)


@ks.family("cr::embedding_backward")
def embedding_backward(xp: Any) -> Any:
    plain = family.embedding_backward(xp)

    def kernel(
        grad_output: Any, indices: Any, *, num_weights: int, padding_idx: int,
        scale_grad_by_freq: bool,
    ) -> Any:  # fmt: skip
        if grad_output.dtype.name not in FLOATS or not grad_output.shape[-1]:
            return plain(
                grad_output, indices, num_weights=num_weights, padding_idx=padding_idx,
                scale_grad_by_freq=scale_grad_by_freq,
            )  # fmt: skip
        counts = None
        if scale_grad_by_freq:
            counts = cupy.bincount(indices.reshape(-1), minlength=num_weights)
        return add_rows(grad_output, indices, num_weights, counts=counts, left_out=padding_idx)

    return kernel


@ks.forward("cr::_index_select")
def index_select(x: Any, index: Any, *, dim: int) -> Any:
    if x.ndim == 0:
        check_places(index, 0, 1)
        return cupy.array(x)
    return take_rows(x, index.reshape(-1), dim % x.ndim)


# Single elements

MULTIPLICATION: Final = Source(
    r"""
// Multiplies by reading, multiplying, and trying again where another thread came in between.
extern "C" __global__ void multiply_at(
    T* __restrict__ out, const long long* __restrict__ places, const T* __restrict__ values,
    long long count) {
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count;
       i += (long long)blockDim.x * gridDim.x) {
    union Cell { T value; BITS bits; } seen, made;
    BITS* at = (BITS*)(out + places[i]);
    seen.bits = atomicCAS(at, (BITS)0, (BITS)0);  // reads, as an atomic operation
    for (;;) {
      made.value = seen.value * values[i];
      const BITS found = atomicCAS(at, seen.bits, made.bits);
      if (found == seen.bits) break;
      seen.bits = found;
    }
  }
}
""",
    ["multiply_at"],
    dtypes=["float32", "float64", "int32", "int64"],
    defines={4: "#define BITS unsigned int", 8: "#define BITS unsigned long long"},
)


#: Ops that combine numbers atomically, in the dtype of `WIDE`.
COMBINING: Final = ("scatter_add", "scatter_combined", "scatter_reduce", "index_add")
#: Ops for which a place below zero counts from the end, as in PyTorch.
FROM_THE_END: Final = ("index_fill",)


def multiply_at(out: Any, places: Any, values: Any) -> None:
    """Multiply the elements of *out* at *places* with *values*, each as often as it is named."""
    if out.dtype.kind == "f" and deterministic():
        combine_in_order(out, places, values, MULTIPLY)
        return
    values = cupy.ascontiguousarray(cupy.broadcast_to(values, places.shape), out.dtype)
    if places.size:
        kernel = MULTIPLICATION.kernels(out.dtype.name)["multiply_at"]
        arrays = (out, cupy.ascontiguousarray(places), values)
        kernel(blocks_for(places.size), (THREADS,), (*arrays, np.int64(places.size)))


def larger_at(out: Any, places: Any, values: Any) -> None:
    """Put *values* at *places* where they are larger; CuPy rounds doubles to float there."""
    if out.dtype.kind == "f":
        combine_in_order(out, places, values, LARGER)
    else:
        cupy.maximum.at(out, places, values)


def smaller_at(out: Any, places: Any, values: Any) -> None:
    """Put *values* at *places* where they are smaller, likewise."""
    if out.dtype.kind == "f":
        combine_in_order(out, places, values, SMALLER)
    else:
        cupy.minimum.at(out, places, values)


class _WithAt:
    """A ufunc of CuPy, with another method ``at``: it has none, or one for fewer dtypes."""

    def __init__(self, plain: Any, at: Callable[[Any, Any, Any], None]) -> None:
        self.plain, self.at = plain, at

    def __call__(self, *arrays: Any, **options: Any) -> Any:
        return self.plain(*arrays, **options)


#: The namespace of the kernels that combine numbers at places.
_combining: Final = Namespace()
vars(_combining).update(
    add=_WithAt(cupy.add, add_at),
    multiply=_WithAt(cupy.multiply, multiply_at),
    maximum=_WithAt(cupy.maximum, larger_at),
    minimum=_WithAt(cupy.minimum, smaller_at),
)


def _checked(name: str) -> None:
    """Register the family's kernel with its index looked at before."""
    made = getattr(family, name)

    @ks.family(f"cr::_{name}")
    def checked(xp: Any) -> Any:
        plain = made(_combining)

        def kernel(x: Any, index: Any, *rest: Any, dim: int, **statics: Any) -> Any:
            size = x.shape[dim % x.ndim] if x.ndim else 1
            check_places(index, -size if name in FROM_THE_END else 0, size)
            wide = WIDE.get(x.dtype.name) if name in COMBINING else None
            if wide is None:
                return plain(x, index, *rest, dim=dim, **statics)
            rest = tuple(array.astype(wide) for array in rest)
            return plain(x.astype(wide), index, *rest, dim=dim, **statics).astype(x.dtype)

        return kernel


for _name in (
    "gather", "scatter", "scatter_value", "scatter_add", "scatter_combined", "scatter_reduce",
    "index_add", "index_copy", "index_fill",
):  # fmt: skip
    _checked(_name)


@ks.family("cr::_one_hot")
def one_hot(xp: Any) -> Any:
    plain = family.one_hot(xp)

    def kernel(x: Any, *, num_classes: int) -> Any:
        check_places(x, 0, num_classes)
        return plain(x, num_classes=num_classes)

    return kernel
