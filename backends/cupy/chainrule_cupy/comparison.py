"""Kernels of chainrule/ops/comparison.py: CuPy's logical functions take no complex numbers."""

from __future__ import annotations

from typing import Any

import cupy

from chainrule.backend import KernelSet

ks = KernelSet("cupy")


def _logical(name: str) -> None:
    """Register CuPy's function of *name*, over what complex numbers are not zero."""
    plain = getattr(cupy, name)

    @ks.forward(f"cr::{name}")
    def kernel(*operands: Any) -> Any:
        if operands[0].dtype.kind == "c":
            return plain(*(operand != 0 for operand in operands))
        return plain(*operands)


for _name in ("logical_and", "logical_or", "logical_xor", "logical_not"):
    _logical(_name)
