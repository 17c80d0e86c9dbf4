"""The leaky rectifier with random slopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import ShapeError
from ..op import composite
from ._arguments import check_tensor
from ._operands import floating_only
from .creation import empty, full
from .creation_like import ones_like
from .random_in_place import uniform_
from .selection import where

if TYPE_CHECKING:
    from ..tensor import Tensor
    from .generator import Generator

__all__ = ["rrelu"]


@composite(
    dtype="same",
    nodes={"": "RreluWithNoiseBackward0"},
    refuses=floating_only("rrelu_with_noise_out_cpu"),
)
def _rrelu_with_noise(
    self: Tensor, noise: Tensor, lower: float, upper: float, training: bool
) -> Tensor:
    """Return *self* scaled by *noise*, or in its negative part by the mean slope."""
    if training:
        return self * noise  # type: ignore[no-any-return]  # a Tensor
    mean: Any = self * ((lower + upper) / 2)
    return where(self > 0, self, mean)  # type: ignore[no-any-return, unused-ignore]  # a Tensor


def _rrelu_rule(
    grad: Any, self: Any, noise: Any, lower: float, upper: float, training: bool
) -> Any:
    if training and upper - lower > 1e-6:
        return grad * noise
    return where(self > 0, grad, grad * ((lower + upper) / 2))


_rrelu_with_noise.vjp(self=_rrelu_rule, noise=None)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return *input* where it is positive, else scaled by a random slope.

    Args:
        input: ``(*)``, floating.
        lower: The smallest slope.
        upper: The largest.
        training: Draw a slope per element that is not positive; else all are the mean of both.
        generator: What to draw from; by default the generator of the device.

    Returns:
        ``(*)``.

    Raises:
        RuntimeError: *lower* is above *upper*.

    Gradient:
        ``grad`` times the slopes; at zero that of the negative part.

    Source:
        Xu, Wang, Chen and Li, "Empirical evaluation of rectified activations in convolution
        network", 2015.

    >>> import chainrule as cr
    >>> cr.rrelu(cr.tensor([-2.0, 2.0]), 0.2, 0.3)
    tensor([-0.5000,  2.0000])
    """
    return _rrelu_with_noise(*_with_noise(input, lower, upper, training, generator))


def rrelu_in_place(
    input: Tensor, lower: float, upper: float, training: bool, generator: Generator | None = None
) -> Tensor:
    """Return *input* after `rrelu` in place."""
    args = _with_noise(input, lower, upper, training, generator)
    return _rrelu_with_noise.in_place(args, {})  # type: ignore[no-any-return]  # an op's result


def _with_noise(
    input: Tensor, lower: float, upper: float, training: bool, generator: Generator | None
) -> tuple[Tensor, Tensor, float, float, bool]:
    """Return the arguments of the op: in second place a slope for each element."""
    check_tensor("rrelu", input)
    if lower > upper:
        msg = (
            "Lower bound should be less than or equal to the upper bound\n"
            f"rrelu: expected lower <= upper, got {lower} and {upper}."
        )
        raise ShapeError(msg)
    noise = ones_like(input)
    if training:
        negative = input.detach() <= 0
        count = int(negative.sum())
        slopes: Any = empty(count, dtype=dtypes.float64, device=input.device)
        # PyTorch rounds the bounds to the input's dtype before it draws.
        low, high = (full((), n, dtype=input.dtype).item() for n in (lower, upper))
        drawn = uniform_(slopes, low, high, generator=generator).to(input.dtype)
        noise = noise.masked_scatter(negative, drawn)
    return input, noise, lower, upper, training
