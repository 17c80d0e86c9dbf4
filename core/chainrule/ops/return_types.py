# ruff: noqa: N801 - the classes are called as PyTorch's torch.return_types
"""The named tuples that ops with several outputs return.

Each unpacks like a tuple, has an attribute per place, and prints as PyTorch's does::

    torch.return_types.max(values=tensor(3.0), indices=tensor(2))
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..tensor import Tensor

__all__: list[str] = []  # reached as chainrule.return_types: max and sort are ops first


class Result(tuple[Any, ...]):
    """A tuple of tensors whose places have names: the annotations of the subclass, in order."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)
        for place, name in enumerate(cls._fields):
            setattr(cls, name, property(itemgetter(place), doc=f"The output {name!r}."))

    def __new__(cls, items: Iterable[Any]) -> Result:  # noqa: PYI034 - the subclasses are all there are
        made = tuple.__new__(cls, items)
        if len(made) != len(cls._fields):
            raise ArgumentError(
                f"torch.return_types.{cls.__name__}() takes a {len(cls._fields)}-sequence "
                f"({len(made)}-sequence given)"
            )
        return made

    @classmethod
    def _make(cls, items: Iterable[Any]) -> Result:
        return cls(items)

    def __repr__(self) -> str:
        shown = ",\n".join(f"{n}={v!r}" for n, v in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{shown})"


class aminmax(Result):
    """Smallest and largest element."""

    min: Tensor
    max: Tensor


class cummax(Result):
    """Largest element so far, and where it stands."""

    values: Tensor
    indices: Tensor


class cummin(Result):
    """Smallest element so far, and where it stands."""

    values: Tensor
    indices: Tensor


class frexp(Result):
    """Fraction and power of two."""

    mantissa: Tensor
    exponent: Tensor


class geqrf(Result):
    """R with the reflections below it, and their factors."""

    a: Tensor
    tau: Tensor


class histogramdd(Result):
    """Counts, and the edges of the bins per dimension."""

    hist: Tensor
    bin_edges: Tensor


class histogram(Result):
    """Counts, and the edges of the bins."""

    hist: Tensor
    bin_edges: Tensor


class kthvalue(Result):
    """The element of rank k, and where it stands."""

    values: Tensor
    indices: Tensor


class linalg_cholesky_ex(Result):
    """A Cholesky factor, and which minor was not positive definite."""

    L: Tensor
    info: Tensor


class linalg_eig(Result):
    """Eigenvalues and eigenvectors."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class linalg_eigh(Result):
    """Eigenvalues and eigenvectors of a Hermitian matrix."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class linalg_inv_ex(Result):
    """An inverse, and which diagonal element of the factor was zero."""

    inverse: Tensor
    info: Tensor


class linalg_lstsq(Result):
    """A least-squares solution and what is known of it."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


class linalg_lu(Result):
    """Permutation, lower and upper factor."""

    P: Tensor
    L: Tensor
    U: Tensor


class linalg_ldl_factor(Result):
    """Both factors of a symmetric matrix in one, and the pivots."""

    LD: Tensor
    pivots: Tensor


class linalg_ldl_factor_ex(Result):
    """Both factors of a symmetric matrix in one, the pivots, and which block was zero."""

    LD: Tensor
    pivots: Tensor
    info: Tensor


class linalg_lu_factor(Result):
    """Both factors in one matrix, and the pivots."""

    LU: Tensor
    pivots: Tensor


class linalg_lu_factor_ex(Result):
    """Both factors in one matrix, the pivots, and which diagonal element was zero."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


class linalg_qr(Result):
    """Orthogonal and upper factor."""

    Q: Tensor
    R: Tensor


class linalg_slogdet(Result):
    """Sign, and logarithm of the absolute value, of a determinant."""

    sign: Tensor
    logabsdet: Tensor


class linalg_solve_ex(Result):
    """A solution, and which diagonal element of the factor was zero."""

    result: Tensor
    info: Tensor


class linalg_svd(Result):
    """Singular vectors and values, the right ones conjugated and transposed."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class lu_unpack(Result):
    """Permutation, lower and upper factor."""

    P: Tensor
    L: Tensor
    U: Tensor


class max(Result):
    """Largest element, and where it stands."""

    values: Tensor
    indices: Tensor


class median(Result):
    """The lower median, and where it stands."""

    values: Tensor
    indices: Tensor


class min(Result):
    """Smallest element, and where it stands."""

    values: Tensor
    indices: Tensor


class mode(Result):
    """The most frequent element, and where it stands."""

    values: Tensor
    indices: Tensor


class nanmedian(Result):
    """The lower median of what is a number, and where it stands."""

    values: Tensor
    indices: Tensor


class qr(Result):
    """Orthogonal and upper factor."""

    Q: Tensor
    R: Tensor


class slogdet(Result):
    """Sign, and logarithm of the absolute value, of a determinant."""

    sign: Tensor
    logabsdet: Tensor


class sort(Result):
    """The elements in order, and where they stood."""

    values: Tensor
    indices: Tensor


class svd(Result):
    """Singular vectors and values."""

    U: Tensor
    S: Tensor
    V: Tensor


class topk(Result):
    """The largest elements, and where they stand."""

    values: Tensor
    indices: Tensor


class triangular_solve(Result):
    """A solution, and a copy of the triangular matrix."""

    solution: Tensor
    cloned_coefficient: Tensor
