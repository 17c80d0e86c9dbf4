"""Modules that hold modules or parameters."""

from __future__ import annotations

from collections import OrderedDict

import pytest


def names(container):
    return [type(module).__name__ for module in container]


@pytest.fixture
def row(lib):
    return lib.nn.Sequential(lib.nn.Linear(1, 1), lib.nn.Tanh(), lib.nn.ReLU())


def test_sequential_passes_outputs_on(lib):
    model = lib.nn.Sequential(lib.nn.Flatten(), lib.nn.ReLU())

    assert model(lib.tensor([[[-1.0], [2.0]]])).tolist() == [[0.0, 2.0]]


def test_sequential_takes_names_from_an_ordered_dictionary(lib):
    model = lib.nn.Sequential(OrderedDict(first=lib.nn.Tanh(), second=lib.nn.ReLU()))

    assert names([model.first, model[1], model[-1]]) == ["Tanh", "ReLU", "ReLU"]


def test_sequential_is_indexed_sliced_and_changed_like_a_list(lib, row):
    assert names(row[1:]) == ["Tanh", "ReLU"]
    row[0] = lib.nn.GELU()
    del row[1]
    row.append(lib.nn.Tanh()).insert(0, lib.nn.Sigmoid())
    row.extend([lib.nn.SiLU()])

    assert names(row) == ["Sigmoid", "GELU", "ReLU", "Tanh", "SiLU"]
    assert list(row._modules) == ["0", "1", "2", "3", "4"]
    assert type(row.pop(0)).__name__ == "Sigmoid"
    assert len(row) == 4


def test_sequentials_are_added_and_repeated(row):
    assert names(row[:1] + row[1:]) == names(row)
    assert names(row[1:] * 2) == names(2 * row[1:]) == ["Tanh", "ReLU"] * 2
    row *= 2
    assert len(row) == 6


def test_impossible_uses_of_a_sequential_are_refused(lib, raises, row):
    with raises(IndexError, "index 5 is out of range"):
        row[5]
    with raises(IndexError, "Index out of range: 9"):
        row.insert(9, lib.nn.ReLU())
    with raises(AssertionError, "module should be of type: <class '"):
        row.insert(0, 3)
    with raises(ValueError, "add operator supports only objects of Sequential class, but <class"):
        row + 1
    with raises(ValueError, "Non-positive multiplication factor 0 for <class '"):
        row * 0
    with raises(TypeError, "unsupported operand type(s) for *: <class '"):
        row * "2"
    with raises(TypeError, "dict is not a Module subclass"):
        lib.nn.Sequential({"a": lib.nn.ReLU()})


def test_module_list_is_a_list_whose_parameters_are_found(lib):
    layers = lib.nn.ModuleList([lib.nn.Linear(1, 1), lib.nn.Tanh()])
    layers.append(lib.nn.ReLU())
    layers.insert(1, lib.nn.GELU())
    layers += [lib.nn.SiLU()]

    assert names(layers) == ["Linear", "GELU", "Tanh", "ReLU", "SiLU"]
    assert names(layers[1:3]) == ["GELU", "Tanh"]
    del layers[1:3]
    assert names(layers + lib.nn.ModuleList([lib.nn.Tanh()])) == ["Linear", "ReLU", "SiLU", "Tanh"]
    assert [name for name, _ in layers.named_parameters()] == ["0.weight", "0.bias"]


def test_impossible_uses_of_a_module_list_are_refused(lib, raises):
    layers = lib.nn.ModuleList([lib.nn.Tanh()])

    with raises(IndexError, "index 9 is out of range"):
        layers[9] = lib.nn.Tanh()
    with raises(TypeError, "ModuleList.extend should be called with an iterable, but got int"):
        layers.extend(3)
    with raises(NotImplementedError, 'Module [ModuleList] is missing the required "forward"'):
        layers(1)


def test_module_dict_is_a_dictionary(lib):
    heads = lib.nn.ModuleDict({"a": lib.nn.Tanh()})
    heads["b"] = lib.nn.ReLU()
    heads.update([("c", lib.nn.GELU())])

    assert list(heads) == list(heads.keys()) == ["a", "b", "c"]
    assert names(heads.values()) == ["Tanh", "ReLU", "GELU"]
    assert "b" in heads
    assert type(heads.pop("b")).__name__ == "ReLU"
    heads.clear()
    assert len(heads) == 0


def test_impossible_updates_of_a_module_dict_are_refused(lib, raises):
    heads = lib.nn.ModuleDict()

    with raises(TypeError, "ModuleDict.update should be called with an iterable of key/value"):
        heads.update(3)
    with raises(TypeError, "ModuleDict update sequence element #0 should be Iterable; isint"):
        heads.update([3])
    with raises(ValueError, "ModuleDict update sequence element #0 has length 3; 2 is required"):
        heads.update([(1, 2, 3)])


def test_parameter_list_makes_tensors_parameters_and_keeps_the_rest(lib):
    values = lib.nn.ParameterList([lib.zeros(2, device="cpu"), "text"])
    values.append(lib.ones(3, device="cpu"))
    values += [4]

    assert len(values) == 4
    assert [name for name, _ in values.named_parameters()] == ["0", "2"]
    assert values[-1] == 4
    assert type(values[0]) is lib.nn.Parameter
    values[0] = lib.ones(1, device="cpu")
    assert next(iter(values)).tolist() == [1.0]
    assert repr(values) == (
        "ParameterList(\n"
        "    (0): Parameter containing: [torch.float32 of size 1]\n"
        "    (1): Object of type: str\n"
        "    (2): Parameter containing: [torch.float32 of size 3]\n"
        "    (3): Object of type: int\n"
        ")"
    )


def test_parameter_dict_makes_tensors_parameters_and_keeps_the_rest(lib):
    values = lib.nn.ParameterDict({"b": lib.ones(1), "a": "text"})
    values["c"] = lib.zeros(2)

    assert list(values.keys()) == ["a", "b", "c"]
    assert [name for name, _ in values.named_parameters()] == ["b", "c"]
    assert values.get("z", 4) == 4
    assert values.setdefault("a", 1) == "text"
    assert list(reversed(values)) == ["c", "b", "a"]
    assert dict((values | lib.nn.ParameterDict({"d": 5})).items())["d"] == 5
    assert values.popitem()[0] == "c"
    del values["a"]
    assert list(values.state_dict()) == ["b"]
    assert list(values.copy()) == ["b"]
    assert list(values.fromkeys(["x", "y"], 1)) == ["x", "y"]


def test_impossible_uses_of_parameter_containers_are_refused(lib, raises):
    with raises(
        TypeError, "ParameterList.extend should be called with an iterable, but got Tensor"
    ):
        lib.nn.ParameterList(lib.ones(3))
    with raises(RuntimeError, "ParameterList should not be called."):
        lib.nn.ParameterList()(1)
    with raises(IndexError, "index 9 is out of range"):
        lib.nn.ParameterList()[9]
    with raises(RuntimeError, "ParameterDict should not be called."):
        lib.nn.ParameterDict()(1)
    with raises(TypeError, "Index given to ParameterDict cannot be used as a key as it is not a"):
        lib.nn.ParameterDict()[1]
    with raises(AttributeError, "'ParameterDict' object has no attribute 'nothing'"):
        lib.nn.ParameterDict()["nothing"]
