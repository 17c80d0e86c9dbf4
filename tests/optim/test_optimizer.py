"""What all optimizers do: groups, state, hooks, saving, and what they refuse."""

from __future__ import annotations

import copy
import pickle

import pytest


@pytest.fixture
def weight(lib):
    made = lib.ones(2, requires_grad=True)
    made.grad = lib.ones(2)
    return made


def test_groups_have_hyper_parameters_of_their_own(lib, weight):
    other = lib.ones(1, requires_grad=True)
    optimizer = lib.optim.SGD([{"params": weight}, {"params": [other], "lr": 0.5}], lr=0.1)

    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.5]
    assert optimizer.param_groups[0]["params"][0] is weight
    assert optimizer.defaults["lr"] == 0.1


def test_group_may_be_added_later(lib, weight):
    optimizer = lib.optim.SGD([weight], lr=0.1)
    optimizer.add_param_group({"params": lib.ones(1, requires_grad=True), "momentum": 0.9})

    assert optimizer.param_groups[1]["momentum"] == 0.9
    assert optimizer.param_groups[1]["lr"] == 0.1


def test_named_parameters_keep_their_names(lib, weight):
    optimizer = lib.optim.SGD([("w", weight)], lr=0.1)

    assert optimizer.param_groups[0]["param_names"] == ["w"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["w"]
    assert optimizer.param_groups[0]["params"][0] is weight


def test_names_are_given_to_all_or_to_none(lib, raises, weight):
    with raises(ValueError, "all optimizer params should be with/without names. Some param names"):
        lib.optim.SGD([("w", weight), lib.ones(1)])
    with raises(ValueError, "all optimizer param groups should be with/without names. cannot add"):
        lib.optim.SGD([("w", weight)]).add_param_group({"params": [lib.ones(1)]})


@pytest.mark.parametrize(
    ("params", "error", "sentence"),
    [
        (lambda lib: [], ValueError, "optimizer got an empty parameter list"),
        (
            lambda lib: lib.ones(1),
            TypeError,
            "params argument given to the optimizer should be an iterable of Tensors or dicts",
        ),
        (
            lambda lib: [lib.ones(1, requires_grad=True) * 2],
            ValueError,
            "can't optimize a non-leaf Tensor",
        ),
        (
            lambda lib: [3],
            TypeError,
            "optimizer can only optimize Tensors, but one of the params is int",
        ),
        (
            lambda lib: [{"params": {lib.ones(1)}}],
            TypeError,
            "optimizer parameters need to be organized in ordered collections, but the ordering of",
        ),
    ],
)
def test_what_cannot_be_optimized_is_refused(lib, raises, params, error, sentence):
    with raises(error, sentence):
        lib.optim.SGD(params(lib), lr=0.1)


def test_group_must_be_a_dictionary(lib, raises, weight):
    with raises(TypeError, "param_group must be a dict, but got <class 'int'>"):
        lib.optim.SGD([weight]).add_param_group(3)


def test_parameter_belongs_to_one_group(lib, raises, warns, weight):
    with raises(ValueError, "some parameters appear in more than one parameter group"):
        lib.optim.SGD([{"params": [weight]}, {"params": [weight]}])
    with warns(UserWarning, "optimizer contains a parameter group with duplicate parameters; in"):
        lib.optim.SGD([weight, weight])


def test_required_hyper_parameter_must_be_given(lib, raises, weight):
    from_group = lib.optim.Optimizer([{"params": [weight], "rate": 1}], {"rate": None})
    assert from_group.param_groups[0]["rate"] == 1

    with raises(NotImplementedError, ""):
        from_group.step()


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("SGD", {"lr": -0.1}, "Invalid learning rate: -0.1"),
        ("SGD", {"momentum": -1}, "Invalid momentum value: -1"),
        ("SGD", {"weight_decay": -1}, "Invalid weight_decay value: -1"),
        ("SGD", {"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        ("Adam", {"lr": -0.1}, "Invalid learning rate: -0.1"),
        ("Adam", {"lr": float("nan")}, "Invalid learning rate: nan"),
        ("Adam", {"eps": -1}, "Invalid epsilon value: -1"),
        ("Adam", {"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
        ("Adam", {"betas": (0.9, 1.0)}, "Invalid beta parameter at index 1: 1.0"),
        ("AdamW", {"weight_decay": -1}, "Invalid weight_decay value: -1"),
        ("Adagrad", {"lr": -1.0}, "Invalid learning rate: -1.0"),
        ("Adagrad", {"lr_decay": -1}, "Invalid lr_decay value: -1"),
        (
            "Adagrad",
            {"initial_accumulator_value": -1},
            "Invalid initial_accumulator_value value: -1",
        ),
        ("Adadelta", {"rho": 2}, "Invalid rho value: 2"),
        ("Adadelta", {"eps": -1}, "Invalid epsilon value: -1"),
        ("RMSprop", {"alpha": -1}, "Invalid alpha value: -1"),
        ("RMSprop", {"momentum": -1}, "Invalid momentum value: -1"),
        ("Adamax", {"betas": (0.1, 1.9)}, "Invalid beta parameter at index 1: 1.9"),
        ("NAdam", {"momentum_decay": -1}, "Invalid momentum_decay value: -1"),
        ("RAdam", {"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
        ("ASGD", {"weight_decay": -1}, "Invalid weight_decay value: -1"),
        ("Rprop", {"etas": (1.0, 0.9)}, "Invalid eta values: 1.0, 0.9"),
        ("LBFGS", {"lr": -1.0}, "Invalid learning rate: -1.0"),
        ("SparseAdam", {"eps": -1}, "Invalid epsilon value: -1"),
        ("Adafactor", {"lr": -1.0}, "Learning rate should be >= 0 but is: -1.0"),
        ("Adafactor", {"beta2_decay": 1.0}, "beta2_decay should be <= 0 but is: 1.0"),
        ("Adafactor", {"eps": (-1.0, 1.0)}, "epsilon1 should be >= 0 but is: -1.0"),
        ("Adafactor", {"eps": (None, -1.0)}, "epsilon2 should be >= 0 but is: -1.0"),
        ("Adafactor", {"d": 0.5}, "Clipping threshold d should be >= 1 but is: 0.5"),
        ("Muon", {"momentum": -1.0}, "momentum should be >= 0 but is: -1.0"),
        ("Muon", {"weight_decay": -1.0}, "weight decay should be >= 0 but is: -1.0"),
        ("Muon", {"adjust_lr_fn": "x"}, "Adjust learning rate function x is not supported"),
        ("Muon", {}, "Muon only supports 2D parameters whereas we found a parameter with size:"),
    ],
)
def test_impossible_settings_are_refused(lib, raises, weight, name, settings, sentence):
    with raises(ValueError, sentence):
        getattr(lib.optim, name)([weight], **settings)


def test_two_ways_to_step_at_once_are_refused(lib, raises, weight):
    with raises(RuntimeError, "`fused` and `foreach` cannot be `True` together."):
        lib.optim.SGD([weight], fused=True, foreach=True)
    with raises(RuntimeError, "`fused` does not support `differentiable`"):
        lib.optim.SGD([weight], fused=True, differentiable=True)


def test_step_leaves_parameters_without_gradient_alone(lib, weight):
    other = lib.ones(1, requires_grad=True)
    for name in ("SGD", "Adam", "AdamW"):
        optimizer = getattr(lib.optim, name)([weight, other], lr=0.1, weight_decay=0.5)
        optimizer.step()

        assert other.tolist() == [1.0]
        assert other not in optimizer.state


def test_step_changes_values_outside_the_graph_and_counts_versions_up(lib, weight):
    for name in ("SGD", "Adam", "AdamW"):
        before = weight._version
        getattr(lib.optim, name)([weight], lr=0.1).step()

        assert (weight.is_leaf, weight.requires_grad) == (True, True)
        assert weight._version > before


def test_step_between_forward_and_backward_is_noticed(lib):
    w = lib.ones(2, requires_grad=True)
    loss = (w * w).sum()
    w.grad = lib.ones(2)
    lib.optim.SGD([w], lr=0.1).step()

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_closure_runs_with_recording_on_and_its_loss_is_returned(lib, weight):
    optimizer = lib.optim.SGD([weight], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (weight * 3).sum()
        loss.backward()
        return loss

    with lib.no_grad():
        assert optimizer.step(closure).item() == pytest.approx(6.0)
    assert optimizer.step() is None
    assert weight.grad.tolist() == [3.0, 3.0]


def test_zero_grad_drops_gradients_or_fills_them_with_zeros(lib, weight):
    optimizer = lib.optim.SGD([weight], lr=0.1)
    grad = weight.grad
    optimizer.zero_grad(set_to_none=False)
    assert weight.grad is grad
    assert grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert weight.grad is None


def test_hooks_run_around_a_step(lib, weight):
    seen = []
    optimizer = lib.optim.SGD([weight], lr=0.1)
    optimizer.register_step_pre_hook(lambda *args: seen.append(("before", weight[0].item())))
    optimizer.register_step_post_hook(
        lambda *args: seen.append(("after", round(weight[0].item(), 4)))
    )
    optimizer.step()

    assert seen == [("before", 1.0), ("after", 0.9)]


def test_pre_hook_must_return_arguments(lib, weight):
    optimizer = lib.optim.SGD([weight], lr=0.1)
    handle = optimizer.register_step_pre_hook(lambda *args: 3)

    with pytest.raises(RuntimeError, match="must return None or a tuple of"):
        optimizer.step()
    handle.remove()
    optimizer.step()


def test_own_optimizer_needs_a_step_alone(lib, weight):
    class Signs(lib.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        @lib.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.sub_(group["lr"] * p.grad.sign())

    seen, optimizer = [], Signs([weight], lr=0.25)
    optimizer.register_step_post_hook(lambda *args: seen.append("hook"))
    optimizer.step()

    assert weight.tolist() == [0.75, 0.75]
    assert seen == ["hook"]


def test_repr_lists_groups_and_their_settings(lib, weight):
    optimizer = lib.optim.SGD([{"params": [weight]}, {"params": [], "lr": 0.5}], lr=0.1)

    settings = (
        "    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n"
        "    lr: {}\n    maximize: False\n    momentum: 0\n    nesterov: False\n"
        "    weight_decay: 0\n"
    )
    assert repr(optimizer) == (
        "SGD (\nParameter Group 0\n" + settings.format(0.1)
        + "\nParameter Group 1\n" + settings.format(0.5) + ")"
    )  # fmt: skip


def test_state_dict_numbers_parameters(lib, weight):
    other = lib.ones(1, requires_grad=True)
    optimizer = lib.optim.Adam([{"params": [other]}, {"params": [weight]}], lr=0.1)
    optimizer.step()
    state = optimizer.state_dict()

    assert [group["params"] for group in state["param_groups"]] == [[0], [1]]
    assert list(state["state"]) == [1]
    assert sorted(state["state"][1]) == ["exp_avg", "exp_avg_sq", "step"]
    assert state["state"][1]["step"].item() == 1.0


@pytest.mark.parametrize(
    ("name", "settings"),
    [("SGD", {"momentum": 0.9}), ("Adam", {"amsgrad": True}), ("AdamW", {})],
)
def test_training_goes_on_where_it_was_saved(lib, name, settings):
    def train(optimizer, w, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            (w * w * lib.tensor([1.0, 3.0])).sum().backward()
            optimizer.step()

    make = getattr(lib.optim, name)
    w = lib.ones(2, requires_grad=True)
    optimizer = make([w], lr=0.1, **settings)
    train(optimizer, w, 3)
    again = w.detach().clone().requires_grad_()
    other = make([again], lr=0.5, **settings)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(optimizer, w, 3)
    train(other, again, 3)

    assert other.param_groups[0]["lr"] == 0.1
    assert again.tolist() == w.tolist()


def test_loaded_state_takes_the_dtype_of_its_parameter(lib, weight):
    optimizer = lib.optim.Adam([weight], lr=0.1)
    optimizer.step()
    double = lib.ones(2, dtype=lib.float64, requires_grad=True)
    other = lib.optim.Adam([double], lr=0.1)
    other.load_state_dict(optimizer.state_dict())

    assert other.state[double]["exp_avg"].dtype is lib.float64
    assert other.state[double]["step"].dtype is lib.float32


def test_state_of_another_shape_is_refused(lib, raises, weight):
    optimizer = lib.optim.SGD([weight], lr=0.1)
    state = optimizer.state_dict()
    other = lib.optim.SGD([weight, lib.ones(1, requires_grad=True)], lr=0.1)

    with raises(ValueError, "loaded state dict contains a parameter group that doesn't match the"):
        other.load_state_dict(state)
    other.add_param_group({"params": [lib.ones(1, requires_grad=True)]})
    with raises(ValueError, "loaded state dict has a different number of parameter groups"):
        other.load_state_dict(state)


def test_hooks_see_and_may_replace_saved_state(lib, weight):
    optimizer, seen = lib.optim.SGD([weight], lr=0.1), []
    optimizer.register_state_dict_pre_hook(lambda opt: seen.append("saving"))
    optimizer.register_state_dict_post_hook(lambda opt, state: {**state, "note": "ours"})
    optimizer.register_load_state_dict_pre_hook(lambda opt, state: seen.append(state["note"]))
    optimizer.register_load_state_dict_post_hook(lambda opt: seen.append("loaded"))
    optimizer.load_state_dict(optimizer.state_dict())

    assert seen == ["saving", "ours", "loaded"]


def test_optimizer_is_pickled_and_copied_with_its_parameters(lib, weight):
    optimizer = lib.optim.Adam([weight], lr=0.1)
    optimizer.step()

    for made in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):  # noqa: S301 - our own bytes
        (param,) = made.param_groups[0]["params"]
        assert param is not weight
        assert param.tolist() == weight.tolist()
        assert made.state[param]["exp_avg"].tolist() == optimizer.state[weight]["exp_avg"].tolist()
        made.step()


def test_a_class_that_wraps_an_optimizer_need_not_call_our_init(lib):
    class Lookahead(lib.optim.Optimizer):
        def __init__(self, optimizer):
            self.optimizer = optimizer
            self.param_groups, self.state = optimizer.param_groups, {}

        def step(self, closure=None):
            return self.optimizer.step(closure)

    w = lib.ones(2, requires_grad=True)
    optimizer = Lookahead(lib.optim.SGD([w], lr=0.5))
    w.sum().backward()
    optimizer.step()

    assert w.tolist() == [0.5, 0.5]
