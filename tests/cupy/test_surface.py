"""Every name of CuPy that the backend uses is one of the wheel, and every keyword one it takes.

The names stand in surface.json, which tools/dump_cupy_surface.py writes from the wheel: so this
runs where CuPy is not installed.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SURFACE = json.loads((HERE / "surface.json").read_text())
BACKEND = sorted((ROOT / "backends/cupy/chainrule_cupy").rglob("*.py"))
FAMILY = sorted((ROOT / "backends/xp/chainrule_xp").rglob("*.py"))
#: What ``xp`` has on every backend though CuPy has not, and why no kernel fails for it.
OF_XP = {
    "__name__": "of any module",
    "errstate": "asked for where NumPy is `xp` and nowhere else",
}
OPEN = {"cupy", "cupyx"} | {name.rpartition(".")[0] for name in SURFACE if "." in name}


def imports(tree: ast.Module) -> dict[str, str]:
    """Return what the names that *tree* imports mean, in full."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                given = alias.asname or alias.name.partition(".")[0]
                found[given] = alias.name if alias.asname else given
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return {name: what for name, what in found.items() if what.split(".")[0] in {"cupy", "cupyx"}}


def full_name(node: ast.AST, names: dict[str, str]) -> str | None:
    """Return ``cupy.cuda.Device`` for the expression that means it; None for any other."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = full_name(node.value, names)
        return f"{owner}.{node.attr}" if owner else None
    return None


def complaints(source: str, names: dict[str, str] | None = None) -> list[str]:
    """Return what is wrong in *source*: names that CuPy lacks, keywords that it does not take."""
    tree = ast.parse(source)
    names = names or imports(tree)
    found = [f"{name} does not exist" for name in names.values() if not exists(name)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = full_name(node, names)
            if name and not exists(name):
                found.append(f"line {node.lineno}: {name} does not exist")
        elif isinstance(node, ast.Call):
            found += bad_keywords(node, full_name(node.func, names))
    return found


def exists(name: str) -> bool:
    """Return whether *name* is known, or belongs to a thing of which not all is known."""
    owner = name.rpartition(".")[0]
    return name in SURFACE or name in OPEN or (owner not in OPEN and "." in owner)


def bad_keywords(call: ast.Call, name: str | None) -> list[str]:
    """Return the keywords of *call* that *name* does not take."""
    known = SURFACE.get(name or "")
    if not isinstance(known, list) or "**" in known or "kwargs" in known:
        return []
    given = [keyword.arg for keyword in call.keywords if keyword.arg]
    return [
        f"line {call.lineno}: {name}() has no parameter {key!r}"
        for key in given
        if key not in known
    ]


@pytest.mark.parametrize("path", BACKEND, ids=lambda path: path.name)
def test_backend_uses_names_that_cupy_has(path):
    assert complaints(path.read_text()) == []


@pytest.mark.parametrize("path", FAMILY, ids=lambda path: path.name)
def test_family_uses_names_that_cupy_has(path):
    found = complaints(path.read_text(), {"xp": "cupy"})
    allowed = {f"cupy.{name} does not exist" for name in OF_XP}
    names = [line for line in found if "does not exist" in line]
    assert [line for line in names if line.partition(": ")[2] not in allowed] == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import cupy as cp\ncp.vecdot(a, b)", "line 2: cupy.vecdot does not exist"),
        ("import cupy\ncupy.sum(a, where=m)", "line 2: cupy.sum() has no parameter 'where'"),
        ("import cupy\ncupy.argsort(a, stable=True)", "cupy.argsort() has no parameter 'stable'"),
        ("from cupy.cuda import cudnn", "cupy.cuda.cudnn does not exist"),
        ("from cupy import cuda\ncuda.Strem()", "line 2: cupy.cuda.Strem does not exist"),
        ("import cupyx\ncupyx.scatter_ad(a, i, v)", "cupyx.scatter_ad does not exist"),
    ],
)
def test_lint_finds(source, complaint):
    assert any(complaint in line for line in complaints(source))


@pytest.mark.parametrize(
    "source",
    [
        "import cupy as cp\ncp.sum(a, axis=0, keepdims=True)\ncp.add.at(a, i, v)",
        "from cupy.cuda import runtime\nruntime.getDeviceCount()",
        "import cupyx\ncupyx.scatter_add(a, i, v)",
        "import cupy\ncupy.cuda.get_current_stream().synchronize()",
    ],
)
def test_lint_accuses_nobody_wrongly(source):
    assert complaints(source) == []


@pytest.mark.parametrize("path", BACKEND, ids=lambda path: path.name)
def test_backend_draws_no_numbers_from_cupy(path):
    """cuRAND's numbers can be had on a GPU only: no test could compare them."""
    source = path.read_text()
    names = imports(ast.parse(source))
    used = [full_name(node, names) for node in ast.walk(ast.parse(source))]
    assert [name for name in used if name and name.startswith(("cupy.random", "cupy.fft"))] == []
