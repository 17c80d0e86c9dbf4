"""Hooks around a module's forward and backward."""

from __future__ import annotations

import pytest


@pytest.fixture
def layer(lib):
    made = lib.nn.Linear(2, 1, bias=False)
    made.load_state_dict({"weight": lib.tensor([[2.0, 3.0]])})
    return made


def test_hooks_run_in_order_before_and_after_forward_and_backward(lib, layer):
    seen = []
    layer.register_forward_pre_hook(lambda *args: seen.append("forward pre"))
    layer.register_forward_hook(lambda *args: seen.append("forward"))
    layer.register_full_backward_pre_hook(lambda *args: seen.append("backward pre"))
    layer.register_full_backward_hook(lambda *args: seen.append("backward"))
    layer(lib.ones(1, 2, requires_grad=True)).sum().backward()

    assert seen == ["forward pre", "forward", "backward pre", "backward"]


def test_prepended_hook_runs_first(lib, layer):
    seen = []
    layer.register_forward_hook(lambda *args: seen.append("second"))
    layer.register_forward_hook(lambda *args: seen.append("first"), prepend=True)
    layer(lib.ones(1, 2))

    assert seen == ["first", "second"]


def test_forward_hooks_may_replace_input_and_output(lib, layer):
    layer.register_forward_pre_hook(lambda module, args: args[0] * 10)
    layer.register_forward_hook(lambda module, args, output: output + 1)

    assert layer(lib.ones(1, 2)).tolist() == [[51.0]]


def test_hook_with_kwargs_sees_and_replaces_them(lib):
    class Scaled(lib.nn.Module):
        def forward(self, x, factor=1):
            return x * factor

    module, seen = Scaled(), []
    module.register_forward_pre_hook(lambda m, args, kw: (args, {"factor": 5}), with_kwargs=True)
    module.register_forward_hook(lambda m, args, kw, out: seen.append(kw), with_kwargs=True)

    assert module(lib.tensor(2.0), factor=3).item() == 10.0
    assert seen == [{"factor": 5}]


def test_pre_hook_with_kwargs_must_return_a_pair(lib, raises, layer):
    layer.register_forward_pre_hook(lambda *args: 3, with_kwargs=True)

    with raises(RuntimeError, "forward pre-hook must return None or a tuple of (new_args, new_kw"):
        layer(lib.ones(1, 2))


def test_hook_called_always_runs_when_forward_raises(lib, layer):
    seen = []
    layer.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    layer.register_forward_hook(lambda m, args, out: seen.append("not always"))

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        layer(lib.ones(1, 5))
    assert seen == [None]


def test_removed_hook_does_not_run(lib, layer):
    seen = []
    handle = layer.register_forward_hook(lambda *args: seen.append("ran"), with_kwargs=True)
    handle.remove()
    layer(lib.ones(1, 2))

    assert seen == []
    assert not layer._forward_hooks_with_kwargs


def test_backward_hook_sees_gradients_of_inputs_and_outputs(lib, layer):
    seen = []
    layer.register_full_backward_hook(lambda m, grads, outputs: seen.append((grads, outputs)))
    x = lib.ones(1, 2, requires_grad=True)
    y = layer(x)
    (y * 4).sum().backward()

    ((grad_input, grad_output),) = seen
    assert grad_input[0].tolist() == [[8.0, 12.0]]
    assert grad_output[0].tolist() == [[4.0]]
    assert x.grad.tolist() == [[8.0, 12.0]]
    assert y.grad_fn.name() == "BackwardHookFunctionBackward"


def test_backward_hooks_may_replace_gradients(lib, layer):
    x = lib.ones(1, 2, requires_grad=True)
    layer.register_full_backward_pre_hook(lambda module, grads: (grads[0] * 10,))
    layer.register_full_backward_hook(lambda module, grads, outputs: (grads[0] + 1,))
    layer(x).sum().backward()

    assert x.grad.tolist() == [[21.0, 31.0]]
    assert layer.weight.grad.tolist() == [[10.0, 10.0]]


def test_backward_hook_returning_too_many_gradients_is_refused(lib, raises, layer):
    layer.register_full_backward_hook(lambda module, grads, outputs: (grads[0], grads[0]))

    sentence = "Backward hook returned an invalid number of grad_input, got 2, but expected 1"
    with raises(RuntimeError, sentence):
        layer(lib.ones(1, 2, requires_grad=True)).sum().backward()


def test_backward_hook_without_inputs_that_require_grad_warns_and_gets_none(lib, layer):
    seen = []
    layer.register_full_backward_hook(lambda m, grads, outputs: seen.append(grads))
    loss = layer(lib.ones(1, 2)).sum()

    with pytest.warns(UserWarning, match="Full backward hook is firing when gradients are"):
        loss.backward()
    assert seen == [(None,)]


def test_inputs_and_outputs_that_are_no_tensors_stand_as_none(lib):
    class Pair(lib.nn.Module):
        def forward(self, x, factor):
            return x * factor, factor

    module, seen = Pair(), []
    module.register_full_backward_hook(lambda m, grads, outputs: seen.append((grads, outputs)))
    module(lib.ones(1, requires_grad=True), 3)[0].backward()

    ((grads, outputs),) = seen
    assert (grads[0].tolist(), grads[1]) == ([3.0], None)
    assert (outputs[0].tolist(), outputs[1]) == ([1.0], None)


def test_two_kinds_of_backward_hooks_do_not_mix(lib, raises, layer):
    layer.register_full_backward_hook(lambda *args: None)

    with raises(
        RuntimeError, "Cannot use both regular backward hooks and full backward hooks on a"
    ):
        layer.register_backward_hook(lambda *args: None)


def test_global_hooks_run_before_those_of_the_module(lib, layer):
    seen, module = [], lib.nn.modules.module
    layer.register_forward_hook(lambda *args: seen.append("own"))
    handles = [
        module.register_module_forward_pre_hook(lambda *args: seen.append("global pre")),
        module.register_module_forward_hook(lambda *args: seen.append("global")),
    ]
    layer(lib.ones(1, 2))
    for handle in handles:
        handle.remove()
    layer(lib.ones(1, 2))

    assert seen == ["global pre", "global", "own", "own"]


def test_hooks_are_copied_with_the_module_and_its_own(lib):
    import copy

    seen = []
    layer = lib.nn.Linear(1, 1)
    layer.register_forward_hook(lambda module, args, output: seen.append(module))
    made = copy.deepcopy(layer)
    made(lib.ones(1, 1))

    assert seen == [made]
