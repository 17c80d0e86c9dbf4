"""Draws of the standard gamma distribution, differentiable in the shape."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..function import Function
from ..grad_mode import no_grad
from ..typeinfo import finfo

#: Above this shape the distribution is so close to a power of a normal one that the derivative of
#: that power serves.
_LARGE = 100.0


class _StandardGamma(Function):
    """Draws, whose derivative is how they move while their probability stays the same."""

    @staticmethod
    def forward(ctx: Any, concentration: Any) -> Any:
        draws = _drawn(concentration)
        ctx.save_for_backward(concentration, draws)
        return draws

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        concentration, draws = ctx.saved_tensors
        with no_grad():
            slope = _slope(concentration.double(), draws.double()).to(draws.dtype)
        return grads[0] * slope


def standard_gamma(concentration: Any) -> Any:
    """Return draws of the gamma distribution with these shapes and rate one.

    Gradient:
        ``-(dF/dconcentration) / (dF/dx)``, F the cumulative distribution function: the implicit
        derivative of the quantile. It cannot be differentiated again.

    Source:
        Draws: G. Marsaglia and W. W. Tsang (2000), A simple method for generating gamma variables.
        Gradient: M. Figurnov, S. Mohamed, A. Mnih (2018), Implicit reparameterization gradients.
    """
    return _StandardGamma.apply(concentration)


def _drawn(concentration: Any) -> Any:
    """Return draws by squeezing cubed normal numbers, all at once until each is accepted."""
    small = concentration < 1
    d = ops.where(small, concentration + 1, concentration) - 1 / 3
    c = ops.rsqrt(9 * d)
    result = ops.zeros_like(d)
    waiting = ops.ones_like(small)
    while bool(waiting.any()):
        x = ops.randn_like(d)
        u = 1 - ops.rand_like(d)
        v = (1 + c * x) ** 3
        fits = (v > 0) & (ops.log(u) < 0.5 * x * x + d - d * v + d * ops.log(v))
        result = ops.where(waiting & fits, d * v, result)
        waiting = waiting & ~fits
    boost = ops.where(small, (1 - ops.rand_like(d)) ** (1 / concentration), 1.0)
    return (result * boost).clamp(min=finfo(result.dtype).tiny)


def _slope(a: Any, x: Any) -> Any:
    """Return dx/da at a fixed probability."""
    large = a > _LARGE
    series = _slope_by_series(ops.where(large, 1.0, a), ops.where(large, 1.0, x))
    return ops.where(large, _slope_by_cube(a, x), series)


def _slope_by_series(a: Any, x: Any) -> Any:
    """Return the slope by the power series of the incomplete gamma function, term by term.

    P(a, x) is the sum over n of ``x**(a + n) exp(-x) / gamma(a + n + 1)``; each term's derivative
    in a is itself times ``log x - digamma(a + n + 1)``. Divided by the density, the first is x / a.
    """
    term = ops.ones_like(x)
    lead = ops.log(x) - ops.digamma(a + 1)
    total = term * lead
    n = 0
    while n < 2000:
        n += 1
        step = x / (a + n)
        term = term * step
        lead = lead - 1 / (a + n)
        total = total + term * lead
        if bool((term * lead.abs() <= 1e-17 * total.abs()).all()) and bool((step < 0.5).all()):
            break
    return -(x / a) * total


def _slope_by_cube(a: Any, x: Any) -> Any:
    """Return the slope of ``a * (1 - 1/(9a) + z/(3 sqrt(a)))**3`` in a at a fixed z.

    Source:
        E. B. Wilson and M. M. Hilferty (1931), The distribution of chi-square.
    """
    root = (x / a) ** (1 / 3)
    z = (root - 1 + 1 / (9 * a)) * 3 * a.sqrt()
    inner = 1 / (9 * a * a) - z / (6 * a * a.sqrt())
    return root**3 + 3 * a * root**2 * inner
