"""Adam with the largest gradient in place of the root mean square."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..ops.fused import _count_steps_
from ..ops.fused_adaptive import _fused_adamax_
from ._grouped import GroupedOptimizer, check_betas, count, zeros_like
from ._stepping import number, run, setting

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Adamax"]


class Adamax(GroupedOptimizer):
    """Moving averages of the gradient divided by its largest size, which fades.

    ``mean = beta1 · mean + (1 - beta1) · grad``, ``largest = max(beta2 · largest, |grad| + eps)``
    and ``param -= lr / (1 - beta1^step) · mean / largest``.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: The learning rate.
        betas: How much of the average, and of the largest size, is kept.
        eps: Added to the denominator.
        weight_decay: How strongly parameters are drawn to zero.
        foreach: Taken for PyTorch's sake: a step always takes all parameters in one call.
        maximize: Go up instead of down.
        differentiable: Record the step itself.
        capturable: Taken for PyTorch's sake.

    Raises:
        ValueError: a number is negative, infinite or not a number; or a beta is not below one.

    Differs from PyTorch:
        Numbers are checked in groups too. A frozen parameter is left alone even where it still has
        a gradient.

    Source:
        Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.


    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> w.grad = cr.tensor([1.0, -2.0])
    >>> Adamax([w], lr=0.1).step()
    >>> w
    tensor([0.9000, 1.1000], requires_grad=True)
    """

    _nonnegative: ClassVar = {
        "lr": "learning rate",
        "eps": "epsilon value",
        "weight_decay": "weight_decay value",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_betas(group["betas"])

    def _begin(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": count(0.0), "exp_avg": zeros_like(param), "exp_inf": zeros_like(param)}

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        run(
            _fused_adamax_,
            group,
            params,
            self._remembered(params, "exp_avg"),
            self._remembered(params, "exp_inf"),
            steps=_count_steps_(self._remembered(params, "step")),
            lr=setting(group, "lr"),
            beta1=number(beta1),
            beta2=number(beta2),
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )
