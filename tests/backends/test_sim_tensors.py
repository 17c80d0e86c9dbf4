"""Tensors on the simulated device: asked for by name, apart from the host, and counted."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
import chainrule_sim
from chainrule import nn
from chainrule.backend import KernelSet, by_name
from chainrule.errors import BackendUnavailableError, MixedBackendError


@pytest.fixture
def counters():
    chainrule_sim.counters.reset()
    return chainrule_sim.counters


def test_it_is_never_chosen_by_itself():
    assert [cr.ones(1).backend, cr.tensor(1.0).backend, cr.arange(3).backend] == ["numpy"] * 3


@pytest.mark.parametrize(
    ("device", "shown"), [("sim", "sim:0"), ("sim:0", "sim:0"), ("sim:1", "sim:1")]
)
def test_it_is_asked_for_by_device(device, shown):
    x = cr.ones(2, device=device)

    assert (str(x.device), x.backend, x.tolist()) == (shown, "sim", [1.0, 1.0])


def test_copy_in_place_takes_values_from_another_device():
    x = cr.zeros(2, device="sim")
    source = cr.ones(2, requires_grad=True)
    x.copy_(source)
    x.sum().backward()

    assert x.tolist() == [1.0, 1.0]
    assert (str(source.grad.device), source.grad.tolist()) == ("cpu", [1.0, 1.0])


def test_random_numbers_are_drawn_on_the_device_and_are_the_same_on_both():
    cr.manual_seed(1)
    first, second = cr.rand(3, device="sim:0"), cr.rand(3, device="sim:1")

    assert (first + first).tolist() == (second + second).tolist()


def test_there_are_two_devices():
    with pytest.raises(BackendUnavailableError, match="has 2 device"):
        cr.ones(2, device="sim:2")


def test_gradients_are_computed_on_the_device_and_equal_the_hosts():
    def gradient(device):
        x = cr.tensor([[0.5, -1.0], [2.0, 0.25]], device=device, requires_grad=True)
        (x.exp() @ x.tanh() / (x * x + 1.0)).sum().backward()
        return x.grad

    on_device = gradient("sim:1")

    assert str(on_device.device) == "sim:1"
    assert on_device.tolist() == gradient("cpu").tolist()


def test_moving_is_differentiable():
    x = cr.ones(3, requires_grad=True)
    (x.to("sim") * 2.0).sum().to("cpu").backward()

    assert (str(x.grad.device), x.grad.tolist()) == ("cpu", [2.0, 2.0, 2.0])


def test_a_model_moves_with_its_parameters_and_computes_there():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).to("sim:1")
    model(cr.ones(2, 3, device="sim:1")).sum().backward()

    assert {str(p.device) for p in model.parameters()} == {"sim:1"}
    assert {str(p.grad.device) for p in model.parameters()} == {"sim:1"}
    assert {str(p.device) for p in model.cpu().parameters()} == {"cpu"}


@pytest.mark.parametrize(("one", "other"), [("cpu", "sim"), ("sim:0", "sim:1")])
def test_tensors_of_two_devices_do_not_meet(one, other):
    with pytest.raises(MixedBackendError, match="at least two devices"):
        cr.ones(2, device=one) + cr.ones(2, device=other)


def test_a_tensor_on_it_is_no_numpy_array():
    with pytest.raises(TypeError, match="can't convert sim:0 device type tensor to numpy"):
        np.asarray(cr.ones(2, device="sim"))


def test_its_array_cannot_be_read_from_outside():
    with pytest.raises(TypeError, match="to the host unasked"):
        np.asarray(cr.ones(2, device="sim")._array)


def test_every_transfer_is_counted(counters):
    x = cr.ones(4).to("sim:0")
    y = x.to("sim:1")
    y.cpu()

    assert (counters.to_device, counters.between_devices, counters.to_host) == (1, 1, 1)
    assert counters.bytes_to_device == counters.bytes_to_host == 16


def test_a_training_step_moves_nothing_but_what_is_asked_for(counters):
    w = cr.ones(3, 3).to("sim").requires_grad_()
    x = cr.ones(2, 3).to("sim")
    counters.reset()
    loss = (x @ w).tanh().sum()
    loss.backward()
    with cr.no_grad():
        w -= 0.1 * w.grad

    assert (counters.to_device, counters.to_host, counters.between_devices) == (0, 0, 0)
    loss.item()
    assert (counters.to_host, counters.bytes_to_host) == (1, 4)


def test_a_training_step_is_launched_in_order_and_waits_for_nothing(counters):
    cr.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).to("sim")
    optimizer = cr.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x = cr.ones(5, 4).to("sim")
    target = cr.zeros(5, 3).to("sim")
    counters.reset()
    loss = nn.functional.mse_loss(model(x), target)
    loss.backward()
    optimizer.step()

    assert (counters.waits, counters.to_host, counters.to_device) == (0, 0, 0)
    assert counters.pending[0] == counters.launches > 5
    launched = [event.what for event in counters.timeline if event.kind == "launch"]
    assert launched.index("cr::relu") < next(i for i, op in enumerate(launched) if "loss" in op)
    loss.item()
    assert [event.kind for event in counters.timeline][-2:] == ["wait", "download"]
    assert (counters.waits, counters.pending[0]) == (1, 0)


def test_waiting_for_a_device_that_has_nothing_to_do_is_no_wait(counters):
    x = cr.ones(2, device="sim")
    counters.reset()
    x.tolist()

    assert (counters.waits, counters.to_host) == (0, 1)


def test_each_device_is_waited_for_on_its_own(counters):
    x, y = cr.ones(2, device="sim:0"), cr.ones(2, device="sim:1")
    counters.reset()
    (x + x, y + y)
    by_name("sim").synchronize(y.device)

    assert (counters.pending, counters.waits) == ([1, 0], 1)


@pytest.mark.parametrize(
    "use",
    [lambda x: x[x > 0], lambda x: x.nonzero(), lambda x: x.unique()],
    ids=["mask", "nonzero", "unique"],
)
def test_a_result_whose_size_values_decide_makes_the_host_wait(counters, use):
    x = cr.ones(3, device="sim")
    counters.reset()
    use(x)

    assert counters.waits >= 1
    assert any("decides a size" in event.what for event in counters.timeline)


def test_a_kernel_makes_new_arrays_on_the_device_of_its_inputs():
    ks = KernelSet("sim")

    @ks.family("cr::tanh")
    def tanh(xp):
        return lambda x: xp.zeros(x.shape, x.dtype) + x

    fresh = type(by_name("sim"))(chainrule_sim.spec)
    fresh.add_kernels(ks)
    definition, _ = fresh.find_kernel("cr::tanh")
    x = cr.ones(2, device="sim:1")._array

    assert definition.bind(fresh.xp)(x).device == 1


def test_every_call_of_an_op_runs_its_kernel_on_the_device_of_its_arrays(counters):
    x = cr.ones(2, device="sim:1")
    y = x.tanh() + cr.zeros_like(x)

    assert y.device == cr.device("sim:1")
    assert {event.what for event in counters.timeline} >= {"cr::tanh", "cr::add"}


def test_a_kernel_that_returns_a_host_array_is_caught():
    with pytest.raises(TypeError, match="a kernel returned ndarray, expected SimArray"):
        by_name("sim").wrap(np.ones(2))


def test_values_survive_the_way_there_and_back():
    for values in ([1.5, -2.0], [1, 2], [True, False], [1 + 2j, 0j], []):
        x = cr.tensor(values)
        back = x.to("sim:1").cpu()
        assert (back.tolist(), back.dtype) == (x.tolist(), x.dtype)


def test_infinities_and_nan_make_no_warning():
    x = cr.tensor([0.0, -1.0, float("inf")], device="sim")

    assert (x / 0.0).tolist()[1:] == [float("-inf"), float("inf")]
