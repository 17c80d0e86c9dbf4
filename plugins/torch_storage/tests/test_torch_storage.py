"""Promises of our own, beside what the conformance kit checks."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import chainrule as cr

PLACE = "torch"


@pytest.fixture
def make():
    cr.manual_seed(0)
    return lambda *shape: cr.randn(*shape, device=PLACE, dtype=cr.float64).requires_grad_()


def taken(x):
    return torch.from_dlpack(x.detach())


def test_installing_it_changes_nothing_that_was_not_asked_for():
    x = cr.ones(2)

    assert x.backend == "numpy"
    assert cr.as_tensor(torch.ones(2)).backend == "numpy"


def test_tensors_of_pytorch_come_and_go_without_a_copy():
    theirs = torch.arange(3.0)
    ours = cr.as_tensor(theirs, device=PLACE)
    ours.mul_(2)
    back = taken(ours)

    assert theirs.tolist() == back.tolist() == [0.0, 2.0, 4.0]
    assert back.data_ptr() == theirs.data_ptr() == ours.data_ptr()


def test_tensors_of_pytorch_are_taken_where_subclasses_of_ours_are_in_use():
    class Named(cr.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            return super().__torch_function__(function, types, args, kwargs)

    named = cr.ones(2).as_subclass(Named)

    assert type(named + 1) is Named
    assert cr.as_tensor(torch.ones(2)).tolist() == [1.0, 1.0]


def test_it_may_be_chosen_for_new_tensors():
    cr.set_default_device(PLACE)
    try:
        assert cr.ones(2).backend == "torch"
    finally:
        cr.set_default_device("cpu")


def test_views_share_memory_whoever_has_the_kernel(make):
    x = make(4, 6).detach()
    for view in (x[1], x[:, 2], x.T, x[::2], x.expand(2, 4, 6), x.unfold(1, 2, 2), x.diagonal()):
        before = view.sum().item()
        x.add_(1)
        assert view.sum().item() == pytest.approx(before + view.numel())


def test_a_kernel_of_numpy_runs_on_the_memory_itself(make):
    x = make(3).detach()
    address = x.data_ptr()
    x.sort()
    x += 1

    assert x.data_ptr() == address
    assert cr.explain("_sort", backend="torch").how == "inherited kernel"


@pytest.mark.parametrize("name", ["exp", "sin", "tanh", "erf", "lgamma", "sigmoid", "log1p"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_values_are_pytorchs_bit_by_bit(name, dtype):
    x = cr.rand(50, dtype=getattr(cr, dtype), device=PLACE)

    assert cr.explain(name, backend="torch").how == "own kernel"
    assert torch.equal(taken(getattr(x, name)()), getattr(taken(x), name)())


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_convolutions_and_their_gradients_are_pytorchs(make, dims, transposed):
    name = f"conv{'_transpose' if transposed else ''}{dims}d"
    x, weight, bias = make(2, 4, *(7,) * dims), make(4, 2, *(3,) * dims), make(4)
    options = {"stride": 2, "padding": 1, "groups": 2}
    ours = getattr(cr.nn.functional, name)(x, weight, bias, **options)
    theirs_in = [taken(t).clone().requires_grad_() for t in (x, weight, bias)]
    theirs = getattr(torch.nn.functional, name)(*theirs_in, **options)
    ours.square().sum().backward()
    theirs.square().sum().backward()

    torch.testing.assert_close(taken(ours), theirs.detach(), rtol=1e-12, atol=1e-12)
    for mine, other in zip((x, weight, bias), theirs_in, strict=True):
        torch.testing.assert_close(taken(mine.grad), other.grad, rtol=1e-12, atol=1e-12)


def test_broadcast_and_read_only_memory_become_tensors_without_a_warning():
    from chainrule_torch_storage import memory

    fixed = np.arange(3.0)
    fixed.flags.writeable = False
    copied, spread = memory.as_tensor(fixed), memory.as_tensor(np.broadcast_to(np.ones(2), (3, 2)))
    turned = memory.as_tensor(np.arange(3)[::-1])

    copied += 1
    assert (fixed.tolist(), copied.tolist()) == ([0.0, 1.0, 2.0], [1.0, 2.0, 3.0])
    assert (spread.stride(), turned.tolist()) == ((0, 1), [2, 1, 0])


def test_seeds_give_the_numbers_that_pytorch_gives():
    cr.manual_seed(3)
    torch.manual_seed(3)

    assert torch.equal(taken(cr.rand(40, device=PLACE)), torch.rand(40))


def test_a_model_trains_as_on_numpy():
    def losses(place):
        cr.manual_seed(0)
        model = cr.nn.Sequential(cr.nn.Conv2d(1, 4, 3), cr.nn.ReLU(), cr.nn.Flatten())
        model.append(cr.nn.Linear(4 * 36, 2))
        model = model.to(place)
        x, y = cr.rand(16, 1, 8, 8).to(place), cr.randint(2, (16,)).to(place)
        optimizer = cr.optim.Adam(model.parameters(), lr=0.01)
        found = []
        for _ in range(20):
            optimizer.zero_grad()
            loss = cr.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found

    ours = losses(PLACE)
    assert ours == pytest.approx(losses("cpu@numpy"), rel=1e-3)
    assert ours[-1] < 0.5 * ours[0]


def test_a_dtype_that_numpy_lacks_is_refused():
    with pytest.raises(cr.errors.DTypeError, match="backend 'torch' has no arrays of dtype"):
        cr.ones(2, dtype=cr.bfloat16, device=PLACE)


def test_without_a_pytorch_the_reason_is_told():
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import chainrule as cr\n"
        "try: cr.ones(1, device='torch')\n"
        "except cr.errors.BackendUnavailableError as error: print(error)\n"
    )
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "not installed" in done.stdout
    assert "pip install chainrule-torch-storage" in done.stdout


def test_the_examples_of_the_readme_run():
    readme = Path(__file__).parents[1] / "README.md"
    found = doctest.testfile(str(readme), module_relative=False, optionflags=doctest.ELLIPSIS)

    assert (found.failed, found.attempted > 0) == (0, True)
