"""Data types, and PyTorch's rules for what two of them make.

A dtype has a *category*: bool < integer < floating < complex. Between tensors with dimensions the
usual lattice decides; a 0-d tensor or a Python number changes the result only when its category
is higher. See Note [Type promotion].
"""

from __future__ import annotations

from typing import Any, Final

from .errors import ArgumentError, DTypeError

# Note [Type promotion]
# ---------------------
# NumPy asks "which type holds every value of both?", PyTorch asks "which category is higher, and
# who has dimensions?". So int64 + float32 is float32 here, and float64 there. Three classes of
# operands are folded on their own: tensors with dimensions, 0-d tensors, Python numbers. A later
# class wins only by a higher category, and a Python number then brings the *default* dtype of its
# category (2.5 brings float32, 2 brings int64, 1j brings complex64).

BOOL, INTEGER, FLOATING, COMPLEX = range(4)


class DType:
    """A data type: its name, its category and its size in bytes."""

    __slots__ = ("category", "itemsize", "name", "rank", "scalar_name")
    name: str

    def __init__(self, name: str, category: int, itemsize: int, rank: int, scalar: str) -> None:
        self.name, self.category, self.itemsize, self.rank = name, category, itemsize, rank
        self.scalar_name = scalar  # as PyTorch's messages spell it: Float, Long, …

    @property
    def is_floating_point(self) -> bool:
        """Return whether its numbers have a fraction and are real."""
        return self.category == FLOATING

    @property
    def is_complex(self) -> bool:
        """Return whether its numbers have an imaginary part."""
        return self.category == COMPLEX

    @property
    def is_signed(self) -> bool:
        """Return whether it holds negative numbers."""
        return self not in _UNSIGNED

    def to_real(self) -> DType:
        """Return the floating type of one component of a complex type."""
        return _REAL_OF.get(self, self)

    def to_complex(self) -> DType:
        """Return the complex type whose components are of this type."""
        return _COMPLEX_OF.get(self, self)

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return by_name, (self.name,)


bool_: Final = DType("bool", BOOL, 1, 0, "Bool")
uint8: Final = DType("uint8", INTEGER, 1, 1, "Byte")
int8: Final = DType("int8", INTEGER, 1, 1, "Char")
int16: Final = DType("int16", INTEGER, 2, 2, "Short")
int32: Final = DType("int32", INTEGER, 4, 3, "Int")
int64: Final = DType("int64", INTEGER, 8, 4, "Long")
uint16: Final = DType("uint16", INTEGER, 2, 4, "UInt16")
uint32: Final = DType("uint32", INTEGER, 4, 4, "UInt32")
uint64: Final = DType("uint64", INTEGER, 8, 4, "UInt64")
float16: Final = DType("float16", FLOATING, 2, 5, "Half")
bfloat16: Final = DType("bfloat16", FLOATING, 2, 5, "BFloat16")
float32: Final = DType("float32", FLOATING, 4, 6, "Float")
float64: Final = DType("float64", FLOATING, 8, 7, "Double")
complex64: Final = DType("complex64", COMPLEX, 8, 8, "ComplexFloat")
complex128: Final = DType("complex128", COMPLEX, 16, 9, "ComplexDouble")

ALL: Final = (
    bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, complex64,
    complex128, uint16, uint32, uint64,
)  # fmt: skip
#: For storage: they mix with floating dtypes and with themselves alone.
WIDE_UNSIGNED: Final = frozenset({uint16, uint32, uint64})
_UNSIGNED: Final = WIDE_UNSIGNED | {bool_, uint8}
ALIASES: Final = {
    "half": float16, "float": float32, "double": float64, "short": int16, "int": int32,
    "long": int64, "cfloat": complex64, "cdouble": complex128,
}  # fmt: skip
_OF_PYTHON: Final[dict[type, DType]] = {
    bool: bool_, int: int64, float: float64, complex: complex128,
}  # fmt: skip
_BY_NAME: Final = {dtype.name: dtype for dtype in ALL}
_REAL_OF: Final = {complex64: float32, complex128: float64}
_COMPLEX_OF: Final = {
    float16: complex64, bfloat16: complex64, float32: complex64, float64: complex128,
}  # fmt: skip


def by_name(name: str) -> DType:
    """Return the dtype called *name*.

    >>> by_name("int64")
    torch.int64
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        msg = f"dtype: expected one of {', '.join(_BY_NAME)}, got {name!r}."
        raise ArgumentError(msg) from None


def given(dtype: Any) -> DType:
    """Return the dtype that a caller named: one of these, or Python's own class of numbers.

    Raises:
        ArgumentError: it is neither.

    >>> given(float), given(int32)
    (torch.float64, torch.int32)
    """
    if isinstance(dtype, DType):
        return dtype
    found = _OF_PYTHON.get(dtype) if isinstance(dtype, type) else None
    if found is None:
        msg = (
            f"argument 'dtype' must be torch.dtype, not {type(dtype).__name__}\n"
            f"dtype: got {dtype!r}. Pass one like torch.float32, or Python's float, int, bool or "
            "complex."
        )
        raise ArgumentError(msg)
    return found


def promote_types(type1: DType, type2: DType) -> DType:
    """Return the smallest dtype of at least both categories that PyTorch picks for the two.

    >>> promote_types(int64, float32)
    torch.float32
    >>> promote_types(uint8, int8)
    torch.int16
    """
    if type1 is type2:
        return given(type1)
    type1, type2 = given(type1), given(type2)
    if type1 in WIDE_UNSIGNED or type2 in WIDE_UNSIGNED:
        return _promote_wide(type1, type2)
    low, high = (type1, type2) if type1.rank <= type2.rank else (type2, type1)
    if low.rank == high.rank:  # uint8 with int8, float16 with bfloat16
        return int16 if low.category == INTEGER else float32
    if high.category == COMPLEX and low is float64:
        return complex128
    return high


def _promote_wide(type1: DType, type2: DType) -> DType:
    """Return the floating one of the two: there is no other promotion of wide unsigned dtypes."""
    floating = next((t for t in (type1, type2) if t.category == FLOATING), None)
    if floating is None:
        msg = (
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{type1.scalar_name} and {type2.scalar_name}\n"
            "promote_types: convert one of them with .to(...)."
        )
        raise DTypeError(msg)
    return floating


_default_dtype = float32


def get_default_dtype() -> DType:
    """Return the dtype that floating results take when nothing else decides."""
    return _default_dtype


def set_default_dtype(d: DType) -> None:
    """Make *d* the dtype of floating results when nothing else decides.

    Raises:
        TypeError: *d* is no floating dtype.
    """
    global _default_dtype  # noqa: PLW0603 - a process-wide setting, as in PyTorch
    if not isinstance(d, DType) or d.category != FLOATING:
        msg = (
            "only floating-point types are supported as the default type\n"
            f"set_default_dtype: expected a floating dtype, got {d!r}."
        )
        raise ArgumentError(msg)
    _default_dtype = d


def default_of_category(category: int) -> DType:
    """Return the dtype that a Python number of *category* brings into a promotion."""
    if category == FLOATING:
        return _default_dtype
    if category == COMPLEX:
        return _default_dtype.to_complex()
    return int64 if category == INTEGER else bool_


def category_of_number(number: complex) -> int:
    """Return the category of a Python number."""
    kind = type(number)
    if kind is float:
        return FLOATING
    if kind is bool:
        return BOOL
    if kind is int:
        return INTEGER
    if kind is complex:
        return COMPLEX
    # Subclasses, and the scalars of array libraries, which derive from Python's.
    for base, category in ((bool, BOOL), (int, INTEGER), (float, FLOATING), (complex, COMPLEX)):
        if isinstance(number, base):
            return category
    plain = plain_number(number)
    if plain is not number:
        return category_of_number(plain)
    msg = f"expected a Python number, got {kind.__name__}."
    raise ArgumentError(msg)


#: Types whose objects are what they seem. ``numpy.float64`` is a `float`, and more.
PLAIN: Final = frozenset({bool, int, float, complex, str, type(None)})


def plain_number(item: Any) -> Any:
    """Return the scalar of an array library as the Python number that it holds, others as they are.

    Such a scalar has a dtype and one item, and takes none: ``numpy.float32(2)``, and no array.
    """
    if item.__class__ in PLAIN:
        return item
    if hasattr(item, "dtype") and hasattr(item, "item") and not hasattr(item, "__setitem__"):
        return item.item()
    return item


def default_promotion(tensors: list[DType], scalars: list[DType], categories: list[int]) -> DType:
    """Fold the three classes of operands: dimensioned, 0-d, Python numbers.

    >>> default_promotion([int32], [float64], [])
    torch.float64
    >>> default_promotion([float32], [float64], [FLOATING])
    torch.float32
    """
    result: DType | None = None
    for group in (tensors, scalars):
        folded: DType | None = None
        for dtype in group:
            folded = dtype if folded is None else promote_types(folded, dtype)
        if folded is not None and (result is None or folded.category > result.category):
            result = _raise_category(result, folded)
    if categories and (result is None or max(categories) > result.category):
        result = _raise_category(result, default_of_category(max(categories)))
    assert result is not None, "a promotion needs operands"
    return result


def _raise_category(lower: DType | None, higher: DType) -> DType:
    # float64 with a complex scalar is complex128, float32 complex64: the category rises, the
    # precision stays.
    if lower is not None and lower.category == FLOATING and higher.category == COMPLEX:
        return lower.to_complex()
    return higher
