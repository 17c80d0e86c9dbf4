"""Statistics of many variables, distances between many points, rows of limited length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from .._warn import warn_outside
from ..errors import DTypeError, ShapeError
from ..op import composite
from ..shapes import wrap_dim
from ._operands import occurs
from .complex import conj
from .linalg_checks import fail
from .norms import norm_rule, power_or_zero, vector_norm

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["cdist", "corrcoef", "cov", "renorm"]


# Covariance


@composite
def cov(
    self: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """Return the covariances of variables, the rows of *self*.

    Args:
        self: ``(V, N)`` or ``(N,)``: observations in columns.
        correction: What is taken from the number of observations: 1 for the unbiased estimate.
        fweights: How often each observation was made, integers ``(N,)``.
        aweights: How important each is, ``(N,)``.

    Returns:
        ``(V, V)``, or a 0-d tensor.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or a weight is negative.

    >>> import chainrule as cr
    >>> cr.cov(cr.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    ndim = len(self._array.shape)
    if ndim > 2:
        sentence = (
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{ndim} dimensions"
        )
        fail(ShapeError, sentence, "cov: one row per variable.")
    if self._key.category == dtypes.BOOL:
        sentence = "cov(): bool dtype is not supported for input"
        fail(DTypeError, sentence, "cov: convert with .float() first.")
    x: Any = self.reshape(1, -1) if ndim < 2 else self
    count = x._array.shape[1]
    weights = _weights(fweights, aweights, count)
    if weights is None:
        total: Any = count
        x = x - x.sum(1, keepdim=True) / total
        norm = max(total - correction, 0)
    else:
        total = weights.sum()
        x = x - (x * weights).sum(1, keepdim=True) / total
        spent = total if aweights is None else (weights * aweights).sum() / total
        norm = (total - correction * (spent if aweights is not None else 1)).clamp(min=0)
    if norm == 0 if weights is None else x.device.type == "cpu" and occurs(norm == 0):
        warn_outside(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the "
            "number of observations.",
            UserWarning,
        )
    weighted = x if weights is None else x * weights
    dtype = x._key.dtype
    product = ops.mm(weighted.to(dtype), conj(x.mT))
    if norm is not None and not hasattr(norm, "_key"):
        norm = ops.scalar_tensor(norm, dtype=dtype.to_real(), device=x.device)
    return (product / norm).squeeze()


def _weights(fweights: Any, aweights: Any, count: int) -> Any:
    """Return what each observation counts; None if each counts one."""
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        found, ndim = given._key.dtype.scalar_name, len(given._array.shape)
        kind = "integral" if name == "fweights" else "floating point"
        problem = ""
        if ndim > 1:
            problem = (
                f"expected {name} to have one or fewer dimensions but got {name} with {ndim} "
                "dimensions"
            )
        elif (name == "fweights") == given._key.floating:
            problem = f"expected {name} to have {kind} dtype but got {name} with {found} dtype"
        elif given.numel() != count:
            problem = (
                f"expected {name} to have the same numel as there are observations in the input "
                f"but got {given.numel()} != {count}"
            )
        elif occurs(given.detach() < 0):
            problem = f"{name} cannot be negative"
        if problem:
            fail(ShapeError, f"cov(): {problem}", "cov: one weight per observation.")
    if fweights is None:
        return aweights
    return fweights if aweights is None else fweights * aweights


@composite
def corrcoef(self: Tensor) -> Tensor:
    """Return the correlations of variables, the rows of *self*: between -1 and 1.

    >>> import chainrule as cr
    >>> cr.corrcoef(cr.tensor([[1.0, 2.0, 3.0], [6.0, 4.0, 2.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if len(self._array.shape) > 2:
        sentence = (
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{len(self._array.shape)} dimensions"
        )
        fail(ShapeError, sentence, "corrcoef: one row per variable.")
    c: Any = cov(self)
    if not c._array.shape:
        return c / c
    spread = c.diagonal()
    spread = (spread.real if c._key.complex else spread).sqrt()
    c = c / spread.unsqueeze(-1) / spread.unsqueeze(-2)
    if c._key.complex:
        return ops.complex(c.real.clip(-1, 1), c.imag.clip(-1, 1))
    return c.clip(-1, 1)


# Distances


@composite(nodes={"": "CdistBackward0"})
def _cdist(x1: Tensor, x2: Tensor, p: float) -> Tensor:
    """Return the distances between rows; by products where there are many and p is 2."""
    return vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)


def _cdist_rule(grad: Any, x1: Any, x2: Any, p: float, result: Any) -> tuple[Any, Any]:
    """Return the gradients of both sets of points."""
    if p == 2:
        # The sums over pairs are products: no array of all differences is needed.
        weights = grad * power_or_zero(result, -1)
        first = weights.sum(-1, keepdim=True) * x1 - weights @ x2
        second = weights.sum(-2).unsqueeze(-1) * x2 - weights.mT @ x1
        return first, second
    away = x1.unsqueeze(-2) - x2.unsqueeze(-3)
    last = len(away._array.shape) - 1
    pulled = norm_rule(grad, away, p, (last,), False, result)
    return pulled.sum(-2), -pulled.sum(-3)


_cdist.vjp(
    x1=lambda grad, x1, x2, p, result: _cdist_rule(grad, x1, x2, p, result)[0],
    x2=lambda grad, x1, x2, p, result: _cdist_rule(grad, x1, x2, p, result)[1],
)

_MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)  # fmt: skip


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = _MODES[0]) -> Tensor:
    """Return the p-norms of all differences between two sets of points.

    Args:
        x1: ``(*, P, M)``, floating.
        x2: ``(*, R, M)``, whose batch broadcasts.
        p: The order of the norm, not negative.
        compute_mode: Taken for PyTorch's sake: differences are always formed.

    Returns:
        ``(*, P, R)``.

    Raises:
        RuntimeError: shapes, dtypes or *p* do not fit.
        ValueError: there is no such mode.

    Gradient:
        That of `vector_norm`; zero where two points are equal.

    >>> import chainrule as cr
    >>> cr.cdist(cr.tensor([[0.0, 0.0]]), cr.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """
    if compute_mode not in _MODES:
        msg = f"{compute_mode} is not a valid value for compute_mode"
        raise ValueError(msg)
    for name, x in (("X1", x1), ("X2", x2)):
        if not x._key.dtype.is_floating_point:
            sentence = (
                f"cdist only supports floating-point dtypes, {name} got: {x._key.dtype.scalar_name}"
            )
            fail(DTypeError, sentence, "cdist: convert with .float() first.")
        if len(x._array.shape) < 2:
            sentence = (
                f"cdist only supports at least 2D tensors, {name} got: {len(x._array.shape)}D"
            )
            fail(ShapeError, sentence, "cdist: one row per point.")
    columns = x1._array.shape[-1], x2._array.shape[-1]
    if columns[0] != columns[1]:
        sentence = (
            f"X1 and X2 must have the same number of columns. X1: {columns[0]} X2: {columns[1]}"
        )
        fail(ShapeError, sentence, "cdist: points of one space.")
    if p < 0:
        fail(ShapeError, "cdist only supports non-negative p values", f"cdist: got {p}.")
    return _cdist(x1, x2, p)


# Limited length


@composite(nodes={"": "RenormBackward0"})
def _renorm(self: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Return the slices along *dim*, shortened where they are longer than *maxnorm*."""
    return self * _factors(self, p, dim, maxnorm)


def _factors(x: Any, p: float, dim: int, maxnorm: float) -> Any:
    others = [d for d in range(len(x._array.shape)) if d != dim]
    length = vector_norm(x, p, others, True)
    return ops.where(length > maxnorm, maxnorm / (length + 1e-7), 1.0).to(length._key.dtype)


def _renorm_rule(grad: Any, self: Any, p: float, dim: int, maxnorm: float) -> Any:
    others = tuple(d for d in range(len(self._array.shape)) if d != dim)
    length = vector_norm(self, p, others, True)
    long = length > maxnorm
    inner = (conj(grad) * self).sum(others, keepdim=True)
    inner = inner.real if self._key.complex else inner
    along = norm_rule(inner, self, p, others, True, length)
    scale = maxnorm / (length + 1e-7)
    shortened = grad * scale - along * (scale / (length + 1e-7))
    return ops.where(long, shortened, grad)


_renorm.vjp(self=_renorm_rule)


@composite
def renorm(self: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Return the slices along *dim*, shortened where their p-norm is larger than *maxnorm*.

    Args:
        self: ``(*)`` with at least two dimensions, floating or complex.
        p: The order of the norm, positive.
        dim: The dimension whose slices are measured.
        maxnorm: The largest length.

    Raises:
        RuntimeError: an argument does not fit.

    Gradient:
        That of ``self * maxnorm / norm`` where a slice is shortened, else ``grad``.

    >>> import chainrule as cr
    >>> cr.renorm(cr.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    problem, ndim = "", len(self._array.shape)
    if ndim < 2:
        problem = f"input needs at least 2 dimensions, got {ndim} dimensions"
    elif p <= 0:
        problem = "non-positive-norm not supported"
    elif maxnorm < 0:
        problem = f"expected maxnorm to be >= 0 but got {maxnorm:g}"
    if problem:
        fail(ShapeError, f"renorm: {problem}", "renorm: see its Args.")
    return _renorm(self, p, wrap_dim(dim, ndim), maxnorm)
