"""What the ops of linalg check before their kernels run, with PyTorch's sentences.

A library's product broadcasts and promotes; PyTorch's does neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ..dtypes import BOOL, COMPLEX, INTEGER, DType, category_of_number
from ..errors import DimError, DTypeError, ShapeError
from ..shapes import broadcast_shapes, wrap_dim
from ..value import Value
from ._arguments import check_tensor
from ._operands import C_NAMES, refusal
from .broadcasting import expanded_size

if TYPE_CHECKING:
    from ..tensor import Number

__all__: list[str] = []


def fail(error: type[Exception], sentence: str, advice: str) -> NoReturn:
    """Raise *error* with PyTorch's sentence and ours."""
    raise error(f"{sentence}\n{advice}")


def _shapes(*tensors: Value) -> str:
    *first, last = [str(tuple(tensor._array.shape)) for tensor in tensors]
    return f"{', '.join(first)} and {last}" if first else last


def _refuse_bool(tensor: Value, kernel: str, op: str) -> None:
    if tensor._key.category == BOOL:
        raise refusal(op, kernel, tensor._key.dtype)


def _same_dtype(first: Value, second: Value, sentence: str, op: str) -> None:
    """Raise *sentence*, with the two scalar names put in, if the dtypes differ."""
    a, b = first._key.dtype, second._key.dtype
    if a is not b:
        fail(
            DTypeError,
            sentence.format(a.scalar_name, b.scalar_name),
            f"{op}: a product does not promote. Convert one of them with .to({b}) or .to({a}).",
        )


def _check_added(tensor: Any, shape: tuple[int, ...], op: str) -> None:
    """Check that what is added to a product of *shape* broadcasts to it."""
    if tensor._array.shape != shape:
        try:
            expanded_size(tensor, shape)
        except ShapeError as error:
            found = tuple(tensor._array.shape)
            advice = f"{op}: expected what broadcasts to {shape}, the product's shape, got {found}."
            fail(ShapeError, str(error), advice)


def _check_factors(beta: Number, alpha: Number, dtype: DType) -> None:
    """Check that the factors are numbers that go with *dtype*."""
    for factor in (beta, alpha):
        if factor.__class__ is not int and category_of_number(factor) == COMPLEX != dtype.category:
            fail(
                DTypeError,
                f"value cannot be converted to type {C_NAMES[dtype.name]} without overflow",
                f"expected a real factor for a product of {dtype}, got {factor}.",
            )


# Matrices


def check_mm(self: Value, mat2: Value) -> None:
    """Check two matrices of one dtype."""
    a, b = self._array.shape, mat2._array.shape
    if len(a) == 2 == len(b) and a[1] == b[0] and self._key is mat2._key and self._key.category:
        return
    for name, shape in (("self", a), ("mat2", b)):
        if len(shape) != 2:
            fail(
                ShapeError,
                f"{name} must be a matrix",
                f"mm: expected two matrices, got shapes {_shapes(self, mat2)}. "
                "Use matmul() for vectors and batches.",
            )
    _check_inner(self, mat2, "mm")
    if self._key.dtype is not mat2._key.dtype:
        types = [C_NAMES[v._key.dtype.name] for v in (self, mat2)]
        fail(
            DTypeError,
            f"expected m1 and m2 to have the same dtype, but got: {types[0]} != {types[1]}",
            f"mm: a product does not promote. Convert one of them with .to({mat2._key.dtype}) or "
            f".to({self._key.dtype}).",
        )
    _refuse_bool(self, "addmm_impl_cpu_", "mm")


def _check_inner(mat1: Value, mat2: Value, op: str) -> None:
    a, b = mat1._array.shape, mat2._array.shape
    if a[1] != b[0]:
        fail(
            ShapeError,
            f"mat1 and mat2 shapes cannot be multiplied ({a[0]}x{a[1]} and {b[0]}x{b[1]})",
            f"{op}: expected as many columns as rows, got {a[1]} columns and {b[0]} rows. "
            "Transpose one of them?",
        )


def check_addmm(self: Value, mat1: Value, mat2: Value, beta: Number, alpha: Number) -> None:
    """Check two matrices, and what is added to their product."""
    key, shape, a, b = self._key, self._array.shape, mat1._array.shape, mat2._array.shape
    if not key.category or mat1._key is not key or mat2._key is not key:
        _check_dtypes_of_mm(self, mat1, mat2, "addmm")
    for name, ndim in (("mat1", len(a)), ("mat2", len(b))):
        if ndim != 2:
            fail(
                ShapeError,
                f"{name} must be a matrix, got {ndim}-D tensor",
                f"addmm: expected two matrices, got shapes {_shapes(mat1, mat2)}.",
            )
    if a[1] != b[0]:
        _check_inner(mat1, mat2, "addmm")
    if shape != b[1:]:  # of a bias it is
        _check_added(self, (a[0], b[1]), "addmm")
    _check_factors(beta, alpha, key.dtype)


def _check_dtypes_of_mm(self: Value, mat1: Value, mat2: Value, op: str) -> None:
    _same_dtype(self, mat2, "self and mat2 must have the same dtype, but got {} and {}", op)
    _same_dtype(mat1, mat2, "mat1 and mat2 must have the same dtype, but got {} and {}", op)
    _refuse_bool(self, "addmm_impl_cpu_", op)


# Batches of matrices


def check_bmm(self: Value, mat2: Value) -> None:
    """Check two batches of one size and dtype."""
    _check_batches(self, mat2, "bmm")
    _same_dtype(self, mat2, "expected scalar type {} but found {}", "bmm")
    _refuse_bool(self, "bmm", "bmm")


def _check_3d(batch1: Value, batch2: Value, op: str) -> None:
    for name, tensor in (("batch1", batch1), ("batch2", batch2)):
        if len(tensor._array.shape) != 3:
            fail(
                ShapeError,
                f"{name} must be a 3D tensor",
                f"{op}: expected (b, n, k) and (b, k, m), got {_shapes(batch1, batch2)}. "
                "Use matmul() where a batch is to be repeated.",
            )


def _check_batches(batch1: Value, batch2: Value, op: str) -> None:
    _check_3d(batch1, batch2, op)
    (b, _, k), found = batch1._array.shape, batch2._array.shape
    if found[:2] != (b, k):
        fail(
            ShapeError,
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{b}, {k}] but got: [{found[0]}, {found[1]}].",
            f"{op}: expected (b, n, k) and (b, k, m), got {_shapes(batch1, batch2)}.",
        )


def check_baddbmm(self: Value, batch1: Value, batch2: Value, beta: Number, alpha: Number) -> None:
    """Check two batches, and what is added to their products."""
    _check_batches(batch1, batch2, "baddbmm")
    (b, n, _), m = batch1._array.shape, batch2._array.shape[2]
    _check_added(self, (b, n, m), "baddbmm")
    _same_dtype(batch1, batch2, "expected scalar type {} but found {}", "baddbmm")
    if self._key.dtype is not batch1._key.dtype:
        found = [C_NAMES[v._key.dtype.name] for v in (self, batch1, batch2)]
        fail(
            DTypeError,
            "Input dtypes must be the same, got: input {}, batch1: {}, batch2: {}".format(*found),
            f"baddbmm: a product does not promote. Convert with .to({batch1._key.dtype}).",
        )
    _refuse_bool(self, "baddbmm", "baddbmm")
    _check_factors(beta, alpha, self._key.dtype)


def check_addbmm(self: Value, batch1: Value, batch2: Value, beta: Number, alpha: Number) -> None:
    """Check two batches, and what is added to the sum of their products."""
    _check_3d(batch1, batch2, "addbmm")
    (b, n, k), (c, rows, m) = batch1._array.shape, batch2._array.shape
    _check_added(self, (n, m), "addbmm")
    advice = f"addbmm: expected (b, n, k) and (b, k, m), got {_shapes(batch1, batch2)}."
    if b != c:
        sentence = f"batch1 and batch2 must have same number of batches, got {b} and {c}"
        fail(ShapeError, sentence, advice)
    if k != rows:
        fail(ShapeError, f"Incompatible matrix sizes for bmm ({n}x{k} and {rows}x{m})", advice)
    _check_dtypes_of_mm(self, batch1, batch2, "addbmm")
    _check_factors(beta, alpha, self._key.dtype)


# Vectors


def check_dot(self: Value, other: Value) -> None:
    """Check two vectors of one length and dtype."""
    a, b = self._array.shape, other._array.shape
    advice = f"dot: expected two vectors of one length, got shapes {_shapes(self, other)}."
    if len(a) != 1 or len(b) != 1:
        found = f"{len(a)}D and {len(b)}D"
        fail(ShapeError, f"1D tensors expected, but got {found} tensors", advice)
    sentence = "dot : expected both vectors to have same dtype, but found {} and {}"
    _same_dtype(self, other, sentence, "dot")
    if a != b:
        fail(
            ShapeError,
            f"inconsistent tensor size, expected tensor [{a[0]}] and src [{b[0]}] to have the same "
            f"number of elements, but got {a[0]} and {b[0]} elements respectively",
            advice,
        )
    _refuse_bool(self, "dot", "dot")


def check_mv(self: Value, vec: Value) -> None:
    """Check a matrix and a vector of one dtype."""
    a, key = self._array.shape, self._key
    if len(a) == 2 and a[1:] == vec._array.shape and key is vec._key and key.category:
        return
    _check_matrix_and_vector(self, vec, None, "mv")
    _check_three_dtypes(vec, self, vec, "mv")


def check_addmv(self: Value, mat: Value, vec: Value, beta: Number, alpha: Number) -> None:
    """Check a matrix and a vector, and what is added to their product."""
    _check_matrix_and_vector(mat, vec, self._array.shape, "addmv")
    _check_three_dtypes(self, mat, vec, "addmv")
    _check_factors(beta, alpha, self._key.dtype)


def _check_matrix_and_vector(
    mat: Value, vec: Value, added: tuple[int, ...] | None, op: str
) -> None:
    """Check the shapes of ``mat @ vec``, and the shape of what is added to it."""
    a, b = mat._array.shape, vec._array.shape
    ndim = 1 if added is None else len(added)
    if len(a) != 2 or len(b) != 1 or ndim > 1:
        fail(
            ShapeError,
            f"vector + matrix @ vector expected, got {ndim}, {len(a)}, {len(b)}",
            f"{op}: expected a matrix and a vector, got shapes {_shapes(mat, vec)}. "
            "Use matmul() for other shapes.",
        )
    size = added[0] if added and added != (1,) else a[0]
    if a[1] != b[0] or size != a[0]:
        fail(
            ShapeError,
            f"size mismatch, got input ({size}), mat ({a[0]}x{a[1]}), vec ({b[0]})",
            f"{op}: expected (n, k) and (k,), got {_shapes(mat, vec)}.",
        )


def _check_three_dtypes(added: Value, mat: Value, vec: Value, op: str) -> None:
    if not added._key.dtype is mat._key.dtype is vec._key.dtype:
        dtypes = [v._key.dtype for v in (added, mat, vec)]
        names = [dtype.scalar_name for dtype in dtypes]
        fail(
            DTypeError,
            "addmv input tensors must have the same dtype, but got {}, {}, and {}".format(*names),
            f"{op}: a product does not promote. Convert with .to({dtypes[1]}).",
        )
    _refuse_bool(mat, "addmv_impl_cpu", op)


def check_vector(tensor: Any, op: str, name: str) -> None:
    """Check that an argument of an outer product is a vector.

    Raises:
        ShapeError: it is not.
    """
    ndim = len(tensor._array.shape)
    if ndim != 1:
        fail(
            ShapeError,
            f"{op}: Expected 1-D argument {name}, but got {ndim}-D",
            f"{op}: expected two vectors. Flatten {name} first.",
        )


def check_addr(self: Any, vec1: Any, vec2: Any, beta: Number, alpha: Number) -> None:
    """Check two vectors, and what is added to their outer product."""
    for position, (name, tensor) in enumerate((("input", self), ("vec1", vec1), ("vec2", vec2))):
        check_tensor("addr", tensor, name, position + 1)
    check_vector(vec1, "addr", "vec1")
    check_vector(vec2, "addr", "vec2")
    _check_added(self, (vec1._array.shape[0], vec2._array.shape[0]), "addr")
    dtype = max((v._key.dtype for v in (self, vec1, vec2)), key=lambda dtype: dtype.category)
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if dtype.category <= INTEGER < category_of_number(factor):
            fail(
                DTypeError,
                f"For integral input tensors, argument {name} must not be a floating point number.",
                f"addr: expected a whole number, got {factor}. Convert the tensors to float first.",
            )
    _check_factors(beta, alpha, dtype)


def check_cross(self: Value, other: Value, dim: int) -> None:
    """Check vectors of length 3."""
    a, b = self._array.shape, other._array.shape
    if len(a) != len(b):
        fail(
            ShapeError,
            "linalg.cross: inputs must have the same number of dimensions.",
            f"linalg.cross: got shapes {_shapes(self, other)}. Insert dimensions with unsqueeze().",
        )
    if not a:
        fail(
            DimError,
            f"Dimension specified as {dim} but tensor has no dimensions",
            "linalg.cross: expected vectors of length 3, got numbers.",
        )
    at = wrap_dim(dim, len(a))
    if a[at] != 3 or b[at] != 3:
        fail(
            ShapeError,
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {a[at]} and {b[at]}",
            f"linalg.cross: got shapes {_shapes(self, other)}. Pass dim.",
        )
    broadcast_shapes(a, b)
    _same_dtype(self, other, "expected scalar type {} but found {}", "linalg.cross")
    _refuse_bool(self, "cross", "linalg.cross")


# The diagonal


def check_trace(self: Value) -> None:
    """Check a matrix."""
    ndim = len(self._array.shape)
    if ndim != 2:
        fail(
            ShapeError,
            f"trace: expected a matrix, but got tensor with dim {ndim}",
            "trace: take the diagonals of a batch with diagonal(dim1=-2, dim2=-1), and sum.",
        )
    _refuse_bool(self, "trace", "trace")
