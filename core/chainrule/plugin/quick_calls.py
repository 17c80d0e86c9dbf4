"""Quick calls of ops in compiled code, where a backend brings it.

# Note [Compiled calls]
# ---------------------
# fast.py calls an op in a few dozen steps of Python. A backend with compiled code may do the same
# steps there: it is given the classes whose slots they touch, and the parts of each call, and gives
# back a callable that passes whatever is not plain on to the Python one. So the Python path stays
# the statement of what a call does, and what observes calls, hooks, inference mode or anomaly mode
# need not know of the other. The exchange is made once, when the backend goes live; it concerns no
# backend in particular, since a call takes its kernel from the op's table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import anomaly, fast, plan, storage, value, views
from ..autograd import _observing
from ..backend import CallParts, DispatchKey
from ..grad_mode import mode
from ..graph import OpNode
from ..op import all_ops

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..backend import Backend
    from ..op import Op


def _layout() -> dict[str, Any]:
    """Return the classes and functions that compiled calls know, by name."""
    return {
        "value": value.Value,
        "storage": storage.Storage,
        "record": views.ViewRecord,
        "key": DispatchKey,
        "node": OpNode,
        "plan": plan.Plan,
        "tensor": value.tensor_class,
        "values": vars(value),  # its result_class is another class in inference mode
        "quick": vars(fast),  # its new_node is another function while somebody watches
        "mode": mode,
        "new_node": object.__new__,
        "next_sequence": anomaly.plain_sequence,
        "record_node": plan.record,
    }


def exchange(backend: Backend) -> None:
    """Put the compiled calls that *backend* brings, if any, in place of core's.

    Not while somebody observes calls, who would miss them.
    """
    make = None if _observing.observed() else backend.quick_calls(_layout())
    if make is None:
        return

    def compiled(op: Op[Any, Any], kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        return (make(_parts(op, kind, call)) if _suits(op, kind) else None) or call

    fast.compiled = compiled
    made = {}
    for op in list(all_ops.values()):
        plain = op.fast
        made[plain] = op.fast = compiled(op, fast.kind_of(op), plain)
    _observing.exchange(made)


def _suits(op: Op[Any, Any], kind: str) -> bool:
    """Return whether compiled code may call *op*: its node has one name, and nothing is missing."""
    if kind in {"unary", "binary", "view", "pair"}:
        return True
    return kind == "of_one" and not op.branches and op.schema.required == 1


def _parts(op: Op[Any, Any], kind: str, call: Callable[..., Any]) -> CallParts:
    plans, statics = op.fast_plans, op.schema.params[len(op.differentiable) :]

    def find_plan(mask: int, number: Any) -> Any:
        found = plans[mask] = fast.find_plan(op, mask & 3, number)
        return found

    return CallParts(
        kind=kind,
        op=op,
        plain=call,
        table=op.table,
        plans=plans,
        find_plan=find_plan,
        statics=tuple(p.name for p in statics),
        defaults=tuple(p.default for p in statics),
        direct=sum(1 << category for category in op.direct),
        boolean=op.promote == "compare",
        numbers_have_edges=kind == "binary" and fast.numbers_have_edges(op),
        same_dtype=op.dtype == "same",
    )
