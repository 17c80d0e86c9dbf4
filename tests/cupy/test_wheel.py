"""The wheel of CuPy as it is, where there is no driver: every state is told, nothing crashes."""

from __future__ import annotations

import ctypes.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

START = "import json, sys\n"
PROBE = START + (
    "from chainrule_cupy._probe import probe\n"
    "found = probe()\nprint(json.dumps([found.state, found.reason, dict(found.versions)]))"
)


@pytest.fixture
def run():
    """Return ``run(program)``: what a program prints that no stand-in is near."""

    def run(program, **variables):
        env = {name: text for name, text in os.environ.items() if "CUPY" not in name} | variables
        words = [sys.executable, "-c", program]
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def before(folder):
    """Return the path on which Python finds modules, with *folder* first."""
    return os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])


needs_no_driver = pytest.mark.skipif(
    ctypes.util.find_library("cuda") is not None,
    reason="there is a driver here: what its absence looks like cannot be seen",
)


@needs_no_driver
def test_no_driver_is_the_state_no_device_with_its_cure(run):
    state, reason, versions = json.loads(run(PROBE))
    assert state == "no device"
    assert reason.startswith("cudaErrorInsufficientDriver")
    assert "Install or update the driver" in reason
    assert versions["cupy"].startswith("14.")


@needs_no_driver
def test_module_that_cannot_be_imported_is_the_state_import_failed(run, tmp_path):
    (tmp_path / "cupy.py").write_text("raise ImportError('libcudart.so.13: cannot open')")
    out = run(PROBE, PYTHONPATH=before(tmp_path))
    assert "import failed" in out
    assert "libcudart.so.13: cannot open" in out


def test_missing_compiler_is_the_state_import_failed_with_its_cure(run, tmp_path):
    (tmp_path / "cupy.py").write_text(
        "from types import SimpleNamespace as N\n"
        "def getVersion(): raise RuntimeError('Failure finding \"libnvrtc.so.13\"')\n"
        "__version__ = '14.2.0'\n"
        "cuda = N(runtime=N(getDeviceCount=lambda: 1), nvrtc=N(getVersion=getVersion))\n"
    )
    state, reason, _ = json.loads(run(PROBE, PYTHONPATH=before(tmp_path)))
    assert state == "import failed"
    assert "libnvrtc.so.13" in reason
    assert reason.endswith('x[ctk]"')


def test_absent_cupy_is_the_state_not_installed(run):
    hide = "import sys; sys.modules['cupy'] = None\n"
    assert '"not installed"' in run(hide + PROBE)


@needs_no_driver
def test_a_tensor_for_cuda_says_what_is_missing_and_falls_back_to_nothing(run):
    program = (
        "import chainrule as cr\n"
        "try: print(cr.ones(1, device='cuda').device)\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    out = run(program)
    assert out.startswith("BackendUnavailableError")
    assert "cudaErrorInsufficientDriver" in out


@needs_no_driver
def test_cuda_is_not_available_and_says_so_without_raising(run):
    assert run("import chainrule as cr; print(cr.cuda.is_available())") == "False"


def test_importing_chainrule_imports_no_cupy(run):
    assert run("import chainrule, sys; print('cupy' in sys.modules)") == "False"


def test_kernel_objects_are_made_without_a_device(run):
    program = (
        "import cupy\n"
        "cupy.ElementwiseKernel('T x', 'T y', 'y = x', 'k')\n"
        "cupy.ReductionKernel('T x', 'T y', 'x', 'a + b', 'y = a', '0', 'r')\n"
        "cupy.RawModule(code='extern \"C\" __global__ void f() {}')\n"
        "print('made')"
    )
    assert run(program) == "made"


def test_promotion_of_cupy_is_that_of_numpy(run):
    program = (
        "import cupy, numpy, itertools\n"
        "types = '?bhilqBHILQefdFD'\n"
        "print(all(cupy.result_type(a, b) == numpy.result_type(a, b)\n"
        "          for a, b in itertools.product(types, types)))"
    )
    assert run(program) == "True"


def test_surface_is_that_of_the_installed_wheel():
    """Where this fails, CuPy's names have changed: run tools/dump_cupy_surface.py and look."""
    tool = Path(__file__).parents[2] / "tools" / "dump_cupy_surface.py"
    done = subprocess.run(
        [sys.executable, tool, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
