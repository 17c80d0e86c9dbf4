"""The kernel sets of the family, one per file of `chainrule.ops`."""

from __future__ import annotations

from . import (
    activation,
    activation_smooth,
    arithmetic,
    comparison,
    complex,
    copying,
    creation,
    exponential,
    gathering,
    indexing,
    joining,
    linalg,
    pointwise,
    power,
    random,
    rearranging,
    reductions,
    selection,
    shape,
    slicing,
    softmax,
    sorting,
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
        creation,
        exponential,
        gathering,
        indexing,
        joining,
        linalg,
        pointwise,
        power,
        random,
        rearranging,
        reductions,
        selection,
        shape,
        slicing,
        softmax,
        sorting,
        special_functions,
        trigonometry,
    )
]
