"""Where two runs of one program differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Sentences of PyTorch's where it refuses what chainrule computes, and why that is right.
BEYOND = {
    "derivative for aten::": "chainrule has the formula",
    "the derivative for": "chainrule has the formula",
    "is not implemented for": "chainrule has the kernel",
    "not implemented for '": "chainrule has the kernel",
    "returned an invalid gradient at index": "PyTorch's formula fails for an index smaller than "
    "its source, and for out= of another shape",
    "INDICES element is out of DATA bounds": "PyTorch's formula of index_fill takes no negative "
    "indices",
}

#: Differences on purpose: kind, where (a pattern), the start of what chainrule shows. Each is a row
#: of docs/reference/differences.md.
KNOWN = (
    ("is a view", r"^(conj|adjoint|H|sum_to_size)\b", "False"),  # a copy
    ("requires_grad", "^gradient", "False"),  # PyTorch's refuses to be differentiated again
)

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9


@dataclass(frozen=True)
class Difference:
    """The first difference of a program: at which line, what kind, and the two sides."""

    where: str
    kind: str
    ours: str
    theirs: str

    @property
    def signature(self) -> tuple[str, str]:
        """What differences of one cause have in common."""
        text = self.kind if "error" not in self.kind else f"{self.kind}: {_short(self.theirs)}"
        return re.sub(r"\[.*", "", self.where), text

    def __str__(self) -> str:
        return f"{self.where}: {self.kind}\n  ours:    {self.ours}\n  PyTorch: {self.theirs}"


def _short(text: str) -> str:
    return re.sub(r"[\d.]+", "#", text)[:80]


def is_beyond(mine: Exception | None, other: Exception | None) -> bool:
    """Return whether chainrule computes what PyTorch refuses, for a reason of the table."""
    return other is not None and any(text in str(other) for text in BEYOND)


def is_known(difference: Difference | None) -> bool:
    """Return whether *difference* is one on purpose: docs/reference/differences.md has its row."""
    return difference is not None and any(
        difference.kind == kind and re.search(where, difference.where) and ours in difference.ours
        for kind, where, ours in KNOWN
    )


def of_errors(where: str, mine: Exception | None, other: Exception | None) -> Difference | None:
    """Return how two refusals differ: one is missing, or is of another type."""
    if mine is None or other is None:
        kind = "error of PyTorch's alone" if mine is None else "error of ours alone"
        return Difference(where, kind, _told(mine), _told(other))
    if not isinstance(mine, type(other)) and not _known_kin(mine, other):
        return Difference(where, "error of another type", _told(mine), _told(other))
    return None


def _known_kin(mine: Exception, other: Exception) -> bool:
    """Return whether ours is finer: every NotImplementedError and LinAlgError is a RuntimeError."""
    return isinstance(mine, RuntimeError) and type(other).__name__ == "_LinAlgError"


def _told(error: Exception | None) -> str:
    if error is None:
        return "nothing raised"
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def of_tensors(
    where: str,
    mine: list[Any],
    other: list[Any],
    *,
    values_only: bool = False,
) -> Difference | None:
    """Return the first difference between two lists of tensors."""
    if len(mine) != len(other):
        return Difference(where, "number of results", str(len(mine)), str(len(other)))
    for number, (left, right) in enumerate(zip(mine, other, strict=True)):
        found = _of_pair(left, right, values_only=values_only)
        if found is not None:
            kind, ours, theirs = found
            return Difference(where, kind, f"{ours} (tensor {number})", theirs)
    return None


def _of_pair(left: Any, right: Any, *, values_only: bool) -> tuple[str, str, str] | None:
    if left is None or right is None:
        return None if left is right else ("a gradient is None", _shown(left), _shown(right))
    for kind, of in _FACTS.items():
        if values_only and kind in _OF_HISTORY:
            continue
        ours, theirs = _read(of, left), _read(of, right)
        if ours != theirs:
            return kind, f"{ours}{_of_view(left, right)}", str(theirs)
    if not _close(_values(left), _values(right)):
        return "values", _shown(left), _shown(right)
    return None if values_only else _of_gradients(left, right)


def _of_view(left: Any, right: Any) -> str:
    """Return what tells a view that was made under no_grad: PyTorch says that it requires grad."""
    lost = right._is_view() and right.requires_grad and _read(lambda t: t.grad_fn, right) is None
    return " (a view made without recording)" if lost and not left.requires_grad else ""


def _read(fact: Any, tensor: Any) -> Any:
    """Return a fact of *tensor*, or that it cannot be read: a view may have lost its history."""
    try:
        return fact(tensor)
    except RuntimeError as error:
        return "raises RuntimeError", str(error)[:40]


def _of_gradients(left: Any, right: Any) -> tuple[str, str, str] | None:
    """Compare what was accumulated in two leaves."""
    if not all(_read(_has_grad, t) is True for t in (left, right)):
        return None
    mine, other = left.grad, right.grad
    if mine is None or other is None:
        return None if mine is other else (".grad is None", _shown(mine), _shown(other))
    if tuple(mine.shape) != tuple(other.shape) or not _close(_values(mine), _values(other)):
        return ".grad", _shown(mine), _shown(other)
    return None


def of_versions(where: str, mine: list[int], other: list[int]) -> Difference | None:
    """Return how the numbers of writes since the tensors were made differ."""
    for number, (left, right) in enumerate(zip(mine, other, strict=True)):
        if left != right:
            return Difference(where, "version", f"{left} (tensor {number})", str(right))
    return None


def _has_grad(t: Any) -> bool:
    return t.is_leaf or t.retains_grad


_FACTS = {
    "dtype": lambda t: str(t.dtype),
    "shape": lambda t: tuple(t.shape),
    "requires_grad": lambda t: t.requires_grad,
    "is_leaf": lambda t: t.is_leaf,
    "is a view": lambda t: t._is_view(),
}
_OF_HISTORY = {"is_leaf", "is a view"}


def _values(t: Any) -> Any:
    return t.numpy(force=True)


def _close(ours: Any, theirs: Any) -> bool:
    if ours.dtype.kind in "biu":
        return bool((ours == theirs).all())
    finite = np.abs(theirs[np.isfinite(theirs)])
    scale = max(1.0, float(finite.max())) if finite.size else 1.0
    return np.allclose(ours, theirs, rtol=_RELATIVE, atol=_ABSOLUTE * scale, equal_nan=True)


def _shown(t: Any) -> str:
    if t is None:
        return "None"
    values = _values(t).reshape(-1)
    return f"{list(t.shape)} {np.array2string(values[:8], precision=6)}"
