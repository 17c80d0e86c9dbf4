"""Functions over lists of tensors, as optimizers of third parties call them."""

from __future__ import annotations

import pytest


def lists(lib, count=1, **options):
    """Return lists of tensors of several shapes with positive elements, the same every time."""
    lib.manual_seed(0)
    shapes = [(2, 3), (4,), ()]
    made = [[lib.rand(shape, **options) + 0.5 for shape in shapes] for _ in range(count)]
    return made if count > 1 else made[0]


def values(tensors):
    return [tensor.tolist() for tensor in tensors]


UNARY = [
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor",
    "frac", "lgamma", "log", "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt",
    "sigmoid", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
]  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_function_of_lists_does_to_each_what_the_op_does(lib, name):
    tensors = [tensor * 0.6 for tensor in lists(lib)]
    expected = [repr(getattr(lib, name)(tensor)) for tensor in tensors]
    found = getattr(lib, f"_foreach_{name}")(tensors)

    assert isinstance(found, tuple)
    assert [repr(tensor) for tensor in found] == expected
    assert getattr(lib, f"_foreach_{name}_")(tensors) is not None
    assert [repr(tensor) for tensor in tensors] == expected


BINARY = ["add", "sub", "mul", "div", "pow", "maximum", "minimum", "clamp_max", "clamp_min"]


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("kind", ["tensors", "number", "numbers"])
def test_second_argument_is_a_list_a_number_or_numbers(lib, name, kind):
    ones, others = lists(lib, 2)
    other = {"tensors": others, "number": 0.75, "numbers": [0.5, 1.5, 2.0]}[kind]
    each = other if isinstance(other, list) else [other] * 3
    function = getattr(lib, name)
    if name in ("maximum", "minimum") and kind != "tensors":
        each = [lib.tensor(number) for number in each]
    expected = [function(one, item).tolist() for one, item in zip(ones, each, strict=True)]

    assert values(getattr(lib, f"_foreach_{name}")(ones, other)) == expected
    getattr(lib, f"_foreach_{name}_")(ones, other)
    assert values(ones) == expected


def test_second_list_may_be_scaled_before_it_is_added(lib):
    ones, others = lists(lib, 2)
    expected = [(a + 0.5 * b).tolist() for a, b in zip(ones, others, strict=True)]
    lib._foreach_add_(ones, others, alpha=0.5)

    assert values(ones) == expected


@pytest.mark.parametrize("name", ["addcmul", "addcdiv"])
def test_products_are_added_with_one_factor_or_with_one_each(lib, name):
    for factors in ({"value": -0.5}, {"scalars": [0.5, 1.0, 2.0]}):
        a, b, c = lists(lib, 3)
        each = factors.get("scalars", [factors.get("value")] * 3)
        expected = [
            getattr(lib, name)(x, y, z, value=v).tolist()
            for x, y, z, v in zip(a, b, c, each, strict=True)
        ]

        assert values(getattr(lib, f"_foreach_{name}")(a, b, c, **factors)) == expected
        getattr(lib, f"_foreach_{name}_")(a, b, c, **factors)
        assert values(a) == expected


@pytest.mark.parametrize("weight", [0.25, "tensors"])
def test_lists_move_towards_one_another(lib, weight):
    a, b, c = lists(lib, 3)
    weight = c if weight == "tensors" else weight
    each = weight if isinstance(weight, list) else [weight] * 3
    expected = [lib.lerp(x, y, w).tolist() for x, y, w in zip(a, b, each, strict=True)]

    assert values(lib._foreach_lerp(a, b, weight)) == expected
    lib._foreach_lerp_(a, b, weight)
    assert values(a) == expected


def test_lists_are_reduced_copied_and_cleared(lib):
    a, b = lists(lib, 2)

    assert values(lib._foreach_norm(a)) == pytest.approx([t.norm().item() for t in a])
    assert values(lib._foreach_norm(a, 1)) == pytest.approx([t.abs().sum().item() for t in a])
    assert values(lib._foreach_max(a)) == [t.max().item() for t in a]
    lib._foreach_copy_(a, b)
    assert values(a) == values(b)
    lib._foreach_zero_(a)
    assert values(a) == [[[0.0] * 3] * 2, [0.0] * 4, 0.0]


def test_gradients_pass_through_lists(lib):
    x = lib.ones(2, requires_grad=True)
    one, other = lib._foreach_mul([x, x], [2.0, 3.0])
    (one + other).sum().backward()

    assert x.grad.tolist() == [5.0, 5.0]


def test_tensor_of_a_list_counts_its_versions(lib):
    tensors = lists(lib)
    lib._foreach_mul_(tensors, 2.0)

    assert [tensor._version for tensor in tensors] == [1, 1, 1]


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda t: t._foreach_add([], 1),
            RuntimeError,
            "Tensor list must have at least one tensor.",
        ),
        (
            lambda t: t._foreach_mul([t.ones(1)] * 2, [t.ones(1)]),
            RuntimeError,
            "Tensor lists must have the same number of tensors, got 2 and 1",
        ),
        (
            lambda t: t._foreach_mul([t.ones(1)] * 2, [1.0]),
            RuntimeError,
            "Tensor list must have same number of elements as scalar list.",
        ),
        (
            lambda t: t._foreach_sigmoid(5),
            TypeError,
            "_foreach_sigmoid(): argument 'self' (position 1) must be tuple of Tensors, not int",
        ),
    ],
)
def test_lists_that_do_not_fit_are_refused(lib, raises, call, error, sentence):
    with raises(error, sentence):
        call(lib)
