"""Strict mode, beyond PyTorch: a write into what a graph still needs raises where it happens."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _strict(lib):
    with lib.autograd.refuse_saved_writes():
        yield


def test_write_into_a_saved_result_raises_before_it_happens(lib):
    x = lib.ones(2, requires_grad=True)
    y = x.exp()
    before = y.tolist()
    with pytest.raises(RuntimeError) as caught:
        y.add_(1)

    error = caught.value
    assert (error.op, error.modified_by, error.shape) == ("ExpBackward0", "add_", (2,))
    assert "y.add_(1)" in error.modified_at
    assert (y.tolist(), y._version) == (before, 0)


def test_write_into_another_look_at_saved_memory_raises(lib):
    w, x = lib.ones(2, requires_grad=True), lib.ones(4)
    kept = w * x[:2]
    for write in (x.zero_, lambda: x.__setitem__(0, 2.0), lambda: x.detach().mul_(2)):
        with pytest.raises(RuntimeError, match="is needed as it is by MulBackward0"):
            write()
    assert kept.tolist() == [1.0, 1.0]


def test_write_into_one_of_a_saved_list_raises(lib):
    x, index = lib.ones(3, requires_grad=True), lib.tensor([0, 1])
    kept = x[index]
    with pytest.raises(RuntimeError, match="is needed as it is by IndexBackward0"):
        index.zero_()
    assert kept.tolist() == [1.0, 1.0]


def test_write_into_what_a_function_saved_raises(lib):
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = lib.ones(2, requires_grad=True) * 1
    kept = Double.apply(x)
    with pytest.raises(RuntimeError, match="is needed as it is by DoubleBackward"):
        x.add_(1)
    assert kept.tolist() == [2.0, 2.0]


def test_write_after_the_backward_pass_goes_through(lib):
    x = lib.ones(2, requires_grad=True)
    y = x.exp()
    y.sum().backward()
    with lib.no_grad():
        x.sub_(x.grad)
    y.detach().add_(1)

    assert x._version == 1


def test_write_goes_through_where_nothing_was_saved(lib):
    x = lib.ones(2, requires_grad=True)
    y = x + 1
    y.add_(1)
    y[0] = 5.0
    y.sum().backward()

    assert x.grad.tolist() == [0.0, 1.0]


def test_step_of_an_optimizer_between_two_passes_raises(lib):
    model = lib.nn.Linear(2, 1)
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
    x = lib.ones(1, 2, requires_grad=True)
    loss = model(x).exp().sum()
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError) as caught:
        optimizer.step()

    assert caught.value.modified_by.startswith("SGD")


def test_mode_can_be_switched_off_by_a_call(lib):
    y = lib.ones(2, requires_grad=True).exp()
    lib.autograd.refuse_saved_writes(False)
    y.add_(1)

    assert y._version == 1
