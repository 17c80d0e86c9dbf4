"""What NumPy does better than the family, one set per file of `chainrule.ops`."""

from __future__ import annotations

from . import (
    activation,
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
    softmax,
)

kernel_sets = [
    module.ks
    for module in (
        activation,
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
        softmax,
    )
]
