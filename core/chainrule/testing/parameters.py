"""Turns op cases into the parameters of a test: `parametrize`, for a conftest.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pytest

    from .cases import OpCase

MARKER = "cases(suits, dtypes): which op cases, and which of their dtypes, the test is for"


def parametrize(metafunc: pytest.Metafunc, cases: Iterable[OpCase]) -> None:
    """Give a test that asks for ``case`` all *cases*; with ``dtype``, each in each of its dtypes.

    The marker ``cases`` narrows that: ``suits`` is a function of a case, ``dtypes`` are names.
    """
    if "case" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("cases")
    wanted: Mapping[str, Any] = marker.kwargs if marker is not None else {}
    suits, among = wanted.get("suits", lambda case: True), wanted.get("dtypes")
    chosen = [case for case in cases if suits(case)]
    if "dtype" not in metafunc.fixturenames:
        metafunc.parametrize("case", chosen, ids=[case.name for case in chosen])
        return
    pairs = [(c, name) for c in chosen for name in c.dtypes if among is None or name in among]
    metafunc.parametrize(("case", "dtype"), pairs, ids=[f"{c.name}-{name}" for c, name in pairs])
