"""Memory shared with PyTorch, both ways."""

from __future__ import annotations

import operator

import numpy as np
import pytest
import torch

import chainrule as cr


@pytest.mark.parametrize(("source", "target"), [(torch, cr), (cr, torch)], ids=["in", "out"])
def test_tensors_share_memory_with_pytorchs(source, target):
    given = source.arange(6.0).reshape(2, 3).t()
    found = target.from_dlpack(given)
    given[0, 1] = -1.0
    found[2, 0] = 7.0

    assert found.tolist() == given.tolist() == [[0.0, -1.0], [1.0, 4.0], [7.0, 5.0]]
    assert found.stride() == given.stride()


OPERATORS = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "eq", "ne", "lt", "ge",
    "iadd", "isub", "imul", "itruediv",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept context:DeprecationWarning")
@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("array_first", [True, False])
@pytest.mark.parametrize("numbers", [[3, 4], 4])
def test_an_operator_between_a_tensor_and_an_array_does_what_pytorchs_does(
    name, dtype, array_first, numbers
):
    def outcome(lib):
        operands = lib.tensor([1.0, 4.0]), np.array(numbers, dtype=dtype)
        try:
            found = getattr(operator, name)(*(operands[::-1] if array_first else operands))
        except (TypeError, ValueError) as error:
            return isinstance(error, TypeError)
        kind = "Tensor" if isinstance(found, lib.Tensor) else type(found).__name__
        return kind, np.asarray(found).tolist(), str(getattr(found, "dtype", ""))

    assert outcome(cr) == outcome(torch)


@pytest.mark.parametrize("strange", [np.array("a"), np.array(["a", "b"]), np.str_("a")])
def test_a_tensor_equals_no_array_of_other_things_than_numbers(strange):
    for lib in (cr, torch):
        assert (lib.ones(2) == strange) is False
        assert (strange == lib.ones(2)) is False
