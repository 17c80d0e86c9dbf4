"""Write ``backends/xp/chainrule_xp/special_bessel_tables.py``: series for Bessel and Airy.

Run by hand: ``python tools/make_bessel_tables.py``; it needs mpmath and half a minute, and the
same script gives the same file. Each series interpolates a smooth part of a function at the
Chebyshev points, with 50 digits, and is cut where its terms no longer count in float64.

Source: L. N. Trefethen (2013), Approximation Theory and Approximation Practice, chapter 3; DLMF
10.2, 10.8, 10.31 and 9.7 for the parts that are smooth.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

from mpmath import mp, mpf

TARGET = Path(__file__).parents[1] / "backends/xp/chainrule_xp/special_bessel_tables.py"
mp.dps = 50
POINTS = 60
TINY = mpf(2) ** -58

HEADER = '''\
"""Chebyshev series of the smooth parts of Bessel functions, lowest term first.

Written by ``tools/make_bessel_tables.py``, which also says what each part is; change that script,
never this file. The argument runs over the interval of the comment, mapped to -1 to 1.
"""

from __future__ import annotations

from typing import Final
'''


def series(function: Callable[[mpf], mpf], low: mpf, high: mpf) -> list[mpf]:
    """Return the Chebyshev coefficients of *function* between *low* and *high*."""
    angles = [mp.pi * (2 * k + 1) / (2 * POINTS) for k in range(POINTS)]
    middle, radius = (mpf(low) + high) / 2, (mpf(high) - low) / 2
    values = [function(middle + radius * mp.cos(a)) for a in angles]
    found = [
        2 * mp.fsum(v * mp.cos(j * a) for v, a in zip(values, angles, strict=True)) / POINTS
        for j in range(POINTS)
    ]
    found[0] /= 2
    largest = max(map(abs, found))
    while abs(found[-1]) < TINY * largest:
        found.pop()
    return found


def modulus_parts(order: int) -> tuple[Callable[[mpf], mpf], Callable[[mpf], mpf]]:
    """Return P and Q as functions of ``(8 / x)^2``: J = sqrt(2 / pi x) (P cos - Q sin)."""

    def both(u: mpf) -> tuple[mpf, mpf]:
        u = max(u, mpf(10) ** -30)
        x = 8 / mp.sqrt(u)
        if x > 400:  # the first terms of the series in 1 / x
            mu = mpf(4 * order * order)
            p = 1 - (mu - 1) * (mu - 9) / (2 * (8 * x) ** 2)
            p += (mu - 1) * (mu - 9) * (mu - 25) * (mu - 49) / (24 * (8 * x) ** 4)
            p -= (
                (mu - 1)
                * (mu - 9)
                * (mu - 25)
                * (mu - 49)
                * (mu - 81)
                * (mu - 121)
                / (720 * (8 * x) ** 6)
            )
            q = (mu - 1) / (8 * x) - (mu - 1) * (mu - 9) * (mu - 25) / (6 * (8 * x) ** 3)
            q += (mu - 1) * (mu - 9) * (mu - 25) * (mu - 49) * (mu - 81) / (120 * (8 * x) ** 5)
            return p, q * x / 8
        angle = x - mp.pi * (2 * order + 1) / 4
        root = mp.sqrt(mp.pi * x / 2)
        j, y = mp.besselj(order, x), mp.bessely(order, x)
        p = root * (j * mp.cos(angle) + y * mp.sin(angle))
        return p, root * (y * mp.cos(angle) - j * mp.sin(angle)) * x / 8

    return lambda u: both(u)[0], lambda u: both(u)[1]


def even_rest(order: int) -> Callable[[mpf], mpf]:
    """Return the part of Y without a logarithm, a function of ``x^2``."""

    def rest(t: mpf) -> mpf:
        x = mp.sqrt(max(t, mpf(10) ** -24))
        logarithm = 2 / mp.pi * mp.log(x / 2) * mp.besselj(order, x)
        if order == 0:
            return mp.bessely(0, x) - logarithm
        return (mp.bessely(1, x) - logarithm + 2 / (mp.pi * x)) / x

    return rest


def k_rest(order: int) -> Callable[[mpf], mpf]:
    """Return the part of K without a logarithm, a function of ``x^2``."""

    def rest(t: mpf) -> mpf:
        x = mp.sqrt(max(t, mpf(10) ** -24))
        if order == 0:
            return mp.besselk(0, x) + mp.log(x / 2) * mp.besseli(0, x)
        return (mp.besselk(1, x) - mp.log(x / 2) * mp.besseli(1, x)) * x

    return rest


def scaled_k(order: int) -> Callable[[mpf], mpf]:
    """Return ``sqrt(x) exp(x) K`` as a function of ``2 / x``."""

    def scaled(v: mpf) -> mpf:
        x = 2 / max(v, mpf(10) ** -30)
        if x > 10**6:
            mu = mpf(4 * order * order)
            return mp.sqrt(mp.pi / 2) * (
                1 + (mu - 1) / (8 * x) + (mu - 1) * (mu - 9) / (2 * (8 * x) ** 2)
            )
        return mp.sqrt(x) * mp.exp(x) * mp.besselk(order, x)

    return scaled


def airy_decay(slope: int) -> Callable[[mpf], mpf]:
    """Return what Ai, or its derivative, at 1 / t^(2/3) is over its leading behaviour."""

    def decay(t: mpf) -> mpf:
        x = max(t, mpf(10) ** -8) ** (mpf(-2) / 3)
        lead = mp.exp(-2 * x ** mpf(1.5) / 3) / (2 * mp.sqrt(mp.pi))
        lead *= -(x ** mpf(0.25)) if slope else x ** mpf(-0.25)
        return mp.airyai(x, derivative=slope) / lead

    return decay


def airy_waves(slope: int) -> tuple[Callable[[mpf], mpf], Callable[[mpf], mpf]]:
    """Return the factors of cosine and sine in Ai, or its derivative, at -4 / u^(1/3)."""

    def both(u: mpf) -> tuple[mpf, mpf]:
        z = 4 / max(u, mpf(10) ** -10) ** (mpf(1) / 3)
        angle = 2 * z ** mpf(1.5) / 3 - mp.pi / 4
        a, b = mp.airyai(-z, derivative=slope), mp.airybi(-z, derivative=slope)
        scale = mp.sqrt(mp.pi) * z ** mpf(-0.25 if slope else 0.25)
        c, s = mp.cos(angle), mp.sin(angle)
        if slope:  # sine leads
            return scale * (a * s + b * c), scale * (b * s - a * c) * z ** mpf(1.5)
        return scale * (a * c - b * s), scale * (a * s + b * c) * z ** mpf(1.5)

    return lambda u: both(u)[0], lambda u: both(u)[1]


AIRY_P, AIRY_Q = airy_waves(0)
AIRY_SLOPE_P, AIRY_SLOPE_Q = airy_waves(1)
P0, Q0 = modulus_parts(0)
P1, Q1 = modulus_parts(1)
TABLES = [
    ("J0_SMALL", "J0(x), x^2", lambda t: mp.besselj(0, mp.sqrt(t)), 0, 64),
    (
        "J1_SMALL",
        "J1(x) / x, x^2",
        lambda t: mp.besselj(1, mp.sqrt(max(t, mpf(10) ** -24))) / mp.sqrt(max(t, mpf(10) ** -24)),
        0,
        64,
    ),
    ("Y0_SMALL", "Y0(x) - 2/pi log(x/2) J0(x), x^2", even_rest(0), 0, 64),
    ("Y1_SMALL", "(Y1(x) - 2/pi (log(x/2) J1(x) - 1/x)) / x, x^2", even_rest(1), 0, 64),
    ("P0", "P of order 0, (8/x)^2", P0, 0, 1),
    ("Q0", "Q of order 0 times x/8, (8/x)^2", Q0, 0, 1),
    ("P1", "P of order 1, (8/x)^2", P1, 0, 1),
    ("Q1", "Q of order 1 times x/8, (8/x)^2", Q1, 0, 1),
    ("K0_SMALL", "K0(x) + log(x/2) I0(x), x^2", k_rest(0), 0, 4),
    ("K1_SMALL", "(K1(x) - log(x/2) I1(x)) x, x^2", k_rest(1), 0, 4),
    ("K0_LARGE", "sqrt(x) exp(x) K0(x), 2/x", scaled_k(0), 0, 1),
    ("K1_LARGE", "sqrt(x) exp(x) K1(x), 2/x", scaled_k(1), 0, 1),
    ("AIRY_MIDDLE", "Ai(x), x", mp.airyai, -4, 1),
    ("AIRY_DECAY", "Ai(x) over its leading behaviour, x^(-3/2)", airy_decay(0), 0, 1),
    ("AIRY_P", "P of Ai(-x), (4/x)^3", AIRY_P, 0, 1),
    ("AIRY_Q", "Q of Ai(-x) times x^(3/2), (4/x)^3", AIRY_Q, 0, 1),
    ("AIRY_SLOPE_MIDDLE", "Ai'(x), x", lambda x: mp.airyai(x, derivative=1), -4, 1),
    ("AIRY_SLOPE_DECAY", "Ai'(x) over its leading behaviour, x^(-3/2)", airy_decay(1), 0, 1),
    ("AIRY_SLOPE_P", "P of Ai'(-x), (4/x)^3", AIRY_SLOPE_P, 0, 1),
    ("AIRY_SLOPE_Q", "Q of Ai'(-x) times x^(3/2), (4/x)^3", AIRY_SLOPE_Q, 0, 1),
]


def shown(name: str, comment: str, low: int, high: int, coefficients: list[mpf]) -> str:
    """Return one table as source."""
    numbers = ", ".join(repr(float(c)) for c in coefficients)
    body = textwrap.fill(numbers + ",", 96, initial_indent="    ", subsequent_indent="    ")
    return f"\n# {comment} from {low} to {high}\n{name}: Final = (\n{body}\n)  # fmt: skip\n"


def main() -> None:
    text = HEADER
    for name, comment, function, low, high in TABLES:
        text += shown(name, comment, low, high, series(function, mpf(low), mpf(high)))
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET}: {len(TABLES)} tables")


if __name__ == "__main__":
    main()
