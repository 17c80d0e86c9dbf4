"""Files that PyTorch wrote before version 1.6: pickles one after the other, then the memories."""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
from typing import Any, Final

from ..errors import FileFormatError
from ._names import STORAGES

#: How such a file begins: a pickle of the number that PyTorch knows it by.
LEGACY: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_VERSION: Final = 1001
#: What a pickle that is no longer one raises.
_DAMAGE: Final = (
    pickle.UnpicklingError, struct.error, ValueError, EOFError, LookupError, TypeError,
    AttributeError, OverflowError,
)  # fmt: skip


class LegacyFileError(FileFormatError, RuntimeError):
    """A file of the old kind that is damaged, cut short, or of another version."""


class LegacyFile:
    """The parts of a file of the old kind.

    In it the memories follow the structure, each as its number of elements and the elements. How
    wide they are stands in the structure, which is therefore gone through beforehand, without
    making anything that it names.

    Attributes:
        structure: The pickle of what was saved.
        byteorder: ``"little"`` or ``"big"``.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self._read(content)
        except FileFormatError:
            raise
        except _DAMAGE as error:
            raise LegacyFileError(
                f"load: the file is cut short or damaged ({error}). Copy or download it again."
            ) from error

    def _read(self, content: bytes) -> None:
        file = io.BytesIO(content)
        _, version, system, self.structure, keys = (_next_pickle(file) for _ in range(5))
        if _plain(version) != _VERSION:
            raise LegacyFileError(
                f"Invalid protocol version: {_plain(version)}\nload: expected {_VERSION}."
            )
        self.byteorder = "little" if _plain(system)["little_endian"] else "big"
        widths = _Survey(self.structure).widths()
        self._contents: dict[str, bytes] = {}
        for key in _plain(keys):
            (count,) = struct.unpack("<q" if self.byteorder == "little" else ">q", file.read(8))
            self._contents[key] = file.read(count * widths[key])
            if len(self._contents[key]) != count * widths[key]:
                raise EOFError(f"storage {key} ends early")

    def content(self, key: str) -> bytes:
        """Return one memory."""
        if key not in self._contents:
            raise LegacyFileError(f"load: the file lacks storage {key!r}: it is damaged.")
        return self._contents[key]


def _next_pickle(file: io.BytesIO) -> bytes:
    """Return the bytes of the pickle that comes next, which is not run."""
    start = file.tell()
    for _ in pickletools.genops(file):
        pass
    return file.getvalue()[start : file.tell()]


def _plain(content: bytes) -> Any:
    """Return what a pickle of numbers, strings and containers holds; classes stay inert."""
    return _Survey(content).load()


class _Inert:
    """Stands for whatever a pickle would make, and does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def _ignore(self, *args: Any) -> None:
        pass

    __setitem__ = __setstate__ = append = extend = update = add = _ignore


#: Written in Python: its memo is a dictionary, where that in C has room for every number below.
_Unpickler: Any = pickle._Unpickler


class _Survey(_Unpickler):  # type: ignore[misc]  # its stub has no steps
    """Goes through a pickle without making anything, and notes the storages that it refers to.

    Text of Python 2 is read in an encoding that takes every byte: here it only tells keys apart.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._widths: dict[str, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return the name of a storage, or what stands for anything else."""
        return name if module == "torch" and name in STORAGES else _Inert

    def persistent_load(self, record: Any) -> Any:
        """Note how wide the elements of a storage are; a module is named with its source."""
        if isinstance(record, tuple) and record[:1] == ("module",):
            return _Inert
        if isinstance(record, tuple) and record[:1] == ("storage",) and record[1] in STORAGES:
            self._widths[record[2]] = STORAGES[record[1]].itemsize
        return _Inert()

    def widths(self) -> dict[str, int]:
        """Return the size of an element in bytes, by the key of the storage."""
        self.load()
        return self._widths
