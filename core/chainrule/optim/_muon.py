"""Steps along orthogonal matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..ops.fused_descent import _fused_muon_
from ._grouped import GroupedOptimizer, check_rate, zeros_like
from ._stepping import run

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Muon"]


class Muon(GroupedOptimizer):
    """Steps along the orthogonal factor of the moving average of a matrix's gradient.

    Args:
        params: Matrices, pairs of name and matrix, or groups.
        lr: The learning rate.
        weight_decay: How strongly parameters shrink.
        momentum: How much of the average is kept.
        nesterov: Look ahead along the average.
        ns_coefficients: Of the three terms of a Newton-Schulz iteration.
        eps: The least norm to divide by.
        ns_steps: How many iterations.
        adjust_lr_fn: How the rate depends on the shape: ``"original"`` (None) by the root of rows
            per column, ``"match_rms_adamw"`` so that steps are as long as AdamW's.

    Raises:
        ValueError: a number is out of its range, or a parameter is no matrix.

    Differs from PyTorch:
        It iterates in the dtype of the parameter, not in bfloat16, and so more exactly.

    Source:
        Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024.

    >>> import chainrule as cr
    >>> w = cr.zeros(2, 2, requires_grad=True)
    >>> w.grad = cr.tensor([[3.0, 0.0], [0.0, 2.0]])
    >>> Muon([w], lr=1.0, ns_steps=1, ns_coefficients=(1.5, -0.5, 0.0)).step()
    >>> w
    tensor([[-0.9601,  0.0000],
            [ 0.0000, -0.7467]], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: dict[str, Any]) -> None:
        check_rate(group["lr"], "Learning rate should be >= 0 but is: {}")
        for name in ("momentum", "weight_decay"):
            if not group[name] >= 0.0:
                msg = f"{name.replace('_', ' ')} should be >= 0 but is: {group[name]}"
                raise ValueError(msg)
        if group["adjust_lr_fn"] not in {None, "original", "match_rms_adamw"}:
            msg = f"Adjust learning rate function {group['adjust_lr_fn']} is not supported"
            raise ValueError(msg)
        for param in group.get("params", ()):
            if param.dim() != 2:
                msg = (
                    "Muon only supports 2D parameters whereas we found a parameter with size: "
                    f"torch.Size({list(param.shape)})"
                )
                raise ValueError(msg)

    def _begin(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        if param.is_complex():
            msg = "Muon does not support complex parameters"
            raise RuntimeError(msg)
        return {"momentum_buffer": zeros_like(param)}

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        run(
            _fused_muon_,
            {"differentiable": False},
            params,
            self._remembered(params, "momentum_buffer"),
            rates=[_adjusted(group["lr"], group["adjust_lr_fn"], *p.shape) for p in params],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            nesterov=group["nesterov"],
            ns_coefficients=tuple(group["ns_coefficients"]),
            eps=group["eps"],
            ns_steps=group["ns_steps"],
        )


def _adjusted(lr: float, how: str | None, rows: int, columns: int) -> float:
    """Return the learning rate of a matrix."""
    if how == "match_rms_adamw":
        return lr * 0.2 * math.sqrt(max(rows, columns))
    return lr * math.sqrt(max(1, rows / columns))
