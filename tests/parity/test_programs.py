"""Random programs of operations, views and writes: the same values, gradients and refusals."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
import torch

import chainrule

COMPUTE = {
    "tanh": lambda t, o: t.tanh(),
    "exp": lambda t, o: (t * 0.1).exp(),
    "sigmoid": lambda t, o: t.sigmoid(),
    "square": lambda t, o: t**2,
    "mul": lambda t, o: t * o,
    "sub": lambda t, o: 0.5 - t,
    "sum": lambda t, o: t.sum(0, keepdim=True),
    "clone": lambda t, o: t.clone(),
    "detach": lambda t, o: t.detach(),
}
VIEWS = {
    "t": lambda t, o: t.t(),
    "row": lambda t, o: t[0],
    "part": lambda t, o: t[..., 1:],
    "flat": lambda t, o: t.reshape(-1),
    "unsqueeze": lambda t, o: t.unsqueeze(0),
    "steps": lambda t, o: t[..., ::2],
}
WRITES = {
    "mul_": lambda t, o: t.mul_(1.5),
    "add_": lambda t, o: t.add_(o),
    "mul_ by": lambda t, o: t.mul_(o),
    "tanh_": lambda t, o: t.tanh_(),
    "zero_": lambda t, o: t.zero_(),
    "copy_": lambda t, o: t.copy_(o),
    "item": lambda t, o: t.__setitem__((..., 0), 0.25),
    "items": lambda t, o: t.__setitem__((..., slice(0, 1)), o.sum()),
}


def program(seed):
    """Return a list of steps: (what, position of its tensor, position of another one)."""
    draw = random.Random(seed)  # noqa: S311 - programs to try, no secret
    steps = []
    for _ in range(draw.randint(3, 9)):
        table = draw.choice((COMPUTE, VIEWS, WRITES, WRITES))
        steps.append((draw.choice(sorted(table)), draw.random(), draw.random()))
    return steps


def outcome(lib, steps):
    """Return what the steps give: for each the values or the refusal, then the gradients."""
    values = np.linspace(-1.0, 1.0, 12).reshape(3, 4)
    leaves = [
        lib.tensor(values, requires_grad=True),
        lib.tensor(values[0] + 0.3, requires_grad=True),
    ]
    tensors = [leaves[0] * 1, leaves[1] * 1, lib.tensor(values * 0.5)]
    found = []
    for name, where, other in steps:
        operation = {**COMPUTE, **VIEWS, **WRITES}[name]
        target, operand = (tensors[int(p * len(tensors))] for p in (where, other))
        try:
            result = operation(target, operand)
        except (RuntimeError, IndexError) as error:
            found.append((name, type_and_line(error)))
            continue
        if name not in WRITES:
            tensors.append(result)
        found.append((name, [(t.tolist(), t.requires_grad, t._version) for t in tensors]))
    loss = sum((t * (i + 1)).sum() for i, t in enumerate(tensors))
    try:
        loss.backward()
    except RuntimeError as error:
        return [*found, type_and_line(error)]
    return [*found, [None if leaf.grad is None else leaf.grad.tolist() for leaf in leaves]]


def type_and_line(error):
    """Return the type and the first line of *error*.

    Of several saved tensors that were written to, either library names the one it comes to first.
    """
    kind = next(k for k in (IndexError, RuntimeError) if isinstance(error, k))
    line = str(error).partition("\n")[0]
    return kind.__name__, re.sub(r"(modified by an inplace operation): .*", r"\1", line)


#: What PyTorch refuses and chainrule computes: a write into a view whose base came to require grad
#: since, while PyTorch has not yet made the view's node anew.
PYTORCH_ALONE_REFUSES = "a leaf Variable that requires grad is being used in an in-place operation."


def refused_by_pytorch_alone(mine, other):
    return mine != other and PYTORCH_ALONE_REFUSES in str(other)


@pytest.mark.parametrize("seed", range(300))
def test_random_program_runs_as_in_pytorch(seed):
    ours, theirs = outcome(chainrule, program(seed)), outcome(torch, program(seed))

    for mine, other in zip(ours, theirs, strict=True):
        if refused_by_pytorch_alone(mine, other):
            return  # from here on the two hold different values
        assert same(mine, other), f"\nours:    {mine}\nPyTorch: {other}"


def same(mine, other):
    """Return whether nested outcomes are equal, numbers up to rounding."""
    if isinstance(mine, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(mine) == len(other) and all(map(same, mine, other))
    if isinstance(mine, float) and isinstance(other, float):
        return mine == pytest.approx(other, rel=1e-12, abs=1e-14, nan_ok=True)
    return mine == other
