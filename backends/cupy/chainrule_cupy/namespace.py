"""``xp`` for CuPy's arrays: CuPy, with what it lacks or does otherwise put right in one place.

The family's kernels are written over NumPy's names and NumPy's meaning. Where CuPy has a name and
another meaning, the function here has NumPy's.
"""

from __future__ import annotations

from typing import Any, Final

import cupy

from . import blas
from .graphs import capturing
from .ordered import combine_in_order
from .settings import deterministic


class Namespace:
    """The names of CuPy; a name looked up once is an attribute from then on."""

    def __init__(self) -> None:
        self.__name__ = "cupy"

    def __getattr__(self, name: str) -> Any:
        found = getattr(cupy, name)
        setattr(self, name, found)
        return found

    def __repr__(self) -> str:
        return "<namespace of the CuPy backend>"


def matmul(a: Any, b: Any, out: Any = None) -> Any:
    """Return ``a @ b``; inside of a capture, where CuPy refuses, by cuBLAS directly."""
    if capturing() is None:
        return cupy.matmul(a, b, out=out)
    made = blas.matmul(a, b)
    if out is None:
        return made
    out[...] = made
    return out


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """Return ``a · b``, likewise."""
    if capturing() is None or a.ndim == 0 or b.ndim == 0 or b.ndim > 2:
        return cupy.dot(a, b, out=out)
    return matmul(a, b, out)


#: What small numbers are combined in: CUDA has no atomic operations on them.
WIDE: Final = {
    "float16": "float32", "int8": "int32", "int16": "int32", "uint8": "int32", "bool": "int32",
}  # fmt: skip


def add_at(out: Any, places: Any, values: Any) -> None:
    """Add *values* at *places*, as ``cupy.add.at`` does for some dtypes; here in every one."""
    if out.dtype.kind == "c":
        add_at(out.real, places, values.real)
        add_at(out.imag, places, values.imag)
    elif out.dtype.name in WIDE:
        wide = out.astype(WIDE[out.dtype.name])
        add_at(wide, places, values.astype(wide.dtype))
        out[...] = wide
    elif out.dtype.kind == "f" and deterministic():
        combine_in_order(out, places, values)
    else:
        cupy.add.at(out, places, values)


def argpartition(a: Any, kth: int, axis: int = -1) -> Any:
    """Return places that sort *a*, and so partition it.

    CuPy's own kernel for a small *kth* is wrong where there are NaNs, and counts on the threads of
    a warp going in step, which CUDA does not promise.
    """
    return cupy.argsort(a, axis)


xp: Final = Namespace()
vars(xp).update(add_at=add_at, argpartition=argpartition, dot=dot, matmul=matmul)
