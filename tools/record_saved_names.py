"""Write down what PyTorch's graph shows for every op sample: node, saved names, result dtypes.

    python tools/record_saved_names.py

Needs the parity environment (PyTorch 2.13.0). The table it writes, tests/ops/recorded.json, is
what tests/ops/test_recorded.py holds chainrule to where there is no PyTorch. Run it again after
samples were added or changed.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import operator
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import chainrule as cr
from chainrule import dtypes
from chainrule.testing import OpCase, Sample, walk
from chainrule.testing.samples import all_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = Path(__file__).parents[1] / "tests" / "ops" / "recorded.json"

#: Ops of which PyTorch refuses some samples that chainrule computes, and why.
REFUSED = {
    "broadcast_tensors": "it takes tensors, and no list of them",
    "conv_tbc": "it has no complex gradients",
    "gru_cell": "it takes batches, and no single vector",
    "lstm_cell": "likewise",
    "rnn_relu_cell": "likewise",
    "rnn_tanh_cell": "likewise",
    "kron": "it makes a view of what need not be contiguous",
    "view_as_complex_copy": "it takes nothing that requires grad",
}

#: Ops whose graph differs from PyTorch's on purpose, and how.
DIFFERENT_NODES = {
    "indexing._basic_index": "one node for a chain of views, where nobody sees the nodes between",
    "masked_scatter": "an input that the mask is larger than is expanded first",
    "scatter": "a source larger than its index is cut first",
    "scatter_add": "likewise",
    "nn.functional.pad": "circular padding joins slices, where PyTorch copies into an empty tensor",
    "native_channel_shuffle": "it is differentiable here",
    "diagflat": "what is not contiguous is made so in another way",
    "col2im": "one sample is made a batch of one",
    "im2col": "likewise",
    "linalg.lstsq": "a vector is made a matrix first, and residuals are computed from the solution",
    "linalg.tensorinv": "PyTorch's inverse lies in memory by columns, which shows in its views",
    "triangular_solve": "it is made of linalg.solve_triangular, and shows it",
    **dict.fromkeys(
        ("gru", "lstm", "rnn_relu", "rnn_tanh"), "one node per layer and direction, not per step"
    ),
    **dict.fromkeys(
        (
            "as_strided_scatter",
            "combinations",
            "corrcoef",
            "cov",
            "cumulative_trapezoid",
            "diff",
            "gradient",
            "index_reduce",
            "nanquantile",
            "quantile",
            "segment_reduce",
            "trapezoid",
            "trapz",
            "vander",
        ),
        "made of other parts",
    ),
    **dict.fromkeys(
        (
            "alias_copy",
            "as_strided_copy",
            "detach_copy",
            "diagonal_copy",
            "expand_copy",
            "narrow_copy",
            "permute_copy",
            "select_copy",
            "slice_copy",
            "split_copy",
            "split_with_sizes_copy",
            "squeeze_copy",
            "t_copy",
            "transpose_copy",
            "unbind_copy",
            "unfold_copy",
            "unsqueeze_copy",
            "view_as_complex_copy",
            "view_as_real_copy",
            "view_copy",
        ),
        "a view and its clone: two nodes",
    ),
    **dict.fromkeys(
        (
            "linalg.ldl_solve",
            "special.airy_ai",
            "special.bessel_j0",
            "special.bessel_j1",
            "special.bessel_y0",
            "special.bessel_y1",
            "special.modified_bessel_k0",
            "special.modified_bessel_k1",
            "special.scaled_modified_bessel_k0",
            "special.scaled_modified_bessel_k1",
            "special.spherical_bessel_j0",
        ),
        "they are differentiable here",
    ),
    "special.ndtr": "one node, exact in the tail, where PyTorch computes with erf",
    "special.zeta": "numbers are made tensors first",
    "stft": "the signal is filled up by an index, and has no batch of one",
    "istft": "likewise",
    "movedim": "of a tensor without dimensions PyTorch gives an alias, chainrule a permutation",
    "nn.functional.cross_entropy": "the mean over soft labels is a quotient by a number, which "
    "shows as it does in Python: DivBackward0",
}

#: Where PyTorch keeps what is called otherwise there, or stands in several places.
ROOTS = (torch, torch.Tensor, torch.nn.functional, torch.special, torch.linalg)
#: What is written in brackets there.
IN_BRACKETS = {"indexing.getitem": "__getitem__", "indexing._basic_index": "__getitem__"}
#: What has another name there.
RENAMED = {"col2im": "nn.functional.fold", "im2col": "nn.functional.unfold"}


def counterparts(name: str) -> list[Any]:
    """Return what PyTorch has of that name: functions, the method.

    Raises:
        LookupError: there is nothing, as of what stands under ``ops`` here.
    """
    if name.startswith("ops."):
        msg = f"{name!r} is chainrule's own"
        raise LookupError(msg)
    found = []
    paths = [RENAMED.get(name, name), IN_BRACKETS.get(name, name.rpartition(".")[2])]
    for path, root in itertools.product(dict.fromkeys(paths), ROOTS):
        with contextlib.suppress(AttributeError):
            found.append(operator.attrgetter(path)(root))
    if not found:
        msg = f"PyTorch has nothing called {name!r}"
        raise LookupError(msg)
    return found


def call(name: str, sample: Sample) -> Any:
    """Return what PyTorch gives for *sample*, which is in its tensors.

    A call that its function does not take may be one of its method: ``x.reshape(2, 3)``.
    """
    *others, last = counterparts(name)
    for function in others:
        with contextlib.suppress(TypeError):
            return function(*sample.args, **sample.kwargs)
    return last(*sample.args, **sample.kwargs)


def to_torch(item: Any, made: dict[int, torch.Tensor] | None = None) -> Any:
    """Return *item* with tensors and dtypes of PyTorch: equal values, layout and requires_grad.

    A tensor that occurs twice is one tensor there too.
    """
    made = {} if made is None else made
    if isinstance(item, cr.Tensor):
        if id(item) not in made:
            made[id(item)] = _tensor(item)
        return made[id(item)]
    if isinstance(item, Sample):
        kwargs = {name: to_torch(value, made) for name, value in item.kwargs.items()}
        return Sample(*(to_torch(value, made) for value in item.args), **kwargs)
    if isinstance(item, (list, tuple)):
        return type(item)(to_torch(part, made) for part in item)
    if isinstance(item, dtypes.DType):
        return getattr(torch, item.name)
    return item


def _tensor(tensor: cr.Tensor) -> torch.Tensor:
    values, strides = torch.tensor(tensor.detach().numpy(force=True)), tensor.stride()
    repeated = [
        stride == 0 and size > 1 for stride, size in zip(strides, values.shape, strict=True)
    ]
    once = values[tuple(slice(0, 1) if twice else slice(None) for twice in repeated)]
    made = torch.empty_strided(once.shape, strides, dtype=values.dtype).copy_(once)
    return made.expand(values.shape).requires_grad_(tensor.requires_grad)


def tensors_in(result: Any) -> list[torch.Tensor]:
    """Return the tensors of a result, in order."""
    if isinstance(result, torch.Tensor):
        return [result]
    return (
        [t for part in result for t in tensors_in(part)]
        if isinstance(result, (list, tuple))
        else []
    )


def node_text(node: Any) -> str:
    """Return a node as ``MulBackward0(other, self)``: its name and its saved names."""
    return f"{node.name()}({', '.join(walk.saved_names(node))})"


def runs(
    case: OpCase, dtype: str, *, requires_grad: bool = False
) -> Iterator[tuple[Sample, Sample, Any]]:
    """Yield the samples of *case*, as ours and as PyTorch's, and what PyTorch gives."""
    for sample in walk.samples(case, dtype, "cpu", requires_grad=requires_grad):
        theirs = to_torch(sample)
        with walk.naming(case, sample), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                result = call(case.name, theirs)
            except NotImplementedError:
                continue  # no kernel for the dtype
            except (RuntimeError, TypeError, IndexError):
                if case.name not in REFUSED:
                    raise
                continue
        yield sample, theirs, result


def nodes_of(case: OpCase) -> dict[str, str]:
    """Return, per sample in double precision, the node of the first output that has one."""
    found = {}
    for sample, _, result in runs(case, "float64", requires_grad=True):
        if not walk.differentiable(sample):
            continue  # nothing is recorded
        node = next((t.grad_fn for t in tensors_in(result) if t.grad_fn), None)
        text = node_text(node) if node is not None else "no node"
        if found.setdefault(repr(sample), text) != text:
            msg = f"{case.name}: two samples look alike and have different nodes: {sample!r}"
            raise ValueError(msg)
    return found


def dtypes_of(case: OpCase, dtype: str) -> dict[str, str]:
    """Return, per sample in *dtype*, the dtypes of the results."""
    found = {}
    for sample, _, result in runs(case, dtype):
        names = [str(t.dtype).removeprefix("torch.") for t in tensors_in(result)]
        found[repr(sample)] = " ".join(dict.fromkeys(names))
    return found


def shortened(found: dict[str, str]) -> dict[str, str] | str:
    """Return the one text on which all samples agree, or what most say, and who says otherwise."""
    texts = list(found.values()) or ["no node"]
    most = max(dict.fromkeys(texts), key=texts.count)
    others = {sample: text for sample, text in found.items() if text != most}
    return {"most": most, **others} if others else most


def main() -> None:
    nodes, results = {}, {}
    for case in all_cases():
        try:
            counterparts(case.name)
        except LookupError:
            continue
        if case.grad and "float64" in case.dtypes and case.name not in DIFFERENT_NODES:
            nodes[case.name] = shortened(nodes_of(case))
        by_dtype = {name: shortened(dtypes_of(case, name)) for name in case.dtypes}
        # Most results have the dtype of the sample; those are left out.
        results[case.name] = {name: text for name, text in by_dtype.items() if text != name}
    table = {"torch": torch.__version__.partition("+")[0], "nodes": nodes, "dtypes": results}
    TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{TABLE}: {len(nodes)} ops with nodes, {len(results)} with dtypes")


if __name__ == "__main__":
    main()
