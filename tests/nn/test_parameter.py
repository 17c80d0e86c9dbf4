"""Parameters: leaves that remember what they are."""

from __future__ import annotations

import copy
import pickle

import pytest


def test_parameter_is_a_leaf_that_requires_grad_even_of_a_computed_tensor(lib):
    computed = lib.ones(2, requires_grad=True) * 2
    parameter = lib.nn.Parameter(computed)

    assert (parameter.is_leaf, parameter.requires_grad) == (True, True)
    assert parameter.tolist() == [2.0, 2.0]


def test_parameter_shares_memory_and_version_with_its_data(lib):
    data = lib.zeros(3)
    parameter = lib.nn.Parameter(data)
    data.add_(1)

    assert parameter.tolist() == [1.0, 1.0, 1.0]
    assert parameter._version == 1


def test_what_is_computed_from_a_parameter_is_a_plain_tensor(lib):
    parameter = lib.nn.Parameter(lib.ones(2))

    for result in (parameter + 1, parameter.detach(), parameter.data, parameter.clone()):
        assert type(result) is lib.Tensor


def test_parameter_made_without_recording_still_requires_grad(lib):
    with lib.no_grad():
        assert lib.nn.Parameter(lib.ones(1)).requires_grad


def test_integer_parameter_must_not_require_grad(lib, raises):
    sentence = "Only Tensors of floating point and complex dtype can require gradients"

    with raises(RuntimeError, sentence):
        lib.nn.Parameter(lib.tensor([1]))
    assert lib.nn.Parameter(lib.tensor([1]), requires_grad=False).tolist() == [1]


@pytest.mark.parametrize(("data", "kind"), [([1.0], "list"), (3, "int")])
def test_parameter_of_no_tensor_is_refused(lib, raises, data, kind):
    with raises(AttributeError, f"'{kind}' object has no attribute 'detach'"):
        lib.nn.Parameter(data)


def test_parameter_without_data_is_empty(lib):
    assert lib.nn.Parameter().shape == (0,)


def test_parameter_prints_as_one(lib):
    assert repr(lib.nn.Parameter(lib.ones(2, device="cpu"))) == (
        "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    )
    assert repr(lib.nn.Parameter(lib.ones(1, device="cpu"), requires_grad=False)) == (
        "Parameter containing:\ntensor([1.])"
    )


def test_deep_copy_of_a_parameter_is_one_with_memory_of_its_own(lib):
    parameter = lib.nn.Parameter(lib.ones(2))
    pair = copy.deepcopy([parameter, parameter])

    assert type(pair[0]) is type(parameter)
    assert pair[0] is pair[1]
    with lib.no_grad():
        pair[0].add_(1)
    assert parameter.tolist() == [1.0, 1.0]


def test_pickled_parameter_comes_back_as_one(lib):
    parameter = lib.nn.Parameter(lib.tensor([1.0, 2.0]), requires_grad=False)
    again = pickle.loads(pickle.dumps(parameter))  # noqa: S301 - our own bytes

    assert type(again) is type(parameter)
    assert (again.tolist(), again.requires_grad) == ([1.0, 2.0], False)


def test_buffer_says_whether_it_is_persistent(lib):
    module = lib.nn.Module()
    module.kept = lib.nn.Buffer(lib.ones(1))
    module.passing = lib.nn.Buffer(lib.ones(1), persistent=False)

    assert [name for name, _ in module.named_buffers()] == ["kept", "passing"]
    assert list(module.state_dict()) == ["kept"]
    assert not module.kept.requires_grad


def test_subclass_of_parameter_may_be_made_with_more_arguments(lib):
    class Named(lib.nn.Parameter):
        def __new__(cls, data, name, requires_grad=True):
            made = lib.Tensor._make_subclass(cls, data, requires_grad)
            made.label = name
            return made

    made = Named(lib.ones(2), name="w")

    assert (made.label, made.requires_grad, type(made)) == ("w", True, Named)
