"""Kernels in CUDA C++: compiled on first use, once per combination of element types.

What is written here is plain C++ with CUDA's words: no inline PTX, no tensor-core intrinsics, so
that NVRTC compiles it for every GPU and a host compiler can run it in tests. `sources` lists the
text of every kernel for such checks.

Sums are taken in `Acc`, the wider type: float for half and float, double for double.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import cupy
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from chainrule.backend import KernelSet

F = TypeVar("F", bound="Callable[..., Any]")

#: What a dtype is called in CUDA C++, by NumPy's name.
C_NAMES: Final = {
    "bool": "bool", "int8": "signed char", "uint8": "unsigned char", "int16": "short",
    "int32": "int", "int64": "long long", "float16": "float16", "float32": "float",
    "float64": "double",
}  # fmt: skip
FLOATS: Final = ("float32", "float64", "float16")
#: What a sum of a dtype is taken in.
WIDER: Final = {"float16": "float", "float32": "float", "float64": "double"}

#: Helpers that stand before every kernel: casts to the wider type, sums over a warp and a block.
#: A block of threads is always a whole number of warps of 32.
HELPERS: Final = r"""
template<class X> __device__ inline X larger(X a, X b) { return (b > a || b != b) ? b : a; }

template<class X> __device__ inline X warp_sum(X v) {
  for (int d = 16; d; d >>= 1) v += __shfl_xor_sync(0xffffffffu, v, d);
  return v;
}
template<class X> __device__ inline X warp_largest(X v) {
  for (int d = 16; d; d >>= 1) v = larger(v, __shfl_xor_sync(0xffffffffu, v, d));
  return v;
}
// Every thread gets the sum over the block; `cells` has room for one number per warp.
template<class X> __device__ inline X block_sum(X v, X* cells) {
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  v = warp_sum(v);
  if (lane == 0) cells[warp] = v;
  __syncthreads();
  X total = (X)0;
  for (int w = 0; w < warps; w++) total += cells[w];
  __syncthreads();
  return total;
}
template<class X> __device__ inline X block_largest(X v, X* cells) {
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  v = warp_largest(v);
  if (lane == 0) cells[warp] = v;
  __syncthreads();
  X most = cells[0];
  for (int w = 1; w < warps; w++) most = larger(most, cells[w]);
  __syncthreads();
  return most;
}
"""

#: Threads per block of a kernel that gives each element a thread.
THREADS: Final = 256

#: What a kernel gets in the place of an array that is not there.
NULL: Final = np.uint64(0)

#: All that was made of the two classes below, in the order in which their files were read.
_registered: Final[list[Any]] = []
_elementwise: Final[list[Any]] = []


def includes(*dtypes: str) -> str:
    """Return the lines that bring CuPy's class of half floats, where one is needed."""
    return '#include "cupy/float16.cuh"' if "float16" in dtypes else ""


class Source:
    """The text of kernels over a type ``T``, and over ``I`` where there are indices, or sources.

    Args:
        text: CUDA C++ after the helpers; ``T``, ``Acc`` and ``I`` are names of types there.
        names: The kernels in it.
        dtypes: For which ``T`` it is compiled.
        indices: For which ``I``; none if the text does not use it.
        defines: Lines that stand before the text, by the size of ``T`` in bytes.
    """

    def __init__(
        self,
        text: str,
        names: Sequence[str],
        dtypes: Sequence[str] = FLOATS,
        indices: Sequence[str] = (),
        defines: Mapping[int, str] | None = None,
    ) -> None:
        self.text, self.names = text, tuple(names)
        self.dtypes, self.indices = tuple(dtypes), tuple(indices)
        self.defines = defines or {}
        self._modules: dict[tuple[str, str], dict[str, Any]] = {}
        _registered.append(self)

    def code(self, dtype: str, index: str = "") -> str:
        """Return the whole text for one combination of types."""
        types = [f"typedef {C_NAMES[dtype]} T;", f"typedef {WIDER.get(dtype, C_NAMES[dtype])} Acc;"]
        if index:
            types.append(f"typedef {C_NAMES[index]} I;")
        types.append(self.defines.get(np.dtype(dtype).itemsize, ""))
        return "\n".join([includes(dtype, index), HELPERS, *types, self.text])

    def kernels(self, dtype: str, index: str = "") -> dict[str, Any]:
        """Return the kernels by name, compiled when first called."""
        found = self._modules.get((dtype, index))
        if found is None:
            code = self.code(dtype, index)
            found = {name: cupy.RawKernel(code, name) for name in self.names}
            self._modules[dtype, index] = found
        return found

    def combinations(self) -> Iterator[tuple[str, str]]:
        """Yield the types that it is compiled for."""
        for dtype in self.dtypes:
            for index in self.indices or ("",):
                if index != dtype:
                    yield dtype, index


class Elementwise:
    """One expression for every element, broadcast as NumPy does, in one launch.

    Args:
        inputs: As for ``cupy.ElementwiseKernel``: ``"T x, T y, Acc bound"``, an array first.
            Numbers are ``Acc``.
        body: Statements that set ``out``, a variable of type ``Acc``, from the inputs, which have
            been read as ``Acc``.
        name: Of the kernel.
    """

    def __init__(self, inputs: str, body: str, name: str) -> None:
        self.inputs = [tuple(part.split()) for part in inputs.split(",")]
        self.body, self.name = body, name
        self._kernels: dict[Any, Any] = {}
        _elementwise.append(self)

    def __call__(self, x: Any, *others: Any) -> Any:
        """Return the new array, of the dtype of *x*; *others* are arrays of it, and numbers."""
        kernel = self._kernels.get(x.dtype)
        if kernel is None:
            kernel = self._kernels[x.dtype] = self._made(x.dtype)
        return kernel(x, *others)

    def _made(self, dtype: Any) -> Any:
        wide = accumulator(dtype).__name__
        inputs = ", ".join(
            f"{dtype if kind == 'T' else wide} {name}_" for kind, name in self.inputs
        )
        return cupy.ElementwiseKernel(
            inputs, f"{dtype} out_", self._statements(dtype.name), f"cr_{self.name}"
        )

    def _statements(self, dtype: str) -> str:
        acc, kind = WIDER[dtype], C_NAMES[dtype]
        reads = " ".join(f"const {acc} {name} = ({acc}){name}_;" for _, name in self.inputs)
        body = self.body.replace("Acc", acc)
        return f"{reads} {acc} out; {body} out_ = ({kind})out;"

    def code(self, dtype: str) -> str:
        """Return a kernel over contiguous memory with the same statements, for a compiler."""
        kind, acc = C_NAMES[dtype], WIDER[dtype]
        arguments = [
            f"const {kind}* {name}_at" if what == "T" else f"{acc} {name}_"
            for what, name in self.inputs
        ]
        reads = " ".join(
            f"const {kind} {name}_ = {name}_at[i];" for what, name in self.inputs if what == "T"
        )
        return (
            f'{includes(dtype)}\nextern "C" __global__ void cr_{self.name}('
            f"{', '.join(arguments)}, {kind}* out_at, long long n) {{\n"
            "  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; "
            f"i += (long long)blockDim.x * gridDim.x) {{ {reads} {kind} out_; "
            f"{self._statements(dtype)} out_at[i] = out_; }}\n}}\n"
        )


def sources() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield a label, the whole text and the kernels in it, for every kernel and combination.

    A check that compiles every one of them with NVRTC proves that they are CUDA for the GPUs it
    was asked for.
    """
    from . import casting, kernels  # noqa: F401 - their files register themselves

    for source in _registered:
        for dtype, index in source.combinations():
            label = "/".join(part for part in (source.names[0], dtype, index) if part)
            yield label, source.code(dtype, index), source.names
    for kernel in _elementwise:
        for dtype in FLOATS:
            yield f"{kernel.name}/{dtype}", kernel.code(dtype), (f"cr_{kernel.name}",)


def blocks_for(count: int) -> tuple[int]:
    """Return a grid that gives each of *count* elements a thread; larger ones are strided over."""
    return (min(-(-count // THREADS), 1 << 20) or 1,)


def accumulator(dtype: Any) -> type[np.floating[Any]]:
    """Return the type of numbers that ``Acc`` is for floating arrays of *dtype*."""
    return np.float64 if dtype == np.float64 else np.float32


def or_null(array: Any) -> Any:
    """Return *array* as a kernel's argument: a null pointer for None."""
    return NULL if array is None else array


@cache
def _floating(dtype: Any) -> bool:
    return dtype.name in FLOATS


def fused(ks: KernelSet, op: str, family: Callable[[Any], Any]) -> Callable[[F], F]:
    """Return a decorator: the kernel of *op* where its first array is floating; else *family*'s."""

    def add(kernel: F) -> F:
        def made(xp: Any) -> Any:
            plain = family(xp)

            def chosen(*arrays: Any, **options: Any) -> Any:
                used = kernel if _floating(arrays[0].dtype) else plain
                return used(*arrays, **options)

            return chosen

        ks.family(op)(made)
        return kernel

    return add
