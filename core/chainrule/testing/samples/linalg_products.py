"""Samples of chainrule/ops/linalg_*.py: products made of those of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample
from .linalg import FLOATS, NUMBERS, PRODUCT, double, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _matmul(make: Maker) -> Iterator[Sample]:
    shapes: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((5, 2, 3), (3,)),
        ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)),
        ((1, 2, 3), (5, 3, 4)), ((5, 2, 3), (1, 3, 4)), ((2, 5, 2, 3), (5, 3, 4)),
        ((2, 1, 2, 3), (5, 3, 2)), ((2, 5, 2, 3), (3, 4)), ((0, 2, 3), (3, 4)),
        ((5, 2, 0), (5, 0, 4)),
    ]  # fmt: skip
    for left, right in shapes:
        yield Sample(make(*left), make(*right))
    yield Sample(make.transposed(5, 2, 3), make.strided(3, 4))
    yield Sample(make.transposed(5, 2, 3), make.strided(3))


def _matmul_errors(make: Maker) -> Iterator[ErrorSample]:
    number = "both arguments to matmul need to be at least 1D, but they are 0D and 1D"
    yield refused(Sample(make(), make(2)), number)
    sizes = r"mat1 and mat2 shapes cannot be multiplied \(10x3 and 2x3\)"
    yield refused(Sample(make(5, 2, 3), make(2, 3)), sizes)
    batches = r"The size of tensor a \(5\) must match the size of tensor b \(4\)"
    yield refused(Sample(make(5, 2, 3), make(4, 3, 2)), batches)
    tensor = r"matmul\(\): argument 'other' \(position 2\) must be Tensor, not int"
    yield refused(Sample(make(2), 3), tensor, TypeError)


def _linear(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(4, 3), make(4))
    yield Sample(make(2, 3), make(4, 3))
    yield Sample(make(5, 2, 3), make(4, 3), make(4))
    yield Sample(make(5, 2, 3), make(4, 3))
    yield Sample(make(3), make(4, 3), make(4))
    yield Sample(make(3), make(4, 3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make.transposed(5, 2, 3), make.strided(4, 3), make(4))
    yield Sample(make(2, 3), make(4, 3), make(1))
    yield Sample(make(5, 2, 3), make(4, 3), make(2, 4))
    yield Sample(make(0, 3), make(4, 3), make(4))
    yield Sample(make(2, 0), make(4, 0), make(4))


def _linear_errors(make: Maker) -> Iterator[ErrorSample]:
    sizes = r"mat1 and mat2 shapes cannot be multiplied \(4x5 and 3x2\)"
    yield refused(Sample(make(4, 5), make(2, 3), make(2)), sizes)
    differ = "mat1 and mat2 must have the same dtype, but got Double and Float"
    yield refused(Sample(double(make, 4, 3), make(2, 3), make(2)), differ)
    number = "both arguments to linear need to be at least 1D, but they are 0D and 2D"
    yield refused(Sample(make(), make(3, 1)), number)
    tensor = r"linear\(\): argument 'input' \(position 1\) must be Tensor, not NoneType"
    yield refused(Sample(None, make(3, 1)), tensor, TypeError)


def _bilinear(make: Maker) -> Iterator[Sample]:
    yield Sample(make(5, 3), make(5, 4), make(2, 3, 4), make(2))
    yield Sample(make(5, 3), make(5, 4), make(2, 3, 4))
    yield Sample(make(3), make(4), make(2, 3, 4), make(2))
    yield Sample(make(2, 5, 3), make(2, 5, 4), make(2, 3, 4), make(2))


def _bilinear_errors(make: Maker) -> Iterator[ErrorSample]:
    batches = r"bilinear\(\): input batch dimensions do not match at dim 0: got 5 and 4"
    yield refused(Sample(make(5, 3), make(4, 4), make(2, 3, 4)), batches)
    first = r"bilinear\(\): input1 size does not match weight size: got 2 but expected 3"
    yield refused(Sample(make(5, 2), make(5, 4), make(2, 3, 4)), first)
    second = r"bilinear\(\): input2 size does not match weight size: got 5 but expected 4"
    yield refused(Sample(make(5, 3), make(5, 5), make(2, 3, 4)), second)
    ndim = r"bilinear\(\): input dimensions do not match: got 2 and 3"
    yield refused(Sample(make(5, 3), make(5, 5, 5), make(2, 3, 4)), ndim)
    added = r"bilinear\(\): bias size does not match weight size: got 3 but expected 2"
    yield refused(Sample(make(5, 3), make(5, 4), make(2, 3, 4), make(3)), added)
    differ = "All tensors must have the same dtype, got input1: float, input2: double"
    yield refused(Sample(make(5, 3), double(make, 5, 4), make(2, 3, 4), make(2)), differ)


def _outer(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3), make(4))
    yield Sample(make.strided(3), make(0))


def _inner(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(4, 3))
    yield Sample(make(3), make(3))
    yield Sample(make(5, 2, 3), make(4, 3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(), make(3))
    yield Sample(make.transposed(2, 3), make.strided(4, 3))


def _inner_errors(make: Maker) -> Iterator[ErrorSample]:
    sizes = r"inner\(\) the last dimension must match on both input tensors but got shapes \[2, 3\]"
    yield refused(Sample(make(2, 3), make(2, 4)), sizes)
    yield refused(Sample(make(3), double(make, 3)), "both inputs should have same dtype")


def _vecdot(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(2, 3))
    yield Sample(make(3), make(3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(2, 3), make(2, 3), dim=0)
    yield Sample(make.transposed(2, 3), make.strided(2, 3))


def _vecdot_errors(make: Maker) -> Iterator[ErrorSample]:
    differ = "linalg.vecdot: Expected x and y to have the same dtype, but found x of type Float and"
    yield refused(Sample(make(2, 3), double(make, 2, 3)), differ)
    whole = Sample(make.index(3, below=4), make.index(3, below=4))
    floating = "linalg.vecdot: Expected a floating point or complex tensor as input. Got Long"
    yield refused(whole, floating)


def _tensordot(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3, 4), make(3, 4, 5))
    yield Sample(make(2, 3, 4), make(4, 2, 5), ([0, 2], [1, 0]))
    yield Sample(make(2, 3), make(3, 4), dims=([-1], [-2]))
    yield Sample(make(2, 3), make(4), 0)
    yield Sample(make(3), make(3), 1)
    yield Sample(make(2, 3), make(2, 3), 2)
    yield Sample(make(2, 1), make(3, 2), ([1], [0]))
    yield Sample(make.transposed(2, 3), make.strided(3, 2), 1)


def _tensordot_errors(make: Maker) -> Iterator[ErrorSample]:
    sizes = "contracted dimensions need to match, but first has size 3 in dim -1 and second has"
    yield refused(Sample(make(2, 3), make(2, 3), 1), sizes)
    negative = "tensordot expects dims >= 0, but got dims=-1"
    yield refused(Sample(make(2, 3), make(3, 2), -1), negative)
    many = "tensordot expects dims < ndim_a or ndim_b, but got dims=3"
    yield refused(Sample(make(2, 3), make(3, 2), 3), many)
    lengths = "both dimension lists should have same length"
    yield refused(Sample(make(2, 3), make(2, 3), ([0, 1], [1])), lengths)
    twice = "dim 0 appears multiple times in the list of dims"
    yield refused(Sample(make(2, 2), make(2, 2), ([0, 0], [0, 1])), twice)
    yield refused(Sample(make(2, 2), double(make, 2, 2), 1), "both inputs should have same dtype")


def _tensordot_reference(np: Any, x: Any, y: Any, dims: Any = 2) -> Any:
    if x.shape == (2, 1):  # NumPy does not broadcast what it sums over
        y = y.sum(0, keepdims=True)
    return np.tensordot(x, y, dims)


def _kron(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(4))
    yield Sample(make(2), make(3, 2))
    yield Sample(make(), make(3))
    yield Sample(make(0, 2), make(3))


def _einsum(make: Maker) -> Iterator[Sample]:
    yield Sample("ij,jk->ik", make(2, 3), make(3, 4))
    yield Sample("ij,jk->ki", make(2, 3), make(3, 4))
    yield Sample("ij,jk", make(2, 3), make(3, 4))
    yield Sample("bij,bjk->bik", make(5, 2, 3), make(5, 3, 4))
    yield Sample("...ij,...jk->...ik", make(2, 5, 2, 3), make(5, 3, 4))
    yield Sample("bhid,bhjd->bhij", make(2, 2, 4, 3), make(2, 2, 3, 3))
    yield Sample("ij->ji", make(2, 3))
    yield Sample("ij->", make(2, 3))
    yield Sample("i...->...", make(2, 3))
    yield Sample("ii->i", make(3, 3))
    yield Sample("ii", make(3, 3))
    yield Sample("iij,jk->ik", make(3, 3, 2), make(2, 4))
    yield Sample("i,j->ij", make(2), make(3))
    yield Sample("ij,ij->", make.transposed(2, 3), make.strided(2, 3))
    yield Sample("ij,jk,kl->il", make(2, 3), make(3, 4), make(4, 2))
    yield Sample("ij,jk->ik", make(2, 1), make(3, 4))
    yield Sample(",i->i", make(), make(3))
    yield Sample(" i j , j -> i ", make(2, 3), make(3))
    yield Sample("ij,jk->ik", make(2, 0), make(0, 3))


def _einsum_errors(make: Maker) -> Iterator[ErrorSample]:
    x = make(2, 3)
    few = r"einsum\(\): fewer operands were provided than specified in the equation"
    yield refused(Sample("ij,jk", x), few)
    more = r"einsum\(\): more operands were provided than specified in the equation"
    yield refused(Sample("ij", x, make(2)), more)
    count = r"einsum\(\): the number of subscripts in the equation \(3\) does not match the number"
    yield refused(Sample("ijk", x), count)
    sign = r"einsum\(\): invalid subscript given at index 1 in the equation string"
    yield refused(Sample("i1->i", x), sign)
    dot = r"einsum\(\): found '.' for operand 0 that is not part of any ellipsis"
    yield refused(Sample("i.j->ij", x), dot)
    nowhere = r"einsum\(\): output subscript k does not appear in the equation for any input"
    yield refused(Sample("ij->ik", x), nowhere)
    twice = r"einsum\(\): output subscript i appears more than once in the output"
    yield refused(Sample("ij->ii", x), twice)
    size = r"einsum\(\): subscript j has size 4 for operand 1 which does not broadcast with"
    yield refused(Sample("ij,jk", x, make(4, 5)), size)
    square = r"einsum\(\): subscript i is repeated for operand 0 but the sizes don't match, 3 != 2"
    yield refused(Sample("ii", x), square)


def _multi_dot(make: Maker) -> Iterator[Sample]:
    yield Sample([make(2, 3), make(3, 4)])
    yield Sample([make(2, 3), make(3, 4), make(4, 5)])
    yield Sample([make(2, 3), make(3, 4), make(4, 5), make(5, 1)])
    yield Sample([make(3), make(3, 4), make(4)])


def _multi_dot_errors(make: Maker) -> Iterator[ErrorSample]:
    lone = r"multi_dot\(\): expected at least 2 tensors but got 1"
    yield refused(Sample([make(2, 3)]), lone)
    sizes = r"multi_dot\(\): tensors 0 and 1 with shapes \[2, 3\] and \[2, 3\] cannot be multiplied"
    yield refused(Sample([make(2, 3), make(2, 3)]), sizes)
    middle = r"multi_dot\(\): tensor 1 must be 2D but got 1D"
    yield refused(Sample([make(2, 3), make(3), make(3, 3)]), middle)


def _chain_matmul(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(3, 4), make(4, 1))
    yield Sample(make(2, 3))


def _matrix_power(make: Maker) -> Iterator[Sample]:
    for n in (2, 0, 1, 3, 4, 5, 7):
        yield Sample(make(3, 3), n)
    yield Sample(make(2, 2, 2), 3)
    yield Sample(make(2, 2, 2), 0)


def _matrix_power_errors(make: Maker) -> Iterator[ErrorSample]:
    square = "linalg.matrix_power: A must be batches of square matrices, but they are 2 by 3"
    yield refused(Sample(make(2, 3), 2), square)
    ndim = "linalg.matrix_power: The input tensor A must have at least 2 dimensions."
    yield refused(Sample(make(3), 2), ndim)


def _outer_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(2, 2), make(2)), "outer: Expected 1-D argument self, but got 2-D")
    yield refused(Sample(make(2), make(2, 1)), "outer: Expected 1-D argument vec2, but got 2-D")


def _einsum_reference(np: Any, equation: str, *arrays: Any) -> Any:
    return np.einsum(equation.replace(" ", ""), *arrays)


POWER = {"float32": 1e-4, "float64": 1e-11, "complex64": 1e-4}  # seven factors in a row

cases = [
    OpCase(
        "matmul", _matmul, lambda np, x, y: x @ y, FLOATS,
        saved=("mat2", "self"), node="MmBackward0", errors=_matmul_errors, tolerance=PRODUCT,
    ),
    OpCase(
        "linear", _linear, lambda np, x, w, b=0: x @ w.T + b, FLOATS,
        saved=("alpha", "beta", "mat1", "mat2"), node="AddmmBackward0", errors=_linear_errors,
        tolerance=PRODUCT,
    ),
    OpCase(
        "bilinear", _bilinear,
        lambda np, x, y, w, b=0: np.einsum("...i,mij,...j->...m", x, w, y) + b,
        ("float32", "float64"),
        saved=("alpha",), node="AddBackward0", errors=_bilinear_errors, tolerance={"float32": 1e-5},
    ),
    OpCase(
        "outer", _outer, lambda np, x, y: np.outer(x, y), NUMBERS,
        saved=("other", "self"), node="MulBackward0", errors=_outer_errors,
    ),
    OpCase("ger", _outer, lambda np, x, y: np.outer(x, y), NUMBERS, node="MulBackward0"),
    OpCase(
        "inner", _inner, lambda np, x, y: np.inner(x, y), NUMBERS,
        saved=(), node="ViewBackward0", errors=_inner_errors, tolerance=PRODUCT,
    ),
    OpCase(
        "vecdot", _vecdot, lambda np, x, y, dim=-1: (np.conj(x) * y).sum(dim), FLOATS,
        saved=("dim", "keepdim"), node="SumBackward1", errors=_vecdot_errors, tolerance=PRODUCT,
    ),
    OpCase(
        "tensordot", _tensordot, _tensordot_reference, NUMBERS,
        saved=(), node="ViewBackward0", errors=_tensordot_errors, tolerance=PRODUCT,
    ),
    OpCase(
        "kron", _kron, lambda np, x, y: np.kron(x, y), NUMBERS,
        saved=(), node="UnsafeViewBackward0",
    ),
    OpCase(
        "einsum", _einsum, _einsum_reference, FLOATS,
        saved=(), node="ViewBackward0", errors=_einsum_errors, tolerance={"float32": 1e-5},
    ),
    OpCase(
        "multi_dot", _multi_dot, lambda np, matrices: np.linalg.multi_dot(matrices), FLOATS,
        saved=(), node="ViewBackward0", errors=_multi_dot_errors, tolerance={"float32": 1e-5},
    ),
    OpCase(
        "chain_matmul", _chain_matmul,
        lambda np, *matrices: np.linalg.multi_dot(matrices) if len(matrices) > 1 else matrices[0],
        FLOATS, saved=(), node="ViewBackward0", tolerance={"float32": 1e-5},
    ),
    OpCase(
        "matrix_power", _matrix_power, lambda np, x, n: np.linalg.matrix_power(x, n), NUMBERS,
        saved=("mat2", "self"), node="MmBackward0", errors=_matrix_power_errors, tolerance=POWER,
    ),
]  # fmt: skip
