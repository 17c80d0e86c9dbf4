"""Products of matrices by cuBLAS, called as its manual says, through the handle that CuPy holds.

CuPy's own ``matmul`` refuses to be captured in a graph, though cuBLAS itself can be. So inside of a
capture the library is called directly. What was captured needs a workspace that stays: it is given
one, since ``cublasSetStream`` takes any other away.
"""

from __future__ import annotations

import ctypes
from functools import cache
from math import prod
from typing import Any, Final

import cupy
import numpy as np

from chainrule.errors import BackendError

#: cuBLAS's numbers for types of elements, and for those to compute in.
TYPES: Final = {"float16": (2, 68), "float32": (0, 68), "float64": (1, 70)}
#: Bytes that cuBLAS may use while it computes.
WORKSPACE: Final = 32 << 20


@cache
def library() -> Any:
    """Return cuBLAS, which CuPy has loaded when it gave out a handle."""
    cupy.cuda.device.get_cublas_handle()
    major = cupy.cuda.runtime.runtimeGetVersion() // 1000
    found = ctypes.CDLL(f"libcublas.so.{major}")
    pointer, integer, wide = ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong
    found.cublasSetStream_v2.argtypes = [pointer, pointer]
    found.cublasGemmStridedBatchedEx.argtypes = [
        pointer, integer, integer, integer, integer, integer, pointer,
        pointer, integer, integer, wide, pointer, integer, integer, wide, pointer,
        pointer, integer, integer, wide, integer, integer, integer,
    ]  # fmt: skip
    return found


@cache
def _workspace(number: int) -> Any:
    """Return memory for cuBLAS on device *number*, which is never freed."""
    return cupy.cuda.alloc(WORKSPACE)


def prepare() -> None:
    """Make what cannot be made inside of a capture: handle, library, workspace."""
    library()
    _workspace(cupy.cuda.runtime.getDevice())


def _checked(status: int, what: str) -> None:
    if status:
        raise BackendError(f"{what}: cuBLAS returned status {status}.")


def _as_rows(matrix: Any) -> tuple[Any, bool]:
    """Return a stack of matrices as cuBLAS can read it, and whether it lies transposed.

    Rows follow each other (or columns do), matrices lie at equal distances.
    """
    for transposed, seen in ((False, matrix), (True, matrix.swapaxes(-1, -2))):
        if seen.flags.c_contiguous:
            return seen, transposed
    return cupy.ascontiguousarray(matrix), False


def matmul(a: Any, b: Any) -> Any:
    """Return ``a @ b`` as ``cupy.matmul`` does, for floating arrays, without leaving a capture."""
    dtype = a.dtype
    if dtype.name not in TYPES or b.dtype != dtype:
        raise BackendError(
            f"matmul in a graph: expected two arrays of one floating dtype, got {dtype} and "
            f"{b.dtype}. Compute it outside of the capture."
        )
    left, right = (a[None, :] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    rows, inner, columns = left.shape[-2], left.shape[-1], right.shape[-1]
    out = cupy.empty((*batch, rows, columns), dtype)
    if out.size and inner:
        _multiply(_stacked(left, batch), _stacked(right, batch), out.reshape(-1, rows, columns))
    else:
        out.fill(0)
    shape = batch + (() if a.ndim == 1 else (rows,)) + (() if b.ndim == 1 else (columns,))
    return out.reshape(shape)


def _stacked(matrix: Any, batch: tuple[int, ...]) -> Any:
    """Return *matrix* as a stack over *batch*; one for all stays one."""
    if prod(matrix.shape[:-2]) == 1:
        return matrix.reshape(1, *matrix.shape[-2:])
    full = cupy.broadcast_to(matrix, (*batch, *matrix.shape[-2:]))
    return full.reshape(-1, *matrix.shape[-2:])


def _multiply(a: Any, b: Any, out: Any) -> None:
    """Write the products of two stacks into *out*: by columns, as cuBLAS sees them, b before a."""
    found, handle = library(), cupy.cuda.device.get_cublas_handle()
    stream = cupy.cuda.get_current_stream().ptr
    _checked(found.cublasSetStream_v2(handle, stream), "cublasSetStream")
    if hasattr(found, "cublasSetWorkspace_v2"):
        room = _workspace(cupy.cuda.runtime.getDevice())
        status = found.cublasSetWorkspace_v2(
            ctypes.c_void_p(handle), ctypes.c_void_p(room.ptr), ctypes.c_size_t(WORKSPACE)
        )
        _checked(status, "cublasSetWorkspace")
    kind, compute = TYPES[out.dtype.name]
    number = ctypes.c_double if out.dtype == np.float64 else ctypes.c_float
    one, zero = number(1), number(0)
    (a, a_turned), (b, b_turned) = _as_rows(a), _as_rows(b)
    count, rows, columns = out.shape
    inner = a.shape[2] if not a_turned else a.shape[1]
    steps = [0 if len(m) == 1 else m.shape[1] * m.shape[2] for m in (b, a)]
    status = found.cublasGemmStridedBatchedEx(
        handle, int(b_turned), int(a_turned), columns, rows, inner, ctypes.byref(one),
        b.data.ptr, kind, b.shape[2], steps[0], a.data.ptr, kind, a.shape[2], steps[1],
        ctypes.byref(zero), out.data.ptr, kind, columns, rows * columns, count, compute, -1,
    )  # fmt: skip
    _checked(status, "cublasGemmStridedBatchedEx")
