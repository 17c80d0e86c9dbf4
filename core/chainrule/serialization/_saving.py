"""`save`: PyTorch's own file format, written with a host array library alone.

The file is a zip archive: ``data.pkl`` holds the structure as a pickle in which tensors are named,
``data/0``, ``data/1``, … hold the memories, uncompressed and aligned, so that they can be mapped.
Source of the layout: the archives that PyTorch 2.13 writes, and the notes on serialization in its
documentation.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path
from types import FunctionType
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

from ..device import Device
from ..dtypes import DType
from ..errors import ArgumentError
from ..shapes import Size
from ..tensor import Tensor
from . import _names as names
from ._files import replacing
from ._memory import Look, Memories, Memory

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["save"]

_PROTOCOL: Final = 2
_ALIGNMENT: Final = 64
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the same object gives the same file


def save(
    obj: object,
    f: str | os.PathLike[str] | IO[bytes],
    pickle_module: Any = pickle,
    pickle_protocol: int = _PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write *obj* to a file that PyTorch's ``load`` reads too.

    Tensors that share memory here share it in the file. An existing file is replaced only once the
    new one is complete.

    Args:
        obj: A tensor, a state dict, or any object that can be pickled.
        f: A path, or a file open for writing bytes; by custom with the suffix ``.pt``.
        pickle_module: Taken and ignored.
        pickle_protocol: Of the pickle inside.

    Raises:
        AttributeError: *f* is neither a path nor a file.
        OSError: the file cannot be written.
        pickle.PicklingError: something in *obj* cannot be pickled.

    Source:
        The archives that PyTorch 2.13 writes.

    >>> import chainrule as cr
    >>> cr.save({"weight": cr.ones(2)}, "weights.pt")
    >>> cr.load("weights.pt")
    {'weight': tensor([1., 1.])}
    """
    if isinstance(f, (str, os.PathLike)):
        with replacing(f) as file:
            _write(obj, file, Path(f).stem or "archive", pickle_protocol)
        return
    if not hasattr(f, "write"):
        raise WritableFileError(
            "expected 'f' to be string, path, or a file-like object with a 'write' attribute\n"
            f"save: expected where to write, got {type(f).__name__}. The object comes first, the "
            "file second: save(obj, 'file.pt')."
        )
    buffer = io.BytesIO()  # a file that cannot be rewound is written to in one go
    _write(obj, buffer, "archive", pickle_protocol)
    f.write(buffer.getvalue())


class WritableFileError(ArgumentError, AttributeError):
    """What should be written to is no file."""


def _write(obj: object, file: IO[bytes], root: str, protocol: int) -> None:
    memories = Memories()
    structure = io.BytesIO()
    _Pickler(structure, protocol, memories).dump(obj)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in _records(structure.getvalue(), memories):
            _add(archive, file, f"{root}/{name}", content)


def _records(structure: bytes, memories: Memories) -> Iterator[tuple[str, bytes]]:
    """Yield what stands in the archive, in PyTorch's order."""
    yield "data.pkl", structure
    yield ".format_version", b"1"
    yield ".storage_alignment", str(_ALIGNMENT).encode()
    yield "byteorder", sys.byteorder.encode()
    for memory in memories.found.values():
        yield f"data/{memory.key}", memory.content()
    yield "version", b"3\n"


def _add(archive: zipfile.ZipFile, file: IO[bytes], name: str, content: bytes) -> None:
    """Write one record whose content begins at a multiple of the alignment."""
    record = zipfile.ZipInfo(name, _LONG_AGO)
    start = file.tell() + zipfile.sizeFileHeader + len(name.encode())  # type: ignore[attr-defined]  # not in its stub
    padding = -(start + 4) % _ALIGNMENT
    record.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
    archive.writestr(record, content)


#: The pickler written in Python, which can be told how to save a type.
_PythonPickler: Any = pickle._Pickler


class _Pickler(_PythonPickler):  # type: ignore[misc]  # its stub has no steps
    """Writes tensors, dtypes, sizes and devices under their names in PyTorch."""

    dispatch: ClassVar[dict[type, Any]] = {**_PythonPickler.dispatch}

    def __init__(self, file: IO[bytes], protocol: int, memories: Memories) -> None:
        super().__init__(file, protocol)
        self.memories = memories

    def persistent_id(self, obj: object) -> Any:
        """Return the record of a memory; None for all else."""
        if not isinstance(obj, Memory):
            return None
        kind = names.storage_name(obj.dtype)
        count = obj.count if kind is not names.BYTES else obj.array.nbytes
        return ("storage", kind, obj.key, obj.location, count)

    def reducer_override(self, obj: Any) -> Any:
        """Return the call that makes *obj* again, for what PyTorch makes in a way of its own."""
        if isinstance(obj, Tensor) and not hasattr(obj, "materialize"):  # else it has no values yet
            return _reduced(obj, self.memories)
        if hasattr(type(obj), "vjp") and names.path_in_pytorch(obj) is not None:
            return obj.__name__  # an op
        if isinstance(obj, Size):
            return names.SIZE, (tuple(obj),)
        if isinstance(obj, Device):
            index = () if obj.index is None else (obj.index,)
            return names.DEVICE, (obj.type, *index)
        return NotImplemented

    def _save_name(self, obj: names.Name) -> None:
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())

    def _save_dtype(self, obj: DType) -> None:
        self._save_name(names.dtype_name(obj))

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Write a class or function by its path, which is PyTorch's for what PyTorch has, too."""
        known = names.path_in_pytorch(obj)
        if known is None:
            super().save_global(obj, name)
        else:
            self._save_name(known)
            self.memoize(obj)

    dispatch[names.Name] = _save_name
    dispatch[FunctionType] = save_global
    dispatch[DType] = _save_dtype


def _reduced(tensor: Tensor, memories: Memories) -> Any:
    from ..nn import Parameter

    hooks: OrderedDict[str, object] = OrderedDict()  # of the past; always empty
    state = dict(tensor.__dict__)
    if isinstance(tensor, Parameter):
        flag = tensor.requires_grad
        if state:
            return names.REBUILD_PARAMETER_WITH_STATE, (tensor.data, flag, hooks, state)
        return names.REBUILD_PARAMETER, (tensor.data, flag, hooks)
    make, args = _rebuilding(tensor, memories.look(tensor), hooks)
    if state:
        return names.REBUILD_WITH_STATE, (make, names.TENSOR, args, state)
    return make, args


def _rebuilding(tensor: Tensor, look: Look, hooks: object) -> tuple[names.Name, tuple[Any, ...]]:
    args = (look.memory, look.offset, look.size, look.stride, tensor.requires_grad, hooks)
    if names.storage_name(tensor.dtype) is names.BYTES:
        return names.REBUILD_TENSOR_OF_BYTES, (*args, tensor.dtype)
    return names.REBUILD_TENSOR, args
