"""What a step computes: against the formulas, written out in Python numbers."""

from __future__ import annotations

import itertools
import math

import pytest

GRADIENTS = [0.5, -1.5, 2.0, 0.25, -0.125]


def run(lib, make, dtype_name="float64"):
    """Return the values of a parameter over the steps of an optimizer, with given gradients."""
    w = lib.tensor([1.0], dtype=getattr(lib, dtype_name), requires_grad=True)
    optimizer, values = make([w]), []
    for gradient in GRADIENTS:
        w.grad = lib.full_like(w, gradient)
        optimizer.step()
        values.append(w.item())
    return values


@pytest.mark.parametrize(
    ("momentum", "dampening", "nesterov", "decay", "maximize"),
    [
        (0, 0, False, 0, False),
        (0, 0, False, 0.1, False),
        (0.9, 0, False, 0, False),
        (0.9, 0.5, False, 0.1, True),
        (0.9, 0, True, 0.1, False),
    ],
)
def test_sgd_follows_its_formula(lib, momentum, dampening, nesterov, decay, maximize):
    def make(params):
        return lib.optim.SGD(
            params, 0.1, momentum, dampening, decay, nesterov, maximize=maximize
        )  # fmt: skip

    w, moving, expected = 1.0, None, []
    for grad in GRADIENTS:
        d = (-grad if maximize else grad) + decay * w
        if momentum:
            moving = d if moving is None else momentum * moving + (1 - dampening) * d
            d = d + momentum * moving if nesterov else moving
        w -= 0.1 * d
        expected.append(w)

    assert run(lib, make) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("decay", "decoupled", "amsgrad", "maximize"),
    list(itertools.product([0, 0.1], [False, True], [False, True], [False, True])),
)
def test_adam_follows_its_formula(lib, decay, decoupled, amsgrad, maximize):
    make = lib.optim.AdamW if decoupled else lib.optim.Adam
    settings = {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3}
    w, m, v, largest, expected = 1.0, 0.0, 0.0, 0.0, []
    for step, grad in enumerate(GRADIENTS, 1):
        d = -grad if maximize else grad
        if decoupled:
            w *= 1 - 0.1 * decay
        else:
            d += decay * w
        m, v = 0.8 * m + 0.2 * d, 0.9 * v + 0.1 * d * d
        largest = max(largest, v) if amsgrad else v
        root = math.sqrt(largest) / math.sqrt(1 - 0.9**step) + 1e-3
        w -= 0.1 / (1 - 0.8**step) * m / root
        expected.append(w)

    found = run(
        lib,
        lambda params: make(
            params, weight_decay=decay, amsgrad=amsgrad, maximize=maximize, **settings
        ),
    )
    assert found == pytest.approx(expected, rel=1e-13)


def test_parameters_that_join_late_have_counts_of_their_own(lib):
    first, late = (lib.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = lib.optim.Adam([first, late], lr=0.1)
    for round_ in range(2):
        first.grad = lib.ones(1)
        late.grad = lib.ones(1) if round_ else None
        optimizer.step()

    assert optimizer.state[first]["step"].item() == 2.0
    assert optimizer.state[late]["step"].item() == 1.0
    assert late.item() == pytest.approx(0.9, rel=1e-6)


def test_parameters_of_several_dtypes_share_a_group(lib):
    single = lib.ones(2, requires_grad=True)
    double = lib.ones(2, dtype=lib.float64, requires_grad=True)
    single.grad, double.grad = lib.ones(2), lib.ones(2, dtype=lib.float64)
    optimizer = lib.optim.Adam([single, double], lr=0.1)
    optimizer.step()

    assert optimizer.state[double]["exp_avg"].dtype is lib.float64
    assert single.tolist() == pytest.approx(double.tolist(), rel=1e-6)


def test_scalar_parameter_is_optimized(lib):
    for name in ("SGD", "Adam"):
        w = lib.tensor(1.0, requires_grad=True)
        w.grad = lib.tensor(1.0)
        getattr(lib.optim, name)([w], lr=0.1, weight_decay=0.0).step()

        assert w.shape == ()
        assert w.item() == pytest.approx(0.9, rel=1e-6)


def test_gradient_is_not_changed_by_a_step(lib):
    w = lib.ones(2, requires_grad=True)
    w.grad = lib.tensor([1.0, 2.0])
    for make in (
        lambda: lib.optim.SGD([w], 0.1, 0.9, weight_decay=0.1, nesterov=True, maximize=True),
        lambda: lib.optim.AdamW([w], 0.1, weight_decay=0.1, maximize=True),
        lambda: lib.optim.Adam([w], 0.1, weight_decay=0.1),
    ):
        make().step()

        assert w.grad.tolist() == [1.0, 2.0]


def test_complex_parameter_is_optimized_as_two_real_ones(lib):
    w = lib.tensor([1 + 1j], dtype=lib.complex64, requires_grad=True)
    w.grad = lib.tensor([0.5 - 2j], dtype=lib.complex64)
    lib.optim.Adam([w], lr=0.1).step()

    assert w.item().real == pytest.approx(0.9, rel=1e-5)
    assert w.item().imag == pytest.approx(1.1, rel=1e-5)


def test_learning_rate_may_be_a_tensor(lib):
    w = lib.ones(1, requires_grad=True)
    w.grad = lib.ones(1)
    lib.optim.SGD([w], lr=lib.tensor(0.25)).step()

    assert w.tolist() == [0.75]


def taken(lib, make, steps=3):
    """Return a parameter after some steps, and how many were counted."""
    w = lib.tensor([1.0, -2.0], requires_grad=True)
    optimizer = make([w])
    for _ in range(steps):
        w.grad = (2 * w).detach()
        optimizer.step()
    return w.tolist(), optimizer.state[w]["step"]


@pytest.mark.parametrize("amsgrad", [False, True])
def test_capturable_steps_are_the_same_steps_with_their_count_beside_the_parameter(lib, amsgrad):
    options = {"amsgrad": amsgrad, "weight_decay": 0.1, "fused": True}
    plain, _ = taken(lib, lambda p: lib.optim.AdamW(p, lr=0.25, **options))
    rate = lib.tensor(0.25)
    found, count = taken(lib, lambda p: lib.optim.AdamW(p, lr=rate, capturable=True, **options))

    assert found == pytest.approx(plain, rel=1e-6)
    assert count.device == rate.device
    assert count.item() == 3.0


def test_capturable_steps_are_refused_on_the_cpu(lib, raises):
    w = lib.ones(2, device="cpu", requires_grad=True)
    w.grad = lib.ones(2, device="cpu")
    optimizer = lib.optim.Adam([w], capturable=True)
    sentence = (
        "If capturable=True, params and state_steps must be on supported devices: ['cuda', 'xpu', "
        "'hpu', 'privateuseone', 'xla']."
    )

    with raises(AssertionError, sentence):
        optimizer.step()


def test_count_of_a_capturable_step_is_loaded_to_the_device_of_its_parameter(lib):
    w = lib.tensor([1.0], requires_grad=True)
    w.grad = lib.ones(1)
    optimizer = lib.optim.Adam([w], capturable=True, fused=True)
    optimizer.step()
    saved = optimizer.state_dict()
    saved["state"][0]["step"] = saved["state"][0]["step"].cpu()
    optimizer.load_state_dict(saved)
    optimizer.step()

    assert optimizer.state[w]["step"].device == w.device
    assert optimizer.state[w]["step"].item() == 2.0


@pytest.mark.parametrize(
    ("make", "slope"),
    [
        (lambda o, p, lr: o.SGD(p, lr, differentiable=True), lambda w, lr: 1 - lr * 2 * w),
        (
            lambda o, p, lr: o.SGD(p, lr, weight_decay=0.5, differentiable=True),
            lambda w, lr: 1 - lr * (2 * w + 0.5),
        ),
        (
            lambda o, p, lr: o.Adam(p, lr, (0.5, 0.5), eps=1.0, differentiable=True),
            lambda w, lr: 1 - lr * 2 * w / (w * w + 1) ** 2,
        ),
    ],
)
def test_recorded_step_passes_gradients_to_what_it_started_from(lib, make, slope):
    w = lib.tensor([0.5, 2.0], dtype=lib.float64, requires_grad=True)
    lr = lib.tensor(0.25, dtype=lib.float64, requires_grad=True)
    param = w.clone()
    param.retain_grad()
    param.grad = w * w
    make(lib.optim, [param], lr).step()
    param.sum().backward()

    assert w.grad.tolist() == pytest.approx([slope(0.5, 0.25), slope(2.0, 0.25)])
    assert lr.grad.item() == pytest.approx((param - w).sum().item() / 0.25)


def test_small_network_learns(lib):
    lib.manual_seed(0)
    model = lib.nn.Sequential(lib.nn.Linear(2, 8), lib.nn.Tanh(), lib.nn.Linear(8, 1))
    x = lib.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = lib.tensor([[0.0], [1.0], [1.0], [0.0]])
    optimizer = lib.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        loss = lib.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()

    assert loss.item() < 1e-3
