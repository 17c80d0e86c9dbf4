"""Special functions under PyTorch's names. The maths stands in ``chainrule.ops``.

>>> import chainrule as cr
>>> cr.special.erfcx(cr.tensor([0.0]))
tensor([1.])
"""

from __future__ import annotations

from .ops import (
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    log1p,
    log_softmax,
    logsumexp,
    polygamma,
    round,  # noqa: A004 - PyTorch's name
    softmax,
    xlogy,
)
from .ops import digamma as psi
from .ops import lgamma as gammaln
from .ops import sigmoid as expit
from .ops.special_more import i0, logit, sinc
from .ops.special_more import igamma as gammainc
from .ops.special_more import igammac as gammaincc
from .ops.special_more import mvlgamma as multigammaln
from .ops.special_more import special_entr as entr
from .ops.special_more import special_erfcx as erfcx
from .ops.special_more import special_i0e as i0e
from .ops.special_more import special_i1 as i1
from .ops.special_more import special_i1e as i1e
from .ops.special_more import special_log_ndtr as log_ndtr
from .ops.special_more import special_ndtr as ndtr
from .ops.special_more import special_ndtri as ndtri
from .ops.special_more import special_xlog1py as xlog1py
from .ops.special_more import special_zeta as zeta

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc",
    "gammaincc", "gammaln", "i0", "i0e", "i1", "i1e", "log1p", "log_ndtr", "log_softmax", "logit",
    "logsumexp", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "sinc", "softmax",
    "xlog1py", "xlogy", "zeta",
]  # fmt: skip
