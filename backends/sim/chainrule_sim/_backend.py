"""The live simulated backend: how its arrays are made and read, and where kernels run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.backend import Array, Backend, Device, DType, Kernel, KernelDef, dtypes

from . import spec
from .array import SimArray, device_of, unwrap, wrap
from .counting import DEVICES, counters, current_device
from .namespace import xp

_DTYPES = {dtype: np.dtype(dtype.name) for dtype in dtypes.ALL if dtype is not dtypes.bfloat16}
_BY_NATIVE = {native: dtype for dtype, native in _DTYPES.items()}
_DEVICES = tuple(Device("sim", index) for index in range(DEVICES))


@dataclass(frozen=True)
class KernelOnDevice(KernelDef):
    """A kernel that runs with the device of its arrays current: what it makes, it makes there.

    Infinities and NaN are values, and NumPy says nothing of them: a device has no such warnings.
    """

    def bind(self, namespace: object, otherwise: Kernel | None = None) -> Kernel:
        kernel = super().bind(namespace, otherwise)

        def run(*arrays: Any, **statics: Any) -> Any:
            device = device_of([*arrays, *statics.values()])
            counters.launched(self.op, device)
            before = current_device.set(device)
            try:
                with np.errstate(all="ignore"):
                    return kernel(*arrays, **statics)
            finally:
                current_device.reset(before)

        return run


class SimBackend(Backend):
    """Arrays are `SimArray`; each transfer between host and device is asked for, and counted."""

    xp = xp
    array_type = SimArray

    def adopt(self, kernel: KernelDef, ancestor: str) -> KernelDef:
        return KernelOnDevice(**vars(kernel))

    def supports(self, dtype: DType) -> bool:
        return dtype in _DTYPES

    def device_count(self) -> int:
        return DEVICES

    def dtype_of(self, array: Array) -> DType:
        return _BY_NATIVE[array.dtype]

    def device_of(self, array: Array) -> Device:
        number: int = array.device
        return _DEVICES[number]

    def wrap(self, result: Any) -> Array:
        raise TypeError(
            f"a kernel returned {type(result).__name__}, expected SimArray. It left the device: "
            "compute with functions of xp alone."
        )

    def empty(self, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        return wrap(np.empty(shape, _DTYPES[dtype]), _number(device))

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Device) -> Array:
        return wrap(np.full(shape, value, _DTYPES[dtype]), _number(device))

    def arange(self, start: float, step: float, count: int, dtype: DType, device: Device) -> Array:
        if isinstance(start, int) and isinstance(step, int):
            made = np.arange(start, start + step * count, step, dtype=_DTYPES[dtype])
        else:
            made = (start + step * np.arange(count, dtype=np.float64)).astype(_DTYPES[dtype])
        return wrap(made, _number(device))

    def from_buffer(self, data: Any, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        return _upload(np.frombuffer(data, _DTYPES[dtype]).reshape(shape).copy(), device)

    def from_list(self, data: Any, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        return _upload(np.array(data, _DTYPES[dtype]).reshape(shape), device)

    def from_numpy(self, array: Any, device: Device) -> Array:
        return _upload(np.array(array), device)

    def to_numpy(self, array: Array) -> Any:
        return _download(array).copy()

    def tolist(self, array: Array) -> Any:
        return _download(array).tolist()

    def astype(self, array: Array, dtype: DType) -> Array:
        counters.launched("astype", array.device)
        return array.astype(_DTYPES[dtype])

    def copy(self, array: Array) -> Array:
        counters.launched("copy", array.device)
        return xp.array(array, order="C")

    def assign(self, target: Array, source: Any) -> None:
        counters.launched("assign", target.device)
        memory = unwrap(target, target.device)
        if not memory.flags.writeable:
            memory.flags.writeable = True  # broadcast by NumPy, which is more careful than a device
        np.copyto(memory, unwrap(source, device_of([target, source])), casting="unsafe")

    def copy_to(self, array: Array, device: Device) -> Array:
        if array.device != _number(device):
            counters.moved(array.nbytes, array.device, _number(device))
        return wrap(np.array(unwrap(array, array.device), order="C"), _number(device))

    def strides(self, array: Array) -> tuple[int, ...]:
        return tuple(step // array.itemsize for step in array.strides)

    def data_ptr(self, array: Array) -> int:
        return int(unwrap(array, array.device).ctypes.data)

    def synchronize(self, device: Device) -> None:
        counters.waited("asked to", _number(device))

    def stream(self, algorithm: str) -> Any:
        from chainrule_xp.streams import PhiloxStream

        return PhiloxStream(xp)


def _number(device: Device) -> int:
    return device.index or 0


def _upload(host: Any, device: Device) -> Array:
    counters.uploaded(host.nbytes, _number(device))
    return wrap(host, _number(device))


def _download(array: Array) -> Any:
    counters.downloaded(array.nbytes, array.device)
    return unwrap(array, array.device)


def create() -> SimBackend:
    """Return the live backend."""
    return SimBackend(spec)
