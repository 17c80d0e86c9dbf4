"""The graph under PyTorch's module path: its nodes and edges, and what is saved in it."""

from __future__ import annotations

from ..graph import GradientEdge, Node
from ._edges import get_gradient_edge
from ._multi_grad import register_multi_grad_hook
from ._mutation import allow_mutation_on_saved_tensors
from ._saved_tensors import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks
from ._versions import increment_version

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks",
    "get_gradient_edge", "increment_version", "register_multi_grad_hook", "save_on_cpu",
    "saved_tensors_hooks",
]  # fmt: skip
