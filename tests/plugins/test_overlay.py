"""An overlay: faster kernels for arrays that another backend owns; it inherits all the rest."""

from __future__ import annotations

import pytest

START = "import chainrule as cr, overlay_backend as o\n"


@pytest.fixture
def told(answer):
    """Return what a program prints where the overlay is installed."""
    return lambda program, **environment: answer(START + program, "overlay", **environment)


@pytest.mark.parametrize(
    "choice",
    [
        "x = cr.ones(2, device='cpu@overlay')",
        "cr.use('overlay'); x = cr.ones(2)",
        "cr.use(cpu='overlay'); x = cr.ones(2)",
        "with cr.using('overlay'): x = cr.ones(2)",
        "with cr.using(cpu='overlay'): x = cr.ones(2)",
        "x = cr.ones(2).to('cpu@overlay')",
        "x = cr.tensor([1.0, 1.0], device=cr.device('cpu@overlay'))",
        "cr.set_default_device('cpu@overlay'); x = cr.ones(2)",
    ],
)
def test_every_way_of_choosing_it(told, choice):
    assert told(f"{choice}\ny = x * x; print(y.backend, y.device, *o.calls)") == "overlay cpu mul"


@pytest.mark.parametrize("value", ["overlay", "cpu=overlay"])
def test_the_environment_chooses_it(told, value):
    program = "x = cr.ones(2); x * x; print(x.backend, *o.calls)"

    assert told(program, CHAINRULE_BACKEND=value) == "overlay mul"


def test_installing_it_changes_nothing(told):
    assert told("x = cr.ones(2); x * x; print(x.backend, len(o.calls))") == "numpy 0"


def test_using_ends_with_its_block_and_ops_follow_their_tensors(told):
    program = (
        "with cr.using('overlay'): x = cr.ones(2)\n"
        "x * x; y = cr.ones(2); y * y; print(x.backend, y.backend, o.calls['mul'])"
    )

    assert told(program) == "overlay numpy 1"


def test_it_inherits_from_numpy_first_and_from_the_family_then(told):
    program = (
        "x = cr.ones(2, device='cpu@overlay')\n"
        "print(*(cr.explain(op, x).provider for op in ('mul', '_log_softmax', 'exp')), sep='|')"
    )

    assert told(program) == (
        "overlay_backend 0.1|chainrule (family 'numpy')|chainrule (family 'xp')"
    )


def test_tensors_of_one_storage_mix_and_the_more_derived_backend_runs(told):
    program = (
        "x, y = cr.ones(2, device='cpu@overlay'), cr.ones(2)\n"
        "print((x * y).backend, (y * x).backend, cr.cat([y, x]).backend, o.calls['mul'])"
    )

    assert told(program) == "overlay overlay overlay 2"


def test_its_kernels_run_forward_and_backward_and_agree_with_numpys(told):
    program = (
        "def gradient(device):\n"
        "    x = cr.tensor([[0.5, -1.0], [2.0, 0.25]], dtype=cr.float64).to(device)\n"
        "    x.requires_grad_(); (cr.softmax(x, 1) * x.tanh()).sum().backward()\n"
        "    return x.grad\n"
        "a, b = gradient('cpu@overlay'), gradient('cpu@numpy')\n"
        "print(a.backend, cr.allclose(a, b.to('cpu@overlay')), *sorted(o.calls))"
    )

    assert told(program) == "overlay True mul softmax softmax_backward tanh"


def test_moving_to_it_and_back_is_differentiable(told):
    program = (
        "x = cr.ones(2, requires_grad=True); y = (x.to('cpu@overlay') * 3.0).to('cpu@numpy')\n"
        "y.sum().backward(); print(y.backend, x.grad.tolist(), x.grad.backend)"
    )

    assert told(program) == "numpy [3.0, 3.0] numpy"


def test_arrays_of_other_storage_do_not_mix_with_it(told):
    program = (
        "try: cr.ones(1, device='cpu@overlay') * cr.ones(1, device='sim')\n"
        "except RuntimeError as e: print(e)"
    )

    assert told(program).startswith("Expected all tensors to be on the same device, but found")


def test_a_model_moves_to_it_whole(told):
    program = (
        "m = cr.nn.Sequential(cr.nn.Linear(2, 2), cr.nn.Tanh()).to('cpu@overlay')\n"
        "y = m(cr.ones(1, 2, device='cpu@overlay')); y.sum().backward()\n"
        "print(y.backend, *{p.grad.backend for p in m.parameters()}, o.calls['tanh'])"
    )

    assert told(program) == "overlay overlay 1"
