"""What the factorisations ask of their matrices, with PyTorch's sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DTypeError, LinAlgError, ShapeError, UnsupportedDTypeError
from ..shapes import broadcast_shapes
from ._arguments import check_tensor
from ._operands import for_all_samples
from .linalg_checks import fail

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__: list[str] = []


def check_matrix(name: str, a: Any, argument: str = "A") -> None:
    """Check that *a* is a tensor with at least two dimensions."""
    check_tensor(name.replace(".", "_"), a, argument)
    shape = tuple(a._array.shape)
    if len(shape) < 2:
        sentence = f"{name}: The input tensor {argument} must have at least 2 dimensions."
        fail(ShapeError, sentence, f"{name}: expected a matrix or a batch of them, got {shape}.")


def check_square(name: str, a: Any) -> None:
    """Check that *a* is a batch of square matrices."""
    check_matrix(name, a)
    rows, columns = a._array.shape[-2:]
    if rows != columns:
        prefix = f"{name}: " if name else ""
        sentence = (
            f"{prefix}A must be batches of square matrices, but they are {rows} by {columns} "
            "matrices"
        )
        fail(ShapeError, sentence, "expected as many rows as columns.")


def check_floating(name: str, a: Any, half: str = "") -> None:
    """Check that the dtype of *a* is one that matrices are factored in.

    Args:
        name: As in PyTorch's sentence.
        a: The tensor.
        half: What PyTorch calls the kernel that has no half precision; "" where it checks first.
    """
    dtype = a._key.dtype
    advice = f"{name}: convert with .to(torch.float32) first."
    if not a._key.floating:
        sentence = (
            f"{name}: Expected a floating point or complex tensor as input. Got {dtype.scalar_name}"
        )
        fail(DTypeError, sentence, advice)
    if dtype.itemsize == 2:
        if half:
            sentence = f"\"{half}\" not implemented for '{dtype.scalar_name}'"
            fail(UnsupportedDTypeError, sentence, advice)
        sentence = f"{name}: Low precision dtypes not supported. Got {dtype.scalar_name}"
        fail(DTypeError, sentence, advice)


def check_kernel_dtype(name: str, a: Any, kernel: str) -> None:
    """Check the dtype where PyTorch leaves that to its kernel."""
    dtype = a._key.dtype
    if not a._key.floating or dtype.itemsize == 2:
        sentence = f"\"{kernel}\" not implemented for '{dtype.scalar_name}'"
        fail(UnsupportedDTypeError, sentence, f"{name}: convert with .to(torch.float32) first.")


def check_same_dtype(name: str, a: Any, b: Any, first: str = "A") -> None:
    """Check that a system and its right-hand side are of one dtype."""
    one, two = a._key.dtype.scalar_name, b._key.dtype.scalar_name
    if one != two:
        sentence = (
            f"{name}: Expected {first} and B to have the same dtype, but found {first} of type "
            f"{one} and B of type {two} instead"
        )
        fail(DTypeError, sentence, f"{name}: convert one of them with .to(...).")


def check_system(name: str, a: Any, b: Any, *, left: bool, vector: bool = False) -> None:
    """Check that the sizes of ``A X = B`` (``X A = B``) fit."""
    rows, columns = a._array.shape[-2:]
    shape = tuple(b._array.shape)
    height, width = (shape[-1], 1) if vector else shape[-2:]
    if (columns != height) if left else (rows != width):
        equation = "AX = B" if left else "XA = B"
        sentence = (
            f"{name}: Incompatible shapes of A and B for the equation {equation} "
            f"({rows}x{columns} and {height}x{width})"
        )
        fail(ShapeError, sentence, f"{name}: expected as many rows in B as in A.")
    broadcast_shapes(a._array.shape[:-2], shape[: len(shape) - (1 if vector else 2)])


def raise_info(info: Tensor, sentence: str, advice: str) -> None:
    """Raise if *info*, of which there is one per matrix, is not zero anywhere.

    Args:
        info: Zero where all went well.
        sentence: PyTorch's, with ``{batch}`` and ``{info}`` in it.
        advice: Ours.

    Raises:
        LinAlgError: for the first matrix with an info.
    """
    info = for_all_samples(info)
    if not bool((info != 0).any()):
        return
    flat: list[int] = info.reshape(-1).tolist()
    place = next(i for i, code in enumerate(flat) if code)
    batch = f"(Batch element {place}): " if info._array.shape else ""
    raise LinAlgError(f"{sentence.format(batch=batch, info=flat[place])}\n{advice}")
