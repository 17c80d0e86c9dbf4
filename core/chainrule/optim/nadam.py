"""Adam with the momentum of Nesterov."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..grad_mode import no_grad
from ..ops.fused import _count_steps_
from ..ops.fused_adaptive import _fused_nadam_
from ._grouped import GroupedOptimizer, check_betas, count, zeros_like
from ._stepping import number, run, setting

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["NAdam"]


class NAdam(GroupedOptimizer):
    """`Adam` that looks ahead along its moving average, with a momentum that grows.

    The momentum of step t is ``beta1 · (1 - 0.96^(t · momentum_decay) / 2)``.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: The learning rate.
        betas: How much of each average is kept.
        eps: Added to the denominator.
        weight_decay: How strongly parameters are drawn to zero.
        momentum_decay: How fast the momentum grows.
        decoupled_weight_decay: Shrink the parameters themselves, as `AdamW` does.
        foreach: Taken for PyTorch's sake: a step always takes all parameters in one call.
        maximize: Go up instead of down.
        capturable: Taken for PyTorch's sake.
        differentiable: Record the step itself.

    Raises:
        ValueError: a number is negative, infinite or not a number; or a beta is not below one.

    Differs from PyTorch:
        Numbers are checked in groups too. A frozen parameter is left alone even where it still has
        a gradient.

    Source:
        Dozat, "Incorporating Nesterov momentum into Adam", 2016.


    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> w.grad = cr.tensor([1.0, -2.0])
    >>> NAdam([w], lr=0.1).step()
    >>> w
    tensor([0.8944, 1.1056], requires_grad=True)
    """

    _nonnegative: ClassVar = {
        "lr": "learning rate",
        "eps": "epsilon value",
        "weight_decay": "weight_decay value",
        "momentum_decay": "momentum_decay value",
    }
    _counted: ClassVar = ("step", "mu_product")

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_betas(group["betas"])

    def _begin(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": count(0.0),
            "mu_product": count(1.0),
            "exp_avg": zeros_like(param),
            "exp_avg_sq": zeros_like(param),
        }

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        beta1, beta2 = map(number, group["betas"])
        steps = _count_steps_(self._remembered(params, "step"))
        decay = group["momentum_decay"]
        mus = [beta1 * (1 - 0.5 * 0.96 ** (step * decay)) for step in steps]
        products = self._remembered(params, "mu_product")
        with no_grad():
            for product, mu in zip(products, mus, strict=True):
                product.mul_(mu)
        run(
            _fused_nadam_,
            group,
            params,
            self._remembered(params, "exp_avg"),
            self._remembered(params, "exp_avg_sq"),
            steps=steps,
            mus=mus,
            next_mus=[beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * decay)) for step in steps],
            mu_products=[product.item() for product in products],
            lr=setting(group, "lr"),
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            decoupled=group["decoupled_weight_decay"],
            maximize=group["maximize"],
        )
