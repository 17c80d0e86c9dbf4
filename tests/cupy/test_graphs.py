"""A whole training step is captured as a graph, and replayed, with no word to the host between."""

from __future__ import annotations

import cupy
import numpy as np
import pytest
from cupy_standin import counting

import chainrule as cr
from chainrule import nn
from chainrule.nn import functional as F
from chainrule_cupy import blas


def model_of(dropout=0.0):
    """Return a small model on the device, and data."""
    cr.manual_seed(0)
    layers = [nn.Linear(6, 8), nn.GELU(), nn.LayerNorm(8)]
    if dropout:
        layers.append(nn.Dropout(dropout))
    model = nn.Sequential(*layers, nn.Linear(8, 3)).cuda()
    return model, cr.randn(5, 6).cuda(), cr.randint(0, 3, (5,)).cuda()


class Step:
    """One step of training; gradients stay in their memory from step to step."""

    def __init__(self, dropout=0.0, optimizer=None, clip=None):
        self.model, self.x, self.y = model_of(dropout)
        make = optimizer or (lambda params: cr.optim.SGD(params, lr=0.1, momentum=0.9))
        self.optimizer, self.clip = make(self.model.parameters()), clip

    def __call__(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.model(self.x), self.y)
        loss.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        return loss

    def values(self):
        return [p.detach().cpu().numpy() for p in self.model.parameters()]

    def warm_up(self, times=2):
        stream = cr.cuda.Stream()
        stream.wait_stream(cr.cuda.current_stream())
        with cr.cuda.stream(stream):
            for _ in range(times):
                self()
        cr.cuda.current_stream().wait_stream(stream)

    def captured(self):
        graph = cr.cuda.CUDAGraph()
        with cr.cuda.graph(graph):
            self.loss = self()
        return graph


def test_replays_train_as_the_same_steps_one_by_one():
    plain, captured = Step(), Step()
    plain.warm_up(2 + 3)
    captured.warm_up(2)
    graph = captured.captured()
    for _ in range(3):
        graph.replay()

    for found, wanted in zip(captured.values(), plain.values(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


READING = {
    "Adam": lambda params, lr: cr.optim.Adam(params, lr=lr, capturable=True),
    "AdamW, AMSGrad": lambda params, lr: cr.optim.AdamW(
        params, lr=lr, amsgrad=True, weight_decay=0.1, capturable=True
    ),
    "SGD": lambda params, lr: cr.optim.SGD(params, lr=lr, momentum=0.9, nesterov=True),
}


@pytest.mark.parametrize("make", READING.values(), ids=READING)
def test_replays_follow_a_learning_rate_that_changes_and_the_count_of_steps(make):
    def rate():
        return cr.tensor(0.1, device="cuda")

    plain, captured = (
        Step(optimizer=lambda params, lr=lr: make(params, lr), clip=0.5) for lr in (rate(), rate())
    )
    for step in (plain, captured):
        step.warm_up(2)
    graph = captured.captured()
    for new in (0.1, 0.03, 0.003, 0.2):
        for step in (plain, captured):
            step.optimizer.param_groups[0]["lr"].fill_(new)
        plain()
        graph.replay()

    for found, wanted in zip(captured.values(), plain.values(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_scheduler_writes_into_the_learning_rate_that_replays_read():
    rate = cr.tensor(0.1, device="cuda")
    step = Step(optimizer=lambda params: READING["Adam"](params, rate))
    step.warm_up(2)
    graph = step.captured()
    scheduler = cr.optim.lr_scheduler.ExponentialLR(step.optimizer, gamma=0.0)
    scheduler.step()
    before = step.values()
    graph.replay()
    for found, wanted in zip(step.values(), before, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_nothing_runs_while_a_graph_is_captured():
    step = Step()
    step.warm_up()
    before = step.values()
    step.captured()
    for found, wanted in zip(step.values(), before, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_replay_is_one_launch_with_no_copy_no_wait_and_no_allocation():
    step = Step()
    step.warm_up()
    graph = step.captured()
    graph.replay()
    with counting() as counted:
        graph.replay()
    assert counted.graph_launches == 1
    assert (counted.syncs, counted.h2d, counted.d2h, counted.mallocs) == (0, 0, 0, 0)
    assert counted.pool_mallocs == 0


def test_what_cublas_computes_in_lies_outside_of_the_graphs_memory():
    blas._workspace.cache_clear()  # as if this were the first graph
    x, graph = cr.ones(4, 4, device="cuda"), cr.cuda.CUDAGraph()
    with cr.cuda.graph(graph):
        product = x @ x
    assert graph.pool().total_bytes() < blas.WORKSPACE
    graph.replay()
    assert product.tolist() == [[4.0] * 4] * 4


def test_new_data_are_copied_into_the_memory_that_was_captured():
    step = Step()
    step.warm_up()
    graph = step.captured()
    graph.replay()
    first = step.loss.item()
    step.x.copy_(cr.zeros(5, 6))
    graph.replay()
    assert step.loss.item() != first


def test_random_numbers_differ_from_replay_to_replay_and_are_those_of_the_stream():
    x = cr.ones(64, device="cuda")
    F.dropout(x, 0.5)
    cr.cuda.synchronize()
    graph = cr.cuda.CUDAGraph()
    with cr.cuda.graph(graph):
        first, second = F.dropout(x, 0.5), F.dropout(x, 0.5)
    cr.manual_seed(5)
    drawn = []
    for _ in range(2):
        graph.replay()
        drawn += [first.tolist(), second.tolist()]

    cr.manual_seed(5)
    assert drawn == [F.dropout(x, 0.5).tolist() for _ in range(4)]


PRODUCTS = {
    "matrices": ((5, 7), (7, 3)), "batches": ((2, 5, 7), (2, 7, 3)),
    "one for all": ((5, 7), (2, 7, 3)), "vector": ((7,), (7, 3)),
    "matrix and vector": ((5, 7), (7,)), "dot": ((7,), (7,)),
    "broadcast": ((4, 1, 5, 7), (2, 7, 3)), "nothing between": ((5, 0), (0, 3)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("left", "right"), PRODUCTS.values(), ids=PRODUCTS)
def test_products_in_a_graph_are_those_outside(left, right, dtype):
    a, b = (cr.randn(*s, device="cuda").to(getattr(cr, dtype)) for s in (left, right))
    wanted = (a @ b).tolist()
    graph = cr.cuda.CUDAGraph()
    with cr.cuda.graph(graph):
        found = a @ b
    graph.replay()
    near = 2e-2 if dtype == "float16" else 1e-5
    np.testing.assert_allclose(found.tolist(), wanted, rtol=near, atol=near)


def test_products_of_transposed_matrices_in_a_graph_copy_nothing():
    a, b = cr.randn(7, 5, device="cuda").t(), cr.randn(3, 7, device="cuda").t()
    wanted = (a @ b).tolist()
    graph = cr.cuda.CUDAGraph()
    with cr.cuda.graph(graph):
        found = a @ b
    graph.replay()
    np.testing.assert_allclose(found.tolist(), wanted, rtol=1e-5, atol=1e-6)


def test_reading_a_number_in_a_capture_raises_and_leaves_nothing_behind():
    x = cr.ones(3, device="cuda")
    graph = cr.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="captur"), cr.cuda.graph(graph):
        x.sum().item()
    assert not cr.cuda.is_current_stream_capturing()
    assert (x + 1).tolist() == [2.0, 2.0, 2.0]


def test_replay_of_what_was_not_captured_raises():
    with pytest.raises(RuntimeError, match="expected a captured graph"):
        cr.cuda.CUDAGraph().replay()


def test_graph_keeps_the_memory_that_it_writes_to():
    x = cr.ones(1000, device="cuda")
    graph = cr.cuda.CUDAGraph()
    with cr.cuda.graph(graph):
        y = x * 2
        z = y + 1
    del y
    others = [cupy.zeros(1000, "float32") for _ in range(4)]
    graph.replay()
    assert z.tolist() == [3.0] * 1000
    assert all(float(other.sum()) == 0.0 for other in others)


def test_memory_may_be_recorded_for_a_stream_while_a_graph_is_captured():
    x = cr.ones(1000, device="cuda")
    graph = cr.cuda.CUDAGraph()
    with cr.cuda.graph(graph):
        y = x * 2
        y.record_stream(cr.cuda.current_stream())
        z = y + 1
        del y
        x.record_stream(cr.cuda.current_stream())
    graph.replay()
    assert z.tolist() == [3.0] * 1000
