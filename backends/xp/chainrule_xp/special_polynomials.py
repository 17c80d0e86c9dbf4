"""Orthogonal polynomials, by their recurrences of three terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.backend import Array, Kernel, KernelSet

ks = KernelSet("xp")

Step = Callable[[int, Array, Array, Array], Array]


def _recurrence(first: Callable[[Array], Array], step: Step) -> Callable[[Any], Kernel]:
    """Return the family factory of a sequence: one, *first*, and *step* from two to the next.

    An order that is negative gives zero, and a fraction is cut off.

    Source:
        DLMF 18.9.1, table 18.9.1.
    """

    def factory(xp: Any) -> Kernel:
        def kernel(x: Any, n: Any) -> Array:
            x, n = xp.broadcast_arrays(xp.asarray(x), xp.asarray(n))
            wide = x.astype(xp.float64)
            order = xp.trunc(n.astype(xp.float64))
            before, now = xp.ones_like(wide), first(wide)
            found = xp.where(order == 0, before, now)
            most = int(xp.max(xp.where(xp.isfinite(order), order, 0.0)).item()) if n.size else 0
            for k in range(1, most):
                before, now = now, step(k, wide, now, before)
                found = xp.where(order == k + 1, now, found)
            return xp.where(order < 0, 0.0, found).astype(x.dtype)

        return kernel

    return factory


def _twice_x(k: int, x: Array, now: Array, before: Array) -> Array:
    return 2 * x * now - before


def _shifted(
    first: Callable[[Array], Array],
) -> tuple[Callable[[Array], Array], Step]:
    """Return the sequence over 0 to 1 of one over -1 to 1."""
    return (
        lambda x: first(2 * x - 1),
        lambda k, x, now, before: _twice_x(k, 2 * x - 1, now, before),
    )


CHEBYSHEV: dict[str, Callable[[Array], Array]] = {
    "t": lambda x: x,
    "u": lambda x: 2 * x,
    "v": lambda x: 2 * x - 1,
    "w": lambda x: 2 * x + 1,
}
for _name, _first in CHEBYSHEV.items():
    ks.family(f"cr::special_chebyshev_polynomial_{_name}")(_recurrence(_first, _twice_x))
    ks.family(f"cr::special_shifted_chebyshev_polynomial_{_name}")(_recurrence(*_shifted(_first)))
ks.family("cr::special_hermite_polynomial_h")(
    _recurrence(lambda x: 2 * x, lambda k, x, now, before: 2 * (x * now - k * before))
)
ks.family("cr::special_hermite_polynomial_he")(
    _recurrence(lambda x: x, lambda k, x, now, before: x * now - k * before)
)
ks.family("cr::special_laguerre_polynomial_l")(
    _recurrence(
        lambda x: 1 - x,
        lambda k, x, now, before: ((2 * k + 1 - x) * now - k * before) / (k + 1),
    )
)
ks.family("cr::special_legendre_polynomial_p")(
    _recurrence(
        lambda x: x, lambda k, x, now, before: ((2 * k + 1) * x * now - k * before) / (k + 1)
    )
)
