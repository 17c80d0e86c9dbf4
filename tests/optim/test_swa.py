"""Averages of weights over training."""

from __future__ import annotations

import pytest


def shown(lib, values, **settings):
    """Return the average of a model whose weight had *values*."""
    model = lib.nn.Linear(1, 1, bias=False)
    averaged = lib.optim.swa_utils.AveragedModel(model, **settings)
    for value in values:
        model.weight.data.fill_(value)
        averaged.update_parameters(model)
    return averaged


def test_all_models_weigh_the_same_by_default(lib):
    averaged = shown(lib, [1.0, 2.0, 6.0])

    assert averaged.module.weight.item() == pytest.approx(3.0)
    assert averaged.n_averaged.item() == 3
    assert list(averaged.state_dict()) == ["n_averaged", "module.weight"]


def test_exponential_average_keeps_a_share(lib):
    utils = lib.optim.swa_utils
    for settings in (
        {"avg_fn": utils.get_ema_avg_fn(0.5)},
        {"multi_avg_fn": utils.get_ema_multi_avg_fn(0.5)},
    ):
        assert shown(lib, [0.0, 8.0, 8.0], **settings).module.weight.item() == 6.0


def test_averaged_model_runs_as_the_model_does(lib):
    averaged = shown(lib, [2.0])

    assert averaged(lib.ones(1, 1)).item() == 2.0


def test_model_is_not_changed_by_its_average(lib):
    model = lib.nn.Linear(2, 2)
    averaged = lib.optim.swa_utils.AveragedModel(model)
    averaged.module.weight.data.fill_(7.0)

    assert 7.0 not in model.weight.flatten().tolist()


def test_one_way_to_average_is_chosen(lib, raises):
    with raises(AssertionError, "Only one of avg_fn and multi_avg_fn should be provided"):
        lib.optim.swa_utils.AveragedModel(lib.nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max)


@pytest.mark.parametrize("decay", [-0.5, 2.0])
def test_share_that_is_kept_is_between_zero_and_one(lib, raises, decay):
    for make in (lib.optim.swa_utils.get_ema_avg_fn, lib.optim.swa_utils.get_ema_multi_avg_fn):
        with raises(ValueError, f"Invalid decay value {decay} provided. Please provide a value in"):
            make(decay)


def make_sgd(lib):
    return lib.optim.SGD([lib.ones(1, requires_grad=True)], lr=1.0)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"swa_lr": [0.1, 0.2]}, "swa_lr must have the same length as optimizer.param_groups. swa"),
        ({"anneal_strategy": "x"}, "anneal_strategy must be one of 'cos' or 'linear', instead got"),
        ({"anneal_epochs": -1}, "anneal_epochs must be equal or greater than 0, got -1"),
    ],
)
def test_impossible_annealing_is_refused(lib, raises, settings, sentence):
    with raises(ValueError, sentence):
        lib.optim.swa_utils.SWALR(make_sgd(lib), **{"swa_lr": 0.1, **settings})


@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 1, 4])
def test_rate_is_annealed_to_the_end_and_stays_there(lib, strategy, epochs):
    optimizer = make_sgd(lib)
    scheduler = lib.optim.swa_utils.SWALR(optimizer, 0.25, epochs, strategy)
    for _ in range(epochs + 2):
        optimizer.step()
        scheduler.step()

    assert scheduler.get_last_lr() == pytest.approx([0.25])
