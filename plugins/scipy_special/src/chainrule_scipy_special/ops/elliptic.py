"""Complete elliptic integrals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from chainrule.ops import where

from ._stating import special_of_reals

if TYPE_CHECKING:
    from chainrule import Tensor


@special_of_reals
def ellipk(m: Tensor) -> Tensor:
    """Return the complete elliptic integral of the first kind of the parameter *m*.

    Gradient:
        ``(K - D) / (2 (1 - m))``. Source: DLMF 19.4.1, where ``K - D = (E - (1 - m) K) / m``.
    """


@special_of_reals
def ellipe(m: Tensor) -> Tensor:
    """Return the complete elliptic integral of the second kind of the parameter *m*.

    Gradient:
        ``-D / 2``. Source: DLMF 19.4.2.
    """


@special_of_reals
def ellipd(m: Tensor) -> Tensor:
    """Return Legendre's complete elliptic integral ``D = (K - E) / m``, exact also for small *m*.

    SciPy has no such function: it is what the derivatives of `ellipk` and `ellipe` are made of, as
    the difference of the two loses all digits where *m* is small. Source: DLMF 19.2.6.

    Gradient:
        ``(K - 2 D + m D) / (2 m (1 - m))``, and its limit 3π/32 at 0.
    """


def _d_ellipd(grad: Tensor, m: Tensor, result: Tensor) -> Any:
    safe = where(m == 0, 0.5, m)
    slope = (ellipk(m) - 2 * result + m * result) / (2 * safe * (1 - safe))
    return grad * where(m == 0, 3 * math.pi / 32, slope)


ellipk.vjp(m=lambda grad, m, result: grad * (result - ellipd(m)) / (2 * (1 - m)))
ellipe.vjp(m=lambda grad, m: -grad * ellipd(m) / 2)
ellipd.vjp(m=_d_ellipd)
