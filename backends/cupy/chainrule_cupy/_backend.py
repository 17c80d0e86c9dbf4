"""The live CuPy backend: how its arrays are made and read, and on which device kernels run."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Any, Final

import cupy
import numpy as np
from cupy.cuda import runtime

from chainrule.backend import Array, Backend, Device, DType, Kernel, KernelDef, dtypes
from chainrule.errors import ArgumentError, BackendError, DTypeError

from . import faults, spec
from .casting import cast, fits
from .devices import Runtime
from .namespace import xp
from .settings import settings


class _Natives(dict[Any, DType]):
    """From CuPy's dtypes to chainrule's; one that chainrule lacks is an error that says so."""

    def __missing__(self, native: Any) -> DType:
        msg = (
            f"expected an array of a dtype that chainrule has, got cupy's {native}: a kernel "
            "returned it, or an array was passed that holds it. Convert it with .astype(...)."
        )
        raise DTypeError(msg)


_DTYPES: Final = {
    dtype: np.dtype(dtype.name) for dtype in dtypes.ALL if dtype is not dtypes.bfloat16
}
_BY_NATIVE: Final = _Natives({native: dtype for dtype, native in _DTYPES.items()})
_HERE: Final = contextlib.nullcontext()


def on(number: int) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which device *number* is CuPy's current one; free where it is already."""
    return _HERE if runtime.getDevice() == number else cupy.cuda.Device(number)


def device_among(items: Any) -> int | None:
    """Return the device of the first array in *items*, nested lists and tuples; None if none."""
    for item in items:
        if isinstance(item, cupy.ndarray):
            return int(item.device.id)
        if isinstance(item, (list, tuple)):
            found = device_among(item)
            if found is not None:
                return found
    return None


@dataclass(frozen=True)
class KernelOnDevice(KernelDef):
    """A kernel that runs with the device of its arrays current: what it makes, it makes there.

    Needed where there is more than one device; with one, kernels are called as they are.
    """

    def bind(self, namespace: object, otherwise: Kernel | None = None) -> Kernel:
        kernel = super().bind(namespace, otherwise)

        def run(*arrays: Any, **statics: Any) -> Any:
            number = device_among([*arrays, *statics.values()])
            if number is None or number == runtime.getDevice():
                return kernel(*arrays, **statics)
            with cupy.cuda.Device(number):
                return kernel(*arrays, **statics)

        return run


class CupyBackend(Backend):
    """Arrays are plain ``cupy.ndarray``; a device is waited for where a number is read."""

    xp = xp
    array_type = cupy.ndarray

    def __init__(self) -> None:
        super().__init__(spec)
        self.runtime = Runtime()
        self._devices = tuple(Device("cuda", n) for n in range(runtime.getDeviceCount()))

    def adopt(self, kernel: KernelDef, ancestor: str) -> KernelDef:
        return kernel if len(self._devices) == 1 else KernelOnDevice(**vars(kernel))

    def supports(self, dtype: DType) -> bool:
        return dtype in _DTYPES

    def device_count(self) -> int:
        return len(self._devices)

    def canonical(self, device: Device) -> Device:
        if device.index is None:
            return Device("cuda", int(runtime.getDevice()))
        return super().canonical(device)

    def dtype_of(self, array: Array) -> DType:
        return _BY_NATIVE[array.dtype]

    def device_of(self, array: Array) -> Device:
        number: int = array.device.id
        return self._devices[number]

    def wrap(self, result: Any) -> Array:
        if isinstance(result, cupy.ndarray):  # a subclass of another library
            return result.view(cupy.ndarray)
        msg = (
            f"a kernel returned {type(result).__name__}, expected cupy.ndarray: {result!r:.80}\n"
            "It left the device: compute with functions of CuPy alone."
        )
        raise ArgumentError(msg)

    def empty(self, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        with on(_number(device)):
            return cupy.empty(shape, _DTYPES[dtype])

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Device) -> Array:
        with on(_number(device)):
            if value == 0 and not isinstance(value, complex) and math.copysign(1, value) > 0:
                return cupy.zeros(shape, _DTYPES[dtype])
            # A NumPy scalar holds the number as NumPy casts it, which wraps where CuPy refuses.
            made = cupy.empty(shape, _DTYPES[dtype])
            made.fill(np.full((), value, _DTYPES[dtype])[()])
            return made

    def arange(self, start: float, step: float, count: int, dtype: DType, device: Device) -> Array:
        native = _DTYPES[dtype]
        with on(_number(device)):
            if isinstance(start, int) and isinstance(step, int):
                return (start + step * cupy.arange(count, dtype=np.int64)).astype(
                    native, copy=False
                )
            return (start + step * cupy.arange(count, dtype=np.float64)).astype(native, copy=False)

    def from_buffer(self, data: Any, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        return self.from_numpy(np.frombuffer(data, _DTYPES[dtype]).reshape(shape), device)

    def from_list(self, data: Any, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        return self.from_numpy(np.array(data, _DTYPES[dtype]).reshape(shape), device)

    def from_numpy(self, array: Any, device: Device) -> Array:
        with on(_number(device)):
            return cupy.array(array, order="C")

    def to_numpy(self, array: Array) -> Any:
        with on(array.device.id):
            host = cupy.asnumpy(array)
            faults.check(array.device.id)
            return host

    def tolist(self, array: Array) -> Any:
        return self.to_numpy(array).tolist()

    def astype(self, array: Array, dtype: DType) -> Array:
        native = _DTYPES[dtype]
        with on(array.device.id):
            if array.dtype.kind == "c" and native.kind not in "cb":
                array = array.real  # CuPy would warn of the part that is dropped
            return cast(array, native) if fits(array, native) else array.astype(native)

    def copy(self, array: Array) -> Array:
        with on(array.device.id):
            return cupy.array(array, order="C")

    def assign(self, target: Array, source: Any) -> None:
        with on(target.device.id):
            if not isinstance(source, cupy.ndarray):
                target.fill(np.full((), source, target.dtype)[()])
                return
            if source.dtype.kind == "c" and target.dtype.kind not in "cb":
                source = source.real
            cupy.copyto(target, source, casting="unsafe")

    def copy_to(self, array: Array, device: Device) -> Array:
        number = _number(device)
        if array.device.id == number:
            return self.copy(array)
        with on(array.device.id):
            source = cupy.ascontiguousarray(array)
        with on(number):
            return cupy.array(source, order="C")

    def strides(self, array: Array) -> tuple[int, ...]:
        if array.size == 0:  # CuPy gives zeros; count as if every size were at least one
            sizes = [max(size, 1) for size in array.shape]
            return tuple(math.prod(sizes[dim + 1 :]) for dim in range(array.ndim))
        return tuple(step // array.itemsize for step in array.strides)

    def is_contiguous(self, array: Array) -> bool:
        return bool(array.flags.c_contiguous)

    def data_ptr(self, array: Array) -> int:
        return int(array.data.ptr)

    def from_dlpack(self, exporter: Any, *, copy: bool | None) -> Array:
        made = cupy.from_dlpack(exporter)
        return cupy.array(made) if copy else made

    def synchronize(self, device: Device) -> None:
        number = self.canonical(device).index or 0
        with on(number):
            runtime.deviceSynchronize()
            faults.check(number)

    def use_determinism(self, wanted: bool) -> None:
        settings.deterministic = wanted

    def memory_stats(self) -> dict[str, int]:
        found = self.runtime.memory(runtime.getDevice())
        return {
            "allocated_bytes.all.current": found["used"],
            "allocated_bytes.all.peak": found["peak_used"],
            "reserved_bytes.all.current": found["reserved"],
            "reserved_bytes.all.peak": found["peak_reserved"],
        }

    def stream(self, algorithm: str) -> Any:
        from .random import CupyStream

        if algorithm not in {"default", "philox"}:
            raise BackendError(
                f"stream: expected 'default' or 'philox', got {algorithm!r}: random numbers of "
                "CUDA devices are computed from their positions."
            )
        return CupyStream(xp)


def _number(device: Device) -> int:
    return int(runtime.getDevice()) if device.index is None else device.index


def create() -> CupyBackend:
    """Return the live backend."""
    return CupyBackend()
