"""The live NumPy backend: how its arrays are made and read."""

from __future__ import annotations

import math
import warnings
from typing import Any, Final, SupportsIndex

import numpy as np

from chainrule.backend import CPU, Backend, Device, DType, dtypes
from chainrule.errors import ArgumentError, BackendError, DTypeError

from . import spec


class _Natives(dict[Any, DType]):
    """From NumPy's dtypes to chainrule's; one that chainrule lacks is an error that says so."""

    def __missing__(self, native: Any) -> DType:
        msg = (
            f"expected an array of a dtype that chainrule has, got numpy's {native}: a kernel "
            "returned it, or an array was passed that holds it. Convert it with .astype(...)."
        )
        raise DTypeError(msg)


_DTYPES = {dtype: np.dtype(dtype.name) for dtype in dtypes.ALL if dtype is not dtypes.bfloat16}
_BY_NATIVE = _Natives({native: dtype for dtype, native in _DTYPES.items()})


#: NumPy 2.0 takes no ``copy``, and lets nobody write into what another library lent it.
_OLD_DLPACK: Final = np.lib.NumpyVersion(np.__version__) < "2.1.0"


class _Writeable:
    """The memory of an array that is marked as read-only, without the mark."""

    def __init__(self, array: Any) -> None:
        self.array = array  # keeps the memory
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


class NumpyBackend(Backend):
    """Arrays are plain ``numpy.ndarray``; nothing is copied that need not be."""

    xp = np
    array_type = np.ndarray

    def supports(self, dtype: DType) -> bool:
        return dtype in _DTYPES

    def dtype_of(self, array: Any) -> DType:
        return _BY_NATIVE[array.dtype]

    def device_of(self, array: Any) -> Device:
        return CPU

    def wrap(self, result: Any) -> Any:
        if isinstance(result, (np.generic, np.ndarray, int, float, complex)):
            return np.asarray(result)  # NumPy gives its own scalars for 0-d results
        msg = f"a kernel returned {type(result).__name__}, expected ndarray: {result!r:.80}"
        raise ArgumentError(msg)

    def empty(self, shape: tuple[int, ...], dtype: DType, device: Device) -> Any:
        return np.empty(shape, _DTYPES[dtype])

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Device) -> Any:
        if value == 0 and not isinstance(value, complex) and math.copysign(1, value) > 0:
            return np.zeros(shape, _DTYPES[dtype])
        if value == 1:  # the first gradient of a pass: half the time of full()
            ones = np.empty(shape, _DTYPES[dtype])
            ones.fill(1)
            return ones
        return np.full(shape, value, _DTYPES[dtype])

    def arange(self, start: float, step: float, count: int, dtype: DType, device: Device) -> Any:
        if isinstance(start, int) and isinstance(step, int):
            return np.arange(start, start + step * count, step, dtype=_DTYPES[dtype])
        return (start + step * np.arange(count, dtype=np.float64)).astype(_DTYPES[dtype])

    def from_buffer(self, data: Any, shape: tuple[int, ...], dtype: DType, device: Device) -> Any:
        return np.frombuffer(data, _DTYPES[dtype]).reshape(shape)

    def from_list(self, data: Any, shape: tuple[int, ...], dtype: DType, device: Device) -> Any:
        return np.array(data, _DTYPES[dtype]).reshape(shape)

    def from_numpy(self, array: Any, device: Device) -> Any:
        return array

    def from_dlpack(self, exporter: Any, *, copy: bool | None) -> Any:
        if not _OLD_DLPACK:
            return super().from_dlpack(exporter, copy=copy)
        array = np.from_dlpack(exporter)
        return array.copy() if copy else np.asarray(_Writeable(array))

    def to_numpy(self, array: Any) -> Any:
        return array

    def tolist(self, array: Any) -> Any:
        return array.tolist()

    def astype(self, array: Any, dtype: DType) -> Any:
        return array.astype(_DTYPES[dtype])

    def copy(self, array: Any) -> Any:
        return np.array(array, order="C")

    def assign(self, target: Any, source: Any) -> None:
        np.copyto(target, source, casting="unsafe")

    def copy_to(self, array: Any, device: Device) -> Any:
        return np.array(array, order="C")

    def strides(self, array: Any) -> tuple[int, ...]:
        if array.size == 0:  # NumPy gives zeros; count as if every size were at least one
            sizes = [max(size, 1) for size in array.shape]
            return tuple(math.prod(sizes[dim + 1 :]) for dim in range(array.ndim))
        return tuple(step // array.itemsize for step in array.strides)

    def is_contiguous(self, array: Any) -> bool:
        return bool(array.flags.c_contiguous)

    def data_ptr(self, array: Any) -> int:
        return int(array.ctypes.data)

    def stream(self, algorithm: str) -> Any:
        from chainrule_xp.streams import MT19937Stream, PhiloxStream

        streams = {"default": MT19937Stream, "mt19937": MT19937Stream, "philox": PhiloxStream}
        if algorithm not in streams:
            msg = f"stream: expected one of {', '.join(streams)}, got {algorithm!r}."
            raise BackendError(msg)
        return streams[algorithm](np)


class _Filters(list[Any]):
    """The filters of warnings, of which the first stays the first, whatever is put before it.

    Who asks for every warning, or for errors instead (``-W error``, a test runner), means those of
    the program. What PyTorch computes without a word raises nothing here either.
    """

    def insert(self, place: SupportsIndex, item: Any) -> None:
        super().insert(place.__index__() or 1, item)

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Filters(found) if isinstance(place, slice) else found

    def __setitem__(self, place: Any, item: Any) -> None:
        first = self[0]
        super().__setitem__(place, item)
        if self[:1] != [first]:  # warnings.resetwarnings()
            super().insert(0, first)


def compute_in_silence() -> None:
    """Let kernels compute infinities and NaN without a word: they are values, as in PyTorch.

    NumPy's own switch, errstate, costs as much per call as a small op; this filter costs nothing,
    and it leaves the warnings about the user's own NumPy code alone.
    """
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="chainrule")
    warnings.filters = _Filters(warnings.filters)


def create() -> NumpyBackend:
    """Return the live backend."""
    return NumpyBackend(spec)
