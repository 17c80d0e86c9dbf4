"""Samples of chainrule/ops/linalg.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

NUMBERS = ("int64", "float32", "float64", "complex64", "complex128")
FLOATS = ("float32", "float64", "complex128")


def refused(sample: Sample, match: str, raises: type[Exception] = RuntimeError) -> ErrorSample:
    """Return a call that must fail with a RuntimeError, where nothing else is said."""
    return ErrorSample(sample=sample, raises=raises, match=match)


def double(make: Maker, *shape: int) -> Any:
    """Return a float64 tensor, to go with others that are not."""
    return make(*shape, dtype=dtypes.float64)


# Matrices


def _mm(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(3, 4))
    yield Sample(make.transposed(2, 3), make.strided(3, 4))
    yield Sample(make.strided(3, 2), make.transposed(2, 3))
    yield Sample(make(1, 3), make(3, 1))
    yield Sample(make(0, 3), make(3, 2))
    yield Sample(make(2, 0), make(0, 3))


def _mm_errors(make: Maker) -> Iterator[ErrorSample]:
    both = r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 2x3\)"
    yield refused(Sample(make(2, 3), make(2, 3)), both)
    yield refused(Sample(make(3), make(3, 2)), "self must be a matrix")
    yield refused(Sample(make(2, 3), make(3)), "mat2 must be a matrix")
    differ = "expected m1 and m2 to have the same dtype, but got: float != double"
    yield refused(Sample(make(2, 3), double(make, 3, 4)), differ)
    bools = Sample(make.mask(2, 2), make.mask(2, 2))
    unsupported = "\"addmm_impl_cpu_\" not implemented for 'Bool'"
    yield refused(bools, unsupported, NotImplementedError)


def _added(*shapes: tuple[int, ...]) -> Callable[[Maker], Iterator[Sample]]:
    """Return the samples of ``beta * self + alpha * product``, for shapes of *self* and factors."""
    *selves, left, right = shapes

    def samples(make: Maker) -> Iterator[Sample]:
        for shape in selves:
            yield Sample(make(*shape), make(*left), make(*right))
        yield Sample(make(*selves[0]), make(*left), make(*right), beta=2, alpha=3)
        yield Sample(make(*selves[0]), make(*left), make(*right), beta=0)
        if len(left) > 1:
            yield Sample(make(*selves[0]), make.transposed(*left), make.strided(*right))

    return samples


def _addmm_errors(make: Maker) -> Iterator[ErrorSample]:
    sizes = r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 2x3\)"
    yield refused(Sample(make(3), make(2, 3), make(2, 3)), sizes)
    expanded = r"The expanded size of the tensor \(4\) must match the existing size \(3\)"
    yield refused(Sample(make(3), make(2, 3), make(3, 4)), expanded)
    factors = "mat1 and mat2 must have the same dtype, but got Double and Float"
    yield refused(Sample(make(4), double(make, 2, 3), make(3, 4)), factors)
    added = "self and mat2 must have the same dtype, but got Double and Float"
    yield refused(Sample(double(make, 4), make(2, 3), make(3, 4)), added)
    yield refused(Sample(make(4), make(3), make(3, 4)), "mat1 must be a matrix, got 1-D tensor")
    unreal = Sample(make(4), make(2, 3), make(3, 4), beta=1j)
    yield refused(unreal, "value cannot be converted to type float without overflow")


# Batches of matrices


def _bmm(make: Maker) -> Iterator[Sample]:
    yield Sample(make(5, 2, 3), make(5, 3, 4))
    yield Sample(make.transposed(5, 2, 3), make.strided(5, 3, 4))
    yield Sample(make(0, 2, 3), make(0, 3, 4))
    yield Sample(make(2, 2, 0), make(2, 0, 3))


def _bmm_errors(make: Maker) -> Iterator[ErrorSample]:
    sizes = r"Expected size for first two dimensions of batch2 tensor to be: \[2, 4\] but got: "
    yield refused(Sample(make(2, 3, 4), make(2, 3, 4)), sizes + r"\[2, 3\]")
    yield refused(Sample(make(2, 3, 4), make(3, 4, 5)), sizes + r"\[3, 4\]")
    yield refused(Sample(make(3, 4), make(3, 4, 5)), "batch1 must be a 3D tensor")
    differ = "expected scalar type Float but found Double"
    yield refused(Sample(make(2, 3, 4), double(make, 2, 4, 5)), differ)


def _baddbmm_errors(make: Maker) -> Iterator[ErrorSample]:
    sizes = r"Expected size for first two dimensions of batch2 tensor to be: \[2, 4\] but got: "
    yield refused(Sample(make(3, 5), make(2, 3, 4), make(2, 3, 5)), sizes)
    expanded = r"The expanded size of the tensor \(5\) must match the existing size \(6\)"
    yield refused(Sample(make(3, 6), make(2, 3, 4), make(2, 4, 5)), expanded)
    differ = "Input dtypes must be the same, got: input double, batch1: float, batch2: float"
    yield refused(Sample(double(make, 3, 5), make(2, 3, 4), make(2, 4, 5)), differ)


def _addbmm_errors(make: Maker) -> Iterator[ErrorSample]:
    counts = "batch1 and batch2 must have same number of batches, got 2 and 3"
    yield refused(Sample(make(3, 5), make(2, 3, 4), make(3, 4, 5)), counts)
    sizes = r"Incompatible matrix sizes for bmm \(3x4 and 3x5\)"
    yield refused(Sample(make(3, 5), make(2, 3, 4), make(2, 3, 5)), sizes)


# Vectors


def _two_vectors(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3), make(3))
    yield Sample(make.strided(4), make(4))
    yield Sample(make(0), make(0))


def _dot_errors(make: Maker) -> Iterator[ErrorSample]:
    sizes = r"inconsistent tensor size, expected tensor \[2\] and src \[3\] to have the same"
    yield refused(Sample(make(2), make(3)), sizes)
    yield refused(Sample(make(2, 2), make(2)), "1D tensors expected, but got 2D and 1D tensors")
    differ = "dot : expected both vectors to have same dtype, but found Float and Double"
    yield refused(Sample(make(2), double(make, 2)), differ)


def _mv(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(3))
    yield Sample(make.transposed(2, 3), make.strided(3))
    yield Sample(make(0, 3), make(3))
    yield Sample(make(2, 0), make(0))


def _mv_errors(make: Maker) -> Iterator[ErrorSample]:
    sizes = r"size mismatch, got input \(2\), mat \(2x3\), vec \(2\)"
    yield refused(Sample(make(2, 3), make(2)), sizes)
    yield refused(Sample(make(3), make(3)), r"vector \+ matrix @ vector expected, got 1, 1, 1")
    differ = "addmv input tensors must have the same dtype, but got Double, Float, and Double"
    yield refused(Sample(make(2, 3), double(make, 3)), differ)


def _addmv_errors(make: Maker) -> Iterator[ErrorSample]:
    sizes = r"size mismatch, got input \(3\), mat \(2x3\), vec \(3\)"
    yield refused(Sample(make(3), make(2, 3), make(3)), sizes)
    yield refused(
        Sample(make(2, 2), make(2, 3), make(3)), r"vector \+ matrix @ vector expected, got 2, 2, 1"
    )


def _addr(make: Maker) -> Iterator[Sample]:
    yield from _added((2, 3), (3,), (), (2,), (3,))(make)
    yield Sample(make(0, 3), make(0), make.strided(3))


def _addr_errors(make: Maker) -> Iterator[ErrorSample]:
    expanded = r"The expanded size of the tensor \(3\) must match the existing size \(4\)"
    yield refused(Sample(make(2, 4), make(2), make(3)), expanded)
    ndim = "addr: Expected 1-D argument vec1, but got 2-D"
    yield refused(Sample(make(2, 3), make(2, 1), make(3)), ndim)
    whole = [make.index(*shape, below=3) for shape in ((2, 3), (2,), (3,))]
    floating = "For integral input tensors, argument beta must not be a floating point number."
    yield refused(Sample(*whole, beta=0.5), floating)


def _cross(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(2, 3), 1)
    yield Sample(make(3), make(3), -1)
    yield Sample(make(3, 2), make(3, 1), 0)
    yield Sample(make.transposed(2, 3), make.strided(2, 3), dim=1)
    yield Sample(make(0, 3), make(1, 3), dim=1)


def _cross_errors(make: Maker) -> Iterator[ErrorSample]:
    length = "linalg.cross: inputs dimension 0 must have length 3. Got 2 and 2"
    yield refused(Sample(make(2, 3), make(2, 3), 0), length)
    yield refused(
        Sample(make(3), make(2, 3), dim=-1),
        "linalg.cross: inputs must have the same number of dimensions.",
    )
    sizes = r"The size of tensor a \(2\) must match the size of tensor b \(4\)"
    yield refused(Sample(make(2, 3), make(4, 3), 1), sizes)
    reach = r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 5\)"
    yield refused(Sample(make(2, 3), make(2, 3), 5), reach, IndexError)


def _trace(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4))
    yield Sample(make.transposed(4, 3))
    yield Sample(make(0, 3))


def _trace_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(3)), "trace: expected a matrix, but got tensor with dim 1")


def _sum(np: Any, x: Any, product: Any, beta: Any = 1, alpha: Any = 1) -> Any:
    return (beta * x if beta else 0) + alpha * product


PRODUCT = {"float32": 4e-6}  # a sum of several products is further from zero than it is large

cases = [
    OpCase(
        "mm", _mm, lambda np, x, y: x @ y, NUMBERS,
        saved=("mat2", "self"), node="MmBackward0", errors=_mm_errors, tolerance=PRODUCT,
    ),
    OpCase(
        "addmm", _added((2, 4), (4,), (2, 1), (2, 3), (3, 4)),
        lambda np, x, a, b, **k: _sum(np, x, a @ b, **k), NUMBERS,
        saved=("alpha", "beta", "mat1", "mat2"), node="AddmmBackward0", errors=_addmm_errors,
        in_place="addmm_", tolerance=PRODUCT,
    ),
    OpCase(
        "bmm", _bmm, lambda np, x, y: x @ y, NUMBERS,
        saved=("mat2", "self"), node="BmmBackward0", errors=_bmm_errors, tolerance=PRODUCT,
    ),
    OpCase(
        "baddbmm", _added((5, 2, 4), (4,), (), (5, 2, 3), (5, 3, 4)),
        lambda np, x, a, b, **k: _sum(np, x, a @ b, **k), NUMBERS,
        saved=("alpha", "batch1", "batch2", "beta"), node="BaddbmmBackward0",
        errors=_baddbmm_errors, in_place="baddbmm_", tolerance=PRODUCT,
    ),
    OpCase(
        "addbmm", _added((2, 4), (4,), (5, 2, 3), (5, 3, 4)),
        lambda np, x, a, b, **k: _sum(np, x, (a @ b).sum(0), **k), NUMBERS,
        saved=("alpha", "batch1", "batch2", "beta"), node="AddbmmBackward0",
        errors=_addbmm_errors, in_place="addbmm_", tolerance=PRODUCT,
    ),
    OpCase(
        "dot", _two_vectors, lambda np, x, y: np.dot(x, y), NUMBERS,
        saved=("self", "tensor"), node="DotBackward0", errors=_dot_errors, tolerance=PRODUCT,
    ),
    OpCase(
        "vdot", _two_vectors, lambda np, x, y: np.vdot(x, y), NUMBERS,
        saved=("other", "self"), node="VdotBackward0", errors=_dot_errors, tolerance=PRODUCT,
    ),
    OpCase(
        "mv", _mv, lambda np, x, y: x @ y, NUMBERS,
        saved=("self", "vec"), node="MvBackward0", errors=_mv_errors, tolerance=PRODUCT,
    ),
    OpCase(
        "addmv", _added((2,), (1,), (), (2, 3), (3,)),
        lambda np, x, a, b, **k: _sum(np, x, a @ b, **k), NUMBERS,
        saved=("alpha", "beta", "mat", "vec"), node="AddmvBackward0", errors=_addmv_errors,
        in_place="addmv_", tolerance=PRODUCT,
    ),
    OpCase(
        "addr", _addr,
        lambda np, x, a, b, **k: _sum(np, x, np.outer(a, b), **k), NUMBERS,
        saved=("alpha", "beta", "vec1", "vec2"), node="AddrBackward0", errors=_addr_errors,
        in_place="addr_", tolerance=PRODUCT,
    ),
    OpCase(
        "cross", _cross, lambda np, x, y, dim: np.cross(x, y, axis=dim), NUMBERS,
        saved=("dim", "other", "self"), node="LinalgCrossBackward0", errors=_cross_errors,
        tolerance=PRODUCT,
    ),
    OpCase(
        "trace", _trace, lambda np, x: np.trace(x), NUMBERS,
        saved=(), node="TraceBackward0", errors=_trace_errors,
    ),
]  # fmt: skip
