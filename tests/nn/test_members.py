"""What becomes of things assigned to a module, and how they are found again."""

from __future__ import annotations

import pytest


def test_parameters_are_registered_in_order_of_assignment(lib):
    module = lib.nn.Module()
    module.b = lib.nn.Parameter(lib.ones(1))
    module.a = lib.nn.Parameter(lib.ones(1))
    module.plain = lib.ones(1)

    assert [name for name, _ in module.named_parameters()] == ["b", "a"]
    assert module.b is next(module.parameters())
    assert "plain" in vars(module)


def test_modules_and_buffers_are_registered(lib):
    module = lib.nn.Module()
    module.child = lib.nn.ReLU()
    module.register_buffer("mean", lib.zeros(2))
    module.var = lib.nn.Buffer(lib.ones(2))
    module.mean = lib.ones(2)

    assert [name for name, _ in module.named_children()] == ["child"]
    assert [name for name, _ in module.named_buffers()] == ["mean", "var"]
    assert module.mean.tolist() == [1.0, 1.0]


def test_reassigning_moves_a_name_from_one_register_to_the_other(lib):
    module = lib.nn.Module()
    module.x = lib.nn.ReLU()
    module.x = lib.nn.Parameter(lib.ones(1))

    assert list(module.children()) == []
    assert [name for name, _ in module.named_parameters()] == ["x"]


def test_none_takes_the_place_of_a_parameter(lib):
    layer = lib.nn.Linear(2, 2)
    layer.bias = None

    assert layer.bias is None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert list(layer.state_dict()) == ["weight"]


def test_deleted_members_are_gone(lib, raises):
    layer = lib.nn.Linear(2, 2)
    del layer.bias

    with raises(AttributeError, "'Linear' object has no attribute 'bias'"):
        layer.bias  # noqa: B018 - the reading is what raises


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda lib: lib.nn.Linear(1, 1), "module"),
        (lambda lib: lib.nn.Parameter(lib.ones(1)), "parameters"),
        (lambda lib: lib.nn.Buffer(lib.ones(1)), "buffer"),
    ],
)
def test_assigning_before_init_says_so(lib, raises, make, word):
    class Early(lib.nn.Module):
        def __init__(self):
            self.member = make(lib)

    with raises(AttributeError, f"cannot assign {word} before Module.__init__() call"):
        Early()


def test_tensor_in_place_of_a_parameter_is_refused(lib, raises):
    layer = lib.nn.Linear(2, 2)
    other = lib.ones(2, 2)
    sentence = (
        f"cannot assign '{other.type()}' as parameter 'weight' "
        "(torch.nn.Parameter or None expected)"
    )

    with raises(TypeError, sentence):
        layer.weight = other


def test_something_else_in_place_of_a_child_or_buffer_is_refused(lib, raises):
    module = lib.nn.Module()
    module.child = lib.nn.ReLU()
    module.register_buffer("mean", None)

    with raises(TypeError, "cannot assign 'int' as child module 'child'"):
        module.child = 3
    with raises(TypeError, "cannot assign 'int' as buffer 'mean'"):
        module.mean = 3


@pytest.mark.parametrize(
    ("register", "kind", "error", "sentence"),
    [
        ("register_parameter", "a.b", KeyError, "'parameter name can\\'t contain \".\"'"),
        ("register_parameter", "", KeyError, "'parameter name can\\'t be empty string \"\"'"),
        ("register_parameter", "forward", KeyError, "\"attribute 'forward' already exists\""),
        ("register_parameter", 3, TypeError, "parameter name should be a string. Got int"),
        ("register_buffer", "a.b", KeyError, "'buffer name can\\'t contain \".\"'"),
        ("register_buffer", "forward", KeyError, "\"attribute 'forward' already exists\""),
        ("add_module", "a.b", KeyError, "'module name can\\'t contain \".\", got: a.b'"),
        ("add_module", "", KeyError, "'module name can\\'t be empty string \"\"'"),
        ("add_module", 3, TypeError, "module name should be a string. Got int"),
    ],
)
def test_impossible_names_are_refused(lib, raises, register, kind, error, sentence):
    with raises(error, sentence):
        getattr(lib.nn.Module(), register)(kind, None)


def test_computed_parameter_is_refused(lib, raises):
    computed = lib.nn.Parameter(lib.ones(1)) * 2

    with raises(TypeError, f"cannot assign '{computed.type()}' object to parameter 'p'"):
        lib.nn.Module().register_parameter("p", computed)


def test_non_module_child_is_refused(lib, raises):
    with raises(TypeError, f"{__name__}.test_non_module_child_is_refused is not a Module subclass"):
        lib.nn.Module().add_module("x", test_non_module_child_is_refused)
    with raises(TypeError, "int is not a Module subclass"):
        lib.nn.Module().add_module("child", 3)


def test_shared_parameter_is_listed_once_under_its_first_name(lib):
    first, second = lib.nn.Linear(2, 2), lib.nn.Linear(2, 2)
    second.weight = first.weight
    both = lib.nn.Sequential(first, second)

    assert [n for n, _ in both.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert len(list(both.named_parameters(remove_duplicate=False))) == 4
    assert list(both.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_members_are_found_by_path(lib, raises):
    model = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.Sequential(lib.nn.Tanh()))

    assert model.get_submodule("1.0") is model[1][0]
    assert model.get_submodule("") is model
    assert model.get_parameter("0.weight") is model[0].weight
    with raises(AttributeError, "Sequential has no attribute `7`"):
        model.get_submodule("1.7")
    with raises(AttributeError, "`weight` is not an nn.Module"):
        model.get_submodule("0.weight")
    with raises(AttributeError, "`in_features` is not an nn.Parameter"):
        model.get_parameter("0.in_features")
    with raises(AttributeError, "`weight` is not a buffer"):
        model.get_buffer("0.weight")


def test_submodule_is_replaced_by_path(lib, raises):
    model = lib.nn.Sequential(lib.nn.Sequential(lib.nn.Tanh()))
    model.set_submodule("0.0", lib.nn.ReLU())

    assert type(model[0][0]) is lib.nn.ReLU
    with raises(ValueError, "Cannot set the submodule without a target name!"):
        model.set_submodule("", lib.nn.ReLU())
    with raises(AttributeError, "Sequential has no attribute `9`"):
        model.set_submodule("9.0", lib.nn.ReLU())


def test_registration_hooks_see_and_may_replace_what_comes(lib):
    seen = []
    register = lib.nn.modules.module.register_module_parameter_registration_hook
    handle = register(lambda module, name, value: seen.append(name))
    lib.nn.Linear(1, 1)
    handle.remove()
    lib.nn.Linear(1, 1)

    assert seen == ["weight", "bias"]


def test_apply_visits_children_first_and_returns_the_module(lib):
    seen = []
    model = lib.nn.Sequential(lib.nn.Tanh(), lib.nn.ReLU())

    assert model.apply(lambda module: seen.append(type(module).__name__)) is model
    assert seen == ["Tanh", "ReLU", "Sequential"]


def test_dir_lists_members_that_are_names(lib):
    layer, model = lib.nn.Linear(1, 1), lib.nn.Sequential(lib.nn.Tanh())

    assert {"weight", "bias", "forward"} <= set(dir(layer))
    assert "0" not in dir(model)


def test_unexpected_arguments_of_init_are_refused(lib, raises):
    with raises(TypeError, "Module.__init__() got an unexpected keyword argument 'size'"):
        lib.nn.Module(size=3)
    with raises(TypeError, "Module.__init__() takes 1 positional argument but 2 were given"):
        lib.nn.Module(3)


def test_module_without_forward_says_so(lib, raises):
    sentence = 'Module [Module] is missing the required "forward" function'

    with raises(NotImplementedError, sentence):
        lib.nn.Module()(1)


def test_repr_shows_the_tree(lib):
    class Model(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = lib.nn.ModuleList(lib.nn.Linear(1, 1) for _ in range(2))
            self.out = lib.nn.Sequential(lib.nn.ReLU(inplace=True), lib.nn.Softmax(dim=1))

        def extra_repr(self):
            return "width=1"

    assert repr(Model()) == (
        "Model(\n"
        "  width=1\n"
        "  (layers): ModuleList(\n"
        "    (0-1): 2 x Linear(in_features=1, out_features=1, bias=True)\n"
        "  )\n"
        "  (out): Sequential(\n"
        "    (0): ReLU(inplace=True)\n"
        "    (1): Softmax(dim=1)\n"
        "  )\n"
        ")"
    )
