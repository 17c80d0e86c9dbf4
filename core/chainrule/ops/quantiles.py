"""Quantiles and histograms: how values are distributed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from ..errors import ShapeError, UnsupportedDTypeError
from ..op import composite
from ..shapes import wrap_dim
from ..views import own
from ._operands import occurs
from .linalg_checks import fail
from .return_types import histogram as histogram_result
from .return_types import histogramdd as histogramdd_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["histc", "histogram", "histogramdd", "nanquantile", "quantile"]

_MODES = ("linear", "lower", "higher", "midpoint", "nearest")


@composite
def quantile(
    self: Tensor,
    q: float | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """Return the values below which parts *q* of all lie along *dim*.

    Args:
        self: ``(*, N)``, float32 or float64.
        q: Between 0 and 1: a number, or a vector, whose dimension then comes first.
        dim: The dimension to reduce; None for all.
        keepdim: Keep the reduced dimension with size 1.
        interpolation: Between two values: ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"``
            or ``"nearest"``.

    Returns:
        ``(*)`` or ``(Q, *)``; NaN where there is one.

    Raises:
        RuntimeError: an argument does not fit.

    Gradient:
        ``grad``, at the one or two elements that the value lies between, by their weight.

    >>> import chainrule as cr
    >>> cr.quantile(cr.tensor([1.0, 2.0, 3.0]), 0.25)
    tensor(1.5000)
    """
    return own(_quantile("quantile", self, q, dim, keepdim, interpolation, skip=False))


@composite
def nanquantile(
    self: Tensor,
    q: float | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """Return `quantile` of what is a number; NaN where there is none.

    >>> import chainrule as cr
    >>> cr.nanquantile(cr.tensor([1.0, float("nan"), 3.0]), 0.5)
    tensor(2.)
    """
    return own(_quantile("nanquantile", self, q, dim, keepdim, interpolation, skip=True))


def _quantile(
    name: str, x: Any, q: Any, dim: int | None, keepdim: bool, mode: str, *, skip: bool
) -> Any:
    parts = _checked_parts(name, x, q, mode)
    ndim = len(x._array.shape)
    rows = (
        x.reshape(-1)
        if dim is None
        else x.movedim(wrap_dim(dim, ndim), -1)
        if ndim
        else x.reshape(1)
    )
    ordered, _ = rows.sort(-1)
    count = rows._array.shape[-1]
    missing = rows.detach().isnan()
    vector = parts.reshape(-1)
    if skip:
        last = (count - 1 - missing.sum(-1, keepdim=True)).clamp(min=0).to(x._key.dtype)
        place = vector * last
    else:
        place = vector * (count - 1)
        place = ops.where(missing.any(-1, keepdim=True), float(count - 1), place)
    shape = (*rows._array.shape[:-1], vector._array.shape[0])
    found = _between(ordered, place.expand(shape), mode)
    return _shaped(found, parts, x, dim, keepdim)


def _between(ordered: Any, place: Any, mode: str) -> Any:
    """Return the values at *place*, which may lie between two of *ordered*."""
    if mode == "lower":
        place = place.floor()
    elif mode == "higher":
        place = place.ceil()
    elif mode == "nearest":
        place = place.round()
    low = place.floor().to(dtypes.int64)
    below = ordered.gather(-1, low)
    if mode not in {"linear", "midpoint"}:
        return below
    above = ordered.gather(-1, place.ceil().to(dtypes.int64))
    weight = place - low if mode == "linear" else ops.full_like(place, 0.5)
    return ops.lerp(below, above, weight)


def _shaped(found: Any, parts: Any, x: Any, dim: int | None, keepdim: bool) -> Any:
    """Return *found*, whose last dimension is that of *q*, in the shape that PyTorch gives."""
    ndim = len(x._array.shape)
    if dim is None:
        found = found.reshape([1] * ndim + [-1]) if keepdim else found
    elif keepdim and ndim:
        found = found.unsqueeze(-2).movedim(-2, wrap_dim(dim, ndim))
    found = found.movedim(-1, 0)
    return found.squeeze(0) if not parts._array.shape else found


def _checked_parts(name: str, x: Any, q: Any, mode: str) -> Any:
    problem = ""
    if not x.numel():
        problem = "input tensor must be non-empty"
    elif x._key.dtype not in {dtypes.float32, dtypes.float64}:
        problem = "input tensor must be either float or double dtype"
    elif mode not in _MODES:
        problem = (
            "interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
            f"{mode}"
        )
    elif not hasattr(q, "_key"):
        if not 0 <= q <= 1:
            problem = f"q must be in the range [0, 1] but got {q:g}"
        else:
            return ops.scalar_tensor(q, dtype=x._key.dtype, device=x.device)
    elif len(q._array.shape) > 1:
        problem = "q must be a scalar or 1D tensor"
    elif q._key.dtype is not x._key.dtype:
        problem = "q tensor must be same dtype as the input tensor"
    elif occurs(((q.detach() >= 0) & (q.detach() <= 1)).logical_not()):
        problem = "q values must be in the range [0, 1]"
    if problem:
        fail(ShapeError, f"{name}() {problem}", f"{name}: see its Args.")
    return q


# Histograms


def _check_histogram(x: Any, kernel: str) -> None:
    if not x._key.dtype.is_floating_point or x._key.dtype.itemsize == 2:
        sentence = f"\"{kernel}\" not implemented for '{x._key.dtype.scalar_name}'"
        fail(UnsupportedDTypeError, sentence, "histogram: convert with .float() first.")


def _check_bins(bins: int, place: int = 0) -> None:
    if bins < 1:
        sentence = f"torch.histogram(): bins must be > 0, but got {bins} for dimension {place}"
        fail(ShapeError, sentence, "histogram: how many intervals?")


def _reach(x: Any, low: float, high: float, *, given: bool) -> tuple[float, float]:
    """Return the ends of a histogram: those of the values, where none are given."""
    if not given:
        if not x.numel():
            return 0.0, 1.0
        low, high = x.min().item(), x.max().item()
    if low == high:
        low, high = low - 0.5, high + 0.5
    return low, high


def histc(
    input: Tensor, bins: int = 100, min: float = 0, max: float = 0, *, out: Tensor | None = None
) -> Tensor:
    """Return how many elements lie in each of *bins* intervals of equal width.

    Args:
        input: ``(*)``, floating.
        bins: The number of intervals.
        min: The lower end.
        max: The upper end, which belongs to the last interval; if both are 0, those of the values.
        out: Where to write the result.

    Returns:
        ``(bins,)``, in the dtype of *input*. What lies outside, and NaN, is not counted.

    Raises:
        RuntimeError: an argument does not fit.

    Differs from PyTorch:
        If both ends are equal, they are moved apart by a half each, whatever the values are.

    >>> import chainrule as cr
    >>> cr.histc(cr.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    _check_histogram(input, "histogram_cpu")
    _check_bins(bins)
    x = input.detach().reshape(-1)
    low, high = _reach(x, min, max, given=min != max)
    if not (math.isfinite(low) and math.isfinite(high)):
        sentence = f"torch.histc: range of [{low}, {high}] is not finite"
        fail(ShapeError, sentence, "histc: give min and max.")
    if low > high:
        fail(ShapeError, "torch.histc: max must be larger than min", "histc: exchange them.")
    place = ((x - low) * (bins / (high - low))).floor()
    counts = _counted(x, place, low, high, bins)
    made: Tensor = counts.to(input._key.dtype)
    return made if out is None else out.resize_(made.shape).copy_(made)


def _counted(x: Any, place: Any, low: float, high: float, bins: int, weight: Any = None) -> Any:
    inside = (x >= low) & (x <= high)
    last = ops.where(inside, place, 0).clamp(0, bins - 1).to(dtypes.int64)
    ones = ops.ones_like(x) if weight is None else weight
    counts = ops.zeros(bins, dtype=x._key.dtype, device=x.device)
    return counts.index_add(0, last, ops.where(inside, ones, 0))


@composite
def histogram(
    self: Tensor,
    bins: int | Tensor = 100,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> histogram_result:
    """Return how many elements lie in each interval, and the ends of the intervals.

    Args:
        self: ``(*)``, float32 or float64.
        bins: The number of intervals, or their ends, rising.
        range: The lower and the upper end; by default those of the values.
        weight: What each element counts, shaped as *self*.
        density: Divide by the sum and by the widths.

    Returns:
        A named tuple of ``hist``, ``(bins,)``, and ``bin_edges``, ``(bins + 1,)``. The upper end
        belongs to the last interval.

    Raises:
        RuntimeError: an argument does not fit.

    >>> import chainrule as cr
    >>> cr.histogram(cr.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    _check_histogram(self, "histogramdd")
    x = self.detach().reshape(-1, 1)
    weights = None if weight is None else weight.detach().reshape(-1)
    spans = None if range is None else [tuple(range)]
    hist, edges = _histogram_of_points(x, [bins], spans, weights, density=density)
    return histogram_result((hist, edges[0]))


def histogramdd(
    input: Tensor,
    bins: int | Sequence[int] | Sequence[Tensor],
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> histogramdd_result:
    """Return `histogram` of points: how many lie in each box.

    Args:
        input: ``(*, D)``, the points.
        bins: The number of intervals, one for all dimensions or one each; or their ends.
        range: Lower and upper ends, one after the other.
        weight: What each point counts, ``(*)``.
        density: Divide by the sum and by the volumes.

    Returns:
        A named tuple of ``hist``, with D dimensions, and ``bin_edges``, D vectors.

    >>> import chainrule as cr
    >>> cr.histogramdd(cr.tensor([[0.0, 1.0], [1.0, 0.0]]), bins=[2, 2]).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    _check_histogram(input, "histogramdd")
    points = input.detach().reshape(-1, input._array.shape[-1])
    count = points._array.shape[1]
    per_dim: Any = [bins] * count if isinstance(bins, int) else list(bins)
    if len(per_dim) != count:
        sentence = (
            "torch.histogramdd(): The size of bins must be equal to the innermost dimension of "
            f"the input. Expected {count} but got {len(per_dim)}"
        )
        fail(ShapeError, sentence, "histogramdd: one number per dimension.")
    spans = None
    if range is not None:
        ends = list(range)
        spans = [(ends[2 * i], ends[2 * i + 1]) for i, _ in enumerate(per_dim)]
    weights = None if weight is None else weight.detach().reshape(-1)
    hist, edges = _histogram_of_points(points, per_dim, spans, weights, density=density)
    return histogramdd_result((hist, tuple(edges)))


def _histogram_of_points(
    points: Any, bins: list[Any], spans: Any, weights: Any, *, density: bool
) -> tuple[Any, list[Any]]:
    edges = []
    inside: Any = None
    flat: Any = 0
    for i, bin_ in enumerate(bins):
        x = points[:, i].contiguous()
        ends, place, within = _places(x, bin_, None if spans is None else spans[i], i)
        edges.append(ends)
        flat = flat * (ends._array.shape[0] - 1) + place
        inside = within if inside is None else inside & within
    sizes = [ends._array.shape[0] - 1 for ends in edges]
    total = 1
    for size in sizes:
        total *= size
    dtype, device = points._key.dtype, points.device
    ones = (
        ops.ones(points._array.shape[0], dtype=dtype, device=device) if weights is None else weights
    )
    counts = ops.zeros(total, dtype=dtype, device=device)
    counts = counts.index_add(0, flat, ops.where(inside, ones, 0)).reshape(sizes)
    if density:
        counts = counts / counts.sum()
        for i, ends in enumerate(edges):
            shape = [1] * len(sizes)
            shape[i] = sizes[i]
            counts = counts / (ends[1:] - ends[:-1]).reshape(shape)
    return own(counts), [own(ends) for ends in edges]


def _places(x: Any, bins: Any, span: Any, number: int) -> tuple[Any, Any, Any]:
    """Return the ends of the intervals, in which one each element lies, and whether in any."""
    if hasattr(bins, "_key"):
        ends = bins.detach().clone()
    else:
        _check_bins(bins, number)
        low, high = _reach(x, *(span or (0.0, 0.0)), given=span is not None)
        if not (math.isfinite(low) and math.isfinite(high)):
            sentence = (
                f"torch.histogramdd: dimension {number}'s range [{low:g}, {high:g}] is not finite"
            )
            fail(ShapeError, sentence, "histogram: give range.")
        if low > high:
            sentence = (
                f"torch.histogramdd(): min should not exceed max, but got min {low:g} max {high:g} "
                f"for dimension {number}"
            )
            fail(ShapeError, sentence, "histogram: exchange them.")
        ends = ops.linspace(low, high, bins + 1, dtype=x._key.dtype, device=x.device)
    count = ends._array.shape[0] - 1
    place = ops.searchsorted(ends, x, right=True) - 1
    within = (x >= ends[0]) & (x <= ends[-1])
    return ends, ops.where(within, place, 0).clamp(0, count - 1), within
