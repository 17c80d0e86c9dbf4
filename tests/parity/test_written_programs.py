"""Short programs of writes, views and modes, written down in ``written/*.txt``: the same outcome.

After every program all its variables are compared: values, dtype, strides, `requires_grad`,
`is_leaf`, version, node and gradient; and so are the exceptions and warnings of each statement.
"""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

import pytest
import torch

import chainrule

FILES = sorted((Path(__file__).parent / "written").glob("*.txt"))
KINDS = (IndexError, RuntimeError, TypeError, AttributeError, ValueError, AssertionError)


def programs():
    for file in FILES:
        blocks = re.split(r"^# (.*)\n", file.read_text(), flags=re.MULTILINE)[1:]
        for title, code in zip(blocks[::2], blocks[1::2], strict=True):
            yield pytest.param(code, id=f"{file.stem}-{title.replace(' ', '-')}")


@pytest.fixture(autouse=True)
def _every_warning():
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


@pytest.mark.parametrize("code", list(programs()))
def test_program_ends_as_in_pytorch(code):
    ours, theirs = outcome(chainrule, code), outcome(torch, code)

    assert ours[0] == theirs[0]
    assert ours[1].keys() == theirs[1].keys()
    for name, found in ours[1].items():
        assert same(found, theirs[1][name]), f"{name}\nours:    {found}\nPyTorch: {theirs[1][name]}"


def outcome(lib, code):
    """Return what was raised and warned of, statement by statement, and what the variables hold."""
    variables, log = {"torch": lib}, []
    for statement in ast.parse(code).body:
        text = ast.unparse(statement)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's word on 1 / 0
            try:
                exec(compile(text, "program", "exec"), variables)  # noqa: S102 - a program of ours
            except KINDS as error:
                kind = next(k for k in KINDS if isinstance(error, k))
                log.append((text, kind.__name__, first_line(error)))
        log += [(text, w.category.__name__, first_line(w.message)) for w in heard]
    names = [n for n in variables if not n.startswith("__") and n != "torch"]
    return log, {name: described(lib, variables[name]) for name in names}


def first_line(message):
    """Return the first line of a message, without what either library says about itself."""
    line = str(message).partition("\n")[0].partition(" (Triggered internally")[0]
    return re.sub(r"(modified by an inplace operation): .*", r"\1", line)


def described(lib, item):
    if isinstance(item, (list, tuple)):
        return [described(lib, part) for part in item]
    if not isinstance(item, lib.Tensor):
        plain = isinstance(item, (int, float, complex, str, bool, type(None)))
        return item if plain else type(item).__name__
    return {
        "values": item.detach().tolist(), "dtype": str(item.dtype), "stride": item.stride(),
        "view": item._is_view(), "version": raised_or(lambda: item._version),
        "requires_grad": item.requires_grad, "leaf": raised_or(lambda: item.is_leaf),
        "node": raised_or(lambda: item.grad_fn and item.grad_fn.name()),
        "grad": gradient(item),
    }  # fmt: skip


def raised_or(read):
    try:
        return read()
    except RuntimeError as error:
        return first_line(error)


def gradient(item):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that of a non-leaf is asked for on purpose
        try:
            return item.grad is not None and item.grad.tolist()
        except RuntimeError as error:  # its view cannot be read any more
            return first_line(error)


def same(mine, other):
    """Return whether nested descriptions are equal, numbers up to rounding."""
    if isinstance(mine, dict) and isinstance(other, dict):
        return mine.keys() == other.keys() and all(same(mine[k], other[k]) for k in mine)
    if isinstance(mine, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(mine) == len(other) and all(map(same, mine, other))
    if isinstance(mine, (float, complex)) and isinstance(other, (float, complex)):
        return mine == pytest.approx(other, rel=1e-5, abs=1e-6, nan_ok=True)
    return mine == other
