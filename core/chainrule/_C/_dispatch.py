"""The keys by which PyTorch chooses a kernel, as far as libraries name them when imported."""

from __future__ import annotations

import enum

__all__ = ["DispatchKey", "DispatchKeySet"]


class DispatchKey(enum.Flag):
    """What PyTorch chooses a kernel by. Here the backend of the arrays does, and nobody asks.

    >>> DispatchKeySet(DispatchKey.AutocastCPU) | DispatchKeySet(DispatchKey.CPU)
    <DispatchKey.CPU|AutocastCPU: 9>
    """

    CPU = enum.auto()
    CUDA = enum.auto()
    Autograd = enum.auto()
    AutocastCPU = enum.auto()
    AutocastCUDA = enum.auto()
    AutocastXPU = enum.auto()


DispatchKeySet = DispatchKey
