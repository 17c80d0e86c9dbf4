"""Sample calls, inside the domains, and SciPy in double precision as the reference."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from chainrule.testing import OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainrule.testing import Maker

#: Single precision loses some digits in sums that cancel, as for large orders.
LOOSE = {"float32": 1e-4}


def _shapes(make: Maker, *before: Any, low: float, high: float) -> Iterator[Sample]:
    bounds: Any = {"low": low, "high": high}
    for tensor in (
        make(2, 3, **bounds),
        make(**bounds),
        make(0, 3),
        make.transposed(2, 3, **bounds),
    ):
        yield Sample(*before, tensor)


def _case(name: str, low: float, high: float, *before: Any) -> OpCase:
    return OpCase(
        f"scipy_special::{name}",
        partial(_samples, before=before, low=low, high=high),
        reference=_reference(name),
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


cases = [
    _case("jv", 0.1, 5.0, 1.5),
    _case("yv", 0.5, 5.0, 1),
    _case("iv", 0.1, 3.0, 0.5),
    _case("kv", 0.3, 3.0, 2),
    _case("struve", 0.3, 3.0, 1),
    _case("ellipk", 0.05, 0.9),
    _case("ellipe", 0.05, 0.9),
    _case("exp1", 0.2, 3.0),
    _case("expi", 0.2, 3.0),
    OpCase("scipy_special::expn", _expn, reference=_expn_reference, tolerance=LOOSE),
    _case("dawsn", -2.0, 2.0),
    _case("spence", 0.1, 3.0),
    _case("fresnel", -2.0, 2.0),
    _case("betainc", 0.1, 0.9, 2.0, 3.5),
    _case("hyp1f1", -1.0, 1.0, 0.5, 1.5),
    _case("hyp2f1", -0.8, 0.8, 0.5, 1.0, 1.5),
    OpCase("scipy_special::owens_t", _two, reference=_reference("owens_t"), tolerance=LOOSE),
    OpCase(
        "scipy_special::wofz",
        partial(_samples, before=(), low=0.1, high=1.5),
        reference=_reference("wofz"),
        dtypes=("complex64", "complex128"),
        tolerance={"complex64": 1e-5},
    ),
]
