"""Promises about what importing core brings in, and about what core knows of backends."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule
from chainrule.plugin.builtin import BUILTIN

CORE = Path(chainrule.__file__).parent
LIBRARIES = {"numpy", "cupy", "scipy", "torch", "safetensors", "rich", "matplotlib"}
BACKENDS = {
    "chainrule_xp",
    "chainrule_numpy",
    "chainrule_sim",
    "chainrule_cupy",
    "chainrule_native",
}
TOY = Path(__file__).with_name("conftest.py")


def modules_after(program):
    """Return the top-level modules that *program* has brought in, in a fresh interpreter."""
    program += "\nimport sys; print('|', *sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": ":".join(p for p in sys.path if p)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("|")[2].split())


def test_importing_chainrule_imports_no_array_library_and_no_backend():
    assert modules_after("import chainrule") & (LIBRARIES | BACKENDS) == set()


def test_importing_chainrule_leaves_out_what_few_programs_need():
    late = {"pathlib", "tempfile", "shutil", "difflib", "random", "urllib"}

    assert not late & modules_after("import chainrule")


def test_importing_chainrule_looks_for_no_plugin():
    assert "pluggy" not in modules_after("import chainrule")


def test_first_tensor_imports_one_backend_and_its_library_alone():
    found = modules_after("import chainrule; chainrule.zeros(1)")

    assert found & (LIBRARIES | BACKENDS) == {"numpy", "chainrule_numpy", "chainrule_xp"}


def test_derivatives_need_no_array_library():
    program = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("toy", {str(TOY)!r})
toy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(toy)
toy.activate()
import chainrule as cr
x = cr.tensor([1.0, 2.0], device="toy", requires_grad=True)
(first,) = cr.autograd.grad((x * x * x).sum(), x, create_graph=True)
first.sum().backward()
assert x.grad.tolist() == [6.0, 12.0]
"""
    assert modules_after(program) & (LIBRARIES | BACKENDS | {"pluggy_hooks"}) == set()


def sources():
    return sorted(CORE.rglob("*.py"))


def test_each_module_of_core_imports_only_the_standard_library_and_what_it_may():
    allowed = {"pluggy", "pytest", "safetensors", "rich", "matplotlib", "chainrule"}
    strangers = []
    for source in sources():
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                root = name.partition(".")[0]
                if root not in allowed and root not in sys.stdlib_module_names:
                    strangers.append(f"{source.relative_to(CORE)}: {name}")

    assert strangers == []


def names_a_backend(node):
    return isinstance(node, ast.Constant) and node.value in BUILTIN


@pytest.mark.parametrize("source", sources(), ids=lambda s: str(s.relative_to(CORE)))
def test_core_branches_on_no_backend_name(source):
    """Outside the table of built-ins, no comparison and no table of core holds a backend's name."""
    if source.name == "builtin.py" and source.parent.name == "plugin":
        return
    tree = ast.parse(source.read_text(encoding="utf-8"))
    compared = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and any(map(names_a_backend, ast.walk(node)))
    ]
    keyed = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict) and any(names_a_backend(key) for key in node.keys if key)
    ]
    cased = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.match_case) and any(map(names_a_backend, ast.walk(node.pattern)))
    ]

    assert compared + keyed + cased == []


def test_name_that_is_not_there_is_answered_with_the_nearest():
    with pytest.raises(AttributeError, match="did you mean 'tensor'") as caught:
        chainrule.tensr  # noqa: B018 - it raises

    assert (caught.value.name, caught.value.obj) == ("tensr", chainrule)


def test_names_like_no_other_are_answered_plainly():
    with pytest.raises(AttributeError) as caught:
        chainrule.qqqqqqqq  # noqa: B018 - it raises

    assert str(caught.value) == "module 'chainrule' has no attribute 'qqqqqqqq'"
