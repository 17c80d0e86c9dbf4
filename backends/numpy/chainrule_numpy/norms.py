"""Kernels of chainrule/ops/norms.py: what NumPy does better than the family."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet
from chainrule_xp.norms import vector_norm as of_family

ks = KernelSet("numpy")

_vector_norm = of_family(np)


@ks.forward("cr::_vector_norm")
def vector_norm(
    x: Array, *, ord: Any, dim: Any = (), keepdim: bool = False, dtype: Any = None
) -> Any:
    # The sum of squares of everything is a dot product: no array of squares is made.
    if ord == 2 and not dim and not keepdim and dtype is None and x.itemsize > 2:
        return x.real.dtype.type(math.sqrt(np.vdot(x, x).real))
    return _vector_norm(x, ord=ord, dim=dim, keepdim=keepdim, dtype=dtype)
