"""Steps by the signs of gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..ops.fused import _count_steps_
from ..ops.fused_descent import _fused_rprop_
from ._grouped import GroupedOptimizer, count, zeros_like
from ._stepping import number, run

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Rprop"]


class Rprop(GroupedOptimizer):
    """Steps against the sign of the gradient, longer while it stays and shorter when it turns.

    Made for gradients over all data: with small batches signs turn by chance.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: The first size of a step.
        etas: What the size is multiplied by where the sign turned, and where it stayed.
        step_sizes: The least and the greatest size.
        capturable: Taken for PyTorch's sake.
        foreach: Taken for PyTorch's sake: a step always takes all parameters in one call.
        maximize: Go up instead of down.
        differentiable: Record the step itself.

    Raises:
        ValueError: the rate is negative, infinite or not a number; or *etas* do not lie on both
            sides of one.

    Differs from PyTorch:
        Numbers are checked in groups too. A frozen parameter is left alone even where it still has
        a gradient.

    Source:
        Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the
        RPROP algorithm", 1993.


    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> w.grad = cr.tensor([1.0, -2.0])
    >>> Rprop([w], lr=0.1).step()
    >>> w
    tensor([0.9000, 1.1000], requires_grad=True)
    """

    _nonnegative: ClassVar = {
        "lr": "learning rate",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        shrink, grow = group["etas"]
        if not 0.0 < shrink < 1.0 < grow:
            msg = f"Invalid eta values: {shrink}, {grow}"
            raise ValueError(msg)

    def _begin(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        size: Any = number(group["lr"])
        size = complex(size, size) if param.is_complex() else size
        return {
            "step": count(0.0),
            "prev": zeros_like(param),
            "step_size": zeros_like(param).fill_(size),
        }

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        _count_steps_(self._remembered(params, "step"))
        (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
        run(
            _fused_rprop_,
            group,
            params,
            self._remembered(params, "prev"),
            self._remembered(params, "step_size"),
            shrink=shrink,
            grow=grow,
            smallest=smallest,
            largest=largest,
            maximize=group["maximize"],
        )
