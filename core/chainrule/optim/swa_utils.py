"""Averages of a model's weights over training, and the learning rate that goes with them.

Source:
    Izmailov and others, "Averaging weights leads to wider optima and better generalization", 2018.
"""

from __future__ import annotations

import copy
import itertools
import math
from typing import TYPE_CHECKING, Any

from ..grad_mode import no_grad
from ..nn.modules.module import Module
from ..tensor import Tensor, tensor
from .lr_scheduler import LRScheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """Return a function that moves lists of averages: they keep a share of *decay*.

    Raises:
        ValueError: *decay* is not between 0 and 1.
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(
        ema_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], _: Any
    ) -> None:
        for average, current in zip(ema_param_list, current_param_list, strict=True):
            average.copy_(_moved(average, current, decay))

    return ema_update


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """Return a function that moves lists of averages: all models so far weigh the same."""
    average_of = get_swa_avg_fn()

    @no_grad()
    def swa_update(
        averaged_param_list: Sequence[Tensor],
        current_param_list: Sequence[Tensor],
        num_averaged: Any,
    ) -> None:
        for average, current in zip(averaged_param_list, current_param_list, strict=True):
            average.copy_(average_of(average, current, num_averaged))

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> Callable[..., Tensor]:
    """Return a function that gives the next average, which keeps a share of *decay*.

    Raises:
        ValueError: *decay* is not between 0 and 1.

    >>> import chainrule as cr
    >>> get_ema_avg_fn(0.75)(cr.tensor(0.0), cr.tensor(8.0), 1)
    tensor(2.)
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable[..., Tensor]:
    """Return a function that gives the next average, of which all models are an equal part.

    >>> import chainrule as cr
    >>> get_swa_avg_fn()(cr.tensor(0.0), cr.tensor(9.0), 2)
    tensor(3.)
    """

    @no_grad()
    def swa_update(averaged_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        msg = f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        raise ValueError(msg)


def _moved(average: Any, current: Any, decay: float) -> Any:
    """Return *average* after moving towards *current*; integers take the new value's part too."""
    if average.is_floating_point() or average.is_complex():
        return average + (current - average) * (1 - decay)
    return average * decay + current * (1 - decay)


class AveragedModel(Module):
    """A copy of *model* whose weights are the average of those that it is shown.

    Args:
        model: What is averaged.
        device: Where the copy lives; where *model* does by default.
        avg_fn: ``avg_fn(average, current, count)`` gives the next average of one tensor.
        multi_avg_fn: The same for lists, in place. Without both, all models weigh the same.
        use_buffers: Average buffers too, rather than copying them.

    Raises:
        AssertionError: both functions are given.

    >>> import chainrule as cr
    >>> model = cr.nn.Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = model.weight.data.fill_(value)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item()
    3.0
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[..., Tensor] | None = None,
        multi_avg_fn: Callable[..., None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            msg = "Only one of avg_fn and multi_avg_fn should be provided"
            raise AssertionError(msg)
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, device=device))
        self.avg_fn, self.multi_avg_fn = avg_fn, multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the averaged model computes."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the present weights of *model* into the average."""
        averages, currents = self._averaged(self.module), self._averaged(model)
        present = [c.detach().to(a.device) for a, c in zip(averages, currents, strict=True)]
        if self.n_averaged == 0:
            for average, current in zip(averages, present, strict=True):
                average.copy_(current)
        elif self.avg_fn is not None:
            for average, current in zip(averages, present, strict=True):
                count = self.n_averaged.to(average.device)
                average.copy_(self.avg_fn(average.detach(), current, count))
        else:
            move = self.multi_avg_fn or get_swa_multi_avg_fn()
            detached = [average.detach() for average in averages]
            if detached:
                move(detached, present, self.n_averaged.to(detached[0].device))
        if not self.use_buffers:
            for own, other in zip(self.module.buffers(), model.buffers(), strict=True):
                own.copy_(other.to(own.device))
        self.n_averaged += 1

    def _averaged(self, model: Module) -> list[Tensor]:
        """Return the tensors of *model* that are averaged."""
        if self.use_buffers:
            return list(itertools.chain(model.parameters(), model.buffers()))
        return list(model.parameters())


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of all batch normalisations anew, over the data of *loader*.

    Args:
        loader: Gives inputs, or tuples that begin with one.
        model: Is run on each, in training mode.
        device: Where inputs are sent.
    """
    norms = [m for m in model.modules() if isinstance(getattr(m, "running_mean", None), Tensor)]
    norms = [m for m in norms if hasattr(m, "momentum") and hasattr(m, "reset_running_stats")]
    if not norms:
        return
    momenta = {module: module.momentum for module in norms}
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # a plain average
    was_training = model.training
    model.train()
    for batch in loader:
        seen = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(seen if device is None else seen.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Anneal the learning rates to *swa_lr* in *anneal_epochs* epochs, and leave them there.

    Args:
        optimizer: Whose learning rates.
        swa_lr: The rate at the end, one for all groups or one each.
        anneal_epochs: How many epochs it takes.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        last_epoch: The last epoch that was run; -1 to begin.

    Raises:
        ValueError: the strategy is unknown, or the epochs are no number from zero on.

    >>> import chainrule as cr
    >>> optimizer = cr.optim.SGD([cr.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        groups, ends = optimizer.param_groups, _each(swa_lr, optimizer)
        for group, end in zip(groups, ends, strict=True):
            group["swa_lr"] = end
        if anneal_strategy not in {"cos", "linear"}:
            msg = f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            raise ValueError(msg)
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            msg = f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}"
            raise ValueError(msg)
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """Return how much of the final rate there is after *step* steps."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[Any]:
        """Return the learning rates of the next epoch, one per group."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            end, rate = group["swa_lr"], group["lr"]
            first = end if before == 1 else (rate - before * end) / (1 - before)
            rates.append(end * now + first * (1 - now))
        return rates


def _each(swa_lr: Any, optimizer: Optimizer) -> list[Any]:
    """Return one rate per group."""
    count = len(optimizer.param_groups)
    if not isinstance(swa_lr, (list, tuple)):
        return [swa_lr] * count
    if len(swa_lr) != count:
        msg = (
            "swa_lr must have the same length as optimizer.param_groups. "
            f"swa_lr has {len(swa_lr)} values, param_groups has {count}."
        )
        raise ValueError(msg)
    return list(swa_lr)
