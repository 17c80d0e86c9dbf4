"""Lower the learning rate when a number stops getting better."""

from __future__ import annotations

import math
from typing import Any, SupportsFloat

from ..._warn import warn
from ..optimizer import Optimizer
from ._base import _EPOCH_IS_DEPRECATED, LRScheduler, expect_optimizer, rates, set_rate

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiply the learning rates by *factor* when a metric has not got better for a while.

    Args:
        optimizer: Whose learning rates.
        mode: ``"min"`` if smaller is better, ``"max"`` if larger is.
        factor: What the rates are multiplied by.
        patience: How many epochs without getting better are let pass.
        threshold: How much better counts.
        threshold_mode: ``"rel"``: a share of the best so far; ``"abs"``: a difference.
        cooldown: How many epochs to wait after a change.
        min_lr: What a rate is at least; one for all groups or one each.
        eps: A change that is smaller is not made.

    Raises:
        ValueError: *factor* is not below 1, or a mode is unknown.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            msg = "Factor should be < 1.0."
            raise ValueError(msg)
        self.factor = factor
        self.optimizer = expect_optimizer(optimizer)
        self._take_min_lr(min_lr)
        self.patience, self.cooldown, self.eps = patience, cooldown, eps
        self.last_epoch = 0
        self._last_lr = rates(optimizer, "lr")
        self._take_modes(mode, threshold, threshold_mode)
        self._reset()

    def _take_min_lr(self, min_lr: Any) -> None:
        count = len(self.optimizer.param_groups)
        self.default_min_lr: float | None = None
        if isinstance(min_lr, (list, tuple)):
            if len(min_lr) != count:
                msg = f"expected {count} min_lrs, got {len(min_lr)}"
                raise ValueError(msg)
            self.min_lrs = list(min_lr)
        else:
            self.default_min_lr = min_lr
            self.min_lrs = [min_lr] * count

    def _take_modes(self, mode: str, threshold: float, threshold_mode: str) -> None:
        if mode not in {"min", "max"}:
            msg = f"mode {mode} is unknown!"
            raise ValueError(msg)
        if threshold_mode not in {"rel", "abs"}:
            msg = f"threshold mode {threshold_mode} is unknown!"
            raise ValueError(msg)
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode

    def _reset(self) -> None:
        self.best = self.mode_worse
        self.cooldown_counter = self.num_bad_epochs = 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]  # as PyTorch
        """Take note of the metric of an epoch, and lower the rates if it is time.

        Args:
            metrics: The metric.
            epoch: Deprecated: the number of the epoch.
        """
        if epoch is not None:
            warn(_EPOCH_IS_DEPRECATED, UserWarning, stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        current = float(metrics)
        if self._is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0  # what happens while cooling down does not count
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = rates(self.optimizer, "lr")

    @property
    def in_cooldown(self) -> bool:
        """Whether a change was made so lately that none is made now."""
        return self.cooldown_counter > 0

    def _is_better(self, current: float, best: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            bound = best * (1.0 + sign * self.threshold)
        else:
            bound = best + sign * self.threshold
        return current > bound if self.mode == "max" else current < bound

    def _reduce_lr(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                msg = (
                    f"The number of param groups in the `optimizer` ({len(groups)}) differs from "
                    f"when `ReduceLROnPlateau` was initialized ({len(self.min_lrs)}), usually due "
                    "to a new param group being added to the optimizer. Please modify the "
                    "`min_lrs` field to match the length of the `optimizer` param groups."
                )
                raise RuntimeError(msg)
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, lowest)
            if old - new > self.eps:
                set_rate(group, "lr", new)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        super().load_state_dict(state_dict)
        self._take_modes(self.mode, self.threshold, self.threshold_mode)
