"""Promises of `explain_grad` and `track_origins`: the reason is right, the line is named."""

from __future__ import annotations

import gc
import inspect

import pytest

import chainrule as cr
from chainrule.autograd import origins


@pytest.fixture
def make(device):
    def make(*shape, **options):
        return cr.ones(*shape, device=device, **{"requires_grad": True, **options})

    return make


@pytest.fixture
def tracked():
    with cr.autograd.track_origins():
        yield


def next_line():
    """Return the line after the one that calls, as a message names it."""
    return f"{__file__}:{inspect.currentframe().f_back.f_lineno + 1}"


# Without tracking


def test_a_filled_gradient_is_said_to_be_there(make):
    w = make(2)
    w.sum().backward()

    assert cr.explain_grad(w).reason == "filled"


def test_a_zero_gradient_is_noticed(make):
    w = make(2)
    (w * 0).sum().backward()

    assert "zero everywhere" in cr.explain_grad(w)


def test_a_computed_tensor_is_no_leaf_and_its_leaves_are_named(make):
    w = make(2)
    scaled = w * 2
    found = cr.explain_grad(scaled)

    assert found.reason == "not_leaf"
    assert found.splitlines() == [
        "scaled.grad is None: it is not a leaf: MulBackward0 made it.",
        "backward() fills the .grad of leaves: here w.",
        "Call scaled.retain_grad() before backward() to have its gradient kept too.",
    ]


def test_an_integer_tensor_has_no_gradient(make):
    found = cr.explain_grad(cr.arange(3))

    assert found.reason == "dtype"
    assert "torch.int64" in found


def test_a_frozen_tensor_is_said_to_be_frozen(make):
    b = make(2, requires_grad=False)

    assert cr.explain_grad(b).reason == "frozen"


def test_a_graph_without_a_pass_waits_for_backward(make):
    w = make(2)
    loss = w.exp().sum()
    found = cr.explain_grad(w, loss=loss)

    assert found.reason == "not_run"
    assert "(SumBackward0 <- ExpBackward0)" in found
    assert found.endswith("Call loss.backward().")


def test_a_graph_is_found_without_being_shown(make):
    w = make(2)
    loss = w.exp().sum()

    assert cr.explain_grad(w).reason == "not_run"
    loss.backward()
    w.grad = None
    assert cr.explain_grad(w).reason == "reset"


def test_an_unused_tensor_is_said_to_be_unused(make):
    w, other = make(2), make(2)
    loss = other.sum()

    assert cr.explain_grad(w).reason == "unused"
    assert cr.explain_grad(w, loss=loss).reason == "no_path"


def test_a_loss_without_history_is_said_to_have_none(make):
    w = make(2)

    assert cr.explain_grad(w, loss=w.detach().sum()).reason == "cut"


def test_a_tensor_that_retains_its_gradient_waits_for_backward(make):
    kept = make(2) * 2
    kept.retain_grad()

    assert cr.explain_grad(kept).reason == "not_run"


def test_parameters_are_called_by_their_paths(make, device):
    model = cr.nn.Sequential(cr.nn.Linear(2, 2)).to(device)

    assert cr.explain_grad(model[0].weight).startswith("model.0.weight.grad is None")
    assert cr.explain_grad(model[0].weight, model=model).startswith("0.weight.grad is None")


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match="expected a tensor, got int"):
        cr.explain_grad(3)


# With tracking


CUTS = {
    "detach": (lambda t: t.detach().sum(), "detach() cut the history"),
    "data": (lambda t: t.data.sum(), ".data cut the history"),
    "argmax": (lambda t: t.argmax().float(), "argmax() gave torch.int64"),
    "long": (lambda t: t.long().float().sum(), "to() gave torch.int64"),
    "comparison": (lambda t: (t > 0).float().mean(), "gt() gave torch.bool"),
    "item": (
        lambda t: cr.tensor(t.sum().item(), device=t.device) * 2,
        "item() gave a Python number",
    ),
    "tolist": (lambda t: cr.tensor(t.tolist(), device=t.device).sum(), "tolist() gave a list"),
}


def under_no_grad(t):
    with cr.no_grad():
        return t.sum()


@pytest.mark.parametrize("name", [*CUTS, "no_grad"])
def test_the_operation_that_cut_the_graph_is_named(make, tracked, name):
    cut, sentence = CUTS.get(name, (under_no_grad, "sum() ran with recording off"))
    w = make(2)
    logits = w * 3
    loss = cut(logits)

    with pytest.raises(RuntimeError) as caught:
        loss.backward()
    first, _, ours = str(caught.value).partition("\n")
    assert first == "element 0 of tensors does not require grad and does not have a grad_fn"
    assert sentence in ours
    assert caught.value.why in ours


def test_the_line_that_cut_the_graph_is_named(make, tracked):
    w = make(2)
    line = next_line()
    cut = w.detach()
    loss = (cut * 2).sum()

    with pytest.raises(RuntimeError, match=r"^element 0") as caught:
        loss.backward()
    assert line in str(caught.value)
    assert "'w' (of shape (2,), a leaf that requires grad)" in str(caught.value)


def test_the_reason_passes_through_many_operations(make, tracked):
    loss = make(3).argmax().float()
    for _ in range(20):
        loss = (loss + 1).exp().log()

    assert "argmax()" in cr.explain_grad(loss)
    assert cr.explain_grad(loss).reason == "cut"


def test_a_leaf_whose_every_use_was_cut_names_the_uses(make, tracked):
    w, other = make(2), make(2)
    loss = (w.detach() + other).sum()
    found = cr.explain_grad(w, loss=loss)

    assert found.reason == "cut"
    assert "detach() cut the history, at " in found


def test_the_line_that_made_a_non_leaf_is_named(make, tracked):
    w = make(2)
    line = next_line()
    scaled = w * 2

    assert f"MulBackward0 made it at {line}" in cr.explain_grad(scaled)


def test_a_gradient_that_was_reset_names_the_pass_that_filled_it(make, tracked):
    w = make(2)
    line = next_line()
    w.sum().backward()
    w.grad = None
    found = cr.explain_grad(w)

    assert found.reason == "reset"
    assert f"backward pass 1, at {line}" in found


def test_backward_a_second_time_names_node_line_and_pass(make, tracked):
    w = make(2)
    made = next_line()
    hidden = w.exp()
    freed = next_line()
    hidden.sum().backward()

    with pytest.raises(RuntimeError, match=r"^Trying to backward through the graph a second") as e:
        hidden.sum().backward()
    assert e.value.op == "ExpBackward0"
    assert made in e.value.made_at
    assert f"backward pass 1, at {freed}" in e.value.freed_by
    assert "detach() it" in str(e.value)


def test_the_warning_of_a_non_leaf_names_what_made_it(make):
    scaled = make(2) * 2
    with pytest.warns(UserWarning, match=r"(?s)^The \.grad attribute .*MulBackward0"):
        assert scaled.grad is None


def test_steps_and_initializations_are_not_called_cuts(make, tracked, device):
    layer = cr.nn.Linear(2, 2).to(device)
    optimizer = cr.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    layer(make(1, 2)).sum().backward()
    optimizer.step()

    assert origins.tracker.lost.get(layer.weight) is None


def test_derivatives_of_a_pass_are_not_called_cuts(make, tracked):
    w = make(2)
    w.exp().sigmoid().sum().backward()

    assert not len(origins.tracker.cuts)


def test_notes_go_with_their_tensors(make, tracked):
    w = make(2)
    w.detach()
    gc.collect()

    assert not len(origins.tracker.cuts)


def test_tracking_ends_with_its_block(make):
    calls = vars(cr.Tensor)["__add__"].__closure__[0].cell_contents
    with cr.autograd.track_origins():
        assert origins.is_tracking_origins()
        assert vars(cr.Tensor)["__add__"].__closure__[0].cell_contents is not calls

    assert not origins.is_tracking_origins()
    assert vars(cr.Tensor)["__add__"].__closure__[0].cell_contents is calls
    assert "fast" in vars(cr.add)
    assert cr.add.fast is calls
    assert "in_place" not in vars(cr.add)


def test_blocks_may_be_nested_and_switched_off_inside():
    with cr.autograd.track_origins():
        with cr.autograd.track_origins(False):
            assert not origins.is_tracking_origins()
        assert origins.is_tracking_origins()


@pytest.mark.filterwarnings("ignore:Anomaly Detection:UserWarning")
@pytest.mark.filterwarnings("ignore:Error detected:UserWarning")
def test_tracking_goes_together_with_anomaly_mode(make):
    with cr.autograd.track_origins(), cr.autograd.detect_anomaly():
        doubled = make(1) * 2
        doubled.register_hook(lambda grad: grad * float("nan"))
        with pytest.raises(RuntimeError, match=r"^Function 'MulBackward0' returned nan values"):
            doubled.sum().backward()

    assert not origins.is_tracking_origins()


def test_results_are_the_same_while_tracked(make):
    def run():
        w = make(2, 3)
        y = (w * 2).sum(0, keepdim=True).expand(2, 3).clone()
        y[0] = 1
        y += w
        y.mean().backward()
        return w.grad.tolist(), type(y.grad_fn).__name__

    plain = run()
    with cr.autograd.track_origins():
        assert run() == plain


def test_a_parameter_changed_by_a_step_is_named_with_the_step(device):
    model = cr.nn.Linear(2, 1).to(device)
    optimizer = cr.optim.SGD(model.parameters(), lr=0.1)
    hidden = model(cr.ones(1, 2, device=device, requires_grad=True))
    hidden.sum().backward(retain_graph=True)
    optimizer.step()

    with pytest.raises(RuntimeError, match=r"modified by an inplace operation") as caught:
        (hidden * hidden).sum().backward()
    assert caught.value.modified_by == "SGD.step"
    assert caught.value.tensor == "model.weight"
    assert "Go backward through all losses before the step" in str(caught.value)


def test_the_users_line_is_named_and_the_layer_it_called(device, tracked):
    model = cr.nn.Linear(2, 1).to(device)
    line = next_line()
    hidden = model(cr.ones(1, 2, device=device))

    assert cr.explain_grad(hidden).splitlines()[0].endswith("(in Linear.forward).")
    assert line in cr.explain_grad(hidden)


def test_subclasses_made_while_tracked_keep_their_type(device):
    with cr.autograd.track_origins():

        class Marked(cr.Tensor):
            pass

        made = cr.ones(2, device=device).as_subclass(Marked)
        assert type(made.detach()) is Marked
        assert type(made.data) is Marked
    assert type(made.detach()) is Marked


def test_threads_that_come_and_go_leave_it_off():
    import threading

    def work():
        for _ in range(10):
            with cr.autograd.track_origins():
                (cr.ones(2, requires_grad=True) * 2).sum().backward()

    quick = cr.add.fast
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not origins.is_tracking_origins()
    assert cr.add.fast is quick


def test_a_plain_call_holds_until_the_next_one():
    cr.autograd.track_origins()
    assert origins.is_tracking_origins()
    with cr.autograd.track_origins(False):
        assert not origins.is_tracking_origins()
    assert origins.is_tracking_origins()
    cr.autograd.track_origins(False)
    assert not origins.is_tracking_origins()
