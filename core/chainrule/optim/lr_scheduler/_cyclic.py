"""Schedulers that go up and down: one cycle, many cycles, restarts."""

from __future__ import annotations

import math
import types
from typing import TYPE_CHECKING, Any

from ._base import LRScheduler, expect_optimizer, per_group, set_rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..optimizer import Optimizer

__all__ = ["CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


def _has_momentum(optimizer: Optimizer) -> bool:
    """Return whether the momentum of *optimizer* is the first beta.

    Raises:
        ValueError: it has no momentum at all.
    """
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        msg = "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
        raise ValueError(msg)
    return "betas" in optimizer.defaults


def _set_momentum(group: dict[str, Any], momentum: float, *, use_beta1: bool) -> None:
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


class CyclicLR(LRScheduler):
    """Let the learning rates go up and down between *base_lr* and *max_lr*.

    Args:
        optimizer: Whose learning rates.
        base_lr: The lower bound; one for all groups or one each.
        max_lr: The upper bound of the first cycle.
        step_size_up: Epochs on the way up.
        step_size_down: Epochs on the way down; None stands for as many.
        mode: How the height changes: ``"triangular"`` not at all, ``"triangular2"`` it halves every
            cycle, ``"exp_range"`` by *gamma* every epoch.
        gamma: See *mode*.
        scale_fn: The factor of the height, in place of *mode*.
        scale_mode: What *scale_fn* gets: the ``"cycle"`` or the number of ``"iterations"``.
        cycle_momentum: Let the momentum go down and up at the same time.
        base_momentum: The lower bound of the momentum.
        max_momentum: The upper bound of the momentum.
        last_epoch: The last epoch that was run; -1 to begin.

    Raises:
        ValueError: *mode* is unknown, or the optimizer has no momentum to cycle.

    Source:
        Smith, "Cyclical learning rates for training neural networks", 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = expect_optimizer(optimizer)
        lowest = per_group(optimizer, "base_lr", base_lr)
        if last_epoch == -1:
            for rate, group in zip(lowest, optimizer.param_groups, strict=True):
                set_rate(group, "lr", rate)
        self.max_lrs = per_group(optimizer, "max_lr", max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in {"triangular", "triangular2", "exp_range"} and scale_fn is None:
            msg = "mode is invalid and scale_fn is None"
            raise ValueError(msg)
        self.mode, self.gamma = mode, gamma
        self._scale_fn_custom = scale_fn
        by_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = by_mode if scale_fn is None else scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = _has_momentum(optimizer)
            self.base_momentums = per_group(optimizer, "base_momentum", base_momentum)
            self.max_momentums = per_group(optimizer, "max_momentum", max_momentum)
            if last_epoch == -1:
                for momentum, group in zip(self.max_momentums, optimizer.param_groups, strict=True):
                    _set_momentum(group, momentum, use_beta1=self.use_beta1)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lowest

    def scale_fn(self, x: float) -> float:
        """Return the factor of the height at cycle or iteration *x*."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / (2.0 ** (x - 1)) if self.mode == "triangular2" else float(self.gamma**x)

    def get_lr(self) -> list[Any]:
        """Return the learning rates of the epoch ``last_epoch``, and set its momentum."""
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            )
            for group, low, high in bounds:
                momentum = high - (high - low) * height * scale
                _set_momentum(group, momentum, use_beta1=self.use_beta1)
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height * scale for low, high in pairs]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer; a plain function is left out."""
        state, function = super().state_dict(), self._scale_fn_custom
        plain = function is None or isinstance(function, types.FunctionType)
        return {**state, "_scale_fn_custom": None if plain else dict(vars(function))}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        saved = state_dict["_scale_fn_custom"]
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        if saved is not None and self._scale_fn_custom is not None:
            vars(self._scale_fn_custom).update(saved)


class CosineAnnealingWarmRestarts(LRScheduler):
    """Let the learning rates fall along a cosine, and begin again after ever longer times.

    Args:
        optimizer: Whose learning rates.
        T_0: Epochs up to the first restart.
        T_mult: What that time is multiplied by at every restart.
        eta_min: What the rates fall to.
        last_epoch: The last epoch that was run; -1 to begin.

    Raises:
        ValueError: *T_0* or *T_mult* is no positive integer, or *eta_min* no number.

    Source:
        Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803 - PyTorch's name
        T_mult: int = 1,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            msg = f"Expected positive integer T_0, but got {T_0}"
            raise ValueError(msg)
        if T_mult < 1 or not isinstance(T_mult, int):
            msg = f"Expected integer T_mult >= 1, but got {T_mult}"
            raise ValueError(msg)
        if not isinstance(eta_min, (float, int)):
            msg = f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}"
            raise ValueError(msg)  # noqa: TRY004 - as PyTorch
        self.T_0 = self.T_i = T_0
        self.T_mult, self.eta_min = T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """Return the learning rates of the present place between two restarts."""
        self._warn_outside_step()
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to *epoch*, which may be a fraction.

        Raises:
            ValueError: *epoch* is negative.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            if epoch < 0:
                msg = f"Expected non-negative epoch, but got {epoch}"
                raise ValueError(msg)
            self._go_to(epoch)
        self.last_epoch = math.floor(epoch)
        self._get_lr_called_within_step = True
        self._set(self.get_lr())
        self._get_lr_called_within_step = False

    def _go_to(self, epoch: float) -> None:
        """Find the restart before *epoch* and the time since."""
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            restarts = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            begun = self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)
            self.T_cur, self.T_i = epoch - begun, self.T_0 * self.T_mult**restarts


class OneCycleLR(LRScheduler):
    """Let the learning rates rise to *max_lr* and fall far below where they began, once.

    Args:
        optimizer: Whose learning rates.
        max_lr: The highest rate; one for all groups or one each.
        total_steps: Number of steps; or give *epochs* and *steps_per_epoch*.
        epochs: See *total_steps*.
        steps_per_epoch: See *total_steps*.
        pct_start: The share of the steps that is spent rising.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: Let the momentum fall and rise at the same time.
        base_momentum: The lowest momentum.
        max_momentum: The highest momentum.
        div_factor: The first rate is *max_lr* divided by this.
        final_div_factor: The last rate is the first one divided by this.
        three_phase: Fall back to the first rate in a phase of its own.
        last_epoch: The last step that was taken; -1 to begin.

    Raises:
        ValueError: a number of steps is missing or not positive, *pct_start* is no share, the
            strategy is unknown, or the optimizer has no momentum to cycle.

    Source:
        Smith and Topin, "Super-convergence: very fast training of neural networks using large
        learning rates", 2018.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = expect_optimizer(optimizer)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1 or not isinstance(pct_start, float):
            msg = f"Expected float between 0 and 1 pct_start, but got {pct_start}"
            raise ValueError(msg)
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase=three_phase)
        if anneal_strategy not in {"cos", "linear"}:
            msg = f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            raise ValueError(msg)
        self._anneal_func_type = anneal_strategy
        highest = per_group(optimizer, "max_lr", max_lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = _has_momentum(optimizer)
        if last_epoch == -1:
            for top, group in zip(highest, optimizer.param_groups, strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                self._begin_momentum(base_momentum, max_momentum)
        super().__init__(optimizer, last_epoch)

    def _begin_momentum(self, base_momentum: Any, max_momentum: Any) -> None:
        lows = per_group(self.optimizer, "base_momentum", base_momentum)
        highs = per_group(self.optimizer, "max_momentum", max_momentum)
        for group, low, high in zip(self.optimizer.param_groups, lows, highs, strict=True):
            _set_momentum(group, high, use_beta1=self.use_beta1)
            group["max_momentum"], group["base_momentum"] = high, low

    def _anneal(self, start: float, end: float, share: float) -> float:
        """Return the value *share* of the way from *start* to *end*."""
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
        return (end - start) * share + start

    def get_lr(self) -> list[Any]:
        """Return the learning rates of the step ``last_epoch``, and set its momentum.

        Raises:
            ValueError: all steps were taken.
        """
        self._warn_outside_step()
        step = self.last_epoch
        if step > self.total_steps:
            msg = (
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
            raise ValueError(msg)
        begun, phase = _phase_at(self._schedule_phases, step)
        share = (step - begun) / (phase["end_step"] - begun)
        values = []
        for group in self.optimizer.param_groups:
            values.append(self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                _set_momentum(group, self._anneal(*ends, share), use_beta1=self.use_beta1)
        return values


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    """Return the number of steps from either way to say it."""
    if total_steps is None and (epochs is None or steps_per_epoch is None):
        msg = "You must define either total_steps OR (epochs AND steps_per_epoch)"
        raise ValueError(msg)
    given: dict[str, Any] = {"total_steps": total_steps}
    if total_steps is None:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            msg = f"Expected positive integer {name}, but got {value}"
            raise ValueError(msg)
    return math.prod(given.values())


def _phases(total: int, share_up: float, *, three_phase: bool) -> list[dict[str, Any]]:
    """Return the parts of the cycle: where each ends, and between which values it goes."""
    top = float(share_up * total) - 1
    ends = [top, 2 * share_up * total - 2, total - 1] if three_phase else [top, total - 1]
    lrs = ["initial_lr", "max_lr", "initial_lr", "min_lr"]
    momenta = ["max_momentum", "base_momentum", "max_momentum", "max_momentum"]
    if not three_phase:
        lrs, momenta = ["initial_lr", "max_lr", "min_lr"], momenta[:3]
    return [
        {
            "end_step": end,
            "start_lr": lrs[i],
            "end_lr": lrs[i + 1],
            "start_momentum": momenta[i],
            "end_momentum": momenta[i + 1],
        }
        for i, end in enumerate(ends)
    ]


def _phase_at(phases: list[dict[str, Any]], step: int) -> tuple[float, dict[str, Any]]:
    """Return the part of the cycle that *step* is in, and where it began."""
    begun = 0.0
    for phase in phases[:-1]:
        if step <= phase["end_step"]:
            return begun, phase
        begun = phase["end_step"]
    return begun, phases[-1]
