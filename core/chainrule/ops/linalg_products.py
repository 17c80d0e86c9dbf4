"""Products of vectors and tensors, made of those of matrices."""

from __future__ import annotations

import operator
from math import prod
from typing import TYPE_CHECKING, Any

from .._warn import warn
from ..dtypes import FLOATING
from ..errors import DTypeError, ShapeError
from ..inplace import fill_out
from ..naming import numpy_names
from ..shapes import wrap_dim, wrap_dims
from ..value import Value, storage_of
from ._arguments import check_tensor
from .axes import permute
from .complex import conj
from .linalg import dot, linalg_cross, mm, vdot
from .linalg_checks import check_vector, fail
from .reductions import sum
from .shape import _unsafe_view, is_contiguous, reshape

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["cross", "ger", "inner", "kron", "outer", "tensordot", "vecdot"]


def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the matrix of all products of an element of one vector and one of the other.

    Args:
        input: ``(n,)``.
        vec2: ``(m,)``.
        out: Where to write the result.

    Returns:
        ``(n, m)``, in the promoted dtype.

    Raises:
        RuntimeError: one is no vector.

    >>> import chainrule as cr
    >>> cr.outer(cr.tensor([1, 2]), cr.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    check_tensor("outer", input)
    check_tensor("outer", vec2, "vec2", 2)
    check_vector(input, "outer", "self")
    check_vector(vec2, "outer", "vec2")
    product = reshape(input, (input._array.shape[0], 1)) * vec2
    return product if out is None else fill_out(out, product)  # type: ignore[no-any-return]  # it is out


def ger(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return `outer` of two vectors, by its older name."""
    return outer(input, vec2, out=out)


def inner(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the sums of products over the last dimension of both.

    Args:
        input: ``(*, k)``; or 0-d, which multiplies.
        other: ``(*, k)``, of the same dtype.
        out: Where to write the result.

    Returns:
        The leading dimensions of *input*, then those of *other*.

    Raises:
        RuntimeError: the last sizes differ.

    >>> import chainrule as cr
    >>> cr.inner(cr.ones(2, 3), cr.ones(4, 3)).shape
    torch.Size([2, 4])
    """
    check_tensor("inner", input)
    check_tensor("inner", other, "other", 2)
    a, b = input._array.shape, other._array.shape
    if not a or not b:
        product = input * other
        return product if out is None else fill_out(out, product)  # type: ignore[no-any-return]  # it is out
    if a[-1] != b[-1]:
        fail(
            ShapeError,
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(a)} and {list(b)}",
            "inner: transpose one of them, or use tensordot().",
        )
    return tensordot(input, other, ([-1], [-1]), out=out)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """Return the inner products of vectors along *dim*, those of *x* conjugated.

    It is ``chainrule.linalg.vecdot``.

    Args:
        x: ``(*, k)``, floating or complex.
        y: Of the same dtype, and of a shape that broadcasts with *x*.
        dim: The dimension of the vectors.
        out: Where to write the result.

    Returns:
        The broadcast shape without *dim*.

    Raises:
        RuntimeError: the shapes do not broadcast, the dtypes differ or are integer.

    >>> import chainrule as cr
    >>> cr.vecdot(cr.ones(2, 3), cr.ones(3))
    tensor([3., 3.])
    """
    check_tensor("linalg_vecdot", x, "x")
    check_tensor("linalg_vecdot", y, "y", 2)
    ours, theirs = x._key.dtype, y._key.dtype
    if ours.category < FLOATING:
        fail(
            DTypeError,
            "linalg.vecdot: Expected a floating point or complex tensor as input. Got "
            f"{ours.scalar_name}",
            "linalg.vecdot: convert with .float() first.",
        )
    if ours is not theirs:
        fail(
            DTypeError,
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{ours.scalar_name} and y of type {theirs.scalar_name} instead",
            f"linalg.vecdot: convert one of them with .to({theirs}).",
        )
    if len(x._array.shape) == 1 == len(y._array.shape):
        product = vdot(x, y)
    else:
        product = sum(conj(x) * y, dim)
    return product if out is None else fill_out(out, product)


@numpy_names
def cross(
    input: Tensor, other: Tensor, dim: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Return the cross product of vectors of length 3 along *dim*.

    Args:
        input: ``(*, 3, *)``.
        other: Of the same dtype, and of a shape that broadcasts with *input*.
        dim: The dimension of the vectors; by default, with a warning, the first of size 3.
        out: Where to write the result.

    Returns:
        The broadcast shape.

    Raises:
        RuntimeError: the vectors are not of length 3.

    >>> import chainrule as cr
    >>> cr.cross(cr.tensor([1, 0, 0]), cr.tensor([0, 1, 0]), dim=0)
    tensor([0, 0, 1])
    """
    check_tensor("cross", input)
    if dim is None:
        warn(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass "
            "the dim explicitly or simply use torch.linalg.cross.\nThe default value of dim will "
            "change to agree with that of linalg.cross in a future release.",
            UserWarning,
            stacklevel=2,
        )
        shape = tuple(input._array.shape)
        if 3 not in shape:
            fail(
                ShapeError,
                "no dimension of size 3 in input",
                f"cross: expected vectors of length 3, got shape {shape}.",
            )
        dim = shape.index(3)
    product = linalg_cross(input, other, dim=dim)
    return product if out is None else fill_out(out, product)


# Products of tensors


def tensordot(
    a: Tensor, b: Tensor, dims: Any = 2, out: Tensor | None = None, *, axes: Any = None
) -> Tensor:
    """Return the sum of products over some dimensions of *a* and as many of *b*.

    Args:
        a: ``(*)``.
        b: ``(*)``, of the same dtype.
        dims: How many dimensions, the last of *a* and the first of *b*; or two lists of them.
        out: Where to write the result.
        axes: The same as *dims*, by the name that NumPy has for it.

    Returns:
        The other dimensions of *a*, then those of *b*.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    >>> import chainrule as cr
    >>> cr.tensordot(cr.ones(2, 3, 4), cr.ones(4, 2, 5), dims=([0, 2], [1, 0])).shape
    torch.Size([3, 5])
    """
    check_tensor("tensordot", a, "a")
    check_tensor("tensordot", b, "b", 2)
    ours, theirs = _dims_of_tensordot(a, b, dims if axes is None else axes)
    a, b, ours, theirs = _sum_broadcast_dims(a, b, ours, theirs)
    if a._key.dtype is not b._key.dtype:
        fail(DTypeError, "both inputs should have same dtype", "tensordot: convert one of them.")
    free_a = [d for d in range(len(a._array.shape)) if d not in ours]
    free_b = [d for d in range(len(b._array.shape)) if d not in theirs]
    sizes = [a._array.shape[d] for d in free_a] + [b._array.shape[d] for d in free_b]
    left, right = permute(a, (*free_a, *ours)), permute(b, (*theirs, *free_b))
    common = prod(a._array.shape[d] for d in ours)
    rows, columns = prod(sizes[: len(free_a)]), prod(sizes[len(free_a) :])
    if rows == 1 == columns:
        product = dot(_as_vector(left), _as_vector(right))
    else:
        product = mm(reshape(left, (rows, common)), reshape(right, (common, columns)))
    result = reshape(product, tuple(sizes))
    return result if out is None else fill_out(out, result)


def _as_vector(input: Tensor) -> Tensor:
    return input if len(input._array.shape) == 1 else reshape(input, -1)


def _dims_of_tensordot(a: Tensor, b: Tensor, dims: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the dimensions of *a* and those of *b* to sum over."""
    if isinstance(dims, Value):
        dims = dims._key.backend.tolist(dims._array)
    n, m = len(a._array.shape), len(b._array.shape)
    if isinstance(dims, (tuple, list)):
        ours, theirs = ([d] if isinstance(d, int) else list(d) for d in dims)
    else:
        count = operator.index(dims)
        if count < 0:
            sentence = f"tensordot expects dims >= 0, but got dims={dims}"
            fail(ShapeError, sentence, "tensordot: pass how many dimensions to sum over.")
        if count > min(n, m):
            sentence = f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}"
            fail(ShapeError, sentence, f"tensordot: got tensors of {n} and {m} dimensions.")
        ours, theirs = list(range(-count, 0)), list(range(count))
    if len(ours) != len(theirs):
        sentence = "both dimension lists should have same length"
        fail(ShapeError, sentence, f"tensordot: got {len(ours)} and {len(theirs)} dimensions.")
    for d, e in zip(ours, theirs, strict=True):
        have, other = a._array.shape[wrap_dim(d, n)], b._array.shape[wrap_dim(e, m)]
        if have != other and 1 not in {have, other}:
            fail(
                ShapeError,
                f"contracted dimensions need to match, but first has size {have} in dim {d} and "
                f"second has size {other} in dim {e}",
                f"tensordot: got shapes {tuple(a._array.shape)} and {tuple(b._array.shape)}.",
            )
    return wrap_dims(ours, n), wrap_dims(theirs, m)


def _sum_broadcast_dims(
    a: Tensor, b: Tensor, ours: tuple[int, ...], theirs: tuple[int, ...]
) -> tuple[Tensor, Tensor, tuple[int, ...], tuple[int, ...]]:
    """Return *a* and *b* summed, dimension kept, where the other has size 1."""
    for d, e in zip(ours, theirs, strict=True):
        if b._array.shape[e] == 1:
            a = sum(a, d, keepdim=True)
        elif a._array.shape[d] == 1:
            b = sum(b, e, keepdim=True)
    return a, b, ours, theirs


def kron(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the Kronecker product: *input* with every element replaced by it times *other*.

    Args:
        input: ``(*)``.
        other: ``(*)``; the shorter shape is filled up with ones in front.
        out: Where to write the result.

    Returns:
        The products of the sizes, in the promoted dtype.

    >>> import chainrule as cr
    >>> cr.kron(cr.tensor([1, 10]), cr.tensor([1, 2, 3]))
    tensor([ 1,  2,  3, 10, 20, 30])
    """
    check_tensor("kron", input)
    check_tensor("kron", other, "other", 2)
    ndim = max(len(input._array.shape), len(other._array.shape))
    a, b = ((1,) * (ndim - len(v._array.shape)) + tuple(v._array.shape) for v in (input, other))
    left = _spread(input, tuple(size for n in a for size in (n, 1)))
    right = _spread(other, tuple(size for n in b for size in (1, n)))
    result = _unsafe_view(left * right, tuple(n * m for n, m in zip(a, b, strict=True)))
    return result if out is None else fill_out(out, result)


def _spread(input: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return *input* as *size* by the node that PyTorch has here, sharing the version counter."""
    spread = _unsafe_view(input, size)
    if is_contiguous(input):
        spread._storage = storage_of(input)
    return spread
