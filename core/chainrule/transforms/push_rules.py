"""The forward-mode rule of every op that has one, by family; the others are transposed twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..value import Value
from .batch_rules import is_elementwise
from .pushing import (
    RULES,
    Push,
    Rule,
    by_transposing,
    linear,
    linear_in,
    multilinear,
    of_elements,
    stated,
)
from .wrapped import raw

if TYPE_CHECKING:
    from ..op import Op


def rule_for(op: Op[Any, Any]) -> Rule:
    """Return how *op* pushes tangents: as stated, as its family does, or by transposing twice."""
    found = RULES.get(op.name.removeprefix("cr::"))
    if op.jvp_rules:
        return stated
    if found is not None:
        return found
    return of_elements if is_elementwise(op) else by_transposing


def _picked(push: Push) -> tuple[Any, Any]:
    """Take the tangents from where the values were taken, as sort and topk say."""
    result = push.run()
    (tangent,), dim = push.tangents, push.static("dim")
    places = result[1]
    if not tangent._array.shape:
        return result, [ops.reshape(tangent, tuple(result[0]._array.shape)), None]
    dropped = len(places._array.shape) < len(tangent._array.shape)
    if dropped:
        places = ops.unsqueeze(places, dim)
    found = ops.gather(tangent, dim, places)
    return result, [ops.squeeze(found, dim) if dropped else found, None]


def _softmax(push: Push) -> tuple[Any, Any]:
    result, (tangent,), dim = push.run(), push.tangents, push.static("dim")
    if result._key.complex:
        return by_transposing(push)
    return result, raw.softmax_backward(tangent, result, dim=dim)


def _log_softmax(push: Push) -> tuple[Any, Any]:
    result, (tangent,), dim = push.run(), push.tangents, push.static("dim")
    return result, tangent - ops.sum(ops.exp(result) * tangent, dim, True)


def _logcumsumexp(push: Push) -> tuple[Any, Any]:
    """Add up ``t * exp(x - result)``: in logarithms, the positive and the negative ones apart."""
    result, (x,), (tangent,), dim = push.run(), push.primals, push.tangents, push.static("dim")
    if result._key.complex:
        return by_transposing(push)

    def share(part: Any) -> Any:
        return ops.exp(raw._logcumsumexp(x + ops.log(part), dim) - result)

    return result, share(ops.clamp(tangent, min=0)) - share(ops.clamp(-tangent, min=0))


def _addition(push: Push) -> tuple[Any, Any]:
    """Push through ``beta * self + alpha * product``."""
    changes = []
    summand, *factors = push.tangents
    if summand is not None:
        blank = [ops.zeros_like(p) for p in push.primals[1:]]
        changes.append(push.run([summand, *blank]))
    for place, tangent in enumerate(factors):
        if tangent is not None:
            mixed = [*push.primals[1:]]
            mixed[place] = tangent
            changes.append(push.run([ops.zeros_like(push.primals[0]), *mixed]))
    total = changes[0]
    for change in changes[1:]:
        total = total + change
    return push.run(), total


def _masked_fill(push: Push) -> tuple[Any, Any]:
    _, mask, value = push.primals
    tangent, _, of_value = push.tangents
    if tangent is None:
        tangent = ops.zeros_like(push.primals[0])
    fill = 0 if of_value is None or not isinstance(value, Value) else of_value
    return push.run(), ops.masked_fill(tangent, mask, fill)


def _fill(push: Push) -> tuple[Any, Any]:
    result, (_, of_value) = push.run(), push.tangents
    return result, None if of_value is None else ops.fill(result, of_value)


def _copied(push: Push) -> tuple[Any, Any]:
    result, (_, of_source) = push.run(), push.tangents
    return result, None if of_source is None else push.run([push.primals[0], of_source])


def _without_change(push: Push) -> tuple[Any, Any]:
    result = push.run()
    return result, None if isinstance(result, Value) else [None] * len(result)


RULES.update({
    **dict.fromkeys(
        ("_cat", "_conj", "_conj_physical", "_cumsum", "_diag_embed", "_diagonal_copy", "_flip",
         "_mean", "_mean_all", "_repeat", "_roll", "_rot90", "_squeezed", "_stack", "_sum",
         "_sum_all", "_tril", "_triu", "_unsafe_view", "clone", "trace", "on_diagonal",
         "basic_index_backward", "select_backward", "slice_backward", "diagonal_backward",
         "unfold_backward", "_block_diag", "_diagonal_scatter", "_select_scatter",
         "_slice_scatter", "view_scatter", "_laid_out"),
        linear,
    ),
    **dict.fromkeys(
        ("mm", "mv", "dot", "bmm", "_mm_with_transpose", "_adjoint_times", "_times_adjoint",
         "linalg_cross", "_trilinear"),
        multilinear,
    ),
    **dict.fromkeys(
        ("addmm", "_addmm_with_transpose", "addmv", "baddbmm", "addbmm", "addr"), _addition
    ),
    **dict.fromkeys(("_gather", "_index", "_index_select", "_take"), linear_in("self")),
    **dict.fromkeys(
        ("gather_backward", "index_backward", "index_select_backward", "take_backward"),
        linear_in("grad"),
    ),
    "embedding_backward": linear_in("grad_output"),
    "_embedding": linear_in("weight"),
    **dict.fromkeys(("_scatter", "_scatter_add"), linear_in("self", "src")),
    **dict.fromkeys(("_index_add", "_index_copy"), linear_in("self", "source")),
    "_index_put": linear_in("self", "values"),
    "_put": linear_in("self", "source"),
    **dict.fromkeys(
        ("_kthvalue", "_max_dim", "_median_dim", "_min_dim", "_mode", "_nanmedian_dim", "_sort",
         "_sort_stable", "_topk"),
        _picked,
    ),
    "_softmax": _softmax,
    "_log_softmax": _log_softmax,
    "_logcumsumexp": _logcumsumexp,
    "masked_fill": _masked_fill,
    "fill": _fill,
    "copy": _copied,
    **dict.fromkeys(
        ("zero", "cauchy", "exponential", "geometric", "log_normal", "normal",
         "random", "uniform", "bernoulli", "_bernoulli_of", "_bernoulli_like", "_normal_of"),
        _without_change,
    ),
})  # fmt: skip
