"""Normal distributions of vectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from .. import linalg, ops
from ..ops.matrix_triangular import cholesky_inverse
from ..shapes import broadcast_shapes
from . import constraints
from .distribution import Distribution
from .normal import standard_normal
from .utils import lazy_property

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["LowRankMultivariateNormal", "MultivariateNormal"]


def batch_mv(matrix: Tensor, vector: Tensor) -> Tensor:
    """Return the product of a batch of matrices with a batch of vectors."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def batch_mahalanobis(factor: Tensor, away: Tensor) -> Tensor:
    """Return ``away^T M^-1 away`` where *factor* is the Cholesky factor of M, batches broadcast."""
    shape = (*broadcast_shapes(factor.shape[:-2], away.shape[:-1]), away.shape[-1])
    column = away.expand(shape).unsqueeze(-1)
    solved = linalg.solve_triangular(factor.expand((*shape, shape[-1])), column, upper=False)
    return solved.squeeze(-1).pow(2).sum(-1)


def precision_to_scale_tril(precision: Tensor) -> Tensor:
    """Return the Cholesky factor of the inverse of *precision*.

    The factor of the flipped matrix, flipped, is an upper triangular root of the precision; its
    inverse, transposed, is the lower triangular root of the covariance.
    """
    flipped = linalg.cholesky(precision.flip((-2, -1)))
    root = flipped.flip((-2, -1)).mT
    eye = ops.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return linalg.solve_triangular(root, eye.expand(precision.shape), upper=False)


def the_matrix(covariance: Any, precision: Any, factor: Any) -> tuple[str, Tensor]:
    """Return the one matrix that was given, with its name.

    Raises:
        ValueError: none was given, or several, or it is no matrix.
    """
    matrices = {
        "covariance_matrix": covariance, "precision_matrix": precision, "scale_tril": factor,
    }  # fmt: skip
    given = [(name, matrix) for name, matrix in matrices.items() if matrix is not None]
    if len(given) != 1:
        msg = "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
        raise ValueError(msg)
    ((name, matrix),) = given
    if matrix.dim() < 2:
        msg = f"{name} must be at least two-dimensional, with optional leading batch dimensions"
        raise ValueError(msg)
    return name, matrix


def to_scale_tril(name: str, matrix: Tensor) -> Tensor:
    """Return the Cholesky factor of the covariance that *matrix*, called *name*, tells."""
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return linalg.cholesky(matrix)
    return precision_to_scale_tril(matrix)


class OfCovariance(Distribution):
    """A distribution that is told a covariance, or its inverse, or its lower Cholesky factor."""

    _unbroadcasted_scale_tril: Tensor

    def _over_batch(self, matrix: Tensor) -> Tensor:
        return matrix.expand((*self._batch_shape, *matrix.shape[-2:]))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of the covariance."""
        return self._over_batch(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        factor = self._unbroadcasted_scale_tril
        return self._over_batch(factor @ factor.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        return self._over_batch(cholesky_inverse(self._unbroadcasted_scale_tril))


class MultivariateNormal(OfCovariance):
    """The normal distribution of vectors with mean *loc*.

    Give one of the covariance, its inverse, and its lower Cholesky factor; the factor is what is
    computed with.

    >>> import chainrule as cr
    >>> MultivariateNormal(cr.zeros(2), cr.eye(2)).log_prob(cr.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints: ClassVar = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            msg = "loc must be at least one-dimensional."
            raise ValueError(msg)
        name, matrix = the_matrix(covariance_matrix, precision_matrix, scale_tril)
        batch = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.__dict__[name] = matrix.expand((*batch, *matrix.shape[-2:]))
        self.loc = loc.expand((*batch, loc.shape[-1]))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = to_scale_tril(name, matrix)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        names = ("loc", "covariance_matrix", "precision_matrix", "scale_tril")
        new = self._expanded(MultivariateNormal, batch_shape, _instance, names)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        return new

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        squares = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return squares.expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        draws = standard_normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + batch_mv(self._unbroadcasted_scale_tril, draws)

    def _half_log_det(self) -> Tensor:
        diagonal = self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1)
        return diagonal.log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        n = self._event_shape[0]
        return -0.5 * (n * math.log(2 * math.pi) + distance) - self._half_log_det()

    def entropy(self) -> Tensor:
        n = self._event_shape[0]
        entropy = 0.5 * n * (1.0 + math.log(2 * math.pi)) + self._half_log_det()
        return entropy if len(self._batch_shape) == 0 else entropy.expand(self._batch_shape)


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of vectors whose covariance is ``W W^T + diag(d)``.

    Source:
        The matrix determinant lemma and Woodbury's identity, over a matrix of the size of W's rank.

    >>> import chainrule as cr
    >>> LowRankMultivariateNormal(cr.zeros(2), cr.ones(2, 1), cr.ones(2)).covariance_matrix
    tensor([[2., 1.],
            [1., 2.]])
    """

    arg_constraints: ClassVar = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Any, cov_factor: Any, cov_diag: Any, validate_args: bool | None = None
    ) -> None:
        if loc.dim() < 1:
            msg = "loc must be at least one-dimensional."
            raise ValueError(msg)
        event = loc.shape[-1:]
        if cov_factor.dim() < 2:
            msg = (
                "cov_factor must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
            raise ValueError(msg)
        if tuple(cov_factor.shape[-2:-1]) != tuple(event):
            msg = f"cov_factor must be a batch of matrices with shape {event[0]} x m"
            raise ValueError(msg)
        if tuple(cov_diag.shape[-1:]) != tuple(event):
            msg = f"cov_diag must be a batch of vectors with shape {event}"
            raise ValueError(msg)
        batch = broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        self.loc = loc.expand((*batch, *event))
        self.cov_diag = cov_diag.expand((*batch, *event))
        self.cov_factor = cov_factor.expand((*batch, *cov_factor.shape[-2:]))
        self._factor, self._diagonal = cov_factor, cov_diag
        self._capacitance_tril = _capacitance(cov_factor, cov_diag)
        super().__init__(batch, event, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        names = ("loc", "cov_diag", "cov_factor")
        new = self._expanded(LowRankMultivariateNormal, batch_shape, _instance, names)
        new._factor, new._diagonal = self._factor, self._diagonal
        new._capacitance_tril = self._capacitance_tril
        return new

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """The variance of each element."""
        squares = self._factor.pow(2).sum(-1) + self._diagonal
        return squares.expand((*self._batch_shape, *self._event_shape))

    def _over_batch(self, matrix: Tensor) -> Tensor:
        n = self._event_shape[0]
        return matrix.expand((*self._batch_shape, n, n))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of the covariance."""
        return linalg.cholesky(self.covariance_matrix)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self._over_batch(self._factor @ self._factor.mT + self._diagonal.diag_embed())

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance, by Woodbury's identity."""
        scaled = self._factor.mT / self._diagonal.unsqueeze(-2)
        inner = linalg.solve_triangular(self._capacitance_tril, scaled, upper=False)
        return self._over_batch(self._diagonal.reciprocal().diag_embed() - inner.mT @ inner)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        low = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc)
        own = standard_normal(shape, self.loc)
        return self.loc + batch_mv(self._factor, low) + self._diagonal.sqrt() * own

    def _log_det(self) -> Tensor:
        core = self._capacitance_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return 2 * core + self._diagonal.log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        away = value - self.loc
        scaled = self._factor.mT / self._diagonal.unsqueeze(-2)
        outer = (away.pow(2) / self._diagonal).sum(-1)
        inner = batch_mahalanobis(self._capacitance_tril, batch_mv(scaled, away))
        n = self._event_shape[0]
        return -0.5 * (n * math.log(2 * math.pi) + self._log_det() + outer - inner)

    def entropy(self) -> Tensor:
        n = self._event_shape[0]
        entropy = 0.5 * (n * (1.0 + math.log(2 * math.pi)) + self._log_det())
        return entropy if len(self._batch_shape) == 0 else entropy.expand(self._batch_shape)


def _capacitance(factor: Tensor, diagonal: Tensor) -> Tensor:
    """Return the Cholesky factor of ``I + W^T diag(d)^-1 W``."""
    rank = factor.shape[-1]
    inner = factor.mT / diagonal.unsqueeze(-2) @ factor
    return linalg.cholesky(inner + ops.eye(rank, dtype=factor.dtype, device=factor.device))
