"""`load`: PyTorch's own file format, read with the backend's arrays alone."""

from __future__ import annotations

import io
import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from ..backend import for_device
from ..device import Device
from ..errors import ArgumentError, BackendUnavailableError, FileFormatError
from ..grad_mode import no_grad
from ..storage import Storage
from ..tensor import Tensor
from ..value import new_value
from ._files import kind_of
from ._legacy import LEGACY, LegacyFile
from ._names import STORAGES
from ._unpickling import SafeUnpickler, UnsafeFileError, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..dtypes import DType

    MapLocation = Callable[[Any, str], Any] | Device | str | Mapping[str, str | Device] | None

__all__ = ["load"]


class ArchiveError(FileFormatError, RuntimeError):
    """An archive that is damaged, cut short, or no archive of `save`."""


class EmptyFileError(FileFormatError, EOFError):
    """A file without content."""


def load(
    f: str | os.PathLike[str] | IO[bytes],
    map_location: MapLocation = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Return what `save` wrote, here or in PyTorch.

    Tensors that shared memory share it again.

    Args:
        f: A path, or a file open for reading bytes.
        map_location: Where to put the tensors: a device; a dict from devices in the file to
            devices here; or a function of a memory and its device that returns the device, or
            None for where it came from. None, the default, puts them where they were.
        pickle_module: Taken and ignored.
        weights_only: Refuse everything but tensors, numbers, strings and containers, so that a
            file can run no code. The default; pass False only for files of people whose code you
            would run.
        mmap: Taken and ignored.
        **pickle_load_args: ``encoding`` and ``errors``, for pickles of Python 2.

    Raises:
        pickle.UnpicklingError: the file asks for more than *weights_only* allows.
        RuntimeError: the archive is damaged, or its device is not there.
        ValueError: it is another kind of file.
        OSError: it cannot be read.

    Source:
        The archives that PyTorch 2.13 writes, and the files that it wrote before version 1.6.

    >>> import chainrule as cr
    >>> cr.save([cr.arange(3), "three"], "three.pt")
    >>> cr.load("three.pt")
    [tensor([0, 1, 2]), 'three']
    """
    content = _content(f)
    records = LegacyFile(content) if content.startswith(LEGACY) else _Archive(_archive(content))
    loader = _Loader(records, _mapping(map_location))
    return loader.load(weights_only=weights_only is not False, options=pickle_load_args)


class ReadableFileError(ArgumentError, AttributeError):
    """What should be read is no file."""


def _content(f: Any) -> bytes:
    if isinstance(f, (str, os.PathLike)):
        return Path(f).read_bytes()
    if not hasattr(f, "read"):
        raise ReadableFileError(
            f"'{type(f).__name__}' object has no attribute 'seek'. You can only torch.load from a "
            "file that is seekable. Please pre-load the data into a buffer like io.BytesIO and try "
            "to load from it instead.\n"
            f"load: expected a path or an open file, got {type(f).__name__}."
        )
    return bytes(f.read())


def _archive(content: bytes) -> zipfile.ZipFile:
    if not content:
        raise EmptyFileError("Ran out of input\nload: the file is empty.")
    if not content.startswith(b"PK\x03\x04"):
        raise FileFormatError(
            f"load: expected an archive that save() wrote, got {kind_of(content)}. For a "
            "safetensors file there is chainrule.serialization.load_file."
        )
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise ArchiveError(
            "PytorchStreamReader failed reading zip archive: failed finding central directory\n"
            f"load: the archive is cut short or damaged ({error}). Copy or download it again."
        ) from error


def _mapping(map_location: Any) -> Callable[[Any, str], Any]:
    """Return *map_location* as a function of a memory and the device in the file."""
    if map_location is None:
        return lambda memory, location: location
    if isinstance(map_location, (str, Device)):
        return lambda memory, location: map_location
    if hasattr(map_location, "get"):
        return lambda memory, location: map_location.get(location, location)
    return lambda memory, location: map_location(memory, location) or location


class _Memory:
    """One memory of the file: the bytes until a tensor asks for it, then an array per dtype."""

    def __init__(self, content: bytes, dtype: DType | None, device: Device) -> None:
        self._content, self.dtype, self.device = content, dtype, device
        self._flat: dict[DType, Any] = {}

    def cpu(self) -> str:
        """Return the host as the device: for ``map_location=lambda memory, location: …``."""
        return "cpu"

    def flat(self, dtype: DType) -> Any:
        """Return the memory as a tensor of one dimension."""
        if dtype not in self._flat:
            backend = for_device(self.device)
            device = backend.canonical(self.device)
            shape = (len(self._content) // dtype.itemsize,)
            if shape == (0,):
                array = backend.empty(shape, dtype, device)
            else:
                array = backend.from_buffer(bytearray(self._content), shape, dtype, device)
            made = self._flat[dtype] = new_value(array, backend.key(dtype, device))
            made._storage = Storage()
        return self._flat[dtype]


class _Archive:
    """The parts of an archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.names = frozenset(archive.namelist())
        self.root = self._root()

    @property
    def structure(self) -> bytes:
        """The pickle of what was saved."""
        return self.read("data.pkl")

    @property
    def byteorder(self) -> str:
        """The order of bytes, ``"little"`` or ``"big"``."""
        named = f"{self.root}byteorder" in self.names
        return self.read("byteorder").decode() if named else "little"

    def content(self, key: str) -> bytes:
        """Return one memory."""
        return self.read(f"data/{key}")

    def _root(self) -> str:
        found = [name for name in self.names if name.endswith("/data.pkl")]
        if len(found) != 1:
            raise ArchiveError(
                "file in archive is not in a subdirectory\n"
                "load: expected an archive that save() wrote, got another zip archive"
                f"{' that TorchScript wrote' if self._is_script() else ''}: it holds "
                f"{', '.join(sorted(self.names)[:5])}."
            )
        return found[0].removesuffix("data.pkl")

    def _is_script(self) -> bool:
        return any(name.endswith("constants.pkl") for name in self.names)

    def read(self, name: str) -> bytes:
        """Return one record."""
        try:
            return self.archive.read(self.root + name)
        except KeyError as error:
            raise ArchiveError(
                f"PytorchStreamReader failed locating file {name}: file not found\n"
                "load: the archive is damaged. Copy or download it again."
            ) from error
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
            raise ArchiveError(
                f"PytorchStreamReader failed reading file {name}: {error}\n"
                "load: the archive is damaged. Copy or download it again."
            ) from error


class _Loader:
    """Makes what a file holds."""

    def __init__(self, records: _Archive | LegacyFile, place: Callable[[Any, str], Any]) -> None:
        self.records, self.place = records, place
        self.memories: dict[str, _Memory] = {}

    def load(self, *, weights_only: bool, options: dict[str, Any]) -> Any:
        """Return the object in the file."""
        structure = io.BytesIO(self.records.structure)
        options = {"encoding": "utf-8", **options}
        reader: Any
        if weights_only:
            reader = SafeUnpickler(structure, self.builders(), **options)
        else:
            reader = _Unpickler(structure, self.builders(), **options)
        reader.persistent_load = self.memory
        try:
            return reader.load()
        except (FileFormatError, BackendUnavailableError, ImportError):
            raise
        except (
            pickle.UnpicklingError,
            EOFError,
            KeyError,
            IndexError,
            AttributeError,
            OverflowError,
            ValueError,
            TypeError,
        ) as error:
            if not weights_only:
                raise
            raise UnsafeFileError(
                f"Weights only load failed. {type(error).__name__}: {error}\n"
                "load: the pickle in the archive is damaged, or does what no file of weights does."
            ) from error

    def memory(self, record: Any) -> Any:
        """Return the memory that a pickle refers to, or the class of a module and its source."""
        if isinstance(record, tuple):  # bytes are text of Python 2, for ``encoding="bytes"``
            record = tuple(r.decode("latin1") if isinstance(r, bytes) else r for r in record)
        match record:
            case ("storage", str(kind), str(key), str(location), int()):
                pass
            case ("storage", str(kind), str(key), str(location), int(), None):  # the old kind
                pass
            case ("module", type() as found, *_):  # likewise
                return found
            case _:
                raise UnsafeFileError(
                    f"load: expected a reference to a storage, got {record!r:.80}."
                )
        if key not in self.memories:
            content = self._native(self.records.content(key), STORAGES.get(kind))
            memory = _Memory(content, STORAGES.get(kind), Device("cpu"))
            memory.device = self._device(self.place(memory, location))
            self.memories[key] = memory
        return self.memories[key]

    def _native(self, content: bytes, dtype: DType | None) -> bytes:
        """Return *content* in the byte order of this machine."""
        if self.records.byteorder == sys.byteorder or dtype is None or dtype.itemsize == 1:
            return content
        width = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
        turned = bytearray(len(content))
        for byte in range(width):
            turned[byte::width] = content[width - 1 - byte :: width]
        return bytes(turned)

    def _device(self, location: Any) -> Device:
        if isinstance(location, _Memory):  # what ``lambda memory, location: memory`` returns
            return location.device
        try:
            device = Device(location)
        except (RuntimeError, TypeError) as error:
            raise ArchiveError(
                "don't know how to restore data location of torch.storage.UntypedStorage (tagged "
                f"with {location})\nload: {error}"
            ) from error
        try:
            for_device(device)
        except BackendUnavailableError as error:
            raise _no_device(device) from error
        return device

    def builders(self) -> dict[str, Callable[..., Any]]:
        """Return what makes tensors, by the names that files call it by."""
        return {
            "torch._utils._rebuild_tensor": _rebuilt,
            "torch._utils._rebuild_tensor_v2": _rebuilt,
            "torch._utils._rebuild_tensor_v3": _rebuilt_of_bytes,
            "torch._utils._rebuild_parameter": _rebuilt_parameter,
            "torch._utils._rebuild_parameter_with_state": _rebuilt_parameter,
            "torch._tensor._rebuild_from_type_v2": _rebuilt_with_state,
        }


def _no_device(device: Device) -> ArchiveError:
    return ArchiveError(
        f"Attempting to deserialize object on a {device.type.upper()} device but "
        f"torch.{device.type}.is_available() is False. If you are running on a CPU-only machine, "
        "please use torch.load with map_location=torch.device('cpu') to map your storages to the "
        f"CPU.\nload: the file holds tensors of {device}, which is not here. Pass "
        "map_location='cpu'."
    )


class _Unpickler(pickle.Unpickler):
    """Makes whatever the file names, taking PyTorch's names for ours."""

    def __init__(self, file: Any, builders: dict[str, Callable[..., Any]], **options: Any) -> None:
        super().__init__(file, **options)
        self.builders = builders

    def find_class(self, module: str, name: str) -> Any:
        """Return what the file names: ``torch.nn.Linear`` is our Linear."""
        path = f"{module}.{name}"
        found = self.builders.get(path) or plain(path)
        if found is not None:
            return found
        if module == "torch._C._nn":
            module = "torch.nn.functional"
        if module == "torch" or module.startswith("torch."):
            module = f"chainrule{module.removeprefix('torch')}"
        return super().find_class(module, name)


def _rebuilt(
    memory: _Memory,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool = False,
    hooks: Any = None,
    metadata: Any = None,
) -> Any:
    """Return a look into *memory*."""
    if memory.dtype is None:
        raise UnsafeFileError("load: expected a storage with a dtype, got one of bytes.")
    return _look(memory, memory.dtype, (offset, size, stride), requires_grad=requires_grad)


def _rebuilt_of_bytes(
    memory: _Memory,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
    hooks: Any,
    dtype: DType,
    metadata: Any = None,
) -> Any:
    """Return a look into *memory* as *dtype*."""
    return _look(memory, dtype, (offset, size, stride), requires_grad=requires_grad)


def _look(
    memory: _Memory, dtype: DType, place: tuple[Any, Any, Any], *, requires_grad: bool
) -> Any:
    offset, size, stride = place
    flat = memory.flat(dtype)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if 0 not in size and not 0 <= offset <= last < flat.numel():
        raise ArchiveError(
            f"load: a tensor of size {list(size)} with strides {list(stride)} at {offset} reaches "
            f"out of its storage of {flat.numel()} elements: the file is damaged."
        )
    with no_grad():
        view = (
            flat.new_empty(tuple(size))
            if 0 in size
            else flat.as_strided(tuple(size), tuple(stride), offset)
        )
    made = new_value(view._array, flat._key)
    made._storage = flat._storage
    return made.requires_grad_() if requires_grad else made


def _rebuilt_parameter(
    data: Tensor, requires_grad: bool, hooks: Any = None, state: Any = None
) -> Any:
    from ..nn import Parameter

    made = Parameter(data, requires_grad)
    made.__dict__.update(state or {})
    return made


_MAKERS: Final = (_rebuilt, _rebuilt_of_bytes)


def _rebuilt_with_state(function: Any, kind: Any, args: Any, state: Any) -> Any:
    """Return a tensor with the attributes that a user put on it."""
    if function not in _MAKERS:
        raise UnsafeFileError("load: expected a tensor to be rebuilt, got something else.")
    made = function(*args)
    if isinstance(kind, type) and issubclass(kind, Tensor) and kind is not Tensor:
        made = made.as_subclass(kind)
    attributes = state[0] if isinstance(state, tuple) else state
    made.__dict__.update(attributes or {})
    return made
