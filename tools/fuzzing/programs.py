"""One random program: drawn from a seed, run on both libraries in step, compared at every step."""

from __future__ import annotations

import contextlib
import random
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import chainrule

from . import comparison
from .steps import GRAPH, VIEWS, WRITES
from .vocabulary import draw_op, is_tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

MODES = {
    "plain": lambda lib: contextlib.nullcontext(),
    "no_grad": lambda lib: lib.no_grad(),
    "enable_grad": lambda lib: lib.enable_grad(),
    "set_grad_enabled(False)": lambda lib: lib.set_grad_enabled(False),
    "inference_mode": lambda lib: lib.inference_mode(),
}
_LARGEST = 1e4  # results beyond it, or not finite, are compared and not used any further


@dataclass(frozen=True)
class Line:
    """One line of a program: what it does, in which mode, and the seed of its choices."""

    label: str
    step: Any
    mode: str
    seed: int


def draw(seed: int) -> list[Line]:
    """Return the program of *seed*."""
    pick = random.Random(seed)  # noqa: S311 - programs to try, no secret
    lines = []
    for _ in range(pick.randint(3, 10)):
        kind = pick.choices(("op", "view", "write", "graph"), (5, 3, 3, 2))[0]
        if kind == "op":
            label, step = draw_op(pick)
        else:
            table = {"view": VIEWS, "write": WRITES, "graph": GRAPH}[kind]
            label = pick.choice(sorted(table))
            step = table[label]
        mode = pick.choices([*MODES], (16, 3, 1, 1, 1))[0]
        if mode != "plain":
            label = f"{label} in {mode}"
        lines.append(Line(label, step, mode, pick.getrandbits(32)))
    return lines


def leaves_of(lib: Any) -> list[Any]:
    """Return the leaves that every program starts with."""
    values = np.linspace(-1.0, 1.25, 12).reshape(3, 4)
    return [
        lib.tensor(values, requires_grad=True),
        lib.tensor(np.array([0.9, -0.7, 0.3, 1.3]), requires_grad=True),
        lib.tensor(np.array([0.4 + 0.5j, -0.8 + 0.1j]), requires_grad=True),
    ]


def pool_of(lib: Any, leaves: list[Any]) -> list[Any]:
    """Return the tensors that a program can reach at first: leaves, copies, buffers."""
    return [
        *leaves,
        leaves[0] * 1,
        leaves[1] * 2,
        leaves[2] * 1,
        lib.tensor(np.linspace(0.5, -0.4, 12).reshape(3, 4)),
        lib.tensor(np.array([2, 0, 1, 3, 1])),
        lib.tensor(np.array([True, False, True])),
    ]


class Run:
    """One program in one library."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib
        self.raised: list[bool] = []  # by each line so far
        self.leaves = leaves_of(lib)
        self.pool = pool_of(lib, self.leaves)
        # Either library may write, while it makes a result, as often as it likes.
        self.versions = [_version(t) for t in self.pool]

    def line(self, line: Line) -> Exception | None:
        """Run one line; return what it raised."""
        self.made: list[Any] = []
        try:
            with MODES[line.mode](self.lib):
                result = line.step(self.lib, self.pool, random.Random(line.seed))  # noqa: S311 - likewise
        except Exception as error:  # noqa: BLE001 - whichever it is, it is compared
            self.raised.append(True)
            return error
        self.raised.append(False)
        items = result if isinstance(result, (list, tuple)) else [result]
        self.made = [t for t in items if is_tensor(t)]
        return None

    def keep(self, useful: list[bool]) -> list[bool]:
        """Let later lines use what the last one made; return which of it are new objects."""
        known, new = {id(t) for t in self.pool}, []
        for tensor, use in zip(self.made, useful, strict=True):
            new.append(id(tensor) not in known)
            known.add(id(tensor))
            if use and new[-1]:
                self.pool.append(tensor)
                self.versions.append(_version(tensor))
        return new

    def writes(self) -> list[int]:
        """Return how often each tensor of the pool was written to since it came there."""
        return [_version(t) - v for t, v in zip(self.pool, self.versions, strict=True)]

    def gradients(self, useful: list[bool]) -> Iterator[list[Any] | Exception]:
        """Yield the gradients of a weighted sum of the pool, then those of their sum."""
        try:
            loss = self._loss(useful)
            first = self._grad(loss)
            yield first
            terms = [
                (_real(g) * (0.5 + i)).sum()
                for i, g in enumerate(first)
                if g is not None and g.requires_grad
            ]
            if terms:
                yield self._grad(sum(terms))
        except Exception as error:  # noqa: BLE001 - likewise
            yield error

    def _loss(self, useful: list[bool]) -> Any:
        terms = [
            (_real(t) * (0.25 * (i + 1))).sum()
            for i, (t, use) in enumerate(zip(self.pool, useful, strict=True))
            if use and (t.is_floating_point() or t.is_complex())
        ]
        return sum(terms)

    def _grad(self, loss: Any) -> list[Any]:
        wanted = [t for t in self.leaves if t.requires_grad]
        return list(self.lib.autograd.grad(loss, wanted, create_graph=True, allow_unused=True))


def _version(t: Any) -> int:
    """Return the version; -1 for a tensor made in inference mode, which has none."""
    try:
        return int(t._version)
    except RuntimeError:
        return -1


def _real(t: Any) -> Any:
    return t.real + 0.5 * t.imag if t.is_complex() else t


@dataclass
class Outcome:
    """How a program went: the difference found, if any, and how many lines raised in both."""

    difference: comparison.Difference | None = None
    refused: int = 0
    known: int = 0  # whether it ended at a difference on purpose
    beyond: int = 0  # what chainrule computes and PyTorch refuses, by the table of those
    undecided: int = 0  # the same, where PyTorch has no way to compute it either


def run(lines: list[Line]) -> Outcome:
    """Run *lines* on both libraries, comparing after each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _run(lines)


def _run(lines: list[Line]) -> Outcome:
    ours, theirs = Run(chainrule), Run(torch)
    outcome = Outcome()
    for number, line in enumerate(lines, 1):
        errors = ours.line(line), theirs.line(line)
        done = [earlier.label for earlier in lines[:number]]
        if comparison.is_of_a_write(*errors):
            _compare_past_write(lines[:number], ours, outcome)
            return outcome  # from here on the two hold different values
        otherwise = comparison.lie_otherwise(ours.pool, theirs.pool)
        if comparison.is_beyond(*errors, labels=done, otherwise=otherwise):
            outcome.beyond += 1
            return outcome  # likewise
        refused = errors[0] is not None or errors[1] is not None
        outcome.refused += refused
        found = comparison.of_errors(line.label, *errors) if refused else None
        found = found or _new_difference(line.label, ours, theirs)
        if found is not None:
            known = comparison.is_known(found, done, otherwise=otherwise)
            known = known or comparison.is_of_a_late_base(found, theirs.pool)
            if known or _is_of_writing(found, theirs, refused=refused):
                outcome.known = 1
            else:
                outcome.difference = found
            return outcome
    _compare_gradients(ours, theirs, outcome, lines)
    return outcome


def _new_difference(label: str, ours: Run, theirs: Run) -> comparison.Difference | None:
    """Return the first difference after a line: in what it made, or in what was there."""
    found = comparison.of_tensors(label, ours.made, theirs.made) or comparison.of_places(
        label, ours.made, ours.pool, theirs.made, theirs.pool
    )
    if found is not None:
        return found
    useful = [_usable(t) for t in theirs.made]
    kept = ours.keep(useful), theirs.keep(useful)
    if kept[0] != kept[1]:
        return comparison.Difference(label, "what is a new object", str(kept[0]), str(kept[1]))
    return comparison.of_versions(
        f"after {label}", ours.writes(), theirs.writes()
    ) or comparison.of_tensors(f"after {label}", ours.pool, theirs.pool)


def _is_of_writing(found: comparison.Difference, theirs: Run, *, refused: bool) -> bool:
    """Return whether values differ as they may.

    Where elements of the target share memory PyTorch writes one after the other, chainrule all at
    once; so where a source shares some with it; and what it refuses, PyTorch may have written
    already.
    """
    if found.kind not in {"values", "shape"}:
        return False
    tensors = [*theirs.pool, *theirs.made]
    return (
        refused
        or any(comparison.overlaps(t) for t in tensors)
        or any(comparison.is_read_while_written(found.where, t, tensors) for t in theirs.made)
    )


def _usable(t: torch.Tensor) -> bool:
    if t.numel() == 0 or t.numel() > 4096:
        return False
    values = t.detach()
    return bool((values.abs() < _LARGEST).all()) if t.dtype != torch.bool else True


def _compare_gradients(ours: Run, theirs: Run, outcome: Outcome, lines: list[Line]) -> None:
    labels = [line.label for line in lines]
    useful = [_usable(t) for t in theirs.pool]
    pairs = zip(ours.gradients(useful), theirs.gradients(useful), strict=False)
    for order, (mine, other) in enumerate(pairs, 1):
        label = f"gradient {order}"
        errors = [g if isinstance(g, Exception) else None for g in (mine, other)]
        if comparison.is_of_a_write(*errors):
            _compare_past_write(lines, ours, outcome, mine, order)
            return
        if any(error is not None for error in errors):
            if comparison.is_beyond(*errors, labels=labels):
                outcome.beyond += 1
            else:
                _settle(outcome, comparison.of_errors(label, *errors), labels)
            return
        found = comparison.of_tensors(label, mine, other, values_only=True)
        if found is not None:
            if comparison.is_of_a_kink(found, labels) or any(map(comparison.overlaps, theirs.pool)):
                outcome.known = 1
            else:
                _settle(outcome, found, labels)
            return


def _compare_past_write(
    lines: list[Line], ours: Run, outcome: Outcome, gradients: Any = None, order: int = 0
) -> None:
    """Compare with a PyTorch that keeps a copy of whatever it saved and sees written to.

    It alone has refused, since something that it saved was written to; chainrule's ops may save
    less. *gradients* are ours, of *order*, where that is what it refused; else a line was refused.
    """
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        theirs = Run(torch)
        for line in lines:
            if theirs.line(line) is None:
                theirs.keep([_usable(t) for t in theirs.made])
        other: Any = theirs.pool
        if order:
            other = [*theirs.gradients([_usable(t) for t in theirs.pool])][:order][-1]
    found = None
    if not isinstance(other, Exception):
        where = f"gradient {order}" if order else lines[-1].label
        mine = [t if t is None else t.detach() for t in gradients] if order else ours.pool
        found = comparison.of_tensors(f"{where}, past a write", mine, other, values_only=True)
    labels = [line.label for line in lines]
    # Copies are not made of everything, and have no history: second gradients may lack something.
    failed = isinstance(other, Exception) or theirs.raised != ours.raised
    if failed or (found is not None and order > 1):
        outcome.undecided += 1
    elif found is None:
        outcome.beyond += 1
    elif comparison.is_of_a_kink(found, labels) or any(map(comparison.overlaps, theirs.pool)):
        outcome.known = 1
    else:
        _settle(outcome, found, labels)


def _settle(outcome: Outcome, found: comparison.Difference | None, labels: list[str]) -> None:
    if comparison.is_known(found, labels):
        outcome.known = 1
    else:
        outcome.difference = found
