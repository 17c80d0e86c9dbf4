"""The batch rule of every op that has one, by family. What is not here runs sample by sample."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final

from .. import ops
from ..errors import AutogradError
from ..op import all_ops
from ..shapes import broadcast_shapes
from . import batch_rules_index, batch_rules_matrix, batch_rules_nn, batch_rules_random
from .batched import BatchedArray
from .batching import (
    Call,
    Rule,
    along,
    elementwise,
    one_by_one,
    plain,
    reduced,
    shifted,
    sized,
    whole,
)
from .wrapped import is_tensor, raw

if TYPE_CHECKING:
    from ..op import Op

#: Ops of elements that take no part in type promotion, and so do not say so themselves.
ELEMENTWISE: Final = frozenset({"_complex", "_polar", "isclose", "lerp"})

#: Ops that promote their operands, and are no ops of elements.
NOT_ELEMENTWISE: Final = frozenset({
    "_logsumexp", "_max_all", "_median_all", "_min_all", "_nanmedian_all", "addr",
})  # fmt: skip

#: Static arguments of ops that reduce, or look along a dimension.
_LOOKING: Final = frozenset({"dim", "dims", "keepdim", "reduction"})


_TABLES = tuple(
    module.TABLE
    for module in (batch_rules_index, batch_rules_matrix, batch_rules_nn, batch_rules_random)
)


def rule_for(op: Op[Any, Any]) -> Rule:
    """Return the batch rule of *op*: as stated, of its family, its body, or sample by sample."""
    if op.batch_rule is not None:
        return op.batch_rule
    name = op.name.removeprefix("cr::")
    for table in (TABLE, *_TABLES):
        if name in table:
            return table[name]
    if is_elementwise(op):
        return elementwise
    return _body if op.kind == "composite" else one_by_one


def is_elementwise(op: Op[Any, Any]) -> bool:
    """Return whether every element of the result depends on one element of each operand."""
    name = op.name.removeprefix("cr::")
    if op.promote is None or name in NOT_ELEMENTWISE:
        return name in ELEMENTWISE
    return not op.multiple and not _LOOKING & op.schema.position.keys()


def _body(call: Call) -> Any:
    """Run a composite's body on the batch."""
    backend = call.level.backend

    def tensor(operand: Any) -> Any:
        if isinstance(operand, BatchedArray):
            return backend.value(operand)
        return [tensor(item) for item in operand] if isinstance(operand, list) else operand

    bound = list(call.op.schema.defaults)
    for position, operand in zip(call.op.schema.tensor_positions, call.operands, strict=True):
        bound[position] = tensor(operand)
    for name, value in call.statics.items():
        bound[call.op.schema.position[name]] = value
    result = call.op.function(**dict(zip(call.op.schema.position, bound, strict=True)))
    if is_tensor(result):
        return _array(result, call)
    return tuple(_array(item, call) for item in result)


def _array(tensor: Any, call: Call) -> Any:
    """Return a tensor that a body gave as a batched array of this level."""
    if tensor._key.backend is call.level.backend:
        return tensor._array.whole()
    return BatchedArray(call.level, tensor, False).whole()


# Along dimensions


def _whole_then(op: Op[Any, Any], **statics: Any) -> Rule:
    """Return the rule of a reduction of everything: *op* over the flattened sample."""

    def rule(call: Call) -> Any:
        shape = call.operands[0].shape
        rows = ops.reshape(call.whole(), (call.level.size, prod(shape)))
        result = call.run([rows], op, **statics)
        return result if is_tensor(result) else result[0]

    return rule


def _flattened(call: Call) -> Any:
    """Look along one dimension, or with None in the flattened sample."""
    if call.static("dim") is not None:
        return along("dim")(call)
    array = call.operands[0]
    rows = ops.reshape(call.whole(), (call.level.size, prod(array.shape)))
    found = call.run([rows], dim=1, keepdim=False)
    if not call.static("keepdim"):
        return found
    kept = (call.level.size, *(1,) * len(array.shape))
    if is_tensor(found):
        return ops.reshape(found, kept)
    return tuple(ops.reshape(one, kept) for one in found)


def _tested(call: Call) -> Any:
    """Reduce as any other, but () stands for no dimension."""
    return call.run(call.wholes()) if call.static("dim") == () else _REDUCED(call)


def _rolled(call: Call) -> Any:
    if call.static("dims"):
        return along("dims")(call)
    shape = call.operands[0].shape
    rows = ops.reshape(call.whole(), (call.level.size, prod(shape)))
    return ops.reshape(call.run([rows], dims=(1,)), (call.level.size, *shape))


def _expanded(call: Call) -> Any:
    size, array = call.static("size"), call.operands[0]
    missing = len(size) - len(array.shape)
    old = (1,) * missing + tuple(array.shape)
    new = tuple(o if n == -1 else n for o, n in zip(old, size, strict=True))
    tensor = array.tensor
    if missing:
        tensor = ops.reshape(tensor, (call.level.size, *old))
    return call.run([tensor], size=(call.level.size, *new))


def _repeated(call: Call) -> Any:
    repeats, array = call.static("repeats"), call.operands[0]
    missing = len(repeats) - len(array.shape)
    tensor = ops.reshape(array.tensor, (call.level.size, *(1,) * missing, *array.shape))
    return call.run([tensor], repeats=(1, *repeats))


def _permuted(call: Call) -> Any:
    ndim = call.ndim()
    return call.run(call.wholes(), dims=(0, *shifted(tuple(call.static("dims")), ndim)))


def _transposed(call: Call) -> Any:
    if call.ndim() < 2:
        return raw._alias(call.whole())
    return raw._transpose(call.whole(), 1, 2)


def _squeezed_all(call: Call) -> Any:
    dims = tuple(d + 1 for d, size in enumerate(call.operands[0].shape) if size == 1)
    return raw._squeeze_dims(call.whole(), dims)


def _as_strided(call: Call) -> Any:
    tensor = call.whole()
    size, stride = call.static("size"), call.static("stride")
    step = tensor.stride(0)
    return ops.as_strided(
        tensor, (call.level.size, *size), (step, *stride), call.static("storage_offset")
    )


def _scattered(sizes: str, *dims: str) -> Rule:
    """Return the rule of the gradient of a part: the size of the whole, and where it was."""

    def rule(call: Call) -> Any:
        size = call.static(sizes)
        statics = {name: shifted(call.static(name), len(size)) for name in dims}
        return call.run(call.wholes(), **{sizes: (call.level.size, *size)}, **statics)

    return rule


def _basic_index(call: Call) -> Any:
    return call.run(call.wholes(), index=(slice(None), *call.static("index")))


def _basic_index_backward(call: Call) -> Any:
    size = call.static("input_sizes")
    return call.run(
        call.wholes(),
        input_sizes=(call.level.size, *size),
        index=(slice(None), *call.static("index")),
    )


def _trace(call: Call) -> Any:
    diagonal = ops.diagonal(call.whole(), 0, 1, 2)
    return raw._sum(diagonal, (1,))


def _on_diagonal(call: Call) -> Any:
    rows, columns = call.static("shape")
    values = ops.expand(ops.unsqueeze(call.whole(), 1), (call.level.size, min(rows, columns)))
    blank = values.new_zeros((call.level.size, rows, columns))
    return ops.diagonal_scatter(blank, values, 0, 1, 2)


# Joining


def _joined(grows: int) -> Rule:
    def rule(call: Call) -> Any:
        (items,) = call.operands
        ndim = max(len(item.shape) for item in items) + grows
        return call.run(
            [[whole(item) for item in items if len(item.shape) + grows == ndim]],
            dim=shifted(call.static("dim"), ndim),
        )

    return rule


def _block_diagonal(call: Call) -> Any:
    """Put every block between zeros into a row of blocks, and the rows under one another."""
    (items,) = call.operands
    blocks = []
    for item in items:
        tensor, missing = item.whole(), 2 - len(item.shape)
        blocks.append(ops.reshape(tensor, (call.level.size, *(1,) * missing, *item.shape)))
    dtype, widths = call.static("dtype"), [block.shape[2] for block in blocks]
    rows, before, total = [], 0, sum(widths)
    for block, width in zip(blocks, widths, strict=True):
        height = block.shape[1]
        left, right = (
            block.new_zeros((call.level.size, height, size), dtype=dtype)
            for size in (before, total - before - width)
        )
        rows.append(raw._cat([left, block, right], 2, dtype))
        before += width
    return raw._cat(rows, 1, dtype)


# Distances


def _dist(call: Call) -> Any:
    difference = ops.sub(*_aligned_pair(call))
    rows = ops.reshape(difference, (call.level.size, -1))
    return raw._vector_norm(rows, call.static("p"), (1,))


def _aligned_pair(call: Call) -> Any:
    from .batching import _aligned

    ndim = max(len(o.shape) for o in call.operands)
    return [_aligned(o, ndim) for o in call.operands]


def _crossed(call: Call) -> Any:
    ndim = max(len(o.shape) for o in call.operands)
    pair = ops.broadcast_tensors(*_aligned_pair(call))
    return call.run(pair, dim=shifted(call.static("dim"), ndim))


def _gathered(call: Call) -> Any:
    source, index = call.operands
    ndim = max(len(source.shape), len(index.shape), 1)
    tensors = [_grown(operand, ndim) for operand in (source, index)]
    found = call.run(tensors, dim=shifted(call.static("dim"), ndim))
    return ops.reshape(found, (call.level.size, *index.shape))


def _gathered_back(call: Call) -> Any:
    shape, (grad, index) = tuple(call.static("input_sizes")), call.operands
    ndim = max(len(shape), len(index.shape), 1)
    grown = (call.level.size, *shape, *(1,) * (ndim - len(shape)))
    tensors = [_grown(operand, ndim) for operand in (grad, index)]
    found = call.run(tensors, input_sizes=grown, dim=shifted(call.static("dim"), ndim))
    return ops.reshape(found, (call.level.size, *shape))


def _grown(operand: Any, ndim: int) -> Any:
    """Return an operand with its batch dimension and *ndim* more."""
    missing = (1,) * (ndim - len(operand.shape))
    return ops.reshape(operand.whole(), (operand.level.size, *operand.shape, *missing))


def _laid_out(call: Call) -> Any:
    """Lay the samples out one after the other, each as it is told."""
    shape, stride = call.operands[0].shape, tuple(call.static("stride"))
    reach = 1 + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))
    return call.run(call.wholes(), stride=(max(reach, 0), *stride))


def _view_scattered(call: Call) -> Any:
    """Write into a view of the batch: the target needs a place for every sample."""
    target, *rest = call.operands
    own = BatchedArray(call.level, target.whole(), True)
    return _body(Call(call.op, call.level, [own, *rest], call.statics))


# Copies and masks


def _copy(call: Call) -> Any:
    target, source = call.operands
    tensor = source.tensor
    if source.batched:
        missing = (1,) * (len(target.shape) - len(source.shape))
        tensor = ops.reshape(tensor, (call.level.size, *missing, *source.shape))
    return call.run([target.whole(), tensor])


def _fill(call: Call) -> Any:
    target, value = call.operands
    if not isinstance(value, BatchedArray):
        return call.run([target.whole(), value])
    if not value.batched:
        return call.run([target.whole(), value.tensor])
    ones = (1,) * len(target.shape)
    source = ops.reshape(value.tensor, (call.level.size, *ones))
    return ops.copy(target.whole(), source)


def _masked_fill(call: Call) -> Any:
    target, mask, value = call.operands
    if not (isinstance(value, BatchedArray) and value.batched):
        operands = [target, mask]
        fill = value.tensor if isinstance(value, BatchedArray) else value
        pair = _aligned_pair(Call(call.op, call.level, operands, {}))
        return call.run([*pair, fill])
    return elementwise(Call(raw._where, call.level, [mask, value, target], {}))


def _no_dynamic_shape(name: str) -> Rule:
    """Return the rule of an op whose result has another shape for every sample: it refuses."""

    def rule(call: Call) -> Any:
        if name == "masked_select":
            text = (
                "vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask) We cannot "
                "support this because for each batch this would return a differently shaped "
                "Tensor. Please file an issue at https://github.com/pytorch/pytorch/issues if you "
                "need this feature."
            )
        else:
            text = (
                "vmap: We do not support batching operators that can output dynamic shape. "
                f"Attempted to vmap over aten::{name}. Please file an issue at "
                "https://github.com/pytorch/pytorch/issues if you need this feature."
            )
        msg = f"{text}\nvmap: use where() to keep the shape, with a value that does not matter."
        raise AutogradError(msg)

    return rule


def _masked_select(call: Call) -> Any:
    target, mask = call.operands
    if mask.batched:
        return _no_dynamic_shape("masked_select")(call)
    missing = len(mask.shape) - len(target.shape)
    tensor = target.tensor
    if missing > 0:
        tensor = ops.reshape(tensor, (call.level.size, *(1,) * missing, *target.shape))
    shape = broadcast_shapes(tuple(target.shape), tuple(mask.shape))
    tensor = ops.expand(tensor, (call.level.size, *shape))
    chosen = ops.expand(mask.tensor, shape)
    return (
        raw._index(tensor, (None, chosen))
        if shape
        else raw._index(ops.unsqueeze(tensor, 1), (None, ops.reshape(chosen, (1,))))
    )


def _one_hot(call: Call) -> Any:
    if call.static("num_classes") < 0:
        msg = (
            "When vmap-ing torch.nn.functional.one_hot, please provide an explicit positive "
            "num_classes argument.\none_hot: the number of classes would differ between samples."
        )
        raise AutogradError(msg)
    return call.run(call.wholes())


def _searchsorted(call: Call) -> Any:
    edges, values = call.operands
    if not edges.batched and len(edges.shape) == 1:
        return call.run([edges.tensor, values.tensor])
    if len(edges.shape) == len(values.shape):
        return call.run(call.wholes())
    rows = ops.reshape(values.whole(), (call.level.size, prod(values.shape)))
    found = call.run([edges.whole(), rows])
    return ops.reshape(found, (call.level.size, *values.shape))


def _holds_for_all(call: Call) -> Any:
    """Return whether something holds for all samples, as one value."""
    found = call.run([call.operands[0].tensor])
    return BatchedArray(call.level, found, False)


def _of_rows(call: Call) -> Any:
    array = call.operands[0]
    rows = ops.reshape(array.tensor, (call.level.size * prod(array.shape[:-1]), array.shape[-1]))
    return BatchedArray(call.level, call.run([rows]), False)


_DIM = along("dim")
_REDUCED = reduced()

#: The rules, by the op's name.
TABLE: Final[dict[str, Any]] = {
    **dict.fromkeys(
        ("_amax", "_amin", "_count_nonzero", "_logsumexp", "_mean",
         "_nansum", "_norm", "_prod", "_std", "_std_mean", "_sum", "_var", "_var_mean",
         "_vector_norm"),
        _REDUCED,
    ),
    **dict.fromkeys(
        ("_argsort", "_cummax", "_cummin", "_cumprod", "_cumsum", "_kthvalue",
         "_log_softmax", "_logcumsumexp", "_max_dim", "_median_dim", "_min_dim", "_mode",
         "_nanmedian_dim", "_scatter", "_scatter_add", "_scatter_combined", "_scatter_reduce",
         "_scatter_value", "_select", "_select_scatter", "_slice", "_slice_scatter", "_softmax",
         "_sort", "_sort_stable", "_split", "_split_with_sizes", "_squeeze_dim", "_squeeze_dims",
         "_squeezed", "_topk", "_unbind", "glu", "glu_backward", "log_softmax_backward",
         "softmax_backward"),
        _DIM,
    ),
    **dict.fromkeys(
        ("_alias", "_conj", "_conj_physical", "_tril", "_triu", "_view_as_complex",
         "_view_as_dtype", "_view_as_real", "clone", "frexp", "signbit", "zero"),
        plain,
    ),
    **dict.fromkeys(("_diagonal", "_diagonal_copy", "_diagonal_scatter"), along("dim1", "dim2")),
    **dict.fromkeys(("_view", "_reshape_alias", "_unsafe_view"), sized("size")),
    **dict.fromkeys(("_flip", "_rot90"), along("dims")),
    **dict.fromkeys(("_aminmax", "_argmax", "_argmin"), _flattened),
    **dict.fromkeys(("_all", "_any"), _tested),
    "_diag_embed": along("dim1", "dim2", grows=1),
    "_unsqueeze": along("dim", grows=1),
    "_transpose": along("dim0", "dim1"),
    "_unfold": along("dimension"),
    "_roll": _rolled,
    "_expand": _expanded,
    "_repeat": _repeated,
    "_permute": _permuted,
    "_t": _transposed,
    "_squeeze_all": _squeezed_all,
    "_as_strided": _as_strided,
    "_basic_index": _basic_index,
    "basic_index_backward": _basic_index_backward,
    "select_backward": _scattered("input_sizes", "dim"),
    "slice_backward": _scattered("input_sizes", "dim"),
    "gather_backward": _gathered_back,
    "unfold_backward": _scattered("input_sizes", "dim"),
    "diagonal_backward": _scattered("input_sizes", "dim1", "dim2"),
    "trace": _trace,
    "on_diagonal": _on_diagonal,
    "_cat": _joined(0),
    "_block_diag": _block_diagonal,
    "_stack": _joined(1),
    "_dist": _dist,
    "linalg_cross": _crossed,
    "copy": _copy,
    "_gather": _gathered,
    "view_scatter": _view_scattered,
    "_laid_out": _laid_out,
    "fill": _fill,
    "masked_fill": _masked_fill,
    "_masked_select": _masked_select,
    "_one_hot": _one_hot,
    "_searchsorted": _searchsorted,
    "_nonzero": _no_dynamic_shape("nonzero"),
    "_unique": _no_dynamic_shape("_unique2"),
    "_unique_dim": _no_dynamic_shape("unique_dim"),
    "_unique_consecutive": _no_dynamic_shape("unique_consecutive"),
    "_all_from_zero_on": _holds_for_all,
    "_all_probable": _holds_for_all,
    "_all_weights": _holds_for_all,
    "_every_row_has_weight": _of_rows,
}  # fmt: skip

for _name, _along, _statics in (
    ("_sum_all", "_sum", {"dim": (1,)}),
    ("_mean_all", "_mean", {"dim": (1,)}),
    ("_max_all", "_amax", {"dim": (1,)}),
    ("_min_all", "_amin", {"dim": (1,)}),
    ("_median_all", "_median_dim", {"dim": 1}),
    ("_nanmedian_all", "_nanmedian_dim", {"dim": 1}),
    ("_prod_all", "_prod", {"dim": (1,)}),
):
    TABLE[_name] = _whole_then(all_ops[f"cr::{_along}"], **_statics)
