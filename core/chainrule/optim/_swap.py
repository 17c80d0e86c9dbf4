"""Other parameters and state in an optimizer, for a while."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..tensor import Tensor
    from .optimizer import Optimizer

__all__ = ["swap_in_optimizer_params_and_state"]


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer,
    swapin_parameters: dict[str, Tensor],
    swapin_optim_state: dict[str, Any],
) -> Iterator[None]:
    """Let *optimizer* work on other parameters with other state inside the ``with`` block.

    Args:
        optimizer: Whose parameters and state come back afterwards.
        swapin_parameters: The tensors to work on, in the order of the optimizer's own.
        swapin_optim_state: What `Optimizer.state_dict` gives; its tensors are written to.

    Raises:
        ValueError: there are more or fewer parameters than the optimizer has.

    >>> import chainrule as cr
    >>> own, other = (cr.ones(1, requires_grad=True) for _ in range(2))
    >>> optimizer = cr.optim.SGD([own], lr=0.25)
    >>> other.grad = cr.ones(1)
    >>> with swap_in_optimizer_params_and_state(optimizer, {"w": other}, optimizer.state_dict()):
    ...     optimizer.step()
    >>> own.item(), other.item()
    (1.0, 0.75)
    """
    groups, state = optimizer.param_groups, optimizer.state
    given = list(swapin_parameters.values())
    count = sum(len(group["params"]) for group in groups)
    if len(given) != count:
        msg = (
            f"swap_in_optimizer_params_and_state: expected {count} parameters, as many as the "
            f"optimizer has, got {len(given)}."
        )
        raise ValueError(msg)
    by_number: dict[Any, Any] = {}
    for group in swapin_optim_state["param_groups"]:
        begin = len(by_number)
        by_number.update(zip(group["params"], given[begin:], strict=False))
    optimizer.param_groups = [
        {**group, "params": [by_number[number] for number in group["params"]]}
        for group in swapin_optim_state["param_groups"]
    ]
    optimizer.state = defaultdict(dict)
    for number, remembered in swapin_optim_state["state"].items():
        optimizer.state[by_number.get(number, number)] = dict(remembered)
    try:
        yield
    finally:
        optimizer.param_groups, optimizer.state = groups, state
