"""What the ops of linalg check before their kernels run, with PyTorch's sentences.

A library's product broadcasts and promotes; PyTorch's does neither. A check gets the bound
arguments as a list, in which it may put the factors *alpha* and *beta* as plain numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ..dtypes import BOOL, COMPLEX, INTEGER, DType, category_of_number
from ..errors import ArgumentError, DimError, DTypeError, KernelNotFoundError, ShapeError
from ..op import Op
from ..shapes import broadcast_shapes, wrap_dim
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

__all__: list[str] = []

#: How PyTorch spells dtypes where it prints the element type of C++.
ELEMENT_TYPES = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short int",
    "int32": "int", "int64": "long int", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
    "float32": "float", "float64": "double", "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}  # fmt: skip


class _Checked(Op[Any, Any]):
    """An op that checks its arguments before anything is computed."""

    check: Callable[[list[Any]], None]

    def evaluate(self, bound: list[Any]) -> Any:
        self.check(bound)
        return super().evaluate(bound)


def checked(check: Callable[[list[Any]], None], **options: Any) -> Callable[[Any], Any]:
    """Return a decorator like `primitive`, for an op that calls *check* first."""

    def make(function: Any) -> Op[Any, Any]:
        op = _Checked(function, kind="primitive", **options)
        op.check = check
        return op

    return make


def fail(error: type[Exception], sentence: str, advice: str) -> NoReturn:
    """Raise *error* with PyTorch's sentence and ours."""
    raise error(f"{sentence}\n{advice}")


def _shapes(*tensors: Value) -> str:
    *first, last = [str(tuple(tensor._array.shape)) for tensor in tensors]
    return f"{', '.join(first)} and {last}" if first else last


def _refuse_bool(tensor: Value, kernel: str) -> None:
    if tensor._key.category == BOOL:
        fail(
            KernelNotFoundError,
            f"\"{kernel}\" not implemented for 'Bool'",
            "expected numbers, got bool. Convert with .to(torch.int64) first.",
        )


def _same_dtype(first: Value, second: Value, sentence: str, op: str) -> None:
    """Raise *sentence*, with the two scalar names put in, if the dtypes differ."""
    a, b = first._key.dtype, second._key.dtype
    if a is not b:
        fail(
            DTypeError,
            sentence.format(a.scalar_name, b.scalar_name),
            f"{op}: a product does not promote. Convert one of them with .to({b}) or .to({a}).",
        )


def check_expandable(tensor: Value, target: tuple[int, ...], op: str) -> None:
    """Check that *tensor* can be expanded to the shape *target* of a product.

    Raises:
        ShapeError: it cannot.
    """
    shape = tuple(tensor._array.shape)
    if shape == target:
        return
    extra = len(target) - len(shape)
    advice = f"{op}: expected what broadcasts to {target}, the shape of the product, got {shape}."
    if extra < 0:
        kind = f"torch.{tensor._key.dtype.scalar_name}Tensor{{{list(shape)}}}"
        fail(
            ShapeError,
            f"expand({kind}, size={list(target)}): the number of sizes provided ({len(target)}) "
            f"must be greater or equal to the number of dimensions in the tensor ({len(shape)})",
            advice,
        )
    for dim in reversed(range(extra, len(target))):
        have, want = shape[dim - extra], target[dim]
        if have not in {1, want}:
            fail(
                ShapeError,
                f"The expanded size of the tensor ({want}) must match the existing size ({have}) "
                f"at non-singleton dimension {dim}.  Target sizes: {list(target)}.  Tensor sizes: "
                f"{list(shape)}",
                advice,
            )


def fit_factors(bound: list[Any], dtype: DType) -> None:
    """Replace the last two of *bound*, beta and alpha, by numbers that *dtype* holds.

    Raises:
        DTypeError: a factor is complex and the product is not.
        ArgumentError: a factor is no number.
    """
    for position in (-2, -1):
        factor = bound[position]
        if factor is None or factor.__class__ is int:
            continue
        if isinstance(factor, Value):
            factor = factor._key.backend.tolist(factor._array)
        if category_of_number(factor) == COMPLEX != dtype.category:
            fail(
                DTypeError,
                "value cannot be converted to type "
                f"{ELEMENT_TYPES[dtype.name]} without overflow",
                f"expected a real factor for a product of {dtype}, got {factor}.",
            )
        bound[position] = int(factor) if dtype.category == INTEGER else factor


# Matrices


def check_mm(bound: list[Any]) -> None:
    """Check two matrices of one dtype."""
    self, mat2 = bound
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
        types = [ELEMENT_TYPES[v._key.dtype.name] for v in (self, mat2)]
        fail(
            DTypeError,
            f"expected m1 and m2 to have the same dtype, but got: {types[0]} != {types[1]}",
            f"mm: a product does not promote. Convert one of them with .to({mat2._key.dtype}) or "
            f".to({self._key.dtype}).",
        )
    _refuse_bool(self, "addmm_impl_cpu_")


def _check_inner(mat1: Value, mat2: Value, op: str) -> None:
    a, b = mat1._array.shape, mat2._array.shape
    if a[1] != b[0]:
        fail(
            ShapeError,
            f"mat1 and mat2 shapes cannot be multiplied ({a[0]}x{a[1]} and {b[0]}x{b[1]})",
            f"{op}: expected as many columns as rows, got {a[1]} columns and {b[0]} rows. "
            "Transpose one of them?",
        )


def check_addmm(bound: list[Any]) -> None:
    """Check two matrices, and what is added to their product."""
    self, mat1, mat2, _, _ = bound
    fit_factors(bound, self._key.dtype)
    _same_dtype(self, mat2, "self and mat2 must have the same dtype, but got {} and {}", "addmm")
    _same_dtype(mat1, mat2, "mat1 and mat2 must have the same dtype, but got {} and {}", "addmm")
    for name, tensor in (("mat1", mat1), ("mat2", mat2)):
        if len(tensor._array.shape) != 2:
            fail(
                ShapeError,
                f"{name} must be a matrix, got {len(tensor._array.shape)}-D tensor",
                f"addmm: expected two matrices, got shapes {_shapes(mat1, mat2)}.",
            )
    _check_inner(mat1, mat2, "addmm")
    check_expandable(self, (mat1._array.shape[0], mat2._array.shape[1]), "addmm")
    _refuse_bool(self, "addmm_impl_cpu_")


# Batches of matrices


def check_bmm(bound: list[Any]) -> None:
    """Check two batches of one size and dtype."""
    self, mat2 = bound
    _check_batches(self, mat2, "bmm")
    _same_dtype(self, mat2, "expected scalar type {} but found {}", "bmm")
    _refuse_bool(self, "bmm")


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


def check_baddbmm(bound: list[Any]) -> None:
    """Check two batches, and what is added to their products."""
    self, batch1, batch2, _, _ = bound
    fit_factors(bound, self._key.dtype)
    _check_batches(batch1, batch2, "baddbmm")
    (b, n, _), m = batch1._array.shape, batch2._array.shape[2]
    check_expandable(self, (b, n, m), "baddbmm")
    _same_dtype(batch1, batch2, "expected scalar type {} but found {}", "baddbmm")
    if self._key.dtype is not batch1._key.dtype:
        found = [ELEMENT_TYPES[v._key.dtype.name] for v in (self, batch1, batch2)]
        fail(
            DTypeError,
            "Input dtypes must be the same, got: input {}, batch1: {}, batch2: {}".format(*found),
            f"baddbmm: a product does not promote. Convert with .to({batch1._key.dtype}).",
        )
    _refuse_bool(self, "baddbmm")


def check_addbmm(bound: list[Any]) -> None:
    """Check two batches, and what is added to the sum of their products."""
    self, batch1, batch2, _, _ = bound
    fit_factors(bound, self._key.dtype)
    _check_3d(batch1, batch2, "addbmm")
    (b, n, k), (c, rows, m) = batch1._array.shape, batch2._array.shape
    check_expandable(self, (n, m), "addbmm")
    advice = f"addbmm: expected (b, n, k) and (b, k, m), got {_shapes(batch1, batch2)}."
    if b != c:
        sentence = f"batch1 and batch2 must have same number of batches, got {b} and {c}"
        fail(ShapeError, sentence, advice)
    if k != rows:
        fail(ShapeError, f"Incompatible matrix sizes for bmm ({n}x{k} and {rows}x{m})", advice)
    _same_dtype(self, batch2, "self and mat2 must have the same dtype, but got {} and {}", "addbmm")
    _same_dtype(batch1, batch2, "mat1 and mat2 must have the same dtype, but got {} and {}", "addbmm")
    _refuse_bool(self, "addmm_impl_cpu_")


# Vectors


def check_dot(bound: list[Any]) -> None:
    """Check two vectors of one length and dtype."""
    self, other = bound
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
    _refuse_bool(self, "dot")


def check_mv(bound: list[Any]) -> None:
    """Check a matrix and a vector of one dtype."""
    self, vec = bound
    _check_matrix_and_vector(self, vec, 1, None, "mv")
    _check_three_dtypes(vec, self, vec, "mv")
    _refuse_bool(self, "addmv_impl_cpu")


def check_addmv(bound: list[Any]) -> None:
    """Check a matrix and a vector, and what is added to their product."""
    self, mat, vec, _, _ = bound
    fit_factors(bound, self._key.dtype)
    shape = self._array.shape
    _check_matrix_and_vector(mat, vec, len(shape), shape[0] if shape else 1, "addmv")
    _check_three_dtypes(self, mat, vec, "addmv")
    _refuse_bool(self, "addmv_impl_cpu")


def _check_matrix_and_vector(
    mat: Value, vec: Value, ndim: int, added: int | None, op: str
) -> None:
    """Check the sizes of ``mat @ vec`` and of what is added to it: its dimensions, its size."""
    a, b = mat._array.shape, vec._array.shape
    if len(a) != 2 or len(b) != 1 or ndim > 1:
        fail(
            ShapeError,
            f"vector + matrix @ vector expected, got {ndim}, {len(a)}, {len(b)}",
            f"{op}: expected a matrix and a vector, got shapes {_shapes(mat, vec)}. "
            "Use matmul() for other shapes.",
        )
    size = a[0] if added in {None, 1} else added
    if a[1] != b[0] or size != a[0]:
        fail(
            ShapeError,
            f"size mismatch, got input ({size}), mat ({a[0]}x{a[1]}), vec ({b[0]})",
            f"{op}: expected (n, k) and (k,), got {_shapes(mat, vec)}.",
        )


def _check_three_dtypes(added: Value, mat: Value, vec: Value, op: str) -> None:
    kinds = [v._key.dtype for v in (added, mat, vec)]
    if not kinds[0] is kinds[1] is kinds[2]:
        names = [kind.scalar_name for kind in kinds]
        fail(
            DTypeError,
            "addmv input tensors must have the same dtype, but got {}, {}, and {}".format(*names),
            f"{op}: a product does not promote. Convert with .to({kinds[1]}).",
        )


def check_vector(tensor: Any, op: str, name: str) -> None:
    """Check an argument of an outer product."""
    ndim = len(tensor._array.shape)
    if ndim != 1:
        fail(
            ShapeError,
            f"{op}: Expected 1-D argument {name}, but got {ndim}-D",
            f"{op}: expected two vectors. Flatten {name} first.",
        )


def check_addr(bound: list[Any]) -> None:
    """Check two vectors, and what is added to their outer product."""
    self, vec1, vec2, beta, alpha = bound
    for position, (name, tensor) in enumerate((("input", self), ("vec1", vec1), ("vec2", vec2))):
        if not isinstance(tensor, Value):
            kind = type(tensor).__name__
            msg = f"addr(): argument '{name}' (position {position + 1}) must be Tensor, not {kind}"
            raise ArgumentError(msg)
    check_vector(vec1, "addr", "vec1")
    check_vector(vec2, "addr", "vec2")
    category = max(v._key.category for v in (self, vec1, vec2))
    for name, factor in (("beta", beta), ("alpha", alpha)):
        if category <= INTEGER and category_of_number(factor) > INTEGER:
            fail(
                DTypeError,
                f"For integral input tensors, argument {name} must not be a floating point number.",
                f"addr: expected a whole number, got {factor}. Convert the tensors to float first.",
            )
    check_expandable(self, (vec1._array.shape[0], vec2._array.shape[0]), "addr")


def check_cross(bound: list[Any]) -> None:
    """Check vectors of length 3."""
    self, other, dim = bound
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
    _refuse_bool(self, "cross")


def check_trace(bound: list[Any]) -> None:
    """Check a matrix."""
    (self,) = bound
    ndim = len(self._array.shape)
    if ndim != 2:
        fail(
            ShapeError,
            f"trace: expected a matrix, but got tensor with dim {ndim}",
            "trace: take the diagonals of a batch with diagonal(dim1=-2, dim2=-1), and sum.",
        )
    _refuse_bool(self, "trace")
