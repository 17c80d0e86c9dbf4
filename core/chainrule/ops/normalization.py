"""Mean 0 and variance 1: per channel over a batch, per sample and group, or per position.

All three compute ``(x - mean) * rstd * weight + bias`` with ``rstd = 1 / sqrt(variance + eps)``,
and differ in what mean and variance are taken over. With ``x' = (x - mean) * rstd``, ``g`` for
``grad * weight`` and means over the same elements, the gradient of the input is

    rstd * (g - mean(g) - x' * mean(g * x'))

Forward hands out mean and rstd, so that backward need not compute them again. Where the gradient
itself is differentiated, it is computed from the input alone: that is what the bodies of the
backward ops do.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import ArgumentError, DimError, DTypeError, ShapeError
from ..op import composite
from ..typeinfo import finfo
from ._arguments import check_tensor, unrecorded, zeros_shaped
from ._operands import floating_only, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]

Sizes = tuple[int, ...]


def _spread(x: Any, dims: Sizes, eps: float) -> tuple[Any, Any, Any]:
    """Return mean, rstd and variance of *x* over *dims*, which are kept."""
    mean = x.mean(dims, True)
    centred = x - mean
    variance = (centred * centred).mean(dims, True)
    return mean, (variance + eps).rsqrt(), variance


def _normal_grad(scaled: Any, normal: Any, rstd: Any, dims: Sizes) -> Any:
    """Return the gradient of the input, where mean and variance depend on it."""
    pull = (scaled * normal).mean(dims, True)
    return (scaled - scaled.mean(dims, True) - normal * pull) * rstd


def _check_parameters(what: str, input: Tensor, *parameters: Any) -> None:
    """Check that parameters have the dtype of *input*, or float32 beside a half."""
    dtype = input._key.dtype
    for parameter in parameters:
        if parameter is None or parameter._key.dtype is dtype:
            continue
        if dtype.itemsize == 2 and parameter._key.dtype is dtypes.float32:
            continue
        msg = (
            "mixed dtype (CPU): all inputs must share same datatype.\n"
            f"{what}: input is {dtype}, a parameter {parameter._key.dtype}. Convert with .to(...)."
        )
        raise DTypeError(msg)


# Over a batch


@composite(
    nodes={"": "NativeBatchNormBackward0"},
    outputs=("result0", "result1", "result2", "result3"),
    refuses=floating_only("batch_norm"),
)
def _native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return *input* normalised per channel, mean, rstd, and the variance.

    Without *training* the running statistics are taken, and the last three are empty.
    """
    dims, line = _around_channels(input)
    if training:
        mean, rstd, variance = _spread(input, dims, eps)
        statistics = [t.reshape(-1) for t in (mean, rstd, variance)]
    else:
        mean, rstd = _running(running_mean, running_var, eps, line)
        statistics = [zeros_shaped(input, (0,)) for _ in range(3)]
    result = _affine((input - mean) * rstd, weight, bias, line)
    return (result, *statistics)


def _around_channels(input: Any) -> tuple[Sizes, Sizes]:
    """Return all dimensions but the second, and the shape in which channels meet the input."""
    ndim = len(input._array.shape)
    return (0, *range(2, ndim)), (1, -1, *(1,) * (ndim - 2))


def _running(mean: Any, variance: Any, eps: float, line: Sizes) -> tuple[Any, Any]:
    return mean.reshape(line), (variance + eps).rsqrt().reshape(line)


def _affine(normal: Any, weight: Any, bias: Any, line: Sizes) -> Any:
    if weight is not None:
        normal = normal * weight.reshape(line)
    return normal if bias is None else normal + bias.reshape(line)


@composite
def native_batch_norm_backward(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor | None,
    mean: Tensor | None,
    rstd: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of input, weight and bias; *mean* and *rstd* are what forward gave."""
    dims, line = _around_channels(input)
    if training:
        centre, scale, _ = _spread(input, dims, eps)
    else:
        centre, scale = _running(running_mean, running_var, eps, line)
    normal, total = (input - centre) * scale, grad_output.sum(dims)
    scaled: Any = grad_output if weight is None else grad_output * weight.reshape(line)
    inner = _normal_grad(scaled, normal, scale, dims) if training else scaled * scale
    return inner, (grad_output * normal).sum(dims), total


@_native_batch_norm.vjp_joint("input", "weight", "bias")
def _batch_norm_rule(
    grad: Tensor,
    input: Tensor,
    weight: Tensor | None,
    result1: Tensor,
    result2: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    eps: float,
) -> Any:
    return native_batch_norm_backward(
        grad, input, weight, result1, result2, running_mean, running_var, training, eps
    )


_native_batch_norm.vjp(running_mean=None, running_var=None)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return *input* with mean 0 and variance 1 in every channel over the batch, then scaled.

    Args:
        input: ``(N, C, *)``, floating.
        running_mean: ``(C)``, the mean to use outside of training; in training it moves on.
        running_var: ``(C)``, the variance likewise.
        weight: ``(C)``, the scale.
        bias: ``(C)``, the shift.
        training: Whether to use the mean and variance of *input*.
        momentum: How far running statistics move towards those of *input*.
        eps: Added to the variance.

    Raises:
        ValueError: in training, there is one value per channel.
        RuntimeError: sizes or dtypes do not fit, or running statistics are missing.

    Gradient:
        See the module. Outside of training mean and variance are constants. Running statistics
        get none.

    Source:
        Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing
        internal covariate shift", 2015.

    >>> import chainrule as cr
    >>> cr.nn.functional.batch_norm(cr.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    check_tensor("batch_norm", input)
    shape = tuple(input._array.shape)
    if training:
        check_values_per_channel(input)
        if eps <= 0:
            msg = f"batch_norm eps must be positive during training, but got {eps}"
            raise ValueError(msg)
    _check_statistics(shape, running_mean, running_var, weight, bias, training)
    if input._key.category != dtypes.FLOATING:
        raise refusal("batch_norm", "batch_norm", input._key.dtype)
    _check_parameters("batch_norm", input, weight, bias, running_mean, running_var)
    if 0 in shape:
        return _of_nothing(input, weight, bias)  # type: ignore[no-any-return]  # a Tensor
    if len(shape) < 2:
        msg = (
            "Dimension out of range (expected to be in range of [-1, 0], but got 1)\n"
            f"batch_norm: channels stand in dimension 1, but the input has shape {shape}."
        )
        raise DimError(msg)
    statistics = (None, None) if training else (running_mean, running_var)
    result, mean, _, variance = _native_batch_norm(input, weight, bias, *statistics, training, eps)
    if training:
        count = prod(shape) // max(shape[1], 1)
        unrecorded(_move, running_mean, mean, momentum)
        unrecorded(_move, running_var, variance, momentum, count / max(count - 1, 1))
    return result


def _of_nothing(input: Any, weight: Any, bias: Any) -> Any:
    """Return an empty input normalised; parameters take part, so that they get a gradient."""
    result = input.clone()
    if weight is not None:
        result = result * weight[0]
    return result if bias is None else result + bias[0]


def check_values_per_channel(input: Tensor) -> None:
    """Check that every channel has two values or more.

    Raises:
        ValueError: it has one.
    """
    shape = tuple(input._array.shape)
    if prod(shape[:1]) * prod(shape[2:]) == 1:
        msg = (
            "Expected more than 1 value per channel when training, got input size "
            f"{input.shape}\nbatch_norm: one value has no variance. Use a larger batch, or eval()."
        )
        raise ValueError(msg)


def _move(running: Any, found: Any, momentum: float, factor: float = 1) -> None:
    """Move a running statistic towards what was *found*."""
    if running is not None:
        running.mul_(1 - momentum).add_(found, alpha=momentum * factor)


def _check_statistics(
    shape: Sizes, running_mean: Any, running_var: Any, weight: Any, bias: Any, training: bool
) -> None:
    channels = shape[1] if len(shape) > 1 else 0
    for name, given in (
        ("running_mean", running_mean), ("running_var", running_var), ("weight", weight),
        ("bias", bias),
    ):  # fmt: skip
        if given is None:
            if name.startswith("running") and not training:
                msg = (
                    f"{name} must be defined in evaluation mode\n"
                    "batch_norm: give it, or normalise by the batch with training=True."
                )
                raise ShapeError(msg)
        elif prod(given._array.shape) != channels:
            msg = (
                f"{name} should contain {channels} elements not {prod(given._array.shape)}\n"
                f"batch_norm: channels stand in dimension 1 of {shape}."
            )
            raise ShapeError(msg)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return *input* with mean 0 and variance 1 in every channel of every sample, then scaled.

    Args:
        input: ``(N, C, *)``, floating.
        running_mean: ``(C)``, the mean to use instead; it moves on otherwise.
        running_var: ``(C)``, the variance likewise.
        weight: ``(C)``, the scale.
        bias: ``(C)``, the shift.
        use_input_stats: Whether to use the mean and variance of *input*.
        momentum: How far running statistics move towards those of *input*.
        eps: Added to the variance.

    Raises:
        ValueError: there is one value per channel.
        RuntimeError: sizes do not fit, or running statistics are missing.

    Gradient:
        That of `batch_norm`.

    Source:
        Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient for fast
        stylization", 2016.

    >>> import chainrule as cr
    >>> cr.nn.functional.instance_norm(cr.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    check_tensor("instance_norm", input)
    if use_input_stats:
        _check_places(input)
    elif running_mean is None or running_var is None:
        msg = "Expected running_mean and running_var to be defined when use_input_stats is false"
        raise ShapeError(msg)
    samples, channels = input.shape[0], input.shape[1]
    mean, variance, scale, shift = (
        None if t is None else t.repeat(samples) for t in (running_mean, running_var, weight, bias)
    )
    result = batch_norm(
        input.contiguous().view(1, samples * channels, *input.shape[2:]),
        mean, variance, scale, shift, use_input_stats, momentum, eps,
    )  # fmt: skip
    for running, moved in zip((running_mean, running_var), (mean, variance), strict=True):
        if running is not None and moved is not None and use_input_stats:
            unrecorded(running.copy_, moved.view(samples, channels).mean(0))
    return result.view(input.shape)


def _check_places(input: Any) -> None:
    if prod(input.shape[2:]) == 1:
        msg = (
            "Expected more than 1 spatial element when training, got input size "
            f"{input.shape}\ninstance_norm: one value has no variance."
        )
        raise ValueError(msg)


# Per sample and group of channels


@composite(
    nodes={"": "NativeGroupNormBackward0"},
    saves=("N", "C", "HxW", "group", "eps"),
    refuses=floating_only("GroupNormKernelImpl"),
)
def _native_group_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    N: int,  # noqa: N803 - PyTorch's name, which users read as _saved_N
    C: int,  # noqa: N803 - likewise
    HxW: int,  # noqa: N803 - likewise
    group: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return *input* normalised per sample and group, the means and the rstds ``(N, group)``."""
    _, line = _around_channels(input)
    x: Any = input
    grouped = x.reshape(N, group, C // group * HxW)
    mean, rstd, _ = _spread(grouped, (2,), eps)
    normal = ((grouped - mean) * rstd).reshape(tuple(input._array.shape))
    return _affine(normal, weight, bias, line), mean.squeeze(2), rstd.squeeze(2)


@composite
def native_group_norm_backward(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor | None,
    mean: Tensor,
    rstd: Tensor,
    group: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of input, weight and bias; *mean* and *rstd* are what forward gave."""
    dims, line = _around_channels(input)
    shape = tuple(input._array.shape)
    parts = (shape[0], group, shape[1] // group * prod(shape[2:]))
    x: Any = input
    grouped = x.reshape(parts)
    centre, scale, _ = _spread(grouped, (2,), eps)
    normal = (grouped - centre) * scale
    scaled: Any = grad_output if weight is None else grad_output * weight.reshape(line)
    inner = _normal_grad(scaled.reshape(parts), normal, scale, (2,)).reshape(shape)
    return inner, (grad_output * normal.reshape(shape)).sum(dims), grad_output.sum(dims)


@_native_group_norm.vjp_joint("input", "weight", "bias")
def _group_norm_rule(
    grad: Tensor,
    input: Tensor,
    weight: Tensor | None,
    result1: Tensor,
    result2: Tensor,
    group: int,
    eps: float,
) -> Any:
    return native_group_norm_backward(grad, input, weight, result1, result2, group, eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return *input* with mean 0 and variance 1 in every group of channels, then scaled.

    Args:
        input: ``(N, C, *)``, floating.
        num_groups: How many groups the channels are split into.
        weight: ``(C)``, the scale.
        bias: ``(C)``, the shift.
        eps: Added to the variance.

    Raises:
        ValueError: there is one value per group.
        RuntimeError: sizes do not fit.

    Gradient:
        See the module.

    Source:
        Wu and He, "Group normalization", 2018.

    >>> import chainrule as cr
    >>> cr.nn.functional.group_norm(cr.tensor([[1.0, 3.0, 5.0, 9.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    check_tensor("group_norm", input)
    shape = list(input._array.shape)
    if len(shape) < 2:
        msg = f"Expected at least 2 dimensions for input tensor but received {len(shape)}"
        raise ShapeError(msg)
    _check_groups(shape, num_groups, weight, bias)
    _check_parameters("group_norm", input, weight, bias)
    result, _, _ = _native_group_norm(
        input.contiguous(), weight, bias, shape[0], shape[1], prod(shape[2:]), num_groups, eps
    )
    return result


def _check_groups(shape: list[int], num_groups: int, weight: Any, bias: Any) -> None:
    channels = shape[1]
    if shape[0] * channels // num_groups * prod(shape[2:]) == 1:
        msg = f"Expected more than 1 value per channel when training, got input size {shape}"
        raise ValueError(msg)
    if channels % num_groups:
        msg = (
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {shape} and num_groups={num_groups}"
        )
        raise ShapeError(msg)
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and list(given._array.shape) != [channels]:
            msg = (
                f"Expected {name} to be a vector of size equal to the number of channels in input, "
                f"but got {name} of shape {list(given._array.shape)} and input of shape {shape}"
            )
            raise ShapeError(msg)


# Per position


@composite(
    nodes={"": "NativeLayerNormBackward0"},
    saves=("bias",),
    refuses=floating_only("LayerNormKernelImpl"),
)
def _native_layer_norm(
    input: Tensor,
    normalized_shape: Sizes,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return *input* normalised over its last dimensions, mean and rstd (dimensions kept)."""
    dims = tuple(range(-len(normalized_shape), 0))
    mean, rstd, _ = _spread(input, dims, eps)
    normal = (input - mean) * rstd
    if weight is not None:
        normal = normal * weight
    return (normal if bias is None else normal + bias), mean, rstd


@composite
def native_layer_norm_backward(
    grad_output: Tensor,
    input: Tensor,
    normalized_shape: Sizes,
    mean: Tensor,
    rstd: Tensor,
    weight: Tensor | None,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of input, weight and bias; *mean* and *rstd* are what forward gave."""
    dims = tuple(range(-len(normalized_shape), 0))
    centre, scale, _ = _spread(input, dims, eps)
    normal = (input - centre) * scale
    scaled: Any = grad_output if weight is None else grad_output * weight
    inner = _normal_grad(scaled, normal, scale, dims)
    lead = len(input._array.shape) - len(normalized_shape)
    product, total = (over_leading(t, lead) for t in (grad_output * normal, grad_output))
    return inner, product, total


def over_leading(tensor: Any, lead: int) -> Any:
    return tensor.sum(tuple(range(lead))) if lead else tensor


@_native_layer_norm.vjp_joint("input", "weight", "bias")
def _layer_norm_rule(
    grad: Tensor,
    input: Tensor,
    normalized_shape: Sizes,
    weight: Tensor | None,
    result1: Tensor,
    result2: Tensor,
    eps: float,
) -> Any:
    return native_layer_norm_backward(grad, input, normalized_shape, result1, result2, weight, eps)


# PyTorch's rule reads no eps.
_native_layer_norm.readable = ("bias", "input", "normalized_shape", "result1", "result2", "weight")  # type: ignore[has-type]  # a cycle of modules


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return *input* with mean 0 and variance 1 over its last dimensions, then scaled.

    Args:
        input: ``(*, *normalized_shape)``, floating.
        normalized_shape: The sizes of those dimensions.
        weight: ``normalized_shape``, the scale.
        bias: ``normalized_shape``, the shift.
        eps: Added to the variance.

    Raises:
        RuntimeError: *input* does not end in these sizes, or a parameter has others.

    Gradient:
        See the module.

    Source:
        Ba, Kiros and Hinton, "Layer normalization", 2016.

    >>> import chainrule as cr
    >>> cr.nn.functional.layer_norm(cr.tensor([1.0, 3.0]), [2])
    tensor([-1.0000,  1.0000])
    """
    check_tensor("layer_norm", input)
    sizes = last_sizes("layer_norm", input, normalized_shape, weight, bias)
    _check_parameters("layer_norm", input, weight, bias)
    result, _, _ = _native_layer_norm(input, sizes, weight, bias, eps)
    return result


def last_sizes(
    function: str, input: Tensor, normalized_shape: Any, weight: Any = None, bias: Any = None
) -> Sizes:
    """Return *normalized_shape* as a tuple, after checking that all fits it.

    Raises:
        RuntimeError: *input* does not end in these sizes, or a parameter has others.
    """
    if isinstance(normalized_shape, int):
        msg = (
            f"{function}(): argument 'normalized_shape' (position 2) must be tuple of ints, not int"
        )
        raise ArgumentError(msg)
    sizes = list(normalized_shape)
    if not sizes:
        msg = (
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            f"element, but got normalized_shape = {sizes}"
        )
        raise ShapeError(msg)
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and list(given._array.shape) != sizes:
            msg = (
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(given._array.shape)} and normalized_shape = {sizes}"
            )
            raise ShapeError(msg)
    shape = list(input._array.shape)
    if len(shape) < len(sizes) or shape[len(shape) - len(sizes) :] != sizes:
        comma = ", " if function == "layer_norm" else ""
        wanted = "*" + comma + ", ".join(map(str, sizes))
        msg = (
            f"Given normalized_shape={sizes}, expected input with shape [{wanted}], but got input "
            f"of size{shape}\n{function}: the last dimensions of the input are normalised."
        )
        raise ShapeError(msg)
    return tuple(sizes)


@composite
def _rms_norm(self: Tensor, normalized_shape: Sizes, weight: Tensor | None, eps: float) -> Tensor:
    """Return `rms_norm`; recorded, it is its parts, as in PyTorch on a CPU."""
    dims = tuple(range(-len(normalized_shape), 0))
    result: Any = self * (self.pow(2).mean(dims, keepdim=True) + eps).rsqrt()
    return result if weight is None else result * weight  # type: ignore[no-any-return]  # an op's result


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Return *input* divided by its root mean square over its last dimensions, scaled.

    Args:
        input: ``(*, *normalized_shape)``.
        normalized_shape: The sizes of those dimensions.
        weight: ``normalized_shape``, the scale.
        eps: Added to the mean square; None stands for the machine epsilon of the dtype.

    Returns:
        ``(*, *normalized_shape)``.

    Raises:
        RuntimeError: *input* does not end in these sizes.

    Gradient:
        That of its parts.

    Source:
        Zhang and Sennrich, "Root mean square layer normalization", 2019.

    >>> import chainrule as cr
    >>> cr.rms_norm(cr.tensor([1.0, 7.0]), [2])
    tensor([0.2000, 1.4000])
    """
    check_tensor("rms_norm", input)
    sizes = last_sizes("rms_norm", input, normalized_shape, weight)
    if input._key.category < dtypes.FLOATING:
        raise refusal("rms_norm", "rms_norm", input._key.dtype)
    if eps is None:
        eps = finfo(input._key.dtype).eps
    return _rms_norm(input, sizes, weight, eps)
