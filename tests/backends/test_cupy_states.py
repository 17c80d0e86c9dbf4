"""What the CuPy backend says where CuPy or a device is missing; a stand-in module plays CuPy."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest

from chainrule.backend import AVAILABLE, IMPORT_FAILED, NO_DEVICE, NOT_INSTALLED
from chainrule_cupy import _probe


@pytest.fixture
def installed(monkeypatch):
    """Return a function that puts a module into the place of CuPy."""

    def installed(version="14.2.0", count=lambda: 1, compiler=lambda: (13, 2)):
        cupy = ModuleType("cupy")
        cupy.__version__ = version
        runtime = SimpleNamespace(
            getDeviceCount=count, runtimeGetVersion=lambda: 13020, driverGetVersion=lambda: 13010
        )
        cupy.cuda = SimpleNamespace(runtime=runtime, nvrtc=SimpleNamespace(getVersion=compiler))
        monkeypatch.setitem(sys.modules, "cupy", cupy)

    return installed


@pytest.fixture
def importing(monkeypatch):
    """Return a function that makes ``import cupy`` raise."""

    class Finder:
        def __init__(self, error):
            self.error = error

        def find_spec(self, name, path=None, target=None):
            if name == "cupy":
                raise self.error

    def importing(error):
        monkeypatch.delitem(sys.modules, "cupy", raising=False)
        monkeypatch.setattr(sys, "meta_path", [Finder(error), *sys.meta_path])

    return importing


def test_no_module_is_not_installed(importing):
    importing(ModuleNotFoundError("No module named 'cupy'", name="cupy"))
    found = _probe.probe()

    assert (found.state, found.reason) == (NOT_INSTALLED, "there is no module 'cupy'")


def test_a_module_that_cupy_misses_is_a_failed_import(importing):
    importing(ModuleNotFoundError("No module named 'fastrlock'", name="fastrlock"))

    assert _probe.probe().state == IMPORT_FAILED
    assert "fastrlock" in _probe.probe().reason


def test_a_failed_import_tells_the_cause_in_one_line(importing):
    importing(ImportError("\n====\nlibcuda.so.1: cannot open\n====\n"))
    found = _probe.probe()

    assert found.state == IMPORT_FAILED
    assert found.reason == "ImportError: libcuda.so.1: cannot open"


def test_two_wheels_are_told(importing, monkeypatch):
    importing(ImportError("undefined symbol"))
    monkeypatch.setattr(
        _probe, "installed_wheels", lambda: ["cupy-cuda12x 14.2.0", "cupy-cuda13x 14.2.0"]
    )

    assert "overwrite each other: uninstall all, install one" in _probe.probe().reason


def test_an_old_cupy_is_told_to_be_updated(installed):
    installed("13.6.0")
    found = _probe.probe()

    assert found.state == IMPORT_FAILED
    assert "older than 14.2. Update it: pip install --upgrade" in found.reason
    assert found.versions == (("cupy", "13.6.0"),)


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("cudaErrorInsufficientDriver", "There is no NVIDIA driver, or it is older"),
        ("cudaErrorNoDevice", "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_no_device_says_why_and_what_to_do(installed, name, cure):
    def count():
        raise RuntimeError(f"{name}: it does not work")

    installed(count=count)
    found = _probe.probe()

    assert found.state == NO_DEVICE
    assert found.reason.startswith(f"{name}: it does not work. ")
    assert cure in found.reason


def test_zero_devices_are_no_device(installed):
    installed(count=lambda: 0)

    assert _probe.probe().state == NO_DEVICE


def test_a_missing_compiler_is_told_with_the_cure(installed):
    def compiler():
        raise RuntimeError("CuPy failed to load libnvrtc.so.13")

    installed(compiler=compiler)
    found = _probe.probe()

    assert found.state == IMPORT_FAILED
    assert "the compiler of CUDA is missing" in found.reason
    assert '[ctk]"' in found.reason


def test_a_device_is_available_with_its_versions(installed):
    installed(count=lambda: 2)
    found = _probe.probe()

    assert (found.state, found.devices) == (AVAILABLE, 2)
    assert dict(found.versions) == {
        "cupy": "14.2.0", "CUDA runtime": "13.2", "CUDA driver": "13.1",
    }  # fmt: skip


def test_importing_the_backend_imports_no_array_library():
    program = "import sys, chainrule_cupy; print({'numpy', 'cupy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(p for p in sys.path if p)},
    )  # fmt: skip

    assert done.stdout.strip() == "set()"
