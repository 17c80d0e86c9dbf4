"""What statements and rules ask of operands: the category of their dtype, zeros like them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..dtypes import category_of_number
from ..errors import ShapeError, UnsupportedDTypeError
from ..shapes import broadcast_shapes
from ..value import Value, new_value

if TYPE_CHECKING:
    from ..dtypes import DType

__all__: list[str] = []

#: How PyTorch's messages that come from templates in C++ spell a dtype.
C_NAMES: Final = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short int",
    "int32": "int", "int64": "long int", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
    "float32": "float", "float64": "double", "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}  # fmt: skip


def category(operand: Any) -> int:
    """Return the category of the dtype of a tensor, or of a Python number."""
    return operand._key.category if isinstance(operand, Value) else category_of_number(operand)


def refusal(op: str, word: str, dtype: DType) -> UnsupportedDTypeError:
    """Return the error that *op* does not take *dtype*; *word* is what PyTorch calls its kernel."""
    sentence = f"\"{word}\" not implemented for '{dtype.scalar_name}'"
    return UnsupportedDTypeError(
        f"{sentence}\n{op}: does not take {dtype}. Convert with .to(...) first."
    )


def check_broadcast(op: str, *operands: Value) -> None:
    """Raise PyTorch's sentence if the shapes do not broadcast, for ops that promote nothing."""
    shapes = [operand._array.shape for operand in operands]
    try:
        broadcast_shapes(*shapes)
    except ShapeError as error:
        found = ", ".join(str(tuple(shape)) for shape in shapes)
        msg = f"{error}\n{op}: expected shapes that broadcast, got {found}. Reshape one of them."
        raise ShapeError(msg) from None


def floating_only(word: str) -> dict[str, str]:
    """Return what an op refuses that takes floating dtypes alone; *word* as of `refusal`."""
    return dict.fromkeys(("bool", "integer", "complex"), word)


def into(out: Value | None, op: Any, *args: Any) -> Any:
    """Return the result of *op*, written into *out* if there is one."""
    return op(*args) if out is None else op(*args, out=out)


def occurs(mask: Any) -> bool:
    """Return whether *mask* holds anywhere: in any sample, where a transform maps over them."""
    from .counting import any as anywhere

    return bool(anywhere(for_all_samples(mask)))


def first_of(index: Any, wrong: Any) -> int:
    """Return the first *index* where *wrong* holds, of whatever sample."""
    while wrong._key.backend.level:
        index, wrong = index._array.inner, wrong._array.inner
    return int(index[wrong][0])


def for_all_samples(tensor: Any) -> Any:
    """Return the tensor under function transforms: with the values of all samples of `vmap`."""
    while tensor._key.backend.level:
        tensor = tensor._array.inner
    return tensor


def zeros_of(grad: Value) -> Any:
    """Return zeros like *grad*: the gradient of what is constant nearly everywhere."""
    key = grad._key
    return new_value(key.backend.full(tuple(grad._array.shape), 0, key.dtype, key.device), key)
