"""Tools for tests: op samples, fixtures, the generic checks that every backend must pass.

- ``cases``, ``maker``: how an op is described for its tests, and what makes sample tensors;
- ``samples``: the cases of core's ops;
- ``walk``, ``checks``, ``tolerances``: what must hold for every op on every sample, and how nearly;
- ``plugin``, ``parameters``: fixtures and options for pytest.
"""

from __future__ import annotations

from ..autograd import gradcheck, gradgradcheck
from .cases import ErrorSample, OpCase, Sample
from .maker import Maker

__all__ = ["ErrorSample", "Maker", "OpCase", "Sample", "gradcheck", "gradgradcheck"]
