"""What NumPy does better than the family, one set per file of `chainrule.ops`."""

from __future__ import annotations

from . import fused, gathering, linalg, shape

kernel_sets = [module.ks for module in (fused, gathering, linalg, shape)]
