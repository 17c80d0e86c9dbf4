"""Where two runs of one program differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Sentences of PyTorch's where it refuses what chainrule computes, and why that is right.
BEYOND = {
    "has been detached in-place": "what was saved is still there",
    "Trying to backward through the graph a second time": "the nodes keep nothing here",
    "Double backward is unsupported": "chainrule has the formula",
    "Use detach() instead. If you are using DistributedDataParallel": "a result that is no view",
    "setStorage: sizes": "of a tensor whose memory was exchanged",
    "some elements of the input tensor and the written-to tensor refer to": "an operand that "
    "overlaps its target in part is read before it is written",
    "view_as_real doesn't work on unresolved conjugated": "a conjugate is a copy",
    "derivative for aten::": "chainrule has the formula",
    "the derivative for": "chainrule has the formula",
    "is not implemented for": "chainrule has the kernel",
    "not implemented for '": "chainrule has the kernel",
    "returned an invalid gradient at index": "PyTorch's formula fails for an index smaller than "
    "its source, and for out= of another shape",
    "is not differentiable with respect to argument": "chainrule takes no gradient, or has one",
    "does not support automatic differentiation for outputs": "chainrule has the formula",
    "In-place abs is not supported for complex tensors": "the real parts are written",
    "Expected a proper Tensor but got None": "PyTorch's formula fails where nothing arrives",
    "unsupported operand type(s) for *: 'NoneType'": "where nothing arrives no hook is called",
    "tensor does not have a device": "PyTorch's formula of group_norm fails without a weight",
    "INTERNAL ASSERT FAILED": "PyTorch calls that a defect of its own",
    "input matrix is singular": "chainrule's formula does without solving",
    "Trying to resize storage that is not resizable": "the comparison has looked at its array",
    "view size is not compatible with input tensor's size and stride": "a result that lies in "
    "memory in another way",
    "is invalid for input of size": "PyTorch's formula fails for what is empty",
    "INDICES element is out of DATA bounds": "PyTorch's formula of index_fill takes no negative "
    "indices",
}

#: Differences on purpose: kind, where (a pattern), the start of what chainrule shows. Each is a row
#: of docs/reference/differences.md.
KNOWN = (
    ("what it looks into", r"^(conj|adjoint|H|sum_to_size|lu_unpack)\b", "-1"),  # a copy
    ("what is a new object", "^(contiguous|lu_unpack)", ""),  # of a result that lies otherwise
    ("requires_grad", "^(triangular_solve|linalg.lstsq|lu_unpack)", "False"),  # a copy, no function
    (
        "requires_grad",
        r"^special\.(airy_ai|(scaled_|spherical_)?(modified_)?bessel)",
        "True",
    ),  # chainrule has the formula
    ("requires_grad", "^(conj|adjoint|H)\\b", "False (a view made"),  # a copy
    ("requires_grad", "^logical_", ""),  # PyTorch keeps the history of what was overwritten
    ("error of ours alone", "^logical_", "InplaceError"),  # likewise
    ("error of ours alone", r"^cum(sum|prod)_\[bool", "DTypeError"),  # a sum of bools is a number
    ("error of ours alone", "in inference_mode$", "ShapeError"),  # below
    ("error of ours alone", "^(gradient|backward)", "ShapeError: size"),  # a leaf of another shape
    ("requires_grad", "^detach_ in inference_mode$", "False"),  # which does nothing there; a row
    ("values", r"^cholesky_inverse\[complex", ""),  # PyTorch reads half of it
    ("values", r"^float_power\[", ""),  # of what is zero but for a last digit
    ("values", r"^acosh?_?\[", "0"),  # of what is one but for a last digit
    ("values", r"^(histc|histogram(dd)?)\[", ""),  # of what lies on an edge but for a last digit
    ("values", r"^corrcoef\[", "nan"),  # of what is constant but for a last digit
    ("values", "^polygamma", "inf"),  # at a pole PyTorch's value is large
    ("values", r"^(special\.)?i[01]_?\[", "inf"),  # of infinities: a row
    ("values", r"^special\.(bessel_\w+|airy_ai)\[", ""),  # right to six digits in PyTorch; a row
    (
        "values",
        r"^nn\.functional\.(adaptive|fractional)_max_pool\dd\[",
        "",
    ),  # of several NaN; a row
    ("values", r"^conv_(transpose\dd|tbc)\[", "nan"),  # of weights that are NaN; a row
    ("requires_grad", "^(gradient|histogram|histogramdd)", "False"),  # no function of the input
    ("error of ours alone", "^(gradient|backward)", "Sequence"),  # one node for all steps
    ("error of ours alone", "^detach_ in inference_mode$", "AutogradError: Can't detach views"),
    ("error of another type", "", "DimError"),  # whichever is found first
    ("error of ours alone", "^(data|detach) write", "Inplace update to inference tensor"),  # row
    ("requires_grad", r"^unsafe_\w+\[.* in inference_mode$", "False"),  # no view here; a row
    ("version", "^after detach write$", "1"),  # of what unsafe_split gave, likewise
    ("what it looks into", "^unsafe_", "-1"),  # no view, as its name says
    ("what it looks into", r"channel_shuffle\[.* in inference_mode$", "-1"),  # likewise
    ("requires_grad", r"\[.* in inference_mode$", "False (a view made"),  # no view here; a row
    ("error of ours alone", r"^ldexp_\[", "some elements of the input tensor"),  # a row
    ("requires_grad", "^asarray", "False"),  # of a view made without recording
    ("requires_grad", "^gradient 2", ""),  # PyTorch counts what a formula only looks at
    ("error of ours alone", "^gradient", "The size of tensor a"),  # of what out= gave another shape
    ("error of ours alone", "^gradient", "output with shape"),  # likewise
    (
        "error of ours alone",
        r"^(equal|eq|ne|lt|le|gt|ge|is\w+|arg\w+|signbit|special\.\w*bessel_\w+)\[",
        "A view was created in",
    ),  # a row
    ("values", r"^(linalg\.(\w+_ex|qr)|geqrf)\[", "nan"),  # what LAPACK leaves behind; a row
    ("number of results", "^gradient( in |$)", "1"),  # a view made without recording
    ("error of PyTorch's alone", "^to complex", ""),  # likewise
    ("error of ours alone", "^addbmm_", "ShapeError"),  # PyTorch lets the target grow
    ("shape", "^after addbmm_", ""),  # likewise
    ("error of ours alone", "", "more than one element of the written-to tensor"),  # a row
    ("error of ours alone", "^masked_fill_", "some elements of the input tensor"),  # a row
    (
        "error of ours alone",
        r"^special\.\w+_polynomial",
        "A view was created in",
    ),  # a degree; a row
    ("values", r"^special\.\w+_polynomial_", ""),  # of a degree that is NaN or infinite
    ("values", "^to integers", ""),  # of what is whole but for a last digit
    ("values", "^to complex", "0"),  # of what is zero but for a last digit
    ("values", r"^special\.ndtri\[", "nan"),  # of what is one but for a last digit
    (
        "values",
        r"^nn\.functional\.cosine_embedding_loss\[",
        "",
    ),  # of a target that is one, likewise
    ("values", "^digamma", "inf"),  # at what is a pole but for a last digit
    (
        "values",
        r"^(lt|le|gt|ge|eq|ne|remainder|fmod|floor_divide)_?\[",
        "",
    ),  # of what is equal but for a last digit
    ("error of PyTorch's alone", r"^nn\.functional\.binary_cross_entropy\[", ""),  # likewise
    ("values", r"^nn\.functional\.ctc_loss\[", "inf"),  # of infinite log-probabilities; a row
    ("shape", r"^(argwhere|nonzero)\[", "0"),  # of what is zero but for a last digit
    ("values", r"^arg(min|max)\[", ""),  # of results that are equal but for a last digit
    ("values", "^grid_sampler", ""),  # of two that are equally near, likewise
    ("values", "^after out=", ""),  # a view that grows within the memory of its base; a row
    ("version", "^after set_data", "-"),  # PyTorch's counter of a tensor that got other memory
)

#: How many tensors a program starts with. What was made may itself be a view of what nobody sees.
_FIRST = 9
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
        return re.sub(r"\[.*| in \w+.*", "", self.where), text

    def __str__(self) -> str:
        return f"{self.where}: {self.kind}\n  ours:    {self.ours}\n  PyTorch: {self.theirs}"


def _short(text: str) -> str:
    return re.sub(r"[\d.]+", "#", text)[:80]


def is_beyond(
    mine: Exception | None,
    other: Exception | None,
    *,
    labels: Sequence[str] = (),
    otherwise: bool = False,
) -> bool:
    """Return whether chainrule computes what PyTorch refuses, for a reason of the table.

    *labels* are the lines so far; *otherwise*: a tensor lies otherwise in memory.
    """
    if other is None or of_errors("", mine, other) is None:
        return False
    text = str(other)
    if mine is None and "Inference tensors do not track" in text:
        return any(label.startswith("set_data") for label in labels)  # a row
    if mine is None and "Inference tensors cannot be saved" in text:
        return True  # whatever a node here does save is checked
    if mine is None and "last dimension with stride 1" in text:
        return otherwise
    return any(sentence in text for sentence in BEYOND)


def is_of_a_write(mine: Exception | None, other: Exception | None) -> bool:
    """Return whether PyTorch alone refuses since something that it saved was written to."""
    return mine is None and "modified by an inplace operation" in str(other)


def op_of(label: str) -> str:
    """Return the op that a line calls."""
    return label.partition("[")[0].partition(" in ")[0].rstrip("_")


_UNSEEN = re.compile("logical_(and|or|xor|not)_|data write|set_data")
#: Functions that PyTorch differentiates to NaN where they have a kink, and chainrule to zero.
_WITH_A_KINK = re.compile(r"norm|dist|std|normalize|cosine|abs|renorm|hypot|polar|sinc")


def is_unseen(labels: Sequence[str]) -> bool:
    """Return whether a line wrote what autograd does not see, here or there."""
    return any(_UNSEEN.match(label) for label in labels)


def is_of_a_kink(found: Difference, labels: Sequence[str]) -> bool:
    """Return whether gradients differ as they may.

    A second derivative is NaN in PyTorch alone, at a kink; a logical operation wrote into what had
    a history, which PyTorch keeps; or a program wrote into memory behind autograd's back.
    """
    if is_unseen(labels):
        return True
    return (
        found.where == "gradient 2"
        and "nan" in found.theirs
        and "nan" not in found.ours
        and any(_WITH_A_KINK.search(label) for label in labels)
    )


def is_known(
    difference: Difference | None, labels: Sequence[str], *, otherwise: bool = False
) -> bool:
    """Return whether *difference* is one on purpose: docs/reference/differences.md has its row.

    *labels* are the lines so far; *otherwise*: a tensor lies otherwise in memory than PyTorch's.
    """
    if difference is None:
        return False
    return (
        (otherwise and _is_of_layout(difference, labels))
        or _is_of_what_came_before(difference, labels)
        or (is_unseen(labels) and (difference.kind == ".grad" or difference.where == "gradient"))
        or any(
            kind == difference.kind
            and re.search(where, difference.where)
            and ours in difference.ours
            for kind, where, ours in KNOWN
        )
    )


def _is_of_layout(difference: Difference, labels: Sequence[str]) -> bool:
    """Return whether what is a view here is a copy there, or the other way round."""
    if difference.kind == "error of ours alone":  # a view, made in inference mode, or of a target
        return any(sentence in difference.ours for sentence in _OF_VIEWS)
    if difference.kind == "values" and not difference.where.startswith("after "):
        return False
    return difference.kind in _OF_LAYOUT and any(map(_RESHAPES.match, labels))


_OF_VIEWS = (
    "cannot be saved for backward", "some elements of the input tensor and",
    "view size is not compatible",
)  # fmt: skip


def is_of_a_late_base(difference: Difference, tensors: Sequence[Any]) -> bool:
    """Return whether a view of a base that was asked to require grad later makes *difference*.

    *tensors* are PyTorch's, which records such a view with an edge to nowhere; chainrule does not
    record it. It is a row.
    """
    return (
        (difference.kind == "requires_grad" and difference.ours.startswith("False"))
        or (difference.kind == "is_leaf" and difference.ours.startswith("True"))
        or "does not require grad and does not have a grad_fn" in difference.ours
    ) and any(_is_view_without_history(t) for t in tensors)


def _is_view_without_history(t: Any) -> bool:
    late = t._is_view() and t._base.requires_grad
    return bool(late and _read(lambda t: t.grad_fn, t) is None)


def lie_otherwise(mine: Sequence[Any], other: Sequence[Any]) -> bool:
    """Return whether one of the tensors lies in memory in another way than PyTorch's."""
    return any(_steps(left) != _steps(right) for left, right in zip(mine, other, strict=False))


def _steps(t: Any) -> list[tuple[int, int]]:
    return [(s, n) for s, n in zip(t.stride(), t.shape, strict=True) if n > 1]


#: Differences that earlier lines make: kind, where, what chainrule shows, a pattern for each line.
#: Each is a row, too.
_BEFORE = (
    # One node for what is several in PyTorch, or one that notices a write.
    (
        "error of ours alone",
        "",
        "modified by an inplace",
        (r"special\.ndtr\[|(lstm|gru|rnn_tanh|rnn_relu)\[|kron\[|einsum\[",),
    ),
    ("error of ours alone", "", "Inplace update to inf", ("data|alias by detach",)),
    # A leaf, seen by no graph.
    ("shape", "^gradient", "", ("(un)?squeeze_ in |transpose_ in ",)),
    ("requires_grad", "^gradient", "^True", (r"(var|std)_mean\[",)),
    ("requires_grad", "", "^True", ("requires_grad_ .*inference_mode",)),
    (".grad is None", "", "^None", (r"(lt|le|gt|ge|eq|ne)_\[|triangular_solve\[",)),
    (".grad", "", "inf|nan", (r"mvlgamma|lgamma|digamma|polygamma|special\.multigammaln",)),
    ("values", "^gradient", "", (r"sinc_?\[", r"polar\[")),
    ("values", "^reciprocal", "inf", (r"softshrink\[",)),
    ("error of ours alone", "", "Inference tensors cannot be saved", ("(lstm|gru|rnn_)",)),
    # PyTorch has an internal assertion where it looks for the history of such a view.
    ("requires_grad", "", "^True", ("freeze", "imag|real|view_as_real")),
    # Of a view made without recording.
    (
        "requires_grad",
        "",
        "^False",
        ("requires_grad_", r"[a-z_ ]+ in (no_grad|inference_mode|set_grad_enabled\(False\))$"),
    ),
    ("error of PyTorch's alone", "", "", ("out= in",)),
    ("version", "", "^0", (r"conj\[",)),  # a copy
    # The direction of what is zero but for a last digit.
    ("values", "^gradient", "", (r"fft\.", r"abs_?\[complex")),
    # PyTorch's formulas of layer_norm fail in places; a leaf that out= gave another shape.
    ("a gradient is None", "^gradient 2", "", (r"nn\.functional\.layer_norm\[",)),
    (".grad", "", "", ("out= in",)),
    # Infinite at a pole, and large in PyTorch.
    ("values", "^gradient", "nan", (r"mvlgamma|lgamma|digamma|polygamma|special\.multigammaln",)),
    ("values", "^gradient", "", (r"index_reduce_?\[",)),
    ("values", "^gradient 2", "", (r"embeddings\.embedding\[",)),
    # Formulas that go back through the operands, where PyTorch's goes through the result.
    (
        "values",
        "^gradient 2",
        "",
        ("hook", r"linalg\.householder_product\[|(cum)?prod\[|\w+_(\[| |$)"),
    ),
)


def _is_of_what_came_before(difference: Difference, labels: Sequence[str]) -> bool:
    """Return whether lines of *labels* are known to make a difference of this kind later."""
    return any(
        kind == difference.kind
        and re.search(where, difference.where)
        and re.search(ours, difference.ours)
        and all(any(re.match(line, label) for label in labels) for line in lines)
        for kind, where, ours, lines in _BEFORE
    )


#: What may copy, for this reason: what an op of the registry is given is brought into shape.
_RESHAPES = re.compile(r"flat|view|reshape|ravel|.*\[")
_OF_LAYOUT = frozenset({
    "requires_grad", "what it looks into", "what is a new object", "is_leaf", "version", "values",
})  # fmt: skip


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
        there = right if left is None else left
        if there is None or not _values(there).any():
            return None  # where nothing depends on it a gradient is None, or zeros
        return "a gradient is None", _shown(left), _shown(right)
    if _read(_all_facts, left) != _read(_all_facts, right):  # nearly always they are the same
        found = _differing_fact(left, right, values_only=values_only)
        if found is not None:
            return found
    if not _close(_values(left), _values(right)):
        if overlaps(right):
            return None  # written element by element there, and all at once here
        return "values", _shown(left), _shown(right)
    return None if values_only else _of_gradients(left, right)


def _differing_fact(left: Any, right: Any, *, values_only: bool) -> tuple[str, str, str] | None:
    for kind, of in _FACTS.items():
        if values_only and kind in _OF_HISTORY:
            continue
        if values_only and kind == "requires_grad" and not left.requires_grad:
            continue  # PyTorch counts what a formula only looks at
        ours, theirs = _read(of, left), _read(of, right)
        if ours != theirs:
            return kind, f"{ours}{_of_view(left, right)}", str(theirs)
    return None


def _of_view(left: Any, right: Any) -> str:
    """Return what tells a view that was made under no_grad: PyTorch says that it requires grad."""
    lost = _is_view_without_history(right) and not left.requires_grad
    return " (a view made without recording)" if lost else ""


def overlaps(tensor: Any) -> bool:
    """Return whether elements of *tensor* share memory."""
    reach = 0
    for step, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1:
            if step <= reach:
                return True
            reach += step * (size - 1)
    return False


_WRITE = re.compile(r"(after )?(out=|\S+_\[|\S=|set |\w+_( |$))")


def is_read_while_written(where: str, target: Any, pool: list[Any]) -> bool:
    """Return whether *target* of a write may be read, as another tensor, while it is written to."""
    memory = target.untyped_storage().data_ptr()
    return _WRITE.match(where) is not None and any(
        t.untyped_storage().data_ptr() == memory and _layout(t) != _layout(target) for t in pool
    )


def _layout(t: Any) -> tuple[Any, ...]:
    return t.storage_offset(), t.shape, t.stride()


def _read(fact: Any, tensor: Any) -> Any:
    """Return a fact of *tensor*, or that it cannot be read: a view may have lost its history."""
    try:
        return fact(tensor)
    except RuntimeError as error:
        return "raises RuntimeError", str(error)[:20]
    except Exception as error:  # noqa: BLE001 - a difference, and no end of the campaign
        return f"raises {type(error).__name__}", str(error)[:20]


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


def of_places(
    where: str, mine: list[Any], my_pool: list[Any], other: list[Any], pool: list[Any]
) -> Difference | None:
    """Return how the new tensors differ in what tensors of the pool they look into."""
    for left, right in zip(mine, other, strict=True):
        places = _place(left, my_pool), _place(right, pool)
        if None not in places and places[0] != places[1] and max(places) < _FIRST:
            return Difference(where, "what it looks into", str(places[0]), str(places[1]))
    return None


def _place(tensor: Any, pool: list[Any]) -> int | None:
    """Return which tensor of the pool *tensor* is a view of, -1 for none, None for another one."""
    if not tensor._is_view():
        return -1
    return next((number for number, t in enumerate(pool) if t is tensor._base), None)


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
}
_OF_HISTORY = {"is_leaf"}


def _all_facts(t: Any) -> tuple[Any, ...]:
    return str(t.dtype), tuple(t.shape), t.requires_grad, t.is_leaf


def _values(t: Any) -> Any:
    return t.numpy(force=True)


def _close(ours: Any, theirs: Any) -> bool:
    if ours.dtype.kind in "biu" or ours.tobytes() == theirs.tobytes():
        return bool((ours == theirs).all()) or ours.dtype.kind not in "biu"
    finite = np.abs(theirs[np.isfinite(theirs)])
    scale = max(1.0, float(finite.max())) if finite.size else 1.0
    looser = 1 if ours.dtype.name in {"float64", "complex128"} else 1e3
    relative, absolute = _RELATIVE * looser, _ABSOLUTE * looser * scale
    return np.allclose(ours, theirs, rtol=relative, atol=absolute, equal_nan=True)


def _shown(t: Any) -> str:
    if t is None:
        return "None"
    values = _values(t).reshape(-1)
    return f"{list(t.shape)} {np.array2string(values[:8], precision=6)}"
