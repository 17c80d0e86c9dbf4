"""`matmul` and the layers that multiply: `linear` and `bilinear`.

They are functions: the graph shows the ops they are made of, as PyTorch's does.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ..errors import DTypeError, ShapeError
from ..inplace import fill_out
from ..op import composite, primitive
from ..overriding import dispatch, overloaded
from ..shapes import broadcast_shapes
from ._arguments import check_tensor
from ._operands import C_NAMES
from .arithmetic import add
from .axes import permute, t, transpose
from .broadcasting import _expand
from .complex import conj
from .linalg import _addmm_with_transpose, _mm_with_transpose, bmm, dot, mm, mv
from .linalg_checks import fail
from .shape import _unsafe_view, contiguous, is_contiguous, reshape, squeeze, unsqueeze, view

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["bilinear", "linear", "matmul"]


def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the product of vectors, matrices, or batches of matrices: the operator ``@``.

    A vector on the left is a row, on the right a column, which the result has no dimension for.
    Batch dimensions broadcast.

    Args:
        input: ``(k,)`` or ``(*, n, k)``, any dtype but bool.
        other: ``(k,)`` or ``(*, k, m)``, of the same dtype.
        out: Where to write the result.

    Returns:
        ``(*, n, m)``, without *n* or *m* where that came from a vector.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    Gradient:
        ``grad @ other^H`` for *input*, ``input^H @ grad`` for *other*, summed over what was
        broadcast.

    >>> import chainrule as cr
    >>> cr.matmul(cr.ones(5, 2, 3), cr.ones(3, 4)).shape
    torch.Size([5, 2, 4])
    """
    if out is not None:
        return fill_out(out, matmul(input, other))  # type: ignore[no-any-return]  # it is out
    try:
        n, m = len(input._array.shape), len(other._array.shape)
    except AttributeError:
        asked = overloaded((input, other))
        if asked:
            return dispatch(matmul, asked, (input, other), None)  # type: ignore[no-any-return]  # what they make of it
        check_tensor("matmul", input)
        check_tensor("matmul", other, "other", 2)
        raise
    if n == 2 == m:
        return mm(input, other)
    if n == 0 or m == 0:
        fail(
            ShapeError,
            f"both arguments to matmul need to be at least 1D, but they are {n}D and {m}D",
            "matmul: multiply by a number with *.",
        )
    if n <= 2 and m <= 2:
        if n == 2:
            return mv(input, other)
        return dot(input, other) if m == 1 else _squeezed(mm(unsqueeze(input, 0), other), 0)
    return _batched_matmul(input, other)


@primitive(dtype="same", nodes={"": "SqueezeBackward4"}, saves=("dim",))
def _squeezed(self: Tensor, dim: int) -> Tensor:
    """Return a fresh product without its dimension *dim*, of size 1."""


_squeezed.vjp(self=lambda grad, dim: unsqueeze(grad, dim))


def _batched_matmul(input: Tensor, other: Tensor) -> Tensor:
    """Return the product where one factor has batch dimensions."""
    if len(input._array.shape) == 3 == len(other._array.shape):
        # A batch of one that wants a gradient would get it summed over what it was repeated for.
        batches = input._array.shape[0], other._array.shape[0]
        if batches[0] != 1 == batches[1] and other._requires_grad:
            other = squeeze(other, 0)
        elif batches[1] != 1 == batches[0] and input._requires_grad:
            input = squeeze(input, 0)
    n, m = len(input._array.shape), len(other._array.shape)
    left_is_batch = n >= m
    folded = input if left_is_batch else transpose(other, -2, -1)
    factor = other if left_is_batch else input
    if min(n, m) <= 2 and _worth_folding(input, folded, factor):
        if left_is_batch:
            return _folded_product(folded, factor)
        if n == 2:
            return contiguous(transpose(_folded_product(folded, t(factor)), -2, -1))
        return _folded_product(folded, factor)
    return _broadcast_product(input, other)


def _worth_folding(input: Tensor, folded: Tensor, factor: Tensor) -> bool:
    """Return whether one product of matrices, the batch joined to the rows, is what PyTorch takes.

    It is one call of BLAS, and the factor's gradient need not be summed over the batch; but
    joining must not cost a copy.
    """
    if factor._requires_grad:
        return True
    if len(input._array.shape) == 2:
        return False
    shape, strides = folded._array.shape, folded._key.backend.strides(folded._array)
    return 0 in shape or all(
        strides[dim] == strides[dim + 1] * shape[dim + 1] for dim in range(len(shape) - 2)
    )


def _folded_product(batch: Tensor, factor: Tensor) -> Tensor:
    """Return ``batch @ factor`` for a vector or matrix *factor*, as one product of matrices."""
    *front, inner = batch._array.shape
    rows = reshape(batch, (prod(front), inner))
    if len(factor._array.shape) == 1:
        return _unsafe_view(mv(rows, factor), tuple(front))
    return _unsafe_view(mm(rows, factor), (*front, factor._array.shape[1]))


def _broadcast_product(input: Tensor, other: Tensor) -> Tensor:
    """Return the product with the batch dimensions of both expanded and joined to one."""
    row, column = len(input._array.shape) == 1, len(other._array.shape) == 1
    left = unsqueeze(input, 0) if row else input
    right = unsqueeze(other, 1) if column else other
    (*front, n, k), (*back, rows, m) = left._array.shape, right._array.shape
    batch = tuple(front) if front == back else tuple(broadcast_shapes(front, back))
    count = prod(batch)
    result = bmm(
        reshape(_expand(left, (*batch, n, k)), (count, n, k)),
        reshape(_expand(right, (*batch, rows, m)), (count, rows, m)),
    )
    if column:
        return _unsafe_view(squeeze(result, -1), (*batch, n))
    return _unsafe_view(result, (*batch, m) if row else (*batch, n, m))


# Layers


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input @ weight.t() + bias``: a fully connected layer.

    Args:
        input: ``(*, k)``, of the dtype of *weight*.
        weight: ``(m, k)``; or ``(k,)``, which makes one number per vector.
        bias: ``(m,)``, or what broadcasts to the result.

    Returns:
        ``(*, m)``.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    Gradient:
        ``grad @ weight`` for *input*, ``grad^T @ input`` for *weight*, laid out in memory as
        *weight* is, and *grad* for *bias*.

    >>> import chainrule as cr
    >>> cr.nn.functional.linear(cr.ones(2, 3), cr.ones(1, 3), cr.tensor([0.5]))
    tensor([[3.5000],
            [3.5000]])
    """
    try:
        ndim, transposed = len(input._array.shape), t(weight)
    except AttributeError:
        check_tensor("linear", input)
        check_tensor("linear", weight, "weight", 2)
        raise
    if ndim == 2 and bias is not None:
        return _addmm_with_transpose(bias, input, transposed)
    if ndim == 0:
        fail(
            ShapeError,
            "both arguments to linear need to be at least 1D, but they are "
            f"0D and {len(weight._array.shape)}D",
            "linear: expected vectors, got a number.",
        )
    if bias is None:
        return _matmul_with_transpose(input, transposed)
    if len(bias._array.shape) == 1 and is_contiguous(input):
        *front, k = input._array.shape
        rows = view(input, (prod(front), k))
        return view(_addmm_with_transpose(bias, rows, transposed), (*front, weight._array.shape[0]))
    product = _matmul_with_transpose(input, transposed)
    shape, found = product._array.shape, broadcast_shapes(product._array.shape, bias._array.shape)
    if tuple(found) != tuple(shape):
        fail(
            ShapeError,
            f"output with shape {list(shape)} doesn't match the broadcast shape {list(found)}",
            f"linear: expected a bias that broadcasts to that, got {tuple(bias._array.shape)}.",
        )
    return add(product, bias)


def _matmul_with_transpose(input: Tensor, transposed: Tensor) -> Tensor:
    """Return `matmul` of the two. See Note [Layout of a weight's gradient]."""
    *front, k = input._array.shape
    if not front or len(transposed._array.shape) != 2 or not transposed._requires_grad:
        return matmul(input, transposed)
    if len(front) == 1:
        return _mm_with_transpose(input, transposed)
    product = _mm_with_transpose(reshape(input, (prod(front), k)), transposed)
    return _unsafe_view(product, (*front, transposed._array.shape[1]))


@composite(nodes={"": "TrilinearBackward0"})
def _trilinear(i1: Tensor, i2: Tensor, i3: Tensor) -> Tensor:
    """Return the values ``(b, m)`` of the bilinear forms ``i1 . i2[m] . i3``.

    *i1* is ``(b, i)``, *i2* ``(m, i, j)``, and *i3* ``(b, j)``.
    """
    m, i, j = i2._array.shape
    forms = mm(i1, reshape(permute(i2, (1, 0, 2)), (i, m * j)))
    return squeeze(bmm(view(forms, (i1._array.shape[0], m, j)), unsqueeze(i3, 2)), 2)


# A form is linear in each of the three, so each gradient is a form again.
_trilinear.vjp(
    i1=lambda grad, i2, i3: _trilinear(grad, permute(conj(i2), (1, 0, 2)), conj(i3)),
    i2=lambda grad, i1, i3: _pairs(grad, conj(i1), conj(i3)),
    i3=lambda grad, i1, i2: _trilinear(conj(i1), permute(conj(i2), (2, 1, 0)), grad),
)


def _pairs(grad: Tensor, i1: Tensor, i3: Tensor) -> Tensor:
    """Return the sum over the batch of the outer products of the three."""
    pairs = unsqueeze(i1, 2) * unsqueeze(i3, 1)
    (b, m), (_, i, j) = grad._array.shape, pairs._array.shape
    return view(mm(t(grad), reshape(pairs, (b, i * j))), (m, i, j))


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``input1 . weight[m] . input2 + bias[m]`` for every *m*.

    Args:
        input1: ``(*, i)``.
        input2: ``(*, j)``, of equal leading dimensions.
        weight: ``(m, i, j)``.
        bias: ``(m,)``.

    Returns:
        ``(*, m)``.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    >>> import chainrule as cr
    >>> cr.nn.functional.bilinear(cr.ones(5, 2), cr.ones(5, 3), cr.ones(4, 2, 3)).shape
    torch.Size([5, 4])
    """
    for position, (name, tensor) in enumerate(
        (("input1", input1), ("input2", input2), ("weight", weight))
    ):
        check_tensor("bilinear", tensor, name, position + 1)
    _check_bilinear(input1, input2, weight, bias)
    (*front, i), j, m = input1._array.shape, input2._array.shape[-1], weight._array.shape[0]
    rows = prod(front)
    forms = _trilinear(reshape(input1, (rows, i)), weight, reshape(input2, (rows, j)))
    result = view(forms, (*front, m))
    return result if bias is None else result + bias


def _check_bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    a, b, w = (tuple(v._array.shape) for v in (input1, input2, weight))
    mistake = None
    if len(a) != len(b):
        mistake = f"input dimensions do not match: got {len(a)} and {len(b)}"
    elif a[:-1] != b[:-1]:
        dim = next(d for d in range(len(a)) if a[d] != b[d])
        mistake = f"input batch dimensions do not match at dim {dim}: got {a[dim]} and {b[dim]}"
    elif a[-1] != w[1]:
        mistake = f"input1 size does not match weight size: got {a[-1]} but expected {w[1]}"
    elif b[-1] != w[2]:
        mistake = f"input2 size does not match weight size: got {b[-1]} but expected {w[2]}"
    elif bias is not None and bias._array.shape[0] != w[0]:
        found = bias._array.shape[0]
        mistake = f"bias size does not match weight size: got {found} but expected {w[0]}"
    if mistake is not None:
        advice = f"bilinear: expected (*, i), (*, j) and (m, i, j), got {a}, {b} and {w}."
        fail(ShapeError, f"bilinear(): {mistake}", advice)
    tensors = {"input1": input1, "input2": input2, "weight": weight, "bias": input1}
    if bias is not None:
        tensors["bias"] = bias
    if any(v._key.dtype is not input1._key.dtype for v in tensors.values()):
        found = ", ".join(f"{name}: {C_NAMES[v._key.dtype.name]}" for name, v in tensors.items())
        fail(
            DTypeError,
            f"All tensors must have the same dtype, got {found}",
            "bilinear: a product does not promote. Convert with .to(...) first.",
        )
