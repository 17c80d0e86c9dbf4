"""What hooks see of a backward pass: its order, what is not there, and questions from inside."""

from __future__ import annotations

import pytest


def leaf(lib):
    return lib.tensor([1.0, 2.0], requires_grad=True)


def note(seen, what):
    """Return a hook that notes that it ran and changes nothing."""
    return lambda *_: seen.append(what)


def nothing(lib):
    """Return a Function that gives its input no gradient."""

    class Nothing(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return None

    return Nothing.apply


# Order


def test_hooks_of_a_node_run_around_it_in_order(lib):
    y, seen = leaf(lib) * 2, []
    y.grad_fn.register_hook(note(seen, "after 1"))
    y.grad_fn.register_prehook(note(seen, "before 1"))
    y.register_hook(note(seen, "tensor"))
    y.grad_fn.register_hook(note(seen, "after 2"))
    y.grad_fn.register_prehook(note(seen, "before 2"))
    y.sum().backward()

    assert seen == ["tensor", "before 1", "before 2", "after 1", "after 2"]


def test_hooks_of_a_leaf_and_of_its_node_run_in_order(lib):
    x, seen = leaf(lib), []
    accumulator = (x * 2).grad_fn.next_functions[0][0]
    accumulator.register_hook(lambda into, out: seen.append(("after node", into, x.grad.tolist())))
    accumulator.register_prehook(note(seen, "before node"))
    x.register_post_accumulate_grad_hook(note(seen, "after"))
    x.register_hook(note(seen, "tensor"))
    (x * 2).sum().backward()

    assert seen == ["tensor", "before node", "after", ("after node", (), [2.0, 2.0])]


def test_leaf_is_finished_when_its_last_gradient_is_there(lib):
    seen, w, v = [], leaf(lib), leaf(lib)
    h = v * 2
    out = h * w
    w.register_post_accumulate_grad_hook(note(seen, "w"))
    v.register_post_accumulate_grad_hook(note(seen, "v"))
    h.register_hook(note(seen, "h"))
    out.sum().backward()
    assert seen == ["w", "h", "v"]

    seen.clear()
    h = v * w
    h.register_hook(note(seen, "h"))
    (h * w).sum().backward()
    assert seen == ["h", "v", "w"]


def test_hook_sees_what_the_pass_has_accumulated_so_far(lib):
    w, v, seen = leaf(lib), leaf(lib), []
    h = v * 2
    h.register_hook(lambda grad: seen.append((w.grad.tolist(), v.grad)))
    (h * w).sum().backward()

    assert seen == [([2.0, 4.0], None)]


def test_retained_gradient_is_taken_before_the_hooks_of_the_node(lib):
    y = leaf(lib) * 2
    y.retain_grad()
    y.register_hook(lambda grad: grad * 10)
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 100,))
    y.sum().backward()

    assert y.grad.tolist() == [10.0, 10.0]


# Registration


def test_hook_may_be_registered_twice_and_then_runs_twice(lib):
    x = leaf(lib)

    def double(grad):
        return grad * 2

    x.register_hook(double)
    x.register_hook(double)
    (x * 1).sum().backward()

    assert x.grad.tolist() == [4.0, 4.0]


def test_hook_may_take_itself_out(lib):
    y, seen = leaf(lib) * 2, []

    def once(grad):
        seen.append("once")
        handle.remove()

    handle = y.register_hook(once)
    y.register_hook(note(seen, "always"))
    y.sum().backward(retain_graph=True)
    y.sum().backward()

    assert seen == ["once", "always", "always"]


def test_hooks_after_accumulation_can_be_taken_out(lib):
    x, seen = leaf(lib), []
    x.register_post_accumulate_grad_hook(note(seen, 1))
    handle = x.register_post_accumulate_grad_hook(note(seen, 2))
    (x * 2).sum().backward()
    handle.remove()
    (x * 2).sum().backward()

    assert seen == [1, 2, 1]


def test_registered_hooks_are_readable(lib):
    x = leaf(lib)
    y = x * 2
    assert (x._backward_hooks, y._backward_hooks) == (None, None)
    handles = [t.register_hook(lambda grad: grad) for t in (x, y)]

    assert [list(t._backward_hooks) for t in (x, y)] == [[handle.id] for handle in handles]
    assert handles[0].hooks_dict_ref() is x._backward_hooks


def test_hooks_are_given_all_at_once(lib):
    x = leaf(lib)
    x._backward_hooks = {5: lambda grad: grad * 5}
    (x * 2).sum().backward()
    first = x.grad.tolist()
    x._backward_hooks = None
    (x * 2).sum().backward()

    assert (first, x.grad.tolist()) == ([10, 10], [12, 12])


def test_hook_registered_before_a_write_sees_the_gradient_of_the_old_value(lib):
    x, seen = leaf(lib), []
    y = x * 2
    y.register_hook(lambda grad: seen.append(("old", grad.tolist())))
    y.mul_(3)
    y.register_hook(lambda grad: seen.append(("new", grad.tolist())))
    y.sum().backward()

    assert seen == [("new", [1.0, 1.0]), ("old", [3.0, 3.0])]


# Replacing


def test_hook_may_write_into_the_gradient(lib):
    x = leaf(lib)
    y = x * 1
    y.register_hook(lambda grad: grad.mul_(3))
    y.backward(lib.ones(2))

    assert x.grad.tolist() == [3.0, 3.0]


def test_hooks_of_the_leafs_node_may_replace_the_gradient_before_and_nothing_after(lib, raises):
    x = leaf(lib)
    accumulator = (x * 2).grad_fn.next_functions[0][0]
    with accumulator.register_prehook(lambda grads: (grads[0] * 10,)):
        (x * 2).sum().backward()
    assert x.grad.tolist() == [20.0, 20.0]

    accumulator.register_hook(lambda into, out: (out[0],))
    with raises(
        RuntimeError,
        "hook '<lambda>' has returned an incorrect number of values (got 1, but expected 0)",
    ):
        (x * 2).sum().backward()


BAD = {
    "a number": (lambda grad: 1, TypeError, "expected tuple, but hook returned 'int'"),
    "a tensor": (lambda grad: grad, TypeError, "expected tuple, but hook returned 'Tensor'"),
    "too many": (
        lambda grad: (grad, grad, grad), RuntimeError,
        "hook '<lambda>' has returned an incorrect number of values (got 3, but expected 1)",
    ),
    "a number in a tuple": (
        lambda grad: (1,), TypeError, "expected Variable, but hook returned 'int'",
    ),
    "another shape": (
        lambda grad: (grad[:1],), RuntimeError, "hook '<lambda>' has changed the size of value",
    ),
    "another dtype": (
        lambda grad: (grad.double(),), RuntimeError,
        "hook '<lambda>' has changed the type of value (was torch.FloatTensor",
    ),
}  # fmt: skip


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(("replace", "kind", "sentence"), BAD.values(), ids=BAD)
def test_what_a_hook_of_a_node_returns_is_checked(lib, raises, side, replace, kind, sentence):
    y = leaf(lib).exp()
    if side == "before":
        y.grad_fn.register_prehook(lambda out: replace(out[0]))
    else:
        y.grad_fn.register_hook(lambda into, out: replace(into[0]))
    with raises(kind, sentence):
        y.sum().backward()


def test_hook_cannot_put_a_gradient_where_none_is(lib, raises):
    y = leaf(lib) * 2
    y.grad_fn.register_hook(lambda into, out: (into[0], lib.ones(2)))
    with raises(RuntimeError, "can't replace a None gradient with a non-None value"):
        y.sum().backward()


def test_hook_of_a_node_may_take_a_gradient_away(lib):
    x = leaf(lib)
    y = x.exp()
    y.grad_fn.register_prehook(lambda grads: (None,))
    y.sum().backward()
    assert x.grad is None

    y = x.exp()
    y.grad_fn.register_hook(lambda into, out: (None,))
    y.sum().backward()
    assert x.grad is None


# What does not arrive


def test_function_behind_one_that_gives_nothing_gets_zeros(lib):
    seen = []

    class Spy(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            seen.append(grad.tolist())
            return grad

    x = leaf(lib)
    nothing(lib)(Spy.apply(x) * 2).sum().backward()

    assert seen == [[0.0, 0.0]]
    assert x.grad.tolist() == [0.0, 0.0]


def test_operation_behind_one_that_gives_nothing_gives_nothing(lib):
    x, seen = leaf(lib), []
    y = x * 2
    y.register_hook(seen.append)
    y.grad_fn.register_hook(lambda into, out: seen.append((into, out)))
    nothing(lib)(y).sum().backward()

    assert seen == [None, ((None, None), (None,))]
    assert x.grad is None


def test_leaf_that_gets_nothing_still_calls_its_hooks(lib):
    x, seen = leaf(lib), []
    x.register_hook(seen.append)
    x.register_post_accumulate_grad_hook(note(seen, "after"))
    nothing(lib)(x).sum().backward()

    assert (seen, x.grad) == ([None, "after"], None)


def test_nothing_and_something_add_up_to_something(lib):
    x = leaf(lib)
    y = x * 2
    (nothing(lib)(y) + y * 3).sum().backward()

    assert x.grad.tolist() == [6.0, 6.0]


# With inputs


def test_hook_after_accumulation_runs_for_the_wanted_leaves(lib):
    seen, w, v = [], leaf(lib), leaf(lib)
    w.register_post_accumulate_grad_hook(note(seen, "w"))
    v.register_post_accumulate_grad_hook(note(seen, "v"))
    (v * w).sum().backward(inputs=[w, w])

    assert (seen, w.grad.tolist(), v.grad) == (["w"], [1.0, 2.0], None)


def test_grad_runs_the_hooks_of_a_wanted_tensor_and_not_those_of_its_node(lib):
    y, seen = leaf(lib) * 2, []
    y.register_hook(note(seen, "tensor"))
    y.grad_fn.register_prehook(note(seen, "before"))
    y.grad_fn.register_hook(note(seen, "after"))
    lib.autograd.grad(y.sum(), y)

    assert seen == ["tensor"]


def test_backward_to_a_computed_tensor_runs_its_node_and_retains_its_gradient(lib):
    x, seen = leaf(lib), []
    y = x * 2
    y.grad_fn.register_hook(note(seen, "after"))
    y.sum().backward(inputs=[y])

    assert (seen, y.grad.tolist(), x.grad, y.retains_grad) == (["after"], [1.0, 1.0], None, True)


def test_backward_to_a_tensor_without_gradient_is_refused(lib, raises):
    with raises(RuntimeError, "can't retain_grad on Tensor that has requires_grad=False"):
        (leaf(lib) * 2).sum().backward(inputs=[lib.ones(2)])


# Several tensors


def hook_several(lib, tensors, fn, **mode):
    return lib.autograd.graph.register_multi_grad_hook(tensors, fn, **mode)


def test_one_hook_gets_all_gradients_of_a_pass(lib):
    seen, x = [], leaf(lib)
    y, z = x * 2, x * 3

    def hook(grads):
        seen.append([None if grad is None else grad.tolist() for grad in grads])

    handle = hook_several(lib, [x, y, z], hook)
    (y.sum() + z.sum()).backward()
    (x * 5).sum().backward()
    handle.remove()
    (x * 5).sum().backward()

    assert seen == [[[5.0, 5.0], [1.0, 1.0], [1.0, 1.0]], [[5.0, 5.0], None, None]]


def test_one_hook_waits_for_those_that_this_pass_reaches(lib):
    seen, x = [], leaf(lib)
    y, z = x * 2, x * 3
    with hook_several(lib, [y, z], lambda grads: seen.append([g is None for g in grads])):
        lib.autograd.grad(y.sum() + z.sum(), y)

    assert seen == [[False, True]]


def test_one_hook_gets_the_first_gradient_of_a_pass(lib):
    seen, x = [], leaf(lib)
    y, z = x * 2, x * 3
    hook_several(lib, [x, y, z, lib.ones(2)], lambda grad: seen.append(grad.tolist()), mode="any")
    (y.sum() + z.sum()).backward()
    (x * 5).sum().backward()

    assert seen == [[1.0, 1.0], [5.0, 5.0]]


def test_hook_of_several_tensors_checks_its_arguments(lib):
    with pytest.raises(ValueError, match=r"Expects mode to be one of \('all', 'any'\) but got x"):
        hook_several(lib, [leaf(lib)], print, mode="x")
    with pytest.raises(AssertionError, match="Expected gradient function to be set"):
        hook_several(lib, [lib.ones(2)], print)


# From inside


def test_pass_has_a_number_while_it_runs(lib):
    number, seen = lib._C._current_graph_task_id, []
    y = leaf(lib) * 2
    y.register_hook(lambda grad: seen.append(number()))
    y.sum().backward()

    assert seen[0] >= 0
    assert number() == -1


def test_node_knows_that_it_runs(lib):
    node, seen = lib._C._current_autograd_node, []
    y = leaf(lib) * 2
    y.grad_fn.register_prehook(lambda grads: seen.append(node()))
    y.sum().backward()

    assert seen == [y.grad_fn]
    assert node() is None


def test_pass_knows_which_nodes_it_runs(lib, raises):
    will_run, seen = lib._C._will_engine_execute_node, []
    x = leaf(lib)
    y, z, other = x * 2, x * 3, x.exp()
    nodes = [y.grad_fn, z.grad_fn, y.grad_fn.next_functions[0][0], other.grad_fn]
    y.register_hook(lambda grad: seen.append([will_run(node) for node in nodes]))
    (y + z).sum().backward(retain_graph=True)
    lib.autograd.grad((y + z).sum(), y)

    assert seen == [[True, True, True, False], [True, False, False, False]]
    with raises(
        RuntimeError, "_get_should_execute_nodes should only be called during the backward pass"
    ):
        will_run(y.grad_fn)


def test_callback_runs_when_the_pass_is_done(lib, raises):
    queue, seen, x = lib.autograd.Variable._execution_engine.queue_callback, [], leaf(lib)
    y = x * 2
    y.register_hook(lambda grad: queue(lambda: seen.append(x.grad.tolist())))
    y.sum().backward()

    assert seen == [[2.0, 2.0]]
    with raises(RuntimeError, "Final callbacks can only be installed during backward pass."):
        queue(print)


def test_error_may_wait_for_the_backward_pass(lib, raises):
    y = lib._C._functions.DelayedError("not now", 1)(leaf(lib))
    assert y.tolist() == [1.0, 2.0]
    with raises(RuntimeError, "not now"):
        y.sum().backward()


def test_function_may_give_no_gradient_on_purpose(lib):
    x = leaf(lib)
    y = lib._C._functions.UndefinedGrad()(x)
    y.sum().backward()

    assert y.grad_fn.name() == "torch::autograd::UndefinedGradBackward"
    assert x.grad is None


class OwnError(Exception):
    """An exception that no library knows."""


def test_graph_can_be_walked_again_after_a_hook_raised(lib):
    def careless(grad):
        raise OwnError

    x = leaf(lib)
    y = x * 2
    handle = y.register_hook(careless)
    loss = (y**2).sum()
    with pytest.raises(OwnError):
        loss.backward(retain_graph=True)
    handle.remove()
    loss.backward()

    assert lib.is_grad_enabled()
    assert x.grad.tolist() == [8.0, 16.0]


def test_node_given_nothing_gives_nothing(lib):
    assert (leaf(lib) ** 2).grad_fn(None) is None


def test_leafs_node_adds_the_gradient_it_is_called_with(lib):
    x = leaf(lib)
    accumulator = (x * 2).grad_fn.next_functions[0][0]

    assert accumulator(lib.ones(2)) == ()
    accumulator(lib.ones(2))
    assert x.grad.tolist() == [2.0, 2.0]
    assert accumulator.next_functions == ()


def test_dtype_of_a_gradient_is_real_or_complex_as_its_output(lib, raises):
    x = leaf(lib)
    with raises(
        RuntimeError,
        "For complex Tensors, both grad_output and output are required to have the same dtype. "
        "Mismatch in dtype: grad_output[0] has a dtype of torch.complex64 and output[0] has a "
        "dtype of torch.float32.",
    ):
        (x * 2).backward(lib.ones(2, dtype=lib.complex64))


def test_number_of_gradients_is_that_of_the_outputs(lib, raises):
    x = leaf(lib)
    y = x * 2
    with raises(RuntimeError, "got 2 tensors and 1 gradients"):
        lib.autograd.backward([y, y], [lib.ones(2)])
