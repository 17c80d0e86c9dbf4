"""NumPy's state of small parameters: one piece of memory, and never mistaken for one."""

from __future__ import annotations

import copy

import pytest

import chainrule as cr
from chainrule_numpy import _joined

SHAPES = [(3, 2), (4,), (), (2, 1, 2)]


def parameters():
    """Return parameters of several shapes, the same ones on every call."""
    cr.manual_seed(0)
    return [cr.randn(shape).requires_grad_() for shape in SHAPES]


def give_gradients(params, seed):
    cr.manual_seed(seed)
    for param in params:
        param.grad = cr.randn(param.shape)


def memory_of(optimizer, name="exp_avg"):
    """Return the memory that holds all state of one name, or None if it does not lie so."""
    return _joined.whole([state[name]._array for state in optimizer.state.values()])


def values(params):
    return [number for param in params for number in param.detach().reshape(-1).tolist()]


def run(optimizer, params, *, steps=3, between=None):
    """Return the parameters after *steps*, with *between* called before the last."""
    for seed in range(steps):
        if between is not None and seed == steps - 1:
            between(optimizer)
        give_gradients(params, seed)
        optimizer.step()
    return values(params)


@pytest.mark.parametrize(
    "settings", [{}, {"amsgrad": True}, {"weight_decay": 0.1}, {"maximize": True}]
)
@pytest.mark.parametrize("make", [cr.optim.Adam, cr.optim.AdamW])
def test_state_side_by_side_gives_what_separate_state_gives(monkeypatch, make, settings):
    params = parameters()
    optimizer = make(params, 0.1, **settings)
    joined = run(optimizer, params)
    assert memory_of(optimizer) is not None
    monkeypatch.setattr(_joined, "LIMIT", 0)
    params = parameters()
    optimizer = make(params, 0.1, **settings)
    separate = run(optimizer, params)

    assert memory_of(optimizer) is None
    assert joined == pytest.approx(separate, rel=1e-6)


def replace_one(optimizer):
    param = optimizer.param_groups[0]["params"][1]
    optimizer.state[param]["exp_avg"] = optimizer.state[param]["exp_avg"].clone()


def swap_two(optimizer):
    first, second = (optimizer.state[p] for p in optimizer.param_groups[0]["params"][1:3])
    for name in ("exp_avg", "exp_avg_sq"):
        arrays = [state[name]._array for state in (first, second)]
        first[name] = cr.full((4,), arrays[1].item())
        second[name] = cr.tensor(float(arrays[0][0]))


def reload_all(optimizer):
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))


def leave_out(optimizer):
    optimizer.param_groups[0]["params"].pop(1)


@pytest.mark.parametrize("between", [replace_one, swap_two, reload_all, leave_out])
def test_state_that_was_replaced_is_worked_on_piece_by_piece(monkeypatch, between):
    params = parameters()
    joined = run(cr.optim.Adam(params, 0.1), params, between=between)
    monkeypatch.setattr(_joined, "LIMIT", 0)
    params = parameters()
    separate = run(cr.optim.Adam(params, 0.1), params, between=between)

    assert joined == pytest.approx(separate, rel=1e-6)


def test_parameter_without_gradient_stays_as_it_is_beside_the_others():
    params = parameters()
    optimizer = cr.optim.Adam(params, 0.1)
    run(optimizer, params, steps=2)
    before = params[1].tolist(), optimizer.state[params[1]]["exp_avg"].tolist()
    give_gradients(params, 7)
    params[1].grad = None
    optimizer.step()

    assert (params[1].tolist(), optimizer.state[params[1]]["exp_avg"].tolist()) == before
    assert optimizer.state[params[0]]["step"].item() == 3.0


def test_copies_of_state_have_memory_of_their_own():
    params = parameters()
    optimizer = cr.optim.Adam(params, 0.1)
    run(optimizer, params)
    made = copy.deepcopy(optimizer)
    before = [state["exp_avg"].tolist() for state in optimizer.state.values()]
    run(made, made.param_groups[0]["params"], steps=1)

    assert [state["exp_avg"].tolist() for state in optimizer.state.values()] == before


def test_large_state_does_not_lie_side_by_side():
    params = [cr.zeros(_joined.LIMIT, requires_grad=True), cr.zeros(1, requires_grad=True)]
    optimizer = cr.optim.Adam(params, 0.1)
    run(optimizer, params, steps=1)

    assert memory_of(optimizer) is None
