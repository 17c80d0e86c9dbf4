"""Names of the top level that programs written for older PyTorch use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import ops
from ._warn import warn
from .dtypes import bool_, set_default_dtype
from .errors import ArgumentError
from .ops._operands import into
from .ops.storages import TypedStorage, UntypedStorage
from .tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "alpha_dropout_", "compiled_with_cxx11_abi", "dropout_", "empty_permuted",
    "feature_alpha_dropout_", "feature_dropout", "feature_dropout_", "frobenius_norm",
    "get_file_path", "grid_sampler_2d", "grid_sampler_3d", "is_storage", "native_dropout",
    "nuclear_norm", "orgqr", "set_default_tensor_type", "to_dlpack",
]  # fmt: skip


def is_storage(obj: object) -> bool:
    """Return whether *obj* is the memory of a tensor, as `Tensor.untyped_storage` gives it."""
    return isinstance(obj, (TypedStorage, UntypedStorage))


def set_default_tensor_type(t: Any) -> None:
    """Make the dtype of a class of tensors the default: ``FloatTensor``, or its name.

    Raises:
        TypeError: it is none of a floating dtype.
    """
    from . import tensor_types

    warn(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use "
        "torch.set_default_dtype() and torch.set_default_device() as alternatives.",
        UserWarning,
        stacklevel=2,
    )
    if isinstance(t, str):
        t = getattr(tensor_types, t.rpartition(".")[2], None)
    dtype = getattr(t, "dtype", None)
    if dtype is None:
        msg = (
            "invalid type object: only floating-point types are supported as the default type\n"
            f"set_default_tensor_type: expected a class such as FloatTensor, got {t!r}."
        )
        raise ArgumentError(msg)
    set_default_dtype(dtype)


def to_dlpack(tensor: Tensor) -> Any:
    """Return a DLPack capsule of *tensor*: `from_dlpack` takes the tensor itself, too."""
    return tensor.__dlpack__()


def get_file_path(*parts: str) -> str:
    """Return the path of a file of the package."""
    from pathlib import Path

    return str(Path(__file__).parent.joinpath(*parts))


def compiled_with_cxx11_abi() -> bool:
    """Return True: nothing here is compiled against another."""
    return True


def empty_permuted(size: Sequence[int], physical_layout: Sequence[int], **options: Any) -> Tensor:
    """Return a tensor of *size* with unspecified values, that lies in memory in another order.

    Args:
        size: The sizes.
        physical_layout: The dimensions, from the slowest to the fastest in memory.
        **options: Those of `empty`.

    >>> empty_permuted((2, 3, 4), (0, 2, 1)).stride()
    (12, 1, 3)
    """
    made: Any = ops.empty([size[dim] for dim in physical_layout], **options)
    order = list(physical_layout)
    result: Tensor = made.permute([order.index(dim) for dim in range(len(order))])
    return result


# Norms


def frobenius_norm(
    input: Tensor, dim: Any = (), keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Return the root of the sum of squares: `linalg.vector_norm`.

    >>> import chainrule as cr
    >>> frobenius_norm(cr.ones(2, 2))
    tensor(2.)
    """
    dims = dim if isinstance(dim, int) else list(dim) or None
    result: Tensor = into(out, ops.vector_norm, input, 2, dims, keepdim)
    return result


def nuclear_norm(
    input: Tensor, dim: Any = (-2, -1), keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Return the sum of the singular values: `linalg.matrix_norm`.

    *keepdim* may stand where *dim* does.

    >>> import chainrule as cr
    >>> nuclear_norm(cr.eye(2))
    tensor(2.)
    """
    from .linalg import matrix_norm

    if isinstance(dim, bool):
        dim, keepdim = (-2, -1), dim
    result: Tensor = into(out, matrix_norm, input, "nuc", tuple(dim), keepdim)
    return result


def orgqr(input: Tensor, input2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the product of Householder reflections: `linalg.householder_product`."""
    from .linalg import householder_product

    result: Tensor = into(out, householder_product, input, input2)
    return result


# Dropout and grids


def native_dropout(input: Tensor, p: float, train: bool | None = None) -> tuple[Tensor, Tensor]:
    """Return *input* with elements left out, and where they are kept.

    >>> import chainrule as cr
    >>> native_dropout(cr.ones(2), 0.0, True)
    (tensor([1., 1.]), tensor([True, True]))
    """
    if train is False or p == 0:
        return input.clone(), ops.ones_like(input, dtype=bool_)
    kept: Any = ops.empty_like(input).bernoulli_(1 - p)
    return input * kept * (0.0 if p == 1 else 1 / (1 - p)), kept.bool()


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Return *input* with whole channels left out: those of ``(N, C, *)``."""
    from .ops.dropout import _channels

    return _channels(input, p, train, inplace=False)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Leave out whole channels of *input*, in place."""
    from .ops.dropout import _channels

    return _channels(input, p, train, inplace=True)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Leave out elements of *input*, in place."""
    return ops.dropout(input, p, train, inplace=True)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Apply `alpha_dropout` to *input* in place."""
    return ops.alpha_dropout(input, p, train, inplace=True)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """Apply `feature_alpha_dropout` to *input* in place."""
    return ops.feature_alpha_dropout(input, p, train, inplace=True)


def grid_sampler_2d(
    input: Tensor,
    grid: Tensor,
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Tensor:
    """Return `grid_sampler` of planes."""
    return ops.grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


grid_sampler_3d = grid_sampler_2d
