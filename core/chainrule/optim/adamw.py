"""Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .adam import Adam

__all__ = ["AdamW"]


class AdamW(Adam):
    """`Adam` that shrinks the parameters themselves instead of adding to their gradients.

    Arguments are those of `Adam`; *weight_decay* is 0.01 by default.

    Source:
        Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.

    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> w.grad = cr.zeros(2)
    >>> AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w
    tensor([0.9500, 0.9500], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
