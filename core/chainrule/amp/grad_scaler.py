"""`GradScaler`: a large factor on the loss, so that small gradients do not vanish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import AutogradError
from ..grad_mode import no_grad
from ..tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GradScaler"]


class GradScaler:
    """Scales a loss, undoes it in the gradients, and skips steps that are not finite.

    Args:
        device: Of the tensors.
        init_scale: The first factor.
        growth_factor: What the factor grows by after *growth_interval* finite steps.
        backoff_factor: What it shrinks by after one that is not.
        growth_interval: How many finite steps in a row.
        enabled: False makes every method pass its argument through.

    Source:
        P. Micikevicius et al. (2018), Mixed precision training.

    >>> import chainrule as cr
    >>> w = cr.tensor(1.0, requires_grad=True)
    >>> optimizer, scaler = cr.optim.SGD([w], lr=0.5), GradScaler("cpu")
    >>> scaler.scale(w * 2).backward()
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> w
    tensor(0., requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if enabled and backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._device, self._enabled = device, enabled
        self._scale, self._growth_factor = float(init_scale), growth_factor
        self._backoff_factor, self._growth_interval = backoff_factor, growth_interval
        self._growth_tracker = 0
        self._unscaled: dict[int, bool] = {}  # per optimizer of this round: was all finite?
        self._stepped: set[int] = set()

    def scale(self, outputs: Any) -> Any:
        """Return *outputs*, a tensor or nested sequences of them, times the factor."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(self.scale(item) for item in outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of *optimizer*'s parameters by the factor.

        Raises:
            RuntimeError: that was done already in this round.
        """
        if not self._enabled:
            return
        number = id(optimizer)
        if number in self._stepped:
            raise AutogradError("unscale_() is being called after step().")
        if number in self._unscaled:
            raise AutogradError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        finite = True
        with no_grad():
            for grad in _gradients(optimizer):
                grad.mul_(1.0 / self._scale)
                finite = finite and bool(ops.isfinite(grad).all())
        self._unscaled[number] = finite

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Return ``optimizer.step()``, or None without it where a gradient is not finite.

        Raises:
            RuntimeError: that was done already in this round.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise AutogradError("Closure use is not currently supported if GradScaler is enabled.")
        if id(optimizer) in self._stepped:
            raise AutogradError("step() has already been called since the last update().")
        if id(optimizer) not in self._unscaled:
            self.unscale_(optimizer)
        self._stepped.add(id(optimizer))
        return optimizer.step(*args, **kwargs) if self._unscaled[id(optimizer)] else None

    def update(self, new_scale: Any = None) -> None:
        """Adapt the factor to how the round went, and begin the next one."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._unscaled:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif all(self._unscaled.values()):
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale *= self._growth_factor
                self._growth_tracker = 0
        else:
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        self._unscaled.clear()
        self._stepped.clear()

    def get_scale(self) -> float:
        """Return the factor."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """Return what the factor grows by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what the factor grows by."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """Return what the factor shrinks by."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what the factor shrinks by."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """Return after how many finite steps the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many finite steps the factor grows."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Return whether the scaler does anything."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """Return the state, for `load_state_dict`."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a state.

        Raises:
            RuntimeError: it is of a scaler that was not enabled.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise AutogradError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]


def _gradients(optimizer: Any) -> Iterator[Any]:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                yield parameter.grad
