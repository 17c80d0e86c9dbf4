"""Promises about the backward pass, on a backend with no array library."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

import chainrule as cr
from chainrule.autograd import backward, grad


def chain_of(length, x, factor):
    for _ in range(length):
        x = x * factor
    return x


def test_gradients_of_a_product_are_the_other_factors(toy):
    a, b = toy([2.0, 3.0], requires_grad=True), toy([5.0, 7.0], requires_grad=True)
    (a * b).sum().backward()

    assert (a.grad.tolist(), b.grad.tolist()) == ([5.0, 7.0], [2.0, 3.0])


def test_paths_that_meet_again_add_up(toy):
    x = toy(3.0, requires_grad=True)
    y = x * x
    (y * y + y).backward()

    assert x.grad.item() == 4 * 3.0**3 + 2 * 3.0


def test_node_runs_once_when_all_its_gradients_have_arrived(toy, calls_of):
    x = toy(2.0, requires_grad=True)
    shared = x.exp()
    loss = shared * shared + shared
    calls = calls_of(cr.mul)
    loss.backward()

    by_shared = 2  # each side of shared * shared
    by_exp = 1
    assert len(calls) == by_shared + by_exp


def test_nodes_run_youngest_first(toy):
    order = []
    x = toy(1.0, requires_grad=True)
    first = x.exp()
    second = x.exp()
    for name, tensor in {"first": first, "second": second}.items():
        tensor.grad_fn.register_prehook(lambda grads, name=name: order.append(name))
    (second + first).backward()

    assert order == ["second", "first"]


def test_what_leads_nowhere_wanted_is_not_run(toy, calls_of):
    x, other = toy(1.0, requires_grad=True), toy(2.0, requires_grad=True)
    aside = chain_of(10, other, toy(1.0))
    loss = x * aside
    calls = calls_of(cr.mul)
    grad(loss, x)

    assert len(calls) == 1


def test_broadcasting_is_undone_for_every_op(toy):
    row, column = (
        toy([1.0, 2.0], requires_grad=True),
        toy([[1.0], [2.0], [3.0]], requires_grad=True),
    )
    (row * column).sum().backward()

    assert row.grad.shape == (2,)
    assert row.grad.tolist() == [6.0, 6.0]
    assert column.grad.shape == (3, 1)
    assert column.grad.tolist() == [3.0, 3.0, 3.0]


def test_promotion_is_undone_for_every_op(toy):
    narrow = toy([1.0], dtype=cr.float32, requires_grad=True)
    wide = toy([2.0], dtype=cr.float64, requires_grad=True)
    (narrow * wide).sum().backward()

    assert (narrow.grad.dtype, wide.grad.dtype) == (cr.float32, cr.float64)


def test_second_derivative_comes_from_recording_the_first(toy):
    x = toy(0.5, requires_grad=True)
    (first,) = grad(x * x * x, x, create_graph=True)
    (second,) = grad(first, x, create_graph=True)
    (third,) = grad(second, x)

    assert (first.item(), second.item(), third.item()) == (0.75, 3.0, 6.0)


def test_pass_without_create_graph_leaves_no_history(toy):
    x = toy(2.0, requires_grad=True)
    (found,) = grad(x * x, x)

    assert not found.requires_grad
    assert found.grad_fn is None


def test_several_roots_are_one_pass(toy):
    x = toy(2.0, requires_grad=True)
    shared = x.exp()
    backward([shared * 2, shared * 3])

    assert x.grad.item() == pytest.approx(5 * shared.item())


def test_root_given_twice_counts_twice(toy):
    x = toy(2.0, requires_grad=True)
    y = x * x
    backward([y, y])

    assert x.grad.item() == 8.0


def test_gradient_by_itself_is_one(toy):
    x = toy(2.0, requires_grad=True)

    assert grad(x, x)[0].item() == 1.0


def test_hundred_thousand_ops_run_forward_and_backward(toy):
    x, one = toy(1.0, requires_grad=True), toy(1.0)
    chain_of(100_000, x, one).backward()

    assert x.grad.item() == 1.0


def test_long_chain_that_is_dropped_unused_is_freed(toy):
    x, one = toy(1.0, requires_grad=True), toy(1.0)
    y = chain_of(100_000, x, one)
    node = weakref.ref(y.grad_fn)
    del y

    assert node() is None


def test_work_grows_linearly_with_the_length_of_a_chain(toy, calls_of):
    x, one = toy(1.0, requires_grad=True), toy(1.0)
    calls = calls_of(cr.mul)
    counts = []
    for length in (1_000, 4_000):
        y = chain_of(length, x, one)
        calls.clear()
        y.backward()
        counts.append(len(calls))

    assert counts == [1_000, 4_000]


def test_memory_grows_linearly_with_the_length_of_a_chain_and_is_given_back(toy):
    x, one = toy(1.0, requires_grad=True), toy(1.0)
    held, left = [], []
    for length in (25_000, 100_000):
        gc.collect()
        before = sys.getallocatedblocks()
        y = chain_of(length, x, one)
        held.append(sys.getallocatedblocks() - before)
        y.backward()
        del y
        left.append(sys.getallocatedblocks() - before)

    assert held[1] < 4.2 * held[0]
    assert max(left) < 0.05 * held[0]


def test_graph_is_freed_without_the_garbage_collector(toy):
    gc.disable()
    try:
        x = toy(1.0, requires_grad=True)
        y = (x.exp() * x).tanh()
        node, made = weakref.ref(y.grad_fn), weakref.ref(y)
        y.backward()
        del y

        assert made() is None
        assert node() is None
    finally:
        gc.enable()


def test_node_does_not_keep_its_output_alive(toy):
    x = toy(1.0, requires_grad=True)
    y = x.exp()
    made, node = weakref.ref(y), y.grad_fn
    del y

    assert made() is None
    assert node._saved_result.item() == pytest.approx(2.718281828459045)


def test_backward_inside_a_hook_nests_a_thousand_deep(toy):
    depth = []

    def dig(_):
        depth.append(1)
        if len(depth) < 1_000:
            with cr.enable_grad():
                made = toy(1.0, requires_grad=True).exp()
            made.register_hook(dig)
            made.backward()

    x = toy(1.0, requires_grad=True)
    y = x.exp()
    y.register_hook(dig)
    y.backward()

    assert len(depth) == 1_000


def test_failed_pass_leaves_grad_mode_as_it_was(toy):
    x = toy(1.0, requires_grad=True)
    y = x.exp()
    y.register_hook(lambda grad: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.backward()

    assert cr.is_grad_enabled()


def test_leaf_is_not_kept_by_its_accumulator_and_the_other_way_round(toy):
    gc.disable()
    try:
        x = toy(1.0, requires_grad=True)
        accumulator = (x * 2).grad_fn.next_functions[0][0]
        leaf, node = weakref.ref(x), weakref.ref(accumulator)

        assert accumulator.variable is x
        del accumulator
        assert node() is None
        del x
        assert leaf() is None
    finally:
        gc.enable()


def test_saved_tensor_that_was_detached_in_place_keeps_its_history_in_the_graph():
    """PyTorch refuses to go back through it."""

    class Product(cr.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, grad):
            a, b = ctx.saved_tensors
            return grad * b, grad * a

    for product in (cr.mul, Product.apply):
        x, factor = (cr.tensor([value], requires_grad=True) for value in (0.5, 2.0))
        y = x.exp()
        result = product(y, factor)
        y.detach_()
        (first,) = cr.autograd.grad(result.sum(), factor, create_graph=True)
        (second,) = cr.autograd.grad(first.sum(), x)

        assert second.tolist() == y.tolist()
