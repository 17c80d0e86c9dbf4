"""The update ops: a backend's kernel gives what the body gives, and counts versions."""

from __future__ import annotations

import itertools

import pytest

import chainrule as cr
from chainrule.op import all_ops
from chainrule.ops import fused, fused_adaptive, fused_on_device

SHAPES = [(3, 2), (4,), (), (2, 1, 2)]
ADAM = {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3}


def lists(count, dtype, *, positive_from=99):
    """Return *count* lists of tensors of several shapes, the same ones on every call."""
    cr.manual_seed(0)
    made = [[cr.randn(shape, dtype=dtype) for shape in SHAPES] for _ in range(count)]
    return [
        [t.abs() for t in tensors] if i >= positive_from else tensors
        for i, tensors in enumerate(made)
    ]


def values(tensors):
    return [number for tensor in tensors for number in tensor.reshape(-1).tolist()]


@pytest.mark.parametrize("dtype", [cr.float32, cr.float64])
@pytest.mark.parametrize(
    ("decay", "decoupled", "amsgrad", "maximize"),
    list(itertools.product([0, 0.1], [False, True], [False, True], [False, True])),
)
def test_kernel_of_adam_agrees_with_its_body(dtype, decay, decoupled, amsgrad, maximize):
    options = {
        **ADAM, "steps": [1.0, 1.0, 2.0, 7.0], "weight_decay": decay, "decoupled": decoupled,
        "maximize": maximize,
    }  # fmt: skip
    by_kernel = lists(4 + amsgrad, dtype, positive_from=3)
    by_body = lists(4 + amsgrad, dtype, positive_from=3)
    empty = [] if amsgrad else [[]]
    fused._fused_adam_(*by_kernel, *empty, **options)
    with cr.no_grad():
        fused._fused_adam_.function(*by_body, *empty, **options)

    tolerance = 1e-6 if dtype is cr.float32 else 1e-14
    for kernel, body in zip(by_kernel, by_body, strict=True):
        assert values(kernel) == pytest.approx(values(body), rel=tolerance, abs=tolerance)


@pytest.mark.parametrize("dtype", [cr.float32, cr.float64])
@pytest.mark.parametrize(
    ("amsgrad", "with_tensor"), list(itertools.product([False, True], [False, True]))
)
def test_adam_that_reads_its_numbers_from_tensors_agrees_with_adam(dtype, amsgrad, with_tensor):
    options = {**ADAM, "weight_decay": 0.1, "decoupled": True, "maximize": False}
    plain, reading = (lists(4 + amsgrad, dtype, positive_from=3) for _ in range(2))
    empty = [] if amsgrad else [[]]
    steps = [cr.tensor(count) for count in (0.0, 0.0, 1.0, 6.0)]
    rates = [cr.tensor(options["lr"])] if with_tensor else []
    fused._fused_adam_(*plain, *empty, steps=[1.0, 1.0, 2.0, 7.0], **options)
    given = {**options, "lr": 99.0 if with_tensor else options["lr"]}
    fused_on_device._fused_adam_on_device_(*reading, *empty, steps, rates, **given)

    assert values(steps) == [1.0, 1.0, 2.0, 7.0]
    tolerance = 1e-6 if dtype is cr.float32 or with_tensor else 1e-14  # a rate of float32
    for one, other in zip(plain, reading, strict=True):
        assert values(other) == pytest.approx(values(one), rel=tolerance, abs=tolerance)


@pytest.mark.parametrize(("momentum", "first"), [(0, False), (0.9, True), (0.9, False)])
def test_sgd_that_reads_its_rate_from_a_tensor_agrees_with_sgd(momentum, first):
    options = {
        "momentum": momentum, "dampening": 0, "weight_decay": 0.1, "nesterov": False,
        "maximize": False, "first": first,
    }  # fmt: skip
    plain, reading = (lists(3 if momentum else 2, cr.float64) for _ in range(2))
    empty = [] if momentum else [[]]
    fused._fused_sgd_(*plain, *empty, lr=0.125, **options)
    fused_on_device._fused_sgd_on_device_(*reading, *empty, [cr.tensor(0.125)], **options)

    for one, other in zip(plain, reading, strict=True):
        assert values(other) == pytest.approx(values(one), rel=1e-12)


@pytest.mark.parametrize(
    ("momentum", "dampening", "decay", "nesterov", "maximize", "first"),
    list(itertools.product([0, 0.9], [0, 0.5], [0, 0.1], [False, True], [False, True], [0, 1])),
)
def test_kernel_of_sgd_agrees_with_its_body(momentum, dampening, decay, nesterov, maximize, first):
    options = {
        "lr": 0.1, "momentum": momentum, "dampening": dampening, "weight_decay": decay,
        "nesterov": nesterov, "maximize": maximize, "first": bool(first),
    }  # fmt: skip
    count = 3 if momentum else 2
    by_kernel, by_body = lists(count, cr.float64), lists(count, cr.float64)
    empty = [] if momentum else [[]]
    fused._fused_sgd_(*by_kernel, *empty, **options)
    with cr.no_grad():
        fused._fused_sgd_.function(*by_body, *empty, **options)

    for kernel, body in zip(by_kernel, by_body, strict=True):
        assert values(kernel) == pytest.approx(values(body), rel=1e-14, abs=1e-14)


def test_update_counts_one_version_up_where_it_writes_and_nowhere_else():
    params, grads, means, squares = ([cr.ones(2)] for _ in range(4))
    options = {**ADAM, "steps": [1.0], "weight_decay": 0, "decoupled": False, "maximize": False}
    fused._fused_adam_(params, grads, means, squares, [], **options)

    assert [tensors[0]._version for tensors in (params, grads, means, squares)] == [1, 0, 1, 1]


def test_counts_of_steps_are_returned_after_adding_one():
    steps = [cr.tensor(0.0), cr.tensor(4.0)]

    assert fused._count_steps_(steps) == (1.0, 5.0)
    assert [step.item() for step in steps] == [1.0, 5.0]


def test_backend_without_a_kernel_runs_the_body(monkeypatch):
    w = cr.ones(2)
    op, index = fused._fused_sgd_, w._key.index
    monkeypatch.setitem(op.owned, index, value=False)
    body = op.resolve(w._key.backend)
    monkeypatch.setattr(op, "table", [body] * (index + 1))
    op(
        [w], [cr.ones(2)], [], lr=0.1, momentum=0, dampening=0, weight_decay=0, nesterov=False,
        maximize=False, first=False,
    )  # fmt: skip

    assert w.tolist() == pytest.approx([0.9, 0.9])
    assert w._version == 1


def test_update_ops_are_listed_with_the_other_ops():
    assert {"cr::_fused_adam_", "cr::_fused_sgd_", "cr::_count_steps_"} <= all_ops.keys()


ADAPTIVE = {
    "adagrad": (1, {"steps": [1.0, 1.0, 2.0, 7.0], "lr_decay": 0.1, "eps": 1e-3}),
    "adadelta": (2, {"rho": 0.8, "eps": 1e-3}),
    "adamax": (2, {"steps": [1.0, 1.0, 2.0, 7.0], "beta1": 0.8, "beta2": 0.9, "eps": 1e-3}),
    "nadam": (
        2,
        {
            **{name: ADAM[name] for name in ("beta1", "beta2", "eps")},
            "steps": [1.0, 1.0, 2.0, 7.0], "mus": [0.5, 0.5, 0.6, 0.7],
            "next_mus": [0.6, 0.6, 0.7, 0.8], "mu_products": [0.5, 0.5, 0.3, 0.1],
        },
    ),
    "radam": (
        2,
        {
            **{name: ADAM[name] for name in ("beta1", "beta2", "eps")},
            "steps": [1.0, 9.0, 2.0, 70.0],
        },
    ),
    "rmsprop": (1, {"alpha": 0.8, "eps": 1e-3, "momentum": 0.0}),
    "rmsprop centered": (2, {"alpha": 0.8, "eps": 2.0, "momentum": 0.0}),
    "rmsprop with momentum": (3, {"alpha": 0.8, "eps": 2.0, "momentum": 0.9}),
}  # fmt: skip


@pytest.mark.parametrize("name", ADAPTIVE)
@pytest.mark.parametrize(
    ("decay", "maximize", "decoupled"), list(itertools.product([0, 0.1], [False, True], [0, 1]))
)
@pytest.mark.parametrize("dtype", [cr.float32, cr.float64])
def test_kernel_of_an_adaptive_step_agrees_with_its_body(name, decay, maximize, decoupled, dtype):
    count, options = ADAPTIVE[name]
    options = {**options, "lr": 0.1, "weight_decay": decay, "maximize": maximize}
    if name in {"nadam", "radam"}:
        options["decoupled"] = bool(decoupled)
    op = getattr(fused_adaptive, f"_fused_{name.partition(' ')[0]}_")
    by_kernel, by_body = (lists(2 + count, dtype, positive_from=2) for _ in range(2))
    for square in (*by_kernel[2], *by_body[2]):
        square.add_(16.0)  # so that the square of no average is larger
    missing = [[]] * (len(op.differentiable) - 2 - count)
    op(*by_kernel, *missing, **options)
    with cr.no_grad():
        op.function(*by_body, *missing, **options)

    tolerance = 1e-5 if dtype is cr.float32 else 1e-13
    for kernel, body in zip(by_kernel, by_body, strict=True):
        assert values(kernel) == pytest.approx(values(body), rel=tolerance, abs=tolerance)
