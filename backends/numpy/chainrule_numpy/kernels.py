"""What NumPy does better than the family, one set per file of `chainrule.ops`."""

from __future__ import annotations

from . import (
    activation,
    cumulative,
    extrema,
    fused,
    fused_adaptive,
    gathering,
    linalg,
    log_sums,
    loss,
    loss_binary,
    loss_classes,
    norms,
    pooling,
    products,
    recurrent_steps,
    reductions,
    shape,
    softmax,
    statistics,
)

kernel_sets = [
    module.ks
    for module in (
        activation,
        cumulative,
        extrema,
        fused,
        fused_adaptive,
        gathering,
        linalg,
        log_sums,
        loss,
        loss_binary,
        loss_classes,
        norms,
        pooling,
        products,
        recurrent_steps,
        reductions,
        shape,
        softmax,
        statistics,
    )
]
