"""How PyTorch's files name things: every class and function stands under its path in PyTorch.

A tensor is written as a call of ``torch._utils._rebuild_tensor_v2`` with its storage, offset, size
and strides. The names are the format's; nothing of PyTorch is imported to write or to read them.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any, Final

from .. import dtypes
from ..dtypes import DType

#: The classes of storages, which tell the dtype.
STORAGES: Final[dict[str, DType]] = {
    "BoolStorage": dtypes.bool_,
    "ByteStorage": dtypes.uint8,
    "CharStorage": dtypes.int8,
    "ShortStorage": dtypes.int16,
    "IntStorage": dtypes.int32,
    "LongStorage": dtypes.int64,
    "HalfStorage": dtypes.float16,
    "BFloat16Storage": dtypes.bfloat16,
    "FloatStorage": dtypes.float32,
    "DoubleStorage": dtypes.float64,
    "ComplexFloatStorage": dtypes.complex64,
    "ComplexDoubleStorage": dtypes.complex128,
}
STORAGE_OF: Final = {dtype: name for name, dtype in STORAGES.items()}


class Name:
    """A class or function of PyTorch's, by its path: what stands in the file in its place."""

    __slots__ = ("module", "name")

    def __init__(self, path: str) -> None:
        self.module, _, self.name = path.rpartition(".")

    def __call__(self, *args: Any) -> Any:
        """Refuse: it is a name, though the pickler wants what is called to be callable."""
        raise NotImplementedError(self.path)

    @property
    def path(self) -> str:
        """Module and name with dots between."""
        return f"{self.module}.{self.name}"


REBUILD_TENSOR: Final = Name("torch._utils._rebuild_tensor_v2")
REBUILD_TENSOR_OF_BYTES: Final = Name("torch._utils._rebuild_tensor_v3")
REBUILD_PARAMETER: Final = Name("torch._utils._rebuild_parameter")
REBUILD_PARAMETER_WITH_STATE: Final = Name("torch._utils._rebuild_parameter_with_state")
REBUILD_WITH_STATE: Final = Name("torch._tensor._rebuild_from_type_v2")
TENSOR: Final = Name("torch.Tensor")
SIZE: Final = Name("torch.Size")
DEVICE: Final = Name("torch.device")
BYTES: Final = Name("torch.storage.UntypedStorage")


def dtype_name(dtype: DType) -> Name:
    """Return the name of a dtype: ``torch.float32``."""
    return Name(f"torch.{dtype.name}")


def storage_name(dtype: DType) -> Name:
    """Return the class of the storages of *dtype*; of bytes, where it has none of its own."""
    return Name(f"torch.{STORAGE_OF[dtype]}") if dtype in STORAGE_OF else BYTES


def path_in_pytorch(thing: Any) -> Name | None:
    """Return the name of a module's class, or of a function of networks; None for all else.

    A class stands under the path of its file where PyTorch has the same, or in ``torch.nn``.
    """
    name = getattr(thing, "__name__", "")
    if isinstance(thing, type):
        if not thing.__module__.startswith("chainrule.nn."):
            return None
        file = thing.__module__.removeprefix("chainrule.nn.")
        public = thing is _public("chainrule.nn", name)
        if file == "modules.lazy" or "._" in file:  # files of ours alone
            return Name(f"torch.nn.{name}") if public else None
        known = public or (file.startswith("modules.") and name[0] != "_")
        return Name(f"torch.nn.{file}.{name}") if known else None
    is_function = isinstance(thing, FunctionType) or hasattr(type(thing), "vjp")
    found = _public("chainrule.nn.functional", name) if is_function else None
    return None if found is None or found is not thing else Name(f"torch.nn.functional.{name}")


def _public(module: str, name: str) -> Any:
    """Return what *name* is in a module, which has been imported if something of it is there."""
    return getattr(sys.modules.get(module), name, None)
