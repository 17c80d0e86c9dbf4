"""Optimizer steps in C: against NumPy's in double precision."""

from __future__ import annotations

import numpy as np
import pytest

SHAPES = [(3, 4), (5,), (), (1, 7), (300, 301)]
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])

ADAM = {
    "steps": [3.0] * len(SHAPES), "lr": 0.01, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0,
    "eps": 1e-8, "decoupled": False, "maximize": False,
}  # fmt: skip
SGD = {
    "lr": 0.1, "momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False,
    "maximize": False, "first": False,
}  # fmt: skip


def lists(dtype, count, seed=0):
    """Return lists of arrays, one per shape; from the third on they are not negative."""
    rng = np.random.default_rng(seed)
    made = [[np.asarray(rng.normal(0, 1, s), dtype) for s in SHAPES] for _ in range(count)]
    return made[:3] + [[np.asarray(np.abs(a)) for a in arrays] for arrays in made[3:]]


def copied(groups, dtype):
    return [[np.array(a, dtype) for a in arrays] for arrays in groups]


def check(native, reference, op, groups, keywords, dtype):
    """Check what the lists hold after the step against the step in double precision."""
    ours, exact = copied(groups, dtype), copied(groups, "float64")
    assert native(op)(*ours, **keywords) is None
    reference(op)(*exact, **keywords)
    for arrays, expected in zip(ours, exact, strict=True):
        for a, b in zip(arrays, expected, strict=True):
            rtol = 1e-5 if dtype == "float32" else 1e-12
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


@each_dtype
@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        {}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled": True}, {"maximize": True},
        {"steps": [1.0, 2.0, 2.0, 7.0, 1.0]},
    ],
    ids=str,
)  # fmt: skip
def test_adam_takes_the_step_that_numpy_takes(native, reference, dtype, largest, changes):
    groups = lists(dtype, 5)
    if not largest:
        groups[4] = []
    check(native, reference, "cr::_fused_adam_", groups, {**ADAM, **changes}, dtype)


@each_dtype
@pytest.mark.parametrize("buffers", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        {}, {"weight_decay": 0.1}, {"maximize": True}, {"momentum": 0.9}, {"dampening": 0.5},
        {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "first": True},
    ],
    ids=str,
)  # fmt: skip
def test_descent_takes_the_step_that_numpy_takes(native, reference, dtype, buffers, changes):
    groups = lists(dtype, 3)
    if not buffers:
        groups[2] = []
    check(native, reference, "cr::_fused_sgd_", groups, {**SGD, **changes}, dtype)


def test_a_parameter_that_is_infinite_stays_so_without_weight_decay(native):
    param, buffer = np.array([np.inf]), np.zeros(1)
    native("cr::_fused_sgd_")([param], [np.ones(1)], [buffer], **SGD)

    assert param[0] == np.inf


def test_steps_are_counted_and_told(native):
    steps = [np.zeros((), "f4"), np.full((), 4, "f4")]

    assert native("cr::_count_steps_")(steps) == (1.0, 5.0)
    assert [float(step) for step in steps] == [1.0, 5.0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda groups: groups[1].pop(), lambda groups: groups[0].clear(),
        lambda groups: groups[1].__setitem__(0, np.zeros((4, 3), "f4")),
        lambda groups: groups[1].__setitem__(0, np.zeros((3, 4))),
        lambda groups: groups[0].__setitem__(0, np.zeros((4, 3), "f4").T),
        lambda groups: groups[0][0].setflags(write=False),
        lambda groups: groups[2].__setitem__(1, None),
    ],
    ids=["short", "empty", "shape", "dtype", "transposed", "read-only", "nothing"],
)  # fmt: skip
@pytest.mark.parametrize(("op", "keywords", "count"), [("adam", ADAM, 5), ("sgd", SGD, 3)])
def test_lists_that_do_not_fit_are_passed_on_untouched(
    native, declined, spoil, op, keywords, count
):
    groups = lists("float32", count)
    spoil(groups)
    before = [[None if a is None else a.copy() for a in arrays] for arrays in groups]
    with pytest.raises(declined):
        native(f"cr::_fused_{op}_")(*groups, **keywords)

    for arrays, old in zip(groups, before, strict=True):
        for a, b in zip(arrays, old, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", sorted(ADAM))
def test_a_step_without_one_of_its_numbers_is_passed_on(native, declined, name):
    keywords = {key: value for key, value in ADAM.items() if key != name}
    with pytest.raises(declined):
        native("cr::_fused_adam_")(*lists("float32", 5), **keywords)


def test_the_number_of_threads_changes_no_bit(core, native):
    before, found = core.thread_count(), []
    for count in (1, 3):
        core.set_thread_count(count)
        groups = lists("float32", 5)
        native("cr::_fused_adam_")(*groups, **ADAM)
        found.append([a.tobytes() for arrays in groups for a in arrays])
    core.set_thread_count(before)

    assert found[0] == found[1]
