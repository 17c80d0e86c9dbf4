"""The classes of tensors and memory per dtype that old programs name: ``FloatTensor(2, 3)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import dtypes, ops
from .ops.storages import TypedStorage
from .tensor import Tensor, tensor

if TYPE_CHECKING:
    from .dtypes import DType

__all__ = [
    "BFloat16Storage",
    "BFloat16Tensor",
    "BoolStorage",
    "BoolTensor",
    "ByteStorage",
    "ByteTensor",
    "CharStorage",
    "CharTensor",
    "ComplexDoubleStorage",
    "ComplexFloatStorage",
    "DoubleStorage",
    "DoubleTensor",
    "FloatStorage",
    "FloatTensor",
    "HalfStorage",
    "HalfTensor",
    "IntStorage",
    "IntTensor",
    "LongStorage",
    "LongTensor",
    "ShortStorage",
    "ShortTensor",
    "Storage",
]  # fmt: skip


class _OfDtype(type):
    """A class of no objects of its own: it makes what is of its dtype, and knows it."""

    dtype: DType
    #: Where its tensors are made, and must be: ``"cuda"``, or None for anywhere.
    device: str | None = None

    def __repr__(cls) -> str:
        place = "" if cls.device is None else f"{cls.device}."
        return f"<class 'torch.{place}{cls.__name__}'>"


class _TensorOfDtype(_OfDtype):
    def __call__(cls, *args: Any) -> Any:
        """Return a tensor of sizes, with unspecified values; or of the values of a sequence."""
        if len(args) == 1 and not isinstance(args[0], int):
            (values,) = args
            if isinstance(values, Tensor):
                return values.to(device=cls.device, dtype=cls.dtype)
            if hasattr(values, "numel") and isinstance(values, tuple):  # a Size
                return ops.empty(tuple(values), dtype=cls.dtype, device=cls.device)
            return tensor(values, dtype=cls.dtype, device=cls.device)
        return ops.empty(args or (0,), dtype=cls.dtype, device=cls.device)

    def __instancecheck__(cls, instance: object) -> bool:
        if not isinstance(instance, Tensor) or instance.dtype is not cls.dtype:
            return False
        return cls.device in {None, instance.device.type}


class _StorageOfDtype(_OfDtype):
    def __call__(cls, size: Any = 0) -> TypedStorage:
        """Return new memory for *size* elements, or for those of a sequence."""
        if isinstance(size, int):
            return TypedStorage(ops.empty(size, dtype=cls.dtype))
        return TypedStorage(tensor(size, dtype=cls.dtype))

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype is cls.dtype


def _made(kind: type[_OfDtype], name: str, dtype: DType, doc: str) -> Any:
    made = kind(name, (), {"__doc__": doc, "__module__": "chainrule"})
    made.dtype = dtype
    return made


def _tensor(name: str, dtype: DType) -> Any:
    return _made(_TensorOfDtype, name, dtype, f"Tensors of {dtype}.")


def on_cuda(name: str) -> Any:
    """Return the class of tensors on CUDA devices, of the dtype of the class *name* here."""
    made = _tensor(name, globals()[name].dtype)
    made.device = "cuda"
    return made


def _storage(name: str, dtype: DType) -> Any:
    return _made(_StorageOfDtype, name, dtype, f"Memory of {dtype}.")


FloatTensor = _tensor("FloatTensor", dtypes.float32)
DoubleTensor = _tensor("DoubleTensor", dtypes.float64)
HalfTensor = _tensor("HalfTensor", dtypes.float16)
BFloat16Tensor = _tensor("BFloat16Tensor", dtypes.bfloat16)
LongTensor = _tensor("LongTensor", dtypes.int64)
IntTensor = _tensor("IntTensor", dtypes.int32)
ShortTensor = _tensor("ShortTensor", dtypes.int16)
CharTensor = _tensor("CharTensor", dtypes.int8)
ByteTensor = _tensor("ByteTensor", dtypes.uint8)
BoolTensor = _tensor("BoolTensor", dtypes.bool_)

Storage = FloatStorage = _storage("FloatStorage", dtypes.float32)
DoubleStorage = _storage("DoubleStorage", dtypes.float64)
HalfStorage = _storage("HalfStorage", dtypes.float16)
BFloat16Storage = _storage("BFloat16Storage", dtypes.bfloat16)
LongStorage = _storage("LongStorage", dtypes.int64)
IntStorage = _storage("IntStorage", dtypes.int32)
ShortStorage = _storage("ShortStorage", dtypes.int16)
CharStorage = _storage("CharStorage", dtypes.int8)
ByteStorage = _storage("ByteStorage", dtypes.uint8)
BoolStorage = _storage("BoolStorage", dtypes.bool_)
ComplexFloatStorage = _storage("ComplexFloatStorage", dtypes.complex64)
ComplexDoubleStorage = _storage("ComplexDoubleStorage", dtypes.complex128)
