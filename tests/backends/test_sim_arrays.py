"""Arrays of the simulated device refuse every implicit way to the host, and say what to do."""

from __future__ import annotations

import copy
import operator
import pickle

import numpy as np
import pytest

from chainrule_sim.array import SimArray
from chainrule_sim.counting import counters, current_device
from chainrule_sim.namespace import xp


@pytest.fixture
def x():
    return xp.asarray([[1.0, 2.0], [3.0, 4.0]])


def read(array):
    return array._host.tolist()


IMPLICIT = {
    "numpy.asarray": np.asarray,
    "numpy.array in a list": lambda x: np.array([x]),
    "numpy.sum": np.sum,
    "numpy.negative": np.negative,
    "a NumPy scalar type": np.float64,
    "numpy.from_dlpack": np.from_dlpack,
    "float": float,
    "int": int,
    "complex": complex,
    "bool": bool,
    "index": operator.index,
    "iteration": list,
    "unpacking": lambda x: (*x,),
    "in": lambda x: 1.0 in x,
    "the buffer protocol": memoryview,
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "a host array on the right": lambda x: x + np.ones((2, 2)),
    "a host array on the left": lambda x: np.ones((2, 2)) + x,
    "a host array in place": lambda x: operator.iadd(x, np.ones((2, 2))),
    "a host array in a function": lambda x: xp.add(x, np.ones((2, 2))),
    "a host array in a list": lambda x: xp.concatenate([x, np.ones((2, 2))]),
    "a host array as index": lambda x: x[np.array([0])],
    "a host array assigned": lambda x: operator.setitem(x, 0, np.ones(2)),
}


@pytest.mark.parametrize("way", IMPLICIT.values(), ids=IMPLICIT)
def test_every_implicit_way_to_the_host_is_a_type_error(x, way):
    with pytest.raises(TypeError):
        way(x)


@pytest.mark.parametrize(
    "way", ["numpy.asarray", "float", "bool", "iteration", "numpy.sum", "pickle"]
)
def test_the_refusal_says_what_to_do(x, way):
    with pytest.raises(TypeError, match=r"to the host unasked.*tensor.cpu\(\)"):
        IMPLICIT[way](x)


@pytest.mark.parametrize("name", ["tolist", "tobytes", "data", "ctypes", "__array_interface__"])
def test_no_attribute_leads_to_the_host(x, name):
    with pytest.raises(AttributeError):
        getattr(x, name)


def test_one_number_can_be_read_when_asked_for_and_is_counted(x):
    counters.reset()

    assert (xp.max(x).item(), counters.to_host, counters.bytes_to_host) == (4.0, 1, 8)


def test_it_shows_no_values(x):
    assert repr(x) == "<SimArray of shape (2, 2) and dtype float64 on sim:0>"


# What works


WORKS = {
    "x + x": lambda x, xp: x + x,
    "2 * x": lambda x, xp: 2 * x,
    "a NumPy number on the left": lambda x, xp: np.float32(2.0) * x,
    "x / numpy number": lambda x, xp: x / np.float32(2.0),
    "1 - x": lambda x, xp: 1 - x,
    "x @ x": lambda x, xp: x @ x,
    "x ** 2": lambda x, xp: x**2,
    "-abs(x)": lambda x, xp: -abs(x),
    "x > 2": lambda x, xp: x > 2,
    "x[x > 2]": lambda x, xp: x[x > 2],
    "x[..., None, ::-1]": lambda x, xp: x[..., None, ::-1],
    "x[index]": lambda x, xp: x[xp.asarray([1, 0])],
    "x[rows, columns]": lambda x, xp: x[xp.asarray([1, 0]), xp.asarray([0, 1])],
    "x[0, 1]": lambda x, xp: x[0, 1],
    "x.T.real": lambda x, xp: x.T.real,
    "x.reshape": lambda x, xp: x.reshape(4),
    "x.astype": lambda x, xp: x.astype("float32"),
    "x.sum(axis)": lambda x, xp: x.sum(axis=0),
    "xp.sum": lambda x, xp: xp.sum(x),
    "xp.where": lambda x, xp: xp.where(x > 2, x, 0.0),
    "xp.add.reduce": lambda x, xp: xp.add.reduce(x, axis=1),
    "xp.concatenate": lambda x, xp: xp.concatenate([x, x], axis=1),
    "xp.linalg.inv": lambda x, xp: xp.linalg.inv(x),
    "xp.linalg.eigh, a named tuple": lambda x, xp: xp.linalg.eigh(x).eigenvalues,
    "xp.split": lambda x, xp: xp.split(x, 2)[1],
    "xp.zeros_like": lambda x, xp: xp.zeros_like(x),
    "xp.einsum": lambda x, xp: xp.einsum("ij,jk->ik", x, x),
    "xp.array_equal": lambda x, xp: xp.array_equal(x, x),
    "xp.count_nonzero": lambda x, xp: xp.count_nonzero(x),
    "xp.float32": lambda x, xp: x.astype(xp.float32) * xp.float32(3),
    "out=": lambda x, xp: xp.multiply(x, x, out=xp.empty_like(x)),
}


@pytest.mark.parametrize("what", WORKS.values(), ids=WORKS)
def test_a_kernel_computes_what_numpy_computes(x, what):
    result = what(x, xp)
    expected = np.asarray(what(np.array([[1.0, 2.0], [3.0, 4.0]]), np))

    assert isinstance(result, SimArray)
    assert (read(result), result.dtype) == (expected.tolist(), expected.dtype)


def test_writes_go_through_views(x):
    x.T[0, 1] = 30.0
    x.reshape(-1)[0:1] += 9.0

    assert read(x) == [[10.0, 2.0], [30.0, 4.0]]


def test_scatter_add_works_on_the_device(x):
    xp.add.at(x, (xp.asarray([0, 0]), xp.asarray([1, 1])), 5.0)

    assert read(x) == [[1.0, 12.0], [3.0, 4.0]]


@pytest.mark.parametrize("name", ["errstate", "vecdot", "random", "no_such_function"])
def test_names_that_not_every_library_has_are_not_there(name):
    assert not hasattr(xp, name)


@pytest.mark.parametrize(
    "way",
    [
        xp.zeros,
        lambda x: xp.zeros((2, x[0])),
        lambda x: xp.arange(x[0]),
        lambda x: xp.reshape(x, x),
        lambda x: xp.broadcast_to(x, shape=x),
        lambda x: xp.roll(x, x[0]),
        lambda x: xp.sum(x, axis=x[0]),
    ],
)
def test_a_size_or_an_axis_that_is_still_on_the_device_is_refused(way):
    with pytest.raises(TypeError, match="a size or an axis of"):
        way(xp.asarray([1, 1]))


@pytest.mark.parametrize("name", ["save", "savetxt", "array2string", "apply_along_axis"])
def test_what_would_write_values_or_give_them_to_python_is_not_there(name):
    assert not hasattr(xp, name)


# Two devices


def on_second_device(values):
    before = current_device.set(1)
    try:
        return xp.asarray(values)
    finally:
        current_device.reset(before)


@pytest.mark.parametrize(
    "mix",
    [
        lambda x, y: x + y,
        xp.add,
        lambda x, y: xp.concatenate([x, y]),
        lambda x, y: x[y],
        lambda x, y: operator.setitem(x, 0, y),
    ],
)
def test_arrays_of_two_devices_do_not_meet(mix):
    with pytest.raises(TypeError, match="expected arrays on one device"):
        mix(xp.asarray([1, 0]), on_second_device([1, 0]))


def test_results_stay_on_the_device_of_their_inputs():
    y = on_second_device([1.0, 2.0])

    assert [(y + 1).device, y[0].device, xp.exp(y).device, y.sum().device] == [1, 1, 1, 1]


def test_what_is_brought_from_the_host_is_counted():
    counters.reset()
    xp.asarray(np.zeros(4))

    assert (counters.to_device, counters.bytes_to_device) == (1, 32)
