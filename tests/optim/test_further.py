"""Where chainrule's optimizers go further than PyTorch's, on purpose."""

from __future__ import annotations

import pytest

import chainrule as cr


@pytest.mark.parametrize(
    "make",
    [
        lambda params: cr.optim.SGD(params, 0.1, momentum=0.9, weight_decay=0.1),
        lambda params: cr.optim.Adam(params, 0.1, weight_decay=0.1),
        lambda params: cr.optim.AdamW(params, 0.1, weight_decay=0.1),
    ],
)
def test_frozen_parameter_does_not_move_whatever_its_gradient_and_momentum(make):
    w = cr.ones(2, requires_grad=True)
    w.grad = cr.ones(2)
    optimizer = make([w])
    optimizer.step()
    before = w.tolist()
    state = {key: tensor.tolist() for key, tensor in optimizer.state[w].items()}
    w.requires_grad = False
    optimizer.step()

    assert w.tolist() == before
    assert {key: tensor.tolist() for key, tensor in optimizer.state[w].items()} == state


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0])
def test_learning_rate_that_is_no_number_is_refused_everywhere(bad):
    w = cr.ones(1, requires_grad=True)

    for make in (cr.optim.SGD, cr.optim.Adam, cr.optim.AdamW):
        with pytest.raises(ValueError, match=f"Invalid learning rate: {bad}"):
            make([w], lr=bad)
        with pytest.raises(ValueError, match=f"Invalid learning rate: {bad}"):
            make([{"params": [w], "lr": bad}])


def test_loaded_state_is_a_copy():
    w = cr.ones(1, requires_grad=True)
    w.grad = cr.ones(1)
    optimizer = cr.optim.Adam([w], lr=0.1)
    optimizer.step()
    state = optimizer.state_dict()
    other = cr.optim.Adam([w], lr=0.1)
    other.load_state_dict(state)
    before = state["state"][0]["exp_avg"].tolist()
    other.step()

    assert state["state"][0]["exp_avg"].tolist() == before


def test_hooks_run_once_where_a_step_calls_the_step_it_overrides():
    class Twice(cr.optim.SGD):
        def step(self, closure=None):
            super().step()
            return super().step(closure)

    seen, w = [], cr.ones(1, requires_grad=True)
    w.grad = cr.ones(1)
    optimizer = Twice([w], lr=0.1)
    optimizer.register_step_post_hook(lambda *args: seen.append("hook"))
    optimizer.step()

    assert seen == ["hook"]
    assert w.item() == pytest.approx(0.8)


def test_required_hyper_parameter_is_asked_for():
    from chainrule.optim.optimizer import required

    with pytest.raises(ValueError, match="didn't specify a value of required optimization"):
        cr.optim.Optimizer([cr.ones(1)], {"rate": required})


def test_recorded_first_step_with_momentum_passes_gradients_through_its_buffer():
    w = cr.tensor([0.5, 2.0], requires_grad=True)
    param = w.clone()
    param.retain_grad()
    param.grad = w * w
    cr.optim.SGD([param], 0.25, momentum=0.9, differentiable=True).step()
    param.sum().backward()

    assert w.grad.tolist() == pytest.approx([1 - 0.25 * 2 * 0.5, 1 - 0.25 * 2 * 2.0])


RECORDED = {
    "SGD": {"momentum": 0.9, "weight_decay": 0.1},
    "SGD by Nesterov": {"momentum": 0.9, "nesterov": True},
    "Adam": {"eps": 1.0, "weight_decay": 0.1},
    "Adam with the largest": {"eps": 1.0, "amsgrad": True},
    "Adagrad": {"eps": 1.0},
    "Adadelta": {"eps": 0.5},
    "RMSprop": {"eps": 1.0},
    "RMSprop centered": {"eps": 1.0, "centered": True, "momentum": 0.5, "alpha": 0.5},
    "Adamax": {"eps": 1.0},
    "NAdam": {"eps": 1.0},
    "RAdam": {"eps": 1.0, "betas": (0.5, 0.5)},
    "ASGD": {"weight_decay": 0.1},
}


@pytest.mark.parametrize("name", RECORDED)
def test_three_recorded_steps_have_the_gradient_of_finite_differences(name):
    def trained(w):
        param = w.clone()
        param.retain_grad()
        make = getattr(cr.optim, name.partition(" ")[0])
        optimizer = make([param], lr=0.25, differentiable=True, **RECORDED[name])
        for scale in (1.0, 2.0, -1.0):
            param.grad = scale * w * w
            optimizer.step()
        return param

    w = cr.tensor([0.5, 2.0, -1.0], dtype=cr.float64, requires_grad=True)

    assert cr.autograd.gradcheck(trained, (w,))


def test_recorded_steps_by_signs_pass_no_gradient_and_no_error():
    w = cr.tensor([0.5, 2.0], requires_grad=True)
    param = w.clone()
    param.retain_grad()
    optimizer = cr.optim.Rprop([param], lr=0.25, differentiable=True)
    for scale in (1.0, -1.0, 1.0):
        param.grad = scale * w * w
        optimizer.step()
    param.sum().backward()

    assert w.grad.tolist() == [1.0, 1.0]
