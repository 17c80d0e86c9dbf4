"""Kullback-Leibler divergences, found by the kinds of two distributions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import linalg, ops
from .._warn import warn
from ..ops.matrix_triangular import cholesky_solve
from ..ops.special_more import mvlgamma
from .bernoulli import Bernoulli, Binomial, Geometric
from .categorical import Categorical, OneHotCategorical
from .continuous_bernoulli import ContinuousBernoulli
from .distribution import Distribution, ExponentialFamily
from .extremes import Gumbel, Pareto
from .gamma import Beta, Dirichlet, Gamma
from .independent import Independent
from .matrices import Wishart, mv_digamma
from .multivariate_normal import LowRankMultivariateNormal, MultivariateNormal, batch_mahalanobis
from .normal import HalfNormal, Normal
from .poisson import Poisson
from .transformed_distribution import TransformedDistribution
from .uniform import Cauchy, Exponential, Laplace, Uniform
from .utils import _sum_rightmost, euler_constant

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tensor import Tensor

__all__ = ["kl_divergence", "register_kl"]

_formulas: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}
_found: dict[tuple[type, type], Any] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Any], Any]:
    """Register the decorated function as the divergence of a *type_p* from a *type_q*.

    Raises:
        TypeError: one of the two is no class. Which class it is is not looked at, as in PyTorch:
            it may be an interface that distributions have in common.
    """
    for kind, name in ((type_p, "type_p"), (type_q, "type_q")):
        if not isinstance(kind, type):
            msg = f"Expected {name} to be a Distribution subclass but got {kind}"
            raise TypeError(msg)

    def add(function: Any) -> Any:
        _formulas[type_p, type_q] = function
        _found.clear()
        return function

    return add


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Return ``KL(p || q)``, the expectation under p of ``log p(x) - log q(x)``.

    Returns:
        One number per member of the batch.

    Raises:
        NotImplementedError: no formula is registered for the two kinds.

    >>> import chainrule as cr
    >>> from chainrule.distributions import Normal
    >>> kl_divergence(Normal(cr.tensor(1.0), 1.0), Normal(cr.tensor(0.0), 1.0))
    tensor(0.5000)
    """
    pair = type(p), type(q)
    if pair not in _found:
        _found[pair] = _dispatch(*pair)
    formula = _found[pair]
    if formula is None:
        kinds = f"p type {type(p).__name__} and q type {type(q).__name__}"
        msg = f"No KL(p || q) is implemented for {kinds}"
        raise NotImplementedError(msg)
    return formula(p, q)


def _dispatch(p: type, q: type) -> Callable[[Any, Any], Tensor] | None:
    """Return the formula of the nearest kinds; that of the first where two are as near."""
    fitting = [(a, b) for a, b in _formulas if issubclass(p, a) and issubclass(q, b)]
    if not fitting:
        return None

    def distance(pair: tuple[type, type]) -> tuple[int, int]:
        return p.__mro__.index(pair[0]), q.__mro__.index(pair[1])

    by_p = min(fitting, key=distance)
    by_q = min(fitting, key=lambda pair: distance(pair)[::-1])
    if _formulas[by_p] is not _formulas[by_q]:
        names = [f"{a.__name__}, {b.__name__}" for a, b in (by_p, by_q)]
        warn(
            f"Ambiguous kl_divergence({p.__name__}, {q.__name__}). Please register_kl({names[0]}, "
            f"{names[1]})",
            RuntimeWarning,
            stacklevel=3,
        )
    return _formulas[by_p]


def _infinite_like(like: Tensor) -> Tensor:
    return ops.full_like(like, math.inf)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Tensor:
    yes = p.probs * (ops.softplus(-q.logits) - ops.softplus(-p.logits))
    yes = ops.where(q.probs == 0, math.inf, yes)
    yes = ops.where(p.probs == 0, 0.0, yes)
    no = (1 - p.probs) * (ops.softplus(q.logits) - ops.softplus(p.logits))
    no = ops.where(q.probs == 1, math.inf, no)
    no = ops.where(p.probs == 1, 0.0, no)
    return yes + no


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Tensor:
    if (p.total_count < q.total_count).any():
        msg = "KL between Binomials where q.total_count > p.total_count is not implemented"
        raise NotImplementedError(msg)
    kl: Any = p.total_count * (
        p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    )
    more = p.total_count > q.total_count
    return ops.where(more, math.inf, kl)


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Tensor:
    t = p.probs * (p.logits - q.logits)
    t = ops.where(q.probs == 0, math.inf, t)
    t = ops.where(p.probs == 0, 0.0, t)
    return t.sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Tensor:
    total_p = p.concentration1 + p.concentration0
    total_q = q.concentration1 + q.concentration0
    constant = (
        q.concentration1.lgamma() + q.concentration0.lgamma() + total_p.lgamma()
        - p.concentration1.lgamma() - p.concentration0.lgamma() - total_q.lgamma()
    )  # fmt: skip
    return (
        constant
        + (p.concentration1 - q.concentration1) * ops.digamma(p.concentration1)
        + (p.concentration0 - q.concentration0) * ops.digamma(p.concentration0)
        + (total_q - total_p) * ops.digamma(total_p)
    )


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Tensor:
    total = p.concentration.sum(-1)
    constant = total.lgamma() - q.concentration.sum(-1).lgamma()
    pieces = (q.concentration.lgamma() - p.concentration.lgamma()).sum(-1)
    slope = p.concentration.digamma() - total.digamma().unsqueeze(-1)
    return constant + pieces + ((p.concentration - q.concentration) * slope).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _family(p: Any, q: Any) -> Tensor:
    """Return the Bregman divergence of the log-normaliser, for two of one family."""
    from ..autograd import grad
    from ..grad_mode import enable_grad

    if type(p) is not type(q):
        msg = (
            "The cross KL-divergence between different exponential families cannot be computed "
            "using Bregman divergences"
        )
        raise NotImplementedError(msg)
    mine = [x.detach().requires_grad_() for x in p._natural_params]
    with enable_grad():
        normalizer = p._log_normalizer(*mine)
        slopes = grad(normalizer.sum(), mine, create_graph=True)
    result = q._log_normalizer(*q._natural_params) - normalizer
    for theirs, own, slope in zip(q._natural_params, mine, slopes, strict=True):
        term = (theirs - own) * slope
        result = result - _sum_rightmost(term, len(q.event_shape))
    return result


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Tensor:
    return (
        q.concentration * (p.rate / q.rate).log()
        + q.concentration.lgamma()
        - p.concentration.lgamma()
        + (p.concentration - q.concentration) * ops.digamma(p.concentration)
        + (q.rate - p.rate) * (p.concentration / p.rate)
    )


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Tensor:
    first = p.scale / q.scale
    second, third = q.loc / q.scale, p.loc / q.scale
    own = first.log() + second - third
    return (
        -own
        + first * euler_constant
        + (second + (1 + first).lgamma() - third).exp()
        - (1 + euler_constant)
    )


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Tensor:
    return -p.entropy() - ops.log1p(-q.probs) / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: Any, q: Any) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Tensor:
    ratio = p.scale / q.scale
    away = (p.loc - q.loc).abs()
    return -ratio.log() + away / q.scale + ratio * (-away / p.scale).exp() - 1


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    away = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + away - 1 - ratio.log())


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        msg = (
            "KL-divergence between two Multivariate Normals with different event shapes cannot be "
            "computed"
        )
        raise ValueError(msg)
    mine, theirs = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    half = q._half_log_det() - p._half_log_det()
    n = p.event_shape[0]
    shape = ops.broadcast_shapes(mine.shape[:-2], theirs.shape[:-2])
    solved = linalg.solve_triangular(
        theirs.expand((*shape, n, n)), mine.expand((*shape, n, n)), upper=False
    )
    trace = solved.pow(2).sum((-2, -1))
    distance = batch_mahalanobis(theirs, q.loc - p.loc)
    return half + 0.5 * (trace + distance - n)


def _as_full(d: Any) -> MultivariateNormal:
    return (
        d
        if isinstance(d, MultivariateNormal)
        else MultivariateNormal(d.loc, scale_tril=d.scale_tril)
    )


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _low_rank(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        msg = (
            "KL-divergence between two (Low Rank) Multivariate Normals with different event shapes "
            "cannot be computed"
        )
        raise ValueError(msg)
    return _multivariate_normal(_as_full(p), _as_full(q))


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Tensor:
    ratio, shape = p.scale / q.scale, q.alpha / p.alpha
    kl = q.alpha * ratio.log() - shape.log() + shape - 1
    return ops.where(p.scale < q.scale, math.inf, kl)


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    more = len(p.event_shape) - len(p.base_dist.event_shape)
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), more)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Tensor:
    kl = ((q.high - q.low) / (p.high - p.low)).log()
    return ops.where((q.low > p.low) | (q.high < p.high), math.inf, kl)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Tensor:
    apart = ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log()
    return apart - (4 * p.scale * q.scale).log()


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    inner = kl_divergence(p.base_dist, q.base_dist)
    return _sum_rightmost(inner, p.reinterpreted_batch_ndims)


# Of different kinds: infinite where p can be what q cannot.


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Any, q: Any) -> Tensor:
    ratio = q.rate / p.rate
    return (
        -q.concentration * ratio.log()
        + ratio
        + q.concentration.lgamma()
        + q.concentration * euler_constant
        - (1 + euler_constant)
    )


@register_kl(Gamma, Exponential)
def _gamma_exponential(p: Any, q: Any) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.concentration / p.rate


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Tensor:
    away = p.loc - q.loc
    ratio, step = p.scale / q.scale, away / p.scale
    spread = math.sqrt(2 / math.pi) * p.scale * ops.exp(-0.5 * step.pow(2))
    mean = spread + away * ops.erf(math.sqrt(0.5) * step)
    return -ratio.log() + mean / q.scale - (0.5 + 0.5 * math.log(0.5 * math.pi))


def _x_log_x(x: Tensor) -> Tensor:
    return ops.xlogy(x, x)


# What a distribution q costs under p needs little of p: its entropy, and the mean of a few
# functions of x. With those, one formula per q serves every p.


def _from_normal(p: Any, q: Any) -> Tensor:
    """Return the divergence from a normal distribution: by mean and variance."""
    variance = q.scale.pow(2)
    spread = (p.variance + (p.mean - q.loc).pow(2)) / (2 * variance)
    return 0.5 * ops.log(2 * math.pi * variance) + spread - p.entropy()


def _from_exponential(p: Any, q: Any) -> Tensor:
    """Return the divergence from an exponential distribution: by the mean."""
    return q.rate * p.mean - q.rate.log() - p.entropy()


def _from_gamma(p: Any, q: Any, mean_log: Tensor) -> Tensor:
    """Return the divergence from a gamma distribution: by the means of x and of its logarithm."""
    constant = q.concentration.lgamma() - q.concentration * q.rate.log()
    return constant - (q.concentration - 1) * mean_log + q.rate * p.mean - p.entropy()


def _from_gumbel(p: Any, q: Any, mean_exp: Tensor) -> Tensor:
    """Return the divergence from a Gumbel distribution: by means of x and exp(-x / scale)."""
    away = (p.mean - q.loc) / q.scale
    return q.scale.log() + away + (q.loc / q.scale).exp() * mean_exp - p.entropy()


for _kind in (Beta, Exponential, Gamma, Gumbel, Laplace, Uniform):
    register_kl(_kind, Normal)(_from_normal)
register_kl(Beta, Exponential)(_from_exponential)


def _mean_log_of_beta(p: Any) -> Tensor:
    total = p.concentration1 + p.concentration0
    return p.concentration1.digamma() - total.digamma()


def _mean_log_of_uniform(low: Tensor, high: Tensor) -> Tensor:
    return (_x_log_x(high) - _x_log_x(low)) / (high - low) - 1


@register_kl(Beta, Gamma)
def _beta_gamma(p: Any, q: Any) -> Tensor:
    return _from_gamma(p, q, _mean_log_of_beta(p))


@register_kl(Beta, Uniform)
def _beta_uniform(p: Any, q: Any) -> Tensor:
    kl = (q.high - q.low).log() - p.entropy()
    return ops.where((q.low > 0) | (q.high < 1), math.inf, kl)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Any, q: Any) -> Tensor:
    product = p.rate * q.scale
    return _from_gumbel(p, q, product / (product + 1))


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Any, q: Any) -> Tensor:
    return _from_gumbel(p, q, (1 + 1 / (p.rate * q.scale)).pow(-p.concentration))


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Any, q: Any) -> Tensor:
    steps = p.loc / q.scale
    return _from_gumbel(p, q, (-steps + 0.5 * (p.scale / q.scale).pow(2)).exp())


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Any, q: Any) -> Tensor:
    ends = (-p.low / q.scale).exp() - (-p.high / q.scale).exp()
    return _from_gumbel(p, q, q.scale * ends / (p.high - p.low))


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Any, q: Any) -> Tensor:
    return ops.where(p.alpha <= 1, math.inf, _from_exponential(p, q))


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Any, q: Any) -> Tensor:
    kl = _from_gamma(p, q, p.scale.log() + p.alpha.reciprocal())
    return ops.where(p.alpha <= 1, math.inf, kl)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Any, q: Any) -> Tensor:
    return ops.where(p.alpha <= 2, math.inf, _from_normal(p, q))


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Tensor:
    low = _mean_log_of_uniform(p.low, p.high)
    high = _mean_log_of_uniform(1 - p.high, 1 - p.low)
    one, zero = q.concentration1, q.concentration0
    constant = one.lgamma() + zero.lgamma() - (one + zero).lgamma()
    kl = constant - (one - 1) * low - (zero - 1) * high - p.entropy()
    return ops.where((p.high > 1) | (p.low < 0), math.inf, kl)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Tensor:
    return ops.where(p.low < 0, math.inf, _from_exponential(p, q))


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Tensor:
    kl = _from_gamma(p, q, _mean_log_of_uniform(p.low, p.high))
    return ops.where(p.low < 0, math.inf, kl)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Tensor:
    mean_log = _mean_log_of_uniform(p.low, p.high)
    kl = -(q.alpha * q.scale.pow(q.alpha)).log() + (q.alpha + 1) * mean_log - p.entropy()
    return ops.where(p.low < q.scale, math.inf, kl)


def _impossible(*pairs: tuple[type, type, str]) -> None:
    """Register pairs whose divergence is infinite, with the parameter that has its shape."""
    for type_p, type_q, name in pairs:
        register_kl(type_p, type_q)(lambda p, q, name=name: _infinite_like(getattr(p, name)))


_impossible(
    (Exponential, Beta, "rate"), (Exponential, Pareto, "rate"), (Exponential, Uniform, "rate"),
    (Gamma, Beta, "concentration"), (Gamma, Pareto, "concentration"),
    (Gamma, Uniform, "concentration"), (Laplace, Beta, "loc"), (Laplace, Exponential, "loc"),
    (Laplace, Gamma, "loc"), (Laplace, Pareto, "loc"), (Laplace, Uniform, "loc"),
    (Normal, Beta, "loc"), (Normal, Exponential, "loc"), (Normal, Gamma, "loc"),
    (Normal, Pareto, "loc"), (Normal, Uniform, "loc"), (Pareto, Beta, "scale"),
    (Pareto, Uniform, "scale"), (Poisson, Bernoulli, "rate"), (Poisson, Binomial, "rate"),
    (Beta, Pareto, "concentration1"), (Gumbel, Beta, "loc"), (Gumbel, Exponential, "loc"),
    (Gumbel, Gamma, "loc"), (Gumbel, Pareto, "loc"), (Gumbel, Uniform, "loc"),
)  # fmt: skip


@register_kl(Beta, ContinuousBernoulli)
@register_kl(ContinuousBernoulli, ContinuousBernoulli)
@register_kl(Uniform, ContinuousBernoulli)
def _from_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    expected = p.mean * q.logits + ops.log1p(-q.probs) + q._cont_bern_log_norm()
    result = -p.entropy() - expected
    if isinstance(p, Uniform):
        # As in PyTorch, at the very bounds too.
        outside = (p.high >= q.support.upper_bound) | (p.low <= q.support.lower_bound)
        return ops.where(outside, math.inf, result)
    return result


@register_kl(ContinuousBernoulli, Exponential)
def _continuous_bernoulli_exponential(p: Any, q: Any) -> Tensor:
    return -p.entropy() - ops.log(q.rate) + q.rate * p.mean


@register_kl(ContinuousBernoulli, Normal)
def _continuous_bernoulli_normal(p: Any, q: Any) -> Tensor:
    squares = p.variance + (p.mean - q.loc).pow(2)
    away = 0.5 * squares / q.scale.pow(2)
    return -p.entropy() + math.log(math.sqrt(2 * math.pi)) + ops.log(q.scale) + away


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p: Any, q: Any) -> Tensor:
    result = -p.entropy() + ops.log(q.high - q.low)
    outside = (q.high <= p.support.upper_bound) | (q.low >= p.support.lower_bound)
    return ops.where(outside, math.inf, result)


@register_kl(Exponential, ContinuousBernoulli)
@register_kl(Gamma, ContinuousBernoulli)
@register_kl(Gumbel, ContinuousBernoulli)
@register_kl(Laplace, ContinuousBernoulli)
@register_kl(Normal, ContinuousBernoulli)
@register_kl(Pareto, ContinuousBernoulli)
def _wider_than_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    return _infinite_like(ops.broadcast_tensors(p.mean, q.probs)[0])


@register_kl(ContinuousBernoulli, Pareto)
def _continuous_bernoulli_pareto(p: Any, q: Any) -> Tensor:
    return _infinite_like(ops.broadcast_tensors(p.probs, q.scale)[0])


@register_kl(Wishart, Wishart)
def _wishart(p: Any, q: Any) -> Tensor:
    n = p.event_shape[-1]
    solved = cholesky_solve(p.covariance_matrix, q._unbroadcasted_scale_tril)
    trace = solved.diagonal(dim1=-2, dim2=-1).sum(-1)
    scales = q.df * (q._half_log_det() - p._half_log_det()) + 0.5 * p.df * (trace - n)
    shapes = mvlgamma(q.df / 2, n) - mvlgamma(p.df / 2, n)
    return scales + shapes + 0.5 * (p.df - q.df) * mv_digamma(p.df / 2, n)
