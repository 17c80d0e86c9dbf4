"""Adam, with AMSGrad and decoupled weight decay."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import ops
from ..backend import CPU, Device
from ..dtypes import float32, float64, get_default_dtype
from ..ops.fused import _count_steps_, _fused_adam_, state_like
from ..ops.fused_on_device import _fused_adam_on_device_
from ..tensor import Tensor
from ._stepping import (
    Closure,
    by_key,
    check_implementation,
    loss_of,
    number,
    rate_on_device,
    run,
    setting,
)
from .optimizer import Optimizer

__all__ = ["Adam"]


class Adam(Optimizer):
    """Steps scaled, element by element, by moving averages of the gradient and of its square.

    With m and v those averages, corrected for having begun at zero:
    ``param -= lr · m / (sqrt(v) + eps)``.

    Args:
        params: Tensors, pairs of name and tensor, or groups.
        lr: The learning rate.
        betas: How much of each average is kept.
        eps: Added to the root in the denominator.
        weight_decay: How strongly parameters are drawn to zero.
        amsgrad: Divide by the largest v so far.
        foreach: Taken for PyTorch's sake: a step always takes all parameters in one call.
        maximize: Go up instead of down.
        capturable: Count steps on the device of the parameters, and read them there, as a learning
            rate that is a tensor there: for CUDA graphs, whose replays then follow both.
        differentiable: Record the step itself.
        fused: Taken for PyTorch's sake; see *foreach*.
        decoupled_weight_decay: Shrink the parameters themselves, as `AdamW` does.

    Raises:
        ValueError: a number is negative, infinite or not a number; or a beta is not below one.
        AssertionError: from a step, that parameters lie on the CPU and *capturable* is set.

    Differs from PyTorch:
        Numbers are checked in groups too. A frozen parameter is left alone even where it still has
        a gradient. The learning rate may be a tensor whatever *foreach* says.

    Source:
        Kingma and Ba, "Adam: a method for stochastic optimization", 2015.

    >>> import chainrule as cr
    >>> w = cr.ones(2, requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000, 0.9000], requires_grad=True)
    """

    _nonnegative: ClassVar = {
        "lr": "learning rate",
        "eps": "epsilon value",
        "weight_decay": "weight_decay value",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        check_implementation(self.defaults)

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        for position, beta in enumerate(group["betas"]):
            if isinstance(beta, Tensor) and beta.numel() != 1:
                msg = f"Tensor betas[{position}] must be 1-element"
                raise ValueError(msg)
            if not 0.0 <= float(number(beta)) < 1.0:
                msg = f"Invalid beta parameter at index {position}: {beta}"
                raise ValueError(msg)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, default in (
                ("amsgrad", False), ("maximize", False), ("foreach", None), ("capturable", False),
                ("differentiable", False), ("decoupled_weight_decay", False), ("fused", None),
            ):  # fmt: skip
                group.setdefault(name, default)
        for remembered in self.state.values():
            if not isinstance(remembered.get("step", 0.0), Tensor):  # old files count in numbers
                remembered["step"] = _count(float(remembered["step"]))

    def step(self, closure: Closure | None = None) -> Any:
        """Update all parameters once; return what *closure* returned."""
        loss = loss_of(closure)
        for group in self.param_groups:
            for params in by_key(group["params"]):
                self._step(params, group)
        return loss

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        amsgrad, state = group["amsgrad"], self.state
        new = [param for param in params if not state[param]]
        if new:
            self._begin(new, amsgrad=amsgrad, on_device=group["capturable"])
        counts, means, squares, largest = [], [], [], []
        for param in params:
            remembered = state[param]
            counts.append(remembered["step"])
            means.append(remembered["exp_avg"])
            squares.append(remembered["exp_avg_sq"])
            if amsgrad:
                largest.append(remembered["max_exp_avg_sq"])
        beta1, beta2 = group["betas"]
        options = {
            "beta1": number(beta1),
            "beta2": number(beta2),
            "weight_decay": group["weight_decay"],
            "eps": group["eps"],
            "decoupled": group["decoupled_weight_decay"],
            "maximize": group["maximize"],
        }
        if group["capturable"]:
            _check_capturable(group, params, counts)
            rates = rate_on_device(group, params)
            options["lr"] = 0.0 if rates else setting(group, "lr")
            lists = (means, squares, largest, counts, rates)
            run(_fused_adam_on_device_, group, params, *lists, **options)
        else:
            options["lr"], options["steps"] = setting(group, "lr"), _count_steps_(counts)
            run(_fused_adam_, group, params, means, squares, largest, **options)

    def _begin(self, params: list[Tensor], *, amsgrad: bool, on_device: bool) -> None:
        """Lay out what is remembered of *params* before their first step."""
        for param in params:
            self.state[param]["step"] = _count(0.0, param.device if on_device else CPU)
        for name in ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")[: 3 if amsgrad else 2]:
            for param, zeros in zip(params, state_like(params), strict=True):
                self.state[param][name] = zeros


def _count(steps: float, device: Device = CPU) -> Tensor:
    """Return a count of steps: a tensor, since PyTorch saves one; on the CPU, where none waits."""
    dtype = float64 if get_default_dtype() is float64 else float32
    return ops.full((), steps, dtype=dtype, device=device)


def _check_capturable(group: dict[str, Any], params: list[Tensor], counts: list[Tensor]) -> None:
    """Check that a step can be captured: parameters and counts lie on one device, no CPU.

    Raises:
        AssertionError: they do not.
    """
    device = params[0].device
    if (device.type == "cpu" and not group["fused"]) or any(c.device != device for c in counts):
        msg = (
            "If capturable=True, params and state_steps must be on supported devices: "
            "['cuda', 'xpu', 'hpu', 'privateuseone', 'xla'].\n"
            f"Adam.step: the parameters are on {device}, the counts of steps on "
            f"{counts[0].device}. Use capturable=False, which computes the same."
        )
        raise AssertionError(msg)
