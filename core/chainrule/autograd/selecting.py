"""Selecting what a function gives where it has a value: `safe_where`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tensor import Tensor

__all__ = ["safe_where"]


def safe_where(
    condition: Tensor,
    function: Callable[[Tensor], Tensor],
    input: Tensor,
    other: Any,
    *,
    fill: float = 1.0,
) -> Tensor:
    """Return ``function(input)`` where *condition* holds, else *other*, with gradients without NaN.

    ``where(x > 0, log(x), 0)`` has the right value and a gradient that is not a number at zero: the
    branch that is not selected is differentiated all the same, and zero times infinity is NaN.
    Here *function* never sees those elements.

    Args:
        condition: ``(*)`` of bools.
        function: A function of a tensor that works element by element.
        input: ``(*)``, what *function* is of.
        other: What there is elsewhere: a tensor or a number.
        fill: What *function* sees elsewhere; it must have a finite derivative there.

    Returns:
        ``(*)``.

    Gradient:
        That of *function* where *condition* holds, zero elsewhere.

    >>> import chainrule as cr
    >>> x = cr.tensor([0.0, 2.0], requires_grad=True)
    >>> y = safe_where(x > 0, cr.log, x, 0.0)
    >>> y.sum().backward()
    >>> x.grad
    tensor([0.0000, 0.5000])
    """
    inside = ops.where(condition, input, fill)
    return ops.where(condition, function(inside), other)  # type: ignore[no-any-return]  # one tensor
