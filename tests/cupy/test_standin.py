"""The stand-in computes what CuPy computes, counts what happens, and stays among the tests."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import cupy as cp
import cupy_standin as standin
import numpy as np
import pytest
from cupy_standin import libraries, plugin
from cupy_standin.building import Wheel
from cupy_standin.compiling import Compiler, kernels_of, translate
from cupy_standin.options import Options

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((5, 7)), RNG.standard_normal((7, 6))
V, T, U = RNG.standard_normal(7), RNG.standard_normal((3, 5, 7)), RNG.standard_normal((3, 7, 4))
I = np.array([0, 2, 2, 4])  # noqa: E741  # indices

UNARY = "exp log1p tanh sin cos sqrt square sign floor rint expm1 arctan cbrt isnan log2 exp2"
BINARY = "add subtract multiply divide power maximum minimum arctan2 fmod mod floor_divide hypot"
REDUCTIONS = "sum mean max min prod std var argmax argmin any all"
PROGRAMS = {
    "matmul": lambda xp, a, b: a @ b,
    "a matrix and its transpose": lambda xp, a: a @ a.T,
    "matrix and vector": lambda xp, a, v: a @ v,
    "batches": lambda xp, t, u: xp.matmul(t, u),
    "dot": lambda xp, v: xp.dot(v, v),
    "einsum": lambda xp, t, u: xp.einsum("bij,bjk->bik", t, u),
    "tensordot": lambda xp, t, u: xp.tensordot(t, u, axes=([2], [1])),
    "half": lambda xp, a, b: a.astype("e") @ b.astype("e"),
    "complex": lambda xp, a, b: xp.abs((a + 1j * a) @ (b - 2j * b)),
    "integers": lambda xp, a, b: (a * 10).astype("i") @ (b * 10).astype("i"),
    "slices": lambda xp, a: a[1:4, ::2],
    "indices": lambda xp, a, i: a[i],
    "mask": lambda xp, a: a[a > 0],
    "where": lambda xp, a: xp.where(a > 0, a, 0 * a),
    "nonzero": lambda xp, a: xp.nonzero(a > 0)[0],
    "cumsum": lambda xp, t: xp.cumsum(t, axis=1),
    "concatenate": lambda xp, a: xp.concatenate([a, a], axis=1),
    "transpose": lambda xp, t: xp.ascontiguousarray(t.transpose(2, 0, 1)),
    "pad": lambda xp, a: xp.pad(a, ((1, 2), (0, 1))),
    "sort": lambda xp, a: xp.sort(a, axis=1),
    "argsort": lambda xp, a: xp.argsort(a, axis=0),
    "unique": lambda xp, a: xp.unique((a * 2).astype("i")),
    "take_along_axis": lambda xp, a: xp.take_along_axis(a, xp.argmax(a, axis=1)[:, None], axis=1),
    "strided": lambda xp, a: xp.lib.stride_tricks.sliding_window_view(a, (3, 3)).copy(),
    "reduction of much": lambda xp, a: xp.tile(a, (200, 30)).sum(axis=0),
    "clip": lambda xp, a: xp.clip(a, -0.5, 0.5),
    "int64 division": lambda xp, a: (a * 100).astype("l") // 7,
}
GIVEN = {"a": A, "b": B, "v": V, "t": T, "u": U, "i": I}


def both(program, *arrays):
    """Run *program* on NumPy and on CuPy; the results agree."""
    expected = program(np, *(array.copy() for array in arrays))
    found = program(cp, *(cp.asarray(array) for array in arrays))
    assert isinstance(found, cp.ndarray)
    assert found.shape == np.shape(expected)
    loose = found.dtype == np.float16
    wide = [np.asarray(x, "d" if x.dtype.kind == "f" else None) for x in (found.get(), expected)]
    np.testing.assert_allclose(*wide, rtol=2e-2 if loose else 1e-6, atol=2e-2 if loose else 1e-7)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_gives_what_numpy_gives(name):
    program = PROGRAMS[name]
    names = program.__code__.co_varnames[1 : program.__code__.co_argcount]
    both(program, *(GIVEN[name] for name in names))


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("name", UNARY.split())
def test_unary_ufunc_gives_what_numpy_gives(name, dtype):
    x = (np.abs(A) + 0.1).astype(dtype)
    found = getattr(cp, name)(cp.asarray(x)).get()
    np.testing.assert_allclose(found, getattr(np, name)(x), rtol=1e-5)


@pytest.mark.parametrize("name", BINARY.split())
def test_binary_ufunc_gives_what_numpy_gives(name):
    both(lambda xp, a: getattr(xp, name)(xp.abs(a) + 0.5, xp.abs(a[::-1]) + 0.5), A)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", REDUCTIONS.split())
def test_reduction_gives_what_numpy_gives(name, axis):
    both(lambda xp, a: getattr(xp, name)(a, axis=axis), A)


def test_scatter_add_adds_at_repeated_indices():
    out = cp.zeros(5)
    cp.add.at(out, cp.asarray(I), cp.ones(4))
    assert out.tolist() == [1, 0, 2, 0, 1]


# What kernels of the backend ask for

WARP_SUM = r"""
extern "C" __global__ void warp_sum(const float* x, float* y) {
  float v = x[blockIdx.x * 32 + threadIdx.x];
  for (int d = 16; d; d >>= 1) v += __shfl_xor_sync(0xffffffffu, v, d);
  if (threadIdx.x == 0) y[blockIdx.x] = v;
}"""
BALLOT = r"""
extern "C" __global__ void ballot(unsigned* y) {
  unsigned odd = __ballot_sync(0xffffffffu, threadIdx.x & 1);
  if (threadIdx.x < 4) y[threadIdx.x] = __shfl_up_sync(0xfu, odd + threadIdx.x, 1);
  else if (threadIdx.x == 5) y[5] = __popc(odd);
  y[6] = __syncthreads_count(threadIdx.x < 3);
}"""


def test_shuffle_sums_a_warp():
    x, y = cp.arange(64, dtype="f"), cp.zeros(2, "f")
    cp.RawKernel(WARP_SUM, "warp_sum")((2,), (32,), (x, y))
    assert y.tolist() == [496, 1520]


def test_ballot_and_shuffle_with_a_mask():
    y = cp.zeros(7, "I")
    cp.RawKernel(BALLOT, "ballot")((1,), (32,), (y,))
    assert y.tolist() == [0xAAAAAAAA, 0xAAAAAAAA, 0xAAAAAAAB, 0xAAAAAAAC, 0, 16, 3]


def test_template_kernel_is_found_by_its_expression():
    source = "template <class T> __global__ void twice(T* x) { x[threadIdx.x] *= 2; }"
    module = cp.RawModule(code=source, name_expressions=("twice<float>", "twice<long long>"))
    for expression, dtype in (("twice<float>", "f"), ("twice<long long>", "q")):
        x = cp.arange(4, dtype=dtype)
        module.get_function(expression)((1,), (4,), (x,))
        assert x.tolist() == [0, 2, 4, 6]


def test_environments_share_what_was_compiled(tmp_path, monkeypatch):
    """A kernel is known by its text and options, wherever CuPy and NVIDIA's headers lie."""
    source = 'extern "C" __global__ void f(int* x) { x[0] = NUMBER; }'
    compiler = Compiler(libraries.folder())
    monkeypatch.setattr(compiler, "kernels", tmp_path)

    def compiled(*options):
        return compiler.compile(source, ("-DNUMBER=3", *options))

    headers = f"-I{Wheel.installed().folder}/_core/include"
    first = compiled(headers, "-I/one/site-packages/nvidia/cu13/include")
    assert compiled("-I/two/site-packages/nvidia/cu13/include") == first
    assert compiled("-I/three/mine") != first
    assert len(list(tmp_path.glob("*.so"))) == 2


def test_source_that_is_no_cuda_is_a_compile_error():
    with pytest.raises(cp.cuda.compiler.CompileException, match="undeclared"):
        cp.RawKernel('extern "C" __global__ void f(int* x) { x[0] = undeclared; }', "f").compile()


def test_vector_loads_and_fused_multiply_add():
    source = r"""extern "C" __global__ void f(const float4* x, float* y) {
      float4 v = x[threadIdx.x]; y[threadIdx.x] = __fmaf_rn(v.x, v.y, v.z) + v.w; }"""
    x, y = cp.arange(8, dtype="f"), cp.zeros(2, "f")
    cp.RawKernel(source, "f")((1,), (2,), (x, y))
    assert y.tolist() == [0 * 1 + 2 + 3, 4 * 5 + 6 + 7]


def test_kernels_are_found_in_their_source():
    source = """// __global__ void no(int)
    extern "C" __global__ void __launch_bounds__(256) a(int* p) {}
    extern "C" { __global__ __launch_bounds__(64, 2) void b() {} }
    template <typename T, int N> __global__ void c(T* p) {}"""
    assert kernels_of(source) == ["a", "b"]


def test_dynamic_shared_memory_becomes_a_pointer():
    code, _ = translate("extern __shared__ __align__(16) unsigned char s[];")
    assert code.startswith("unsigned char* s = (unsigned char*)standin_thread.dynamic;")


# Graphs, events, memory


def test_captured_graph_computes_when_it_is_launched():
    stream = cp.cuda.Stream(non_blocking=True)
    x = cp.zeros(4)
    with stream:
        cp.add(x, 1, out=x)
        stream.begin_capture()
        cp.add(x, 1, out=x)
        graph = stream.end_capture()
        stream.synchronize()
        assert cp.asnumpy(x)[0] == 1
        graph.launch(stream)
        graph.launch(stream)
        stream.synchronize()
    assert x.tolist() == [3] * 4


def test_matmul_is_refused_by_cupy_itself_during_capture():
    stream, x = cp.cuda.Stream(non_blocking=True), cp.ones((4, 4))
    with stream:
        x @ x
        stream.begin_capture()
        with pytest.raises(NotImplementedError):
            x @ x
        stream.end_capture()


def test_new_memory_is_no_zeros():
    fresh = cp.ndarray(100, "f", memptr=cp.cuda.memory._malloc(400))
    assert not (fresh == 0).any()


# Counting


def test_counts_launches_by_name():
    x = cp.ones(10, "f")
    with standin.counting() as seen:
        x + x
        x.sum()
    assert seen.launches == 2
    assert seen.kernels["cupy_sum"] == 1


def test_counts_copies_and_bytes():
    host = np.ones(10, "f")
    with standin.counting() as seen:
        x = cp.asarray(host)
        y = cp.empty_like(x)
        y.data.copy_from_device(x.data, 40)
        y.get()
    assert (seen.h2d, seen.h2d_bytes) == (1, 40)
    assert (seen.d2d, seen.d2d_bytes) == (1, 40)
    assert (seen.d2h, seen.d2h_bytes) == (1, 40)


def test_computing_on_the_device_neither_waits_nor_copies():
    x = cp.ones((8, 8), "f")
    with standin.counting() as seen:
        (x @ x + 1).sum()
    assert (seen.syncs, seen.blocking_copies, seen.h2d, seen.d2h) == (0, 0, 0, 0)


def test_reading_a_number_waits_and_copies():
    x = cp.ones(3, "f").sum()
    with standin.counting() as seen:
        float(x)
    assert (seen.syncs, seen.d2h) == (1, 1)


def test_the_pool_spares_the_driver():
    cp.empty(1000)
    with standin.counting() as seen:
        cp.empty(1000)
    assert (seen.mallocs, seen.pool_mallocs) == (0, 1)


# Its place


def test_nothing_of_the_project_knows_it():
    words = (
        "import chainrule, importlib.util, sys; "
        "from chainrule.plugin import host; import chainrule.plugin.finding; "
        "sys.exit(importlib.util.find_spec('cupy_standin') is not None)"
    )
    assert subprocess.run([sys.executable, "-I", "-c", words], check=False).returncode == 0


def test_cupy_has_no_device_where_nobody_activates_it():
    words = "import cupy, sys; sys.exit(cupy.cuda.is_available())"
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


def test_banner_is_printed(run_on_standin):
    assert "runs on this CPU, for tests: no GPU is used" in run_on_standin("pass").err


def test_only_the_stated_modules_are_ours():
    """Every other module of CuPy is the file of the wheel."""
    ours = {"cupy_backends.cuda.api.runtime", "cupy.cuda.thrust"}
    wheel = importlib.util.find_spec("cupy").origin.rpartition("/cupy/")[0]
    elsewhere = {
        name
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in {"cupy", "cupy_backends", "cupyx"}
        and getattr(module, "__file__", None)
        and not module.__file__.startswith(wheel)
    }
    assert elsewhere <= ours | {"cupy_standin.sorting"}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", Options()),
        ("devices=2, seed=7", Options(devices=2, seed=7)),
        ("asynchronous", Options(asynchronous=True)),
        ("check", Options(check=True, memory=1024)),
        ("guard=0", Options(guard=False)),
    ],
)
def test_options_are_read(text, options, monkeypatch):
    monkeypatch.delenv("CHAINRULE_CUPY_STANDIN", raising=False)
    assert Options.read(text) == options


def test_unknown_option_is_refused():
    with pytest.raises(ValueError, match="expected one of devices, seed"):
        Options.read("device=2")


def test_test_that_ends_for_want_of_a_library_is_told_from_one_that_fails():
    with pytest.raises(ImportError) as wanting:
        cp.linalg.qr(cp.eye(2))
    later = ValueError("in consequence")
    later.__cause__ = wanting.value
    assert plugin.missing_library(wanting.value) == "nvJitLink"
    assert plugin.missing_library(later) == "nvJitLink"
    assert plugin.missing_library(ImportError("no module named 'libcusolver'")) == ""
    assert plugin.missing_library(AssertionError("libcusolver.so")) == ""
