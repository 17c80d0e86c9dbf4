"""PyTorch's tensors without values, which chainrule does not have, by the names that are asked."""

from .._absent import absent
from .fake_tensor import is_fake

__all__ = ["is_fake"]

__getattr__ = absent("_subclasses", "Compute with small tensors to learn shapes.")
