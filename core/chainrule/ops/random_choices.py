"""Random numbers whose distribution is given by tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import COMPLEX, FLOATING
from ..errors import ArgumentError, DomainError, DTypeError, ShapeError
from ..inplace import fill_out
from ..op import NOT_IMPLEMENTED, primitive
from ..shapes import broadcast_shapes
from ..value import Value
from ._arguments import check_tensor, integers
from ._operands import zeros_of
from .creation import checked_size, finish, into_out, key_for
from .creation_values import as_number
from .generator import generator_for
from .random import check_floating, draw, for_each_sample, key_of
from .random_in_place import check_probabilities, check_std

if TYPE_CHECKING:
    from ..device import Device
    from ..dtypes import DType
    from ..tensor import Number, Tensor
    from .generator import Generator

__all__ = ["bernoulli", "multinomial", "normal"]


@primitive(dtype="same", nodes={"": "BernoulliBackward0"})
def _bernoulli_of(self: Tensor, stream: Any) -> Tensor:
    """Return ones, each with the probability that stands in its place, and zeros."""


_bernoulli_of.vjp(self=lambda grad: zeros_of(grad))


@primitive(dtype="same", nodes={"": "BernoulliBackward3"})
def _bernoulli_like(self: Tensor, p: float, stream: Any) -> Tensor:
    """Return ones with probability *p*, and zeros, in the shape and dtype of *self*."""


_bernoulli_like.vjp(self=NOT_IMPLEMENTED("the result does not depend on the values of the input"))


def bernoulli(
    input: Tensor,
    p: float | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return ones and zeros: ones with the probabilities *input*, or with probability *p*.

    Args:
        input: ``(*)``, floating, from 0 to 1. With *p*, of any dtype; only its shape matters.
        p: The probability of every one.
        generator: Draws them; by default the device's own.
        out: Where to write the result.

    Returns:
        ``(*)``, dtype of *input*.

    Raises:
        RuntimeError: a probability is not between 0 and 1.

    Gradient:
        Zero for *input*. With *p* there is none, as in PyTorch.

    >>> import chainrule as cr
    >>> cr.bernoulli(cr.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    check_tensor("bernoulli", input)
    input = for_each_sample(input)
    source = generator_for(input._key, generator)
    if p is None:
        check_probabilities(input, "bernoulli")
        with source.lock:
            drawn = _bernoulli_of(input, source.stream_for(input._key))
    else:
        if not 0 <= p <= 1:
            msg = (
                f"bernoulli_ expects p to be in [0, 1], but got p={p:g}\n"
                "bernoulli: p is a probability."
            )
            raise DomainError(msg)
        with source.lock:
            drawn = _bernoulli_like(input, p, source.stream_for(input._key))
    return drawn if out is None else fill_out(out, drawn, resizes=True)


@primitive(
    nodes={"std:Number": "NormalBackward1", "mean:Number": "NormalBackward2", "": "NormalBackward3"}
)
def _normal_of(mean: Tensor | Number, std: Tensor | Number, stream: Any) -> Tensor:
    """Return normal numbers, each with its own mean and standard deviation."""


_normal_of.vjp(mean=lambda grad: zeros_of(grad), std=lambda grad: zeros_of(grad))


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return numbers of the normal distribution.

    Args:
        mean: A number, or a floating tensor.
        std: The standard deviation: a number, or a tensor that broadcasts with *mean*.
        size: The shape, if both are numbers.
        generator: Draws them; by default the device's own.
        out: Where to write the result.
        dtype: Of the result, if both are numbers; otherwise it is that of *mean*, or of *std*.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where, if both are numbers.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded, if both are numbers.

    Raises:
        RuntimeError: a standard deviation is negative.

    Gradient:
        Zero for *mean* and *std*.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.normal(10.0, 2.0, (2,))
    tensor([13.0820,  9.4131])
    >>> cr.normal(cr.zeros(2), 0.0)
    tensor([0., 0.])
    """
    tensors = [item for item in (mean, std) if isinstance(item, Value)]
    if tensors:
        return _normal_from_tensors(tensors, mean, std, generator, out)
    if size is None:
        kinds = f"{type(mean).__name__}, {type(std).__name__}"
        msg = (
            f"normal() received an invalid combination of arguments - got ({kinds}), but expected "
            "one of:\n * (Tensor mean, Tensor std, *, ...)\n * (Tensor mean, float std = 1, *, ...)"
            "\n * (float mean, Tensor std, *, ...)\n * (float mean, float std, tuple of ints size, "
            "*, ...)"
        )
        raise ArgumentError(msg)
    check_std(std)
    key = key_for(dtype, device, out)
    check_floating("normal", "normal_kernel_cpu", key.dtype)
    shape = checked_size(integers("normal", "size", (size,)))
    array = draw(key, generator, "normal", shape, key.dtype.name, float(mean), float(std))
    if out is not None:
        return into_out(out, finish(array, key_of(array, key)), requires_grad)
    return finish(array, key_of(array, key), requires_grad)


def _normal_from_tensors(
    tensors: list[Any], mean: Any, std: Any, generator: Any, out: Any
) -> Tensor:
    key = tensors[0]._key
    mean, std = (for_each_sample(i) if isinstance(i, Value) else i for i in (mean, std))
    if isinstance(std, Value):
        if std._key.category == COMPLEX:
            msg = (
                "normal expects standard deviation to be non-complex\n"
                f"normal: expected a real std, got {std._key.dtype}."
            )
            raise DTypeError(msg)
        if not _holds(_all_from_zero_on, std):
            msg = (
                "normal expects all elements of std >= 0.0\n"
                "normal: a standard deviation is not negative."
            )
            raise DomainError(msg)
    else:
        check_std(std)
    check_floating("normal", "normal_kernel_cpu", key.dtype)
    if len(tensors) == 2:
        broadcast_shapes(mean._array.shape, std._array.shape)
    source = generator_for(key, generator)
    with source.lock:
        drawn = _normal_of(mean, std, source.stream_for(key))
    return drawn if out is None else fill_out(out, drawn, resizes=True)


@primitive(dtype="bool")
def _all_from_zero_on(self: Tensor) -> Tensor:
    """Return whether no element is negative, as a 0-d bool."""


@primitive(dtype="bool")
def _all_weights(self: Tensor) -> Tensor:
    """Return whether all elements are finite and none is negative, as a 0-d bool."""


@primitive(dtype="bool")
def _every_row_has_weight(self: Tensor) -> Tensor:
    """Return whether the sum of every row is positive, as a 0-d bool."""


_all_from_zero_on.vjp(self=None)
_all_weights.vjp(self=None)
_every_row_has_weight.vjp(self=None)


def _holds(property: Any, tensor: Any) -> bool:
    """Return what a 0-d bool says."""
    return bool(as_number(property(tensor)))


@primitive(dtype="int64")
def _multinomial(self: Tensor, num_samples: int, replacement: bool, stream: Any) -> Tensor:
    """Return indices into rows of weights."""


_multinomial.vjp(self=None)


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return indices into rows of weights, each drawn as often as its weight says.

    Args:
        input: ``(k,)`` or ``(m, k)``, floating and not negative; a row need not sum to one.
        num_samples: How many to draw from each row.
        replacement: Whether an index may be drawn again.
        generator: Draws them; by default the device's own.
        out: Where to write the result.

    Returns:
        ``(num_samples,)`` or ``(m, num_samples)``, int64.

    Raises:
        RuntimeError: there are not so many indices to draw, or the weights are none.

    >>> import chainrule as cr
    >>> cr.multinomial(cr.tensor([0.0, 1.0, 0.0]), 3, replacement=True)
    tensor([1, 1, 1])
    """
    check_tensor("multinomial", input)
    input = for_each_sample(input)
    _check_multinomial(input, num_samples, replacement)
    if out is not None and out._key.dtype.name != "int64":
        msg = (
            f"multinomial expects Long tensor out, got: {out._key.dtype.scalar_name}\n"
            "multinomial: what is drawn are places, which are int64."
        )
        raise DTypeError(msg)
    source = generator_for(input._key, generator)
    with source.lock:
        drawn = _multinomial(input, num_samples, replacement, source.stream_for(input._key))
    return drawn if out is None else fill_out(out, drawn, resizes=True)


def _check_multinomial(input: Tensor, num_samples: int, replacement: bool) -> None:
    shape, dtype = tuple(input._array.shape), input._key.dtype
    if len(shape) not in {1, 2}:
        msg = f"prob_dist must be 1 or 2 dim\nmultinomial: expected (k,) or (m, k), got {shape}."
        raise ShapeError(msg)
    if dtype.category != FLOATING:
        msg = (
            "multinomial only supports floating-point dtypes for input, got: "
            f"{dtype.scalar_name}\nmultinomial: convert the weights with .float()."
        )
        raise DTypeError(msg)
    if num_samples <= 0:
        msg = f"cannot sample n_sample <= 0 samples\nmultinomial: got num_samples {num_samples}."
        raise DomainError(msg)
    if not replacement and num_samples > shape[-1]:
        msg = (
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement\n"
            f"multinomial: got num_samples {num_samples} for {shape[-1]} indices. "
            "Pass replacement=True."
        )
        raise DomainError(msg)
    if not _holds(_all_weights, input):
        msg = (
            "probability tensor contains either `inf`, `nan` or element < 0\n"
            "multinomial: expected finite weights, none below zero."
        )
        raise DomainError(msg)
    if not _holds(_every_row_has_weight, input):
        msg = (
            "invalid multinomial distribution (sum of probabilities <= 0)\n"
            "multinomial: expected a positive weight in every row."
        )
        raise DomainError(msg)
