"""Promises of the tables: every parameter has its row, what is alive is counted, NaN is found."""

from __future__ import annotations

import gc

import pytest

import chainrule as cr
from chainrule.autograd import grad_report, graph_stats, trainable_summary


@pytest.fixture
def model(device):
    cr.manual_seed(0)
    return cr.nn.Sequential(cr.nn.Linear(3, 4), cr.nn.Tanh(), cr.nn.Linear(4, 1)).to(device)


@pytest.fixture
def x(device):
    return cr.ones(2, 3, device=device)


def test_every_state_of_a_gradient_has_its_word(model, x):
    model[0].bias.requires_grad = False
    loss = model[0](x).sum()
    loss.backward()
    rows = {row.name: row for row in grad_report(model, loss).rows}

    assert (rows["0.weight"].used, rows["0.weight"].state) == (True, "finite")
    assert rows["0.weight"].norm == pytest.approx(float(model[0].weight.grad.norm()))
    assert rows["0.bias"].note == "frozen"
    assert rows["2.weight"].note == "not used by the loss"


def test_without_a_loss_it_is_not_known_what_is_used(model):
    report = grad_report(model)

    assert {row.used for row in report.rows} == {None}
    assert all(row.note == "no gradient yet" for row in report.rows)


def test_a_graph_without_a_pass_is_noted(model, x):
    loss = model(x).sum()

    assert {row.note for row in grad_report(model, loss).rows} == {"used, but no pass came along"}


def test_the_first_node_that_gave_nan_is_named(model, x):
    hidden = model(x)
    hidden.register_hook(lambda grad: grad * float("nan"))
    loss = (hidden * 2).sum()
    loss.backward(retain_graph=True)
    report = grad_report(model, loss)

    assert {row.state for row in report.rows} == {"NaN"}
    assert report.first_nan == "AddmmBackward0"
    assert str(report).endswith("First NaN: AddmmBackward0")


def test_nan_in_a_freed_graph_says_what_to_do(model, x):
    hidden = model(x)
    hidden.register_hook(lambda grad: grad * float("nan"))
    loss = hidden.sum()
    loss.backward()

    assert "retain_graph=True" in grad_report(model, loss).first_nan


def test_looking_for_nan_leaves_gradients_alone(model, x):
    hidden = model(x)
    hidden.register_hook(lambda grad: grad * float("nan"))
    loss = hidden.sum()
    loss.backward(retain_graph=True)
    before = model[0].weight.grad
    grad_report(model, loss)

    assert model[0].weight.grad is before


def test_live_nodes_are_counted_until_they_go(device):
    gc.collect()
    before = graph_stats()
    y = cr.ones(4, device=device, requires_grad=True).exp().exp()
    during = graph_stats()
    del y
    gc.collect()
    after = graph_stats()

    assert during.nodes - before.nodes == 2
    assert during.graphs - before.graphs == 1
    assert during.bytes - before.bytes == 32
    assert after.nodes == before.nodes


def test_memory_saved_twice_counts_once(device):
    x = cr.ones(4, device=device, requires_grad=True)
    y = x.exp()
    loss = (y * y).sum()

    assert graph_stats(loss).bytes == 16


def test_lines_are_shown_where_they_are_tracked(device):
    with cr.autograd.track_origins():
        loss = cr.ones(4, device=device, requires_grad=True).exp().sum()

    assert "test_reporting.py:" in str(graph_stats(loss))


def test_parameters_are_counted_by_whether_they_train(model):
    model[0].requires_grad = False
    summary = trainable_summary(model)

    assert (summary.trainable, summary.frozen) == (5, 16)
    assert str(summary).endswith("5 of 21 elements are trainable (23.8 %)")


def test_shared_parameters_count_once(device):
    model = cr.nn.Sequential(cr.nn.Linear(2, 2, bias=False), cr.nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    summary = trainable_summary(model)

    assert summary.trainable == 4
    assert summary.rows[1].shared == "0.weight"


def test_a_module_without_parameters_has_an_empty_table():
    assert str(trainable_summary(cr.nn.ReLU())).endswith("0 of 0 elements are trainable")
