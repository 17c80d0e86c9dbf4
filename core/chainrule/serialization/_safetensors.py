"""The safetensors format, which holds numbers and names and runs no code.

A file is written whole or not at all, and read whole before anything is made of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .. import dtypes
from ..backend import for_device
from ..device import Device
from ..errors import ArgumentError, DTypeError, FileFormatError
from ..value import Value, new_value
from ._files import kind_of, replacing

if TYPE_CHECKING:
    import os

    from ..backend import Backend
    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = ["load_file", "save_file"]

#: The format's names of dtypes.
_CODES: Final = {
    "BOOL": dtypes.bool_,
    "U8": dtypes.uint8,
    "I8": dtypes.int8,
    "I16": dtypes.int16,
    "I32": dtypes.int32,
    "I64": dtypes.int64,
    "F16": dtypes.float16,
    "BF16": dtypes.bfloat16,
    "F32": dtypes.float32,
    "F64": dtypes.float64,
    "C64": dtypes.complex64,
}


def save_file(
    tensors: Mapping[str, Tensor],
    filename: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write *tensors* to *filename*: a state dict, or any dict from names to tensors.

    An existing file is replaced only once the new one is complete. Tensors that share memory are
    written one by one. History and ``requires_grad`` are not written.

    Args:
        tensors: What to write; on any device.
        filename: Where; by custom with the suffix ``.safetensors``.
        metadata: Text to put beside them.

    Raises:
        ArgumentError: *tensors* is no dict from strings to tensors.
        DTypeError: the format has no such dtype (complex128).
        OSError: the file cannot be written.

    >>> save_file({"weight": cr.ones(2)}, "ones.safetensors")
    >>> load_file("ones.safetensors")
    {'weight': tensor([1., 1.])}
    """
    from safetensors.numpy import save

    arrays = {name: _array(name, tensor) for name, tensor in _items(tensors)}
    content = save(arrays, dict(metadata) if metadata else None)
    with replacing(Path(filename)) as file:
        file.write(content)


def load_file(filename: str | os.PathLike[str], device: Device | str = "cpu") -> dict[str, Tensor]:
    """Return the tensors in *filename*, by name, on *device*.

    Raises:
        FileFormatError: it is no safetensors file, is damaged, or holds a dtype unknown here.
        OSError: it cannot be read.
    """
    from safetensors import SafetensorError, deserialize

    content = Path(filename).read_bytes()
    try:
        entries = deserialize(content)  # type: ignore[no-untyped-call]  # safetensors has no types
    except SafetensorError as error:
        raise FileFormatError(
            f"load_file: expected a safetensors file, {str(filename)!r} is {kind_of(content)}: "
            f"{error}"
        ) from error
    device = Device(device)
    backend = for_device(device)
    device = backend.canonical(device)
    plans = [(name, entry, _dtype(filename, name, entry["dtype"])) for name, entry in entries]
    return {name: _tensor(entry, dtype, backend, device) for name, entry, dtype in plans}


def _items(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    if not isinstance(tensors, Mapping):
        raise ArgumentError(
            f"save_file: expected a dict from names to tensors, got {type(tensors).__name__}. "
            "For a model, pass model.state_dict()."
        )
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, Value):
            raise ArgumentError(
                f"save_file: expected a dict from names to tensors, got {type(tensor).__name__} "
                f"under {name!r}. Leave out what is no tensor."
            )
        yield name, tensor


def _array(name: str, tensor: Tensor) -> Any:
    """Return the values as a contiguous array of the host."""
    if tensor.dtype not in _CODES.values():
        raise DTypeError(
            f"save_file: the format has no {tensor.dtype}, which {name!r} is. Save its real and "
            "imaginary parts, or convert it to torch.complex64."
        )
    array = tensor._key.backend.to_numpy(tensor._array)
    return array if array.flags.c_contiguous else array.copy()


def _dtype(filename: str | os.PathLike[str], name: str, code: str) -> DType:
    if code in _CODES:
        return _CODES[code]
    raise FileFormatError(
        f"load_file: {name!r} in {str(filename)!r} has dtype {code}, which chainrule does not "
        f"have. It has {', '.join(_CODES)}."
    )


def _tensor(entry: dict[str, Any], dtype: DType, backend: Backend, device: Device) -> Tensor:
    key, shape = backend.key(dtype, device), tuple(entry["shape"])
    if prod(shape) == 0:
        return new_value(backend.empty(shape, dtype, device), key)  # type: ignore[no-any-return]  # result_class is Tensor
    array = backend.from_buffer(bytearray(entry["data"]), shape, dtype, device)
    return new_value(array, key)  # type: ignore[no-any-return]  # result_class is Tensor
