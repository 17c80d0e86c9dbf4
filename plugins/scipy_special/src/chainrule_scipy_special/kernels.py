"""Kernels: SciPy's functions on NumPy, those of CuPy that there are, and our own."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any, Final

from chainrule.plugin import KernelSet

from . import slopes
from .ops import OPS

if TYPE_CHECKING:
    from collections.abc import Callable


def for_numpy() -> KernelSet:
    """Return kernels over NumPy's arrays."""
    return _kernels("numpy", "scipy.special")


def for_cupy() -> KernelSet:
    """Return kernels over CuPy's arrays."""
    return _kernels("cupy", "cupyx.scipy.special")


def _kernels(backend: str, module: str) -> KernelSet:
    """Return a kernel per op that *module* has a function of the same name for."""
    library = importlib.import_module(module)
    ks = KernelSet(backend)
    for op in OPS:
        kernel = _theirs(library, op.__name__) or _own(backend, library, op.__name__)
        if kernel is not None:
            ks.add(op.name, kernel)
    return ks


def _own(backend: str, library: Any, name: str) -> Callable[..., Any] | None:
    """Return our kernel of *name*, if there is one, over the arrays of *backend*."""
    make = slopes.OWN.get(name)
    return None if make is None else make(importlib.import_module(backend), library)


def _theirs(library: Any, name: str) -> Callable[..., Any] | None:
    """Return the function *name* of *library* as a kernel, or None if it has none."""
    function = getattr(library, name, None)
    return None if function is None else _ADAPTED.get(name, _kernel)(function)


def _kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return *function* as a kernel: the result has the dtype of the arrays, half precision too."""

    def kernel(*arrays: Any) -> Any:
        dtype = next(array.dtype for array in arrays if hasattr(array, "dtype"))
        result = function(*arrays)
        if isinstance(result, tuple):
            return tuple(part.astype(dtype, copy=False) for part in result)
        return result if result.dtype == dtype else result.astype(dtype)

    return kernel


def _expn(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the kernel of expn, whose order is a static argument."""

    def kernel(x: Any, *, n: int) -> Any:
        result = function(n, x)
        return result if result.dtype == x.dtype else result.astype(x.dtype)

    return kernel


def _lambertw(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the kernel of lambertw: of real numbers, real ones."""

    def kernel(x: Any, k: int = 0) -> Any:
        if x.dtype.kind == "c":
            return function(x, k).astype(x.dtype)
        result = function(x.reshape(-1), k)
        real = result.real.astype(x.dtype)
        real[result.imag != 0] = math.nan
        return real.reshape(x.shape)

    return kernel


_ADAPTED: Final = {"expn": _expn, "lambertw": _lambertw}
