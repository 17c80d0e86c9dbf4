"""What NumPy does better than the family, one set per file of `chainrule.ops`."""

from __future__ import annotations

from . import (
    cumulative,
    extrema,
    fused,
    gathering,
    linalg,
    loss,
    loss_classes,
    norms,
    reductions,
    shape,
)

kernel_sets = [
    module.ks
    for module in (
        cumulative,
        extrema,
        fused,
        gathering,
        linalg,
        loss,
        loss_classes,
        norms,
        reductions,
        shape,
    )
]
