"""How large a convolution is, and which part of it a mode keeps. Plain integers, no arrays."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

MODES: Final = ("full", "same", "valid")
DTYPES: Final = ("float32", "float64", "complex64", "complex128")


class Plan(NamedTuple):
    """What forward and backward, by kernel or by body, agree on.

    Args:
        full: Sizes of the whole convolution, one per convolved dimension.
        start: Where the part that the mode keeps begins.
        kept: Sizes of that part.
    """

    full: tuple[int, ...]
    start: tuple[int, ...]
    kept: tuple[int, ...]

    @property
    def window(self) -> tuple[Any, ...]:
        """The index of the part that is kept."""
        slices = (slice(s, s + k) for s, k in zip(self.start, self.kept, strict=True))
        return (..., *slices)

    @property
    def margins(self) -> list[tuple[int, int]]:
        """How many elements were cut off before and after, per convolved dimension."""
        return [(s, f - s - k) for f, s, k in zip(self.full, self.start, self.kept, strict=True)]


def plan(input_shape: Any, kernel_shape: Any, dims: int, mode: str) -> Plan:
    """Return the sizes of the convolution of two shapes along their last *dims* dimensions.

    Raises:
        RuntimeError: *dims* or *mode* is none that there is, a shape has too few dimensions, or
            an empty one, leading dimensions do not broadcast, or the kernel does not fit into the
            input with ``mode="valid"``.
    """
    if dims not in (1, 2):
        raise RuntimeError(f"fft_convolve: expected dims to be 1 or 2, got {dims!r}.")
    if mode not in MODES:
        raise RuntimeError(f"fft_convolve: expected mode to be one of {MODES}, got {mode!r}.")
    for name, shape in (("input", input_shape), ("kernel", kernel_shape)):
        if len(shape) < dims or 0 in shape[-dims:]:
            raise RuntimeError(
                f"fft_convolve: expected {name} to have at least {dims} dimension(s), the last "
                f"{dims} not empty, got shape {tuple(shape)}."
            )
    leading = zip(reversed(input_shape[:-dims]), reversed(kernel_shape[:-dims]), strict=False)
    if any(a != b and 1 not in (a, b) for a, b in leading):
        raise RuntimeError(
            f"fft_convolve: expected the dimensions before the last {dims} to broadcast, got "
            f"shapes {tuple(input_shape)} and {tuple(kernel_shape)}."
        )
    pairs = list(zip(input_shape[-dims:], kernel_shape[-dims:], strict=True))
    full = tuple(n + k - 1 for n, k in pairs)
    if mode == "full":
        return Plan(full, (0,) * dims, full)
    if mode == "same":
        return Plan(full, tuple((k - 1) // 2 for _, k in pairs), tuple(n for n, _ in pairs))
    if any(k > n for n, k in pairs):
        raise RuntimeError(
            f"fft_convolve: expected a kernel no larger than the input with mode='valid', got "
            f"sizes {tuple(kernel_shape[-dims:])} and {tuple(input_shape[-dims:])}."
        )
    return Plan(full, tuple(k - 1 for _, k in pairs), tuple(n - k + 1 for n, k in pairs))


def check_dtypes(input_name: str, kernel_name: str) -> None:
    """Check that both operands have one dtype, and one that can be transformed.

    Raises:
        RuntimeError: they do not.
    """
    if input_name != kernel_name or input_name not in DTYPES:
        raise RuntimeError(
            f"fft_convolve: expected input and kernel of one dtype out of {', '.join(DTYPES)}, "
            f"got {input_name} and {kernel_name}. Convert one with .to()."
        )


def fast_size(count: int) -> int:
    """Return the smallest number from *count* on without a prime factor above 5.

    >>> [fast_size(count) for count in (1, 7, 121, 1021)]
    [1, 8, 125, 1024]
    """
    best = 1 << (count - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            missing = -(-count // three)
            best = min(best, three << (missing - 1).bit_length())
            three *= 3
        five *= 5
    return best
