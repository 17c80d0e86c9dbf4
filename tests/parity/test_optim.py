"""Every promise of tests/optim is kept by PyTorch itself; and both give the same numbers."""

from __future__ import annotations

import inspect

import pytest
import torch
from promises import promises

import chainrule as cr

#: Promises in which chainrule goes beyond PyTorch on purpose, or that are its own, and why.
OURS_ALONE = {
    "test_further": "there, momentum and weight decay move frozen parameters, and lr=nan is taken",
    "test_fused": "about chainrule's own ops",
    "test_joined": "about the memory of the NumPy backend",
}


globals().update(promises("optim", OURS_ALONE))


# Side by side

OPTIMIZERS = {
    "SGD": lambda o, p: o.SGD(p, 0.05),
    "SGD with momentum": lambda o, p: o.SGD(p, 0.05, 0.9, dampening=0.1, weight_decay=0.01),
    "SGD by Nesterov": lambda o, p: o.SGD(p, 0.05, 0.9, nesterov=True),
    "Adam": lambda o, p: o.Adam(p, 0.01),
    "Adam with decay": lambda o, p: o.Adam(p, 0.01, (0.8, 0.95), 1e-6, weight_decay=0.01),
    "AMSGrad": lambda o, p: o.Adam(p, 0.01, amsgrad=True),
    "AdamW": lambda o, p: o.AdamW(p, 0.01, weight_decay=0.1),
    "AdamW up": lambda o, p: o.AdamW(p, 0.01, maximize=True),
    "Adagrad": lambda o, p: o.Adagrad(p, 0.05),
    "Adagrad with all": lambda o, p: o.Adagrad(p, 0.05, 0.1, 0.01, 0.5, 1e-3, maximize=True),
    "Adadelta": lambda o, p: o.Adadelta(p),
    "Adadelta with all": lambda o, p: o.Adadelta(p, 0.5, 0.8, 1e-4, 0.01, maximize=True),
    "RMSprop": lambda o, p: o.RMSprop(p, 0.01),
    "RMSprop with momentum": lambda o, p: o.RMSprop(p, 0.01, momentum=0.9, weight_decay=0.01),
    "RMSprop centered": lambda o, p: o.RMSprop(p, 0.01, 0.9, centered=True, eps=1e-2),
    "RMSprop with all": lambda o, p: o.RMSprop(
        p, 0.01, 0.9, 1e-2, 0.01, 0.5, centered=True, maximize=True
    ),
    "Adamax": lambda o, p: o.Adamax(p, 0.01),
    "Adamax with all": lambda o, p: o.Adamax(
        p, 0.01, (0.8, 0.9), 1e-3, weight_decay=0.01, maximize=True
    ),
    "NAdam": lambda o, p: o.NAdam(p, 0.01),
    "NAdam with decay": lambda o, p: o.NAdam(p, 0.01, weight_decay=0.01, momentum_decay=0.1),
    "NAdam decoupled": lambda o, p: o.NAdam(
        p, 0.01, weight_decay=0.1, decoupled_weight_decay=True, maximize=True
    ),
    "RAdam": lambda o, p: o.RAdam(p, 0.01),
    "RAdam with decay": lambda o, p: o.RAdam(p, 0.01, (0.8, 0.9), weight_decay=0.01),
    "RAdam decoupled": lambda o, p: o.RAdam(
        p, 0.01, weight_decay=0.1, decoupled_weight_decay=True, maximize=True
    ),
    "ASGD": lambda o, p: o.ASGD(p, 0.05, weight_decay=0.01),
    "ASGD averaging": lambda o, p: o.ASGD(p, 0.05, lambd=0.1, alpha=0.5, t0=5),
    "ASGD up": lambda o, p: o.ASGD(p, 1e-3, maximize=True),
    "Rprop": lambda o, p: o.Rprop(p, 0.01),
    "Rprop with bounds": lambda o, p: o.Rprop(p, 0.01, (0.3, 1.5), (5e-3, 0.1), maximize=True),
    "Adafactor": lambda o, p: o.Adafactor(p, 0.05),
    "Adafactor with all": lambda o, p: o.Adafactor(
        p, 0.05, -0.5, (1e-3, 1e-2), 1.5, 0.01, maximize=True
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_lead_to_the_same_place(name):
    found = []
    for library in (cr, torch):
        library.manual_seed(0)
        start = [library.randn(shape) for shape in ((6, 4), (6,), ())]
        params = [tensor.requires_grad_() for tensor in start]
        gradients = [[library.randn(p.shape) for p in params] for _ in range(50)]
        optimizer = OPTIMIZERS[name](library.optim, params)
        for step in gradients:
            for param, grad in zip(params, step, strict=True):
                param.grad = grad
            optimizer.step()
        found.append([param.detach().numpy() for param in params])

    for ours, theirs in zip(*found, strict=True):
        scale = float(abs(theirs).max())  # of the sums that cancelled on the way
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-6 * scale)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_same_program_from_the_same_seed_gives_the_same_losses(name):
    found = []
    for library in (cr, torch):
        library.manual_seed(0)
        nn = library.nn
        model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 1))
        optimizer = OPTIMIZERS[name](library.optim, model.parameters())
        x, y = library.randn(16, 8), library.randn(16, 1)
        losses = []
        for _ in range(50):
            optimizer.zero_grad()
            loss = nn.MSELoss()(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        found.append(losses)

    assert found[0] == pytest.approx(found[1], rel=1e-4)


def valley(library, params):
    """Return a loss whose minimum lies at the end of a curved valley, for a vector of four."""
    (x,) = params
    return (1 - x[:-1]).pow(2).sum() + 10 * (x[1:] - x[:-1] ** 2).pow(2).sum()


@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 0.02},
        {"lr": 0.05, "history_size": 3, "max_iter": 4},
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 5, "lr": 0.5},
        {"line_search_fn": "strong_wolfe", "max_iter": 1, "lr": 1e-4},
        {"line_search_fn": "strong_wolfe", "max_iter": 5, "max_eval": 4, "lr": 1e-4},
    ],
)
def test_lbfgs_goes_the_same_way(settings):
    found = []
    for library in (cr, torch):
        start = [-1.2, 1.0, 0.5, 2.0]
        params = [library.tensor(start, dtype=library.float64, requires_grad=True)]
        optimizer, losses = library.optim.LBFGS(params, **settings), []

        def closure(params=params, optimizer=optimizer, library=library):
            optimizer.zero_grad()
            loss = valley(library, params)
            loss.backward()
            return loss

        losses.extend(optimizer.step(closure).item() for _ in range(6))
        state = optimizer.state[params[0]]
        found.append((losses, state["func_evals"], state["n_iter"], set(state)))

    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6, abs=1e-12)
    assert found[0][1:] == found[1][1:]


@pytest.mark.parametrize("how", [None, "match_rms_adamw"])
@pytest.mark.parametrize("shape", [(6, 4), (4, 6)])
def test_muon_goes_nearly_the_same_way(how, shape):
    found = []
    for library in (cr, torch):
        library.manual_seed(0)
        w = library.randn(shape).requires_grad_()
        before = w.detach().clone()
        optimizer = library.optim.Muon([w], lr=0.01, adjust_lr_fn=how)
        for _ in range(5):
            w.grad = library.randn(shape)
            optimizer.step()
        found.append((w.detach() - before).numpy())

    ours, theirs = found  # theirs is iterated in bfloat16, of 8 significant bits
    assert abs(ours - theirs).max() < 0.05 * abs(theirs).max()


def as_theirs(item):
    """Return state of chainrule as PyTorch's."""
    if isinstance(item, cr.Tensor):
        return torch.tensor(item.tolist(), dtype=getattr(torch, str(item.dtype)[6:]))
    if isinstance(item, dict):
        return {key: as_theirs(value) for key, value in item.items()}
    return type(item)(map(as_theirs, item)) if isinstance(item, (list, tuple)) else item


def as_ours(item):
    """Return state of PyTorch as chainrule's."""
    if isinstance(item, torch.Tensor):
        return cr.tensor(item.tolist(), dtype=getattr(cr, str(item.dtype)[6:]))
    if isinstance(item, dict):
        return {key: as_ours(value) for key, value in item.items()}
    return type(item)(map(as_ours, item)) if isinstance(item, (list, tuple)) else item


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_training_goes_on_in_the_other_library(name, first):
    """Three steps in one, then its state in the other, then three more: as if all in one."""

    def steps(library, params, optimizer, seed):
        library.manual_seed(seed)
        for _ in range(3):
            for param in params:
                param.grad = library.randn(param.shape)
            optimizer.step()

    begin, go_on, convert = (cr, torch, as_theirs) if first == "ours" else (torch, cr, as_ours)
    begin.manual_seed(0)
    params = [begin.randn(6, 4).requires_grad_(), begin.randn(6).requires_grad_()]
    optimizer = OPTIMIZERS[name](begin.optim, params)
    steps(begin, params, optimizer, 1)
    moved = [convert(param.detach()).requires_grad_() for param in params]
    continued = OPTIMIZERS[name](go_on.optim, moved)
    continued.load_state_dict(convert(optimizer.state_dict()))
    steps(begin, params, optimizer, 2)
    steps(go_on, moved, continued, 2)

    for own, other in zip(params, moved, strict=True):
        scale = own.abs().max().item()
        assert other.tolist() == [
            pytest.approx(row, rel=1e-5, abs=1e-5 * scale) for row in own.tolist()
        ]


def test_state_has_the_layout_of_its_namesake():
    found = []
    for library in (cr, torch):
        w = library.ones(2, requires_grad=True)
        w.grad = library.ones(2)
        optimizer = library.optim.Adam([w], amsgrad=True)
        optimizer.step()
        state = optimizer.state_dict()
        kinds = {k: (str(t.dtype), tuple(t.shape)) for k, t in state["state"][0].items()}
        found.append((kinds, list(state["param_groups"][0]), repr(optimizer)))

    assert found[0] == found[1]


@pytest.mark.parametrize("name", cr.optim.lr_scheduler.__all__)
def test_scheduler_has_the_arguments_of_its_namesake(name):
    ours, theirs = (
        list(inspect.signature(getattr(library.optim.lr_scheduler, name)).parameters.values())
        for library in (cr, torch)
    )

    assert [(p.name, p.kind, p.default) for p in ours] == [
        (p.name, p.kind, p.default) for p in theirs
    ]


NAMES = [name for name in torch.optim.__all__ if isinstance(getattr(torch.optim, name), type)]


def test_every_optimizer_is_there():
    assert set(torch.optim.__all__) <= {*cr.optim.__all__, "Optimizer"}


@pytest.mark.parametrize("name", sorted({*NAMES} - {"Optimizer"}))
def test_optimizer_has_the_arguments_of_its_namesake(name):
    ours, theirs = (
        list(inspect.signature(getattr(library.optim, name)).parameters.values())
        for library in (cr, torch)
    )

    assert [(p.name, p.kind, p.default) for p in ours] == [
        (p.name, p.kind, p.default) for p in theirs
    ]


SCHEDULES = [
    lambda s, o: s.StepLR(o, 3),
    lambda s, o: s.MultiStepLR(o, [2, 2, 5]),
    lambda s, o: s.ExponentialLR(o, 0.9),
    lambda s, o: s.ConstantLR(o),
    lambda s, o: s.LinearLR(o, 0.5, 0.2, 4),
    lambda s, o: s.PolynomialLR(o, 7, 2.0),
    lambda s, o: s.CosineAnnealingLR(o, 5, 0.01),
    lambda s, o: s.LambdaLR(o, lambda epoch: 0.9**epoch),
    lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.9),
    lambda s, o: s.CyclicLR(o, [0.1, 0.2], 0.9, 3, 4, "triangular2"),
    lambda s, o: s.CyclicLR(o, 0.1, 0.9, 3, mode="exp_range", gamma=0.9),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    lambda s, o: s.OneCycleLR(o, 0.9, 20),
    lambda s, o: s.OneCycleLR(o, 0.9, 20, three_phase=True, anneal_strategy="linear"),
    lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1.0, 3), s.CosineAnnealingLR(o, 5), s.StepLR(o, 2)], [3, 8]
    ),
    lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9)]),
]


@pytest.mark.parametrize("make", SCHEDULES)
def test_schedule_gives_the_same_rates_and_momenta_to_the_last_bit(make):
    found = []
    for library in (cr, torch):
        groups = [{"params": [library.ones(1, requires_grad=True)], "lr": lr} for lr in (0.5, 0.1)]
        optimizer = library.optim.SGD(groups, momentum=0.9)
        scheduler = make(library.optim.lr_scheduler, optimizer)
        for _ in range(15):
            settings = [(g["lr"], g["momentum"]) for g in optimizer.param_groups]
            found.append((library.__name__, settings, list(scheduler.get_last_lr())))
            optimizer.step()
            scheduler.step()

    assert [entry[1:] for entry in found[:15]] == [entry[1:] for entry in found[15:]]
