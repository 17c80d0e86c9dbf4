"""Distributions of matrices: of covariances, and of the factors of correlations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from .. import linalg, ops
from ..ops.matrix_triangular import cholesky_solve
from ..ops.special_more import mvlgamma
from ..shapes import Size, broadcast_shapes
from ..typeinfo import finfo
from . import constraints
from .distribution import Distribution, ExponentialFamily
from .gamma import Beta, Chi2
from .multivariate_normal import OfCovariance, the_matrix, to_scale_tril
from .normal import standard_normal
from .utils import broadcast_all

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["LKJCholesky", "Wishart"]


class LKJCholesky(Distribution):
    """Lower Cholesky factors of correlation matrices; the matrices have a density ``det^(c - 1)``.

    Args:
        dim: The number of rows.
        concentration: c; with 1 all matrices are as likely, above it those near the identity.
        validate_args: Whether to check arguments.

    Source:
        Lewandowski, Kurowicka and Joe, "Generating random correlation matrices based on vines and
        extended onion method", 2009: the onion.

    >>> import chainrule as cr
    >>> LKJCholesky(3).sample().shape
    torch.Size([3, 3])
    """

    arg_constraints: ClassVar = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(
        self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            msg = f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            raise ValueError(msg)
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        self._make_beta()
        super().__init__(self.concentration.shape, Size((dim, dim)), validate_args=validate_args)

    def _make_beta(self) -> None:
        """Make the distribution of the squared length of each row before its diagonal."""
        like: dict[str, Any] = {
            "dtype": self.concentration.dtype,
            "device": self.concentration.device,
        }
        places = ops.arange(self.dim - 1, **like)
        offset = ops.cat([ops.zeros(1, **like), places])
        rest = self.concentration + 0.5 * (self.dim - 2)
        self._beta = Beta(offset + 0.5, rest.unsqueeze(-1) - 0.5 * offset)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new: Any = self._get_checked_instance(LKJCholesky, _instance)
        new.dim = self.dim
        new.concentration = self.concentration.expand(batch_shape)
        new._make_beta()
        Distribution.__init__(new, Size(batch_shape), self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return draws: every row is a direction of random length, and what is left up to one."""
        length = self._beta.sample(sample_shape).unsqueeze(-1)
        shape = self._extended_shape(sample_shape)
        normal = standard_normal(shape, self.concentration).tril(-1)
        direction = normal / normal.norm(dim=-1, keepdim=True)
        direction[..., 0, :] = 0.0
        rows = length.sqrt() * direction
        smallest = finfo(rows.dtype).tiny
        rest = (1 - rows.pow(2).sum(-1)).clamp(min=smallest).sqrt()
        return rows + ops.diag_embed(rest)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = ops.arange(2, self.dim + 1, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        rows = self.dim - 1
        alpha = self.concentration + 0.5 * rows
        normal = 0.5 * rows * math.log(math.pi) + mvlgamma(alpha - 0.5, rows)
        return (order * diagonal.log()).sum(-1) - (normal - ops.lgamma(alpha) * rows)


class Wishart(OfCovariance, ExponentialFamily):
    """Sums of outer products of *df* normal vectors: positive definite matrices.

    Give one of the covariance of the vectors, its inverse, and its lower Cholesky factor.

    Source:
        Draws by the decomposition of Bartlett, "On the theory of statistical regression", 1933.

    >>> import chainrule as cr
    >>> Wishart(cr.tensor(3.0), cr.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    arg_constraints: ClassVar = {
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
        "df": constraints.greater_than(0),
    }
    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        df: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        name, matrix = the_matrix(covariance_matrix, precision_matrix, scale_tril)
        if not hasattr(df, "dim"):
            df = matrix.new_tensor(df)
        batch, event = broadcast_shapes(df.shape, matrix.shape[:-2]), matrix.shape[-2:]
        self.df = df.expand(batch)
        self.__dict__[name] = matrix.expand((*batch, *event))
        if (self.df <= event[-1] - 1).any():
            msg = f"Value of df={df} expected to be greater than ndim - 1 = {event[-1] - 1}."
            raise ValueError(msg)
        super().__init__(batch, event, validate_args=validate_args)
        self._unbroadcasted_scale_tril = to_scale_tril(name, matrix)
        self._make_chi2()

    def _make_chi2(self) -> None:
        """Make the distributions of the squares of the diagonal of a draw's factor."""
        n = self.event_shape[-1]
        places = ops.arange(n, dtype=self.df.dtype, device=self.df.device)
        self._chi2 = Chi2(self.df.unsqueeze(-1) - places.expand((*self.batch_shape, n)))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        names = ("df", "covariance_matrix", "precision_matrix", "scale_tril")
        new = self._expanded(Wishart, batch_shape, _instance, names)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        new._make_chi2()
        return new

    def _of_df(self) -> Tensor:
        return self.df.reshape((*self.batch_shape, 1, 1))

    @property
    def mean(self) -> Tensor:
        return self._of_df() * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor = ops.where(factor <= 0, float("nan"), factor)
        return factor.reshape((*self.batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        diagonal = self.covariance_matrix.diagonal(dim1=-2, dim2=-1)
        products = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self._of_df() * (self.covariance_matrix.pow(2) + products)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        diagonal = self._chi2.rsample(sample_shape).clamp(min=finfo(self.df.dtype).tiny).sqrt()
        noise = standard_normal(shape, self.df).tril(-1) + ops.diag_embed(diagonal)
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.mT

    def _half_log_det(self) -> Tensor:
        diagonal = self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1)
        return diagonal.log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n, df = self.event_shape[-1], self.df
        solved = cholesky_solve(value, self._unbroadcasted_scale_tril)
        trace = solved.diagonal(dim1=-2, dim2=-1).sum(-1)
        normal = df * (0.5 * n * math.log(2) + self._half_log_det()) + mvlgamma(df / 2, n)
        return 0.5 * (df - n - 1) * linalg.slogdet(value).logabsdet - 0.5 * trace - normal

    def entropy(self) -> Tensor:
        n, df = self.event_shape[-1], self.df
        volume = (n + 1) * self._half_log_det() + 0.5 * n * (n + 1) * math.log(2)
        shape = mvlgamma(df / 2, n) - 0.5 * (df - n - 1) * mv_digamma(df / 2, n)
        return volume + shape + 0.5 * n * df


def mv_digamma(x: Tensor, n: int) -> Tensor:
    """Return the derivative of ``mvlgamma(x, n)``."""
    halves = 0.5 * ops.arange(n, dtype=x.dtype, device=x.device)
    return ops.digamma(x.unsqueeze(-1) - halves).sum(-1)
