"""Tools for tests: op samples, fixtures, the generic checks that every backend must pass.

- ``cases``, ``maker``: how an op is described for its tests, and what makes sample tensors;
- ``samples``: the cases of core's ops;
- ``walk``, ``checks``, ``tolerances``: what must hold for every op on every sample, and how nearly;
- ``comparison``, ``making``: PyTorch's `assert_close` and `make_tensor`;
- ``opcheck``: is an op what its statement says?
- ``plugin``, ``parameters``, ``capabilities``, ``sandbox``: fixtures, marks and options for pytest;
- ``conformance``, ``known``, ``levels``, ``report``: the kit that a backend or an op plugin passes.
"""

from __future__ import annotations

from ..autograd import gradcheck, gradgradcheck
from .cases import ErrorSample, OpCase, Sample
from .comparison import assert_allclose, assert_close
from .maker import Maker
from .making import make_tensor
from .opcheck import OpcheckError, opcheck

__all__ = [
    "ErrorSample", "Maker", "OpCase", "OpcheckError", "Sample", "assert_allclose", "assert_close",
    "gradcheck", "gradgradcheck", "make_tensor", "opcheck",
]  # fmt: skip
