"""Promises about device strings: ``type[:index][@backend]``."""

from __future__ import annotations

import pickle

import pytest

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
