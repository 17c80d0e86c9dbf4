"""Adam for sparse gradients, which there are none of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ._grouped import check_betas
from ._stepping import loss_of
from .optimizer import Optimizer

if TYPE_CHECKING:
    from ..tensor import Tensor
    from ._stepping import Closure

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """`Adam` for sparse gradients. All gradients here are dense, so a step with one raises.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: The learning rate.
        betas: How much of each average is kept.
        eps: Added to the root in the denominator.
        maximize: Go up instead of down.

    Raises:
        ValueError: a number is negative, infinite or not a number; or a beta is not below one.
    """

    _nonnegative: ClassVar = {"lr": "learning rate", "eps": "epsilon value"}

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize}
        super().__init__(params, defaults)

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_betas(group["betas"])

    def step(self, closure: Closure | None = None) -> Any:
        """Refuse to update parameters by dense gradients.

        Raises:
            RuntimeError: a parameter has a gradient.
        """
        loss = loss_of(closure)
        for group in self.param_groups:
            if any(param.grad is not None for param in group["params"]):
                msg = (
                    "SparseAdam does not support dense gradients, please consider Adam instead\n"
                    "SparseAdam.step: gradients are always dense here. Use chainrule.optim.Adam."
                )
                raise RuntimeError(msg)
        return loss
