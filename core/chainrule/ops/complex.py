"""Complex numbers: their parts and their conjugate.

The gradient of a real loss by a complex number is the conjugate Wirtinger derivative, PyTorch's
convention: a step against it makes the loss smaller. A holomorphic op with derivative f' then has
the rule ``grad * conj(f')``, which for real dtypes is the rule everyone knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..op import primitive

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["conj", "real"]


def conj(self: Any) -> Any:
    """Return the complex conjugate; a real tensor or number as it is.

    Rules call it on whatever they multiply with, so for real dtypes it must cost next to nothing.

    Gradient:
        ``conj(grad)``.

    >>> import chainrule as cr
    >>> cr.conj(cr.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    try:
        is_complex = self._key.complex
    except AttributeError:  # a Python number
        return self.conjugate()
    return _conj(self) if is_complex else self


@primitive
def _conj(self: Tensor) -> Tensor:
    """Return the conjugate of a complex tensor."""


_conj.vjp(self=lambda grad: conj(grad))


@primitive(view=True)
def _real(self: Tensor) -> Tensor:
    """Return the real part of a complex tensor, a view."""


_real.vjp(self=lambda grad, self: grad.to(self.dtype))


def real(input: Tensor) -> Tensor:
    """Return the real part, a view; a real tensor as it is.

    Gradient:
        *grad*, as the real part of a complex number.

    >>> import chainrule as cr
    >>> cr.real(cr.tensor([1 + 2j]))
    tensor([1.])
    """
    return _real(input) if input._key.complex else input  # type: ignore[no-any-return]  # an op's result
