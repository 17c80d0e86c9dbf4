"""The kernel sets of the family, one per file of `chainrule.ops`."""

from __future__ import annotations

from . import arithmetic, copying, linalg, pointwise, reductions, shape

kernel_sets = [
    module.ks for module in (arithmetic, copying, linalg, pointwise, reductions, shape)
]
