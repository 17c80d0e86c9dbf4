"""The sizes of windows, checked as PyTorch checks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ShapeError

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__: list[str] = []

Sizes = tuple[int, ...]
_COUNTS = {1: "one", 2: "two", 3: "three"}


def pool_sizes(
    function: str, spatial: int, kernel: Any, stride: Any, padding: Any, dilation: Any = 1
) -> tuple[Sizes, Sizes, Sizes, Sizes]:
    """Return kernel size, stride (empty if None), padding and dilation, one per dimension.

    Raises:
        RuntimeError: one has another length.
    """
    found = []
    for name, given in (
        ("kernel_size", kernel), ("stride", stride), ("padding", padding), ("dilation", dilation)
    ):  # fmt: skip
        sizes = () if given is None else (given,) if isinstance(given, int) else tuple(given)
        if len(sizes) == 1:
            sizes *= spatial
        if len(sizes) != spatial and not (name == "stride" and not sizes):
            either = "be either" if name == "dilation" else "either"
            omitted = "either be omitted," if name == "stride" else f"{either} be"
            omitted = omitted.replace("be either be", "be either")
            msg = (
                f"{function}: {name} must {omitted} a single int, or a tuple of {_COUNTS[spatial]} "
                f"ints\n{function}: got {name}={given!r}."
            )
            raise ShapeError(msg)
        found.append(sizes)
    return tuple(found)  # type: ignore[return-value]  # four of them


def check_windows(
    input: Tensor, sizes: tuple[Sizes, Sizes, Sizes, Sizes], spatial: int, *, maximum: bool
) -> None:
    """Check strides, dilations, padding, and that *input* has something to pool.

    Raises:
        RuntimeError: with PyTorch's sentence.
    """
    kernel, stride, padding, dilation = sizes
    shape = list(input._array.shape)
    if len(shape) not in {spatial + 1, spatial + 2} and (maximum or spatial == 3):
        msg = (
            f"non-empty {spatial + 1}D or {spatial + 2}D (batch mode) tensor expected for input\n"
            f"pooling: got shape {shape}."
        )
        raise ShapeError(msg)
    steps = stride or kernel
    if 0 in steps:
        msg = f"stride should not be zero\npooling: got kernel size {kernel}, stride {stride}."
        raise ShapeError(msg)
    if min(dilation) <= 0:
        names = "HW" if spatial == 2 else "THW"
        shown = " ".join(f"dilation{n}: {d}" for n, d in zip(names, dilation, strict=True))
        msg = f"dilation should be greater than zero, but got {shown}"
        raise ShapeError(msg)
    if len(shape) not in {spatial + 1, spatial + 2} or 0 in shape[-1 - spatial :]:
        msg = (
            f"Expected {spatial + 1}D or {spatial + 2}D (batch mode) tensor with optional 0 dim "
            f"batch size for input, but got:{shape}"
        )
        raise ShapeError(msg)
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p < 0:
            msg = f"pad must be non-negative, but got pad: {p}"
            raise ShapeError(msg)
        if p > ((k - 1) * d + 1) // 2:
            msg = (
                f"pad should be at most half of effective kernel size, but got pad={p}, "
                f"kernel_size={k} and dilation={d}"
            )
            raise ShapeError(msg)


def pooled(sizes: Sizes, windows: tuple[Sizes, Sizes, Sizes, Sizes], ceil: bool) -> Sizes:
    """Return how many windows there are; with *ceil* the last ones may hang over.

    >>> pooled((5,), ((2,), (), (0,), (1,)), True)
    (3,)
    """
    kernel, stride, padding, dilation = windows
    count = []
    for n, k, s, p, d in zip(sizes, kernel, stride or kernel, padding, dilation, strict=True):
        found = (n + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil else 0)) // s + 1
        count.append(found - (ceil and (found - 1) * s >= n + p))
    return tuple(count)


def check_pooled(input: Tensor, windows: tuple[Sizes, Sizes, Sizes, Sizes], ceil: bool) -> None:
    """Check that every dimension has a window.

    Raises:
        RuntimeError: one has none.
    """
    spatial, shape = len(windows[0]), tuple(input._array.shape)
    sizes, channels = shape[len(shape) - spatial :], shape[-1 - spatial]
    found = pooled(sizes, windows, ceil)
    if min(found) < 1:
        given, made = ("x".join(map(str, (channels, *s))) for s in (sizes, found))
        msg = (
            f"Given input size: ({given}). Calculated output size: ({made}). "
            "Output size is too small\npooling: use a smaller window, or padding."
        )
        raise ShapeError(msg)
