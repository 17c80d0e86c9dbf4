"""Activation functions, with the arguments that PyTorch gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ..._warn import warn
from ...ops.activation_random import rrelu_in_place
from ...ops.activation_smooth import SELU

if TYPE_CHECKING:
    from ...dtypes import DType
    from ...ops.generator import Generator
    from ...tensor import Tensor

__all__ = [
    "celu", "celu_", "elu", "elu_", "gumbel_softmax", "hardsigmoid", "hardswish", "hardtanh",
    "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "mish", "relu", "relu6", "relu_",
    "rrelu", "rrelu_", "selu", "selu_", "silu", "softmax", "softmin", "threshold", "threshold_",
]  # fmt: skip


def _run(op: Any, inplace: bool, *args: Any) -> Tensor:
    """Return the result of *op*, written into its first argument where *inplace* is set."""
    result: Tensor = op.in_place(args, {}) if inplace else op(*args)
    return result


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``max(0, input)``.

    >>> import chainrule as cr
    >>> relu(cr.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return _run(ops.relu, inplace, input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return *input* limited to the range from 0 to 6."""
    return _run(ops.hardtanh, inplace, input, 0, 6)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return *input* where it is positive, ``alpha · (exp(input) - 1)`` elsewhere."""
    return _run(ops.elu, inplace, input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return the exponential linear unit, scaled so that activations keep mean 0 and variance 1."""
    return _run(ops.elu, inplace, input, *SELU)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return *input* where it is positive, ``alpha · (exp(input / alpha) - 1)`` elsewhere."""
    return _run(ops.celu, inplace, input, alpha)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return *input* where it is positive, ``negative_slope · input`` elsewhere."""
    return _run(ops.leaky_relu, inplace, input, negative_slope)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``input · σ(input)``."""
    return _run(ops.silu, inplace, input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``input · tanh(softplus(input))``."""
    return _run(ops.mish, inplace, input)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Return *input* limited to the range from *min_val* to *max_val*.

    Raises:
        ValueError: the range is empty.
    """
    if min_val > max_val:
        msg = "min_val cannot be greater than max_val"
        raise ValueError(msg)
    return _run(ops.hardtanh, inplace, input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``relu6(input + 3) / 6``."""
    return _run(ops.hardsigmoid, inplace, input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``input · relu6(input + 3) / 6``."""
    return _run(ops.hardswish, inplace, input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return *input* where it is above *threshold*, *value* elsewhere."""
    return _run(ops.threshold, inplace, input, threshold, value)


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """Return the exponentials of *input* along *dim*, scaled to sum to one.

    Args:
        input: ``(*)``, floating.
        dim: The dimension; to leave it out is deprecated.
        _stacklevel: Which caller a warning names.
        dtype: What to convert *input* to first.

    >>> import chainrule as cr
    >>> softmax(cr.zeros(2), dim=0)
    tensor([0.5000, 0.5000])
    """
    return ops.softmax(input, _dim("softmax", input, dim, _stacklevel), dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """Return the softmax of ``-input``; arguments as of `softmax`."""
    return ops.softmin(input, _dim("softmin", input, dim, _stacklevel), dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """Return the logarithm of `softmax`, without overflow; arguments as there."""
    return ops.log_softmax(input, _dim("log_softmax", input, dim, _stacklevel), dtype)


def _dim(name: str, input: Tensor, dim: int | None, stacklevel: int) -> int:
    """Return *dim*, or what PyTorch took before it had to be given."""
    if dim is not None:
        return dim
    warn(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if input.dim() in {0, 1, 3} else 1


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """Return a sample of the Gumbel-softmax distribution.

    Args:
        logits: ``(*, N)``, log-probabilities up to a constant.
        tau: The temperature.
        hard: Return one-hot vectors, whose gradient is that of the soft sample.
        eps: Deprecated, without effect.
        dim: The dimension of the categories.

    Source:
        Jang, Gu and Poole, "Categorical reparameterization with Gumbel-softmax", 2017.
    """
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    gumbels = -ops.empty_like(logits).exponential_().log()
    soft = ops.softmax((logits + gumbels) / tau, dim)
    if not hard:
        return soft
    chosen = soft.argmax(dim, keepdim=True)
    one_hot = ops.zeros_like(logits).scatter_(dim, chosen, 1.0)
    return one_hot - soft.detach() + soft  # type: ignore[no-any-return]  # an op's result


def relu_(input: Tensor) -> Tensor:
    """Return *input* after `relu` in place."""
    return relu(input, inplace=True)


def elu_(input: Tensor, alpha: float = 1.0, scale: float = 1, input_scale: float = 1) -> Tensor:
    """Return *input* after `elu` in place, the result and the exponent multiplied as told."""
    return _run(ops.elu, True, input, alpha, scale, input_scale)


def selu_(input: Tensor) -> Tensor:
    """Return *input* after `selu` in place."""
    return selu(input, inplace=True)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Return *input* after `celu` in place."""
    return celu(input, alpha, inplace=True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return *input* after `leaky_relu` in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Return *input* after `hardtanh` in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """Return *input* after `threshold` in place."""
    return _run(ops.threshold, True, input, threshold, value)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """Return *input* where it is positive, else scaled by a random slope; see `chainrule.rrelu`.

    >>> import chainrule as cr
    >>> rrelu(cr.tensor([-2.0, 2.0]), lower=0.2, upper=0.3)
    tensor([-0.5000,  2.0000])
    """
    return (
        rrelu_(input, lower, upper, training)
        if inplace
        else ops.rrelu(input, lower, upper, training)
    )


def rrelu_(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return *input* after `rrelu` in place."""
    return rrelu_in_place(input, lower, upper, training, generator)
