"""Promises of `accumulate`: one step for several passes, nothing lost, nothing left."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.optim import accumulate


@pytest.fixture
def w(device):
    return cr.ones(1, device=device, requires_grad=True)


def run(w, factors, passes, **options):
    optimizer = cr.optim.SGD([w], lr=1.0)
    with accumulate(optimizer, passes, **options) as turn:
        stepped = []
        for factor in factors:
            (w * factor).sum().backward()
            stepped.append(turn.step())
    return stepped


def test_a_step_is_taken_every_so_many_passes(w):
    assert run(w, [1.0, 3.0, 5.0, 7.0], 2) == [False, True, False, True]
    assert w.item() == 1 - 2 - 6
    assert w.grad is None


def test_what_is_left_gets_a_step_by_its_own_number(w):
    run(w, [2.0, 4.0, 6.0, 3.0], 3)

    assert w.item() == 1 - 4 - 3


def test_gradients_may_be_summed(w):
    run(w, [1.0, 3.0], 2, average=False)

    assert w.item() == 1 - 4


def test_old_gradients_do_not_get_in(w):
    (w * 100).sum().backward()
    run(w, [1.0], 1)

    assert w.item() == 0.0


def test_an_exception_takes_no_step(w):
    optimizer = cr.optim.SGD([w], lr=1.0)

    def fail():
        with accumulate(optimizer, 2) as turn:
            (w * 3).sum().backward()
            turn.step()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert w.item() == 1.0


def test_less_than_one_pass_is_refused(w):
    with pytest.raises(ValueError, match="expected one backward pass or more"):
        accumulate(cr.optim.SGD([w], lr=1.0), 0)


def test_the_lint_is_content_with_it(w):
    import warnings

    with cr.autograd.lint(), warnings.catch_warnings():
        warnings.simplefilter("error", cr.autograd.LintWarning)
        run(w, [1.0] * 6, 2)
