"""Kernels: SciPy's functions on NumPy, and CuPy's of the same names, as far as there are any."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from chainrule.plugin import KernelSet

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
        function = getattr(library, op.__name__, None)
        if function is not None:
            ks.add(op.name, _expn(function) if op.__name__ == "expn" else _kernel(function))
    return ks


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
