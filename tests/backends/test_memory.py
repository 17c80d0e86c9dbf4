"""What the NumPy backend has the C library do with freed memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from chainrule.errors import BackendError
from chainrule_numpy import _memory

PROGRAM = """
import resource
import chainrule as cr
x = cr.ones(1_000_000)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def step():
    y = x * 2
    z = y + 1
    return (y * z).sum()
for _ in range(3):
    step()
before = faults()
for _ in range(10):
    step()
print((faults() - before) // 10)
"""
glibc = pytest.mark.skipif(not _memory._is_glibc(), reason="only glibc can be told")


def faults_per_step(**environment):
    command = [sys.executable, "-c", PROGRAM]
    known = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    known = {**known, "CHAINRULE_BACKEND": "cpu=numpy", **environment}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=known)
    return int(done.stdout)


@glibc
def test_a_step_pages_in_no_memory_that_the_last_one_freed():
    assert faults_per_step() < 100  # three arrays of 977 pages each


@glibc
def test_a_limit_of_0_leaves_the_c_library_as_it_is():
    assert _memory.keep_freed_memory({_memory.VARIABLE: "0"}) == 0
    assert faults_per_step(CHAINRULE_KEEP_MEMORY="0") > 500


@pytest.mark.parametrize(
    "theirs",
    [
        {"MALLOC_TRIM_THRESHOLD_": "100000"},
        {"MALLOC_MMAP_THRESHOLD_": "100000"},
        {"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=100000"},
    ],
)
def test_what_the_user_told_the_c_library_stands(theirs):
    assert _memory.keep_freed_memory(theirs) == 0


@pytest.mark.parametrize("text", ["much", "-1", "1.5", "²"])
def test_a_limit_that_is_no_number_is_refused(text):
    with pytest.raises(BackendError, match="expected a number of MiB, got"):
        _memory.limit_from({_memory.VARIABLE: text})


def test_the_limit_is_256_mib_unless_said_otherwise():
    assert _memory.limit_from({}) == _memory.limit_from({_memory.VARIABLE: " "}) == 256
    assert _memory.limit_from({_memory.VARIABLE: "64"}) == 64
    assert _memory.limit_from({_memory.VARIABLE: "9999999"}) == 2047
