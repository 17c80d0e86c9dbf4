"""Kernels of the factorisation of symmetric matrices that need not be definite.

As in decompositions.py, loops run over the columns of a matrix, never over a batch. Which columns
pair up to a block of two differs between the matrices of a batch, so that every step is computed
for all and kept where it is due.
"""

from __future__ import annotations

from typing import Any, Final

from chainrule.backend import Array, KernelSet

from .decompositions import batched, magnitude

ks = KernelSet("xp")

#: How large an element of the diagonal must be beside others, for the least growth.
ALPHA: Final = (1 + 17**0.5) / 8


def factor(xp: Any, a: Array, *, hermitian: bool) -> tuple[Array, Array, Array]:
    """Return L and the blocks of D in one lower triangle, the pivots, and the first zero block.

    Source:
        J. R. Bunch and L. Kaufman (1977), Some stable methods for calculating inertia and solving
        symmetric linear systems, Mathematics of Computation 31: diagonal pivoting with blocks of
        one and two, choices and signs of the pivots as LAPACK's xSYTRF and xHETRF record them.
    """
    conjugate = hermitian and a.dtype.kind == "c"
    flat = batched(a)
    count, n = flat.shape[0], flat.shape[-1]
    rest = xp.tril(flat)
    turned = xp.tril(flat, -1).swapaxes(-2, -1)
    rest = rest + (turned.conj() if conjugate else turned)
    pivots = xp.zeros((count, n), xp.int32)
    info = xp.zeros((count,), xp.int32)
    second = xp.zeros((count,), dtype=bool)  # the column is the other half of a block
    for k in range(n):
        if conjugate:
            rest = xp.where(xp.eye(n, dtype=bool), rest.real.astype(rest.dtype), rest)
        single, other, zero = _choose(xp, rest, k)
        info = xp.where(~second & zero & (info == 0), k + 1, info)
        paired = ~(single | second)
        rest = _exchanged(xp, rest, k, xp.where(paired, k + 1, k), xp.where(second, k, other))
        pivot = xp.where(paired, -(other + 1), other + 1)
        pivots[:, k] = xp.where(second, pivots[:, k], pivot)
        if k + 1 < n:
            pivots[:, k + 1] = xp.where(paired, pivot, pivots[:, k + 1])
        due = ~second & single & ~zero
        rest = _eliminated(xp, rest, k, due, paired, conjugate=conjugate)
        second = paired
    batch = a.shape[:-2]
    return (
        xp.tril(rest).reshape(a.shape),
        pivots.reshape(*batch, n),
        info.reshape(batch).astype(xp.int32),
    )


def _choose(xp: Any, rest: Array, k: int) -> tuple[Array, Array, Array]:
    """Return if column *k* is a block of its own, what it is exchanged with, and if all is zero."""
    n = rest.shape[-1]
    own = magnitude(xp, rest[:, k, k])
    here = xp.zeros(own.shape, xp.int64) + k
    if k + 1 == n:
        return xp.ones(own.shape, dtype=bool), here, own == 0
    below = magnitude(xp, rest[:, k + 1 :, k])
    largest = xp.argmax(below, axis=1) + k + 1
    column = xp.max(below, axis=1)
    every = xp.arange(rest.shape[0])
    row = magnitude(xp, rest[every, largest, k:])
    row = xp.max(xp.where(xp.arange(k, n) == largest[:, None], 0, row), axis=1)
    zero = xp.maximum(own, column) == 0
    stays = zero | (own >= ALPHA * column)
    stays = stays | (own * row >= ALPHA * column * column)
    moves = ~stays & (magnitude(xp, rest[every, largest, largest]) >= ALPHA * row)
    return stays | moves, xp.where(stays, here, largest), zero


def _exchanged(xp: Any, rest: Array, k: int, one: Array, other: Array) -> Array:
    """Return *rest* with two rows and the same columns exchanged, of what is not factored yet."""
    places = xp.zeros((rest.shape[0], rest.shape[-1]), xp.int64) + xp.arange(rest.shape[-1])
    order = xp.where(places == one[:, None], other[:, None], places)
    order = xp.where(places == other[:, None], one[:, None], order)
    rows = xp.take_along_axis(rest, order[:, :, None] + xp.zeros_like(order)[:, None, :], axis=1)
    moved = xp.take_along_axis(rows, order[:, None, :] + xp.zeros_like(order)[:, :, None], axis=2)
    left = xp.arange(rest.shape[-1]) < k
    return xp.where(left[None, None, :], rest, moved)


def _eliminated(
    xp: Any, rest: Array, k: int, single: Array, paired: Array, *, conjugate: bool
) -> Array:
    """Return *rest* after the blocks at *k*, of one and of two columns, are cleared below."""
    n = rest.shape[-1]
    below = xp.arange(n)[:, None]
    block = rest[:, k : k + 2, k : k + 2]
    one = xp.where(single, block[:, 0, 0], xp.ones_like(block[:, 0, 0]))
    factors = rest[:, :, k : k + 1] / one[:, None, None]
    column = xp.where(below > k, factors, 0 * factors)
    done = rest - _product(xp, column, rest[:, :, k : k + 1], k, 1, conjugate=conjugate)
    done = xp.where((xp.arange(n) == k) & (below > k), factors, done)
    result = xp.where(single[:, None, None], done, rest)
    if k + 2 > n:
        return result
    two = xp.where(paired[:, None, None], block, xp.eye(2, dtype=rest.dtype))
    factors = xp.matmul(rest[:, :, k : k + 2], _inverse(xp, two))
    columns = xp.where(below > k + 1, factors, 0 * factors)
    done = rest - _product(xp, columns, rest[:, :, k : k + 2], k, 2, conjugate=conjugate)
    wide = xp.concatenate([rest[:, :, :k], factors, rest[:, :, k + 2 :]], axis=2)
    inside = (xp.arange(n) >= k) & (xp.arange(n) < k + 2) & (below > k + 1)
    return xp.where(paired[:, None, None], xp.where(inside, wide, done), result)


def _product(xp: Any, left: Array, right: Array, k: int, width: int, *, conjugate: bool) -> Array:
    """Return what clearing a block takes off the rows and columns after it, and zeros elsewhere."""
    turned = right.swapaxes(-2, -1)
    product = xp.matmul(left, turned.conj() if conjugate else turned)
    n = product.shape[-1]
    return xp.where(xp.arange(n) >= k + width, product, 0 * product)


def _inverse(xp: Any, two: Array) -> Array:
    """Return the inverses of matrices of two rows."""
    a, b, c, d = two[:, 0, 0], two[:, 0, 1], two[:, 1, 0], two[:, 1, 1]
    whole = a * d - b * c
    rows = [xp.stack([d, -b], axis=1), xp.stack([-c, a], axis=1)]
    return xp.stack(rows, axis=1) / whole[:, None, None]


def solve(xp: Any, ld: Array, pivots: Array, b: Array, *, hermitian: bool) -> Array:
    """Return X with ``A X = b``, from what `factor` gives."""
    conjugate = hermitian and ld.dtype.kind == "c"
    shape = (*xp.broadcast_shapes(ld.shape[:-2], b.shape[:-2]), *b.shape[-2:])
    n = ld.shape[-1]
    x = batched(xp.array(xp.broadcast_to(b, shape)))
    low = batched(xp.array(xp.broadcast_to(ld, (*shape[:-2], n, n))))
    signed = xp.broadcast_to(pivots, (*shape[:-2], n)).reshape(x.shape[0], n)
    others = xp.abs(signed).astype(xp.int64) - 1
    firsts = _first_halves(xp, signed)
    below = xp.arange(n)[:, None]
    for k in range(n):
        first = firsts[:, k]
        paired = first | (firsts[:, k - 1] if k else xp.zeros_like(first))
        rows = xp.where(first, k + 1, k)
        moved = _swapped(xp, x, rows, others[:, k])
        x = xp.where((paired & ~first)[:, None, None], x, moved)
        single = (
            x
            - xp.where(below > k, low[:, :, k : k + 1], 0 * low[:, :, k : k + 1])
            * (x[:, k : k + 1])
        )
        diagonal = low[:, k, k][:, None, None]
        single = xp.where(below == k, x / xp.where(paired[:, None, None], 1, diagonal), single)
        x = xp.where(paired[:, None, None], x, single)
        if k + 1 < n:
            x = xp.where(first[:, None, None], _block_step(xp, low, x, k, first, conjugate), x)
    for k in reversed(range(n)):
        first = firsts[:, k]
        second = firsts[:, k - 1] if k else xp.zeros_like(first)
        single = ~(first | second)
        here = xp.zeros_like(others[:, k]) + k
        back = _swapped(xp, _back(xp, low, x, k, k, 1, conjugate), here, others[:, k])
        pair = x
        if k:
            pair = _swapped(xp, _back(xp, low, x, k - 1, k, 2, conjugate), here, others[:, k])
        x = xp.where(single[:, None, None], back, xp.where(second[:, None, None], pair, x))
    return x.reshape(shape)


def _first_halves(xp: Any, signed: Array) -> Array:
    """Return which columns are the first of a block of two: of negative pivots, every other one."""
    firsts = signed < 0
    for k in range(1, signed.shape[1]):
        firsts[:, k] &= ~firsts[:, k - 1]
    return firsts


def _swapped(xp: Any, x: Array, one: Array, other: Array) -> Array:
    """Return *x* with two rows of each matrix exchanged."""
    places = xp.zeros((x.shape[0], x.shape[1]), xp.int64) + xp.arange(x.shape[1])
    order = xp.where(places == one[:, None], other[:, None], places)
    order = xp.where(places == other[:, None], one[:, None], order)
    return xp.take_along_axis(x, order[:, :, None] + xp.zeros((1, 1, x.shape[2]), xp.int64), axis=1)


def _block_step(xp: Any, low: Array, x: Array, k: int, first: Array, conjugate: bool) -> Array:
    """Return *x* after the block of two at *k* is solved, and cleared below."""
    rows = xp.arange(x.shape[1])[:, None]
    columns = low[:, :, k : k + 2]
    columns = xp.where(rows > k + 1, columns, 0 * columns)
    cleared = x - xp.matmul(columns, x[:, k : k + 2])
    corner = low[:, k + 1, k]
    above = corner.conj() if conjugate else corner
    block = xp.stack(
        [xp.stack([low[:, k, k], above], axis=1), xp.stack([corner, low[:, k + 1, k + 1]], axis=1)],
        axis=1,
    )
    block = xp.where(first[:, None, None], block, xp.eye(2, dtype=low.dtype))
    solved = xp.matmul(_inverse(xp, block), x[:, k : k + 2])
    wide = xp.concatenate([x[:, :k], solved, x[:, k + 2 :]], axis=1)
    return xp.where((rows >= k) & (rows <= k + 1), wide, cleared)


def _back(
    xp: Any, low: Array, x: Array, start: int, end: int, width: int, conjugate: bool
) -> Array:
    """Return *x* less what the rows after *end* hold of the columns of a block."""
    columns = low[:, end + 1 :, start : start + width].swapaxes(-2, -1)
    taken = xp.matmul(columns.conj() if conjugate else columns, x[:, end + 1 :])
    inner = x[:, start : start + width] - taken
    return xp.concatenate([x[:, :start], inner, x[:, start + width :]], axis=1)


@ks.family("cr::_ldl_factor_ex")
def ldl_factor_ex(xp: Any) -> Any:
    def kernel(a: Array, *, hermitian: bool = False) -> tuple[Array, Array, Array]:
        return factor(xp, a, hermitian=hermitian)

    return kernel


@ks.family("cr::linalg_ldl_solve")
def ldl_solve(xp: Any) -> Any:
    def kernel(ld: Array, pivots: Array, b: Array, *, hermitian: bool = False) -> Array:
        return solve(xp, ld, pivots, b, hermitian=hermitian)

    return kernel
