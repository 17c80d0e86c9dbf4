"""Questions about tensors and dtypes that are functions in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .dtypes import DType, category_of_number, default_promotion, given
from .errors import AutogradError
from .naming import other_names
from .value import Value

if TYPE_CHECKING:
    from .tensor import Number, Tensor

__all__ = [
    "can_cast", "is_complex", "is_floating_point", "is_nonzero", "is_tensor", "numel",
    "result_type", "typename",
]  # fmt: skip


def is_tensor(obj: object) -> bool:
    """Return whether *obj* is a tensor.

    >>> import chainrule as cr
    >>> is_tensor(cr.ones(1)), is_tensor(1.0)
    (True, False)
    """
    return isinstance(obj, Value)


def typename(obj: object) -> str:
    """Return the name of the type of *obj*, or of *obj*, with its module; messages spell it so.

    >>> import chainrule as cr
    >>> cr.typename(cr.ones(1)), cr.typename(1), cr.typename(cr.nn.Linear)
    ('torch.FloatTensor', 'int', 'chainrule.nn.modules.linear.Linear')
    """
    if isinstance(obj, Value):
        return str(obj.type())  # type: ignore[attr-defined]  # a Tensor
    kind: Any = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(kind, "__module__", None)
    return kind.__qualname__ if module in {None, "builtins"} else f"{module}.{kind.__qualname__}"


def is_floating_point(input: Tensor) -> bool:
    """Return whether the dtype of *input* is floating."""
    return input.dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Return whether the dtype of *input* is complex."""
    return input.dtype.is_complex


def is_nonzero(input: Tensor) -> bool:
    """Return whether the only element of *input* is not zero.

    Raises:
        RuntimeError: there is not exactly one element.
    """
    if input.numel() != 1:
        count = "no" if input.numel() == 0 else "more than one"
        msg = (
            f"Boolean value of Tensor with {count} value{'s' if count == 'no' else ''} is ambiguous"
        )
        raise AutogradError(msg)
    return bool(input.item() != 0)


def numel(input: Tensor) -> int:
    """Return the number of elements of *input*."""
    return input.numel()


@other_names(
    tensor="tensor1", other="tensor2", scalar="tensor2", scalar1="tensor1", scalar2="tensor2"
)
def result_type(tensor1: Tensor | Number, tensor2: Tensor | Number) -> DType:
    """Return the dtype of an arithmetic operation on the two.

    >>> import chainrule as cr
    >>> result_type(cr.tensor([1, 2]), 2.5)
    torch.float32
    """
    operands: tuple[Any, ...] = (tensor1, tensor2)
    tensors = [o for o in operands if isinstance(o, Value)]
    return default_promotion(
        [t._key.dtype for t in tensors if t._array.shape != ()],
        [t._key.dtype for t in tensors if t._array.shape == ()],
        [category_of_number(o) for o in operands if not isinstance(o, Value)],
    )


def can_cast(from_: DType, to: DType) -> bool:
    """Return whether an in-place operation may cast *from_* to *to*: the category does not fall.

    >>> import chainrule as cr
    >>> can_cast(cr.int64, cr.float16), can_cast(cr.float32, cr.int64)
    (True, False)
    """
    return given(from_).category <= given(to).category
