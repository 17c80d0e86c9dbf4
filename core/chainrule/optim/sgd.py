"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import ops
from ..grad_mode import no_grad
from ..ops.fused import _fused_sgd_
from ..ops.fused_on_device import _fused_sgd_on_device_
from ..tensor import Tensor
from ._stepping import (
    Closure,
    by_key,
    check_implementation,
    loss_of,
    rate_on_device,
    run,
    setting,
)
from .optimizer import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent with momentum.

    Every parameter moves against its gradient, or against the moving sum of its gradients:
    ``sum = momentum · sum + (1 - dampening) · grad`` and ``param -= lr · sum``.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: The learning rate.
        momentum: How much of the moving sum is kept.
        dampening: How much of a new gradient is left out of the sum.
        weight_decay: How strongly parameters are drawn to zero.
        nesterov: Look ahead along the sum.
        maximize: Go up instead of down.
        foreach: Taken for PyTorch's sake: a step always takes all parameters in one call.
        differentiable: Record the step itself.
        fused: Taken for PyTorch's sake; see *foreach*.

    Raises:
        ValueError: a number is negative, infinite or not a number; or *nesterov* without momentum.

    Differs from PyTorch:
        A learning rate that is infinite or not a number is refused, also in a group. A frozen
        parameter is left alone even where it still has a gradient. A recorded first step passes
        gradients through the momentum that it begins.

    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000, 0.8000], requires_grad=True)
    """

    _nonnegative: ClassVar = {
        "lr": "learning rate",
        "momentum": "momentum value",
        "weight_decay": "weight_decay value",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_implementation(self.defaults)

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            msg = "Nesterov momentum requires a momentum and zero dampening"
            raise ValueError(msg)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, default in (
                ("nesterov", False), ("maximize", False), ("foreach", None),
                ("differentiable", False), ("fused", False),
            ):  # fmt: skip
                group.setdefault(name, default)

    def step(self, closure: Closure | None = None) -> Any:
        """Update all parameters once; return what *closure* returned."""
        loss = loss_of(closure)
        for group in self.param_groups:
            for params in by_key(group["params"]):
                self._step(params, group)
        return loss

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        if not group["momentum"]:
            _descend(params, [], group, first=False)
            return
        state = self.state
        new = [param for param in params if state[param].get("momentum_buffer") is None]
        old = [param for param in params if state[param].get("momentum_buffer") is not None]
        for param in new:
            with no_grad():
                state[param]["momentum_buffer"] = ops.zeros_like(param)
        for chosen, first in ((new, True), (old, False)):
            if chosen:
                buffers = [state[param]["momentum_buffer"] for param in chosen]
                _descend(chosen, buffers, group, first=first)


def _descend(
    params: list[Tensor], buffers: list[Tensor], group: dict[str, Any], *, first: bool
) -> None:
    options = {
        "momentum": group["momentum"],
        "dampening": group["dampening"],
        "weight_decay": setting(group, "weight_decay"),
        "nesterov": group["nesterov"],
        "maximize": group["maximize"],
        "first": first,
    }
    rates = rate_on_device(group, params)
    if rates:
        run(_fused_sgd_on_device_, group, params, buffers, rates, **options)
    else:
        run(_fused_sgd_, group, params, buffers, lr=setting(group, "lr"), **options)
