"""What a backend promises, and what a test needs: `requires`.

A test that needs what a backend does not declare is skipped, and says so; one that needs what the
backend declares has to pass. The declaration is `BackendSpec.capabilities`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from .. import backend as registry
from .. import dtypes

if TYPE_CHECKING:
    from collections.abc import Callable

#: Every capability, and what it promises.
CAPABILITIES: Final = {
    "float64": "arrays of float64: finite differences need them",
    "complex": "arrays of complex64 and, with float64, complex128",
    "views": "a slice shares the memory of what it was cut from",
    "inplace": "an array can be written to",
    "deterministic": "the same call gives the same numbers",
    "streams": "work is queued, and the host goes on",
    "dlpack": "arrays can be given away and taken by DLPack",
}

MARKER: Final = "requires(*capabilities): what the backend must declare for the test to run"


def requires(*names: str) -> Callable[[Any], Any]:
    """Return the mark of a test that needs these capabilities of its backend."""
    unknown = set(names) - CAPABILITIES.keys()
    assert not unknown, f"requires: unknown capabilities {sorted(unknown)}"
    mark: Callable[[Any], Any] = pytest.mark.requires(*names)
    return mark


def missing_capability(backend: str, names: tuple[str, ...], dtype: str | None) -> str:
    """Return why a test is not for *backend*: a capability or a dtype that it lacks, or ""."""
    live = registry.by_name(backend)
    for name in names:
        if name not in live.spec.capabilities:
            return f"backend {backend} does not declare {name!r}: {CAPABILITIES[name]}"
    if dtype is None or live.supports(dtypes.by_name(dtype)):
        return ""
    promised = "float64" if dtype in {"float64", "complex128"} else "complex"
    if dtype.startswith(("float64", "complex")) and promised in live.spec.capabilities:
        return ""  # it says that it has them: let the test fail
    return f"backend {backend} has no arrays of {dtype}"
