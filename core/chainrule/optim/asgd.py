"""Gradient descent that averages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..grad_mode import no_grad
from ..ops.fused import _count_steps_
from ..ops.fused_descent import _fused_asgd_
from ._grouped import GroupedOptimizer, count, zeros_like
from ._stepping import number, run

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["ASGD"]


class ASGD(GroupedOptimizer):
    """Gradient descent with a falling rate, and the average of the parameters beside it.

    The average stands in ``optimizer.state[param]["ax"]``.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: The learning rate.
        lambd: How fast the rate falls, and how strongly parameters shrink.
        alpha: The power by which the rate falls.
        t0: The step from which on the average is taken.
        weight_decay: How strongly parameters are drawn to zero.
        foreach: Taken for PyTorch's sake: a step always takes all parameters in one call.
        maximize: Go up instead of down.
        differentiable: Record the step itself.
        capturable: Taken for PyTorch's sake.

    Raises:
        ValueError: the rate or the weight decay is negative, infinite or not a number.

    Differs from PyTorch:
        Numbers are checked in groups too. A frozen parameter is left alone even where it still has
        a gradient.

    Source:
        Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.


    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> w.grad = cr.tensor([1.0, -2.0])
    >>> ASGD([w], lr=0.1).step()
    >>> w
    tensor([0.9000, 1.2000], requires_grad=True)
    """

    _nonnegative: ClassVar = {
        "lr": "learning rate",
        "weight_decay": "weight_decay value",
    }
    _counted: ClassVar = ("step", "eta", "mu")

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": count(0.0),
            "eta": count(number(group["lr"])),
            "mu": count(1.0),
            "ax": zeros_like(param),
        }

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        etas, mus = self._remembered(params, "eta"), self._remembered(params, "mu")
        steps = _count_steps_(self._remembered(params, "step"))
        lambd, rate = group["lambd"], number(group["lr"])
        run(
            _fused_asgd_,
            group,
            params,
            self._remembered(params, "ax"),
            etas=[eta.item() for eta in etas],
            mus=[mu.item() for mu in mus],
            lambd=lambd,
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )
        with no_grad():
            for step, eta, mu in zip(steps, etas, mus, strict=True):
                eta.fill_(rate / (1 + lambd * rate * step) ** group["alpha"])
                mu.fill_(1 / max(1, step - group["t0"]))
