"""What distributions share: broadcasting of parameters, odds and probabilities, cached values."""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Final

from .. import ops
from ..dtypes import get_default_dtype
from ..grad_mode import enable_grad
from ..tensor import Tensor, tensor
from ..typeinfo import finfo

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "_standard_normal", "_sum_rightmost", "broadcast_all", "clamp_probs", "euler_constant",
    "lazy_property", "logits_to_probs", "probs_to_logits", "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]  # fmt: skip

euler_constant: Final = 0.57721566490153286060


def _standard_normal(shape: Any, dtype: Any, device: Any) -> Tensor:
    """Return draws of the standard normal distribution."""
    zero = ops.zeros(tuple(shape), dtype=dtype, device=device)
    return ops.normal(zero, ops.ones_like(zero))


def _sum_rightmost(value: Any, dim: int) -> Any:
    """Return *value* summed over its last *dim* dimensions."""
    if dim == 0:
        return value
    return value.reshape((*value.shape[: value.dim() - dim], -1)).sum(-1)


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Return *values*, tensors and numbers, as tensors of one shape.

    Numbers become tensors of the dtype and device of the first tensor.

    Raises:
        ValueError: something is neither a tensor nor a number.
    """
    if not all(isinstance(v, (Tensor, int, float, bool, complex)) for v in values):
        kinds = ", ".join(type(v).__name__ for v in values)
        msg = (
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing "
            f"__torch_function__.\nbroadcast_all: got {kinds}. Make a tensor of lists first."
        )
        raise ValueError(msg)
    first = next((v for v in values if isinstance(v, Tensor)), None)
    options: dict[str, Any] = {"dtype": get_default_dtype()}
    if first is not None:
        options = {"dtype": first.dtype, "device": first.device}
    made = [v if isinstance(v, Tensor) else tensor(v, **options) for v in values]
    return tuple(ops.broadcast_tensors(*made))


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Return the probabilities of logits: of log-odds, or of logarithms along the last dim."""
    return ops.sigmoid(logits) if is_binary else ops.softmax(logits, dim=-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Return *probs* kept away from zero and one by the least step of their dtype."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Return the logits of probabilities: log-odds, or logarithms."""
    clamped = clamp_probs(probs)
    if is_binary:
        return ops.log(clamped) - ops.log1p(-clamped)
    return ops.log(clamped)


class lazy_property:  # noqa: N801 - PyTorch's name
    """A property computed when first read, with gradients, and kept on the object."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)  # type: ignore[arg-type]  # it stands for the function

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """Return the elements on and below a diagonal, row by row: ``(*, n, n)`` to ``(*, m)``."""
    n = mat.shape[-1]
    if not -n <= diag < n:
        msg = f"diag ({diag}) provided is outside [{-n}, {n - 1}]."
        raise ValueError(msg)
    rows, columns = ops.tril_indices(n, n, diag, device=mat.device).unbind(0)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Return the square matrices whose elements on and below a diagonal are those of *vec*."""
    m = vec.shape[-1]
    n = int(
        (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * m + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    )
    rows, columns = ops.tril_indices(n, n, diag, device=vec.device).unbind(0)
    if rows.shape[0] != m:
        msg = (
            f"The size of last dimension is {m} which cannot be expressed as the lower triangular "
            "part of a square D x D matrix."
        )
        raise ValueError(msg)
    matrix = ops.zeros((*vec.shape[:-1], n, n), dtype=vec.dtype, device=vec.device)
    matrix[..., rows, columns] = vec
    return matrix
