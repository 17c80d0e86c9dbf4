"""Sample calls, inside the domains, and SciPy in double precision as the reference."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from chainrule.testing import OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainrule.testing import Maker

#: Single precision loses some digits in sums that cancel, as for large orders.
LOOSE = {"float32": 1e-4, "complex64": 1e-4}

REAL = ("float32", "float64")
ALL = (*REAL, "complex64", "complex128")


def _shapes(make: Maker, *before: Any, low: float, high: float) -> Iterator[Sample]:
    bounds: Any = {"low": low, "high": high}
    for tensor in (
        make(2, 3, **bounds),
        make(**bounds),
        make(0, 3),
        make.transposed(2, 3, **bounds),
    ):
        yield Sample(*before, tensor)


def _case(
    name: str, low: float, high: float, *before: Any, dtypes: tuple[str, ...] = REAL
) -> OpCase:
    return OpCase(
        f"scipy_special::{name}",
        partial(_samples, before=before, low=low, high=high),
        reference=_reference(name),
        dtypes=dtypes,
        tolerance=LOOSE,
    )


def _samples(make: Maker, before: tuple[Any, ...], low: float, high: float) -> Iterator[Sample]:
    yield from _shapes(make, *before, low=low, high=high)


def _reference(name: str) -> Callable[..., Any]:
    def reference(np: Any, *arguments: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*arguments)

    return reference


def _expn(make: Maker) -> Iterator[Sample]:
    for order in (0, 1, 3):
        yield Sample(make(2, 3, low=0.2, high=2.0), order)


def _expn_reference(np: Any, x: Any, n: int) -> Any:
    import scipy.special

    return scipy.special.expn(n, x)


def _two(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(3))
    yield Sample(make(3), 0.5)


def _lambertw(make: Maker) -> Iterator[Sample]:
    for tensor in (make(2, 3, low=0.2, high=2.0), make(low=0.2, high=2.0), make(0, 3)):
        yield Sample(tensor)
    if make.dtype.is_complex:
        yield Sample(make(3, low=0.5, high=2.0), 1)
    else:
        yield Sample(make(3, low=-0.3, high=-0.1), -1)


def _lambertw_reference(np: Any, x: Any, k: int = 0) -> Any:
    import scipy.special

    result = scipy.special.lambertw(x, k)
    return result if np.iscomplexobj(x) else result.real


def _voigt(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(3, low=0.5, high=2.0), make(low=0.5, high=2.0))
    yield Sample(make(3), 1.5, 0.5)
    yield Sample(make(0, 3), make(3, low=0.5, high=2.0), 0.5)


def _ellipd_reference(np: Any, m: Any) -> Any:
    import scipy.special

    return scipy.special.elliprd(0.0, 1 - m, 1.0) / 3  # DLMF 19.25.1


def _gammainc_slope_reference(np: Any, a: Any, x: Any) -> Any:
    return _each(lambda a, x: _mpmath_slope("gammainc", 0, a, 0, x), np, a, x)


def _betainc_slopes_reference(np: Any, a: Any, b: Any, x: Any) -> Any:
    return tuple(
        _each(lambda a, b, x, by=by: _mpmath_slope("betainc", by, a, b, 0, x), np, a, b, x)
        for by in (0, 1)
    )


def _each(function: Callable[..., float], np: Any, *arrays: Any) -> Any:
    same = np.broadcast_arrays(*arrays)
    values = [function(*row) for row in zip(*(array.flat for array in same), strict=True)]
    return np.array(values, dtype=float).reshape(same[0].shape)


def _mpmath_slope(name: str, by: int, *arguments: Any) -> float:
    import mpmath

    order = tuple(int(i == by) for i in range(len(arguments)))
    with mpmath.workdps(120):  # it takes differences of numbers next to 1
        exact = [mpmath.mpf(float(argument)) for argument in arguments]
        function = partial(getattr(mpmath, name), regularized=True)
        return float(mpmath.diff(function, exact, order))


cases = [
    _case("jv", 0.1, 5.0, 1.5, dtypes=ALL),
    _case("yv", 0.5, 5.0, 1, dtypes=ALL),
    _case("iv", 0.1, 3.0, 0.5, dtypes=ALL),
    _case("kv", 0.3, 3.0, 2, dtypes=ALL),
    _case("ive", 0.1, 3.0, 0.5),
    _case("kve", 0.3, 3.0, 2, dtypes=ALL),
    _case("struve", 0.3, 3.0, 1),
    _case("airy", -2.0, 2.0, dtypes=ALL),
    _case("ellipk", 0.05, 0.9),
    _case("ellipe", 0.05, 0.9),
    OpCase(
        "scipy_special::ellipd",
        partial(_samples, before=(), low=0.05, high=0.9),
        reference=_ellipd_reference,
        tolerance=LOOSE,
    ),
    _case("exp1", 0.2, 3.0, dtypes=ALL),
    _case("expi", 0.2, 3.0, dtypes=ALL),
    OpCase("scipy_special::expn", _expn, reference=_expn_reference, tolerance=LOOSE),
    _case("dawsn", -2.0, 2.0, dtypes=ALL),
    _case("spence", 0.1, 3.0, dtypes=ALL),
    _case("fresnel", -2.0, 2.0, dtypes=ALL),
    _case("betainc", 0.1, 0.9, 2.0, 3.5),
    _case("betaincinv", 0.1, 0.9, 2.0, 3.5),
    _case("gammainc", 0.3, 4.0, 1.5),
    _case("gammaincc", 0.3, 4.0, 1.5),
    _case("gammaincinv", 0.1, 0.9, 1.5),
    _case("gammainccinv", 0.1, 0.9, 1.5),
    OpCase(
        "scipy_special::gammainc_slope",
        partial(_samples, before=(1.5,), low=0.3, high=4.0),
        reference=_gammainc_slope_reference,
        tolerance=LOOSE,
    ),
    OpCase(
        "scipy_special::betainc_slopes",
        partial(_samples, before=(2.0, 3.5), low=0.1, high=0.9),
        reference=_betainc_slopes_reference,
        tolerance=LOOSE,
    ),
    OpCase(
        "scipy_special::lambertw",
        _lambertw,
        reference=_lambertw_reference,
        dtypes=ALL,
        tolerance=LOOSE,
    ),
    _case("hyp1f1", -1.0, 1.0, 0.5, 1.5, dtypes=ALL),
    _case("hyp2f1", -0.8, 0.8, 0.5, 1.0, 1.5, dtypes=ALL),
    OpCase("scipy_special::owens_t", _two, reference=_reference("owens_t"), tolerance=LOOSE),
    OpCase(
        "scipy_special::voigt_profile",
        _voigt,
        reference=_reference("voigt_profile"),
        tolerance=LOOSE,
    ),
    OpCase(
        "scipy_special::wofz",
        partial(_samples, before=(), low=0.1, high=1.5),
        reference=_reference("wofz"),
        dtypes=("complex64", "complex128"),
        tolerance={"complex64": 1e-5},
    ),
]
