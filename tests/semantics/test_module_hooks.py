"""Hooks on modules: around forward and backward, around their state, and on all modules."""

from __future__ import annotations

import copy

import pytest


def ones_layer(lib):
    layer = lib.nn.Linear(2, 2)
    layer.load_state_dict({"weight": lib.ones(2, 2), "bias": lib.zeros(2)})
    return layer


def row(lib, *, requires_grad=True):
    return lib.ones(1, 2, requires_grad=requires_grad)


def note(seen, what):
    """Return a hook that notes that it ran and changes nothing."""
    return lambda *_, **__: seen.append(what)


def scaled(lib):
    """Return a module with a keyword."""

    class Scaled(lib.nn.Module):
        def forward(self, x, scale=1):
            return x * scale

    return Scaled()


# Order


def test_hooks_of_each_kind_run_in_order_and_the_prepended_first(lib):
    seen, layer = [], ones_layer(lib)
    for number, prepend in ((1, False), (0, True)):
        layer.register_forward_pre_hook(note(seen, f"before {number}"), prepend=prepend)
        layer.register_forward_hook(note(seen, f"after {number}"), prepend=prepend)
        layer.register_full_backward_pre_hook(note(seen, f"back before {number}"), prepend=prepend)
        layer.register_full_backward_hook(note(seen, f"back after {number}"), prepend=prepend)
    layer(row(lib)).sum().backward()

    assert seen == [
        "before 0", "before 1", "after 0", "after 1",
        "back before 0", "back before 1", "back after 0", "back after 1",
    ]  # fmt: skip


def test_hooks_of_all_modules_run_before_those_of_one(lib):
    seen, module = [], lib.nn.modules.module
    layer = ones_layer(lib)
    layer.register_forward_pre_hook(note(seen, "own before"))
    layer.register_forward_hook(note(seen, "own after"))
    handles = [
        module.register_module_forward_pre_hook(note(seen, "before")),
        module.register_module_forward_hook(note(seen, "after")),
        module.register_module_full_backward_pre_hook(note(seen, "back before")),
        module.register_module_full_backward_hook(note(seen, "back after")),
    ]
    layer(row(lib)).sum().backward()
    for handle in handles:
        handle.remove()
    assert seen == ["before", "own before", "after", "own after", "back before", "back after"]

    ones_layer(lib)(row(lib))
    assert len(seen) == 6


def test_two_kinds_of_backward_hooks_do_not_mix(lib, raises):
    sentence = "Cannot use both regular backward hooks and full backward hooks on a single Module."
    layer = ones_layer(lib)
    layer.register_full_backward_hook(note([], ""))
    with raises(RuntimeError, sentence):
        layer.register_backward_hook(note([], ""))
    layer = ones_layer(lib)
    layer.register_backward_hook(note([], ""))
    with raises(RuntimeError, sentence):
        layer.register_full_backward_hook(note([], ""))


# Replacing


def test_hook_before_forward_replaces_the_arguments(lib):
    layer = ones_layer(lib)
    layer.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    layer.register_forward_pre_hook(lambda module, args: args[0] * 3)

    assert layer(row(lib)).tolist() == [[12.0, 12.0]]


def test_hooks_may_see_and_replace_keywords(lib):
    seen, module = [], scaled(lib)
    module.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {"scale": 5}), with_kwargs=True
    )
    module.register_forward_hook(
        lambda module, args, kwargs, output: seen.append(kwargs), with_kwargs=True
    )

    assert module(row(lib), scale=2).tolist() == [[5.0, 5.0]]
    assert seen == [{"scale": 5}]


def test_hook_with_keywords_returns_a_pair_or_none(lib):
    module = scaled(lib)
    module.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="forward pre-hook must return None or a tuple"):
        module(row(lib))


def test_hook_after_forward_replaces_the_result(lib):
    layer = ones_layer(lib)
    layer.register_forward_hook(lambda module, args, output: output * 10)

    assert layer(row(lib)).tolist() == [[20.0, 20.0]]


def test_backward_hooks_see_both_sides_and_replace_them(lib):
    seen, layer, x = [], ones_layer(lib), row(lib)
    layer.register_full_backward_pre_hook(lambda module, grads: (grads[0] * 10,))
    layer.register_full_backward_hook(
        lambda module, into, out: seen.append((into[0].tolist(), out[0].tolist()))
    )
    layer.register_full_backward_hook(lambda module, into, out: (into[0] * 2,))
    y = layer(x)
    y.sum().backward()

    assert y.grad_fn.name() == "BackwardHookFunctionBackward"
    assert seen == [([[20.0, 20.0]], [[10.0, 10.0]])]
    assert (x.grad.tolist(), layer.bias.grad.tolist()) == ([[40.0, 40.0]], [10.0, 10.0])


def test_backward_hook_returns_one_gradient_per_input(lib):
    layer = ones_layer(lib)
    layer.register_full_backward_hook(lambda module, into, out: (into[0], into[0]))
    with pytest.raises(RuntimeError, match="Backward hook returned an invalid number of grad_inp"):
        layer(row(lib)).sum().backward()


@pytest.mark.parametrize("register", ["full_backward_hook", "full_backward_pre_hook"])
def test_backward_hook_that_returns_no_sequence_is_told_so(lib, raises, register):
    layer = ones_layer(lib)
    getattr(layer, f"register_{register}")(lambda *given: 1)
    with raises(TypeError, "object of type 'int' has no len()"):
        layer(row(lib)).sum().backward()


def test_messages_name_a_backward_hook_of_the_older_kind(lib):
    def mine(module, into, out):
        return into[:1]

    layer = ones_layer(lib)
    layer.register_backward_hook(mine)
    with (
        pytest.warns(FutureWarning),
        pytest.raises(RuntimeError, match="hook 'mine' has returned an incorrect number of val"),
    ):
        layer(row(lib)).sum().backward()


def test_backward_hook_gets_a_place_for_each_positional_input_and_output(lib):
    class Several(lib.nn.Module):
        def forward(self, x, number, y):
            return x * number, y * 3, 5

    seen, module = [], Several()
    module.register_full_backward_hook(
        lambda module, into, out: seen.append([g is None for g in (*into, *out)])
    )
    first, _, _ = module(row(lib), 2, lib.ones(2))
    first.sum().backward()

    assert seen == [[False, True, False, False, True, True]]


def test_backward_hook_without_a_differentiable_input_warns_and_runs(lib, warns):
    seen, layer = [], ones_layer(lib)
    layer.register_full_backward_hook(lambda module, into, out: seen.append(into))
    with warns(UserWarning, "Full backward hook is firing when gradients are computed with respec"):
        layer(row(lib, requires_grad=False)).sum().backward()

    assert seen == [(None,)]


def test_module_that_writes_into_its_input_takes_no_backward_hook(lib, raises):
    module = lib.nn.ReLU(inplace=True)
    module.register_full_backward_hook(note([], ""))
    sentence = "Output 0 of BackwardHookFunctionBackward is a view and is being modified inplace."
    with raises(RuntimeError, sentence.replace("Backward is", " is")):
        module(row(lib) * 1)
    module = lib.nn.ReLU()
    module.register_full_backward_hook(note([], ""))
    with raises(RuntimeError, sentence.replace("Backward is", " is")):
        module(row(lib) * 1).add_(1)


def test_hook_of_the_older_kind_sees_the_last_operation_and_warns_of_what_it_misses(lib, warns):
    class Two(lib.nn.Module):
        def forward(self, x):
            return x * 2, x * 3

    class Named(lib.nn.Module):
        def forward(self, x):
            return {"x": x * 2}

    class Listed(lib.nn.Module):
        def forward(self, tensors):
            return tensors[0] * 2

    x, on = row(lib), "Using non-full backward hooks on a Module that does not"
    when = "Using a non-full backward hook when"
    cases = (
        (ones_layer(lib), x, f"{when} the forward contains multiple autograd Nodes is deprecated"),
        (Two(), x, f"{when} outputs are generated by different autograd Nodes is deprecated"),
        (Named(), x, f"{on} return a single Tensor or a tuple of Tensors is"),
        (Listed(), [x], f"{on} take as input a single Tensor or a tuple of Tensors"),
    )
    for module, argument, sentence in cases:
        seen = []
        module.register_backward_hook(note(seen, "ran"))
        with warns(FutureWarning, sentence):
            y = module(argument)
        if not isinstance(y, (tuple, dict)):
            y.sum().backward()
            assert seen == ["ran"]


# When things go wrong, and afterwards


def test_hook_that_is_always_called_runs_when_forward_raises(lib):
    class Broken(lib.nn.Module):
        def forward(self, x):
            raise ValueError

    seen, module = [], Broken()
    module.register_forward_hook(note(seen, "always"), always_call=True)
    module.register_forward_hook(note(seen, "never"))
    everywhere = lib.nn.modules.module.register_module_forward_hook(
        note(seen, "everywhere"), always_call=True
    )
    with everywhere, pytest.raises(ValueError):  # noqa: PT011 - no message
        module(row(lib))

    assert seen == ["everywhere", "always"]


def test_handle_takes_a_hook_out(lib):
    seen, layer = [], ones_layer(lib)
    handle = layer.register_forward_hook(note(seen, 1))
    with layer.register_forward_pre_hook(note(seen, 2)):
        layer(row(lib))
    handle.remove()
    layer(row(lib))

    assert seen == [2, 1]
    assert len(layer._forward_hooks) == 0


def test_hooks_are_copied_with_their_module(lib):
    seen, layer = [], ones_layer(lib)
    layer.register_forward_hook(note(seen, "ran"))
    copy.deepcopy(layer)(row(lib))

    assert seen == ["ran"]


def test_backward_hook_runs_in_a_recorded_pass_too(lib):
    seen, layer, x = [], ones_layer(lib), row(lib)
    layer.register_full_backward_hook(note(seen, "ran"))
    (gradient,) = lib.autograd.grad((layer(x) ** 2).sum(), x, create_graph=True)
    assert seen == ["ran"]

    gradient.sum().backward()
    assert x.grad.tolist() == [[8.0, 8.0]]


# State


def test_state_hooks_run_before_and_after(lib):
    seen, layer = [], ones_layer(lib)
    layer.register_state_dict_pre_hook(
        lambda module, prefix, keep_vars: seen.append(("before", prefix, keep_vars))
    )
    layer.register_state_dict_post_hook(
        lambda module, state, prefix, metadata: seen.append(("after", list(state), prefix))
    )
    layer.state_dict(prefix="a.")

    assert seen == [("before", "a.", False), ("after", ["a.weight", "a.bias"], "a.")]


def test_loading_hooks_see_the_state_and_what_did_not_fit(lib):
    seen, layer = [], ones_layer(lib)
    layer.register_load_state_dict_pre_hook(
        lambda module, state, prefix, *rest: seen.append(("before", list(state), prefix, rest[1]))
    )
    layer.register_load_state_dict_post_hook(
        lambda module, keys: seen.append(("after", list(keys.missing_keys)))
    )
    layer.load_state_dict({"weight": lib.ones(2, 2)}, strict=False)

    assert seen == [("before", ["weight"], "", True), ("after", ["bias"])]


def test_loading_hook_may_forgive_what_is_missing(lib):
    layer = ones_layer(lib)
    layer.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())

    assert layer.load_state_dict({"weight": lib.ones(2, 2)}).missing_keys == []


def test_registration_hook_sees_each_parameter(lib):
    seen = []
    register = lib.nn.modules.module.register_module_parameter_registration_hook
    with register(lambda module, name, parameter: seen.append(name)):
        lib.nn.Linear(2, 2)
    lib.nn.Linear(2, 2)

    assert seen == ["weight", "bias"]
