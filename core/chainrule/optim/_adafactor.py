"""Adam's scaling in the memory of a row and a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ops.fused import _count_steps_
from ..ops.fused_descent import _fused_adafactor_
from ._grouped import GroupedOptimizer, check_rate, count, zeros_like
from ._stepping import number, run

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Adafactor"]


class Adafactor(GroupedOptimizer):
    """Gradients scaled by averages of squares, of which a matrix keeps one row and one column.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: The learning rate, relative to the root mean square of the parameter.
        beta2_decay: The exponent of the step in how far averages move.
        eps: The least root mean square of a gradient (None for the dtype's resolution), and of a
            parameter.
        d: The root mean square above which a step is clipped.
        weight_decay: How strongly parameters shrink.
        foreach: Taken for PyTorch's sake: a step always takes all parameters in one call.
        maximize: Go up instead of down.

    Raises:
        ValueError: a number is out of its range.
        RuntimeError: a parameter is complex.

    Source:
        Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018.

    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> w.grad = cr.tensor([1.0, -2.0])
    >>> Adafactor([w], lr=0.1).step()
    >>> w
    tensor([0.9000, 1.1000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: dict[str, Any]) -> None:
        check_rate(group["lr"], "Learning rate should be >= 0 but is: {}")
        eps1, eps2 = group["eps"]
        for holds, what, value in (
            (group["beta2_decay"] <= 0, "beta2_decay should be <= 0", group["beta2_decay"]),
            (eps1 is None or eps1 >= 0, "epsilon1 should be >= 0", eps1),
            (eps2 >= 0, "epsilon2 should be >= 0", eps2),
            (group["d"] >= 1, "Clipping threshold d should be >= 1", group["d"]),
            (group["weight_decay"] >= 0, "weight_decay should be >= 0", group["weight_decay"]),
        ):
            if not holds:
                msg = f"{what} but is: {value}"
                raise ValueError(msg)

    def _begin(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        if param.is_complex():
            msg = "Adafactor does not support complex parameters"
            raise RuntimeError(msg)
        if param.dim() < 2:
            return {"step": count(0.0), "variance": zeros_like(param)}
        *stack, rows, columns = param.shape
        detached = param.detach()
        return {
            "step": count(0.0),
            "row_var": detached.new_zeros((*stack, rows, 1)),
            "col_var": detached.new_zeros((*stack, 1, columns)),
        }

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        for some in ([p for p in params if p.dim() < 2], [p for p in params if p.dim() >= 2]):
            if some:
                self._step_alike(some, group, factored=some[0].dim() >= 2)

    def _step_alike(self, params: list[Tensor], group: dict[str, Any], *, factored: bool) -> None:
        eps1, eps2 = group["eps"]
        run(
            _fused_adafactor_,
            {"differentiable": False},
            params,
            [] if factored else self._remembered(params, "variance"),
            self._remembered(params, "row_var") if factored else [],
            self._remembered(params, "col_var") if factored else [],
            steps=_count_steps_(self._remembered(params, "step")),
            lr=number(group["lr"]),
            beta2_decay=group["beta2_decay"],
            eps1=eps1,
            eps2=eps2,
            d=group["d"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )
