"""Incomplete gamma and beta functions, their slopes and their inverses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chainrule.ops import digamma, exp, lgamma, log, log1p, xlogy
from chainrule.plugin import NOT_IMPLEMENTED, primitive
from chainrule.special import xlog1py

from ._stating import like, special_of_reals

if TYPE_CHECKING:
    from chainrule import Tensor

    from ._stating import Number


_SLOPE: Final = NOT_IMPLEMENTED("it is a first derivative in this parameter already")


# Gamma


@special_of_reals
def gammainc(a: Tensor | Number, x: Tensor | Number) -> Tensor:
    """Return the regularised lower incomplete gamma function: the gamma distribution's share.

    Unlike ``chainrule.special.gammainc``, which does as PyTorch does, it has a derivative in *a*.

    Gradient:
        In *a*: `gammainc_slope`. In *x*: ``x**(a-1) exp(-x) / Γ(a)``. Source: DLMF 8.8.13.
    """


@special_of_reals
def gammaincc(a: Tensor | Number, x: Tensor | Number) -> Tensor:
    """Return one minus `gammainc`, exact also where it is tiny.

    Gradient:
        That of `gammainc`, negative.
    """


@special_of_reals
def gammainc_slope(a: Tensor | Number, x: Tensor | Number) -> Tensor:
    """Return the derivative of `gammainc` in *a*; SciPy has no such function.

    Its kernel sums the derivatives of the terms of the series DLMF 8.7.1, and, where *x* is larger
    than ``a + 1``, of the continued fraction DLMF 8.9.2.

    Gradient:
        In *x*: ``(log(x) - ψ(a)) x**(a-1) exp(-x) / Γ(a)``. In *a* there is none.
    """


@special_of_reals
def gammaincinv(a: Tensor | Number, y: Tensor | Number) -> Tensor:
    """Return the *x* of which ``gammainc(a, x)`` is *y*: the gamma distribution's quantile.

    Gradient:
        One over the derivative of `gammainc` in *x*, there; in *a*, the negative of that times
        `gammainc_slope`.
    """


@special_of_reals
def gammainccinv(a: Tensor | Number, y: Tensor | Number) -> Tensor:
    """Return the *x* of which ``gammaincc(a, x)`` is *y*.

    Gradient:
        As for `gammaincinv`, negative in *y*.
    """


def _gamma_density(a: Any, x: Any) -> Any:
    """Return the derivative of `gammainc` in *x*."""
    return exp(xlogy(a - 1, x) - x - lgamma(a))


def _both(one: Any, other: Any) -> tuple[Any, Any]:
    """Return two operands, at least one of them a tensor, both as tensors."""
    return like(one, other), like(other, one)


def _d_gamma_x(grad: Tensor, a: Any, x: Any) -> Any:
    return grad * _gamma_density(*_both(a, x))


def _d_slope_x(grad: Tensor, a: Any, x: Any) -> Any:
    a, x = _both(a, x)
    return grad * _gamma_density(a, x) * (log(x) - digamma(a))


def _d_quantile_a(grad: Tensor, a: Any, result: Tensor) -> Any:
    a = like(a, result)
    return -grad * gammainc_slope(a, result) / _gamma_density(a, result)


def _d_quantile_y(grad: Tensor, a: Any, result: Tensor) -> Any:
    return grad / _gamma_density(like(a, result), result)


gammainc.vjp(a=lambda grad, a, x: grad * gammainc_slope(a, x), x=_d_gamma_x)
gammaincc.vjp(
    a=lambda grad, a, x: -grad * gammainc_slope(a, x),
    x=lambda grad, a, x: -_d_gamma_x(grad, a, x),
)
gammainc_slope.vjp(a=_SLOPE, x=_d_slope_x)
gammaincinv.vjp(a=_d_quantile_a, y=_d_quantile_y)
gammainccinv.vjp(a=_d_quantile_a, y=lambda grad, a, result: -_d_quantile_y(grad, a, result))


# Beta


@special_of_reals
def betainc(a: Tensor | Number, b: Tensor | Number, x: Tensor) -> Tensor:
    """Return the regularised incomplete beta function: the beta distribution's share.

    Gradient:
        In *a* and *b*: `betainc_slopes`. In *x*: ``x**(a-1) (1-x)**(b-1) / B(a, b)``. Source:
        DLMF 8.17.1.
    """


@primitive(
    namespace="scipy_special",
    promote="float",
    outputs=("slope_a", "slope_b"),
    refuses={"complex": "betainc_slopes: expected real tensors, got a complex one"},
)
def betainc_slopes(a: Tensor | Number, b: Tensor | Number, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the derivatives of `betainc` in *a* and in *b*; SciPy has no such function.

    Its kernel carries the derivatives along the continued fraction DLMF 8.17.22.

    Gradient:
        In *x*: the density times ``log(x) - ψ(a) + ψ(a+b)`` and ``log(1-x) - ψ(b) + ψ(a+b)``. In
        *a* and *b* there is none.
    """


@special_of_reals
def betaincinv(a: Tensor | Number, b: Tensor | Number, y: Tensor) -> Tensor:
    """Return the *x* of which ``betainc(a, b, x)`` is *y*: the beta distribution's quantile.

    Gradient:
        One over the derivative of `betainc` in *x*, there; in *a* and *b*, the negative of that
        times `betainc_slopes`.
    """


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    """Return the derivative of `betainc` in *x*."""
    log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
    return exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - log_beta)


def _d_betainc(grad: Tensor, a: Any, b: Any, x: Tensor) -> Any:
    return grad * _beta_density(like(a, x), like(b, x), x)


def _d_slopes(grads: Any, a: Any, b: Any, x: Tensor) -> Any:
    a, b = like(a, x), like(b, x)
    both = digamma(a + b)
    logs = grads[0] * (log(x) - digamma(a) + both) + grads[1] * (log1p(-x) - digamma(b) + both)
    return logs * _beta_density(a, b, x)


def _d_beta_quantile(grad: Tensor, a: Any, b: Any, result: Tensor) -> Any:
    return grad / _beta_density(like(a, result), like(b, result), result)


def _d_beta_quantile_shape(which: int) -> Any:
    """Return the rule of `betaincinv` in *a* (0) or *b* (1)."""

    def rule(grad: Tensor, a: Any, b: Any, result: Tensor) -> Any:
        return -_d_beta_quantile(grad, a, b, result) * betainc_slopes(a, b, result)[which]

    return rule


betainc.vjp(
    a=lambda grad, a, b, x: grad * betainc_slopes(a, b, x)[0],
    b=lambda grad, a, b, x: grad * betainc_slopes(a, b, x)[1],
    x=_d_betainc,
)
betainc_slopes.vjp(a=_SLOPE, b=_SLOPE, x=_d_slopes)
betaincinv.vjp(a=_d_beta_quantile_shape(0), b=_d_beta_quantile_shape(1), y=_d_beta_quantile)
