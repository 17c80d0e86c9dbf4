"""Promises about elementwise ops where samples do not reach: kinks, ties, operators, odd operands.

What is expected was measured on PyTorch 2.13.
"""

from __future__ import annotations

import math

import pytest

import chainrule as cr
from chainrule import ops

NAN, INF = float("nan"), float("inf")


def slope(function, *values):
    """Return the gradient of the sum of *function* by its argument at *values*."""
    x = cr.tensor(values, requires_grad=True)
    function(x).sum().backward()
    return x.grad.tolist()


def slopes_of_two(function, first, second):
    """Return the gradients of the sum of *function* by both of its arguments."""
    x, y = (cr.tensor(v, requires_grad=True) for v in (first, second))
    function(x, y).sum().backward()
    return x.grad.tolist(), y.grad.tolist()


# Kinks, ties and infinite slopes


def test_relu_has_slope_zero_at_zero():
    assert slope(cr.relu, -1.0, 0.0, 1.0) == [0.0, 0.0, 1.0]


def test_relu_passes_the_gradient_of_nan_on():
    assert slope(cr.relu, NAN) == [1.0]


def test_abs_has_slope_zero_at_zero():
    assert slope(cr.abs, -2.0, 0.0, 2.0) == [-1.0, 0.0, 1.0]


def test_sqrt_has_an_infinite_slope_at_zero():
    assert slope(cr.sqrt, 0.0, 4.0) == [INF, 0.25]


def test_clamp_passes_the_gradient_on_at_its_bounds():
    assert slope(lambda x: x.clamp(0, 1), -1.0, 0.0, 0.5, 1.0, 2.0) == [0.0, 1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("op", [cr.maximum, cr.minimum])
def test_equal_operands_of_maximum_and_minimum_share_the_gradient(op):
    assert slopes_of_two(op, [1.0], [1.0]) == ([0.5], [0.5])


@pytest.mark.parametrize("op", [cr.fmax, cr.fmin])
def test_the_first_of_equal_operands_of_fmax_and_fmin_gets_the_gradient(op):
    assert slopes_of_two(op, [1.0, 2.0], [1.0, NAN]) == ([1.0, 1.0], [0.0, 0.0])


@pytest.mark.parametrize(
    ("op", "at_the_kink"),
    [
        (ops.hardtanh, [0.0, 0.0]),
        (ops.relu6, [0.0]),
        (ops.hardsigmoid, [0.0, 0.0]),
        (ops.hardswish, [0.0, 1.0]),
        (ops.hardshrink, [0.0, 0.0]),
        (ops.softshrink, [0.0, 0.0]),
        (ops.leaky_relu, [0.009999999776482582]),
        (ops.elu, [1.0]),
    ],
)
def test_activation_has_pytorchs_slope_at_its_kinks(op, at_the_kink):
    kinks = {
        ops.hardtanh: (-1.0, 1.0),
        ops.relu6: (0.0,),
        ops.hardsigmoid: (-3.0, 3.0),
        ops.hardswish: (-3.0, 3.0),
        ops.hardshrink: (-0.5, 0.5),
        ops.softshrink: (-0.5, 0.5),
        ops.leaky_relu: (0.0,),
        ops.elu: (0.0,),
    }

    assert slope(op, *kinks[op]) == at_the_kink


@pytest.mark.parametrize("op", [cr.sign, cr.floor, cr.ceil, cr.round, cr.trunc])
def test_steps_have_slope_zero(op):
    assert slope(op, -1.5, 0.0, 2.0) == [0.0, 0.0, 0.0]


def test_power_zero_has_slope_zero_even_at_zero():
    assert slope(lambda x: x**0, 0.0, 2.0) == [0.0, 0.0]


@pytest.mark.parametrize("exponent", [1, 1.0, 2, 3])
def test_powers_have_every_derivative_at_zero_too(exponent):
    x = cr.tensor([0.0, -2.0], requires_grad=True)
    slope, factor, power = x**exponent, 1.0, exponent
    while power >= 1:
        (slope,) = cr.autograd.grad(slope.sum(), x, create_graph=power > 1)
        factor, power = factor * power, power - 1
        assert slope.tolist() == [factor * base**power for base in (0.0, -2.0)]


def test_power_of_zero_has_slope_zero_by_the_exponent_from_zero_on():
    exponents = cr.tensor([0.0, 2.0], requires_grad=True)

    cr.pow(0.0, exponents).sum().backward()

    assert exponents.grad.tolist() == [0.0, 0.0]


def test_what_where_did_not_choose_still_passes_nan_on():
    """The slope of the square root is infinite at 0, and 0 times that is no number."""
    assert math.isnan(slope(lambda x: cr.where(x > 0, cr.sqrt(x), 0.0), 0.0)[0])


def test_masked_elements_have_no_gradient():
    mask = cr.tensor([True, False])

    assert slope(lambda x: (x * x).masked_fill(mask, -INF).exp(), 2.0, 0.0) == [0.0, 0.0]


def test_magnitude_of_complex_zero_has_slope_zero():
    z = cr.tensor([0j, 3 + 4j], requires_grad=True)

    z.abs().sum().backward()

    assert z.grad.tolist() == [0j, pytest.approx(0.6 + 0.8j)]


# Operators


def test_number_divided_by_a_tensor_is_its_reciprocal_times_the_number():
    y = 2 / cr.ones(2, requires_grad=True)

    assert y.grad_fn.name() == "MulBackward0"
    assert y.grad_fn.next_functions[0][0].name() == "ReciprocalBackward0"


def test_number_to_the_power_of_a_tensor_has_one_edge_and_keeps_the_number():
    y = 2 ** cr.ones(2, requires_grad=True)

    assert y.grad_fn.name() == "PowBackward2"
    assert y.grad_fn._saved_self == 2
    assert len(y.grad_fn.next_functions) == 1


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (lambda x: 7 - x, [4, 5]),
        (lambda x: 7 // x, [2, 3]),
        (lambda x: 7 % x, [1, 1]),
        (lambda x: 2**x, [8, 4]),
        (lambda x: 6 & x, [2, 2]),
        (lambda x: 4 | x, [7, 6]),
        (lambda x: 1 ^ x, [2, 3]),
        (lambda x: 1 << x, [8, 4]),
        (lambda x: 16 >> x, [2, 4]),
    ],
)
def test_number_on_the_left_of_an_operator(result, expected):
    assert result(cr.tensor([3, 2])).tolist() == expected


def test_foreign_operand_is_left_to_its_own_operators():
    class Foreign:
        def __radd__(self, other):
            return "mine"

    assert cr.ones(2) + Foreign() == "mine"


def test_sum_with_a_list_raises_type_error():
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+"):
        cr.ones(2) + [1.0]  # noqa: RUF005 - the operator is what is tested


def test_comparison_with_what_is_no_number_is_by_identity():
    x = cr.ones(2)

    assert (x == None) is False  # noqa: E711 - the operator is what is tested
    assert (x != "a") is True


def test_inverting_floats_raises_type_error():
    with pytest.raises(TypeError, match=r"~ \(operator.invert\) is only implemented on integer"):
        ~cr.ones(2)


def test_augmented_assignment_writes_into_the_tensor():
    x = cr.ones(2)
    same = x

    x += 2
    x **= 2
    x /= 2

    assert x is same
    assert x.tolist() == [4.5, 4.5]


def test_augmented_division_of_integers_raises_and_leaves_them():
    x = cr.tensor([3, 4])

    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output"):
        x /= 2
    assert x.tolist() == [3, 4]


def test_factor_before_the_operand_of_add_is_deprecated():
    x = cr.ones(2)

    with pytest.warns(UserWarning, match=r"This overload of add_ is deprecated"):
        x.add_(-0.5, cr.tensor([2.0, 4.0]))
    assert x.tolist() == [0.0, -1.0]


# Odd operands


@pytest.mark.parametrize("exponent", [[-1, -3, -2, -1], [-2, -2, -1, -3]])
def test_integers_to_negative_powers_given_as_a_tensor_are_rounded_to_zero(exponent):
    base = [2, -1, 1, 0]

    found = cr.tensor(base) ** cr.tensor(exponent)

    expected = [int(b**e) if abs(b) == 1 else 0 for b, e in zip(base, exponent, strict=True)]
    assert found.tolist() == expected


def test_sign_of_nan_is_zero():
    assert cr.sign(cr.tensor([NAN, -0.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("number", [0, 3, 127, 128, 255, 256, -1, -200])
@pytest.mark.parametrize("dtype", [cr.uint8, cr.int8, cr.int32, cr.int64])
def test_integers_keep_their_dtype_beside_any_integer_and_wrap_around(dtype, number):
    x = cr.tensor([1, 100], dtype=dtype)
    low = 0 if dtype is cr.uint8 else -(1 << (8 * dtype.itemsize - 1))
    wrapped = [(v + number - low) % (1 << 8 * dtype.itemsize) + low for v in (1, 100)]

    assert ((x + number).dtype, (x + number).tolist()) == (dtype, wrapped)
    if low <= number < low + (1 << 8 * dtype.itemsize):
        assert (x > number).tolist() == [v > number for v in (1, 100)]


def test_bound_of_clamp_makes_integers_floating():
    assert cr.tensor([0, 3]).clamp(0.5).tolist() == [0.5, 3.0]
    assert cr.tensor([0, 3]).clamp(1).dtype is cr.int64


def test_bound_beyond_the_range_of_an_integer_dtype_bounds_nothing():
    x = cr.tensor([1, 200], dtype=cr.uint8)

    assert x.clamp(-1, 300).tolist() == [1, 200]


def test_integer_operand_wraps_around():
    assert (cr.tensor([1], dtype=cr.uint8) + 300).tolist() == [45]


def test_xlogy_of_zero_is_zero_unless_the_logarithm_is_of_nan():
    found = cr.xlogy(cr.tensor([0.0, 0.0]), cr.tensor([0.0, NAN])).tolist()

    assert found[0] == 0.0
    assert math.isnan(found[1])


def test_large_elements_do_not_overflow_softmax():
    assert cr.softmax(cr.tensor([1e4, 1e4]), 0).tolist() == [0.5, 0.5]
    assert cr.log_softmax(cr.tensor([-1e4, 1e4]), 0).tolist() == [-2e4, 0.0]


@pytest.mark.parametrize("size", [10, 10_000])
def test_mask_chooses_nan_and_infinity_exactly(size):
    """Large arrays are chosen from by their bits: see chainrule_xp/masks.py."""
    mask = cr.tensor([i % 3 == 0 for i in range(size)])
    nan, inf = cr.full((size,), NAN), cr.full((size,), -INF)

    chosen = cr.where(mask, nan, inf).tolist()

    assert all(math.isnan(c) if i % 3 == 0 else c == -INF for i, c in enumerate(chosen))
    assert cr.where(mask, nan, 0).tolist()[1] == 0.0
    assert nan.masked_fill(mask, 2.0).tolist()[0] == 2.0
    assert cr.relu(-inf).tolist()[0] == INF


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_gelu_is_exact_in_both_tails(name):
    x = cr.tensor([-1e4, -20.0, -3.0, 0.0, 3.0, 20.0, 1e4], dtype=getattr(cr, name))

    found = ops.gelu(x).tolist()

    assert found[0] == 0.0
    assert found[4:] == pytest.approx([3 * 0.9986501019683699, 20.0, 1e4], rel=1e-3)
    assert found[2] == pytest.approx(-3 * 0.0013498980316301, rel=1e-3)


def test_sinc_is_twice_differentiable_at_zero_too():
    x = cr.tensor([0.0, 1e-9], dtype=cr.float64, requires_grad=True)

    (slope,) = cr.autograd.grad(cr.sinc(x).sum(), x, create_graph=True)
    (bend,) = cr.autograd.grad(slope.sum(), x)

    assert bend.tolist() == pytest.approx([-(math.pi**2) / 3] * 2, rel=1e-12)


def test_binary_logarithm_of_complex_zero_is_minus_infinity():
    assert cr.log2(cr.zeros(1, dtype=cr.complex64)).tolist() == [complex(-math.inf, 0.0)]
