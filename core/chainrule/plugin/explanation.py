"""`explain`: which kernel runs an op, whose it is, where it stands, and what was passed over."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ops
from ..backend import by_name
from ..errors import ArgumentError
from ..mixing import common_key, with_numbers_moved
from ..op import Op, all_ops
from ..plan import NOT_IMPLEMENTED
from ..value import Value
from .builtin import CORE_NAMESPACE
from .host import host
from .kernels import place_of
from .missing import CPU_WARN, current_policy
from .namespaces import find_namespace
from .selection import full_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..backend import Backend, KernelDef

OWN, INHERITED, PREFERRED, BODY, TRACED, CORE, FALLBACK, NONE = (
    "own kernel", "inherited kernel", "preferred kernel", "body", "traced", "core", "fallback",
    "none",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """How one op runs on one backend. Printed, it says so in words.

    Attributes:
        op: The op's full name.
        backend: The backend it runs on.
        how: ``"own kernel"``, ``"inherited kernel"`` (of an ancestor or a family), ``"preferred
            kernel"`` (chosen with `prefer`), ``"body"`` (the op's reference, over the backend's
            other kernels), ``"traced"`` (a composite without a rule: its parts run and are
            recorded), ``"core"`` (it moves between backends, so none of them has a kernel for it),
            ``"fallback"`` (on the CPU, as the policy allows), or ``"none"`` (calling it raises).
        provider: Whose kernel it is; "" where there is none.
        place: ``file:line`` of the kernel or the body.
        lineage: The backends whose kernels this one may use, nearest first.
        passed_over: Other kernels for the op that could have served, and why they do not.
        gradient: What the op says of its gradient.
    """

    op: str
    backend: str
    how: str
    provider: str
    place: str
    lineage: tuple[str, ...]
    passed_over: tuple[str, ...]
    gradient: str

    def __str__(self) -> str:
        lines = [
            f"{self.op} on backend {self.backend!r} (lineage {' > '.join(self.lineage)})",
            f"  runs:     {self.runs}",
            f"  gradient: {self.gradient}",
        ]
        return "\n".join([*lines, *(f"  passed over: {text}" for text in self.passed_over)])

    @property
    def runs(self) -> str:
        """What runs, in words."""
        if self.how == NONE:
            return (
                "nothing: no kernel, and the op has no body. Calling it raises KernelNotFoundError"
            )
        if self.how == FALLBACK:
            return "on the CPU, copied there and back, since chainrule.fallback allows it"
        if self.how == BODY:
            return f"its body over the backend's other kernels, {self.place}"
        if self.how == CORE:
            return "core itself, by the backends' functions for memory"
        if self.how == TRACED:
            return f"its body, whose parts are recorded one by one, {self.place}"
        return f"{self.how} of {self.provider}, {self.place}"

    __repr__ = __str__


def explain(op: str | Callable[..., Any], *tensors: Any, backend: str | None = None) -> Explanation:
    """Return how *op* would run on *tensors*, without running it.

    Args:
        op: An op, or its name: ``"mul"``, ``"cr::mul"``, ``"special::log_ndtr"``. Of a function
            that checks its arguments and then calls an op, as `softmax`, that op is explained.
        tensors: The tensors it would be called with; their backend decides.
        backend: A backend, in place of tensors.

    Raises:
        ArgumentError: there is no such op, or neither a tensor nor a backend to explain it for.
        MixedBackendError: the tensors could not meet in one op.

    >>> print(explain("mul", cr.ones(2), cr.ones(2)))  # doctest: +ELLIPSIS
    cr::mul on backend 'numpy' (lineage numpy > xp)
      runs:     inherited kernel of chainrule (family 'xp'), ...arithmetic.py:...
      gradient: a formula for self, other
    """
    found = _op(op)
    live = _backend(found, tensors, backend)
    kernel = live.find_kernel(found.name)
    how, provider, place = _runs(found, live, kernel)
    if how == NONE and current_policy() == CPU_WARN and not found.view:
        how = FALLBACK
    return Explanation(
        op=found.name,
        backend=live.name,
        how=how,
        provider=provider,
        place=place,
        lineage=live.lineage,
        passed_over=tuple(_passed_over(found, live, kernel)),
        gradient=_gradient(found),
    )


def _op(op: str | Callable[..., Any]) -> Op[Any, Any]:
    if isinstance(op, Op):
        return op
    name = op if isinstance(op, str) else getattr(op, "__name__", "")
    namespace, _, word = full_name(name).rpartition("::")
    word = word.rpartition(".")[2]  # of "nn.functional.gelu"
    if namespace == CORE_NAMESPACE:
        ops.load_late()
    else:
        with contextlib.suppress(AttributeError):
            find_namespace(host, namespace)  # loads the plugin that has it
    for found in (f"{namespace}::{word}", f"{namespace}::_{word}"):  # of softmax the op is _softmax
        if found in all_ops:
            return all_ops[found]
    msg = (
        f"explain: expected an op or its name, got {op!r}. {_alike(word)}'chainrule ops' lists all."
    )
    raise ArgumentError(msg)


def _alike(word: str) -> str:
    """Return a sentence on the ops whose names hold *word*, or are spelt nearly so."""
    import difflib  # here, since few need it

    names = {name.partition("::")[2]: name for name in all_ops}
    near = [name for name in names if word in name] if word else []
    near = sorted(near, key=len)[:5] or difflib.get_close_matches(word, names, n=3)
    return f"Near it: {', '.join(names[name] for name in near)}. " if near else ""


def _backend(op: Op[Any, Any], tensors: tuple[Any, ...], name: str | None) -> Backend:
    if name is not None:
        return by_name(name)
    values = [tensor for tensor in tensors if isinstance(tensor, Value)]
    if not values:
        msg = f"explain: expected tensors to run {op.name} on, or backend='…', got neither."
        raise ArgumentError(msg)
    return common_key(op.__name__, with_numbers_moved(op, values, values)).backend


def _runs(
    op: Op[Any, Any], backend: Backend, kernel: tuple[KernelDef, str] | None
) -> tuple[str, str, str]:
    """Return how the op runs, whose kernel it is, and where it is written."""
    if kernel is not None:
        definition, ancestor = kernel
        own, chosen = ancestor == backend.name, host.kernels.pinned(op.name, backend)
        family = "" if own else f" (family {ancestor!r})"
        return (
            PREFERRED if chosen is not None else OWN if own else INHERITED,
            definition.provider + family,
            place_of(definition.function),
        )
    if op.kind == "composite":
        whole = op.rules or op.function_class is not None
        return BODY if whole else TRACED, "", place_of(op.function)
    return NONE if op.kind == "primitive" else CORE, "", ""


def _passed_over(
    op: Op[Any, Any], backend: Backend, kernel: tuple[KernelDef, str] | None
) -> list[str]:
    """Return the kernels that could have served, each with the reason why it does not."""
    used, chosen = kernel[1] if kernel else "", host.kernels.pinned(op.name, backend)
    reason = f"{used!r} is nearer" if chosen is None else f"{chosen.record.name!r} is preferred"
    texts = [
        f"the kernel of {ancestor!r}, {place_of(backend.kernels[ancestor][op.name].function)}: "
        f"{reason}"
        for ancestor in backend.lineage
        if ancestor != used and op.name in backend.kernels.get(ancestor, {})
    ]
    texts += [
        f"a kernel of {offer.kernel.provider}, {place_of(offer.kernel.function)}: neither the op "
        f"nor the backend is its own. To use it: chainrule.prefer({op.name!r}, "
        f"{offer.record.name!r}, backend={backend.name!r})"
        for offer in host.kernels.waiting_for(op.name, backend)
        if kernel is None or offer.kernel.function is not kernel[0].function
    ]
    if kernel is not None and op.kind == "composite":
        texts.append(f"the op's body, {place_of(op.function)}: a kernel comes first")
    return texts


def _gradient(op: Op[Any, Any]) -> str:
    """Return what the op says of its gradient, in words."""
    if op.function_class is not None:
        backward = op.function_class._backward_of()
        return f"the backward of {op.function_class.__name__}, {place_of(backward)}"
    if not op.rules:
        return "that of its parts" if op.kind == "composite" else "none: the result has no history"
    formulas = [
        name for name, rule in op.rules.items() if rule and not isinstance(rule, NOT_IMPLEMENTED)
    ]
    lacking = [name for name, rule in op.rules.items() if isinstance(rule, NOT_IMPLEMENTED)]
    texts = [f"a formula for {', '.join(formulas)}"] if formulas else []
    if lacking:
        texts.append(f"no formula yet for {', '.join(lacking)}")
    return "; ".join(texts) or "none: the result does not depend on it differentiably"
