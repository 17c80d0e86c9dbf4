"""Samples of chainrule/ops/special_more.py; tests/backends compares values with true ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import REAL, one_operand, refused, two_tensors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker

ANY = ("int64", *REAL)
NO_HALF = ("int64", "float32", "float64")
#: PyTorch's own are right to about so many digits.
DIGITS = {"float64": 1e-9}


def one(name: str, low: float, high: float, **options: Any) -> OpCase:
    """Return the case of a function of one operand, on a range of values."""
    options.setdefault("dtypes", ANY)
    return OpCase(name, one_operand(low, high), tolerance=DIGITS, **options)


def _clamped(make: Maker) -> Iterator[Sample]:
    yield from one_operand(0.1, 0.9)(make)
    yield Sample(make(6, low=-0.2, high=1.2), 0.25)


def _of_dimension(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3, low=2.0, high=5.0), 3)
    yield Sample(make(low=2.0, high=5.0), 1)
    yield Sample(make(0, 3, low=2.0, high=5.0), 2)


def _dimension_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(2), 0), "p has to be greater than or equal to 1")


def _fixed_first(low: float, high: float, low2: float, high2: float) -> Any:
    """Return pairs of which the first does not require grad: it has no derivative."""

    def samples(make: Maker) -> Iterator[Sample]:
        for sample in two_tensors((low, high), (low2, high2))(make):
            first, second = sample.args
            yield Sample(first.detach(), second)

    return samples


def _orders(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3, low=-1.5, high=1.5).detach(), make.index(3, below=5).to(make.dtype))
    yield Sample(make().detach(), make.index(4, below=9).to(make.dtype))
    yield Sample(make(0, 3).detach(), make.of([1.0, 2.0, 3.0]).detach())


POLYNOMIALS = (
    *(f"chebyshev_polynomial_{kind}" for kind in "tuvw"),
    *(f"shifted_chebyshev_polynomial_{kind}" for kind in "tuvw"),
    "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l",
    "legendre_polynomial_p",
)  # fmt: skip

cases = [
    *[
        one(f"special.{name}", 0.5, 12.0, dtypes=NO_HALF)
        for name in (
            "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_k0",
            "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
            "spherical_bessel_j0",
        )
    ],
    one("special.airy_ai", -12.0, 6.0, dtypes=NO_HALF),
    *[
        OpCase(f"special.{name}", _orders, None, ("float32", "float64"), grad=False,
               tolerance={"float32": 1e-4})
        for name in POLYNOMIALS
    ],
    one("i0", -4.0, 4.0, in_place="i0_"),
    one("special.i0e", -4.0, 4.0),
    one("special.i1", -4.0, 4.0),
    one("special.i1e", -4.0, 4.0),
    one("special.erfcx", -2.0, 4.0, dtypes=NO_HALF),
    one("special.ndtr", -3.0, 3.0),
    one("special.log_ndtr", -4.0, 3.0, dtypes=NO_HALF),
    one("special.ndtri", 0.1, 0.9, dtypes=NO_HALF),
    one("special.entr", 0.1, 4.0),
    one("sinc", 0.1, 2.0, in_place="sinc_"),
    OpCase("logit", _clamped, None, REAL, in_place="logit_", tolerance=DIGITS),
    OpCase("special.xlog1py", two_tensors((0.5, 2.0), (-0.5, 2.0)), None, ANY, tolerance=DIGITS),
    OpCase("special.zeta", _fixed_first(1.5, 4.0, 0.5, 3.0), None, REAL[1:], tolerance=DIGITS),
    OpCase("igamma", _fixed_first(0.5, 4.0, 0.5, 4.0), None, REAL, in_place="igamma_",
           tolerance=DIGITS),
    OpCase("igammac", _fixed_first(0.5, 4.0, 0.5, 4.0), None, REAL, in_place="igammac_",
           tolerance=DIGITS),
    OpCase("mvlgamma", _of_dimension, None, REAL, errors=_dimension_errors, in_place="mvlgamma_",
           tolerance=DIGITS),
]  # fmt: skip
