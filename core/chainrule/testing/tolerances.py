"""How near a result must be to the true value: one table, by dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .cases import OpCase

#: Relative and absolute tolerance. Integers are exact. A few roundings of a value near 1 are
#: allowed, so that another order of the same sums passes and a wrong term does not.
TOLERANCES: Final = {
    "bool": (0.0, 0.0),
    "uint8": (0.0, 0.0),
    "int8": (0.0, 0.0),
    "int16": (0.0, 0.0),
    "int32": (0.0, 0.0),
    "int64": (0.0, 0.0),
    "float16": (4e-3, 4e-3),
    "bfloat16": (3e-2, 3e-2),
    "float32": (2e-6, 2e-6),
    "float64": (1e-12, 1e-13),
    "complex64": (2e-6, 2e-6),
    "complex128": (1e-12, 1e-13),
}  # fmt: skip


def tolerance(case: OpCase, *dtypes: str) -> tuple[float, float]:
    """Return relative and absolute tolerance for results that went through *dtypes*: the widest.

    >>> from chainrule.testing import OpCase
    >>> tolerance(OpCase("exp", lambda make: []), "int64", "float32")
    (2e-06, 2e-06)
    """
    pairs = [TOLERANCES[name] for name in dtypes]
    own = [case.tolerance[name] for name in dtypes if name in case.tolerance]
    return max([*own, *(r for r, _ in pairs)]), max(a for _, a in pairs)
