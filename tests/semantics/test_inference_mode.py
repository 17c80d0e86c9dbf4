"""`inference_mode`: what is made there is marked, and can never take part in a graph."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading


def test_inference_mode_holds_inside_its_block(lib):
    with lib.inference_mode():
        inside = lib.is_inference_mode_enabled(), lib.is_grad_enabled()

    assert inside == (True, False)
    assert (lib.is_inference_mode_enabled(), lib.is_grad_enabled()) == (False, True)


def test_inference_mode_decorates_with_and_without_parentheses(lib):
    @lib.inference_mode()
    def called():
        return lib.is_inference_mode_enabled()

    @lib.inference_mode
    def bare():
        return lib.is_inference_mode_enabled()

    @lib.inference_mode(mode=False)
    def normal():
        return lib.is_inference_mode_enabled()

    assert (called(), bare(), normal()) == (True, True, False)


def test_what_is_made_in_inference_mode_is_marked(lib):
    p = lib.ones(3, requires_grad=True)
    with lib.inference_mode():
        new, computed, view, several = lib.ones(3), p * 2, p.view(3), p.split(1)
        parts, read = p.topk(1), lib.tensor([1.0])

    assert [t.is_inference() for t in (new, computed, view, *several)] == [True, True] + 4 * [False]
    assert [t.is_inference() for t in (*parts, read)] == [True] * 3
    assert (computed.requires_grad, computed.grad_fn, computed.is_leaf) == (False, None, True)
    assert (lib.is_inference(new), type(new) is lib.Tensor) == (True, True)


def test_views_and_detached_tensors_are_marked_as_what_they_look_at(lib, inferred):
    p = lib.ones(3, requires_grad=True)
    found = [
        t.is_inference() for t in (inferred.view(3), inferred[0], inferred.detach(), inferred.data)
    ]
    with lib.inference_mode():
        inside = [t.is_inference() for t in (p.detach(), p.data, p[0])]

    assert (found, inside) == ([True] * 4, [False] * 3)


def test_what_is_computed_outside_is_not_marked(lib, inferred):
    assert [t.is_inference() for t in (inferred.clone(), inferred + 1, inferred.double())] == [
        False
    ] * 3


def test_inference_tensor_has_no_version(inferred, raises):
    with raises(RuntimeError, "Inference tensors do not track version counter."):
        _ = inferred._version


def test_inference_tensor_cannot_require_grad_outside(lib, inferred, raises):
    sentence = "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed"
    with raises(RuntimeError, sentence):
        inferred.requires_grad_()
    with raises(RuntimeError, sentence):
        inferred.requires_grad = True
    with raises(RuntimeError, sentence):
        lib.nn.Parameter(inferred)
    inferred.requires_grad_(False)
    with lib.inference_mode():
        assert inferred.requires_grad_().requires_grad


def test_inference_tensor_cannot_be_saved_for_backward(lib, inferred, raises):
    p = lib.ones(3, requires_grad=True)
    with raises(RuntimeError, "Inference tensors cannot be saved for backward. Please do not use"):
        inferred * p
    with raises(RuntimeError, "Inference tensors cannot be saved for backward. Please do not use"):
        p.sigmoid() @ inferred
    assert (inferred + p).requires_grad  # which saves neither


def test_function_cannot_save_an_inference_tensor(lib, inferred, raises):
    class Saving(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(y)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad, None

    with raises(RuntimeError, "Inference tensors cannot be saved for backward."):
        Saving.apply(lib.ones(3, requires_grad=True), inferred)


def test_function_may_be_given_an_inference_tensor(lib, inferred):
    class Scaling(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, grad):
            return grad, None

    assert Scaling.apply(lib.ones(3, requires_grad=True), inferred).requires_grad


def test_inference_tensor_is_not_written_to_outside(lib, inferred, raises):
    sentence = "Inplace update to inference tensor outside InferenceMode is not allowed."
    with raises(RuntimeError, sentence):
        inferred.add_(1)
    with raises(RuntimeError, sentence):
        inferred.view(3).add_(1)
    with raises(RuntimeError, sentence), lib.no_grad():
        inferred.mul_(2)
    with raises(RuntimeError, sentence):
        lib.add(lib.ones(3), 1, out=inferred)
    with lib.inference_mode():
        assert inferred.fill_(2).tolist() == [2.0] * 3


def test_refused_write_to_an_inference_tensor_leaves_its_values(inferred, raises):
    with raises(RuntimeError, "Inplace update to inference tensor outside InferenceMode"):
        inferred.add_(1)
    assert inferred.tolist() == [1.0] * 3


def test_older_tensors_are_written_to_and_counted_in_inference_mode(lib):
    x, leaf = lib.ones(3), lib.ones(3, requires_grad=True)
    with lib.inference_mode():
        x.add_(1)
        x[0].add_(1)
        leaf.add_(1)

    assert (x.tolist(), x._version, x.is_inference()) == ([3.0, 2.0, 2.0], 2, False)
    assert (leaf._version, leaf.requires_grad) == (1, True)


def test_view_made_in_inference_mode_is_not_written_to_outside(lib, raises):
    p = lib.ones(3, requires_grad=True)
    base = p * 1
    with lib.inference_mode():
        view, of_leaf = base[0], p[0]
    sentence = "A view was created in inference mode and is being modified inplace in normal mode."
    with raises(RuntimeError, sentence):
        view.add_(1)
    with raises(RuntimeError, sentence):
        of_leaf.add_(1)


def test_enable_grad_is_without_effect_in_inference_mode(lib):
    p = lib.ones(3, requires_grad=True)
    with lib.inference_mode(), lib.enable_grad():
        y = p * 2
        enabled = lib.is_grad_enabled()

    assert (y.requires_grad, y.is_inference(), enabled) == (False, True, True)
    assert lib.is_grad_enabled()


def test_inference_mode_of_false_is_an_ordinary_block(lib):
    p = lib.ones(3, requires_grad=True)
    with lib.inference_mode(), lib.inference_mode(False):
        y, new = p * 2, lib.ones(3)
    with lib.no_grad(), lib.inference_mode(False):
        z = p * 2

    assert (y.requires_grad, y.is_inference(), new.is_inference()) == (True, False, False)
    assert z.requires_grad


def test_factory_functions_honour_requires_grad_in_inference_mode(lib):
    with lib.inference_mode():
        x = lib.ones(2, requires_grad=True)
        weight = lib.nn.Linear(2, 2).weight

    assert (x.requires_grad, x.is_inference()) == (True, True)
    assert (weight.requires_grad, weight.is_inference()) == (True, True)


def test_gradient_of_a_pass_in_inference_mode_is_marked(lib):
    p = lib.ones(3, requires_grad=True)
    loss = (p * 2).sum()
    with lib.inference_mode():
        loss.backward()

    assert (p.grad.tolist(), p.grad.is_inference()) == ([2.0] * 3, True)


def test_inference_mode_is_the_thread_s_own(lib):
    found = []

    def work():
        found.append((lib.is_inference_mode_enabled(), lib.ones(1).is_inference()))

    with lib.inference_mode():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    assert found == [(False, False)]


def test_generator_in_inference_mode_holds_it_in_its_body_only(lib):
    @lib.inference_mode()
    def generator():
        yield lib.ones(1)
        yield lib.ones(1)

    steps = generator()
    first = next(steps)
    between = lib.ones(1)

    assert [t.is_inference() for t in (first, between, next(steps))] == [True, False, True]


def test_data_assigned_from_inference_mode_marks_the_tensor(lib, inferred):
    x = lib.ones(3)
    x.data = inferred

    assert x.is_inference()


def test_numpy_of_a_leaf_is_given_where_nothing_is_recorded(lib):
    p = lib.ones(3, requires_grad=True, device="cpu")
    with lib.no_grad():
        assert p.numpy().tolist() == [1.0] * 3


def in_a_new_process(program):
    """Run *program* where no subclass of `Tensor` has been defined yet."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        check=False,
        capture_output=True,
        text=True,
    )


def test_inference_mode_lets_no_function_ask_for_overrides():
    done = in_a_new_process("""
        import chainrule
        from chainrule import overriding
        with chainrule.inference_mode():
            chainrule.ones(2) * 2
        assert not overriding.Switches.active
    """)

    assert not done.returncode, done.stderr


def test_overrides_that_begin_in_inference_mode_hold_after_it():
    done = in_a_new_process("""
        import chainrule
        from chainrule.overrides import TorchFunctionMode, has_torch_function

        class Counting(TorchFunctionMode):
            calls = 0
            def __torch_function__(self, func, types, args=(), kwargs=None):
                Counting.calls += 1
                return func(*args, **(kwargs or {}))

        with chainrule.inference_mode():
            assert not has_torch_function((chainrule.ones(1),))
            mode = Counting()
            mode.__enter__()
        chainrule.ones(2).sum()
        mode.__exit__(None, None, None)
        counted = Counting.calls
        chainrule.ones(2).sum()
        assert counted and counted == Counting.calls
        assert not has_torch_function((chainrule.ones(1),))
    """)

    assert not done.returncode, done.stderr


def test_view_of_a_leaf_made_in_inference_mode_requires_no_grad(lib):
    with lib.inference_mode():
        leaf = lib.ones(2, 3, requires_grad=True)
        view = leaf.view(6)

        assert not view.requires_grad
        assert view.is_inference()


def test_leaf_that_requires_grad_is_resized_in_inference_mode(lib):
    with lib.inference_mode():
        leaf = lib.ones(2, 3, requires_grad=True)

        assert leaf.resize_(2, 2).shape == (2, 2)
        assert leaf.requires_grad
