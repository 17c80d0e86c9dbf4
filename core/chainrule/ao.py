"""Quantisation and pruning under PyTorch's newer names, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent("ao", "Compute in float16 or float32; to prune there is nn.utils.prune.")
