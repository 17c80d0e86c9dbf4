"""The classes of tensors per dtype that old programs name: ``FloatTensor(2, 3)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import dtypes, ops
from .tensor import Tensor, tensor

if TYPE_CHECKING:
    from .dtypes import DType

__all__ = [
    "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor",
    "HalfTensor", "IntTensor", "LongTensor", "ShortTensor",
]  # fmt: skip


class _OfDtype(type):
    """A class of no objects of its own: it makes tensors, and knows those of its dtype."""

    dtype: DType

    def __call__(cls, *args: Any) -> Any:
        """Return a tensor of sizes, with unspecified values; or of the values of a sequence."""
        if len(args) == 1 and not isinstance(args[0], int):
            (values,) = args
            if isinstance(values, Tensor):
                return values.to(cls.dtype)
            if hasattr(values, "numel") and isinstance(values, tuple):  # a Size
                return ops.empty(tuple(values), dtype=cls.dtype)
            return tensor(values, dtype=cls.dtype)
        return ops.empty(args or (0,), dtype=cls.dtype)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def _of(name: str, dtype: DType) -> Any:
    made = _OfDtype(name, (), {"__doc__": f"Tensors of {dtype}.", "__module__": "chainrule"})
    made.dtype = dtype
    return made


FloatTensor = _of("FloatTensor", dtypes.float32)
DoubleTensor = _of("DoubleTensor", dtypes.float64)
HalfTensor = _of("HalfTensor", dtypes.float16)
BFloat16Tensor = _of("BFloat16Tensor", dtypes.bfloat16)
LongTensor = _of("LongTensor", dtypes.int64)
IntTensor = _of("IntTensor", dtypes.int32)
ShortTensor = _of("ShortTensor", dtypes.int16)
CharTensor = _of("CharTensor", dtypes.int8)
ByteTensor = _of("ByteTensor", dtypes.uint8)
BoolTensor = _of("BoolTensor", dtypes.bool_)
