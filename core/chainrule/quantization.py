"""Quantised tensors, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent("quantization", "Compute in float16 or float32.")
