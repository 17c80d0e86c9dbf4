"""Write ``backends/xp/chainrule_xp/special_tables.py``: the polynomials of the special functions.

Run by hand: ``python tools/make_special_tables.py``; it needs mpmath and ten seconds, and the
same script gives the same file. Each polynomial is the best one in the sense of Chebyshev: of its
length, it has the smallest largest error, weighted as the entry says. It is found by Remez's
exchange with 50 digits and rounded to float64 at the end.

Source: E. Ya. Remez (1934), C. R. Acad. Sci. Paris 198, 2063; E. W. Cheney (1966), Introduction to
Approximation Theory, chapter 3.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mpmath import lu_solve, matrix, mp, mpf

TARGET = Path(__file__).parents[1] / "backends/xp/chainrule_xp/special_tables.py"
Real = Callable[[mpf], mpf]

mp.dps = 50
TINY = mpf(10) ** -20
DIGAMMA_ROOT = mp.findroot(lambda x: mp.psi(0, x), 1.46, tol=mpf(10) ** -90)

HEADER = '''\
"""Polynomials of the special functions, lowest power first.

Written by ``tools/make_special_tables.py``, which also says how each was found; change that script,
never this file. The comment over a table states the function, the interval, and the largest error
of the polynomial in exact arithmetic, as a power of two.
"""

from __future__ import annotations

from typing import Final
'''


@dataclass(frozen=True)
class Table:
    """A polynomial to make: *terms* coefficients for *function* between *low* and *high*.

    The error is measured times *weight*, a function of the argument and the value.
    """

    name: str
    comment: str
    function: Real
    low: mpf
    high: mpf
    terms: int
    weight: Callable[[mpf, mpf], mpf]


def evaluate(coefficients: list[mpf], t: mpf) -> mpf:
    """Return the polynomial's value at *t*, by Horner's rule."""
    total = mpf(0)
    for coefficient in reversed(coefficients):
        total = total * t + coefficient
    return total


def powers_of(chebyshev: list[mpf], low: mpf, high: mpf) -> list[mpf]:
    """Return the power series in t of a Chebyshev series over [low, high]."""
    centre, radius = (low + high) / 2, (high - low) / 2

    def times_argument(p: list[mpf]) -> list[mpf]:
        shifted = [mpf(0), *(a / radius for a in p)]
        return [s - centre * a / radius for s, a in zip(shifted, [*p, mpf(0)], strict=True)]

    total = [mpf(0)] * len(chebyshev)
    this, following = [mpf(1)], times_argument([mpf(1)])
    for weight in chebyshev:
        total = [s + weight * a for s, a in zip(total, this + [mpf(0)] * len(total), strict=False)]
        after = [2 * a for a in times_argument(following)]
        before = [*this, mpf(0), mpf(0)]
        this, following = following, [a - b for a, b in zip(after, before, strict=True)]
    return total


def alternating_peaks(errors: list[mpf], count: int) -> list[int]:
    """Return the places of *count* errors of alternating sign, as large as can be had."""
    peaks: list[int] = []
    for i, error in enumerate(errors):
        if peaks and (error > 0) == (errors[peaks[-1]] > 0):
            if abs(error) > abs(errors[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > count:
        first, last = abs(errors[peaks[0]]), abs(errors[peaks[-1]])
        peaks.pop(0 if first < last else -1)
    return peaks


def best_polynomial(table: Table) -> list[mpf]:
    """Return the coefficients of Remez's polynomial, on a fine grid of Chebyshev points."""
    low, high, terms = mpf(table.low), mpf(table.high), table.terms
    steps = 14 * (terms + 1)
    grid = [(low + high - (high - low) * mp.cos(mp.pi * i / steps)) / 2 for i in range(steps + 1)]
    values = [table.function(t) for t in grid]
    weights = [table.weight(t, f) for t, f in zip(grid, values, strict=True)]
    basis = [chebyshev_values((2 * t - low - high) / (high - low), terms) for t in grid]
    points = [round(i * steps / terms) for i in range(terms + 1)]
    for _ in range(30):
        rows = [[*basis[i], (-1) ** k / weights[i]] for k, i in enumerate(points)]
        solution = lu_solve(matrix(rows), matrix([values[i] for i in points]))
        coefficients = powers_of(list(solution)[:-1], low, high)
        errors = [
            (f - evaluate(coefficients, t)) * w
            for t, f, w in zip(grid, values, weights, strict=True)
        ]
        if max(map(abs, errors)) < abs(solution[terms]) * mpf("1.001"):
            break
        points = alternating_peaks(errors, terms + 1)
    return coefficients


def chebyshev_values(x: mpf, count: int) -> list[mpf]:
    """Return T_0(x) .. T_{count-1}(x)."""
    values = [mpf(1), x]
    while len(values) < count:
        values.append(2 * x * values[-1] - values[-2])
    return values[:count]


def error_of(table: Table, coefficients: list[mpf]) -> mpf:
    """Return the largest weighted error between *low* and *high*."""
    low, high = mpf(table.low), mpf(table.high)
    grid = [low + (high - low) * mpf(i) / 499 for i in range(500)]
    return max(
        abs((f - evaluate(coefficients, t)) * table.weight(t, f))
        for t, f in ((t, table.function(t)) for t in grid)
    )


def text_of(table: Table) -> str:
    """Return the lines of *table* in the generated module."""
    coefficients = [mpf(float(c)) for c in best_polynomial(table)]
    error = mp.log(error_of(table, coefficients), 2)
    print(f"{table.name}: {table.terms} terms, error 2^{mp.nstr(error, 4)}", flush=True)
    comment = textwrap.fill(
        f"{table.comment}; 2^{mp.nstr(error, 3)}",
        96,
        initial_indent="# ",
        subsequent_indent="# ",
    )
    numbers = textwrap.fill(
        ", ".join(repr(float(c)) for c in coefficients) + ",",
        96,
        initial_indent="    ",
        subsequent_indent="    ",
    )
    return f"\n{comment}\n{table.name}: Final = (\n{numbers}\n)  # fmt: skip\n"


# The functions. Each takes care of the points where its formula is 0 / 0.


def erfcx(x: mpf) -> mpf:
    """Return exp(x^2) erfc(x), by its asymptotic series where erfc is too small for mpmath."""
    if x < 30:
        return mp.exp(x * x) * mp.erfc(x)
    series = mp.fsum((-1) ** k * mp.fac2(2 * k - 1) / (2 * x * x) ** k for k in range(25))
    return series / (x * mp.sqrt(mp.pi))


def erfcinv(minus_log: mpf) -> mpf:
    """Return y with erfc(y) = exp(-minus_log), by Newton's iteration on the logarithm."""
    y = mp.erfinv(1 - mp.exp(-minus_log)) if minus_log < 2 else mp.sqrt(minus_log)
    for _ in range(60):
        scaled = erfcx(y)
        step = (mp.log(scaled) - y * y + minus_log) * scaled * mp.sqrt(mp.pi) / 2
        y += step
        if abs(step) < mpf(10) ** -45:
            break
    return y


def from_mapped(t: mpf, k: float) -> mpf:
    """Return x with t = (x - k) / (x + k)."""
    return k * (1 + t) / (1 - t)


def to_mapped(x: object, k: float) -> mpf:
    """Return (x - k) / (x + k)."""
    return (mpf(x) - k) / (mpf(x) + k)


def bessel_scaled(order: int, x: mpf) -> mpf:
    """Return exp(-x) I_order(x), by its asymptotic series where x is large."""
    if x < 2000:
        return mp.exp(-x) * mp.besseli(order, x)
    total = term = mpf(1)
    for k in range(1, 30):
        term *= -(4 * order**2 - (2 * k - 1) ** 2) / (8 * k * x)
        total += term
    return total / mp.sqrt(2 * mp.pi * x)


def erf_ratio(u: mpf) -> mpf:
    return mp.erf(mp.sqrt(u)) / mp.sqrt(u) - 1 if u > TINY else 2 / mp.sqrt(mp.pi) - 1


def erfcx_flat(t: mpf) -> mpf:
    x = from_mapped(t, 3) if t < 1 else mpf(10) ** 30
    return (x + mpf(1) / 2) * erfcx(x) - mpf(5) / 8


def erfinv_ratio(u: mpf) -> mpf:
    return mp.erfinv(mp.sqrt(u)) / mp.sqrt(u) - 1 if u > TINY else mp.sqrt(mp.pi) / 2 - 1


def erfcinv_excess(r: mpf) -> mpf:
    return erfcinv(r * r) - r


def lgamma_ratio(t: mpf) -> mpf:
    y = from_mapped(t, 1.5) - 1
    if abs(y) < TINY:
        return mp.euler - 0.5
    if abs(y - 1) < TINY:
        return 0.5 - mp.euler
    return mp.loggamma(1 + y).real / (y * (y - 1)) - 0.5


def stirling_rest(u: mpf) -> mpf:
    if u < mpf(10) ** -14:
        return mpf(1) / 12 - u / 360
    x = 1 / mp.sqrt(u)
    with mp.workdps(80):
        return x * (mp.loggamma(x) - (x - 0.5) * mp.log(x) + x - mp.log(2 * mp.pi) / 2)


def digamma_ratio(t: mpf) -> mpf:
    x = from_mapped(t, 1.25)
    return mp.psi(0, x) / (x - DIGAMMA_ROOT) - 1


def digamma_rest(u: mpf) -> mpf:
    if u < mpf(10) ** -14:
        return mpf(1) / 12 - u / 120
    x = 1 / mp.sqrt(u)
    with mp.workdps(80):
        return x * x * (mp.log(x) - 1 / (2 * x) - mp.psi(0, x))


def exp_rest(r: mpf) -> mpf:
    with mp.workdps(90):
        return (mp.expm1(r) - r) / r**2 if abs(r) > TINY else mpf(1) / 2


def log_rest(u: mpf) -> mpf:
    s = mp.sqrt(u)
    return (2 * mp.atanh(s) / s - 2) / u if u > TINY else mpf(2) / 3


def sinc_rest(u: mpf) -> mpf:
    return (mp.sincpi(mp.sqrt(u)) - 1) / u if u > TINY else -(mp.pi**2) / 6


def cot_rest(u: mpf) -> mpf:
    x = mp.pi * mp.sqrt(u)
    return (1 - x * mp.cot(x)) / u if u > TINY else mp.pi**2 / 3


def bessel_small(order: int) -> Real:
    def function(u: mpf) -> mpf:
        if u < TINY:
            return mpf(1) / (1 + order)
        return (mp.besseli(order, 2 * mp.sqrt(u)) / mp.sqrt(u) ** order - 1) / u

    return function


def bessel_large(order: int) -> Real:
    def function(z: mpf) -> mpf:
        x = 1 / z if z > TINY else mpf(10) ** 25
        return mp.sqrt(x) * bessel_scaled(order, x)

    return function


def absolute(_t: mpf, _f: mpf) -> mpf:
    return mpf(1)


def relative(_t: mpf, f: mpf) -> mpf:
    return 1 / abs(f)


def of_one_plus(_t: mpf, f: mpf) -> mpf:
    return 1 / abs(1 + f)


def of_one_plus_times(t: mpf, f: mpf) -> mpf:
    return (t + TINY) / (1 + t * f)


ROOT_LOG_2 = mp.sqrt(mp.log(2))
TABLES = [
    Table("EXP", "exp(r) = 1 + r + r^2 P(r), |r| < 0.3466; error of P",
          exp_rest, mpf("-0.3466"), mpf("0.3466"), 11, absolute),
    Table("LOG", "log((1+s)/(1-s)) = 2s + s^3 P(s^2), |s| < 0.1716; error of P",
          log_rest, mpf(0), mpf("0.02945"), 8, absolute),
    Table("SINC", "sin(pi s)/(pi s) = 1 + s^2 P(s^2), |s| <= 1/2; error of P",
          sinc_rest, mpf(0), mpf("0.25"), 9, absolute),
    Table("COT", "pi s cot(pi s) = 1 - s^2 P(s^2), |s| <= 1/2; error of P",
          cot_rest, mpf(0), mpf("0.25"), 16, absolute),
    Table("ERF", "erf(x) = x + x P(x^2), |x| <= 1; relative error of erf",
          erf_ratio, mpf(0), mpf(1), 12, of_one_plus),
    Table("LOG_ERFC", "log(erfc(1 + t)) = P(t), 0 <= t <= 5; absolute error of erfc",
          lambda t: mp.log(mp.erfc(1 + t)), mpf(0), mpf(5), 17, lambda t, f: mp.exp(f)),
    Table("ERFCX", "(x + 1/2) exp(x^2) erfc(x) = 5/8 + P((x-3)/(x+3)), x >= 1/2; "
          "relative error of erfc",
          erfcx_flat, to_mapped("0.5", 3), mpf(1), 24, lambda t, f: 1 / (mpf(5) / 8 + f)),
    Table("ERFINV", "erfinv(x) = x + x P(x^2), |x| <= 1/2; relative error of erfinv",
          erfinv_ratio, mpf(0), mpf("0.25"), 14, of_one_plus),
    Table("ERFCINV_NEAR", "erfcinv(exp(-r^2)) = r + P((r-2)/(r+2)), 0.8325 <= r <= 6.1; "
          "relative error of erfcinv",
          lambda t: erfcinv_excess(from_mapped(t, 2)),
          to_mapped(ROOT_LOG_2, 2), to_mapped("6.1", 2), 24,
          lambda t, f: 1 / (from_mapped(t, 2) + f)),
    Table("ERFCINV_FAR", "erfcinv(exp(-r^2)) = r + P((r-10)/(r+10)), 6 <= r <= 27.4; "
          "relative error of erfcinv",
          lambda t: erfcinv_excess(from_mapped(t, 10)),
          to_mapped(6, 10), to_mapped("27.4", 10), 19,
          lambda t, f: 1 / (from_mapped(t, 10) + f)),
    Table("LGAMMA", "lgamma(x) = (x-1)(x-2) (1/2 + P((x-1.5)/(x+1.5))), 1 <= x <= 2.5; "
          "relative error of lgamma",
          lgamma_ratio, to_mapped(1, 1.5), to_mapped(2.5, 1.5), 17, lambda t, f: 1 / (0.5 + f)),
    Table("STIRLING", "lgamma(x) = (x-1/2) log(x) - x + log(2 pi)/2 + P(1/x^2)/x, x >= 2.5; "
          "error of P",
          stirling_rest, mpf(0), mpf("0.16"), 13, absolute),
    Table("DIGAMMA", "digamma(x) = (x-root) (1 + P((x-1.25)/(x+1.25))), 1 <= x <= 2; "
          "relative error of digamma",
          digamma_ratio, to_mapped(1, 1.25), to_mapped(2, 1.25), 16, of_one_plus),
    Table("DIGAMMA_REST", "digamma(x) = log(x) - 1/(2x) - P(1/x^2)/x^2, x >= 2; error of P",
          digamma_rest, mpf(0), mpf("0.25"), 17, absolute),
    Table("I0_SMALL", "I0(x) = 1 + u P(u) with u = x^2/4, 0 <= x <= 9; relative error of I0",
          bessel_small(0), mpf(0), mpf("20.25"), 16, of_one_plus_times),
    Table("I0_LARGE", "sqrt(x) exp(-x) I0(x) = P(1/x), x >= 9; relative error",
          bessel_large(0), mpf(0), mpf(1) / 9, 22, relative),
    Table("I1_SMALL", "I1(x) = x/2 (1 + u P(u)) with u = x^2/4, 0 <= x <= 9; relative error of I1",
          bessel_small(1), mpf(0), mpf("20.25"), 16, of_one_plus_times),
    Table("I1_LARGE", "sqrt(x) exp(-x) I1(x) = P(1/x), x >= 9; relative error",
          bessel_large(1), mpf(0), mpf(1) / 9, 22, relative),
]  # fmt: skip


def main() -> None:
    """Make every table and write the module."""
    TARGET.write_text(HEADER + "".join(text_of(table) for table in TABLES), encoding="utf-8")


if __name__ == "__main__":
    main()
