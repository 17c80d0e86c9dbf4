"""Functions about how a tensor lies in memory."""

from __future__ import annotations

import pytest

import chainrule as cr


@pytest.fixture
def table():
    return cr.arange(6).reshape(2, 3)


def test_dim_order_goes_from_the_longest_step_to_the_shortest(table):
    assert (table.dim_order(), table.t().dim_order()) == ((0, 1), (1, 0))


def test_storage_offset_counts_the_elements_before_the_first(table):
    assert (table[1].storage_offset(), table.t()[1:].storage_offset()) == (3, 1)


def test_new_empty_strided_has_the_strides_and_the_dtype(table):
    made = table.new_empty_strided((2, 3), (1, 2))

    assert (tuple(made.shape), made.stride(), made.dtype) == ((2, 3), (1, 2), cr.int64)


def test_untyped_storage_counts_bytes(table):
    assert table.untyped_storage().nbytes() == 48


def test_range_includes_its_end_and_says_that_it_is_old():
    with pytest.warns(UserWarning, match="torch.range is deprecated"):
        assert cr.range(1, 2, 0.5).tolist() == [1.0, 1.5, 2.0]


def test_histogram_looks_into_nothing():
    ends = cr.tensor([0.0, 1.0, 2.0])

    found = cr.histogram(cr.tensor([0.5, 1.5]), ends)

    assert (found.hist._is_view(), found.bin_edges._is_view()) == (False, False)
    assert found.bin_edges.data_ptr() != ends.data_ptr()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_histogram_of_what_has_no_ends_is_refused(value):
    points = cr.tensor([1.0, value])

    with pytest.raises(RuntimeError, match=r"histogramdd: dimension 0's range .* is not finite"):
        cr.histogram(points, 3)


def test_gradients_of_a_bilinear_form_that_lies_by_columns_are_differentiated():
    first, second, weight = (
        cr.linspace(-1, 1, n, dtype=cr.float64).view(shape).requires_grad_()
        for n, shape in ((15, (5, 3)), (20, (5, 4)), (24, (2, 3, 4)))
    )

    def second_gradients(form):
        weights = cr.arange(10.0, dtype=cr.float64).view(2, 5)
        grads = cr.autograd.grad((form * weights).sum(), first, create_graph=True)
        return cr.autograd.grad(grads[0].square().sum(), (second, weight))

    result = cr.nn.functional.bilinear(first, second, weight)
    wanted = second_gradients(result.t())

    for found, expected in zip(second_gradients(result.transpose_(0, 1)), wanted, strict=True):
        cr.testing.assert_close(found, expected)
