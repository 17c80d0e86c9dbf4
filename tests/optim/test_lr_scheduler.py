"""Schedules of the learning rate."""

from __future__ import annotations

import math
import types

import pytest


@pytest.fixture
def optimizer(lib):
    return lib.optim.SGD([lib.ones(1, requires_grad=True)], lr=1.0, momentum=0.9)


def rates(optimizer, scheduler, epochs):
    """Return the learning rates of *epochs* epochs."""
    found = []
    for _ in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda s, o: s.StepLR(o, 2, gamma=0.5), [1, 1, 0.5, 0.5, 0.25]),
        (lambda s, o: s.MultiStepLR(o, [1, 3, 3], gamma=0.5), [1, 0.5, 0.5, 0.125, 0.125]),
        (lambda s, o: s.ExponentialLR(o, 0.5), [1, 0.5, 0.25, 0.125, 0.0625]),
        (lambda s, o: s.ConstantLR(o, 0.25, 2), [0.25, 0.25, 1, 1, 1]),
        (lambda s, o: s.LinearLR(o, 0.5, 1.0, 2), [0.5, 0.75, 1, 1, 1]),
        (lambda s, o: s.PolynomialLR(o, 4, power=2.0), [1, 0.5625, 0.25, 0.0625, 0]),
        (
            lambda s, o: s.LambdaLR(o, lambda epoch: 1 / (1 + epoch)),
            [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5],
        ),
        (lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.5), [1, 0.5, 0.25, 0.125, 0.0625]),
        (
            lambda s, o: s.CosineAnnealingLR(o, 4),
            [(1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(5)],
        ),
        (
            lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, T_mult=2),
            [1, 0.5, 1, (1 + math.cos(math.pi / 4)) / 2, 0.5],
        ),
        (lambda s, o: s.CyclicLR(o, 0.5, 1.0, 2), [0.5, 0.75, 1, 0.75, 0.5]),
        (lambda s, o: s.CyclicLR(o, 0.5, 1.0, 1, mode="triangular2"), [0.5, 1, 0.5, 0.75, 0.5]),
        (
            lambda s, o: s.OneCycleLR(
                o, 1.0, 5, pct_start=0.6, anneal_strategy="linear", div_factor=4, final_div_factor=1
            ),
            [0.25, 0.625, 1, 0.625, 0.25],
        ),
        (
            lambda s, o: s.SequentialLR(
                o, [s.ConstantLR(o, 0.5, 9), s.ExponentialLR(o, 0.5)], milestones=[2]
            ),
            [0.5, 0.5, 1, 0.5, 0.25],
        ),
        (
            lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.5, 2), s.ExponentialLR(o, 0.5)]),
            [0.5, 0.25, 0.25, 0.125, 0.0625],
        ),
    ],
)
def test_schedule_gives_its_rates(lib, optimizer, make, expected):
    scheduler = make(lib.optim.lr_scheduler, optimizer)

    assert rates(optimizer, scheduler, 5) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_every_group_has_a_schedule_of_its_own(lib):
    groups = [{"params": [lib.ones(1, requires_grad=True)], "lr": lr} for lr in (1.0, 0.1)]
    optimizer = lib.optim.SGD(groups)
    scheduler = lib.optim.lr_scheduler.LambdaLR(optimizer, [lambda e: 1.0, lambda e: 0.5**e])
    optimizer.step()
    scheduler.step()

    assert scheduler.get_last_lr() == [1.0, 0.05]


def test_momentum_falls_while_the_rate_rises(lib, optimizer):
    scheduler = lib.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, 10)
    before = optimizer.param_groups[0]["momentum"]
    optimizer.step()
    scheduler.step()

    assert before == 0.95
    assert optimizer.param_groups[0]["momentum"] < before


def test_rate_is_lowered_when_the_metric_stays(lib, optimizer):
    scheduler = lib.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=1, cooldown=1, min_lr=0.2
    )
    found = []
    for metric in (3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0):
        scheduler.step(metric)
        found.append(optimizer.param_groups[0]["lr"])

    assert found == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2]
    assert scheduler.get_last_lr() == [0.2]


@pytest.mark.parametrize("mode", ["rel", "abs"])
def test_larger_may_be_better(lib, optimizer, mode):
    scheduler = lib.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="max", patience=0, threshold_mode=mode
    )
    for metric in (1.0, 2.0, 3.0):
        scheduler.step(metric)

    assert optimizer.param_groups[0]["lr"] == 1.0


def test_schedule_goes_on_where_it_was_saved(lib):
    schedulers = lib.optim.lr_scheduler

    def fresh():
        optimizer = lib.optim.SGD([lib.ones(1, requires_grad=True)], lr=1.0, momentum=0.9)
        return optimizer, [
            schedulers.StepLR(optimizer, 2),
            schedulers.CosineAnnealingWarmRestarts(optimizer, 3),
            schedulers.LambdaLR(optimizer, lambda epoch: 0.9**epoch),
        ]

    for which in range(3):
        first, one = fresh()
        rates(first, one[which], 4)
        second, other = fresh()
        second.load_state_dict(first.state_dict())
        other[which].load_state_dict(one[which].state_dict())

        assert rates(second, other[which], 3) == rates(first, one[which], 3)


def test_callable_objects_are_saved_and_functions_are_not(lib, optimizer):
    class Factor:
        base = 1.0

        def __call__(self, epoch):
            return self.base

    factor = Factor()
    factor.base = 0.5
    scheduler = lib.optim.lr_scheduler.LambdaLR(optimizer, [factor])
    state = scheduler.state_dict()
    factor.base = 9.0
    scheduler.load_state_dict(state)

    assert factor.base == 0.5
    assert lib.optim.lr_scheduler.LambdaLR(optimizer, abs).state_dict
    plain = lib.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1.0)
    assert plain.state_dict()["lr_lambdas"] == [None]


def test_rate_that_is_a_tensor_stays_the_same_tensor(lib):
    lr = lib.tensor(1.0)
    optimizer = lib.optim.SGD([lib.ones(1, requires_grad=True)], lr=lr)
    scheduler = lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()

    assert optimizer.param_groups[0]["lr"] is lr
    assert lr.item() == 0.5
    assert scheduler.get_last_lr()[0] is not lr


def test_scheduler_before_the_first_step_warns(lib, optimizer, warns):
    scheduler = lib.optim.lr_scheduler.StepLR(optimizer, 1)

    with warns(UserWarning, "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In"):
        scheduler.step()


def test_asking_for_the_next_rate_warns(lib, optimizer, warns):
    scheduler = lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    with warns(UserWarning, "To get the last learning rate computed by the scheduler, please use"):
        scheduler.get_lr()


def test_epoch_given_goes_there_by_the_closed_form(lib, optimizer, warns):
    scheduler = lib.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    optimizer.step()

    with warns(UserWarning, "The epoch parameter in `scheduler.step()` was not necessary and is"):
        scheduler.step(5)
    assert scheduler.get_last_lr() == [0.25]


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda s, o: s.StepLR(3, 1), TypeError, "int is not an Optimizer"),
        (lambda s, o: s.StepLR(o, 1, last_epoch=3), KeyError, "\"param 'initial_lr' is not speci"),
        (lambda s, o: s.LambdaLR(o, [abs, abs]), ValueError, "Expected 1 lr_lambdas, but got 2"),
        (lambda s, o: s.ConstantLR(o, 3), ValueError, "Constant multiplicative factor expected to"),
        (lambda s, o: s.LinearLR(o, 0), ValueError, "Starting multiplicative factor expected to b"),
        (lambda s, o: s.LinearLR(o, 0.1, 3), ValueError, "Ending multiplicative factor expected t"),
        (lambda s, o: s.ReduceLROnPlateau(o, factor=1), ValueError, "Factor should be < 1.0."),
        (lambda s, o: s.ReduceLROnPlateau(o, mode="x"), ValueError, "mode x is unknown!"),
        (lambda s, o: s.CyclicLR(o, [1, 2], 2), ValueError, "base_lr must have the same length as"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 0), ValueError, "Expected positive integer"),
        (lambda s, o: s.OneCycleLR(o, 1), ValueError, "You must define either total_steps OR (epo"),
        (lambda s, o: s.OneCycleLR(o, 1, -1), ValueError, "Expected positive integer total_steps,"),
        (lambda s, o: s.OneCycleLR(o, 1, 9, pct_start=2), ValueError, "Expected float between 0 a"),
        (lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [2]), ValueError, "Sequential Scheduler"),
        (lambda s, o: s.ChainedScheduler([]), ValueError, "ChainedScheduler expects at least one "),
        (
            lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
            ValueError,
            "ChainedScheduler does not support `ReduceLROnPlateau` scheduler as it requires",
        ),
    ],
)
def test_impossible_schedules_are_refused(lib, raises, optimizer, make, error, sentence):
    with raises(error, sentence):
        make(lib.optim.lr_scheduler, optimizer)


def test_more_steps_than_the_cycle_has_are_refused(lib, raises, optimizer):
    scheduler = lib.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, 2)
    rates(optimizer, scheduler, 2)

    with raises(ValueError, "Tried to step 3 times. The specified number of total steps is 2"):
        scheduler.step()


def test_step_that_was_replaced_after_the_scheduler_began_warns_once(lib, optimizer, warns):
    scheduler = lib.optim.lr_scheduler.StepLR(optimizer, 2)
    optimizer.step = types.MethodType(type(optimizer).step, optimizer)

    optimizer.step()
    with warns(UserWarning, "Seems like `optimizer.step()` has been overridden after learning"):
        scheduler.step()
    optimizer.step()
    scheduler.step()

    assert optimizer.param_groups[0]["lr"] == 0.1


def test_step_that_was_replaced_before_is_the_one_that_counts(lib, optimizer):
    optimizer.step = types.MethodType(type(optimizer).step, optimizer)
    scheduler = lib.optim.lr_scheduler.StepLR(optimizer, 1)

    optimizer.step()
    scheduler.step()

    assert optimizer.param_groups[0]["lr"] == 0.1
