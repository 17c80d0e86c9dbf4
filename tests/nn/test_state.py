"""Saving and loading modules: by path, with a full account of what does not fit."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import pytest


@pytest.fixture
def model(lib):
    return lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.ReLU(), lib.nn.Linear(3, 1, bias=False))


def test_state_is_flat_detached_and_shares_memory(lib, model):
    state = model.state_dict()

    assert type(state) is OrderedDict
    assert list(state) == ["0.weight", "0.bias", "2.weight"]
    assert not any(tensor.requires_grad for tensor in state.values())
    state["0.bias"].fill_(7.0)
    assert model[0].bias.tolist() == [7.0, 7.0, 7.0]


def test_state_carries_the_version_of_every_module(model):
    expected = {"": {"version": 1}, "0": {"version": 1}, "1": {"version": 1}, "2": {"version": 1}}

    assert dict(model.state_dict()._metadata) == expected


def test_keep_vars_gives_the_parameters_themselves(model):
    assert model.state_dict(keep_vars=True)["0.weight"] is model[0].weight


def test_prefix_and_destination_are_heeded(model):
    destination = OrderedDict(before=1)

    assert model.state_dict(destination=destination, prefix="m.") is destination
    assert list(destination) == ["before", "m.0.weight", "m.0.bias", "m.2.weight"]


def test_positional_arguments_of_state_dict_are_deprecated(model, warns):
    with warns(FutureWarning, "Positional args are being deprecated, use kwargs instead."):
        state = model.state_dict(OrderedDict(), "m.")

    assert "m.0.weight" in state


def test_loading_copies_values_and_keeps_identity(lib, model):
    weight = model[0].weight
    state = {key: lib.ones_like(tensor) for key, tensor in model.state_dict().items()}

    assert str(model.load_state_dict(state)) == "<All keys matched successfully>"
    assert model[0].weight is weight
    assert weight.tolist() == [[1.0, 1.0]] * 3
    assert weight.requires_grad


def test_loading_with_assign_takes_the_tensors_given(lib, model):
    state = {key: lib.ones_like(tensor) for key, tensor in model.state_dict().items()}
    model.load_state_dict(state, assign=True)
    state["0.bias"].fill_(5.0)

    assert model[0].bias.tolist() == [5.0, 5.0, 5.0]
    assert model[0].bias.requires_grad
    assert type(model[0].bias) is lib.nn.Parameter


def test_missing_and_unexpected_keys_are_all_reported(lib, raises):
    layer = lib.nn.Linear(2, 3)
    state = {"weight": lib.ones(3, 2), "foo": lib.ones(1)}
    sentence = (
        "Error(s) in loading state_dict for Linear:\n"
        '\tMissing key(s) in state_dict: "bias". \n'
        '\tUnexpected key(s) in state_dict: "foo". '
    )

    with raises(RuntimeError, sentence):
        layer.load_state_dict(state)


def test_keys_below_what_is_no_child_are_unexpected(lib, raises, model):
    state = dict(model.state_dict())
    state["0.weight.deeper"] = state["9.weight"] = lib.ones(1)
    sentence = (
        "Error(s) in loading state_dict for Sequential:\n"
        '\tUnexpected key(s) in state_dict: "9.weight", "0.weight.deeper". '
    )

    with raises(RuntimeError, sentence):
        model.load_state_dict(state)


def test_not_strict_returns_what_did_not_match(lib):
    layer = lib.nn.Linear(2, 3)
    result = layer.load_state_dict({"weight": lib.ones(3, 2), "foo": lib.ones(1)}, strict=False)

    assert result.missing_keys == ["bias"]
    assert result.unexpected_keys == ["foo"]
    assert repr(result) == "_IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['foo'])"


def test_wrong_shape_is_an_error_even_if_not_strict(lib, raises):
    layer = lib.nn.Linear(2, 2)
    sentence = (
        "Error(s) in loading state_dict for Linear:\n"
        "\tsize mismatch for weight: copying a param with shape torch.Size([3, 2]) from "
        "checkpoint, the shape in current model is torch.Size([2, 2])."
    )

    with raises(RuntimeError, sentence):
        layer.load_state_dict({"weight": lib.ones(3, 2), "bias": lib.ones(2)}, strict=False)


def test_one_element_vector_is_taken_for_a_scalar(lib):
    module = lib.nn.Module()
    module.scale = lib.nn.Parameter(lib.tensor(1.0))
    module.load_state_dict({"scale": lib.tensor([3.0])})

    assert module.scale.item() == 3.0


def test_what_is_no_dictionary_is_refused(lib, raises):
    with raises(TypeError, "Expected state_dict to be dict-like, got <class 'int'>."):
        lib.nn.Linear(1, 1).load_state_dict(3)


def test_what_is_no_tensor_is_reported(lib, raises):
    sentence = (
        "Error(s) in loading state_dict for Linear:\n"
        '\tWhile copying the parameter named "weight", expected torch.Tensor or Tensor-like '
        "object from checkpoint but received <class 'int'>"
    )

    with raises(RuntimeError, sentence):
        lib.nn.Linear(1, 1, bias=False).load_state_dict({"weight": 3})


def test_transient_buffers_and_absent_members_are_not_saved(lib):
    module = lib.nn.Module()
    module.register_buffer("kept", lib.ones(1))
    module.register_buffer("passing", lib.ones(1), persistent=False)
    module.register_buffer("absent", None)
    module.register_parameter("nothing", None)

    assert list(module.state_dict()) == ["kept"]


def test_extra_state_goes_with_the_module(lib):
    class Counter(lib.nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    first, second = Counter(), Counter()
    first.count = 5
    second.load_state_dict(first.state_dict())

    assert second.count == 5
    assert second.load_state_dict({}, strict=False).missing_keys == ["_extra_state"]


def test_hooks_around_saving_and_loading_run_in_order(lib):
    layer, seen = lib.nn.Linear(1, 1), []
    layer.register_state_dict_pre_hook(lambda module, prefix, keep_vars: seen.append("saving"))
    layer.register_state_dict_post_hook(lambda module, state, prefix, meta: seen.append("saved"))
    layer.register_load_state_dict_pre_hook(lambda module, *args: seen.append("loading"))
    layer.register_load_state_dict_post_hook(lambda module, keys: seen.append("loaded"))
    layer.load_state_dict(layer.state_dict())

    assert seen == ["saving", "saved", "loading", "loaded"]


def test_removed_hooks_do_not_run(lib):
    layer, seen = lib.nn.Linear(1, 1), []
    handle = layer.register_state_dict_pre_hook(lambda *args: seen.append("saving"))
    handle.remove()
    layer.state_dict()

    assert seen == []


def test_load_hook_may_rename_keys(lib):
    layer = lib.nn.Linear(1, 1, bias=False)

    def rename(module, state, prefix, *rest):
        state[f"{prefix}weight"] = state.pop(f"{prefix}kernel")

    layer.register_load_state_dict_pre_hook(rename)
    layer.load_state_dict({"kernel": lib.tensor([[4.0]])})

    assert layer.weight.item() == 4.0


def test_deep_copy_keeps_sharing_inside_and_none_with_the_original(lib):
    layer = lib.nn.Linear(2, 2)
    twice = lib.nn.Sequential(layer, layer)
    made = copy.deepcopy(twice)

    assert made[0] is made[1]
    assert made[0].weight is not layer.weight
    assert made[0].weight.tolist() == layer.weight.tolist()


def test_pickled_module_comes_back_with_its_values(lib, model):
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes

    assert repr(again) == repr(model)
    assert again[0].weight.tolist() == model[0].weight.tolist()
    assert again[0].weight.requires_grad
