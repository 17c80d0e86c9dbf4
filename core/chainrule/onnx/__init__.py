"""Export of models, which chainrule does not have; what libraries register for it is not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._absent import absent

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["is_in_onnx_export", "register_custom_op_symbolic", "unregister_custom_op_symbolic"]


def is_in_onnx_export() -> bool:
    """Return False."""
    return False


def register_custom_op_symbolic(
    symbolic_name: str, symbolic_fn: Callable[..., Any], opset_version: int
) -> None:
    """Do nothing: no model is exported, so nobody asks how an operator would be."""


def unregister_custom_op_symbolic(symbolic_name: str, opset_version: int) -> None:
    """Do nothing."""


__getattr__ = absent(
    "onnx",
    "Save the parameters with chainrule.save(model.state_dict(), file); PyTorch reads that file.",
)
