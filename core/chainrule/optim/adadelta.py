"""Gradient descent that finds its own rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..ops.fused import _count_steps_
from ..ops.fused_adaptive import _fused_adadelta_
from ._grouped import GroupedOptimizer, count, zeros_like
from ._stepping import run, setting

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Adadelta"]


class Adadelta(GroupedOptimizer):
    """Steps in the units of the parameter: no learning rate is needed.

    Each gradient is multiplied by the root mean square of past steps and divided by that of past
    gradients.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: What steps are multiplied by.
        rho: How much of the averages is kept.
        eps: Added inside the roots.
        weight_decay: How strongly parameters are drawn to zero.
        foreach: Taken for PyTorch's sake: a step always takes all parameters in one call.
        capturable: Taken for PyTorch's sake.
        maximize: Go up instead of down.
        differentiable: Record the step itself.

    Raises:
        ValueError: a number is negative, infinite or not a number; or *rho* is above one.

    Differs from PyTorch:
        Numbers are checked in groups too. A frozen parameter is left alone even where it still has
        a gradient.

    Source:
        Zeiler, "ADADELTA: an adaptive learning rate method", 2012.


    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> w.grad = cr.tensor([1.0, -2.0])
    >>> Adadelta([w]).step()
    >>> w
    tensor([0.9968, 1.0032], requires_grad=True)
    """

    _nonnegative: ClassVar = {
        "lr": "learning rate",
        "rho": "rho value",
        "eps": "epsilon value",
        "weight_decay": "weight_decay value",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        if group["rho"] > 1.0:
            msg = f"Invalid rho value: {group['rho']}"
            raise ValueError(msg)

    def _begin(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": count(0.0), "square_avg": zeros_like(param), "acc_delta": zeros_like(param)}

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        _count_steps_(self._remembered(params, "step"))
        run(
            _fused_adadelta_,
            group,
            params,
            self._remembered(params, "square_avg"),
            self._remembered(params, "acc_delta"),
            lr=setting(group, "lr"),
            rho=group["rho"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )
