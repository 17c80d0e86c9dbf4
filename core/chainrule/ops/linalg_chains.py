"""Products of many matrices: chains and powers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, DTypeError, ShapeError
from ..inplace import fill_out
from ._arguments import check_tensor
from ._operands import C_NAMES
from .copying import clone, copy
from .creation_ranges import eye
from .linalg import mm
from .linalg_checks import fail
from .linalg_matmul import matmul
from .shape import unsqueeze, view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["chain_matmul", "matrix_power", "multi_dot"]


def multi_dot(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Return the product of two or more matrices, in the order that needs the fewest steps.

    It is ``chainrule.linalg.multi_dot``.

    Args:
        tensors: Matrices; the first may be a vector, as a row, and the last, as a column.
        out: Where to write the result.

    Returns:
        The product, without the dimensions that the vectors lack.

    Raises:
        RuntimeError: the sizes do not match.

    Source:
        T. H. Cormen, C. E. Leiserson, R. L. Rivest and C. Stein, Introduction to Algorithms,
        section "Matrix-chain multiplication".

    >>> import chainrule as cr
    >>> cr.multi_dot([cr.ones(2, 3), cr.ones(3, 4), cr.ones(4)])
    tensor([12., 12.])
    """
    chain = list(tensors)
    _check_chain(chain)
    row, column = len(chain[0]._array.shape) == 1, len(chain[-1]._array.shape) == 1
    if row:
        chain[0] = unsqueeze(chain[0], 0)
    if column:
        chain[-1] = unsqueeze(chain[-1], 1)
    _check_sizes_of_chain(chain)
    shape = () if row else tuple(chain[0]._array.shape[:1])
    if not column:
        shape += tuple(chain[-1]._array.shape[1:])
    result = view(_multiply_chain(chain, _best_splits(chain), 0, len(chain) - 1), shape)
    return result if out is None else fill_out(out, result)


def _check_chain(chain: list[Any]) -> None:
    count = len(chain)
    if count < 2:
        sentence = f"multi_dot(): expected at least 2 tensors but got {count}"
        fail(ShapeError, sentence, "multi_dot: pass a list of matrices.")
    ndims = [len(tensor._array.shape) for tensor in chain]
    for place, ndim in (("first", ndims[0]), ("last", ndims[-1])):
        if ndim not in {1, 2}:
            sentence = f"multi_dot(): the {place} tensor must be 1D or 2D but got {ndim}D"
            fail(ShapeError, sentence, "multi_dot: use matmul() for batches.")
    for index, ndim in enumerate(ndims[1:-1], 1):
        if ndim != 2:
            sentence = f"multi_dot(): tensor {index} must be 2D but got {ndim}D"
            fail(ShapeError, sentence, "multi_dot: only the first and the last may be a vector.")
    for index, tensor in enumerate(chain):
        if tensor._key.dtype is not chain[0]._key.dtype:
            names = [C_NAMES[v._key.dtype.name] for v in (chain[0], tensor)]
            sentence = (
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{names[0]} and tensor {index} {names[1]}"
            )
            fail(DTypeError, sentence, "multi_dot: a product does not promote. Convert first.")


def _check_sizes_of_chain(chain: list[Tensor]) -> None:
    for index, (left, right) in enumerate(itertools.pairwise(chain)):
        a, b = list(left._array.shape), list(right._array.shape)
        if a[1] != b[0]:
            fail(
                ShapeError,
                f"multi_dot(): tensors {index} and {index + 1} with shapes {a} and {b} cannot be "
                "multiplied",
                f"multi_dot: expected as many columns as rows, got {a[1]} and {b[0]}.",
            )


def _best_splits(chain: list[Tensor]) -> dict[tuple[int, int], int]:
    """Return after which matrix each part of the chain, from one to another, is best cut in two."""
    sizes = [chain[0]._array.shape[0], *(tensor._array.shape[1] for tensor in chain)]
    cost = {(i, i): 0 for i in range(len(chain))}
    splits = {}
    for length in range(1, len(chain)):
        for i in range(len(chain) - length):
            j = i + length
            steps = {
                k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            }
            splits[i, j] = min(steps, key=steps.__getitem__)
            cost[i, j] = steps[splits[i, j]]
    return splits


def _multiply_chain(
    chain: list[Tensor], splits: dict[tuple[int, int], int], i: int, j: int
) -> Tensor:
    if i == j:
        return chain[i]
    k = splits[i, j]
    left, right = _multiply_chain(chain, splits, i, k), _multiply_chain(chain, splits, k + 1, j)
    return mm(left, right)


def chain_matmul(*matrices: Tensor, out: Tensor | None = None) -> Tensor:
    """Return `multi_dot` of *matrices*, one of which may stand alone: the older form.

    >>> import chainrule as cr
    >>> cr.chain_matmul(cr.ones(2, 3))
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    if not matrices:
        sentence = "chain_matmul(): Expected one or more matrices"
        fail(ShapeError, sentence, "chain_matmul: pass them one by one.")
    for tensor in matrices:
        if len(tensor._array.shape) != 2:
            sentence = f"Tensor dimension is {len(tensor._array.shape)}, expected 2 instead."
            fail(ShapeError, sentence, "chain_matmul: use multi_dot() for vectors.")
    if len(matrices) > 1:
        return multi_dot(matrices, out=out)
    only = clone(matrices[0])
    return only if out is None else fill_out(out, only)


def matrix_power(input: Tensor, n: int, *, out: Tensor | None = None) -> Tensor:
    """Return the product of *n* factors *input*, by repeated squaring.

    Args:
        input: ``(*, m, m)``.
        n: The exponent; zero gives the identity, a negative one powers of the inverse.
        out: Where to write the result.

    Returns:
        ``(*, m, m)``.

    Raises:
        RuntimeError: the matrices are not square; or *n* is negative and one is singular.

    >>> import chainrule as cr
    >>> cr.matrix_power(cr.tensor([[1, 1], [1, 0]]), 10)
    tensor([[89, 55],
            [55, 34]])
    """
    check_tensor("linalg_matrix_power", input)
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        kind = type(n).__name__
        msg = f"linalg_matrix_power(): argument 'n' (position 2) must be int, not {kind}"
        raise ArgumentError(msg)
    _check_square(input)
    if n < 0:
        from .matrix_inverse import linalg_inv

        input, n = linalg_inv(input), -n
    result = _identity_like(input) if n == 0 else clone(input) if n == 1 else _power(input, n)
    return result if out is None else fill_out(out, result)


def _check_square(input: Tensor) -> None:
    shape = input._array.shape
    if len(shape) < 2:
        sentence = "linalg.matrix_power: The input tensor A must have at least 2 dimensions."
        fail(ShapeError, sentence, f"matrix_power: got shape {tuple(shape)}.")
    if shape[-1] != shape[-2]:
        sentence = (
            "linalg.matrix_power: A must be batches of square matrices, but they are "
            f"{shape[-2]} by {shape[-1]} matrices"
        )
        fail(ShapeError, sentence, "matrix_power: expected as many rows as columns.")


def _identity_like(input: Tensor) -> Tensor:
    """Return identity matrices of the shape of *input*."""
    key = input._key
    return copy(clone(input), eye(input._array.shape[-1], dtype=key.dtype, device=key.device))


def _power(base: Tensor, n: int) -> Tensor:
    """Return the product of *n* factors, two at least: PyTorch's order, three taken on its own."""
    if n == 3:
        return matmul(matmul(base, base), base)
    result, square = None, base
    while n:
        n, odd = divmod(n, 2)
        if odd:
            result = square if result is None else matmul(result, square)
        if n:
            square = matmul(square, square)
    return result  # type: ignore[return-value]  # n was not zero
