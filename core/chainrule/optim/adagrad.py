"""Gradient descent with a rate per element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..ops.fused import _count_steps_
from ..ops.fused_adaptive import _fused_adagrad_
from ._grouped import GroupedOptimizer, count, zeros_like
from ._stepping import check_implementation, run, setting

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Adagrad"]


class Adagrad(GroupedOptimizer):
    """Gradients divided by the root of the sum of their squares so far.

    ``sum += grad²`` and ``param -= lr / (1 + (step - 1) · lr_decay) · grad / (sqrt(sum) + eps)``.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: The learning rate.
        lr_decay: How fast the rate falls with the steps.
        weight_decay: How strongly parameters are drawn to zero.
        initial_accumulator_value: What the sums begin with.
        eps: Added to the denominator.
        foreach: Taken for PyTorch's sake: a step always takes all parameters in one call.
        maximize: Go up instead of down.
        differentiable: Record the step itself.
        fused: Taken for PyTorch's sake; see *foreach*.

    Raises:
        ValueError: a number is negative, infinite or not a number.

    Differs from PyTorch:
        Numbers are checked in groups too. A frozen parameter is left alone even where it still has
        a gradient.

    Source:
        Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
        optimization", 2011.


    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> w.grad = cr.tensor([1.0, -2.0])
    >>> Adagrad([w], lr=0.1).step()
    >>> w
    tensor([0.9000, 1.1000], requires_grad=True)
    """

    _nonnegative: ClassVar = {
        "lr": "learning rate",
        "lr_decay": "lr_decay value",
        "weight_decay": "weight_decay value",
        "initial_accumulator_value": "initial_accumulator_value value",
        "eps": "epsilon value",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_implementation(self.defaults)
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param].update(self._begin(param, group))

    def share_memory(self) -> None:
        """Do nothing: state lies in the memory of this process. Taken for PyTorch's sake."""

    def _begin(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        first = group["initial_accumulator_value"]
        first = complex(first, first) if param.is_complex() else first
        return {"step": count(0.0), "sum": zeros_like(param).fill_(first)}

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        run(
            _fused_adagrad_,
            group,
            params,
            self._remembered(params, "sum"),
            steps=_count_steps_(self._remembered(params, "step")),
            lr=setting(group, "lr"),
            lr_decay=group["lr_decay"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
        )
