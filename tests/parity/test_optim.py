"""Every promise of tests/optim is kept by PyTorch itself; and both give the same numbers."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from pathlib import Path

import pytest
import torch

import chainrule as cr

FOLDER = Path(__file__).parents[1] / "optim"

#: Promises in which chainrule goes beyond PyTorch on purpose, or that are its own, and why.
OURS_ALONE = {
    "test_further": "there, momentum and weight decay move frozen parameters, and lr=nan is taken",
    "test_fused": "about chainrule's own ops",
    "test_joined": "about the memory of the NumPy backend",
}


def load(path):
    name = f"optim_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shared = load(FOLDER / "conftest.py")
raises, warns = shared.raises, shared.warns


@pytest.fixture
def lib():
    torch.set_warn_always(True)  # what PyTorch says once per process, every test should hear
    yield torch
    torch.set_warn_always(False)


@pytest.fixture
def device():
    return "cpu"


for path in sorted(FOLDER.glob("test_*.py")):
    if path.stem not in OURS_ALONE:
        for name, item in vars(load(path)).items():
            if re.match("test_", name) or isinstance(item, type(raises)):
                assert name not in globals(), f"{name}: two promises or fixtures of one name"
                globals()[name] = item


# Side by side

OPTIMIZERS = {
    "SGD": lambda o, p: o.SGD(p, 0.05),
    "SGD with momentum": lambda o, p: o.SGD(p, 0.05, 0.9, dampening=0.1, weight_decay=0.01),
    "SGD by Nesterov": lambda o, p: o.SGD(p, 0.05, 0.9, nesterov=True),
    "Adam": lambda o, p: o.Adam(p, 0.01),
    "Adam with decay": lambda o, p: o.Adam(p, 0.01, (0.8, 0.95), 1e-6, weight_decay=0.01),
    "AMSGrad": lambda o, p: o.Adam(p, 0.01, amsgrad=True),
    "AdamW": lambda o, p: o.AdamW(p, 0.01, weight_decay=0.1),
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


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
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
