"""Batch rules of layers over planes: a batch of batches of images is one batch of images.

What has the same weight for all samples takes the samples as more images; a convolution with a
weight per sample takes them as groups of channels.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final

from .. import ops
from .batching import Call, Rule, plain
from .wrapped import is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable


def merged(tensor: Any, kept: int) -> Any:
    """Return *tensor* with all dimensions before the last *kept* made one."""
    shape = tensor._array.shape
    front = shape[: len(shape) - kept]
    return ops.reshape(tensor, (prod(front), *shape[len(shape) - kept :]))


def _folded(spatial: Callable[[Call], int], sizes: str = "", channels: int = 1) -> Rule:
    """Return the rule of an op on images: the samples are more images.

    Args:
        spatial: Gives the number of dimensions of an image, beside that of its channels.
        sizes: The argument that is told the shape of all images, if there is one.
        channels: How many dimensions stand before those of an image, beside that of the images.
    """

    def rule(call: Call) -> Any:
        kept = spatial(call) + channels
        tensors = call.wholes()
        front = tensors[0]._array.shape[: len(tensors[0]._array.shape) - kept]
        statics = {}
        if sizes:
            told = tuple(call.static(sizes))
            statics[sizes] = (prod(front), *told[len(told) - kept :])
        joined = [merged(t, kept) if is_tensor(t) else t for t in tensors]
        result = call.run(joined, **statics)

        def spread(tensor: Any) -> Any:
            return ops.reshape(tensor, (*front, *tensor._array.shape[1:]))

        return spread(result) if is_tensor(result) else tuple(map(spread, result))

    return rule


def _dims_of_name(call: Call) -> int:
    return int(call.op.__name__.replace("_with_indices", "")[-2])


def _length(name: str) -> Callable[[Call], int]:
    return lambda call: len(call.static(name))


# Convolutions


class _Options:
    """The static arguments of a convolution, or of one of its gradients."""

    def __init__(self, call: Call) -> None:
        names = ("stride", "padding", "dilation", "transposed", "output_padding", "groups")
        self.all = (
            call.static("options")
            if "options" in call.op.schema.position
            else tuple(call.static(name) for name in names)
        )
        self.transposed, self.groups = self.all[3], self.all[5]

    def with_groups(self, count: int) -> tuple[Any, ...]:
        """Return them with so many times the groups."""
        return (*self.all[:5], self.groups * count)


def _as_channels(operand: Any) -> Any:
    """Return images of every sample as channels of one batch of images."""
    tensor = operand.whole()
    size, images, channels, *rest = tensor._array.shape
    moved = ops.movedim(tensor, 0, 1)
    return ops.reshape(moved, (images, size * channels, *rest))


def _from_channels(tensor: Any, size: int) -> Any:
    images, channels, *rest = tensor._array.shape
    apart = ops.reshape(tensor, (images, size, channels // size, *rest))
    return ops.movedim(apart, 1, 0)


def _as_images(operand: Any) -> Any:
    tensor = operand.whole()
    size, images, *rest = tensor._array.shape
    return ops.reshape(tensor, (size * images, *rest))


def _as_weights(operand: Any) -> Any:
    tensor = operand.whole()
    size, count, *rest = tensor._array.shape
    return ops.reshape(tensor, (size * count, *rest))


def _spread(tensor: Any, size: int) -> Any:
    count, *rest = tensor._array.shape
    return ops.reshape(tensor, (size, count // size, *rest))


def _convolution(call: Call) -> Any:
    images, weight, bias = call.operands
    size, spatial = call.level.size, len(weight.shape) - 2
    shared = bias if bias is None or not bias.batched else None
    if not weight.batched:
        given = None if shared is None else shared.tensor
        if images.batched:
            found = _spread(call.run([_as_images(images), weight.tensor, given]), size)
        else:
            found = call.run([images.tensor, weight.tensor, given])
    else:
        options = _Options(call)
        given = None if shared is None else _as_weights(shared)
        channels = call.run(
            [_as_channels(images), _as_weights(weight), given], groups=options.groups * size
        )
        found = _from_channels(channels, size)
    if bias is None or shared is not None:
        return found
    channels_of = ops.reshape(bias.tensor, (size, 1, bias.shape[0], *(1,) * spatial))
    return found + channels_of


def _by_input(call: Call) -> Any:
    grad, weight = call.operands
    size, sizes = call.level.size, tuple(call.static("input_sizes"))
    if not weight.batched:
        whole = (size * sizes[0], *sizes[1:])
        return _spread(call.run([_as_images(grad), weight.tensor], input_sizes=whole), size)
    options = _Options(call)
    found = call.run(
        [_as_channels(grad), _as_weights(weight)],
        input_sizes=(sizes[0], size * sizes[1], *sizes[2:]),
        options=options.with_groups(size),
    )
    return _from_channels(found, size)


def _by_weight(call: Call) -> Any:
    """Give every sample a group of its own: its gradient is not summed with the others'."""
    grad, images = call.operands
    size, sizes = call.level.size, tuple(call.static("weight_sizes"))
    options = _Options(call)
    found = call.run(
        [_as_channels(grad), _as_channels(images)],
        weight_sizes=(size * sizes[0], *sizes[1:]),
        options=options.with_groups(size),
    )
    return _spread(found, size)


def _pool_scatter(call: Call) -> Any:
    sizes = tuple(call.static("sizes"))
    return call.run(call.wholes(), sizes=(call.level.size, *sizes))


_BY_NAME = _folded(_dims_of_name)
_PLANES = _folded(_length("output_size"))


def _has_batch(call: Call) -> int:
    """Return how many dimensions an image has whose gradient is told its size."""
    return len(call.static("padding")) // 2


#: The rules, by the op's name.
TABLE: Final[dict[str, Any]] = {
    **dict.fromkeys(
        ("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "_adaptive_max_pool2d",
         "_adaptive_max_pool3d", "_avg_pool2d", "_avg_pool3d", "_fractional_max_pool2d",
         "_fractional_max_pool3d", "_max_pool2d_with_indices", "_max_pool3d_with_indices",
         "_max_unpool2d", "_max_unpool3d", "_reflection_pad1d", "_reflection_pad2d",
         "_reflection_pad3d", "_replication_pad1d", "_replication_pad2d", "_replication_pad3d"),
        _BY_NAME,
    ),
    "_convolution": _convolution,
    "convolution_backward_input": _by_input,
    "convolution_backward_weight": _by_weight,
    "_constant_pad_nd": plain,
    "_pool_gather": plain,
    "_pool_scatter": _pool_scatter,
    "_upsample": _PLANES,
    "upsample_backward": _folded(_length("output_size"), "input_sizes"),
    "_im2col": _folded(_length("kernel_size")),
    "_col2im": _folded(lambda call: 1),
    "edge_pad_backward": _folded(_has_batch, "input_sizes"),
    "avg_pool_backward": _folded(lambda call: len(call.static("options")[0]), "input_sizes"),
    "adaptive_avg_pool_backward": _folded(_length("output_size"), "input_sizes"),
}  # fmt: skip
