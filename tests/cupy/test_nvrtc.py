"""Every kernel of the backend is CUDA that NVIDIA's own compiler takes, for all GPUs it knows.

kernels.json keeps registers and spills; tools/compile_cupy_kernels.py writes it.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import pytest
from cupy_backends.cuda.libs import nvrtc as library

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

spec = importlib.util.spec_from_file_location("nvrtc", ROOT / "tools/compile_cupy_kernels.py")
nvrtc = importlib.util.module_from_spec(spec)
spec.loader.exec_module(nvrtc)

#: All of them under the label cupy-full.
FULL = bool(os.environ.get("CHAINRULE_CUPY_FULL"))
#: The compiler of CUDA 12 is asked for the GPUs that the one of CUDA 13 has given up.
CUDA_12 = library.getVersion()[0] == 12
OLD, SOME = ("60", "70"), ("75", "90", "120")
ARCHITECTURES = OLD if CUDA_12 else nvrtc.ARCHITECTURES if FULL else SOME
REDUCE = r"""
extern "C" __global__ void total(const float* x, float* y) {
  __shared__ float s[64];
  s[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  for (int d = 32; d; d >>= 1) {
    if (threadIdx.x < d) s[threadIdx.x] += s[threadIdx.x + d];
    __syncthreads();
  }
  if (threadIdx.x == 0) *y = s[0];
}"""


def as_source(text):
    return nvrtc.Source("test", text, ())


@pytest.fixture(scope="session")
def sources():
    """Return the texts that are compiled: those for float32, or all of them."""
    every = nvrtc.sources()
    return every if FULL else [source for source in every if nvrtc.stands_for_all(source)]


@pytest.fixture(scope="session")
def compiled(sources):
    """Return the table of what the kernels need; a source that does not compile raises."""
    return nvrtc.table(sources, ARCHITECTURES)


def test_every_kernel_named_is_in_its_source(sources, compiled):
    named = {kernel for source in sources for kernel in source.kernels}
    assert named == {name.partition("/")[0] for name in compiled}


def test_every_kernel_compiles_for_every_architecture(compiled):
    missing = {
        name: sorted(set(ARCHITECTURES) - set(row))
        for name, row in compiled.items()
        if set(row) != set(ARCHITECTURES)
    }
    assert missing == {}


def test_no_kernel_spills(compiled):
    spilled = {
        (name, arch): needs
        for name, row in compiled.items()
        for arch, needs in row.items()
        if nvrtc.Needs(*needs).spilled
    }
    assert spilled == {}


def test_every_kernel_is_recorded_for_the_types_that_stand_for_all():
    """Where one is missing, or is there no longer: run the tool with --write."""
    known = json.loads(nvrtc.FILE.read_text())
    named = {
        "/".join((kernel, *source.label.split("/")[1:]))
        for source in nvrtc.sources()
        if nvrtc.stands_for_all(source)
        for kernel in source.kernels
    }
    assert set(known) == named
    assert {arch for row in known.values() for arch in row} == set(nvrtc.ARCHITECTURES)


def test_no_kernel_needs_many_more_registers_than_are_recorded(compiled):
    """Where a kernel is meant to: run the tool with --write."""
    known = json.loads(nvrtc.FILE.read_text())
    grown = {
        (name, arch): (needs[0], known[name][arch][0])
        for name, row in compiled.items()
        for arch, needs in row.items()
        if name in known and arch in known[name] and needs[0] > 1.25 * known[name][arch][0] + 4
    }
    assert grown == {}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_a_kernel_needs_is_read_from_the_log(architecture):
    needs = nvrtc.compile_for(as_source(REDUCE), architecture)["total"]
    assert needs.registers >= 8
    assert needs.shared >= 256
    assert needs.spilled == 0


def test_source_that_is_no_cuda_is_refused():
    from cupy.cuda import compiler

    with pytest.raises(compiler.CompileException, match="undeclared"):
        nvrtc.compile_for(
            as_source('extern "C" __global__ void f(int* x) { *x = undeclared; }'), "80"
        )


def test_all_architectures_are_known_to_the_compiler():
    assert {int(arch) for arch in ARCHITECTURES} <= set(library.getSupportedArchs())
