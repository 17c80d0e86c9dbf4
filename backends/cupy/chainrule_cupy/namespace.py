"""``xp`` for CuPy's arrays: CuPy, with what it lacks or does otherwise put right in one place.

The family's kernels are written over NumPy's names and NumPy's meaning. Where CuPy has a name and
another meaning, the function here has NumPy's.
"""

from __future__ import annotations

from typing import Any, Final

import cupy


class Namespace:
    """The names of CuPy; a name looked up once is an attribute from then on."""

    def __init__(self) -> None:
        self.__name__ = "cupy"

    def __getattr__(self, name: str) -> Any:
        found = getattr(cupy, name)
        setattr(self, name, found)
        return found

    def __repr__(self) -> str:
        return "<namespace of the CuPy backend>"


xp: Final = Namespace()
