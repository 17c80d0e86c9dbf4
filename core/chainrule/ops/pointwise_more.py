"""More functions of single elements: angles, powers of two, common divisors, steps, signs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..dtypes import bool_
from ..errors import DTypeError, UnsupportedDTypeError
from ..op import NOT_IMPLEMENTED, composite, primitive
from .complex import conj
from .creation_like import ones_like
from .linalg_checks import fail
from .return_types import frexp as frexp_result

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["deg2rad", "frexp", "gcd", "heaviside", "isreal", "lcm", "ldexp", "rad2deg", "signbit"]


@composite(
    promote="float",
    nodes={"": "Deg2RadBackward0"},
    refuses={"complex": "deg2rad is not supported for complex tensors."},
)
def deg2rad(self: Tensor) -> Tensor:
    """Return degrees as radians.

    Gradient:
        ``grad * π / 180``.

    >>> import chainrule as cr
    >>> cr.deg2rad(cr.tensor([180.0]))
    tensor([3.1416])
    """
    return self * (math.pi / 180)


@composite(
    promote="float",
    nodes={"": "Rad2DegBackward0"},
    refuses={"complex": "rad2deg is not supported for complex tensors."},
)
def rad2deg(self: Tensor) -> Tensor:
    """Return radians as degrees.

    Gradient:
        ``grad * 180 / π``.

    >>> import chainrule as cr
    >>> cr.rad2deg(cr.tensor([3.14159265]))
    tensor([180.])
    """
    return self * (180 / math.pi)


deg2rad.vjp(self=lambda grad: grad * (math.pi / 180))
rad2deg.vjp(self=lambda grad: grad * (180 / math.pi))


@primitive(
    promote="arithmetic",
    refuses={"complex": "heaviside is not yet implemented for complex tensors."},
)
def heaviside(self: Tensor, values: Tensor) -> Tensor:
    """Return 0 below zero, 1 above, and *values* at zero.

    Args:
        self: ``(*)``, real.
        values: ``(*)`` that broadcasts, of the same dtype.

    Raises:
        RuntimeError: the dtypes differ or are complex; in the backward pass, always.

    >>> import chainrule as cr
    >>> cr.heaviside(cr.tensor([-1.0, 0.0, 1.0]), cr.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """


_STEP = NOT_IMPLEMENTED("it is a step: PyTorch states no derivative either")
heaviside.vjp(self=_STEP, values=_STEP)


@heaviside.checks
def _check_step(self: Any, values: Any) -> None:
    if not hasattr(self, "_key") or not hasattr(values, "_key"):
        return
    if self._key.dtype is not values._key.dtype:
        sentence = "heaviside is not yet implemented for tensors with different dtypes."
        fail(DTypeError, sentence, "heaviside: convert one of them.")


@composite(promote="float", nodes={"": "LdexpBackward0"})
def ldexp(self: Tensor, other: Tensor) -> Tensor:
    """Return ``self * 2 ** other``.

    Args:
        self: ``(*)``, any dtype.
        other: ``(*)`` that broadcasts.

    Gradient:
        ``grad * 2 ** other`` for *self*, ``grad * result * log(2)`` for *other*.

    >>> import chainrule as cr
    >>> cr.ldexp(cr.tensor([1.0]), cr.tensor([3]))
    tensor([8.])
    """
    return self * 2.0**other


ldexp.vjp(
    self=lambda grad, other: grad * conj(2.0**other),
    other=lambda grad, result: grad * conj(result) * math.log(2),
)


@primitive(nodes={"": "FrexpBackward0"})
def frexp(self: Tensor) -> frexp_result:
    """Return fraction and exponent: ``self = mantissa * 2 ** exponent``.

    Args:
        self: ``(*)``, floating.

    Returns:
        A named tuple of ``mantissa``, between 0.5 and 1 in absolute value, and ``exponent``, int32.

    Raises:
        RuntimeError: *self* is not floating.

    Gradient:
        ``grad / 2 ** exponent``.

    >>> import chainrule as cr
    >>> cr.frexp(cr.tensor([8.0])).exponent
    tensor([4], dtype=torch.int32)
    """


@frexp.checks
def _check_frexp(self: Any) -> None:
    if not self._key.dtype.is_floating_point:
        sentence = "torch.frexp() only supports floating-point dtypes"
        fail(DTypeError, sentence, "frexp: convert with .float() first.")


frexp.vjp(self=lambda grad, exponent: grad / exponent.to(grad.dtype).exp2())


_NO_DIVISORS = ("bool", "floating", "complex")


@primitive(promote="arithmetic", refuses=dict.fromkeys(_NO_DIVISORS, "gcd_cpu"))
def gcd(self: Tensor, other: Tensor) -> Tensor:
    """Return the greatest common divisor of integers; not negative, zero for two zeros.

    >>> import chainrule as cr
    >>> cr.gcd(cr.tensor([12]), cr.tensor([8]))
    tensor([4])
    """


@primitive(promote="arithmetic", refuses=dict.fromkeys(_NO_DIVISORS, "lcm_cpu"))
def lcm(self: Tensor, other: Tensor) -> Tensor:
    """Return the least common multiple of integers.

    >>> import chainrule as cr
    >>> cr.lcm(cr.tensor([12]), cr.tensor([8]))
    tensor([24])
    """


gcd.vjp(self=None, other=None)
lcm.vjp(self=None, other=None)


@primitive(dtype="bool")
def signbit(self: Tensor) -> Tensor:
    """Return whether the sign is negative, that of a zero included.

    >>> import chainrule as cr
    >>> cr.signbit(cr.tensor([-0.0, 1.0]))
    tensor([ True, False])
    """


@signbit.checks
def _check_signbit(self: Any) -> None:
    if self._key.complex:
        sentence = "signbit is not implemented for complex tensors."
        fail(UnsupportedDTypeError, sentence, "signbit: take .real first.")


signbit.vjp(self=None)


@composite(dtype="bool")
def isreal(self: Tensor) -> Tensor:
    """Return whether the imaginary part is zero.

    >>> import chainrule as cr
    >>> cr.isreal(cr.tensor([1, 1j]))
    tensor([ True, False])
    """
    if not self._key.complex:
        return ones_like(self, dtype=bool_)
    return self.imag == 0
