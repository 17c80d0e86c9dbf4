"""Promises of the lint: each slip is warned of once, programs without one are left in peace."""

from __future__ import annotations

import warnings

import pytest

import chainrule as cr
from chainrule.autograd import LintWarning, lint
from chainrule.autograd.linting import is_linting

F = cr.nn.functional


@pytest.fixture
def model(device):
    cr.manual_seed(0)
    return cr.nn.Sequential(cr.nn.Linear(2, 3), cr.nn.Tanh(), cr.nn.Linear(3, 1)).to(device)


@pytest.fixture
def x(device):
    return cr.ones(4, 2, device=device)


def warned(function, *args):
    """Return the texts of all lint warnings while *function* ran with the lint on."""
    with lint(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*args)
    return [str(w.message) for w in caught if issubclass(w.category, LintWarning)]


# Programs without a slip


def test_a_plain_training_loop_is_left_in_peace(model, x):
    def train():
        optimizer = cr.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(25):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), cr.ones_like(model(x)).detach())
            loss.backward()
            optimizer.step()

    assert warned(train) == []


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zeroing_in_either_way_is_seen(model, x, set_to_none):
    def train():
        optimizer = cr.optim.Adam(model.parameters())
        for _ in range(3):
            model(x).sum().backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=set_to_none)

    assert warned(train) == []


def test_accumulating_over_batches_is_no_slip(model, x):
    def train():
        optimizer = cr.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            for _ in range(3):
                model(x).sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    assert warned(train) == []


def test_writing_under_no_grad_after_the_pass_is_no_slip(model, x):
    def train():
        for _ in range(2):
            loss = model(x).pow(2).mean()
            loss.backward()
            with cr.no_grad():
                for p in model.parameters():
                    p -= 0.1 * p.grad  # noqa: PLW2901 - in place
                    p.data.mul_(0.99)
                    p.grad = None

    assert warned(train) == []


def test_writing_into_what_nobody_saved_is_no_slip(x):
    def run():
        y = (x.clone().requires_grad_() + 1).add_(1)
        y[0] = 3
        y.exp_().sum().backward()

    assert warned(run) == []


def test_a_hook_that_returns_a_new_gradient_is_no_slip(model, x):
    def run():
        y = model(x)
        y.register_hook(lambda grad: grad * 2)
        y.sum().backward()

    assert warned(run) == []


# Slips


def test_a_step_on_gradients_that_were_used_before_is_warned_of(model, x):
    def train():
        optimizer = cr.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            model(x).sum().backward()
            optimizer.step()

    (text,) = warned(train)
    assert text.startswith("SGD.step(): the gradient of model.0.weight, model.0.bias, ")
    assert "without zero_grad()" in text


def test_a_parameter_without_a_gradient_is_named(model, x):
    def train():
        optimizer = cr.optim.SGD(model.parameters(), lr=0.1)
        model[0](x).sum().backward()
        optimizer.step()

    (text,) = warned(train)
    assert text.startswith("SGD.step(): no gradient reached model.2.weight, model.2.bias.")


def test_a_frozen_parameter_needs_no_gradient(model, x):
    model[2].requires_grad = False

    def train():
        optimizer = cr.optim.SGD(model.parameters(), lr=0.1)
        model(x).sum().backward()
        optimizer.step()

    assert warned(train) == []


def test_a_write_through_data_into_a_saved_tensor_is_warned_of(x):
    def run():
        y = x.clone().requires_grad_().exp()
        y.data.add_(1)
        y.sum().backward()

    (text,) = warned(run)
    assert text.startswith("add_() wrote through .data into a tensor that ExpBackward0 saved")


def test_a_write_through_a_view_of_data_is_warned_of(x):
    def run():
        y = x.clone().requires_grad_().exp()
        y.data[0].zero_()
        y.sum().backward()

    (text,) = warned(run)
    assert "through .data" in text


def test_a_write_in_place_that_will_fail_is_warned_of_when_it_happens(x):
    def run():
        y = x.clone().requires_grad_().sigmoid()
        y.mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()

    (text,) = warned(run)
    assert text.startswith("mul_() wrote into a tensor that SigmoidBackward0 saved")


def test_a_step_between_two_passes_is_warned_of(model, x):
    def train():
        optimizer = cr.optim.SGD(model.parameters(), lr=0.1)
        hidden = model(x)
        hidden.sum().backward(retain_graph=True)
        optimizer.step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            (hidden * hidden).sum().backward()

    text = warned(train)[0]
    assert text.startswith("SGD.step() wrote into model.2.weight, which AddmmBackward0 saved")


@pytest.mark.parametrize("shapes", [((3, 1), (3,)), ((3,), (3, 1))])
def test_a_column_minus_a_row_is_warned_of(device, shapes):
    def run():
        one, other = (cr.ones(*shape, device=device) for shape in shapes)
        (one - other).pow(2).mean()

    (text,) = warned(run)
    assert text.startswith(f"sub() of shapes {shapes[0]} and {shapes[1]} gave (3, 3)")


def test_differences_of_other_shapes_are_no_slip(device):
    def run():
        for one, other in [((3, 1), (1, 3)), ((3, 2), (2,)), ((1, 1), (1,)), ((3,), (3,))]:
            _ = cr.ones(*one, device=device) - cr.ones(*other, device=device)

    assert warned(run) == []


def test_backward_on_a_leaf_is_warned_of(model, x):
    def train():
        loss = model(x).argmax().float()
        loss.requires_grad = True
        loss.backward()

    (text,) = warned(train)
    assert text.startswith("backward() was called on a leaf")


def test_a_hook_that_writes_into_the_gradient_is_warned_of(model, x):
    def run():
        y = model(x)
        y.register_hook(lambda grad: grad.mul_(2))
        (y * y).sum().backward()

    (text,) = warned(run)
    assert text.startswith("the gradient that arrived at AddmmBackward0 was written to by mul_()")


def test_graphs_that_pile_up_are_warned_of(model, x):
    def train():
        optimizer = cr.optim.SGD(model.parameters(), lr=0.0)
        total = 0
        for _ in range(20):
            loss = model(x).sum()
            total = total + loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    text = warned(train)[0]
    assert "earlier steps are still alive" in text
    assert "loss.item()" in text


def test_a_slip_is_warned_of_once_a_line(device):
    def run():
        for _ in range(5):
            _ = cr.ones(3, 1, device=device) - cr.ones(3, device=device)

    assert len(warned(run)) == 1


def test_warnings_name_the_line(device):
    text = warned(lambda: cr.ones(3, 1, device=device) - cr.ones(3, device=device))[0]

    assert "test_linting.py:" in text


# The switch


def test_nothing_is_warned_of_while_it_is_off(device, recwarn):
    _ = cr.ones(3, 1, device=device) - cr.ones(3, device=device)

    assert not is_linting()
    assert not [w for w in recwarn if issubclass(w.category, LintWarning)]


def test_it_goes_off_with_its_block_and_leaves_nothing_behind(model, x):
    from chainrule import engine, fast
    from chainrule.optim import optimizer

    before = engine.run_backward, engine.GraphTask.add_to_grad, fast.new_node
    with lint(), lint():
        assert is_linting()
    after = engine.run_backward, engine.GraphTask.add_to_grad, fast.new_node

    assert not is_linting()
    assert before == after
    assert not optimizer._pre_hooks_of_all
    assert not optimizer._post_hooks_of_all


def test_it_goes_together_with_tracking(model, x):
    def run():
        with cr.autograd.track_origins():
            y = x.clone().requires_grad_().exp()
        y.data.add_(1)
        y.sum().backward()

    assert "ExpBackward0 at " in warned(run)[0]
    assert not cr.autograd.origins.is_tracking_origins()


def test_a_weight_that_thousands_of_nodes_save_is_no_burden(x):
    from chainrule.autograd import linting

    def run():
        y, weight = x.clone().requires_grad_(), x.clone()
        for _ in range(2000):
            y = y * weight
        y.sum().backward()
        for _ in range(200):
            _ = (y.detach().requires_grad_() * weight).sum().backward()
        savers = linting.linter.savers[id(weight._array)]
        assert len(savers.references) <= 2 * 2000 + 200

    assert warned(run) == []


def test_tensors_of_inference_mode_are_left_in_peace(device):
    def run():
        with cr.inference_mode():
            y = cr.ones(3, device=device)
            y.add_(1)
            y.detach().mul_(2)

    assert warned(run) == []
