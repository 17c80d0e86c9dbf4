"""Memory shared with other array libraries, by the protocol that all of them speak: DLPack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..backend import for_device
from ..device import Device
from ..errors import ArgumentError, DeviceError, ExportError
from ..value import new_value

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["from_dlpack"]

#: DLPack's numbers of device types. Pinned host memory (3) is host memory.
_DEVICE_TYPES: Final = {1: "cpu", 2: "cuda", 3: "cpu"}


#: Where the device stands in what a capsule points at, by its name, which changes when it is used.
_PLACES: Final = {b"dltensor": 8, b"dltensor_versioned": 40}


class _Capsule:
    """A bare capsule as what exporters are: an object that hands it out.

    Raises:
        RuntimeError: it holds no tensor, or held one that was taken.
    """

    def __init__(self, capsule: Any) -> None:
        self.capsule, self._device = capsule, _device_in(capsule)

    def __dlpack__(self, **options: Any) -> Any:
        """Return the capsule; the one that takes it uses it up."""
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return the device that the capsule tells."""
        return self._device


def _device_in(capsule: Any) -> tuple[int, int]:
    """Return DLPack's number of the device type and the index, read from a capsule's memory."""
    import ctypes

    api = ctypes.pythonapi
    name_of, pointer_of = api.PyCapsule_GetName, api.PyCapsule_GetPointer
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    name = name_of(capsule)
    if name not in _PLACES:
        raise ExportError(
            "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed "
            "only once, so you might have already constructed a tensor from it once."
        )
    found = (ctypes.c_int32 * 2).from_address(pointer_of(capsule, name) + _PLACES[name])
    return found[0], found[1]


def from_dlpack(
    ext_tensor: Any, *, device: Device | str | None = None, copy: bool | None = None
) -> Tensor:
    """Return a tensor over the memory of another library's array: a change of one is seen in both.

    Args:
        ext_tensor: What has ``__dlpack__``: an array of NumPy or CuPy, a tensor of PyTorch; or the
            capsule that its ``__dlpack__`` returned, which can be used once.
        device: Where to; by default where the memory is.
        copy: True for a copy; False for none, or an error; None for one where it is needed.

    Returns:
        A leaf that requires no grad.

    Raises:
        TypeError: *ext_tensor* is neither.
        BufferError: it cannot be shared: the library has no way, tensors have no such dtype, or the
            capsule was used before.

    Source:
        https://dmlc.github.io/dlpack/latest/

    >>> import numpy as np
    >>> import chainrule as cr
    >>> array = np.zeros(2)
    >>> x = cr.from_dlpack(array)
    >>> array[0] = 5.0
    >>> x
    tensor([5., 0.], dtype=torch.float64)
    """
    exporter = _Capsule(ext_tensor) if type(ext_tensor).__name__ == "PyCapsule" else ext_tensor
    if not hasattr(exporter, "__dlpack__"):
        raise ArgumentError(
            f"from_dlpack: expected an object with __dlpack__, got {type(ext_tensor).__name__}. "
            "Use as_tensor() for lists and numbers."
        )
    number, index = exporter.__dlpack_device__()
    kind = _DEVICE_TYPES.get(int(number))
    if kind is None:
        raise DeviceError(
            "from_dlpack: expected memory of the CPU or of CUDA, got DLPack's device type "
            f"{number}. Copy it to the host first."
        )
    where = Device(kind, None if kind == "cpu" else int(index))
    backend = for_device(where)
    try:
        array = backend.from_dlpack(exporter, copy=copy)
    except (BufferError, RuntimeError) as error:
        raise ExportError(f"{error}\nfrom_dlpack: the memory cannot be shared. Copy it.") from error
    key = backend.key(backend.dtype_of(array), backend.canonical(where))
    made: Any = new_value(array, key)
    return made if device is None else made.to(device)  # type: ignore[no-any-return]  # a Tensor
