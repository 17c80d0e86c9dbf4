"""What parameters begin with.

Every function fills its tensor in place, outside of the graph, and returns it. From the same seed
they draw the numbers that PyTorch draws.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from .. import ops
from .._warn import warn
from ..grad_mode import no_grad

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tensor import Tensor

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal",
    "kaiming_normal_", "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_",
    "orthogonal", "orthogonal_", "sparse", "sparse_", "trunc_normal_", "uniform", "uniform_",
    "xavier_normal", "xavier_normal_", "xavier_uniform", "xavier_uniform_", "zeros_",
]  # fmt: skip

_LINEAR = frozenset({
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "sigmoid",
})  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor that keeps the variance of activations through *nonlinearity*.

    Args:
        nonlinearity: Name of the function in `functional`.
        param: The negative slope of ``"leaky_relu"``, by default 0.01.

    Raises:
        ValueError: the function is unknown, or *param* is no number.

    >>> round(calculate_gain("relu") ** 2, 6)
    2.0
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            msg = f"negative_slope {param} not a valid number"
            raise ValueError(msg)
        return math.sqrt(2.0 / (1 + slope**2))
    gains = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
    if nonlinearity not in gains:
        msg = f"Unsupported nonlinearity {nonlinearity}"
        raise ValueError(msg)
    return gains[nonlinearity]


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs an output sums over, and how many outputs an input goes into."""
    if tensor.dim() < 2:
        msg = "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        raise ValueError(msg)
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    if mode not in {"fan_in", "fan_out"}:
        msg = f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']"
        raise ValueError(msg)
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode == "fan_in" else fan_out


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Return *tensor* filled with numbers uniform between *a* and *b*.

    >>> import chainrule as cr
    >>> bool((uniform_(cr.empty(100), -1, 1).abs() <= 1).all())
    True
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)  # type: ignore[no-any-return]  # the tensor itself


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Return *tensor* filled from the normal distribution."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)  # type: ignore[no-any-return]  # the tensor itself


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Return *tensor* filled with *val*.

    >>> import chainrule as cr
    >>> constant_(cr.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Return *tensor* filled with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Return *tensor* filled with zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Return the matrix *tensor* filled with ones on its diagonal and zeros elsewhere.

    Raises:
        ValueError: it has not two dimensions.

    >>> import chainrule as cr
    >>> eye_(cr.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    _expect_matrix(tensor)
    rows, columns = tensor.shape
    with no_grad():
        return tensor.copy_(ops.eye(rows, columns, dtype=tensor.dtype, device=tensor.device))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Return the kernel *tensor* of a convolution filled so that it returns its input.

    Args:
        tensor: ``(out, in / groups, *kernel)``, three to five dimensions.
        groups: Of the convolution.

    Raises:
        ValueError: another number of dimensions, or *groups* does not divide the outputs.

    >>> import chainrule as cr
    >>> dirac_(cr.empty(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    if tensor.dim() not in {3, 4, 5}:
        msg = "Only tensors with 3, 4, or 5 dimensions are supported"
        raise ValueError(msg)
    outputs, inputs = tensor.shape[:2]
    if outputs % groups != 0:
        msg = "dim 0 must be divisible by groups"
        raise ValueError(msg)
    per_group = outputs // groups
    middle = tuple(size // 2 for size in tensor.shape[2:])
    with no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(per_group, inputs)):
                tensor[(group * per_group + channel, channel, *middle)] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Return *tensor* filled uniformly, with the variance ``2 gain² / (fan_in + fan_out)``.

    Source:
        Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", 2010.
    """
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Return *tensor* filled normally, with the variance ``2 gain² / (fan_in + fan_out)``.

    Source:
        As `xavier_uniform_`.
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _xavier_std(tensor: Tensor, gain: float) -> float:
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return gain * math.sqrt(2.0 / float(fan_in + fan_out))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Return *tensor* filled uniformly, with the variance ``gain² / fan``.

    Args:
        tensor: ``(out, in, *kernel)``.
        a: The negative slope of a leaky ReLU.
        mode: Which fan: ``"fan_in"`` keeps the variance forward, ``"fan_out"`` backward.
        nonlinearity: What follows; see `calculate_gain`.
        generator: Where the numbers come from.

    Source:
        He and others, "Delving deep into rectifiers", 2015.

    >>> import chainrule as cr
    >>> weight = kaiming_uniform_(cr.empty(3, 6), nonlinearity="relu")
    >>> bool((weight.abs() <= 1.0).all())
    True
    """
    if 0 in tensor.shape:
        return _left_empty(tensor)
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Return *tensor* filled normally; otherwise as `kaiming_uniform_`."""
    if 0 in tensor.shape:
        return _left_empty(tensor)
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fan = _fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _left_empty(tensor: Tensor) -> Tensor:
    warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return tensor


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Return *tensor* filled from the normal distribution cut off outside ``[a, b]``.

    Numbers outside are drawn again. Where that would hit too seldom, numbers uniform between the
    bounds are accepted with a probability that follows the density.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    inside = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    with no_grad():
        if inside > 0.3:
            return _redraw_outside(tensor, mean, std, a, b, generator)
        return _accept_by_density(tensor, mean, std, a, b, generator)


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _redraw_outside(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> Tensor:
    low, high = (tensor.new_tensor(bound).item() for bound in (a, b))
    tensor.normal_(mean, std, generator=generator)
    while True:
        outside = (tensor < low) | (tensor > high)
        if not outside.any():
            return tensor
        drawn = ops.empty_like(tensor).normal_(mean, std, generator=generator)
        tensor.copy_(ops.where(outside, drawn, tensor))


def _accept_by_density(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> Tensor:
    mode = max(a, min(mean, b))
    peak = -0.5 * ((mode - mean) / std) ** 2
    pending = None
    while True:
        drawn = ops.empty_like(tensor).uniform_(a, b, generator=generator)
        log_density = drawn.sub(mean).div(std).pow(2).mul(-0.5).sub(peak)
        refused = ops.empty_like(tensor).uniform_(generator=generator).log().gt(log_density)
        if pending is None:
            tensor.copy_(drawn)
            pending = refused
        else:
            tensor.copy_(ops.where(pending, drawn, tensor))
            pending = pending & refused
        if not pending.any():
            return tensor


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Return *tensor* filled with orthonormal rows or columns, times *gain*.

    Dimensions after the first are joined into one.

    Raises:
        ValueError: it has less than two dimensions.

    Source:
        Saxe and others, "Exact solutions to the nonlinear dynamics of learning in deep linear
        neural networks", 2013; the signs by Mezzadri, "How to generate random matrices from the
        classical compact groups", 2006.

    >>> import chainrule as cr
    >>> q = orthogonal_(cr.empty(3, 3))
    >>> bool(((q @ q.T - cr.eye(3)).abs() < 1e-6).all())
    True
    """
    if tensor.dim() < 2:
        msg = "Only tensors with 2 or more dimensions are supported"
        raise ValueError(msg)
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    with no_grad():
        drawn = ops.empty(rows, columns, dtype=tensor.dtype, device=tensor.device)
        drawn.normal_(0, 1, generator=generator)
        q = _orthonormal(drawn.t()).t() if rows < columns else _orthonormal(drawn)
        return tensor.copy_(q.reshape(tensor.shape) * gain)


def _orthonormal(matrix: Tensor) -> Tensor:
    """Return the Q of ``matrix = Q R``, the diagonal of R positive: orthonormal columns."""
    from ..ops.matrix_spectral import linalg_qr

    q, r = linalg_qr(matrix)
    return q * r.diagonal().sign()  # type: ignore[no-any-return]  # places of a named tuple


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Return the matrix *tensor* filled normally, with a share of each column set to zero.

    Args:
        tensor: ``(rows, columns)``.
        sparsity: That share, rounded up to whole elements.
        std: Of the normal distribution.
        generator: Where the numbers come from; which elements are zero comes from the default one.

    Raises:
        ValueError: it has not two dimensions.

    Source:
        Martens, "Deep learning via Hessian-free optimization", 2010.
    """
    _expect_matrix(tensor)
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[ops.randperm(rows)[:zeros], column] = 0
    return tensor


def _expect_matrix(tensor: Tensor) -> None:
    if tensor.dim() != 2:
        msg = "Only tensors with 2 dimensions are supported"
        raise ValueError(msg)


def _deprecated(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return *function* under its name before it ended in an underscore."""
    new = function.__name__
    old = new[:-1]

    @functools.wraps(function)
    def deprecated(*args: Any, **kwargs: Any) -> Tensor:
        warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    deprecated.__name__ = deprecated.__qualname__ = old
    deprecated.__doc__ = f"Return what `{new}` returns: its deprecated name."
    return deprecated


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
