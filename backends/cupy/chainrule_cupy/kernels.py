"""What CuPy does otherwise or better than the family, one set per file of `chainrule.ops`."""

from __future__ import annotations

from chainrule.backend import KernelSet

kernel_sets: list[KernelSet] = []
