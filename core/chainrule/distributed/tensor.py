"""Tensors spread over devices, which chainrule does not have; ``isinstance`` may ask for one."""

from .._absent import absent

__all__ = ["DTensor"]


class DTensor:
    """A tensor spread over devices; there is none."""


__getattr__ = absent("distributed.tensor", "Use a tensor on one device.")
