"""`func`: derivatives as functions of functions, alone and nested in one another."""

from __future__ import annotations

import re

import pytest


def cubes(x):
    return (x**3).sum()


# grad


def test_grad_of_a_function_is_its_derivative(lib):
    found = lib.func.grad(cubes)(lib.tensor([1.0, 2.0]))

    assert found.tolist() == [3.0, 12.0]


def test_result_of_grad_requires_no_grad_and_has_no_history(lib):
    found, value = lib.func.grad_and_value(cubes)(lib.tensor([1.0, 2.0]))

    assert (found.requires_grad, found.grad_fn) == (False, None)
    assert (value.requires_grad, value.grad_fn) == (False, None)


def test_input_of_grad_is_left_as_it_was(lib):
    x = lib.tensor([1.0, 2.0])
    lib.func.grad(cubes)(x)

    assert (x.requires_grad, x.grad) == (False, None)


def test_function_under_grad_sees_a_leaf_that_requires_grad(lib):
    seen = []

    def look(x):
        seen.append((x.requires_grad, x.is_leaf, x.grad_fn))
        return x.sum()

    lib.func.grad(look)(lib.ones(2))

    assert seen == [(True, True, None)]


def test_grad_of_grad_is_the_second_derivative(lib):
    assert lib.func.grad(lib.func.grad(lib.sin))(lib.tensor(1.0)).item() == pytest.approx(
        -lib.sin(lib.tensor(1.0)).item()
    )


def test_inner_derivative_does_not_see_the_outer_variable(lib):
    def outer(x):
        return x * lib.func.grad(lambda y: x + y)(lib.tensor(1.0))

    assert lib.func.grad(outer)(lib.tensor(3.0)).item() == 1.0


def test_gradient_of_a_gradient_reaches_a_parameter_outside(lib):
    weight = lib.tensor([2.0, 3.0], requires_grad=True)
    found = lib.func.grad(lambda x: (weight * x * x).sum())(lib.tensor([1.0, 2.0]))
    found.sum().backward()

    assert found.tolist() == [4.0, 12.0]
    assert weight.grad.tolist() == [2.0, 4.0]


def test_grad_inside_no_grad_differentiates_and_leaves_no_history(lib):
    weight = lib.tensor(2.0, requires_grad=True)
    with lib.no_grad():
        found = lib.func.grad(lambda x: weight * x * x)(lib.tensor(3.0))

    assert (found.item(), found.requires_grad) == (12.0, False)


def test_no_grad_inside_the_function_is_respected(lib):
    def half_constant(x):
        with lib.no_grad():
            constant = x * x
        return x - constant

    assert lib.func.grad(half_constant)(lib.tensor(3.0)).item() == 1.0


def test_detach_stops_every_level(lib):
    outer = lib.func.grad(lambda x: lib.func.grad(lambda y: (y * y).detach() * y * x)(x))

    assert outer(lib.tensor(2.0)).item() == 4.0


def test_argnums_choose_the_arguments(lib):
    x, y = lib.tensor(2.0), lib.tensor(5.0)

    assert lib.func.grad(lib.mul, argnums=1)(x, y).item() == 2.0
    assert [g.item() for g in lib.func.grad(lib.mul, argnums=(0, 1))(x, y)] == [5.0, 2.0]
    assert lib.func.grad(lib.mul, argnums=-1)(x, y).item() == 2.0


def test_arguments_and_gradients_may_be_trees(lib):
    tree = {"a": lib.tensor(2.0), "b": [lib.tensor(3.0), (lib.tensor(4.0),)]}
    found = lib.func.grad(lambda t: t["a"] * t["b"][0] * t["b"][1][0])(tree)

    assert found["a"].item() == 12.0
    assert [found["b"][0].item(), found["b"][1][0].item()] == [8.0, 6.0]


def test_unused_argument_has_a_gradient_of_zeros(lib):
    found = lib.func.grad(lambda x, y: y.sum())(lib.ones(2), lib.ones(3))

    assert found.tolist() == [0.0, 0.0]


def test_aux_comes_beside_the_gradient(lib):
    found, aux = lib.func.grad(lambda x: (x.sum(), x * 2), has_aux=True)(lib.ones(2))
    gradient, (value, _) = lib.func.grad_and_value(lambda x: (x.sum(), x * 2), has_aux=True)(
        lib.ones(2)
    )

    assert (found.tolist(), aux.tolist(), aux.requires_grad) == ([1.0, 1.0], [2.0, 2.0], False)
    assert (gradient.tolist(), value.item()) == ([1.0, 1.0], 2.0)


@pytest.mark.parametrize(
    ("function", "options", "kind", "sentence"),
    [
        (
            lambda x: x,
            {},
            RuntimeError,
            (
                "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor "
                "with 1 dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
            ),
        ),
        (
            lambda x: 3,
            {},
            RuntimeError,
            "grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got <class 'int'>",
        ),
        (
            lambda x: x.sum(),
            {"has_aux": True},
            RuntimeError,
            (
                "grad_and_value(f)(*args): output of function f should be a tuple: (output, aux) "
                "if has_aux is True"
            ),
        ),
        (
            lambda x: (x.sum(), 1),
            {"has_aux": True},
            RuntimeError,
            "Expected tensors, got unsupported type <class 'int'>",
        ),
        (
            lambda x: x.sum(),
            {"argnums": 2},
            RuntimeError,
            "Got argnum=2, but only 1 positional inputs",
        ),
        (
            lambda x: x.sum(),
            {"argnums": "a"},
            RuntimeError,
            "argnums must be int or Tuple[int, ...], got: <class 'str'>",
        ),
        (
            lambda x: x.sum(),
            {"argnums": (0, 0)},
            RuntimeError,
            "argnums elements must be unique, got (0, 0)",
        ),
    ],
)
def test_grad_refuses_what_it_cannot_differentiate(lib, raises, function, options, kind, sentence):
    with raises(kind, sentence):
        lib.func.grad(function, **options)(lib.ones(2))


def test_grad_refuses_an_argument_that_is_no_floating_tensor(lib, raises):
    with raises(RuntimeError, "only Tensors of floating point dtype can require gradients"):
        lib.func.grad(lambda x: x.sum())(lib.ones(2).long())
    with raises(ValueError, "Thing passed to transform API must be Tensor, got <class 'float'>"):
        lib.func.grad(lambda x: x)(1.0)


def test_writing_into_the_input_of_grad_raises(lib, raises):
    with raises(
        RuntimeError, "a leaf Variable that requires grad is being used in an in-place operation."
    ):
        lib.func.grad(lambda x: x.add_(1).sum())(lib.ones(2))


# vjp, jvp, linearize


def test_vjp_gives_the_value_and_the_way_back(lib):
    value, pull = lib.func.vjp(lib.exp, lib.tensor([0.0, 1.0]))

    assert value.requires_grad is False
    assert pull(lib.tensor([2.0, 0.0]))[0].tolist() == [2.0, 0.0]
    assert pull(lib.tensor([1.0, 0.0]))[0].tolist() == [1.0, 0.0]


def test_vjp_of_trees_takes_and_gives_trees(lib):
    value, pull = lib.func.vjp(lambda t: {"y": t["x"] * 2}, {"x": lib.ones(2)})

    assert value["y"].tolist() == [2.0, 2.0]
    assert pull({"y": lib.ones(2)})[0]["x"].tolist() == [2.0, 2.0]


def test_cotangents_of_another_structure_are_refused(lib, raises):
    _, pull = lib.func.vjp(lambda x: (x, x), lib.ones(2))
    with raises(
        RuntimeError,
        "Expected pytree structure of cotangents to be the same as pytree structure of outputs to "
        "the function. cotangents: *, primal output: (*, *)",
    ):
        pull(lib.ones(2))


def test_jvp_gives_the_value_and_its_change(lib):
    value, change = lib.func.jvp(
        lambda x, y: x * y, (lib.tensor(2.0), lib.tensor(3.0)), (lib.tensor(1.0), lib.tensor(10.0))
    )

    assert (value.item(), change.item()) == (6.0, 23.0)
    assert change.requires_grad is False


def test_jvp_of_what_does_not_depend_on_the_input_is_zero(lib):
    value, change = lib.func.jvp(lambda x: lib.ones(2), (lib.ones(1),), (lib.ones(1),))

    assert (value.tolist(), change.tolist()) == ([1.0, 1.0], [0.0, 0.0])


def test_jvp_sees_through_in_place_writes_into_new_tensors(lib):
    def shuffled(x):
        made = lib.zeros(3)
        view = made[1:]
        made[0] = x[1]
        view.copy_(x * x)
        view.mul_(2)
        return made

    value, change = lib.func.jvp(shuffled, (lib.tensor([3.0, 5.0]),), (lib.tensor([1.0, 10.0]),))

    assert value.tolist() == [5.0, 18.0, 50.0]
    assert change.tolist() == [10.0, 12.0, 200.0]


@pytest.mark.parametrize(
    ("primals", "tangents", "sentence"),
    [
        (
            [1],
            None,
            (
                "jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be "
                "valid to call f(*primals)."
            ),
        ),
        (
            (),
            (),
            "jvp(f, primals, tangents): Expected primals to contain at least one Tensor.",
        ),
        (
            (2,),
            (2, 2),
            (
                "jvp(f, primals, tangents): Expected primals and tangents to have the same python "
                "structure. For example, if primals is a tuple of 3 tensors, tangents also must "
                "be. Got primals with structure TreeSpec(tuple, None, [*]) and tangents with "
                "structure TreeSpec(tuple, None, [*,\n  *])"
            ),
        ),
        (
            (2,),
            (3,),
            (
                "Trying to set a forward gradient that has a different size than that of the "
                "original Tensor, this is not supported. Tensor is of size [2] while the given "
                "forward gradient is of size [3]."
            ),
        ),
    ],
)
def test_tangents_that_do_not_fit_are_refused(lib, raises, primals, tangents, sentence):
    def made(sizes):
        return tuple(map(lib.ones, sizes)) if isinstance(sizes, tuple) else sizes

    with raises(RuntimeError, sentence):
        lib.func.jvp(lambda *xs: xs[0], made(primals), made(tangents))


def test_function_that_returns_no_tensor_is_refused(lib, raises):
    x = lib.ones(2)
    with raises(
        RuntimeError,
        "vjp(f, *primals): expected f(*primals) to return only tensors, got unsupported type "
        "<class 'int'>",
    ):
        lib.func.vjp(lambda x: 3, x)
    with raises(
        RuntimeError,
        "jvp(f, primals, tangents): expected f(*primals) to return only tensors, got unsupported "
        "type <class 'int'>",
    ):
        lib.func.jvp(lambda x: 3, (x,), (x,))


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's tracer warns of its own graph
def test_linearize_gives_the_value_and_a_linear_map(lib):
    value, change = lib.func.linearize(lambda x: x * x, lib.tensor([1.0, 2.0]))

    assert value.tolist() == [1.0, 4.0]
    assert change(lib.tensor([1.0, 1.0])).tolist() == [2.0, 4.0]
    assert change(lib.tensor([3.0, 0.0])).tolist() == [6.0, 0.0]


@pytest.mark.filterwarnings("ignore::UserWarning")  # likewise
def test_linear_map_refuses_other_tangents(lib, raises):
    _, change = lib.func.linearize(lambda x: x * x, lib.ones(3))
    with raises(
        RuntimeError,
        "tangent:0 with shape torch.Size([1]) in flattened pytree doesn't match the shape "
        "torch.Size([3]) of the corresponding primal.",
    ):
        change(lib.ones(1))
    with raises(
        RuntimeError,
        "tangent:0 with dtype torch.float64 in flattened pytree doesn't match the dtype "
        "torch.float32 of the corresponding primal.",
    ):
        change(lib.ones(3).double())


# Jacobians


@pytest.mark.parametrize("jacobian", ["jacrev", "jacfwd"])
def test_jacobian_has_the_shape_of_the_output_then_of_the_input(lib, jacobian):
    make = getattr(lib.func, jacobian)
    found = make(lambda x: x[:, :1] * 2)(lib.ones(2, 3))

    assert found.shape == (2, 1, 2, 3)
    assert found[1, 0].tolist() == [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]]


@pytest.mark.parametrize("jacobian", ["jacrev", "jacfwd"])
def test_jacobian_of_trees_is_a_tree_of_blocks(lib, jacobian):
    make = getattr(lib.func, jacobian)
    x, y = lib.tensor([1.0, 2.0]), lib.tensor([3.0])
    found = make(lambda x, y: {"a": x * y, "b": (y, x.sum())}, argnums=(0, 1))(x, y)

    assert found["a"][0].tolist() == [[3.0, 0.0], [0.0, 3.0]]
    assert found["a"][1].tolist() == [[1.0], [2.0]]
    assert found["b"][0][0].tolist() == [[0.0, 0.0]]
    assert found["b"][1][0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("jacobian", ["jacrev", "jacfwd"])
def test_jacobian_gives_aux_beside(lib, jacobian):
    make = getattr(lib.func, jacobian)
    found, aux = make(lambda x: (x * x, x.sum()), has_aux=True)(lib.tensor([1.0, 2.0]))

    assert (found.tolist(), aux.item()) == ([[2.0, 0.0], [0.0, 4.0]], 3.0)


def test_chunks_of_rows_give_the_same_jacobian(lib):
    x = lib.tensor([1.0, 2.0, 3.0])
    whole = lib.func.jacrev(lib.sin)(x)

    assert lib.equal(lib.func.jacrev(lib.sin, chunk_size=2)(x), whole)
    with pytest.raises(ValueError, match="jacrev: `chunk_size` should be greater than 0"):
        lib.func.jacrev(lib.sin, chunk_size=0)(x)


ORDERS = ["jacrev jacrev", "jacrev jacfwd", "jacfwd jacrev", "jacfwd jacfwd"]


@pytest.mark.parametrize("orders", ORDERS)
def test_second_derivatives_agree_in_every_order_of_modes(lib, orders):
    outer, inner = (getattr(lib.func, name) for name in orders.split())
    x = lib.tensor([0.5, 2.0, 3.0])

    def mixed(x):
        return (x.sin() * x.roll(1)).sum() + x.prod()

    found = outer(inner(mixed))(x)
    expected = lib.func.hessian(mixed)(x)

    assert found.shape == (3, 3)
    assert lib.allclose(found, expected, 1e-5, 1e-6)
    assert lib.allclose(found, found.T, 1e-5, 1e-6)


def test_third_derivative_through_three_modes(lib):
    third = lib.func.grad(
        lambda x: lib.func.jvp(lib.func.grad(lambda y: y**4), (x,), (lib.tensor(1.0),))[1]
    )

    assert third(lib.tensor(2.0)).item() == 48.0


def test_hessian_vector_product_needs_no_hessian(lib):
    x, v = lib.tensor([1.0, 2.0]), lib.tensor([1.0, 10.0])
    _, found = lib.func.jvp(lib.func.grad(cubes), (x,), (v,))

    assert found.tolist() == [6.0, 120.0]


# Modules


def test_functional_call_uses_other_parameters_and_keeps_the_modules_own(lib):
    layer = lib.nn.Linear(2, 1)
    before = layer.weight
    made = {"weight": lib.ones(1, 2), "bias": lib.zeros(1)}

    assert lib.func.functional_call(layer, made, lib.tensor([1.0, 2.0])).item() == 3.0
    assert layer.weight is before
    assert isinstance(layer.weight, lib.nn.Parameter)


def test_functional_call_takes_part_of_the_parameters_and_several_dicts(lib):
    layer = lib.nn.Linear(2, 1)
    x = lib.tensor([1.0, 2.0])
    zero = {"weight": lib.zeros(1, 2)}

    found = lib.func.functional_call(layer, zero, (x,))
    both = lib.func.functional_call(layer, (zero, {"bias": lib.ones(1)}), (x,))

    assert found.item() == layer.bias.item()
    assert both.item() == 1.0


def test_functional_call_restores_after_an_error(lib):
    class Failing(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = lib.nn.Linear(1, 1)

        def forward(self, x):
            raise KeyError

    module = Failing()
    before = module.inner.weight
    with pytest.raises(KeyError):
        lib.func.functional_call(module, {"inner.weight": lib.ones(1, 1)}, lib.ones(1))

    assert module.inner.weight is before


def test_tied_parameters_are_replaced_under_both_names(lib):
    class Tied(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = lib.nn.Linear(2, 2, bias=False)
            self.b = lib.nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    module, x, double = Tied(), lib.tensor([1.0, 2.0]), lib.eye(2) * 2
    with lib.no_grad():
        module.a.weight.copy_(lib.eye(2))
    call = lib.func.functional_call

    assert call(module, {"a.weight": double}, x).tolist() == [4.0, 8.0]
    assert call(module, {"a.weight": double}, x, tie_weights=False).tolist() == [2.0, 4.0]
    with pytest.raises(ValueError, match="functional_call got multiple values for keys"):
        call(module, {"a.weight": double, "b.weight": lib.eye(2)}, x)


@pytest.mark.parametrize(
    ("dicts", "options", "kind", "sentence"),
    [
        (
            {"weight": None},
            {"strict": True},
            RuntimeError,
            "Error(s) in reparametrizing for Linear:\n\tMissing key(s): 'bias'.",
        ),
        (
            {"weight": None, "foo": None},
            {"strict": True},
            RuntimeError,
            (
                "Error(s) in reparametrizing for Linear:\n\tUnexpected key(s): 'foo'.\n\t"
                "Missing key(s): 'bias'."
            ),
        ),
        (
            ({"weight": None}, {"weight": None}),
            {},
            ValueError,
            (
                "['weight'] appeared in multiple dictionaries; behavior of functional call is "
                "ambiguous"
            ),
        ),
        (
            3,
            {},
            ValueError,
            (
                "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but "
                "got <class 'int'>"
            ),
        ),
    ],
)
def test_functional_call_refuses_what_does_not_fit(lib, raises, dicts, options, kind, sentence):
    def filled(one):
        return {name: lib.zeros(1, 2) for name in one} if isinstance(one, dict) else one

    made = tuple(map(filled, dicts)) if isinstance(dicts, tuple) else filled(dicts)
    with raises(kind, sentence):
        lib.func.functional_call(lib.nn.Linear(2, 1), made, lib.ones(2), **options)


@pytest.mark.parametrize(
    ("given", "kind", "sentence"),
    [
        ({"weight": 3}, TypeError, "3 is not an instance of torch.Tensor"),
        ({"in_features": 1.0}, TypeError, "1.0 is not an instance of torch.Tensor"),
        ({"other.weight": None}, AttributeError, "Linear has no attribute `other`"),
        ({"": None}, KeyError, "tensor name can\\'t be empty string"),
    ],
)
def test_functional_call_refuses_what_is_no_tensor_or_has_no_place(lib, given, kind, sentence):
    layer = lib.nn.Linear(2, 1)
    before, names = layer.weight, set(vars(layer))
    with pytest.raises(kind, match=re.escape(sentence)):
        lib.func.functional_call(layer, given, lib.ones(2))

    assert layer.weight is before
    assert set(vars(layer)) == names


def test_functional_call_takes_a_name_that_the_module_has_not_and_leaves_none(lib):
    class Adding(lib.nn.Module):
        def forward(self, x):
            return x + self.more

    module = Adding()

    assert lib.func.functional_call(module, {"more": lib.ones(1)}, lib.ones(1)).item() == 2.0
    assert not hasattr(module, "more")


def test_functional_call_gives_back_the_buffers_that_forward_replaced(lib):
    class Counting(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", lib.zeros(1))

        def forward(self, x):
            self.count = self.count + 1
            return x

    module, buffers = Counting(), {"count": lib.tensor([7.0])}
    lib.func.functional_call(module, buffers, lib.ones(1))

    assert (module.count.item(), buffers["count"].item()) == (0.0, 8.0)


def test_stacked_modules_run_as_one(lib):
    layers = [lib.nn.Linear(2, 3) for _ in range(4)]
    params, buffers = lib.func.stack_module_state(layers)
    x = lib.tensor([1.0, 2.0])

    found = lib.vmap(
        lambda p, b: lib.func.functional_call(layers[0], (p, b), (x,)), randomness="error"
    )(params, buffers)

    assert params["weight"].shape == (4, 3, 2)
    assert (params["weight"].is_leaf, params["weight"].requires_grad) == (True, True)
    assert lib.allclose(found, lib.stack([layer(x) for layer in layers]))


def test_stack_module_state_refuses_modules_that_differ(lib, raises):
    layer = lib.nn.Linear(2, 3)
    with raises(RuntimeError, "stack_module_state: Expected at least one model, got 0."):
        lib.func.stack_module_state([])
    with raises(
        RuntimeError, "stack_module_state: Expected all models to have the same training/eval mode."
    ):
        lib.func.stack_module_state([layer, lib.nn.Linear(2, 3).eval()])
    with raises(RuntimeError, "stack_module_state: Expected all models to be of the same class."):
        lib.func.stack_module_state([layer, lib.nn.ReLU()])


def test_outputs_without_gradients_are_refused(lib, raises):
    with raises(
        RuntimeError,
        "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with "
        "dtype torch.bool",
    ):
        lib.func.vjp(lambda x: (x, x > 0), lib.ones(2))


def test_inputs_without_tangents_are_refused(lib, raises):
    with raises(
        ValueError, "Expected primal to be floating point or complex, but got: torch.int64"
    ):
        lib.func.jvp(lambda x: x * 1.0, (lib.ones(2).long(),), (lib.ones(2),))


@pytest.mark.parametrize("jacobian", ["jacrev", "jacfwd"])
def test_jacobian_of_complex_numbers_is_refused(lib, raises, jacobian):
    make = getattr(lib.func, jacobian)
    sentence = (
        "{}: Expected all {} to be real but received complex tensor at flattened input idx: 0"
    )
    with raises(RuntimeError, sentence.format(jacobian, "inputs")):
        make(lambda x: x)(lib.ones(2, dtype=lib.complex64))
    with raises(RuntimeError, sentence.format(jacobian, "outputs")):
        make(lambda x: x * 1j)(lib.ones(2))


def test_gradient_of_a_complex_value_is_refused(lib, raises):
    with raises(
        RuntimeError,
        "grad can be implicitly created only for real scalar outputs but got torch.complex64",
    ):
        lib.func.grad(lambda x: x * 1j)(lib.tensor(2.0))


def test_gradient_of_a_real_function_of_complex_numbers(lib):
    found = lib.func.grad(lambda z: (z * z.conj()).real.sum())(lib.tensor([1 + 2j]))

    assert found.tolist() == [2 + 4j]


def test_functional_call_refuses_names_below_what_is_no_module(lib, raises):
    net = lib.nn.Sequential(lib.nn.Linear(2, 2))

    with raises(TypeError, "submodule `0.weight`: "):
        lib.func.functional_call(net, {"0.weight.x": lib.ones(1)}, (lib.ones(1, 2),))
    with raises(AttributeError, "Linear has no attribute `foo`"):
        lib.func.functional_call(net, {"0.foo.x": lib.ones(1)}, (lib.ones(1, 2),))


def test_functionalized_function_computes_what_it_computed(lib):
    def doubled(x):
        return x.mul_(2)

    given = lib.ones(2)
    for remove in ("mutations", "mutations_and_views"):
        given = lib.func.functionalize(doubled, remove=remove)(given)

    assert given.tolist() == [4.0, 4.0]
    with pytest.raises(RuntimeError, match="received invalid argument for remove=views"):
        lib.func.functionalize(doubled, remove="views")(given)


def test_argument_named_twice_in_different_ways_is_refused(lib, raises):
    with raises(RuntimeError, "argnums elements must be unique, got (0, 0)"):
        lib.func.grad(lambda x, y: (x * y).sum(), argnums=(0, -2))(lib.ones(2), lib.ones(2))


@pytest.mark.parametrize("which", ["primals", "tangents"])
def test_numbers_are_no_arguments_of_jvp(lib, raises, which):
    given = {"primals": (lib.ones(2),), "tangents": (lib.ones(2),), which: (1.0,)}

    with raises(
        RuntimeError,
        f"jvp(f, primals, tangents): Expected {which} to only contain Tensors, got <class 'float'>",
    ):
        lib.func.jvp(lib.sin, given["primals"], given["tangents"])


def test_modules_of_which_one_is_frozen_are_not_stacked(lib, raises):
    models = [lib.nn.Linear(1, 1) for _ in range(2)]
    models[1].weight.requires_grad_(False)

    with raises(RuntimeError, "Expected weight from each model to have the same .requires_grad"):
        lib.func.stack_module_state(models)
