"""Runs on the host what another backend has no kernel for, where the user allowed it."""

from __future__ import annotations

from typing import Any

from chainrule.backend import Array, Backend, KernelDef, by_name


def kernel_on_host(op: str, backend: Backend) -> KernelDef | None:
    """Return NumPy's kernel for *op* as one for *backend*: arrays are copied there and back."""
    host = by_name("numpy")
    found = host.find_kernel(op)
    if found is None:
        return None
    kernel = host.bound_kernel(op, lambda: _nothing_left)

    def run(*arrays: Any, **statics: Any) -> Any:
        device = backend.device_of(_first_array(arrays, backend))
        result = kernel(*_to_host(arrays, backend), **statics)
        return _to_device(result, backend, device)

    return KernelDef(op, run, provider=f"the CPU, {found[0].provider}")


def _nothing_left(*arrays: Any, **statics: Any) -> Any:
    raise NotImplementedError("the kernel on the CPU passes these arrays on, and none is left")


def _first_array(items: Any, backend: Backend) -> Array:
    """Return the first array in nested lists: it says on which device to put the result."""
    for item in items:
        if isinstance(item, backend.array_type):
            return item
        if isinstance(item, (list, tuple)):
            return _first_array(item, backend)
    raise TypeError(f"expected an array of backend {backend.name!r}, got none")


def _to_host(item: Any, backend: Backend) -> Any:
    if isinstance(item, backend.array_type):
        return backend.to_numpy(item)
    if isinstance(item, (list, tuple)):
        return type(item)(_to_host(part, backend) for part in item)
    return item


def _to_device(result: Any, backend: Backend, device: Any) -> Any:
    if isinstance(result, (list, tuple)):
        return tuple(_to_device(part, backend, device) for part in result)
    return backend.from_numpy(by_name("numpy").wrap(result), device)
