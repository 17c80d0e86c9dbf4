"""What CuPy does otherwise or better than the family, one set per file of `chainrule.ops`."""

from __future__ import annotations

from . import (
    activation,
    activation_smooth,
    arithmetic,
    clipping,
    comparison,
    convolution,
    fused,
    fused_rows,
    gathering,
    indexing,
    loss_classes,
    normalization,
    pooling,
    random,
    softmax,
    sums,
)

kernel_sets = [
    module.ks
    for module in (
        activation,
        activation_smooth,
        arithmetic,
        clipping,
        comparison,
        convolution,
        fused,
        fused_rows,
        gathering,
        indexing,
        loss_classes,
        normalization,
        pooling,
        random,
        softmax,
        sums,
    )
]
