"""`LRScheduler`: sets the learning rates of an optimizer, epoch after epoch."""

from __future__ import annotations

import types
from typing import Any

from ..._warn import warn
from ...tensor import Tensor
from ..optimizer import Optimizer

__all__ = ["LRScheduler"]

_EPOCH_IS_DEPRECATED = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
    "epoch is different from None, the closed form is used instead of the new chainable form, "
    "where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
_WRONG_ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, "
    "you should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  "
    "Failure to do this will result in PyTorch skipping the first value of the learning rate "
    "schedule. See more details at "
    "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)
_OVERRIDDEN = (
    "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
    "initialization. Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. "
    "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)


class LRScheduler:
    """What schedulers have in common. Derive, and write ``get_lr``.

    A scheduler may compute the next rate from the present one (so that several can be chained) or,
    in ``_get_closed_form_lr``, from the first one and the epoch.

    Args:
        optimizer: Whose learning rates.
        last_epoch: The last epoch that was run; -1 to begin.

    Raises:
        TypeError: *optimizer* is none.
        KeyError: *last_epoch* is given and a group has no ``"initial_lr"``.

    >>> import chainrule as cr
    >>> class Halving(LRScheduler):
    ...     def get_lr(self):
    ...         return [base / 2**self.last_epoch for base in self.base_lrs]
    >>> optimizer = cr.optim.SGD([cr.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = Halving(optimizer)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    _get_lr_called_within_step: bool = False
    _is_initial: bool = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = expect_optimizer(optimizer)
        for position, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                msg = (
                    f"param 'initial_lr' is not specified in param_groups[{position}] when "
                    "resuming scheduler with last_epoch >= 0.\nThis typically happens when:\n"
                    "1. You're trying to resume training from a checkpoint but haven't properly "
                    "loaded the optimizer state\n"
                    "2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
                )
                raise KeyError(msg)
        self.base_lrs: list[Any] = rates(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._begin()

    def _begin(self) -> None:
        """Set the learning rates of the first epoch."""
        self._step_count = 0
        self.optimizer._scheduled_step = vars(self.optimizer).get("step")
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[Any]:
        """Return the learning rates of the epoch ``last_epoch``, one per group."""
        raise NotImplementedError

    def get_last_lr(self) -> list[Any]:
        """Return the learning rates that were set last, one per group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch. Call it after the steps of the optimizer.

        Args:
            epoch: Deprecated: the epoch to go to.
        """
        if self._step_count == 1:
            if vars(self.optimizer).get("step") is not self.optimizer._scheduled_step:
                warn(_OVERRIDDEN, UserWarning, stacklevel=2)
            elif not self.optimizer._opt_called:
                warn(_WRONG_ORDER, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warn(_EPOCH_IS_DEPRECATED, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if epoch is not None and hasattr(self, "_get_closed_form_lr"):
            values = self._get_closed_form_lr()
        else:
            self._get_lr_called_within_step = True
            values = self.get_lr()
            self._get_lr_called_within_step = False
        self._set(values)

    def _set(self, values: list[Any]) -> None:
        for group, value in zip(self.optimizer.param_groups, values, strict=True):
            set_rate(group, "lr", value)
        self._last_lr = rates(self.optimizer, "lr")

    def _warn_outside_step(self) -> None:
        """Warn a user who calls ``get_lr``, which tells the *next* rate."""
        if not self._get_lr_called_within_step:
            warn(
                "To get the last learning rate computed by the scheduler, "
                "please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.__dict__.update(state_dict)


def expect_optimizer(optimizer: Any) -> Optimizer:
    """Return *optimizer* if it is one.

    Raises:
        TypeError: it is not.
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    msg = f"{type(optimizer).__name__} is not an Optimizer"
    raise TypeError(msg)


def copied(value: Any) -> Any:
    """Return a copy of a rate that is a tensor; a number as it is."""
    return value.clone() if isinstance(value, Tensor) else value


def rates(optimizer: Optimizer, key: str) -> list[Any]:
    """Return one hyper-parameter of every group."""
    return [copied(group[key]) for group in optimizer.param_groups]


def set_rate(group: dict[str, Any], key: str, value: Any) -> None:
    """Set a hyper-parameter; where it is a tensor, write into it."""
    if isinstance(group[key], Tensor):
        group[key].fill_(value)
    else:
        group[key] = value


def per_group(optimizer: Optimizer, name: str, values: Any) -> list[Any]:
    """Return *values*, or one value as often as there are groups.

    Raises:
        ValueError: there are more or fewer values than groups.
    """
    count = len(optimizer.param_groups)
    if not isinstance(values, (list, tuple)):
        return [values] * count
    if len(values) != count:
        msg = (
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(values)} values, param_groups has {count}."
        )
        raise ValueError(msg)
    return list(values)


def state_of_callables(functions: list[Any]) -> list[dict[str, Any] | None]:
    """Return the attributes of callable objects, and None for plain functions."""
    return [None if isinstance(f, types.FunctionType) else dict(f.__dict__) for f in functions]
