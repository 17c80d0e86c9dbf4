"""Containers that do not keep tensors alive, under PyTorch's module path."""

from __future__ import annotations

from weakref import WeakKeyDictionary, ref

__all__ = ["TensorWeakRef", "WeakIdKeyDictionary", "WeakTensorKeyDictionary"]

#: A tensor is a key by its identity.
WeakTensorKeyDictionary = WeakIdKeyDictionary = WeakKeyDictionary
TensorWeakRef = ref
