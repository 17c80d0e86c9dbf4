"""What stands around tensors in PyTorch's programs: switches, compilers, formats, old names."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.testing import assert_close, make_tensor


@pytest.mark.parametrize("name", ["jit.script", "jit.trace", "compile"])
def test_compiled_program_runs_as_it_is_and_says_so_once(name, monkeypatch):
    from chainrule import compiler

    monkeypatch.setattr(compiler, "_noted", set())
    path = name.split(".")
    function = getattr(cr.jit, path[1]) if len(path) > 1 else cr.compile

    def double(x):
        return x * 2

    with pytest.warns(UserWarning, match="runs programs as they are"):
        assert function(double) is double
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert function(double) is double


def test_compile_takes_options_as_a_decorator():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        @cr.compile(fullgraph=True, mode="max-autotune")
        def double(x):
            return x * 2

    assert double(cr.tensor(2)).item() == 4


def test_autocast_warns_once_and_leaves_precision_alone(monkeypatch):
    from chainrule.amp import autocast_mode

    monkeypatch.setattr(autocast_mode, "_noted", [])
    with (
        pytest.warns(UserWarning, match="leaves the precision"),
        cr.autocast("cpu", dtype=cr.bfloat16),
    ):
        assert cr.mm(cr.ones(2, 2), cr.ones(2, 2)).dtype == cr.float32

    @cr.autocast("cpu", enabled=False)
    def one():
        return cr.ones(1)

    assert one().dtype == cr.float32


def test_scaler_skips_a_step_that_is_not_finite_and_backs_off():
    w = cr.tensor(1.0, requires_grad=True)
    optimizer = cr.optim.SGD([w], lr=0.5)
    scaler = cr.GradScaler("cpu", init_scale=4.0, growth_interval=1)
    scaler.scale(w * float("inf")).backward()
    scaler.step(optimizer)
    scaler.update()
    assert (w.item(), scaler.get_scale()) == (1.0, 2.0)

    optimizer.zero_grad()
    scaler.scale(w * 2).backward()
    scaler.unscale_(optimizer)
    assert w.grad.item() == 2.0
    scaler.step(optimizer)
    scaler.update()
    assert (w.item(), scaler.get_scale()) == (0.0, 4.0)


def test_scaler_refuses_a_second_step_and_a_second_unscaling():
    w = cr.tensor(1.0, requires_grad=True)
    optimizer, scaler = cr.optim.SGD([w], lr=0.5), cr.GradScaler("cpu")
    scaler.scale(w * 2).backward()
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match=r"unscale_\(\) has already been called"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match=r"step\(\) has already been called"):
        scaler.step(optimizer)


def test_scaler_that_is_off_passes_everything_through():
    w = cr.tensor(1.0, requires_grad=True)
    optimizer, scaler = cr.optim.SGD([w], lr=0.5), cr.GradScaler("cpu", enabled=False)
    scaler.scale(w * 2).backward()
    scaler.step(optimizer)
    scaler.update()

    assert w.item() == 0.0
    assert scaler.state_dict() == {}


@pytest.mark.parametrize(
    "name",
    ["onnx", "hub", "sparse", "nested", "quantization", "fx", "export", "masked", "distributed"],
)
def test_what_is_absent_can_be_imported_and_says_so_when_used(name):
    module = importlib.import_module(f"chainrule.{name}")
    with pytest.raises(NotImplementedError, match=f"{name}.anything: chainrule does not have it"):
        module.anything(1)


def test_programs_may_ask_for_what_is_not_there():
    assert not cr.distributed.is_available()
    assert not cr.distributed.is_initialized()
    assert not cr.backends.mps.is_available()
    assert not cr.compiler.is_compiling()
    assert cr.version.cuda is None
    assert cr.accelerator.is_available() == cr.cuda.is_available()


def test_switches_of_libraries_can_be_set():
    from chainrule.backends import cudnn

    before = cudnn.benchmark
    with cudnn.flags(benchmark=True):
        assert cudnn.benchmark
    assert cudnn.benchmark == before
    cr.backends.cuda.matmul.allow_tf32 = False


def test_settings_come_back():
    threads = cr.get_num_threads()
    cr.set_num_threads(1)
    assert cr.get_num_threads() == 1
    cr.set_num_threads(threads)
    with pytest.raises(RuntimeError, match="expects a positive integer"):
        cr.set_num_threads(0)

    cr.use_deterministic_algorithms(True, warn_only=True)
    assert cr.get_deterministic_debug_mode() == 1
    cr.use_deterministic_algorithms(False)
    with pytest.raises(RuntimeError, match="is not one of 'highest', 'high', or 'medium'"):
        cr.set_float32_matmul_precision("low")


def test_old_classes_make_and_know_tensors():
    assert cr.FloatTensor([1, 2]).dtype == cr.float32
    assert cr.LongTensor(2, 3).shape == (2, 3)
    assert isinstance(cr.ones(1), cr.FloatTensor)
    assert not isinstance(cr.ones(1), cr.LongTensor)


def test_formats_are_taken_and_print_as_they_do():
    assert repr(cr.channels_last) == "torch.channels_last"
    assert repr(cr.ones(1).layout) == "torch.strided"
    assert cr.ones(1).layout is cr.strided
    assert cr.ones(2).contiguous(memory_format=cr.contiguous_format).shape == (2,)


# assert_close


def test_close_results_pass():
    assert_close(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 2.000001]))
    assert_close(1.0, 1.00000001)
    assert_close([cr.ones(1), {"a": 2}], [cr.ones(1), {"a": 2}])
    assert_close(cr.tensor(float("nan")), cr.tensor(float("nan")), equal_nan=True)


@pytest.mark.parametrize(
    ("actual", "expected", "options", "says"),
    [
        ([1.0, 2.0], [1.0, 3.0], {}, "Mismatched elements: 1 / 2"),
        ([1.0], [1.0, 3.0], {}, "attribute 'shape' do not match"),
        ([1], [1.0], {}, "attribute 'dtype' do not match"),
        ([float("nan")], [float("nan")], {}, "not close"),
        ([1, 2], [1, 3], {}, "Tensor-likes are not equal"),
        ([1.0], [1.2], {"rtol": 0.1, "atol": 0.0}, "up to 0.1 allowed"),
    ],
)
def test_results_that_differ_are_told(actual, expected, options, says):
    with pytest.raises(AssertionError, match=says):
        assert_close(cr.tensor(actual), cr.tensor(expected), **options)


def test_one_tolerance_alone_is_refused():
    with pytest.raises(ValueError, match="must both be specified"):
        assert_close(1.0, 1.0, rtol=0.1)


def test_item_of_a_sequence_is_named():
    with pytest.raises(AssertionError, match=r"item \['a'\]\[1\]"):
        assert_close({"a": [cr.ones(1), cr.ones(1)]}, {"a": [cr.ones(1), cr.zeros(1)]})


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "complex64"])
def test_made_tensor_lies_between_its_bounds(dtype):
    made = make_tensor(3, 4, dtype=getattr(cr, dtype), low=0, high=2, noncontiguous=True)

    assert made.shape == (3, 4)
    assert made.dtype == getattr(cr, dtype)
    assert not made.is_contiguous()
    assert bool((made.abs() <= 3).all()) if dtype != "bool" else True


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("_check", RuntimeError),
        ("_check_index", IndexError),
        ("_check_value", ValueError),
        ("_check_type", TypeError),
        ("_check_not_implemented", NotImplementedError),
    ],
)
def test_a_check_that_fails_raises_what_its_function_says(name, error):
    check = getattr(cr, name)

    assert check(True, lambda: pytest.fail("was asked")) is None
    with pytest.raises(error, match=r"^two sizes$"):
        check(False, lambda: "two sizes")
    with pytest.raises(error, match="Expected cond to be True"):
        check(cr.tensor(0))
    with pytest.raises(TypeError, match="message must be a callable"):
        check(False, "two sizes")


def test_an_assertion_of_a_tensor_that_fails_raises():
    assert cr._assert(cr.tensor(1), "fine") is None
    with pytest.raises(AssertionError, match=r"^wrong$"):
        cr._assert(cr.tensor(1) == 2, "wrong")
    assert cr._assert_async(cr.tensor(1)) is None
    with pytest.raises(RuntimeError, match="nonzero value, but got zero"):
        cr._assert_async(cr.tensor(1) == 2)


def test_a_file_that_was_downloaded_is_loaded_and_another_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(cr.hub, "_chosen", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    cr.save({"weight": cr.ones(2)}, folder / "net-1.pt")

    found = cr.hub.load_state_dict_from_url("https://host/models/net-1.pt?raw=1")

    assert cr.hub.get_dir() == str(tmp_path / "hub")
    assert_close(found["weight"], cr.ones(2))
    with pytest.raises(FileNotFoundError, match=r"Download https://host/net-2\.pt to it"):
        cr.hub.load_state_dict_from_url("https://host/net-2.pt", check_hash=True)
    cr.hub.set_dir("~/models")
    assert cr.hub.get_dir() == str(Path.home() / "models")


def test_a_class_can_be_read_by_all_its_names():
    assert all(hasattr(cr.nn.Module, name) for name in dir(cr.nn.Module))
    assert not hasattr(cr.nn.Linear(1, 1), "require_grad")


def test_an_older_comparison_is_wider_and_looks_at_no_dtype():
    with pytest.warns(FutureWarning, match="assert_close"):
        cr.testing.assert_allclose(cr.tensor([1.0, cr.nan]), cr.tensor([1.00005, cr.nan]).double())
    with pytest.warns(FutureWarning), pytest.raises(AssertionError, match="not close"):
        cr.testing.assert_allclose(cr.tensor(1.0), 1.001)


def test_old_classes_of_tensors_on_cuda_devices_can_be_named():
    kind = cr.cuda.FloatTensor

    assert kind is cr.cuda.FloatTensor
    assert kind.dtype is cr.float32
    assert repr(kind) == "<class 'torch.cuda.FloatTensor'>"
    assert not isinstance(cr.ones(2, device="cpu"), kind)
    assert not hasattr(cr.cuda, "ComplexTensor")
