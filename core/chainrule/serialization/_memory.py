"""Memory of the host: which tensors look into the same one, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..shapes import contiguous_strides

if TYPE_CHECKING:
    from ..dtypes import DType
    from ..tensor import Tensor


class Memory:
    """One memory that tensors look into, in elements of one dtype."""

    __slots__ = ("array", "count", "dtype", "key", "location")

    def __init__(self, array: Any, dtype: DType, location: str) -> None:
        self.array = array  # a host array that owns the memory, and keeps it alive
        self.dtype, self.location = dtype, location
        self.count = array.nbytes // dtype.itemsize
        self.key = ""  # under which it stands in the file

    def content(self) -> bytes:
        """Return the bytes, in the order in which they lie."""
        return memoryview(self.array).tobytes(order="A")


class Look(NamedTuple):
    """How a tensor looks into a memory, in elements."""

    memory: Memory
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class Memories:
    """The memories of the tensors that are written to one file."""

    def __init__(self) -> None:
        self.found: dict[tuple[int, str, str], Memory] = {}

    def look(self, tensor: Tensor) -> Look:
        """Return the memory of *tensor* and how it looks into it.

        A tensor in host memory shares it in the file with those that share it here. One on a device
        comes over alone, and so does one that steps backwards.
        """
        backend = tensor._key.backend
        array = backend.to_numpy(tensor._array)
        if any(step < 0 for step in array.strides):
            array = array.copy()
        owner = _owner(array)
        offset, rest = divmod(_address(array) - _address(owner), tensor.itemsize)
        if rest or not _is_one_piece(owner):
            owner = array = array.copy()
            offset = 0
        location = str(tensor.device)
        found = self._memory(owner, tensor.dtype, location)
        if array.size == 0:
            return Look(found, 0, tuple(array.shape), contiguous_strides(array.shape))
        stride = tuple(step // tensor.itemsize for step in array.strides)
        return Look(found, offset, tuple(array.shape), stride)

    def _memory(self, owner: Any, dtype: DType, location: str) -> Memory:
        where = _address(owner) if owner.nbytes else id(owner), dtype.name, location
        if where not in self.found:
            memory = self.found[where] = Memory(owner, dtype, location)
            memory.key = str(len(self.found) - 1)
        return self.found[where]


def _owner(array: Any) -> Any:
    """Return the array at the end of the chain of bases: the one whose memory it is."""
    while isinstance(array.base, type(array)):
        array = array.base
    return array


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _is_one_piece(array: Any) -> bool:
    return bool(array.flags.c_contiguous or array.flags.f_contiguous)
