"""CuPy's arrays go in and come out without a copy; devices answer under PyTorch's names."""

from __future__ import annotations

import cupy
import numpy as np
import pytest
from cupy_standin import counting

import chainrule as cr
from chainrule import nn


def test_tensor_over_an_array_of_cupy_shares_its_memory():
    array = cupy.arange(3, dtype="float32")
    x = cr.from_cupy(array)
    array[0] = 7

    assert (x.device, x.dtype, x.is_leaf) == (cr.device("cuda:0"), cr.float32, True)
    assert x.tolist() == [7.0, 1.0, 2.0]
    assert x.data_ptr() == array.data.ptr


def test_as_tensor_shares_an_array_of_cupy_and_tensor_copies_it():
    array = cupy.ones(2)
    assert cr.as_tensor(array).data_ptr() == array.data.ptr
    assert cr.tensor(array).data_ptr() != array.data.ptr


@pytest.mark.parametrize(
    "look",
    [
        lambda a: a[:, ::2],
        lambda a: a.T,
        lambda a: a[::-1],
        lambda a: cupy.broadcast_to(a[0], (3, 4)),
        lambda a: a[1, 2:3].reshape(()),
        lambda a: a[:0],
        cupy.asfortranarray,
    ],
    ids=["steps", "transposed", "backwards", "repeated", "no dimensions", "empty", "by columns"],
)
def test_tensor_over_a_view_has_its_strides_and_a_gradient(look):
    array = look(cupy.arange(12, dtype="float32").reshape(3, 4))
    x = cr.from_cupy(array).requires_grad_()
    (x * x).sum().backward()

    assert x.data_ptr() == array.data.ptr
    assert x.tolist() == array.tolist()
    assert x.grad.tolist() == (2 * array).tolist()
    assert array.size == 0 or x.stride() == tuple(step // 4 for step in array.strides)


class Numbers(cupy.ndarray):
    """A subclass, as libraries over CuPy have."""


def test_subclass_of_an_array_is_taken_as_an_array():
    array = cupy.ones(2).view(Numbers)
    x = cr.from_cupy(array)
    assert (type(x.cupy()), x.data_ptr()) == (cupy.ndarray, array.data.ptr)


class Foreign:
    """An array of a library that tells its memory as Numba and others do."""

    def __init__(self, array):
        self.array = array

    @property
    def __cuda_array_interface__(self):
        return self.array.__cuda_array_interface__


def test_as_tensor_shares_the_memory_of_any_array_on_a_device():
    array = cupy.ones((2, 3))
    x = cr.as_tensor(Foreign(array[:, 1:]))
    assert (x.data_ptr(), x.shape, x.stride()) == (array.data.ptr + 8, (2, 2), (3, 1))
    assert cr.tensor(Foreign(array)).data_ptr() != array.data.ptr


@pytest.mark.parametrize("device", [None, "cuda", "cuda:0"])
def test_array_is_shared_where_it_need_not_be_copied(device):
    array = cupy.ones(2)
    for function in (cr.as_tensor, cr.asarray):
        assert function(array, device=device).data_ptr() == array.data.ptr
        assert function(array, dtype=cr.float32, device=device).data_ptr() != array.data.ptr
        assert not function(array, device="cpu").is_cuda
    assert cr.asarray(array, copy=True).data_ptr() != array.data.ptr
    with pytest.raises(ValueError, match="can't alias tensor with dtype 'Double' into dtype 'Flo"):
        cr.asarray(array, dtype=cr.float32, copy=False)


@pytest.mark.parametrize("given", [np.ones(2), [1.0], cr.ones(2)], ids=["numpy", "list", "host"])
def test_from_cupy_of_something_else_says_what_to_use(given):
    with pytest.raises(TypeError, match=r"^from_cupy: expected cupy\.ndarray, got"):
        cr.from_cupy(given)


def test_gradient_of_a_function_of_an_array_is_an_array_without_a_copy():
    x = cr.from_cupy(cupy.asarray([1.0, 2.0, 3.0])).requires_grad_()
    (x**3).sum().backward()
    gradient = x.grad.cupy()

    assert isinstance(gradient, cupy.ndarray)
    assert gradient.data.ptr == x.grad.data_ptr()
    np.testing.assert_array_equal(gradient.get(), [3.0, 12.0, 27.0])


def test_cupy_reads_a_tensor_by_all_three_protocols_without_a_copy():
    x = cr.ones(2, 3, device="cuda").t()
    for array in (x.cupy(), cupy.asarray(x), cupy.from_dlpack(x)):
        assert (array.data.ptr, array.shape, array.strides) == (x.data_ptr(), (3, 2), (4, 12))


def test_tensor_reads_dlpack_without_a_copy():
    array = cupy.ones((2, 3))
    assert cr.from_dlpack(array).data_ptr() == array.data.ptr


@pytest.mark.parametrize("versions", [{}, {"max_version": (1, 0)}], ids=["old", "versioned"])
def test_capsule_of_an_array_is_taken_once(versions):
    array = cupy.arange(3)
    capsule = array.__dlpack__(**versions)
    assert cr.from_dlpack(capsule).data_ptr() == array.data.ptr
    with pytest.raises(BufferError, match=r"^from_dlpack received an invalid capsule\. Note that"):
        cr.from_dlpack(capsule)


def test_array_of_what_requires_grad_is_refused():
    x = cr.ones(2, device="cuda", requires_grad=True)
    with pytest.raises(RuntimeError, match=r"^Can't call cupy\(\) on Tensor that requires grad"):
        x.cupy()
    with pytest.raises(RuntimeError, match="__cuda_array_interface__ on Variable that requires"):
        x.__cuda_array_interface__  # noqa: B018 - reading it is the test


def test_array_in_an_expression_with_what_requires_grad_says_what_to_write():
    x, array = cr.ones(2, device="cuda", requires_grad=True), cupy.ones(2, "float32")
    for expression in (lambda: x * array, lambda: cupy.sin(x)):
        with pytest.raises(RuntimeError, match=r"Wrap the array with as_tensor\(\)\.$"):
            expression()
    with pytest.raises(TypeError, match="unsupported operand"):
        array * x
    (x * cr.as_tensor(array)).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_array_of_a_tensor_on_the_host_is_refused():
    with pytest.raises(TypeError, match="expected a tensor on a CUDA device, got one on cpu"):
        cr.ones(2).cupy()
    assert not hasattr(cr.ones(2), "__cuda_array_interface__")


def test_numpy_of_a_tensor_on_a_device_is_refused_as_in_pytorch():
    with pytest.raises(TypeError, match=r"^can't convert cuda:0 device type tensor to numpy"):
        cr.ones(2, device="cuda").numpy()


def test_one_copy_each_way_and_only_where_asked():
    with counting() as counted:
        x = cr.ones(8).cuda()
        y = x * 2 + x
    assert (counted.h2d, counted.d2h) == (1, 0)
    with counting() as counted:
        y.cpu()
    assert (counted.h2d, counted.d2h) == (0, 1)


def test_number_on_the_host_costs_a_launch_and_no_copy():
    x, two = cr.ones(8, device="cuda"), cr.tensor(2.0)
    with counting() as counted:
        y = x * two
    assert (counted.launches, counted.h2d, counted.syncs) == (2, 0, 0)
    assert y.sum().item() == 16.0


def test_module_moves_with_its_parameters():
    model = nn.Linear(3, 2).cuda()
    assert {p.device for p in model.parameters()} == {cr.device("cuda:0")}
    assert model(cr.ones(1, 3, device="cuda")).is_cuda
    assert model.cpu().weight.device == cr.device("cpu")


def test_mixing_devices_is_refused_as_in_pytorch():
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        cr.ones(2, device="cuda") + cr.ones(2)


# Devices


def test_devices_answer_under_pytorchs_names():
    assert cr.cuda.is_available()
    assert (cr.cuda.device_count(), cr.cuda.current_device()) == (1, 0)
    assert isinstance(cr.cuda.get_device_name(), str)
    assert len(cr.cuda.get_device_capability()) == 2
    free, total = cr.cuda.mem_get_info()
    assert 0 < free <= total


def test_memory_is_counted():
    cr.cuda.reset_peak_memory_stats()
    before = cr.cuda.memory_allocated()
    x = cr.zeros(1 << 16, device="cuda")
    assert cr.cuda.memory_allocated() == before + 4 * (1 << 16)
    del x
    assert cr.cuda.memory_allocated() == before
    assert cr.cuda.max_memory_allocated() >= before + 4 * (1 << 16)
    assert cr.cuda.memory_reserved() >= cr.cuda.memory_allocated()


def test_generator_of_the_device_is_seeded_and_restored():
    cr.manual_seed(3)
    state = cr.cuda.get_rng_state()
    first = cr.rand(4, device="cuda").tolist()
    cr.cuda.set_rng_state(state)
    assert cr.rand(4, device="cuda").tolist() == first
    cr.cuda.manual_seed(3)
    assert cr.rand(4, device="cuda").tolist() == first


def test_names_of_programs_that_use_a_device_are_there():
    assert cr.device(0) == cr.device("cuda", 0)
    with cr.device("cuda"):
        assert cr.ones(1).is_cuda
        assert nn.Linear(1, 1).weight.is_cuda
    assert not cr.ones(1).is_cuda
    assert cr.cuda.memory.memory_allocated() == cr.cuda.memory_allocated()
    with pytest.raises(cr.cuda.OutOfMemoryError):
        cr.empty(1 << 40, device="cuda")


def test_loader_that_pins_memory_warns_of_nothing(recwarn):
    data = cr.utils.data.TensorDataset(cr.ones(4, 2))
    (batch,) = cr.utils.data.DataLoader(data, batch_size=4, pin_memory=True)
    assert batch[0].cuda(non_blocking=True).sum().item() == 8.0
    assert [str(warning.message) for warning in recwarn] == []


# Streams


def test_work_goes_to_the_stream_of_cupy_that_is_current():
    theirs = cupy.cuda.Stream(non_blocking=True)
    with theirs:
        assert cr.cuda.current_stream().cuda_stream == theirs.ptr
        x = cr.ones(3, device="cuda") * 2
    with cr.cuda.ExternalStream(theirs.ptr) as ours:
        assert (ours.cuda_stream, cupy.cuda.get_current_stream().ptr) == (theirs.ptr, theirs.ptr)
    assert cr.cuda.get_stream_from_external(theirs.ptr) == ours
    assert cupy.cuda.Stream.from_external(ours).ptr == theirs.ptr
    theirs.synchronize()
    assert x.tolist() == [2.0, 2.0, 2.0]


def test_work_goes_to_the_stream_of_the_block():
    stream = cr.cuda.Stream()
    with cr.cuda.stream(stream):
        assert cr.cuda.current_stream() == stream
        x = cr.ones(3, device="cuda") * 2
    assert cr.cuda.current_stream() == cr.cuda.default_stream()
    stream.synchronize()
    assert x.tolist() == [2.0, 2.0, 2.0]


def test_stream_waits_for_what_another_has_done():
    first, second = cr.cuda.Stream(), cr.cuda.Stream()
    with cr.cuda.stream(first):
        x = cr.ones(1000, device="cuda") * 3
    second.wait_stream(first)
    with cr.cuda.stream(second):
        total = x.sum()
    second.synchronize()
    assert total.item() == 3000.0
    assert second.query()


def test_events_measure_time():
    start, end = (cr.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    cr.ones(10, device="cuda")
    end.record()
    end.synchronize()
    assert start.elapsed_time(end) >= 0.0
    assert (start.device, start.cuda_event != end.cuda_event) == (cr.device("cuda:0"), True)


def test_event_that_was_not_recorded_is_waited_for_by_nobody():
    event = cr.cuda.Event(enable_timing=True)
    event.synchronize()
    event.wait()
    assert (event.query(), event.device) == (True, None)
    assert repr(event) == "<torch.cuda.Event uninitialized>"


def test_time_between_events_that_cannot_tell_is_refused_with_pytorchs_sentences():
    plain, timed = cr.cuda.Event(), cr.cuda.Event(enable_timing=True)
    with pytest.raises(ValueError, match=r"^Both events must be created with argument 'enable_tim"):
        timed.elapsed_time(plain)
    with pytest.raises(ValueError, match=r"^Both events must be recorded before calculating elaps"):
        timed.elapsed_time(cr.cuda.Event(enable_timing=True))


def test_only_a_tensor_on_a_device_is_kept_for_a_stream():
    with pytest.raises(TypeError, match="expected a tensor on a CUDA device, got one on cpu"):
        cr.ones(2).record_stream(cr.cuda.current_stream())
