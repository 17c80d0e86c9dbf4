"""Where an op has no kernel: an error that says who has one, or the other way the user allowed.

Nothing falls back by itself. A policy is asked for, in a ``with`` block or in the environment, and
holds for the kernels that are missing, so the backward pass follows. What it gives is not kept in
the table of the op: when the block ends, the op is missing again.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .. import backend as _backend
from .._warn import warn_outside
from ..backend import KernelDef
from ..errors import ArgumentError, KernelNotFoundError
from .host import host
from .records import FallbackWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..backend import Backend, Kernel
    from ..op import Op

ERROR, CPU_WARN = "error", "cpu-warn"
POLICIES: Final = (ERROR, CPU_WARN)

_policy: Final[ContextVar[str | None]] = ContextVar("chainrule_fallback", default=None)
_counts: Final[Counter[tuple[str, str]]] = Counter()
_answers: Final[dict[tuple[str, str, str], KernelDef | None]] = {}


@contextlib.contextmanager
def fallback(policy: str) -> Iterator[None]:
    """Say inside a ``with`` block what to do where a backend has no kernel, on this thread or task.

    Args:
        policy: ``"error"``, as everywhere else; or ``"cpu-warn"``: copy to the CPU, compute there,
            copy back, with a `FallbackWarning` once per op and backend. `stats` counts how often.

    Raises:
        TypeError: another word.

    >>> with fallback("error"):
    ...     print(cr.ones(2) + 1)
    tensor([2., 2.])
    """
    token = _policy.set(_checked(policy, "fallback"))
    try:
        yield
    finally:
        _policy.reset(token)


def current_policy() -> str:
    """Return the policy in force: that of the ``with`` block, or CHAINRULE_FALLBACK's."""
    chosen = _policy.get()
    if chosen is not None:
        return chosen
    return _checked(os.environ.get("CHAINRULE_FALLBACK") or ERROR, "CHAINRULE_FALLBACK")


def _checked(policy: str, who: str) -> str:
    if policy in POLICIES:
        return policy
    hint = " There is no silent fallback, on purpose." if "silent" in str(policy) else ""
    raise ArgumentError(f"{who}: expected one of {', '.join(POLICIES)}, got {policy!r}.{hint}")


@dataclass(frozen=True)
class Stats:
    """What happened so far, to be looked at after a run.

    Attributes:
        fallbacks: How often each (op, backend) ran elsewhere for want of a kernel.
    """

    fallbacks: dict[tuple[str, str], int]

    def __str__(self) -> str:
        lines = [f"  {op} on {name}: {n}" for (op, name), n in sorted(self.fallbacks.items())]
        return "\n".join(["fallbacks to the CPU:", *(lines or ["  none"])])

    __repr__ = __str__


def stats(*, reset: bool = False) -> Stats:
    """Return how often ops fell back to the CPU; with *reset*, count from zero afterwards.

    >>> stats(reset=True).fallbacks
    {}
    """
    found = Stats(dict(_counts))
    if reset:
        _counts.clear()
    return found


def forget_answers() -> None:
    """Ask the plugins anew: one has come or gone."""
    _answers.clear()


host.on_change.append(forget_answers)


def find_missing(op: Op[Any, Any], backend: Backend, error: KernelNotFoundError) -> Kernel:
    """Return another way to run *op*, if the policy allows one and there is one.

    Raises:
        KernelNotFoundError: there is none; it says who has a kernel, and what to do.
    """
    policy = current_policy()
    kernel = _ask(op, backend, policy) if policy != ERROR else None
    if kernel is None:
        advice = f" {_advice(op, backend, policy)}"
        raise KernelNotFoundError(f"{error}{advice}", op=op.name, advice=advice)
    key = op.name, backend.name
    if key not in _counts:
        warn_outside(
            f"{op.name} has no kernel for backend {backend.name!r} and runs on the CPU instead "
            f"({kernel.provider}): its tensors are copied there and back on every call. "
            "chainrule.stats() counts how often.",
            FallbackWarning,
        )
    _counts[key] += 1
    return kernel.bind(backend.xp)


def _ask(op: Op[Any, Any], backend: Backend, policy: str) -> KernelDef | None:
    """Return what a plugin has in place of a kernel. An op that writes or looks has no such."""
    if op.view or op.__name__.endswith("_"):
        return None
    key = op.name, backend.name, policy
    if key not in _answers:
        found = host.first("chainrule_missing_kernel", op=op.name, backend=backend, policy=policy)
        _answers[key] = found if isinstance(found, KernelDef) else None
    return _answers[key]


def _advice(op: Op[Any, Any], backend: Backend, policy: str) -> str:
    """Return who has a kernel for *op*, and what can be done."""
    having = [
        (other, found[0])
        for other in _backend.live
        if other is not backend and (found := other.find_kernel(op.name))
    ]
    # The host first, and what lies over another after it.
    having.sort(key=lambda pair: ("cpu" not in pair[0].spec.device_types, len(pair[0].lineage)))
    who = ", ".join(f"{other.name} ({kernel.provider})" for other, kernel in having)
    options = [
        f"chainrule.prefer({op.name!r}, {offer.record.name!r}, backend={backend.name!r})"
        for offer in host.kernels.waiting_for(op.name, backend)
    ]
    options += [f".to('{b.spec.device_types[0]}@{b.name}') on its tensors" for b, _ in having[:1]]
    if having and policy == ERROR and not op.view:
        options.append(f"with chainrule.fallback({CPU_WARN!r})")
    options.append(f"a kernel for it in a KernelSet({backend.name!r})")
    return f"Kernels: {who or 'no live backend has one'}. Options: {'; '.join(options)}."
