"""Write the public names of the installed CuPy wheel, and their parameters, to a file.

``python tools/dump_cupy_surface.py [--check]`` writes tests/cupy/surface.json, or says whether it
differs. No device and no driver are needed. Functions give their parameters, ufuncs their loops.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent.parent / "tests" / "cupy" / "surface.json"
MODULES = (
    "cupy", "cupy.cuda", "cupy.cuda.runtime", "cupy.cuda.driver", "cupy.cuda.memory",
    "cupy.cuda.memory_hooks", "cupy.cuda.nvrtc", "cupy.cuda.compiler", "cupy.cuda.device",
    "cupy.cuda.stream", "cupy.cuda.graph", "cupy.linalg", "cupy.lib", "cupy.lib.stride_tricks",
    "cupy.exceptions", "cupyx", "cupyx.profiler", "cupyx.scipy.special",
)  # fmt: skip
CLASSES = (
    "cupy.ndarray", "cupy.ufunc", "cupy.cuda.Device", "cupy.cuda.Stream", "cupy.cuda.Event",
    "cupy.cuda.Graph", "cupy.cuda.MemoryPool", "cupy.cuda.PinnedMemoryPool",
    "cupy.cuda.MemoryPointer", "cupy.cuda.MemoryHook", "cupy.RawKernel", "cupy.RawModule",
    "cupy.ElementwiseKernel", "cupy.ReductionKernel",
)  # fmt: skip
SPECIAL = {
    "__version__",
    "__array__",
    "__array_ufunc__",
    "__cuda_array_interface__",
    "__dlpack__",
    "__getitem__",
}


def parameters(thing: Any) -> list[str] | None:
    """Return the names of parameters, ``**`` for any keyword; None where nobody can tell."""
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return _from_docstring(getattr(thing, "__doc__", None) or "")
    return ["**" if p.kind is p.VAR_KEYWORD else p.name for p in found]


def _from_docstring(text: str) -> list[str] | None:
    """Cython writes the signature on the first line."""
    match = re.match(r"[\w.]+\((.*)\)", text.strip().partition("\n")[0])
    if not match:
        return None
    parts = re.split(r",(?![^\[(]*[\])])", match.group(1))
    names = [re.split(r"[=:]", part.strip())[0].split(" ")[-1] for part in parts]
    return [name for name in names if name]


def describe(thing: Any) -> object:
    """Return what is kept of *thing*: a list of parameters, loops of a ufunc, or its kind."""
    if type(thing).__name__ == "ufunc":
        return {"loops": thing.types}
    if inspect.ismodule(thing):
        return "module"
    if callable(thing):
        return parameters(thing)
    return "value"


def surface() -> dict[str, object]:
    """Return the names of the wheel that is installed."""
    warnings.simplefilter("ignore")
    cupy = importlib.import_module("cupy")
    found: dict[str, object] = {"version": cupy.__version__}
    for name in MODULES + CLASSES:
        found |= names_of(name, resolve(name))
    return dict(sorted(found.items()))


def resolve(name: str) -> object:
    """Return what *name* means: a module, or an attribute of one."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        owner, _, attribute = name.rpartition(".")
        return getattr(importlib.import_module(owner), attribute)


def names_of(prefix: str, owner: object) -> dict[str, object]:
    """Return the public names of a module or class."""
    return {
        f"{prefix}.{name}": describe(getattr(owner, name, None))
        for name in dir(owner)
        if not name.startswith("_") or name in SPECIAL
    }


def text() -> str:
    """Return the file: one name per line, so that a new version reads well as a difference."""
    rows = (f"{json.dumps(name)}: {json.dumps(what)}" for name, what in surface().items())
    return "{\n" + ",\n".join(rows) + "\n}\n"


def main() -> None:
    """Write the file, or check it."""
    new = text()
    if "--check" not in sys.argv:
        FILE.write_text(new)
    elif FILE.read_text() != new:
        sys.exit(f"{FILE} is not that of the installed wheel: run {Path(__file__).name}")


if __name__ == "__main__":
    main()
