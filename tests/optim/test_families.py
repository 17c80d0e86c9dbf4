"""The optimizers beyond SGD and Adam: what they remember, and where they lead."""

from __future__ import annotations

import copy

import pytest

SETTINGS = {
    "Adagrad": {"lr": 0.5},
    "Adadelta": {"lr": 20.0},
    "RMSprop": {"lr": 0.05, "momentum": 0.5, "centered": True},
    "Adamax": {"lr": 0.2},
    "NAdam": {"lr": 0.2},
    "RAdam": {"lr": 0.2},
    "ASGD": {"lr": 0.1},
    "Rprop": {"lr": 0.1},
    "Adafactor": {"lr": 0.1},
    "Muon": {"lr": 0.1, "weight_decay": 0.0},
    "LBFGS": {"line_search_fn": "strong_wolfe"},
}
STATE = {
    "Adagrad": ["step", "sum"],
    "Adadelta": ["step", "square_avg", "acc_delta"],
    "RMSprop": ["step", "square_avg", "momentum_buffer", "grad_avg"],
    "Adamax": ["step", "exp_avg", "exp_inf"],
    "NAdam": ["step", "mu_product", "exp_avg", "exp_avg_sq"],
    "RAdam": ["step", "exp_avg", "exp_avg_sq"],
    "ASGD": ["step", "eta", "mu", "ax"],
    "Rprop": ["step", "prev", "step_size"],
    "Adafactor": ["step", "row_var", "col_var"],
    "Muon": ["momentum_buffer"],
}


def bowl(lib, name, steps=100):
    """Return a matrix and the optimizer that drew it towards a target."""
    w = lib.tensor([[3.0, -2.0], [1.0, 0.5]], requires_grad=True)
    target = lib.tensor([[1.0, 2.0], [0.0, -1.0]])
    optimizer = getattr(lib.optim, name)([w], **SETTINGS[name])

    def closure():
        optimizer.zero_grad()
        loss = ((w - target) ** 2).sum()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return w, optimizer, closure().item()


@pytest.mark.parametrize("name", SETTINGS)
def test_minimum_of_a_bowl_is_approached(lib, name):
    assert bowl(lib, name)[2] < 0.5


@pytest.mark.parametrize("name", STATE)
def test_state_has_the_names_that_files_have(lib, name):
    w, optimizer, _ = bowl(lib, name, steps=1)

    assert list(optimizer.state[w]) == STATE[name]


@pytest.mark.parametrize("name", [*STATE, "LBFGS"])
def test_step_continues_from_a_loaded_state_as_if_nothing_had_happened(lib, name):
    w, optimizer, _ = bowl(lib, name, steps=3)
    other = w.detach().clone().requires_grad_()
    copied = getattr(lib.optim, name)([other], **SETTINGS[name])
    copied.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for param, made in ((w, optimizer), (other, copied)):
        for _ in range(3):

            def closure(param=param, made=made):
                made.zero_grad()
                loss = (param**2).sum()
                loss.backward()
                return loss

            made.step(closure)

    assert w.tolist() == other.tolist()


def test_adagrad_begins_its_sums_when_it_is_made(lib):
    w = lib.ones(2, requires_grad=True)
    optimizer = lib.optim.Adagrad([w], initial_accumulator_value=0.5)

    assert optimizer.state[w]["sum"].tolist() == [0.5, 0.5]


def test_asgd_keeps_the_average_of_the_parameters_beside_them(lib):
    w = lib.zeros(1, requires_grad=True)
    optimizer = lib.optim.ASGD([w], lr=1.0, lambd=0.0, t0=0)
    for _ in range(4):
        w.grad = -lib.ones(1)
        optimizer.step()

    assert w.item() == pytest.approx(4.0)
    assert optimizer.state[w]["ax"].item() == pytest.approx(((1 + 3) / 2 + 3 + 4) / 3)


def test_rprop_stands_still_where_the_sign_has_turned(lib):
    w = lib.zeros(2, requires_grad=True)
    optimizer = lib.optim.Rprop([w], lr=0.5)
    seen = []
    for gradient in ([1.0, 1.0], [1.0, -1.0]):
        w.grad = lib.tensor(gradient)
        optimizer.step()
        seen.append(w.tolist())

    assert seen[1][0] == pytest.approx(-0.5 - 0.6)
    assert seen[1][1] == pytest.approx(-0.5)


def test_lbfgs_wants_one_group_and_a_closure(lib, raises):
    groups = [{"params": [lib.ones(1, requires_grad=True)]} for _ in range(2)]
    with raises(ValueError, "LBFGS doesn't support per-parameter options (parameter groups)"):
        lib.optim.LBFGS(groups)
    w = lib.ones(1, requires_grad=True)
    with raises(TypeError, "LBFGS.step() missing 1 required positional argument: 'closure'"):
        lib.optim.LBFGS([w]).step()


def test_lbfgs_knows_one_line_search(lib, raises):
    w = lib.ones(1, requires_grad=True)

    def closure():
        w.grad = lib.ones(1)
        return w.sum().detach()

    with raises(RuntimeError, "only 'strong_wolfe' is supported"):
        lib.optim.LBFGS([w], line_search_fn="armijo").step(closure)


def test_lbfgs_solves_the_valley_of_rosenbrock(lib):
    w = lib.tensor([-1.5, 2.0], dtype=lib.float64, requires_grad=True)
    optimizer = lib.optim.LBFGS(
        [w], max_iter=100, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
        loss.backward()
        return loss

    optimizer.step(closure)

    assert w.tolist() == pytest.approx([1.0, 1.0], abs=1e-6)


def test_sparse_adam_refuses_dense_gradients(lib, raises):
    w = lib.ones(1, requires_grad=True)
    w.grad = lib.ones(1)

    with raises(RuntimeError, "SparseAdam does not support dense gradients, please consider Adam"):
        lib.optim.SparseAdam([w]).step()


def test_muon_steps_along_nearly_orthogonal_matrices(lib):
    lib.manual_seed(0)
    w = lib.zeros(4, 3, requires_grad=True)
    w.grad = lib.randn(4, 3)
    lib.optim.Muon([w], lr=1.0, weight_decay=0.0).step()
    scale = (4 / 3) ** 0.5
    gram = (w.detach().T @ w.detach()) / scale**2

    assert (gram - lib.eye(3)).abs().max().item() < 0.6


@pytest.mark.parametrize("name", ["Adagrad", "Adadelta", "RMSprop", "Adamax", "NAdam", "Rprop"])
def test_complex_parameter_moves_as_two_real_ones(lib, name):
    pair = lib.tensor([1.0, -2.0], requires_grad=True)
    number = lib.tensor([1 - 2j], dtype=lib.complex64, requires_grad=True)
    settings = {"lr": 0.1}
    for param, grads in (
        (pair, [lib.tensor([0.5, -2.0]), lib.tensor([1.0, 3.0])]),
        (number, [lib.tensor([0.5 - 2j]), lib.tensor([1 + 3j])]),
    ):
        optimizer = getattr(lib.optim, name)([param], **settings)
        for grad in grads:
            param.grad = grad
            optimizer.step()

    assert [number.item().real, number.item().imag] == pytest.approx(pair.tolist(), rel=1e-5)


def test_optimizer_works_on_other_parameters_for_a_while(lib):
    own, other = (lib.ones(1, requires_grad=True) for _ in range(2))
    optimizer = lib.optim.Adam([own], lr=0.5)
    own.grad = lib.ones(1)
    optimizer.step()
    before = own.item()
    other.grad = lib.ones(1)
    state = optimizer.state_dict()
    with lib.optim.swap_in_optimizer_params_and_state(optimizer, {"w": other}, state):
        optimizer.step()

    assert own.item() == before
    assert other.item() == pytest.approx(0.5, rel=1e-5)
    assert optimizer.param_groups[0]["params"][0] is own
