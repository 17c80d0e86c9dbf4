"""Nothing that is computed stays behind: no array, no block of memory."""

from __future__ import annotations

import gc

import pytest

import chainrule as cr


@pytest.mark.slow
def test_ten_thousand_steps_of_training_leave_nothing_behind(required):
    with cr.using("native"):
        net = cr.nn.Sequential(cr.nn.Linear(4, 8), cr.nn.GELU(), cr.nn.Linear(8, 3))
        optimizer = cr.optim.AdamW(net.parameters(), lr=1e-3)
        x, target = cr.randn(6, 4), cr.tensor([0, 1, 2, 0, 1, 2])

        def steps(count):
            for _ in range(count):
                optimizer.zero_grad()
                cr.nn.functional.cross_entropy(net(x), target).backward()
                optimizer.step()
            gc.collect()
            return cr.memory_stats()

        before, after = steps(100), steps(10_000)

    assert after["allocated_bytes.all.current"] <= before["allocated_bytes.all.current"] + 4096
    assert after["inactive_bytes.all.current"] <= before["inactive_bytes.all.current"] + 4096
    made = after["allocation.all.allocated"] - after["allocation.all.reused"]
    assert made - (before["allocation.all.allocated"] - before["allocation.all.reused"]) < 100


def test_kernels_that_decline_keep_no_reference(core, native, declined):
    import sys

    import numpy as np

    x, y = np.zeros((2, 3), "f4"), np.zeros((3, 2), "f4")
    counts = sys.getrefcount(x), sys.getrefcount(y)
    for op in ("cr::add", "cr::maximum", "cr::_where", "cr::_fused_sgd_", "cr::_nll_loss"):
        for _ in range(50):
            with pytest.raises(declined):
                native(op)(x, y)
            with pytest.raises(declined):
                native(op)([x], [y], [y], lr=1)

    assert (sys.getrefcount(x), sys.getrefcount(y)) == counts


def test_results_are_freed_once(native):
    import sys

    import numpy as np

    x, results = np.ones((50, 40), "f4"), []
    for op in ("cr::tanh", "cr::_sum_all", "cr::relu"):
        result = native(op)(x)
        results.append(sys.getrefcount(result))

    assert results == [2, 2, 2]
