"""Promises about versions, on a backend with no array library."""

from __future__ import annotations

import pytest

import chainrule as cr


def test_every_write_counts_the_version_up(toy):
    x = toy([1.0])
    x.add_(1)
    x.mul_(2)
    x.zero_()

    assert (x._version, x.tolist()) == (3, [0.0])


def test_detached_tensor_and_view_share_the_version(toy):
    x = toy([1.0, 2.0])
    view, detached = x.view(2, 1), x.detach()
    view.add_(1)

    assert (x._version, view._version, detached._version) == (1, 1, 1)
    assert x.tolist() == [2.0, 3.0]


def test_data_shares_the_memory_and_not_the_version(toy):
    x = toy([1.0])
    x.data.add_(1)

    assert (x._version, x.tolist()) == (0, [2.0])


def test_saved_input_changed_in_place_raises(toy):
    x, w = toy([1.0]), toy([2.0], requires_grad=True)
    y = x * w
    x.add_(1)

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_saved_input_changed_before_it_was_saved_does_not_raise(toy):
    x, w = toy([1.0]), toy([2.0], requires_grad=True)
    x.add_(1)
    (x * w).sum().backward()

    assert w.grad.tolist() == [2.0]


def test_input_that_no_gradient_needs_may_be_changed(toy):
    x, w = toy([1.0]), toy([2.0], requires_grad=True)
    y = x + w
    x.add_(1)
    y.sum().backward()

    assert w.grad.tolist() == [1.0]


def test_failed_write_changes_nothing(toy):
    x = toy([1.0, 2.0])
    with pytest.raises(
        RuntimeError, match=r"output with shape \[2\] doesn't match the broadcast shape \[3, 2\]"
    ):
        x.add_(toy([[1.0, 1.0]] * 3))

    assert (x.tolist(), x._version) == ([1.0, 2.0], 0)


def test_write_into_a_leaf_that_requires_grad_is_refused_before_it_happens(toy):
    x = toy([1.0], requires_grad=True)
    with pytest.raises(
        RuntimeError,
        match="a leaf Variable that requires grad is being used in an in-place operation",
    ):
        x.add_(1)

    assert (x.tolist(), x._version) == ([1.0], 0)
    with cr.no_grad():
        x.add_(1)
    assert x.tolist() == [2.0]
