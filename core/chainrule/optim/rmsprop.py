"""Gradient descent scaled by the size of recent gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..ops.fused import _count_steps_
from ..ops.fused_adaptive import _fused_rmsprop_
from ._grouped import GroupedOptimizer, count, zeros_like
from ._stepping import run, setting

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["RMSprop"]


class RMSprop(GroupedOptimizer):
    """Gradients divided by the root of the moving average of their squares.

    ``square = alpha · square + (1 - alpha) · grad²`` and
    ``param -= lr · grad / (sqrt(square) + eps)``.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: The learning rate.
        alpha: How much of the averages is kept.
        eps: Added to the denominator.
        weight_decay: How strongly parameters are drawn to zero.
        momentum: How much of a moving sum of steps is kept.
        centered: Divide by the standard deviation: take off the square of the average.
        capturable: Taken for PyTorch's sake.
        foreach: Taken for PyTorch's sake: a step always takes all parameters in one call.
        maximize: Go up instead of down.
        differentiable: Record the step itself.

    Raises:
        ValueError: a number is negative, infinite or not a number.

    Differs from PyTorch:
        Numbers are checked in groups too. A frozen parameter is left alone even where it still has
        a gradient.

    Source:
        Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera, 2012; centered as in Graves,
        "Generating sequences with recurrent neural networks", 2013.


    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> w.grad = cr.tensor([1.0, -2.0])
    >>> RMSprop([w], lr=0.01).step()
    >>> w
    tensor([0.9000, 1.1000], requires_grad=True)
    """

    _nonnegative: ClassVar = {
        "lr": "learning rate",
        "eps": "epsilon value",
        "momentum": "momentum value",
        "weight_decay": "weight_decay value",
        "alpha": "alpha value",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("momentum", 0)
            group.setdefault("centered", False)

    def _begin(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        begun = {"step": count(0.0), "square_avg": zeros_like(param)}
        if group["momentum"] > 0:
            begun["momentum_buffer"] = zeros_like(param)
        if group["centered"]:
            begun["grad_avg"] = zeros_like(param)
        return begun

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        _count_steps_(self._remembered(params, "step"))
        run(
            _fused_rmsprop_,
            group,
            params,
            self._remembered(params, "square_avg"),
            self._remembered(params, "grad_avg") if group["centered"] else [],
            self._remembered(params, "momentum_buffer") if group["momentum"] > 0 else [],
            lr=setting(group, "lr"),
            alpha=group["alpha"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            maximize=group["maximize"],
        )
