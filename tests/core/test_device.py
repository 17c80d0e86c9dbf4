"""Promises about device strings: ``type[:index][@backend]``."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

import chainrule as cr
from chainrule.device import Device


def test_string_has_a_type_an_index_and_a_backend():
    device = Device("cuda:1@cupy")

    assert (device.type, device.index, device.backend) == ("cuda", 1, "cupy")
    assert (str(device), repr(device)) == ("cuda:1", "device(type='cuda', index=1)")


def test_backend_is_a_request_and_no_part_of_the_device():
    assert Device("cpu@numpy") == Device("cpu")
    assert hash(Device("cpu@numpy")) == hash(Device("cpu"))
    assert Device("cuda:0") != Device("cuda")


def test_index_may_be_given_apart():
    assert Device("cuda", 2) == Device("cuda:2")
    with pytest.raises(RuntimeError, match=r"^type \(string\) must not include an index because"):
        Device("cuda:1", 1)


@pytest.mark.parametrize("string", ["cuda:", "cuda:x", "cuda:-1", "cuda:01", "cpu:1.5"])
def test_index_must_be_a_whole_number(string):
    with pytest.raises(RuntimeError, match=f"^Invalid device string: '{string}'"):
        Device(string)


def test_unknown_type_names_those_that_are_known():
    with pytest.raises(
        RuntimeError,
        match=r"^Expected one of cpu, cuda, .* device type at start of device string: quantum\n",
    ):
        Device("quantum:0")


def test_type_must_be_a_string():
    with pytest.raises(TypeError, match="must be str, not float"):
        Device(1.5)


def test_device_survives_pickling():
    assert pickle.loads(pickle.dumps(Device("cuda:1"))) == Device("cuda:1")  # noqa: S301 - our own bytes


def test_number_is_a_cuda_device():
    assert Device(1) == Device("cuda", 1)
    with pytest.raises(TypeError, match="must be str, not bool"):
        Device(True)
    with pytest.raises(RuntimeError, match="Device index must not be negative"):
        Device(-1)


# In a with block


def test_new_tensors_are_made_on_the_device_of_the_block():
    with cr.device("sim") as outer:
        made = [cr.ones(1), cr.tensor(1.0), cr.arange(2), cr.rand(1), cr.nn.Linear(1, 1).weight]
        assert cr.get_default_device() is outer
        with cr.device("sim:1"):
            inner = cr.ones(1)
        assert cr.ones(1, device="cpu").device.type == "cpu"
    assert {str(tensor.device) for tensor in made} == {"sim:0"}
    assert (str(inner.device), str(cr.ones(1).device)) == ("sim:1", "cpu")


def test_block_ends_with_an_error_too():
    with pytest.raises(ZeroDivisionError), cr.device("sim"):
        1 / 0  # noqa: B018 - the error is what is wanted
    assert cr.get_default_device() == Device("cpu")


def test_block_holds_for_its_thread_alone():
    with cr.device("sim"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(cr.get_default_device).result() == Device("cpu")
