"""What reductions and losses do where a derivative has a choice, and where there is no element."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import chainrule as cr

NAN, INF = float("nan"), float("inf")
F = cr.nn.functional


def gradient(function, values):
    x = cr.tensor(values, dtype=cr.float64, requires_grad=True)
    function(x).sum().backward()
    return x.grad.tolist()


@pytest.mark.parametrize(
    ("function", "values", "expected"),
    [
        (lambda x: x.max(), [1, 3, 3], [0, 0.5, 0.5]),
        (lambda x: x.amax(1), [[1, 3, 3], [2, 2, 2]], [[0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]),
        (lambda x: x.aminmax(dim=0).max, [1, 3, 3, 1], [0, 0.5, 0.5, 0]),
        (lambda x: x.median(), [1, 3, 3], [0, 0.5, 0.5]),
        (lambda x: x.norm(INF), [3, -3, 1], [0.5, -0.5, 0]),
    ],
)
def test_ties_share_the_gradient(function, values, expected):
    np.testing.assert_allclose(gradient(function, values), expected, rtol=1e-15)


def test_max_along_a_dimension_gives_the_gradient_to_the_first_of_equal_elements():
    assert gradient(lambda x: x.max(0).values, [1, 3, 3]) == [0, 1, 0]


def test_running_maximum_gives_the_gradient_to_the_latest_of_equal_elements():
    assert gradient(lambda x: x.cummax(0).values, [1, 3, 3, 2]) == [1, 1, 2, 0]


def test_largest_of_elements_with_nan_gives_the_gradient_to_the_nans():
    assert gradient(lambda x: x.max(), [1, NAN, 3, NAN]) == [0, 0.5, 0, 0.5]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1, 0, 3], [0, 3, 0]), ([0, 0, 3], [0, 0, 0]), ([2, 3, 4], [12, 8, 6])],
)
def test_gradient_of_a_product_is_exact_where_factors_are_zero(values, expected):
    assert gradient(lambda x: x.prod(), values) == expected


def test_gradient_of_a_running_product_is_exact_where_factors_are_zero():
    assert gradient(lambda x: x.cumprod(0), [2, 0, 3, 0, 4]) == [1, 8, 0, 0, 0]


def test_second_derivative_of_a_running_product_sees_past_zeros():
    x = cr.tensor([0.0, 3.0, 0.0], dtype=cr.float64, requires_grad=True)
    (first,) = cr.autograd.grad(x.cumprod(0).sum(), x, create_graph=True)
    (second,) = cr.autograd.grad(first[0], x)

    assert second.tolist() == [0, 1, 3]  # first[0] = 1 + x[1] + x[1] * x[2]


@pytest.mark.parametrize("order", [0.5, 1, 1.5, 2, 3, INF])
def test_gradient_of_a_norm_that_is_zero_is_zero(order):
    assert gradient(lambda x: x.norm(order), [0, 0]) == [0, 0]


def test_gradient_of_a_distance_of_equal_points_is_zero():
    assert gradient(lambda x: x.dist(x.detach()), [1, 2]) == [0, 0]


def test_gradient_of_the_standard_deviation_of_equal_elements_is_zero():
    assert gradient(lambda x: x.std(), [2, 2]) == [0, 0]


def test_gradient_of_logsumexp_of_nothing_but_minus_infinity_is_nan():
    assert np.isnan(gradient(lambda x: x.logsumexp(0), [-INF, -INF])).all()


def test_mean_of_nothing_is_nan_and_sum_of_nothing_zero():
    assert cr.zeros(0).mean().isnan().item()
    assert cr.zeros(0).sum().item() == 0
    assert cr.zeros(0).prod().item() == 1


def test_variance_without_degrees_of_freedom_warns_and_is_nan():
    with pytest.warns(UserWarning, match=r"^var\(\): degrees of freedom is <= 0") as caught:
        found = cr.ones(1).var()

    assert found.isnan().item()
    assert __file__ in {warning.filename for warning in caught}


@pytest.mark.parametrize("dtype", [cr.bool, cr.uint8, cr.int32, cr.int64])
def test_sums_of_whole_numbers_are_int64(dtype):
    ones = cr.ones(300).to(dtype)

    assert ones.sum().item() == 300
    assert {f(0).dtype for f in (ones.sum, ones.prod, ones.cumsum, ones.cumprod)} == {cr.int64}


def test_half_precision_is_summed_in_single():
    assert cr.full((4,), 60000.0, dtype=cr.float16).mean().item() == 60000
    assert F.mse_loss(cr.full((4,), 200.0).half(), cr.zeros(4).half()).item() == 40000


def test_both_ways_to_ask_for_a_correction_agree():
    x = cr.tensor([1.0, 2.0, 4.0])

    assert x.std(False) == x.std(unbiased=False) == x.std(correction=0)
    assert x.std(0, False, True).tolist() == x.std(0, correction=0, keepdim=True).tolist()


def test_named_results_unpack_and_print_as_pytorchs():
    result = cr.tensor([1, 3, 2]).max(dim=0)
    values, indices = result

    assert (values.item(), indices.item()) == (3, 1)
    assert result.values is values
    assert repr(result) == "torch.return_types.max(\nvalues=tensor(3),\nindices=tensor(1))"


def test_loss_of_two_shapes_warns_and_broadcasts():
    with pytest.warns(UserWarning, match="Using a target size") as caught:
        loss = F.mse_loss(cr.ones(2, 1), cr.zeros(2), reduction="none")

    assert loss.shape == (2, 2)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("flags", "reduction"),
    [
        ({"size_average": False}, "sum"),
        ({"reduce": False}, "none"),
        ({"size_average": True, "reduce": True}, "mean"),
    ],
)
def test_deprecated_flags_name_their_reduction(flags, reduction):
    x, y = cr.tensor([1.0, 2.0]), cr.tensor([3.0, 1.0])
    with pytest.warns(UserWarning, match=f"please use reduction='{reduction}' instead"):
        found = F.l1_loss(x, y, **flags)

    assert found.tolist() == F.l1_loss(x, y, reduction=reduction).tolist()


def test_ignored_targets_take_no_part_in_loss_and_gradient():
    x = cr.tensor([[1.0, 2.0], [3.0, INF]], requires_grad=True)
    loss = F.nll_loss(x, cr.tensor([1, -100]))
    loss.backward()

    assert loss.item() == -2
    assert x.grad.tolist() == [[0, -1], [0, 0]]


def test_loss_of_nothing_but_ignored_targets_is_nan_with_gradient_zero():
    x = cr.ones(2, 3).requires_grad_()
    loss = F.nll_loss(x, cr.tensor([-100, -100]))
    loss.backward()

    assert loss.isnan().item()
    assert x.grad.tolist() == cr.zeros(2, 3).tolist()


def test_cross_entropy_of_large_scores_does_not_overflow():
    x = cr.tensor([[1000.0, -1000.0]], requires_grad=True)
    loss = F.cross_entropy(x, cr.tensor([1]))
    loss.backward()

    assert loss.item() == 2000
    assert x.grad.tolist() == [[1, -1]]


def test_reductions_say_nothing_of_infinities():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="chainrule")
        found = cr.tensor([INF, -INF, NAN])

        assert found.sum().isnan().item()
        assert found.nansum().isnan().item()
        assert found.logsumexp(0).isnan().item()


@pytest.mark.parametrize("dim", [None, 0, (0, 1)])
def test_deviation_of_equal_elements_has_the_gradient_zero_for_any_rounding_of_their_mean(dim):
    x = cr.full((3, 7), 0.1, requires_grad=True)

    x.std(dim).sum().backward()

    assert x.std(dim).sum().item() == 0.0
    assert not x.grad.any()


def test_reduced_segments_are_no_view():
    with cr.no_grad():
        found = cr.segment_reduce(cr.arange(6.0), "max", lengths=cr.tensor([2, 4]))

    assert not found._is_view()
