"""New tensors of random numbers."""

from __future__ import annotations

import operator
from math import prod
from typing import TYPE_CHECKING, Any

from .._warn import warn
from ..backend import plain
from ..dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType, int64
from ..errors import ArgumentError, DomainError, DTypeError, ShapeError
from ..grad_mode import mode
from ..value import Value, new_value
from . import joining
from ._arguments import check_tensor, integers
from ._operands import C_NAMES, refusal
from .creation import checked_size, finish, into_out, key_for
from .creation_like import key_like, laid_out_like
from .creation_values import as_number, fit_value
from .generator import generator_for
from .shape import reshape

if TYPE_CHECKING:
    from ..backend import Array, DispatchKey
    from ..device import Device
    from ..tensor import Tensor
    from .generator import Generator

__all__ = ["rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm"]

#: The largest whole number up to which a floating dtype has all of them, as a power of two.
_WHOLE_NUMBERS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


def draw(key: DispatchKey, generator: Any, method: str, *arguments: Any) -> Array:
    """Return what the stream of *generator*, or of the default one, draws for tensors of *key*."""
    source = generator_for(key, generator)
    with source.lock:
        stream = source.stream_for(key)
        differing = [level for level in mode.levels if level.draws_differ()]
        if differing:
            return _drawn_for_samples(differing, plain(key), getattr(stream, method), arguments)
        return getattr(stream, method)(*arguments)


def _drawn_for_samples(
    levels: list[Any], key: DispatchKey, method: Any, arguments: tuple[Any, ...]
) -> Any:
    """Return an array that holds numbers of their own for the samples of every level."""
    sizes = tuple(level.size for level in levels)
    first, *others = arguments
    if isinstance(first, tuple):
        drawn = new_value(method((*sizes, *first), *others), key)
    else:  # a permutation of so many
        rows = [new_value(method(*arguments), key) for _ in range(prod(sizes))]
        drawn = reshape(joining.stack(rows), (*sizes, first))
    for level in levels:
        drawn = level.backend.batch(level, drawn)
    return drawn._array


def key_of(array: Any, key: DispatchKey) -> DispatchKey:
    """Return the key of what was drawn for tensors of *key*: of a plain array, or of a batch."""
    return getattr(array, "key", None) or plain(key)


def for_each_sample(tensor: Any) -> Any:
    """Return *tensor*, which says what to draw, repeated where each sample draws its own."""
    for level in mode.levels:
        tensor = level.spread(tensor)
    return tensor


def check_floating(function: str, kernel: str, dtype: DType) -> None:
    """Check that *function* draws numbers of *dtype*: floating or complex ones.

    Raises:
        UnsupportedDTypeError: with PyTorch's message, which names its kernel.
    """
    if dtype.category < FLOATING:
        raise refusal(function, kernel, dtype)


def _new(key: DispatchKey, array: Array, out: Any, requires_grad: bool) -> Tensor:
    """Return a new tensor over what was drawn, or *out* holding it."""
    if out is not None:
        return into_out(out, finish(array, key_of(array, key)), requires_grad)
    return finish(array, key_of(array, key), requires_grad)


def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return numbers drawn uniformly from ``[0, 1)``.

    Args:
        sizes: The shape, as integers or one sequence.
        size: The shape, by name.
        generator: Draws them; by default the device's own.
        out: Where to write the result.
        dtype: Of the result, floating or complex.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    key = key_for(dtype, device, out)
    check_floating("rand", "check_uniform_bounds", key.dtype)
    shape = checked_size(integers("rand", "size", sizes, size))
    return _new(key, draw(key, generator, "uniform", shape, key.dtype.name), out, requires_grad)


def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return numbers of the normal distribution with mean 0 and variance 1. Arguments as of `rand`.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """
    key = key_for(dtype, device, out)
    check_floating("randn", "normal_kernel_cpu", key.dtype)
    shape = checked_size(integers("randn", "size", sizes, size))
    return _new(key, draw(key, generator, "normal", shape, key.dtype.name), out, requires_grad)


def randint(
    *bounds_and_size: Any,
    low: int | None = None,
    high: int | None = None,
    size: Any = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return whole numbers drawn uniformly from *low* up to before *high*.

    It is called as ``randint(high, size)`` or ``randint(low, high, size)``.

    Args:
        bounds_and_size: *high* and *size*, or all three.
        low: The least number, zero by default.
        high: One more than the greatest.
        size: The shape, a sequence.
        generator: Draws them; by default the device's own.
        out: Where to write the result.
        dtype: Of the result, int64 by default.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    Raises:
        RuntimeError: there is no number in the range, or the dtype does not hold them.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.randint(10, (4,))
    tensor([4, 9, 3, 0])
    """
    low, high, size = _bounds("randint", bounds_and_size, low, high, size)
    key = key_for(int64 if dtype is None and out is None else dtype, device, out)
    check_range(low, high, key.dtype)
    shape = checked_size(integers("randint", "size", (size,)))
    drawn = draw(key, generator, "integers", shape, key.dtype.name, low, high)
    return _new(key, drawn, out, requires_grad)


def _bounds(
    function: str, given: tuple[Any, ...], low: Any, high: Any, size: Any
) -> tuple[int, int, Any]:
    """Return *low*, *high* and *size* of a call with any of them by position."""
    items = list(given)
    if size is None and items and isinstance(items[-1], (tuple, list)):
        size = items.pop()
    if len(items) == 2 and low is None and high is None:
        low, high = items
    elif len(items) == 1 and high is None:
        high = items[0]
    elif len(items) == 1 and low is None:
        low = items[0]
    elif items:
        high = None
    low, high = as_number(0 if low is None else low), as_number(high)
    if size is None or not (hasattr(low, "__index__") and hasattr(high, "__index__")):
        kinds = ", ".join("Tensor" if isinstance(g, Value) else type(g).__name__ for g in given)
        msg = (
            f"{function}() received an invalid combination of arguments - got ({kinds}), but "
            "expected one of:\n * (int high, tuple of ints size, *, ...)\n"
            " * (int low, int high, tuple of ints size, *, ...)"
        )
        raise ArgumentError(msg)
    return operator.index(low), operator.index(high), size


def check_range(low: int, high: int, dtype: DType) -> None:
    """Check that there are whole numbers from *low* to before *high*, and that *dtype* holds them.

    Raises:
        DomainError: there are none, or it does not.
    """
    if dtype.category == COMPLEX:
        msg = (
            "check_random_bounds handles only integral, floating-point and boolean types\n"
            f"randint: expected a real dtype, got {dtype}."
        )
        raise DTypeError(msg)
    if low >= high:
        msg = (
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}\n"
            "randint: the upper bound is not drawn itself."
        )
        raise DomainError(msg)
    least, most = _limits(dtype)
    for name, number in (("from", low), ("to - 1", high - 1)):
        if not least <= number <= most:
            msg = (
                f"{name} is out of bounds for {C_NAMES[dtype.name]}\n"
                f"randint: {dtype} holds whole numbers from {least} to {most}, got {number}."
            )
            raise DomainError(msg)
        digits = _WHOLE_NUMBERS.get(dtype.name)
        if digits is not None and abs(number) > 1 << digits:
            warn(
                f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision "
                f"limitations {C_NAMES[dtype.name]} can support discrete uniform distribution only "
                "within this range. This warning will become an error in version 1.7 release, "
                "please fix the code in advance",
                UserWarning,
                stacklevel=3,
            )


def _limits(dtype: DType) -> tuple[int, int]:
    """Return the least and the greatest whole number of *dtype*."""
    if dtype.category == BOOL:
        return 0, 1
    bits = 8 * dtype.itemsize
    if dtype.category == INTEGER:
        return (-(1 << bits - 1), (1 << bits - 1) - 1) if dtype.is_signed else (0, (1 << bits) - 1)
    largest = 65504 if dtype.name == "float16" else (1 << 63) - 1
    return -largest, largest


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the numbers from 0 up to before *n* in random order.

    Args:
        n: How many.
        generator: Draws the order; by default the device's own.
        out: Where to write the result.
        dtype: Of the result, int64 by default.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    Raises:
        RuntimeError: *n* is negative, or the dtype does not hold the numbers.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.randperm(5)
    tensor([4, 0, 1, 3, 2])
    """
    if not hasattr(n, "__index__"):
        msg = f"randperm(): argument 'n' (position 1) must be int, not {type(n).__name__}"
        raise ArgumentError(msg)
    if n < 0:
        msg = f"Trying to create tensor with negative dimension {n}: [{n}]\nrandperm: n is a size."
        raise ShapeError(msg)
    key = key_for(int64 if dtype is None and out is None else dtype, device, out)
    if key.category in {BOOL, COMPLEX}:
        raise refusal("randperm", "randperm", key.dtype)
    fit_value(max(n - 1, 0), key.dtype)
    return _new(key, draw(key, generator, "permutation", n, key.dtype.name), out, requires_grad)


# Like another tensor


def _like(input: Tensor, key: DispatchKey, generator: Any, method: str, *bounds: int) -> Array:
    """Return an array of the shape and layout of *input*, filled in the order of its memory."""

    def make(shape: tuple[int, ...]) -> Array:
        return draw(key, generator, method, shape, key.dtype.name, *bounds)

    return laid_out_like(input, key, make)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    memory_format: object = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return numbers drawn uniformly from ``[0, 1)``, of the shape, dtype and device of *input*.

    Args:
        input: ``(*)``; nothing of its history is taken over.
        generator: Draws them; by default the device's own.
        memory_format: Taken and ignored, as are *layout* and *pin_memory*.
        dtype: Of the result, where it is another.
        layout: See *memory_format*.
        device: Of the result, where it is another.
        pin_memory: See *memory_format*.
        requires_grad: Whether operations on the result are recorded.

    >>> import chainrule as cr
    >>> cr.rand_like(cr.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    check_tensor("rand_like", input)
    key = key_like(input, dtype, device)
    check_floating("rand_like", "check_uniform_bounds", key.dtype)
    array = _like(input, key, generator, "uniform")
    return finish(array, key_of(array, key), requires_grad)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    memory_format: object = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return standard normal numbers, like `rand_like`, whose arguments it has.

    >>> import chainrule as cr
    >>> cr.randn_like(cr.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    check_tensor("randn_like", input)
    key = key_like(input, dtype, device)
    check_floating("randn_like", "normal_kernel_cpu", key.dtype)
    array = _like(input, key, generator, "normal")
    return finish(array, key_of(array, key), requires_grad)


def randint_like(
    input: Tensor,
    *bounds: int,
    low: int | None = None,
    high: int | None = None,
    generator: Generator | None = None,
    memory_format: object = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return whole numbers from *low* up to before *high*, like `rand_like`.

    It is called as ``randint_like(input, high)`` or ``randint_like(input, low, high)``. Its other
    arguments are those of `rand_like`, its bounds those of `randint`.

    >>> import chainrule as cr
    >>> cr.randint_like(cr.zeros(2), 1, 2)
    tensor([1., 1.])
    """
    check_tensor("randint_like", input)
    low, high, _ = _bounds("randint_like", bounds, low, high, ())
    key = key_like(input, dtype, device)
    check_range(low, high, key.dtype)
    array = _like(input, key, generator, "integers", low, high)
    return finish(array, key_of(array, key), requires_grad)
