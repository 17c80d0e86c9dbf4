"""The Python side of the native backend: what it imports, what it says of itself."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule as cr

ALLOWED = {"chainrule.backend", "chainrule.errors", "chainrule.plugin.api"}


def test_it_imports_of_chainrule_what_a_backend_may():
    import chainrule_native

    found = set()
    for file in Path(chainrule_native.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(node.module)

    assert {name for name in found if name.partition(".")[0] == "chainrule"} <= ALLOWED


def run(program, **environment):
    """Return what a program prints in a new process, its errors included."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def test_importing_the_package_loads_neither_numpy_nor_the_extension():
    program = (
        "import sys, chainrule_native; print('numpy' in sys.modules, "
        "any(name.startswith('chainrule_native._') for name in sys.modules))"
    )

    assert run(program) == "False False"


@pytest.mark.parametrize("level", ["baseline", "avx2", "avx512"])
def test_a_level_that_can_run_is_loaded_and_another_is_refused_with_the_reason(level):
    from chainrule_native._levels import levels

    printed = run(
        "import chainrule as cr\n"
        "try: cr.use('native'); print(cr.backend.by_name('native').level_name)\n"
        "except cr.errors.BackendError as error: print(error)",
        CHAINRULE_NATIVE_LEVEL=level,
    )
    if level in levels():
        assert printed == level
    else:
        assert f"CHAINRULE_NATIVE_LEVEL={level}: expected one of" in printed


def test_every_level_gives_the_same_numbers_to_the_last_bits():
    from chainrule_native._levels import levels

    program = (
        "import chainrule as cr; cr.use('native'); cr.manual_seed(0); x = cr.randn(1000)\n"
        "print(*(float((y.double() * cr.arange(1000)).sum()) for y in (x.tanh(), x.sigmoid())))"
    )
    printed = [run(program, CHAINRULE_NATIVE_LEVEL=level).split() for level in levels()]

    for numbers in printed:
        assert [float(n) for n in numbers] == pytest.approx(
            [float(n) for n in printed[0]], rel=1e-6
        )


def test_threads_are_those_that_the_user_asks_for(core):
    program = (
        "import chainrule as cr; {before}; cr.use('native')\n"
        "from chainrule_native._levels import core; {after}; print(core().thread_count())"
    )

    assert run(program.format(before="pass", after="pass"), OMP_NUM_THREADS="3") == "3"
    assert run(program.format(before="cr.set_num_threads(4)", after="pass")) == "4"
    assert run(program.format(before="pass", after="cr.set_num_threads(5)")) == "5"


def test_a_container_gets_the_threads_of_its_share(tmp_path):
    from chainrule_native._threads import _share

    assert _share(tmp_path) is None
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert _share(tmp_path) is None
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert _share(tmp_path) == 2


def test_memory_is_counted_and_the_limit_is_kept(core):
    import chainrule_native

    cr.backend.by_name("native")
    before = chainrule_native.memory_stats()
    array = cr.zeros(1 << 20, device="cpu@native")
    during = chainrule_native.memory_stats()
    del array
    after = chainrule_native.memory_stats()
    chainrule_native.release_memory()

    grown = during["allocated_bytes.all.current"] - before["allocated_bytes.all.current"]
    assert grown >= 4 << 20
    assert after["inactive_bytes.all.current"] >= 4 << 20
    assert chainrule_native.memory_stats()["inactive_bytes.all.current"] == 0
    with cr.using("native"):
        assert cr.memory_stats().keys() == before.keys()


def test_a_child_of_fork_computes_the_same():
    program = (
        "import os, chainrule as cr; cr.use('native'); cr.set_num_threads(2)\n"
        "x = cr.ones(2_000_000).tanh()\n"
        "pid = os.fork()\n"
        "y = cr.ones(2_000_000).tanh(); assert (x == y).all()\n"
        "if pid == 0: os._exit(7)\n"  # not 0, with which much else ends
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )

    assert run(program) == "7"


def test_helper_that_is_late_still_knows_its_job_when_the_caller_is_done():
    """Seven threads on fewer CPUs are late often; this takes them a hundred thousand jobs."""
    program = (
        "import time, numpy as np\n"
        "from chainrule_native._levels import core\n"
        "core().set_thread_count(7)\n"
        "kernel, x = core().kernel('cr::tanh', print), np.ones(40_000, 'float32')\n"
        "end = time.monotonic() + 5\n"
        "while time.monotonic() < end:\n"
        "    for _ in range(100): kernel(x)\n"
        "print('done')\n"
    )

    assert run(program) == "done"


def test_several_python_threads_compute_at_once():
    program = (
        "import threading, chainrule as cr; cr.use('native'); cr.set_num_threads(2)\n"
        "x = cr.randn(300_000); expected = x.tanh(); wrong = []\n"
        "def work():\n"
        "    for _ in range(20):\n"
        "        if not (x.tanh() == expected).all(): wrong.append(1)\n"
        "threads = [threading.Thread(target=work) for _ in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]; print(wrong)"
    )

    assert run(program) == "[]"
