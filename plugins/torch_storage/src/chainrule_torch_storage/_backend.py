"""The live backend: how tensors are made and read, and how NumPy's kernels run on them.

A CPU tensor and a NumPy array can be the same memory. So every kernel that chainrule has for NumPy
is one for us: its arguments are seen as arrays, its results as tensors, and no element is copied.
What PyTorch does better stands in kernels.py and goes before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from chainrule.backend import Array, Backend, Device, DType, Kernel, KernelDef, dtypes
from chainrule.errors import ArgumentError, DTypeError

from . import memory, spec

_NATIVE = {
    dtype: getattr(torch, "bool" if dtype is dtypes.bool_ else dtype.name)
    for dtype in dtypes.ALL
    if dtype is not dtypes.bfloat16  # NumPy's kernels would not know it
}
_HERE = Device("torch", 0)
_OURS = {native: dtype for dtype, native in _NATIVE.items()}


@dataclass(frozen=True)
class KernelOnMemory(KernelDef):
    """A kernel for NumPy arrays that takes and gives tensors."""

    def bind(self, namespace: object, otherwise: Kernel | None = None) -> Kernel:
        """Return the kernel with its arguments and results seen as the other kind."""
        kernel = super().bind(np, otherwise)

        def run(*arrays: Any, **statics: Any) -> Any:
            given = {name: memory.on_host(item) for name, item in statics.items()}
            return memory.as_tensors(kernel(*map(memory.on_host, arrays), **given))

        return run


class TorchBackend(Backend):
    """Arrays are ``torch.Tensor`` on the CPU. The manual of each method is chainrule's."""

    xp = torch
    array_type = torch.Tensor

    def adopt(self, kernel: KernelDef, ancestor: str) -> KernelDef:
        """Return PyTorch's own kernels as they are, an ancestor's as one over the same memory."""
        return kernel if ancestor == self.name else KernelOnMemory(**vars(kernel))

    def supports(self, dtype: DType) -> bool:
        return dtype in _NATIVE

    def dtype_of(self, array: Array) -> DType:
        try:
            return _OURS[array.dtype]
        except KeyError:
            msg = f"expected a tensor of a dtype that chainrule has, got {array.dtype}."
            raise DTypeError(msg) from None

    def device_of(self, array: Array) -> Device:
        return _HERE

    def wrap(self, result: Any) -> Array:
        if isinstance(result, torch.Tensor):  # a subclass
            return result.as_subclass(torch.Tensor)
        if isinstance(result, (np.ndarray, np.generic, bool, int, float, complex)):
            return memory.as_tensor(np.asarray(result))
        msg = f"a kernel returned {type(result).__name__}, expected torch.Tensor: {result!r:.80}"
        raise ArgumentError(msg)

    # Making arrays

    def empty(self, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        return torch.empty(shape, dtype=_NATIVE[dtype])

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Device) -> Array:
        return torch.full(shape, value, dtype=_NATIVE[dtype])

    def arange(self, start: float, step: float, count: int, dtype: DType, device: Device) -> Array:
        whole = isinstance(start, int) and isinstance(step, int)
        counted = torch.arange(count, dtype=torch.int64 if whole else torch.float64)
        return (start + step * counted).to(_NATIVE[dtype])

    def from_buffer(self, data: Any, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        array = np.frombuffer(data, memory.on_host(torch.empty(0, dtype=_NATIVE[dtype])).dtype)
        return memory.as_tensor(array.reshape(shape))

    def from_list(self, data: Any, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        return torch.tensor(data, dtype=_NATIVE[dtype]).reshape(shape)

    def from_numpy(self, array: Any, device: Device) -> Array:
        return memory.as_tensor(array)

    # Reading them

    def to_numpy(self, array: Array) -> Any:
        return array.numpy()

    def tolist(self, array: Array) -> Any:
        return array.tolist()

    def strides(self, array: Array) -> tuple[int, ...]:
        return memory.strides(array)

    def is_contiguous(self, array: Array) -> bool:
        return bool(array.is_contiguous())

    def data_ptr(self, array: Array) -> int:
        return int(array.data_ptr())

    def from_dlpack(self, exporter: Any, *, copy: bool | None) -> Array:
        return torch.from_dlpack(exporter, copy=copy)

    # Copies and writes

    def astype(self, array: Array, dtype: DType) -> Array:
        return array.to(_NATIVE[dtype], copy=True)

    def copy(self, array: Array) -> Array:
        return array.clone(memory_format=torch.contiguous_format)

    def copy_to(self, array: Array, device: Device) -> Array:
        return self.copy(array)

    def assign(self, target: Array, source: Any) -> None:
        np.copyto(target.numpy(), memory.on_host(source), casting="unsafe")

    # Random numbers: the streams of the NumPy backend, which are PyTorch's

    def stream(self, algorithm: str) -> Any:
        from chainrule.backend import by_name

        return by_name("numpy").stream(algorithm)


def create() -> TorchBackend:
    """Return the live backend; called once, when it is first asked for."""
    return TorchBackend(spec)
