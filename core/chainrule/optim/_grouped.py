"""What the optimizers share whose step is one update op per group and dtype."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from .. import ops
from ..backend import CPU
from ..dtypes import float32, float64, get_default_dtype
from ..tensor import Tensor
from ._stepping import by_key, loss_of, number
from .optimizer import Optimizer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._stepping import Closure

#: The settings that every optimizer got later than its first files, and what those meant.
_LATER: dict[str, Any] = {
    "maximize": False,
    "foreach": None,
    "capturable": False,
    "differentiable": False,
    "decoupled_weight_decay": False,
}


class GroupedOptimizer(Optimizer):
    """An optimizer that steps a list of parameters at once. Derive, and write ``_step``.

    State is begun before the first step, by ``_begin``; ``_remembered`` gathers it by name.
    """

    #: State that is saved as a tensor, and was a number in old files.
    _counted: ClassVar[tuple[str, ...]] = ("step",)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name in self.defaults.keys() & _LATER.keys():
                group.setdefault(name, _LATER[name])
        for remembered in self.state.values():
            for name in self._counted:
                if not isinstance(remembered.get(name, 0.0), Tensor) and name in remembered:
                    remembered[name] = count(float(remembered[name]))

    def step(self, closure: Closure | None = None) -> Any:
        """Update all parameters once; return what *closure* returned."""
        loss = loss_of(closure)
        for group in self.param_groups:
            for params in by_key(group["params"]):
                for param in params:
                    if not self.state[param]:
                        self.state[param].update(self._begin(param, group))
                self._step(params, group)
        return loss

    def _begin(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """Return what is remembered of *param* before its first step."""
        raise NotImplementedError

    def _step(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """Update parameters of one dtype and device."""
        raise NotImplementedError

    def _remembered(self, params: Iterable[Tensor], name: str) -> list[Any]:
        """Return the state called *name* of each parameter."""
        return [self.state[param][name] for param in params]


def count(steps: float) -> Tensor:
    """Return a number as state: a tensor, since PyTorch saves one, and always on the CPU."""
    dtype = float64 if get_default_dtype() is float64 else float32
    return ops.full((), steps, dtype=dtype, device=CPU)


def zeros_like(param: Tensor) -> Tensor:
    """Return zeros for what is remembered of *param*, unrecorded."""
    return ops.zeros_like(param.detach())


def check_betas(betas: Any) -> None:
    """Check the shares that two moving averages keep.

    Raises:
        ValueError: one is not in ``[0, 1)``.
    """
    for position, beta in enumerate(betas):
        if isinstance(beta, Tensor) and beta.numel() != 1:
            msg = f"Tensor betas[{position}] must be 1-element"
            raise ValueError(msg)
        if not 0.0 <= float(number(beta)) < 1.0:
            msg = f"Invalid beta parameter at index {position}: {beta}"
            raise ValueError(msg)


def check_rate(lr: Any, sentence: str = "Invalid learning rate: {}") -> None:
    """Check a learning rate.

    Raises:
        ValueError: it is negative, infinite, not a number, or several.
    """
    if isinstance(lr, Tensor) and lr.numel() != 1:
        msg = "Tensor lr must be 1-element"
        raise ValueError(msg)
    if not 0.0 <= float(number(lr)) < math.inf:
        raise ValueError(sentence.format(lr))
