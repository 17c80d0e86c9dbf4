"""The kernel sets of the family, one per file of `chainrule.ops`."""

from __future__ import annotations

from . import (
    activation,
    activation_smooth,
    arithmetic,
    comparison,
    complex,
    copying,
    exponential,
    linalg,
    pointwise,
    power,
    reductions,
    selection,
    shape,
    softmax,
    special_functions,
    trigonometry,
)

kernel_sets = [
    module.ks
    for module in (
        activation,
        activation_smooth,
        arithmetic,
        comparison,
        complex,
        copying,
        exponential,
        linalg,
        pointwise,
        power,
        reductions,
        selection,
        shape,
        softmax,
        special_functions,
        trigonometry,
    )
]
