"""Nested tensors, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent("nested", "Pad with nn.utils.rnn.pad_sequence and mask.")
