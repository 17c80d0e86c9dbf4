"""Backward passes on several threads at once."""

from __future__ import annotations

import threading

import pytest


def run_together(work, count):
    """Run *work* on *count* threads that start together; return the exceptions they raised."""
    barrier, errors = threading.Barrier(count), []

    def run(number):
        barrier.wait()
        try:
            work(number)
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_passes_of_several_threads_add_up_exactly(lib):
    x = lib.zeros(4, requires_grad=True)
    graphs = [[(x * 1).sum() for _ in range(50)] for _ in range(8)]

    def work(number):
        for loss in graphs[number]:
            loss.backward()

    assert run_together(work, 8) == []
    assert x.grad.tolist() == [400.0] * 4


def test_second_thread_to_walk_a_freed_graph_is_told(lib):
    x = lib.ones(4, requires_grad=True)
    y = x.exp().sum()
    y.backward()
    errors = run_together(lambda number: y.backward(), 4)

    assert len(errors) == 4
    assert all(
        str(error).startswith("Trying to backward through the graph a second time")
        for error in errors
    )


def test_mode_of_one_thread_is_not_that_of_another(lib):
    x = lib.ones(1, requires_grad=True)
    found = {}

    def work(number):
        if number:
            with lib.no_grad():
                found[number] = [(x * 2).requires_grad for _ in range(200)]
        else:
            found[number] = [(x * 2).requires_grad for _ in range(200)]

    run_together(work, 2)

    assert found == {0: [True] * 200, 1: [False] * 200}


def test_passes_over_one_kept_graph_add_up_exactly(lib):
    x = lib.ones(8, requires_grad=True)
    loss = (x * 3).exp().log().sum()
    loss.backward(retain_graph=True)
    once = x.grad.clone()

    def work(number):
        for _ in range(25):
            loss.backward(retain_graph=True)

    assert run_together(work, 4) == []
    assert lib.allclose(x.grad, once * 101)


def test_gradients_of_threads_do_not_touch_each_other(lib):
    x = lib.ones(4, requires_grad=True)
    found = {}

    def work(number):
        (found[number],) = lib.autograd.grad((x * number).sum(), x)

    assert run_together(work, 6) == []
    assert {n: g.tolist() for n, g in found.items()} == {n: [float(n)] * 4 for n in range(6)}
    assert x.grad is None


def test_error_on_one_thread_leaves_the_others_alone(lib):
    class Failing(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, number):
            ctx.number = number
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            if ctx.number == 0:
                message = "only thread 0"
                raise RuntimeError(message)
            return grad * 2, None

    x = lib.ones(3, requires_grad=True)
    errors = run_together(lambda number: Failing.apply(x, number).sum().backward(), 5)

    assert [str(error) for error in errors] == ["only thread 0"]
    assert x.grad.tolist() == [8.0] * 3


def test_error_in_a_backward_arrives_once_and_shows_the_user_s_line(lib):
    class Failing(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            message = "here"
            raise KeyError(message)

    x = lib.ones(3, requires_grad=True)
    y = Failing.apply(x)
    with pytest.raises(KeyError, match="here") as caught:
        (y * 2).sum().backward()

    assert [entry.name for entry in caught.traceback][-1] == "backward"
    assert "raise KeyError(message)" in str(caught.traceback[-1].statement)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert x.grad is None
    assert lib.is_grad_enabled()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0] * 3


def test_pass_inside_a_hook_works_on_several_threads_at_once(lib):
    def nested(grad):
        z = lib.ones(2, requires_grad=True)
        with lib.enable_grad():
            (z * 2).sum().backward()
        return grad * z.grad[0]

    x = lib.ones(2, requires_grad=True)

    def work(number):
        for _ in range(20):
            y = x * 1
            y.register_hook(nested)
            y.sum().backward()

    assert run_together(work, 4) == []
    assert x.grad.tolist() == [160.0] * 2


def test_passes_nest_deeply_on_a_thread(lib):
    class Nested(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, depth):
            ctx.depth = depth
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            if ctx.depth:
                with lib.enable_grad():
                    z = lib.ones(1, requires_grad=True)
                    Nested.apply(z, ctx.depth - 1).sum().backward()
                grad = grad + z.grad
            return grad, None

    x = lib.ones(1, requires_grad=True)
    errors = run_together(lambda number: Nested.apply(x, 60).sum().backward(), 2)

    assert errors == []
    assert x.grad.tolist() == [122.0]


def test_multithreading_can_be_switched_off_and_on(lib):
    enabled = lib.autograd.is_multithreading_enabled
    with lib.autograd.set_multithreading_enabled(False):
        inside = enabled()
    lib.autograd.set_multithreading_enabled(False)
    off = enabled()
    lib.autograd.set_multithreading_enabled(True)

    assert (inside, off, enabled()) == (False, False, True)


def test_second_derivatives_on_several_threads_are_right(lib):
    x = lib.ones(3, requires_grad=True)
    found = {}

    def work(number):
        y = (x ** (number + 2)).sum()
        (slope,) = lib.autograd.grad(y, x, create_graph=True)
        (found[number],) = lib.autograd.grad(slope.sum(), x)

    assert run_together(work, 4) == []
    assert {n: g[0].item() for n, g in found.items()} == {n: (n + 2) * (n + 1) for n in range(4)}
