"""Convolutions over one, two or three dimensions, and transposed ones.

All are one op. With ``T(x, w)`` for it, its gradients by the input and by the weight are two more
ops; all three are linear in each argument, and the derivatives of each are the other two. So
derivatives of every order need no further kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import BOOL, COMPLEX
from ..errors import ArgumentError, ShapeError
from ..op import primitive
from ..value import Value
from ._arguments import check_tensor
from ._operands import C_NAMES, refusal
from .shape import squeeze, unsqueeze

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "convolution",
]  # fmt: skip

Sizes = tuple[int, ...]
#: The arguments of `_convolution` from *stride* on.
Options = tuple[Sizes, Sizes, Sizes, bool, Sizes, int]


@primitive(dtype="same", nodes={"": "ConvolutionBackward0"})
def _convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    transposed: bool,
    output_padding: Sizes,
    groups: int,
) -> Tensor:
    """Return the sums of products of *weight* with the windows of a batch, arguments checked."""


@primitive(dtype="same")
def convolution_backward_input(
    grad_output: Tensor, weight: Tensor, input_sizes: Sizes, options: Options
) -> Tensor:
    """Return the gradient of a convolution by an input of *input_sizes*.

    *options* are the arguments of the convolution from *stride* to *groups*.
    """


@primitive(dtype="same")
def convolution_backward_weight(
    grad_output: Tensor, input: Tensor, weight_sizes: Sizes, options: Options
) -> Tensor:
    """Return the gradient of a convolution by a weight of *weight_sizes*; *options* as above."""


def _conj(tensor: Tensor) -> Any:
    return tensor.conj() if tensor._key.category == COMPLEX else tensor


def _by_input(
    grad: Tensor,
    input_shape: Sizes,
    weight: Tensor,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    transposed: bool,
    output_padding: Sizes,
    groups: int,
) -> Any:
    options = (stride, padding, dilation, transposed, output_padding, groups)
    return convolution_backward_input(grad, _conj(weight), input_shape, options)


def _by_weight(
    grad: Tensor,
    input: Tensor,
    weight_shape: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    transposed: bool,
    output_padding: Sizes,
    groups: int,
) -> Any:
    options = (stride, padding, dilation, transposed, output_padding, groups)
    return convolution_backward_weight(grad, _conj(input), weight_shape, options)


def _by_bias(grad: Any) -> Any:
    return grad.sum((0, *range(2, len(grad._array.shape))))


_convolution.vjp(input=_by_input, weight=_by_weight, bias=_by_bias)
convolution_backward_input.vjp(
    grad_output=lambda grad, weight, options: _convolution(grad, _conj(weight), None, *options),
    weight=lambda grad, grad_output, weight_shape, options: convolution_backward_weight(
        _conj(grad_output), grad, weight_shape, options
    ),
)
convolution_backward_weight.vjp(
    grad_output=lambda grad, input, options: _convolution(  # noqa: A006 - the op's own name
        _conj(input), grad, None, *options
    ),
    input=lambda grad, grad_output, input_shape, options: convolution_backward_input(
        _conj(grad_output), grad, input_shape, options
    ),
)


def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Tensor:
    """Return the convolution of *input* with *weight*: what all the others call.

    Args:
        input: ``(N, C, *size)``, a batch with one to three dimensions.
        weight: ``(out, C / groups, *kernel)``; transposed ``(C, out / groups, *kernel)``.
        bias: ``(out)``, added to every window's result.
        stride: How far one window is from the next, per dimension, or one number for all.
        padding: How many zeros are put on both sides.
        dilation: How far one element of a window is from the next.
        transposed: Run the map backwards: spread every element over a window.
        output_padding: What is added to the size of a transposed result on one side.
        groups: Into how many groups channels are split that do not see each other.

    Returns:
        ``(N, out, *count)``, with ``(size + 2 padding - dilation (kernel - 1) - 1) // stride + 1``
        windows along each dimension, or the *size* that has so many.

    Raises:
        RuntimeError: sizes do not fit, or dtypes differ.

    Gradient:
        For *input* the transposed map of ``grad``; for *weight* the products of ``grad`` with the
        windows; for *bias* the sum of ``grad``.

    >>> import chainrule as cr
    >>> x, w = cr.arange(5.0).reshape(1, 1, 5), cr.tensor([[[1.0, 0.0, -1.0]]])
    >>> cr.convolution(x, w, None, [1], [0], [1], False, [0], 1)
    tensor([[[-2., -2., -2.]]])
    """
    check_tensor("convolution", input)
    check_tensor("convolution", weight, "weight", 2)
    spatial = len(weight._array.shape) - 2
    options = (
        sized("convolution", "stride", stride, spatial),
        sized("convolution", "padding", padding, spatial),
        sized("convolution", "dilation", dilation, spatial),
        transposed,
        sized("convolution", "output_padding", output_padding, spatial),
        groups,
    )
    _check(input, weight, bias, options)
    return _convolution(input, weight, bias, *options)


def sized(function: str, name: str, given: Any, count: int) -> Sizes:
    """Return a number, or one per dimension, as a tuple with one per dimension.

    Raises:
        RuntimeError: there are fewer or more than *count*.
        TypeError: *given* is neither.
    """
    if isinstance(given, int):
        return (given,) * count
    try:
        found = tuple(map(int, given))
    except (TypeError, ValueError):
        msg = (
            f"{function}(): argument '{name}' must be tuple of ints, not {type(given).__name__}\n"
            f"{function}: expected {name} as one number or {count}, got {given!r}."
        )
        raise ArgumentError(msg) from None
    if len(found) == 1:
        return found * count
    if len(found) != count:
        msg = (
            f"expected {name} to be a single integer value or a list of {count} values to match "
            f"the convolution dimensions, but got {name}={list(found)}\n"
            f"{function}: give one number, or one per dimension."
        )
        raise ShapeError(msg)
    return found


def _check(input: Tensor, weight: Tensor, bias: Any, options: Options) -> None:
    """Check sizes and dtypes as PyTorch does, in its order."""
    stride, padding, dilation, transposed, output_padding, groups = options
    for problem, found in (
        ("negative padding is not supported", min(padding, default=0) < 0),
        ("negative output_padding is not supported", min(output_padding, default=0) < 0),
        ("non-positive stride is not supported", min(stride, default=1) <= 0),
        (f"dilation should be greater than zero, but got {list(dilation)}",
         min(dilation, default=1) <= 0),
        ("non-positive groups is not supported", groups <= 0),
    ):  # fmt: skip
        if found:
            msg = (
                f"{problem}\nconvolution: got stride {stride}, padding {padding}, groups {groups}."
            )
            raise ShapeError(msg)
    _check_channels(input, weight, bias, transposed=transposed, groups=groups)
    if transposed:
        _check_output(input, weight, options)
    else:
        _check_kernel(input, weight, padding, dilation)
    _check_dtypes(input, weight, bias, transposed=transposed)


def _check_channels(
    input: Tensor, weight: Tensor, bias: Any, *, transposed: bool, groups: int
) -> None:
    shape, sizes = list(weight._array.shape), list(input._array.shape)
    if len(sizes) != len(shape):
        msg = (
            f"Expected {len(shape)}-dimensional input for {len(shape)}-dimensional weight "
            f"{shape}, but got {len(sizes)}-dimensional input of size {sizes} instead\n"
            "convolution: expected a batch of as many dimensions as the weight has."
        )
        raise ShapeError(msg)
    given = "transposed=1" if transposed else f"groups={groups}"
    if shape[0] < groups:
        msg = (
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but "
            f"got weight of size {shape} instead\nconvolution: use fewer groups."
        )
        raise ShapeError(msg)
    if shape[0] % groups:
        msg = (
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{shape}] instead\nconvolution: every group has as many "
            "channels."
        )
        raise ShapeError(msg)
    wanted = shape[0] if transposed else shape[1] * groups
    if sizes[1] != wanted:
        msg = (
            f"Given {given}, weight of size {shape}, expected input{sizes} to have {wanted} "
            f"channels, but got {sizes[1]} channels instead\n"
            "convolution: channels stand in dimension 1, before height and width."
        )
        raise ShapeError(msg)
    out = shape[1] * groups if transposed else shape[0]
    if bias is not None and list(bias._array.shape) != [out]:
        prefix = f"Given {given}, " if transposed else "Given "
        msg = (
            f"{prefix}weight of size {shape}, expected bias to be 1-dimensional with {out} "
            f"elements, but got bias of size {list(bias._array.shape)} instead\n"
            "convolution: there is one bias per output channel."
        )
        raise ShapeError(msg)


def _times(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


def _check_kernel(input: Tensor, weight: Tensor, padding: Sizes, dilation: Sizes) -> None:
    kernel, sizes = weight._array.shape[2:], input._array.shape[2:]
    full = [n + 2 * p for n, p in zip(sizes, padding, strict=True)]
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if any(n < k for n, k in zip(full, spans, strict=True)):
        msg = (
            f"Calculated padded input size per channel: ({_times(full)}). Kernel size: "
            f"({_times(spans)}). Kernel size can't be greater than actual input size\n"
            "convolution: add padding, or use a smaller kernel."
        )
        raise ShapeError(msg)


def _check_output(input: Tensor, weight: Tensor, options: Options) -> None:
    stride, padding, dilation, _, output_padding, _ = options
    if any(o >= s and o >= d for o, s, d in zip(output_padding, stride, dilation, strict=True)):
        names = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}
        shown = " ".join(
            f"{what}_{name}: {n}"
            for what, sizes in (
                ("output_padding", output_padding), ("stride", stride), ("dilation", dilation)
            )
            for name, n in zip(names.get(len(sizes), sizes), sizes, strict=True)
        )  # fmt: skip
        msg = (
            f"output padding must be smaller than either stride or dilation, but got {shown}\n"
            "conv_transpose: it only tells apart sizes that the stride makes equal."
        )
        raise ShapeError(msg)
    sizes = input._array.shape[2:]
    parts = zip(
        sizes, weight._array.shape[2:], stride, padding, dilation, output_padding, strict=True
    )
    made = [(n - 1) * s - 2 * p + d * (k - 1) + o + 1 for n, k, s, p, d, o in parts]
    if min(made, default=1) <= 0:
        msg = (
            f"Given input size per channel: ({_times(sizes)}). Calculated output size per channel: "
            f"({_times(made)}). Output size is too small\nconv_transpose: use less padding."
        )
        raise ShapeError(msg)


def _check_dtypes(input: Tensor, weight: Tensor, bias: Any, *, transposed: bool) -> None:
    dtype = input._key.dtype
    if dtype.category == BOOL:
        raise refusal("convolution", "slow_conv2d_cpu", dtype)
    if not transposed:  # which of the two is told first
        _check_bias_dtype(input, bias)
    if weight._key.dtype is not dtype:
        first, second = (t._key.dtype.scalar_name for t in (input, weight))
        msg = (
            f"expected scalar type {first} but found {second}\n"
            f"convolution: input is {dtype}, weight {weight._key.dtype}. Convert one with .to(...)."
        )
        raise ShapeError(msg)
    _check_bias_dtype(input, bias)


def _check_bias_dtype(input: Tensor, bias: Any) -> None:
    dtype = input._key.dtype
    if bias is not None and bias._key.dtype is not dtype:
        first, second = (C_NAMES[t._key.dtype.name] for t in (input, bias))
        msg = (
            f"Input type ({first}) and bias type ({second}) should be the same\n"
            f"convolution: input is {dtype}, bias {bias._key.dtype}. Convert one with .to(...)."
        )
        raise ShapeError(msg)


def _batched(function: str, input: Any, weight: Any, spatial: int) -> bool:
    """Return whether *input* is a batch; raise if it is neither that nor one sample."""
    check_tensor(function, input)
    check_tensor(function, weight, "weight", 2)
    ndim = len(input._array.shape)
    if ndim not in {spatial + 1, spatial + 2}:
        msg = (
            f"Expected {spatial + 1}D (unbatched) or {spatial + 2}D (batched) input to {function}, "
            f"but got input of size: {list(input._array.shape)}\n"
            f"{function}: add missing dimensions with unsqueeze()."
        )
        raise ShapeError(msg)
    return ndim == spatial + 2


def _check_bias(function: str, bias: Any) -> None:
    if bias is not None and not isinstance(bias, Value):
        check_tensor(function, bias, "bias", 3)


def _run(
    input: Tensor, weight: Tensor, bias: Tensor | None, batched: bool, options: Options
) -> Tensor:
    if batched:
        _check(input, weight, bias, options)
        return _convolution(input, weight, bias, *options)
    lifted = unsqueeze(input, 0)
    _check(lifted, weight, bias, options)
    return squeeze(_convolution(lifted, weight, bias, *options), 0)


def _forward(
    function: str,
    spatial: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    """Run a convolution over *spatial* dimensions, which is what *weight* has beside two."""
    batched = _batched(function, input, weight, spatial)
    _check_bias(function, bias)
    spatial = len(weight._array.shape) - 2
    steps = sized(function, "stride", stride, spatial)
    spread = sized(function, "dilation", dilation, spatial)
    if isinstance(padding, str):
        input, around = _by_name(padding, input, weight, steps, spread)
    else:
        around = sized(function, "padding", padding, spatial)
    return _run(
        input, weight, bias, batched, (steps, around, spread, False, (0,) * spatial, groups)
    )


def _by_name(
    padding: str, input: Any, weight: Tensor, stride: Sizes, dilation: Sizes
) -> tuple[Any, Sizes]:
    """Return *input* and the padding that keeps its size (``"same"``), or none (``"valid"``).

    Where one side needs an element more than the other, it is put there first.
    """
    kernel = weight._array.shape[2:]
    if padding == "valid":
        return input, (0,) * len(kernel)
    if padding != "same":
        msg = f"Invalid padding string: '{padding}'\nconvolution: expected 'valid' or 'same'."
        raise ShapeError(msg)
    if any(s != 1 for s in stride):
        msg = (
            "padding='same' is not supported for strided convolutions\n"
            f"convolution: got stride {stride}. Give the padding as numbers."
        )
        raise ShapeError(msg)
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if any(n % 2 for n in totals):
        from .padding import pad

        more = [side for n in reversed(totals) for side in (0, n % 2)]
        input = pad(input, more)
    return input, tuple(n // 2 for n in totals)


def _transposed(
    function: str,
    spatial: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    """Run a transposed convolution over *spatial* dimensions."""
    batched = _batched(function, input, weight, spatial)
    _check_bias(function, bias)
    spatial = len(weight._array.shape) - 2
    steps, around, spread, more = (
        sized(function, name, given, spatial)
        for name, given in (
            ("stride", stride),
            ("padding", padding),
            ("dilation", dilation),
            ("output_padding", output_padding),
        )
    )
    return _run(input, weight, bias, batched, (steps, around, spread, True, more, groups))


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of *input* with *weight* over length.

    Args:
        input: ``(N, C, L)``, or ``(C, L)`` without a batch.
        weight: ``(out, C / groups, *kernel)``.
        bias: ``(out)``.
        stride: How far one window is from the next.
        padding: Zeros on both sides; ``"valid"`` for none, ``"same"`` for as many as keep the size.
        dilation: How far one element of a window is from the next.
        groups: Into how many groups channels are split that do not see each other.

    Raises:
        RuntimeError: sizes do not fit, or dtypes differ.

    Gradient:
        That of `convolution`.

    >>> import chainrule as cr
    >>> cr.conv1d(cr.ones(1, 2, 5), cr.ones(3, 2, 3)).shape
    torch.Size([1, 3, 3])
    """
    return _forward("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of *input* with *weight* over height and width.

    Args:
        input: ``(N, C, H, W)``, or ``(C, H, W)`` without a batch.
        weight: ``(out, C / groups, *kernel)``.
        bias: ``(out)``.
        stride: How far one window is from the next.
        padding: Zeros on both sides; ``"valid"`` for none, ``"same"`` for as many as keep the size.
        dilation: How far one element of a window is from the next.
        groups: Into how many groups channels are split that do not see each other.

    Raises:
        RuntimeError: sizes do not fit, or dtypes differ.

    Gradient:
        That of `convolution`.

    >>> import chainrule as cr
    >>> cr.conv2d(cr.ones(1, 2, 5, 5), cr.ones(3, 2, 3, 3)).shape
    torch.Size([1, 3, 3, 3])
    """
    return _forward("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of *input* with *weight* over depth, height and width.

    Args:
        input: ``(N, C, D, H, W)``, or ``(C, D, H, W)`` without a batch.
        weight: ``(out, C / groups, *kernel)``.
        bias: ``(out)``.
        stride: How far one window is from the next.
        padding: Zeros on both sides; ``"valid"`` for none, ``"same"`` for as many as keep the size.
        dilation: How far one element of a window is from the next.
        groups: Into how many groups channels are split that do not see each other.

    Raises:
        RuntimeError: sizes do not fit, or dtypes differ.

    Gradient:
        That of `convolution`.

    >>> import chainrule as cr
    >>> cr.conv3d(cr.ones(1, 2, 5, 5, 5), cr.ones(3, 2, 3, 3, 3)).shape
    torch.Size([1, 3, 3, 3, 3])
    """
    return _forward("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return *input* spread over windows: a convolution over length run backwards.

    Args:
        input: ``(N, C, L)``, or ``(C, L)`` without a batch.
        weight: ``(C, out / groups, *kernel)``.
        bias: ``(out)``.
        stride: How far one window is from the next.
        padding: How many elements are cut off on both sides.
        output_padding: How many are added on one side.
        groups: Into how many groups channels are split that do not see each other.
        dilation: How far one element of a window is from the next.

    Raises:
        RuntimeError: sizes do not fit, or dtypes differ.

    Gradient:
        That of `convolution`.

    >>> import chainrule as cr
    >>> cr.conv_transpose1d(cr.ones(1, 2, 3), cr.ones(2, 4, 3), stride=2).shape
    torch.Size([1, 4, 7])
    """
    return _transposed(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return *input* spread over windows: a convolution over height and width run backwards.

    Args:
        input: ``(N, C, H, W)``, or ``(C, H, W)`` without a batch.
        weight: ``(C, out / groups, *kernel)``.
        bias: ``(out)``.
        stride: How far one window is from the next.
        padding: How many elements are cut off on both sides.
        output_padding: How many are added on one side.
        groups: Into how many groups channels are split that do not see each other.
        dilation: How far one element of a window is from the next.

    Raises:
        RuntimeError: sizes do not fit, or dtypes differ.

    Gradient:
        That of `convolution`.

    >>> import chainrule as cr
    >>> cr.conv_transpose2d(cr.ones(1, 2, 3, 3), cr.ones(2, 4, 3, 3), stride=2).shape
    torch.Size([1, 4, 7, 7])
    """
    return _transposed(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return *input* spread over windows: a convolution over depth, height and width run backwards.

    Args:
        input: ``(N, C, D, H, W)``, or ``(C, D, H, W)`` without a batch.
        weight: ``(C, out / groups, *kernel)``.
        bias: ``(out)``.
        stride: How far one window is from the next.
        padding: How many elements are cut off on both sides.
        output_padding: How many are added on one side.
        groups: Into how many groups channels are split that do not see each other.
        dilation: How far one element of a window is from the next.

    Raises:
        RuntimeError: sizes do not fit, or dtypes differ.

    Gradient:
        That of `convolution`.

    >>> import chainrule as cr
    >>> cr.conv_transpose3d(cr.ones(1, 2, 3, 3, 3), cr.ones(2, 4, 3, 3, 3), stride=2).shape
    torch.Size([1, 4, 7, 7, 7])
    """
    return _transposed(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups,
        dilation,
    )  # fmt: skip
