"""Functions that SciPy or CuPy lacks and the gradients need, over the arrays of NumPy or of CuPy.

Measured against mpmath in double precision, for parameters from 0.01 to 1000: see
``test_slopes_agree_with_high_precision``. All compute in double precision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EPSILON = 1e-16
#: Both sums take about ten times the square root of a large parameter.
MOST_TERMS = 100_000


def ellipd(xp: Any, special: Any) -> Callable[..., Any]:
    """Make ``(K - E) / m`` by the arithmetic-geometric mean: nothing cancels. Source: DLMF 19.8."""

    def kernel(m: Any) -> Any:
        double = m.astype(xp.float64)
        mean, geometric = xp.ones_like(double), xp.sqrt(1 - double)
        share, weight = xp.ones_like(double), 1.0  # the square of DLMF's c over m
        total = share
        for _ in range(8):
            mean, geometric = (mean + geometric) / 2, xp.sqrt(mean * geometric)
            share, weight = share * share * double / (16 * mean * mean), 2 * weight
            total = total + weight * share
        return (special.ellipk(double) * total / 2).astype(m.dtype)

    return kernel


def ellipe(xp: Any, special: Any) -> Callable[..., Any]:
    """Make ``E = K - m D``, which SciPy has and CuPy has not."""
    integral = ellipd(xp, special)

    def kernel(m: Any) -> Any:
        double = m.astype(xp.float64)
        rest = double * integral(double)
        return xp.where(double == 1, 1.0, special.ellipk(double) - rest).astype(m.dtype)

    return kernel


def gammainc_slope(xp: Any, special: Any) -> Callable[..., Any]:
    """Make the derivative in a of the regularised lower incomplete gamma function."""

    def kernel(a: Any, x: Any) -> Any:
        shape, dtype, (a, x) = _doubles(xp, a, x)
        slope = xp.where((a >= 0) & (x >= 0), 0.0, xp.nan)  # 0 at both ends
        inside = (a >= 0) & (x > 0) & (x < xp.inf)
        series, fraction = inside & (x < a + 1), inside & (x >= a + 1)
        slope[series] = _gamma_series(xp, special, a[series], x[series])
        slope[fraction] = _gamma_fraction(xp, special, a[fraction], x[fraction])
        return slope.reshape(shape).astype(dtype)

    return kernel


def _gamma_series(xp: Any, special: Any, a: Any, x: Any) -> Any:
    term, d_term = xp.ones_like(x), xp.zeros_like(x)
    total, d_total = term, d_term
    for n in range(1, MOST_TERMS):
        d_term = (d_term - term / (a + n)) * x / (a + n)
        term = term * x / (a + n)
        total, d_total = total + term, d_total + d_term
        if not (xp.abs(d_term) > EPSILON * xp.abs(d_total)).any():
            break
    logs = xp.log(x) - special.psi(a + 1)
    return xp.exp(a * xp.log(x) - x - special.gammaln(a + 1)) * (d_total + total * logs)


def _gamma_fraction(xp: Any, special: Any, a: Any, x: Any) -> Any:
    def terms() -> Iterator[tuple[Any, ...]]:
        for n in range(1, MOST_TERMS):
            yield -n * (n - a), n + 0 * a[None], x + 2 * n + 1 - a, -1 + 0 * a[None]

    value, tangent = _continued_fraction(xp, x + 1 - a, -1 + 0 * a[None], terms())
    ratio, d_ratio = 1 / value, -tangent[0] / value**2
    logs = xp.log(x) - special.psi(a + 1)  # that of a, times a, plus 1: a may be 0
    factor = xp.exp(a * xp.log(x) - x - special.gammaln(a + 1))
    return -factor * (a * d_ratio + a * ratio * logs + ratio)


def betainc_slopes(xp: Any, special: Any) -> Callable[..., Any]:
    """Make the derivatives in a and in b of the regularised incomplete beta function."""

    def kernel(a: Any, b: Any, x: Any) -> Any:
        shape, dtype, (a, b, x) = _doubles(xp, a, b, x)
        valid = (a > 0) & (b > 0) & (x >= 0) & (x <= 1)
        slopes = [xp.where(valid, 0.0, xp.nan) for _ in range(2)]
        inside = valid & (x > 0) & (x < 1)
        near = x < (a + 1) / (a + b + 2)
        for part, swap in ((inside & near, False), (inside & ~near, True)):
            p, q, end = a[part], b[part], x[part]
            if swap:  # one minus the function of b, a and 1 - x
                by_q, by_p = _beta_fraction(xp, special, q, p, 1 - end, end)
                slopes[0][part], slopes[1][part] = -by_p, -by_q
            else:
                slopes[0][part], slopes[1][part] = _beta_fraction(xp, special, p, q, end, 1 - end)
        return tuple(slope.reshape(shape).astype(dtype) for slope in slopes)

    return kernel


def _beta_fraction(xp: Any, special: Any, a: Any, b: Any, x: Any, rest: Any) -> tuple[Any, Any]:
    def terms() -> Iterator[tuple[Any, ...]]:
        one, none = xp.ones_like(x), xp.zeros_like(xp.stack([a, b]))
        for m in range(MOST_TERMS // 2):
            end = a + 2 * m
            odd = -(a + m) * (a + b + m) * x / (end * (end + 1))
            by_b = 1 / (a + b + m)
            by_a = 1 / (a + m) + by_b - 1 / end - 1 / (end + 1)
            yield odd, xp.stack([odd * by_a, odd * by_b]), one, none
            end, factor = end + 2, (m + 1) * x
            scale = factor / ((end - 1) * end)
            even = (b - m - 1) * scale
            yield even, xp.stack([-even * (1 / (end - 1) + 1 / end), scale]), one, none

    value, tangents = _continued_fraction(
        xp, xp.ones_like(x), xp.zeros_like(xp.stack([a, b])), terms()
    )
    both = special.psi(a + b)
    logs = xp.stack(
        [
            _log(xp, x, rest) - special.psi(a) - 1 / a + both,
            _log(xp, rest, x) - special.psi(b) + both,
        ]
    )
    factor = xp.exp(a * _log(xp, x, rest) + b * _log(xp, rest, x) - special.betaln(a, b)) / a
    by_a, by_b = factor / value * (logs - tangents / value)
    return by_a, by_b


def _log(xp: Any, x: Any, rest: Any) -> Any:
    """Return the logarithm of *x*, which is 1 - *rest*, from the smaller of the two."""
    return xp.where(x < 0.5, xp.log(x), xp.log1p(-rest))


def _continued_fraction(
    xp: Any, first: Any, d_first: Any, terms: Iterator[tuple[Any, ...]]
) -> tuple[Any, Any]:
    """Return ``first + a1 / (b1 + a2 / (b2 + ...))`` and its derivatives.

    *terms* gives a, its derivatives, b, its derivatives; a first axis has one derivative after the
    other. The method is that of Lentz, carried out on dual numbers. Source: Press et al.,
    "Numerical Recipes", 5.2.
    """
    value, d_value = first, d_first
    c, d_c = first, d_first
    d, d_d = xp.zeros_like(first), xp.zeros_like(d_first)
    for a, d_a, b, d_b in terms:
        below = b + a * d
        d_below = d_b + d_a * d + a * d_d
        d, d_d = 1 / below, -d_below / below**2
        c, d_c = b + a / c, d_b + d_a / c - a * d_c / c**2
        step, d_step = c * d, d_c * d + c * d_d
        value, d_value = value * step, d_value * step + value * d_step
        unsettled = (xp.abs(step - 1) > 4 * EPSILON).any()
        if (
            not unsettled
            and not (xp.abs(value / step * d_step) > 4 * EPSILON * xp.abs(d_value)).any()
        ):
            break
    return value, d_value


def _doubles(xp: Any, *arrays: Any) -> tuple[Any, Any, list[Any]]:
    """Return the common shape, the result's dtype, and *arrays* flat in double precision."""
    dtype = next(array.dtype for array in arrays if hasattr(array, "dtype"))
    same = xp.broadcast_arrays(*(xp.asarray(array, dtype=xp.float64) for array in arrays))
    return same[0].shape, dtype, [array.reshape(-1) for array in same]


#: What is made of the namespace of an array library and of its special functions, if it has none.
OWN = {
    "ellipd": ellipd,
    "ellipe": ellipe,
    "gammainc_slope": gammainc_slope,
    "betainc_slopes": betainc_slopes,
}
