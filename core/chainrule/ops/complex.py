"""Complex numbers: their parts, their conjugate, and how they are made.

The gradient of a real loss by a complex number is the conjugate Wirtinger derivative, PyTorch's
convention: a step against it makes the loss smaller. A holomorphic op with derivative f' then has
the rule ``grad * conj(f')``, which for real dtypes is the rule everyone knows.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ..dtypes import FLOATING
from ..errors import DTypeError, ShapeError
from ..op import primitive
from ._operands import into
from .copying import clone
from .slicing import select

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "_conj_physical", "complex", "conj", "conj_physical", "imag", "real",
    "resolve_conj", "view_as_complex", "view_as_real",
]  # fmt: skip


def conj(self: Any) -> Any:
    """Return the complex conjugate; a real tensor or number as it is.

    Rules call it on whatever they multiply with, so for real dtypes it must cost next to nothing.

    Gradient:
        ``conj(grad)``.

    Differs from PyTorch:
        The result is a copy, where PyTorch's looks into the memory of its input and remembers
        that it is to be conjugated.

    >>> import chainrule as cr
    >>> cr.conj(cr.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    try:
        is_complex = self._key.complex
    except AttributeError:  # a Python number
        return self.conjugate()
    return _conj(self) if is_complex else self


@primitive(dtype="same")
def _conj(self: Tensor) -> Tensor:
    """Return the conjugate of a complex tensor."""


_conj.vjp(self=lambda grad: conj(grad))


@primitive(dtype="same")
def _conj_physical(self: Tensor) -> Tensor:
    """Return the conjugate of a complex tensor: `_conj`, by PyTorch's name for the copy."""


_conj_physical.vjp(self=lambda grad: conj(grad))


def conj_physical(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the complex conjugate; a real tensor as it is.

    Gradient:
        ``conj(grad)``.

    >>> import chainrule as cr
    >>> cr.conj_physical(cr.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    if out is None and not input._key.complex:
        return input
    return into(out, _conj_physical, input)  # type: ignore[no-any-return]  # an op's result


def resolve_conj(input: Tensor) -> Tensor:
    """Return *input* itself: a conjugate is computed when it is asked for.

    >>> import chainrule as cr
    >>> x = cr.tensor([1 + 2j])
    >>> x.resolve_conj() is x
    True
    """
    return input


@primitive(view=True, dtype="real", nodes={"": "ViewAsRealBackward0"})
def _view_as_real(self: Tensor) -> Tensor:
    """Return the two parts of each complex number as a last dimension."""


@primitive(view=True, dtype="complex", nodes={"": "ViewAsComplexBackward0"})
def _view_as_complex(self: Tensor) -> Tensor:
    """Return the pairs of a last dimension of size 2 as complex numbers."""


_view_as_real.vjp(self=lambda grad: _view_as_complex(_paired(grad)))
_view_as_complex.vjp(self=lambda grad: view_as_real(grad))


def _paired(grad: Tensor) -> Tensor:
    """Return *grad* with the two numbers of each pair side by side in memory."""
    return grad if grad._key.backend.strides(grad._array)[-1] == 1 else clone(grad)


def view_as_real(input: Tensor) -> Tensor:
    """Return the two parts of each complex number as a last dimension of size 2; a view.

    Args:
        input: ``(*)``, complex.

    Returns:
        ``(*, 2)``, floating.

    Raises:
        RuntimeError: *input* is not complex.

    Gradient:
        ``view_as_complex(grad)``.

    >>> import chainrule as cr
    >>> cr.view_as_real(cr.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    if not input._key.complex:
        msg = (
            "view_as_real is only supported for complex tensors\n"
            f"view_as_real: got {input._key.dtype}. A real tensor has one part."
        )
        raise DTypeError(msg)
    return _view_as_real(input)


def view_as_complex(input: Tensor) -> Tensor:
    """Return the pairs of a last dimension of size 2 as complex numbers; a view.

    Args:
        input: ``(*, 2)``, floating, the two numbers of a pair side by side in memory, and the
            pairs an even number of elements from its start and from each other.

    Returns:
        ``(*)``, complex.

    Raises:
        RuntimeError: dtype, shape or strides are others.

    Gradient:
        ``view_as_real(grad)``.

    >>> import chainrule as cr
    >>> cr.view_as_complex(cr.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])
    """
    key, shape = input._key, input._array.shape
    if key.category != FLOATING or key.dtype.itemsize < 4:
        msg = (
            "view_as_complex is only supported for half, float and double tensors, but got a "
            f"tensor of scalar type: {key.dtype.scalar_name}\n"
            "view_as_complex: convert with .to(...) first."
        )
        raise DTypeError(msg)
    if not shape:
        sentence = "Input tensor must have one or more dimensions"
    elif shape[-1] != 2:
        sentence = "Tensor must have a last dimension of size 2"
    elif prod(shape) and key.backend.strides(input._array)[-1] != 1:
        sentence = "Tensor must have a last dimension with stride 1"
    elif any(step % 2 for step in key.backend.strides(input._array)[:-1]):
        sentence = "Tensor must have a stride divisible by 2 for all but last dimension"
    elif input._base is not None and input.storage_offset() % 2:  # type: ignore[attr-defined]  # found late
        sentence = "Tensor must have a storage_offset divisible by 2"
    else:
        return _view_as_complex(input)
    msg = f"{sentence}\nview_as_complex: got shape {tuple(shape)}. Use complex() for two tensors."
    raise ShapeError(msg)


def real(input: Tensor) -> Tensor:
    """Return the real part, a view; a real tensor as it is.

    Gradient:
        ``grad``, as the real part of a complex number.

    >>> import chainrule as cr
    >>> cr.real(cr.tensor([1 + 2j]))
    tensor([1.])
    """
    if not input._key.complex:
        return input
    return select(_view_as_real(input), len(input._array.shape), 0)


def imag(input: Tensor) -> Tensor:
    """Return the imaginary part, a view.

    Raises:
        RuntimeError: *input* is not complex.

    Gradient:
        ``grad``, as the imaginary part of a complex number.

    >>> import chainrule as cr
    >>> cr.imag(cr.tensor([1 + 2j]))
    tensor([2.])
    """
    if not input._key.complex:
        msg = (
            "imag is not implemented for tensors with non-complex dtypes.\n"
            f"imag: got {input._key.dtype}, whose imaginary part would be all zeros."
        )
        raise DTypeError(msg)
    return select(_view_as_real(input), len(input._array.shape), 1)


@primitive(nodes={"": "ComplexBackward0"}, saves=("real", "imag"))
def _complex(real: Tensor, imag: Tensor) -> Tensor:
    """Return complex numbers from their parts."""


_complex.vjp(real=lambda grad: _real_of(grad), imag=lambda grad: imag(grad))


def _real_of(grad: Tensor) -> Tensor:
    """`real`, where a parameter of that name hides it."""
    return real(grad)


def complex(real: Tensor, imag: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return complex numbers with the parts *real* and *imag*, broadcasting.

    Args:
        real: ``(*)``, floating.
        imag: ``(*)`` that broadcasts with *real*, of the same dtype.
        out: Where to write the result.

    Raises:
        RuntimeError: the dtypes differ or are not floating.

    Gradient:
        ``real(grad)`` and ``imag(grad)``.

    >>> import chainrule as cr
    >>> cr.complex(cr.tensor([1.0]), cr.tensor([2.0]))
    tensor([1.+2.j])
    """
    check_parts("complex", real, imag)
    return into(out, _complex, real, imag)  # type: ignore[no-any-return]  # an op's result


def check_parts(op: str, first: Tensor, second: Tensor) -> None:
    """Check that both are of one floating dtype.

    Raises:
        DTypeError: with PyTorch's message.
    """
    one, two = first._key.dtype, second._key.dtype
    if not (one.is_floating_point and two.is_floating_point):
        msg = (
            "Expected both inputs to be Half, Float or Double tensors but got "
            f"{one.scalar_name} and {two.scalar_name}\n{op}: convert with .to(...) first."
        )
    elif one is not two:
        msg = (
            f"Expected object of scalar type {one.scalar_name} but got scalar type "
            f"{two.scalar_name} for second argument\n{op}: expected one dtype. Convert with .to()."
        )
    else:
        return
    raise DTypeError(msg)
