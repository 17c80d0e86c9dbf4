"""Which of the compiled modules is loaded: the one for the best instructions that the CPU has."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from typing import Any

from chainrule.errors import BackendError

#: Asks for a level by name, for tests and to compare.
VARIABLE = "CHAINRULE_NATIVE_LEVEL"


def levels() -> tuple[str, ...]:
    """Return the levels that were built and that this CPU can run, the best first.

    Raises:
        ImportError: the extension was not built, or not for this Python.
    """
    cpu: Any = importlib.import_module("chainrule_native._cpu")
    return tuple(level for level in cpu.levels() if _is_built(level))


def _is_built(level: str) -> bool:
    return importlib.util.find_spec(f"chainrule_native._core_{level}") is not None


def choose() -> str:
    """Return the level to run: the best, or the one that the environment asks for.

    Raises:
        BackendError: this CPU cannot run that one, or it was not built.
    """
    there = levels()
    wanted = os.environ.get(VARIABLE) or (there[0] if there else "")
    if wanted not in there:
        raise BackendError(
            f"{VARIABLE}={wanted}: expected one of {', '.join(there) or 'no level'}, which this "
            "CPU can run and the build has. Unset it, or build chainrule-native again."
        )
    return wanted


@cache
def core() -> Any:
    """Return the compiled module, which knows where NumPy's BLAS is."""
    module: Any = importlib.import_module(f"chainrule_native._core_{choose()}")
    # Looked up through the module of NumPy that was linked with it, whatever it is called.
    numpy = importlib.import_module("numpy._core._multiarray_umath")
    module.connect_blas(str(numpy.__file__))
    return module
