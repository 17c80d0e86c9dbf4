"""A warning names the line of the program that is to blame."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import warnings
import chainrule as cr
import chainrule.nn.functional as F

if {asking}:
    class Named(cr.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            return super().__torch_function__(function, types, args, kwargs or {{}})

x = cr.zeros(2)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    F.mse_loss(cr.ones(2, 1), x)
    F.upsample_nearest(cr.ones(1, 1, 2), scale_factor=2)
    F.l1_loss(x, x, size_average=False)
print([(w.filename, w.lineno) for w in caught])
"""


@pytest.mark.parametrize("asking", [False, True])
def test_warning_names_the_users_line_whether_functions_ask_or_not(asking):
    program = PROGRAM.format(asking=asking)
    first = program.splitlines().index("    F.mse_loss(cr.ones(2, 1), x)") + 1
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.stdout == f"{[('<string>', first + i) for i in range(3)]}\n"
