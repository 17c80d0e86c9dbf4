"""Parametrizations that are used often: by length, by largest singular value, orthogonal."""

from __future__ import annotations

import importlib
from typing import Any

from ... import ops
from ...grad_mode import no_grad
from ...ops.weight_norm import _weight_norm, norm_except_dim
from ...tensor import Tensor
from .. import functional as F
from ..modules.module import Module
from . import parametrize
from .spectral_norm import dim_of, has_tensor, power_method

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


# Weight normalisation


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return _weight_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Let a tensor of *module* be computed from its length and its direction.

    Args:
        module: Whose tensor; it gets ``parametrizations.<name>.original0``, the length, and
            ``original1``, the direction.
        name: Of the tensor.
        dim: The dimension whose slices have lengths of their own; None for one length.

    Returns:
        *module*.

    Source:
        Salimans and Kingma, "Weight normalization: a simple reparameterization to accelerate
        training of deep neural networks", 2016.

    >>> import chainrule as cr
    >>> layer = weight_norm(cr.nn.Linear(20, 40), name="weight")
    >>> layer.parametrizations.weight.original0.shape
    torch.Size([40, 1])
    """
    return parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


# Spectral normalisation


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        ndim = weight.dim()
        if dim >= ndim or dim < -ndim:
            msg = (
                f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got "
                f"{dim})"
            )
            raise IndexError(msg)
        if n_power_iterations <= 0:
            msg = (
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
            raise ValueError(msg)
        self.dim = dim if dim >= 0 else dim + ndim
        self.eps, self.n_power_iterations = eps, n_power_iterations
        if ndim > 1:
            with no_grad():
                matrix = self._as_matrix(weight)
                rows, columns = matrix.shape
                u = matrix.new_empty(rows).normal_(0, 1)
                v = matrix.new_empty(columns).normal_(0, 1)
                self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
                self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
                power_method(matrix, self._u, self._v, 15, eps)

    def _as_matrix(self, weight: Tensor) -> Any:
        if self.dim != 0:
            others = [d for d in range(weight.dim()) if d != self.dim]
            weight = ops.permute(weight, (self.dim, *others))
        return weight.flatten(1)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._as_matrix(weight)
        if self.training:
            with no_grad():
                power_method(matrix, self._u, self._v, self.n_power_iterations, self.eps)
        u, v = self._u.clone(), self._v.clone()  # later iterations write into the buffers
        normalized: Tensor = weight / ops.dot(u, ops.mv(matrix, v))
        return normalized

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Let a tensor of *module* be divided by its largest singular value, which is estimated.

    Args:
        module: Whose tensor.
        name: Of the tensor.
        n_power_iterations: How many power iterations a forward pass in training makes.
        eps: The least norm to divide by.
        dim: The dimension of the outputs; 1 for transposed convolutions, 0 else.

    Returns:
        *module*.

    Raises:
        ValueError: there is no such tensor, or no iterations.
        IndexError: *dim* is out of range.

    Source:
        Miyato and others, "Spectral normalization for generative adversarial networks", 2018.
    """
    if not has_tensor(module, name):
        msg = f"Module '{module}' has no parameter or buffer with name '{name}'"
        raise ValueError(msg)
    weight: Tensor = getattr(module, name)
    chosen = dim_of(module) if dim is None else dim
    normalization = _SpectralNorm(weight, n_power_iterations, chosen, eps)
    return parametrize.register_parametrization(module, name, normalization)


# Orthogonal matrices


def _linalg() -> Any:
    """Return `chainrule.linalg`, which is loaded when it is first needed."""
    return importlib.import_module("...linalg", __package__)


def _nearest_orthogonal(matrix: Tensor) -> Any:
    """Return the orthogonal factor of *matrix* whose other factor has a positive diagonal."""
    q, r = _linalg().qr(matrix)
    return q * r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def _reflections(x: Any) -> Any:
    """Return the first columns of the product of reflections at the columns below the diagonal."""
    rows, columns = x.shape[-2:]
    below = x.tril(-1)
    strength = 2.0 / (1.0 + (below * below).sum(-2))
    directions = below + ops.eye(rows, columns, dtype=x.dtype, device=x.device)
    product = ops.eye(rows, columns, dtype=x.dtype, device=x.device)
    for k in reversed(range(columns)):
        v = directions[..., k : k + 1]
        product = product - strength[..., k, None, None] * v @ (v.mT @ product)
    return product


class _Orthogonal(Module):
    base: Any

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            msg = "The householder parametrization does not support complex tensors."
            raise ValueError(msg)
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Any) -> Any:
        transposed = x.shape[-2] < x.shape[-1]
        made = self._orthogonal(x.mT if transposed else x)
        if hasattr(self, "base"):
            made = self.base @ made
        return made.mT if transposed else made

    def _orthogonal(self, x: Any) -> Any:
        """Return an orthogonal matrix of the shape of *x*, which has no more columns than rows."""
        rows, columns = x.shape[-2:]
        if self.orthogonal_map == "householder":
            signs = x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
            return _reflections(x) * signs
        lower = x.tril()
        if rows != columns:
            zeros = x.new_zeros((*x.shape[:-2], rows, rows - columns))
            lower = ops.cat([lower, zeros], -1)
        skew = lower - lower.mH
        if self.orthogonal_map == "matrix_exp":
            made = _linalg().matrix_exp(skew)
        else:
            one = ops.eye(rows, dtype=skew.dtype, device=skew.device)
            made = _linalg().solve(one - 0.5 * skew, one + 0.5 * skew)
        return made[..., :columns] if rows != columns else made

    def right_inverse(self, q: Any) -> Any:
        if q.shape != self.shape:
            msg = (
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {q.shape}."
            )
            raise ValueError(msg)
        if not hasattr(self, "base"):
            return self._without_base(q)
        given, transposed = q, q.shape[-2] < q.shape[-1]
        q = q.mT if transposed else q
        rows, columns = q.shape[-2:]
        if rows == columns:
            q = q.clone() if _is_orthogonal(q) else _nearest_orthogonal(q)
        else:
            more = ops.randn((*q.shape[:-2], rows, rows - columns), dtype=q.dtype, device=q.device)
            q = _nearest_orthogonal(ops.cat([q, more], -1))
        self.base = q
        start = ops.zeros_like(given)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return start

    def _without_base(self, q: Any) -> Any:
        if self.orthogonal_map != "householder":
            msg = (
                "It is not possible to assign to the matrix exponential or the Cayley "
                "parametrizations when use_trivialization=False."
            )
            raise NotImplementedError(msg)
        transposed = q.shape[-2] < q.shape[-1]
        found = _reflectors_of(q.mT if transposed else q)
        return found.mT if transposed else found


def _reflectors_of(q: Any) -> Any:
    """Return the matrix of which `_Orthogonal` makes *q*: reflectors below a diagonal of signs."""
    rest = q.detach().clone()
    columns = rest.shape[-1]
    found = ops.zeros_like(rest)
    for k in range(columns):
        x = rest[..., k:, k]
        norm = ops.vector_norm(x, 2, -1)
        head = x[..., 0]
        sign = ops.where(head >= 0, 1.0, -1.0).to(x.dtype)
        pivot = head + sign * norm
        v = ops.cat([ops.ones_like(head).unsqueeze(-1), x[..., 1:] / pivot.unsqueeze(-1)], -1)
        strength = 2.0 / (v * v).sum(-1)
        tail = rest[..., k:, k:]
        column = v.unsqueeze(-1)
        rest[..., k:, k:] = tail - strength[..., None, None] * column @ (column.mT @ tail)
        found[..., k + 1 :, k] = v[..., 1:]
        found[..., k, k] = -sign
    return found


def _is_orthogonal(q: Any) -> bool:
    """Return whether the columns of *q* are orthonormal, up to rounding."""
    columns = q.shape[-1]
    one = ops.eye(columns, dtype=q.dtype, device=q.device)
    bound = 10.0 * q.shape[-2] * _eps(q)
    return bool(ops.allclose(q.mH @ q, one, atol=bound))


def _eps(q: Any) -> float:
    from ...typeinfo import finfo

    return float(finfo(q.dtype).eps)


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Let a matrix of *module* be orthogonal, or its rows or columns orthonormal.

    Args:
        module: Whose tensor, ``(*, rows, columns)``.
        name: Of the tensor.
        orthogonal_map: How it is made: ``"matrix_exp"`` of a skew matrix, ``"cayley"``, its
            rational relative, or ``"householder"``, a product of reflections. The default is the
            first for square matrices and the last for others.
        use_trivialization: Keep an orthogonal matrix to begin with, and learn what is multiplied.

    Returns:
        *module*.

    Raises:
        ValueError: there is no such tensor, it is no matrix, or the map is unknown.

    Source:
        Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds", 2019.
    """
    if not has_tensor(module, name):
        msg = f"Module '{module}' has no parameter or buffer with name '{name}'"
        raise ValueError(msg)
    weight = getattr(module, name)
    if weight.dim() < 2:
        msg = f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions."
        raise ValueError(msg)
    square = weight.shape[-2] == weight.shape[-1] or weight.is_complex()
    chosen = orthogonal_map or ("matrix_exp" if square else "householder")
    if chosen not in {"matrix_exp", "cayley", "householder"}:
        msg = (
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
        raise ValueError(msg)
    made = _Orthogonal(weight, chosen, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)
