"""Gradients of several backward passes for one step: `accumulate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ..grad_mode import no_grad

if TYPE_CHECKING:
    from types import TracebackType

    from .optimizer import Optimizer

__all__ = ["accumulate"]


class accumulate:  # noqa: N801 - reads as the other blocks do
    """A ``with`` block in which an optimizer steps once for several backward passes.

    It divides the gradients by the number of passes, steps, and drops them; what is left at the end
    of the block gets a step of its own, unless the block ends by an exception.

    Args:
        optimizer: The optimizer.
        passes: How many backward passes make a step.
        average: Divide by the number of passes; False sums.

    Raises:
        ValueError: *passes* is less than one.

    >>> import chainrule as cr
    >>> w = cr.ones(1, requires_grad=True)
    >>> optimizer = cr.optim.SGD([w], lr=1.0)
    >>> with accumulate(optimizer, 2) as turn:
    ...     for factor in (1.0, 3.0, 5.0):
    ...         (w * factor).sum().backward()
    ...         print(turn.step(), w.item())
    False 1.0
    True -1.0
    False -1.0
    >>> w
    tensor([-6.], requires_grad=True)
    """

    def __init__(self, optimizer: Optimizer, passes: int, *, average: bool = True) -> None:
        if passes < 1:
            msg = f"accumulate: expected one backward pass or more for a step, got {passes}."
            raise ValueError(msg)
        self.optimizer, self.passes, self.average = optimizer, passes, average
        self.waiting = 0

    def __enter__(self) -> Self:
        self.optimizer.zero_grad()
        self.waiting = 0
        return self

    def step(self) -> bool:
        """Say that a backward pass ended; return whether the optimizer took its step."""
        self.waiting += 1
        if self.waiting < self.passes:
            return False
        self._take()
        return True

    def _take(self) -> None:
        if self.average and self.waiting > 1:
            with no_grad():
                for group in self.optimizer.param_groups:
                    for param in group["params"]:
                        if param.grad is not None:
                            param.grad.div_(self.waiting)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.waiting = 0

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        if exc_type is None and self.waiting:
            self._take()
