"""Planted faults: each is caught, and the same program without the fault is not accused."""

from __future__ import annotations

import signal

import pytest

START = "import numpy as np, cupy as cp, cupy_standin as standin\n"
ALL_REPORTS = "\ncp.cuda.Device().synchronize()\nprint(*standin.forget_reports(), sep='\\n')"


@pytest.fixture
def found(run_on_standin):
    """Return ``found(program, options)``: what the stand-in reports; the program must end well."""

    def find(program, options="check"):
        ended = run_on_standin(START + program + ALL_REPORTS, options)
        assert ended.code == 0, ended.err
        return ended.out

    return find


# Host and device


def test_host_access_to_device_memory_ends_the_process_and_is_named(run_on_standin):
    program = START + (
        "import ctypes\nx = cp.arange(10, dtype='int32')\n"
        "print(ctypes.cast(x.data.ptr, ctypes.POINTER(ctypes.c_int))[3])"
    )
    ended = run_on_standin(program)
    assert ended.code == -signal.SIGSEGV
    assert "host code touched device memory: byte 12 of block" in ended.err
    assert ended.out == ""


def test_a_host_address_given_to_a_kernel_that_is_no_memory_is_an_illegal_address(run_on_standin):
    program = START + (
        "k = cp.RawKernel('extern \"C\" __global__ void k(int* p) { *p = 1; }', 'k')\n"
        "k((1,), (1,), (np.uint64(64),))\n"
        "try: cp.cuda.Device().synchronize()\n"
        "except cp.cuda.runtime.CUDARuntimeError as e: print(e)\n"
    )
    ended = run_on_standin(program)
    assert "cudaErrorIllegalAddress" in ended.out, ended.err
    assert "kernel k accessed address 0x40 of no block" in ended.err


# Bounds

WRITE = """
k = cp.RawKernel(r'''extern "C" __global__ void k(float* x, int n) {
  int i = threadIdx.x; if (i < n) x[i] = i; }''', 'k')
x = cp.zeros(10, 'float32')
k((1,), (32,), (x, np.int32(%d)))
"""


def test_write_out_of_bounds_is_found_by_the_zones_between_blocks(run_on_standin):
    program = (
        START
        + "cp.cuda.set_allocator(None)"
        + WRITE % 11
        + (
            "try: cp.cuda.Device().synchronize()\n"
            "except cp.cuda.runtime.CUDARuntimeError as e: print(e)\n"
        )
    )
    ended = run_on_standin(program)
    assert "cudaErrorIllegalAddress" in ended.out
    assert "wrote out of bounds: byte 40 of block" in ended.err
    assert "(40 bytes on cuda:0)" in ended.err


def test_write_within_bounds_is_not_accused(run_on_standin):
    ended = run_on_standin(
        START + "cp.cuda.set_allocator(None)" + WRITE % 10 + "print(float(x[9]))"
    )
    assert ended.out == "9.0\n"
    assert "out of bounds" not in ended.err


def test_write_out_of_bounds_names_the_kernel_when_every_access_is_checked(run_on_standin):
    ended = run_on_standin(START + WRITE % 11, "check")
    assert "kernel k: out of bounds: writes 4 bytes at byte 40 of block" in ended.err


def test_read_out_of_bounds_is_found_when_every_access_is_checked(run_on_standin):
    program = START + (
        "k = cp.RawKernel('extern \"C\" __global__ void k(const float* x, float* y) '\n"
        "  '{ y[0] = x[10]; }', 'k')\n"
        "x, y = cp.zeros(10, 'float32'), cp.zeros(1, 'float32')\n"
        "k((1,), (1,), (x, y))"
    )
    ended = run_on_standin(program, "check")
    assert "kernel k: out of bounds: reads 4 bytes at byte 40 of block" in ended.err


def test_use_after_free_is_found_when_every_access_is_checked(run_on_standin):
    program = START + (
        "k = cp.RawKernel('extern \"C\" __global__ void k(float* x) { x[0] = 1; }', 'k')\n"
        "x = cp.zeros(10, 'float32'); address = np.uint64(x.data.ptr); del x\n"
        "k((1,), (1,), (address,))"
    )
    ended = run_on_standin(program, "check")
    assert "out of bounds: writes 4 bytes at byte 0 of freed block" in ended.err


def test_copy_beyond_a_block_is_refused(run_on_standin):
    program = START + (
        "cp.cuda.set_allocator(None); x = cp.zeros(4, 'float32'); h = np.zeros(8, 'float32')\n"
        "try: cp.cuda.runtime.memcpy(x.data.ptr, h.ctypes.data, 32, 1)\n"
        "except cp.cuda.runtime.CUDARuntimeError as e: print(e)"
    )
    assert "cudaErrorInvalidValue" in run_on_standin(program).out


# Barriers

REVERSE = """
k = cp.RawKernel(r'''
extern "C" __global__ void reverse(const int* x, int* y, int n) {
  __shared__ int s[128];
  s[threadIdx.x] = x[threadIdx.x];
  %s;
  y[threadIdx.x] = s[n - 1 - threadIdx.x];
}''', 'reverse')
x = cp.arange(128, dtype='int32'); y = cp.zeros(128, 'int32')
k((1,), (128,), (x, y, np.int32(128)))
"""


@pytest.mark.parametrize("options", ["devices=1", "seed=7", "seed=8"])
def test_missing_barrier_gives_a_wrong_result(run_on_standin, options):
    show = "print(bool((y == x[::-1]).all()))"
    wrong = run_on_standin(START + REVERSE % "__syncwarp()" + show, options)
    right = run_on_standin(START + REVERSE % "__syncthreads()" + show, options)
    assert (wrong.out, right.out) == ("False\n", "True\n")


def test_missing_barrier_is_named_as_a_race(found):
    text = found(REVERSE % "__syncwarp()")
    assert "kernel reverse: race: thread" in text
    assert "of static shared memory" in text
    assert "with no barrier between" in text


def test_missing_barrier_is_a_race_where_nobody_waits_at_all(found):
    assert "race: thread" in found(REVERSE % "")


def test_barrier_in_its_place_is_no_race(found):
    assert found(REVERSE % "__syncthreads()").strip() == ""


SUM = """
k = cp.RawKernel(r'''
extern "C" __global__ void total(const float* x, float* y, int n) {
  extern __shared__ float s[];
  int t = threadIdx.x;
  s[t] = t < n ? x[t] : 0;
  __syncthreads();
  for (int d = 64; d; d >>= 1) { if (t < d) s[t] += s[t + d]; %s; }
  if (t == 0) *y = s[0];
}''', 'total')
x = cp.arange(100, dtype='float32'); y = cp.zeros(1, 'float32')
k((1,), (128,), (x, y, np.int32(100)), shared_mem=512)
"""


def test_reduction_without_a_barrier_per_step_is_a_race(found):
    assert "of dynamic shared memory" in found(SUM % "")


def test_reduction_with_a_barrier_per_step_is_none(found):
    assert found(SUM % "__syncthreads()" + "print(float(y[0]))").split() == ["4950.0"]


def test_lanes_need_a_barrier_too(found):
    """Since Volta, lanes of a warp do not go in step."""
    swap = """
k = cp.RawKernel(r'''
extern "C" __global__ void swap(int* y) {
  __shared__ int s[32];
  s[threadIdx.x] = threadIdx.x;
  %s;
  y[threadIdx.x] = s[threadIdx.x ^ 1];
}''', 'swap')
y = cp.zeros(32, 'int32'); k((1,), (32,), (y,))
"""
    assert "race: thread" in found(swap % "")
    assert found(swap % "__syncwarp()" + "print(y[:2].tolist())").strip() == "[1, 0]"


def test_divergent_barrier_is_reported_as_waiting_for_ever(run_on_standin):
    program = START + (
        'k = cp.RawKernel(\'extern "C" __global__ void k() '
        "{ if (threadIdx.x < 40) __syncthreads(); else __syncwarp(1u << 8); }', 'k')\n"
        "k((1,), (64,), ())\n"
        "try: cp.cuda.Device().synchronize()\n"
        "except cp.cuda.runtime.CUDARuntimeError as e: print(e)"
    )
    ended = run_on_standin(program)
    assert "cudaErrorLaunchFailure" in ended.out
    assert "leaves it out" in ended.err


def test_blocks_that_write_one_place_without_atomics_race(found):
    count = """
k = cp.RawKernel('extern "C" __global__ void count(int* n) { %s; }', 'count')
n = cp.zeros(1, 'int32'); k((4,), (32,), (n,))
"""
    assert "race: thread" in found(count % "*n += 1")
    assert found(count % "atomicAdd(n, 1)" + "print(int(n[0]))").strip() == "128"


# Streams and capture


def test_reading_pinned_memory_before_synchronising_shows_the_old_value(run_on_standin):
    program = START + (
        "s = cp.cuda.Stream(non_blocking=True)\n"
        "out = cp.cuda.alloc_pinned_memory(4); host = np.frombuffer(out, 'float32', 1)\n"
        "host[0] = -1\n"
        "with s: y = cp.full(1, 5, 'float32') * 2; y.data.copy_to_host_async(out.ptr, 4)\n"
        "early = float(host[0]); s.synchronize(); print(early, float(host[0]))"
    )
    assert run_on_standin(program, "asynchronous").out == "-1.0 10.0\n"


CROSS = """
a, b = cp.cuda.Stream(non_blocking=True), cp.cuda.Stream(non_blocking=True)
x = cp.zeros(1000, 'float32'); cp.cuda.Device().synchronize()
with a: x += 3
if %d: b.wait_event(a.record())
with b: y = x * 2
b.synchronize(); print(float(cp.asnumpy(y, stream=b)[7]))
"""


def test_cross_stream_use_without_an_event_shows(run_on_standin):
    assert run_on_standin(START + CROSS % 0, "asynchronous").out == "0.0\n"


def test_cross_stream_use_with_an_event_is_right(run_on_standin):
    assert run_on_standin(START + CROSS % 1, "asynchronous").out == "6.0\n"


CAPTURE = """
s = cp.cuda.Stream(non_blocking=True); x = cp.arange(8, dtype='float32')
cp.cuda.Device().synchronize()
with s:
    y = cp.sum(x); s.synchronize(); s.begin_capture(); cp.add(x, 1, out=x)
    try: %s
    except Exception as e: print(type(e).__name__, e)
    try: g = s.end_capture(); print('captured')
    except Exception as e: print(type(e).__name__, e)
"""


@pytest.mark.parametrize(
    ("call", "sentence"),
    {
        "s.synchronize()": "cudaErrorStreamCaptureUnsupported",
        "cp.cuda.Device().synchronize()": "cudaErrorStreamCaptureUnsupported",
    }.items(),
)
def test_sync_inside_capture_is_refused_and_spoils_it(run_on_standin, call, sentence):
    first, second = run_on_standin(START + CAPTURE % call).out.splitlines()
    assert sentence in first
    assert "cudaErrorStreamCaptureInvalidated" in second


def test_driver_allocation_inside_capture_is_refused_unless_the_mode_is_relaxed(run_on_standin):
    program = """
s = cp.cuda.Stream(non_blocking=True); s.begin_capture(%s)
try: cp.cuda.runtime.malloc(8); print('allocated')
except cp.cuda.runtime.CUDARuntimeError as e: print(e)
"""
    strict = program % "cp.cuda.runtime.streamCaptureModeGlobal"
    assert "cudaErrorStreamCaptureUnsupported" in run_on_standin(START + strict).out
    assert run_on_standin(START + program % "").out == "allocated\n"


def test_reading_a_number_inside_capture_is_refused(run_on_standin):
    out = run_on_standin(START + CAPTURE % "float(y)").out
    assert "the current stream is capturing" in out.splitlines()[0]


def test_capture_without_a_sync_is_legal(run_on_standin):
    program = (
        START + CAPTURE % "cp.add(x, 1, out=x)" + "g.launch(s); g.launch(s)\ns.synchronize()\n"
    )
    out = run_on_standin(program + "print(x.tolist()[:2])", "asynchronous").out
    assert out.splitlines() == ["captured", "[4.0, 5.0]"]


def test_stream_that_forks_and_does_not_join_is_refused(run_on_standin):
    program = """
s, t = cp.cuda.Stream(non_blocking=True), cp.cuda.Stream(non_blocking=True)
x = cp.arange(8, dtype='float32'); cp.add(x, 1, out=x); cp.cuda.Device().synchronize()
s.begin_capture(); t.wait_event(s.record())
with t: cp.add(x, 1, out=x)
if %d: s.wait_event(t.record())
try: g = s.end_capture(); g.launch(s); s.synchronize(); print(float(x[0]))
except Exception as e: print(e)
"""
    assert "cudaErrorStreamCaptureUnjoined" in run_on_standin(START + program % 0).out
    assert run_on_standin(START + program % 1).out == "2.0\n"


# Launches and devices


@pytest.mark.parametrize("shape", ["((1, 65536), (1,))", "((1,), (1025,))", "((1,), (1, 1, 65))"])
def test_launch_of_an_impossible_shape_is_refused(run_on_standin, shape):
    program = START + (
        "k = cp.RawKernel('extern \"C\" __global__ void k() {}', 'k')\n"
        f"try: k(*{shape}, ())\nexcept cp.cuda.driver.CUDADriverError as e: print(e)"
    )
    assert "CUDA_ERROR_INVALID_VALUE" in run_on_standin(program).out


def test_more_shared_memory_than_asked_for_is_refused(run_on_standin):
    program = START + (
        "k = cp.RawKernel('extern \"C\" __global__ void k() '\n"
        "  '{ extern __shared__ int s[]; s[0] = 1; }', 'k')\n"
        "try: k((1,), (1,), (), shared_mem=49153)\n"
        "except cp.cuda.driver.CUDADriverError as e: print(e)\n"
        "k.max_dynamic_shared_size_bytes = 65536; k((1,), (1,), (), shared_mem=49153); print('ran')"
    )
    out = run_on_standin(program).out
    assert "CUDA_ERROR_INVALID_VALUE" in out
    assert out.endswith("ran\n")


def test_kernel_without_c_linkage_is_not_found_by_its_plain_name(run_on_standin):
    program = START + (
        "k = cp.RawKernel('__global__ void k() {}', 'k')\n"
        "try: k((1,), (1,), ())\nexcept cp.cuda.driver.CUDADriverError as e: print(e)"
    )
    assert "CUDA_ERROR_NOT_FOUND" in run_on_standin(program).out


def test_memory_of_another_device_is_out_of_reach_of_a_kernel(run_on_standin):
    program = START + (
        "k = cp.RawKernel('extern \"C\" __global__ void k(int* p) { *p = 1; }', 'k')\n"
        "with cp.cuda.Device(1): x = cp.zeros(4, 'int32'); address = np.uint64(x.data.ptr)\n"
        "k((1,), (1,), (address,))\n"
        "try: cp.cuda.Device().synchronize()\n"
        "except cp.cuda.runtime.CUDARuntimeError as e: print(e)"
    )
    ended = run_on_standin(program, "devices=2")
    assert "cudaErrorIllegalAddress" in ended.out
    assert "bytes on cuda:1" in ended.err


def test_compiled_device_code_of_the_wheel_is_refused(run_on_standin):
    program = START + ("try: cp.random.default_rng()\nexcept NotImplementedError as e: print(e)")
    assert "compiled device code" in run_on_standin(program).out


def test_activating_after_cupy_is_imported_is_refused(run_on_standin):
    import subprocess
    import sys

    program = (
        f"import sys; sys.path.insert(0, {str(__file__).rpartition('/')[0]!r})\n"
        "import cupy, cupy_standin; cupy_standin.activate()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "comes too late: cupy has been imported" in ended.stderr
