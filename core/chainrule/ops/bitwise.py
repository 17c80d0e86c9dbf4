"""Logic on the bits of integers, and on bools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import primitive

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = [
    "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor",
]  # fmt: skip


def _no_floats(word: str) -> dict[str, str]:
    return {"floating": word, "complex": word}


@primitive(promote="arithmetic", refuses=_no_floats("bitwise_not_cpu"))
def bitwise_not(self: Tensor) -> Tensor:
    """Return each bit turned over: ``-self - 1`` for signed integers; ``not`` for bools.

    >>> import chainrule as cr
    >>> ~cr.tensor([0, 5]), ~cr.tensor([True, False])
    (tensor([-1, -6]), tensor([False,  True]))
    """


@primitive(promote="arithmetic", refuses=_no_floats("bitwise_and_cpu"))
def bitwise_and(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return the bits that both have, broadcasting; ``and`` for bools.

    >>> import chainrule as cr
    >>> cr.tensor([12, 5]) & 6
    tensor([4, 4])
    """


@primitive(promote="arithmetic", refuses=_no_floats("bitwise_or_cpu"))
def bitwise_or(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return the bits that one of the two has, broadcasting; ``or`` for bools.

    >>> import chainrule as cr
    >>> cr.tensor([12, 5]) | 6
    tensor([14,  7])
    """


@primitive(promote="arithmetic", refuses=_no_floats("bitwise_xor_cpu"))
def bitwise_xor(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return the bits that just one of the two has, broadcasting; ``!=`` for bools.

    >>> import chainrule as cr
    >>> cr.tensor([12, 5]) ^ 6
    tensor([10,  3])
    """


@primitive(promote="arithmetic", refuses={"bool": "lshift_cpu", **_no_floats("lshift_cpu")})
def bitwise_left_shift(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return *self* with its bits moved up by *other*; what moves out is lost.

    >>> import chainrule as cr
    >>> cr.tensor([1, 5]) << 2
    tensor([ 4, 20])
    """


@primitive(promote="arithmetic", refuses={"bool": "rshift_cpu", **_no_floats("rshift_cpu")})
def bitwise_right_shift(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return *self* with its bits moved down by *other*; a negative number stays one.

    >>> import chainrule as cr
    >>> cr.tensor([20, -5]) >> 2
    tensor([ 5, -2])
    """


bitwise_not.vjp(self=None)
for _op in (bitwise_and, bitwise_or, bitwise_xor, bitwise_left_shift, bitwise_right_shift):
    _op.vjp(self=None, other=None)
