"""Samples of the smaller families: copies, covariances, differences, quantiles, pointwise_more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import INEXACT, NUMBERS, REAL, one_operand, refused, two_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

PRECISE = ("float32", "float64")
WHOLE = ("uint8", "int32", "int64")
SUMS = {"float32": 2e-5, "complex64": 2e-5}  # sums and quotients in a row

Samples = Any


def each(*calls: Callable[[Maker], Sample]) -> Samples:
    """Return samples made one by one."""
    return lambda make: [call(make) for call in calls]


# Single elements


def _steps(make: Maker) -> Iterator[Sample]:
    for sample in two_tensors()(make):
        first, second = sample.args
        yield Sample(first.detach(), second.detach())
    yield Sample(make.of([-1.0, 0.0, 2.0]).detach(), make().detach())


def _step_errors(make: Maker) -> Iterator[ErrorSample]:
    differ = "heaviside is not yet implemented for tensors with different dtypes."
    yield refused(Sample(make(2), make(2, dtype=dtypes.float64)), differ)


def _fraction_errors(make: Maker) -> Iterator[ErrorSample]:
    floating = r"torch.frexp\(\) only supports floating-point dtypes"
    yield refused(Sample(make.index(2, below=3)), floating)


# Differences


_trapezoids = each(
    lambda make: Sample(make(4)),
    lambda make: Sample(make(2, 3), dx=2.5),
    lambda make: Sample(make(2, 3), make(3)),
    lambda make: Sample(make(3, 2), make(3), dim=0),
    lambda make: Sample(make(2, 3), make(2, 3)),
    lambda make: Sample(make(1)),
)


def _trapezoid_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(
        Sample(make(3), make(2)), ".*trapezoid: There must be one `x` value for each sample point"
    )


_differences = each(
    lambda make: Sample(make(5)),
    lambda make: Sample(make(2, 4), 2),
    lambda make: Sample(make(3, 2), dim=0),
    lambda make: Sample(make(2, 3), prepend=make(2, 1), append=make(2, 2)),
    lambda make: Sample(make(2), 3),
    lambda make: Sample(make(3), 0),
)


def _difference_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make()), "diff expects input to be at least one-dimensional")
    yield refused(Sample(make(3), -1), "order must be non-negative but got -1")


_gradients = each(
    lambda make: Sample(make(5)),
    lambda make: Sample(make(4, 3), spacing=2.5, edge_order=2),
    lambda make: Sample(make(3, 4), dim=1),
    lambda make: Sample(make(4), spacing=(make.of([0.0, 1.0, 3.0, 4.0]).detach(),)),
    lambda make: Sample(make(4), spacing=(make.of([0.0, 1.0, 3.0, 4.0]).detach(),), edge_order=2),
)


def _gradient_errors(make: Maker) -> Iterator[ErrorSample]:
    size = r"torch.gradient expected each dimension size to be at least edge_order\+1"
    yield refused(Sample(make(1)), size)


_powers = each(
    lambda make: Sample(make(3)),
    lambda make: Sample(make(3), 2),
    lambda make: Sample(make(2), 4, True),
)


# Distributions of values


def _quantiles(make: Maker) -> Iterator[Sample]:
    parts = make.of([0.1, 0.5, 0.95]).detach()
    yield Sample(make(7), 0.3)
    yield Sample(make(3, 4), parts, 1)
    yield Sample(make(3, 4), parts, dim=0, keepdim=True)
    yield Sample(make(2, 3), 0.5, keepdim=True)
    for mode in ("lower", "higher", "nearest", "midpoint"):
        yield Sample(make(5), parts, interpolation=mode)
    yield Sample(make.of([1.0, float("nan"), 2.0, 0.5]).detach(), 0.5)


def _quantile_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(3), 1.5), r"(nan)?quantile\(\) q must be in the range \[0, 1\]")
    yield refused(Sample(make(0), 0.5), r"(nan)?quantile\(\) input tensor must be non-empty")


_counts = each(
    lambda make: Sample(make(20)),
    lambda make: Sample(make(3, 4), 5),
    lambda make: Sample(make(9), 4, -1, 1),
)
_histograms = each(
    lambda make: Sample(make(9), 4),
    lambda make: Sample(make(9), 4, range=(-1.0, 1.0), density=True),
    lambda make: Sample(make(6), make.of([-2.0, 0.0, 1.0, 2.0]).detach(), weight=make(6, low=0.1)),
)
_boxes = each(
    lambda make: Sample(make(9, 2), [2, 3]),
    lambda make: Sample(make(9, 2), 3, range=(-1.0, 1.0, -1.0, 1.0), density=True),
)


def _bin_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(3), 0), r"torch.histogram\(\): bins must be > 0, but got 0")


# Many variables


_covariances = each(
    lambda make: Sample(make(3, 5)),
    lambda make: Sample(make(4)),
    lambda make: Sample(make(2, 3), correction=0, fweights=make.of([1, 2, 3], dtype=dtypes.int64)),
)


def _covariance_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(1, 1, 1)), r"cov\(\): expected input to have two or fewer dimensions")


_point_sets = each(
    lambda make: Sample(make(3, 2), make(4, 2)),
    lambda make: Sample(make(2, 3, 2), make(4, 2), 1.0),
    lambda make: Sample(make(3, 2), make(2, 2), 3.0),
    lambda make: Sample(make(3, 2), make(2, 2), float("inf")),
    lambda make: Sample(make(0, 2), make(2, 2)),
)
_points = each(
    lambda make: Sample(make(4, 2)),
    lambda make: Sample(make(3, 2), 1.0),
    lambda make: Sample(make(1, 2)),
)


def _distance_errors(make: Maker) -> Iterator[ErrorSample]:
    columns = "X1 and X2 must have the same number of columns. X1: 2 X2: 3"
    yield refused(Sample(make(2, 2), make(2, 3)), columns)
    yield refused(
        Sample(make(2), make(2, 2)), "cdist only supports at least 2D tensors, X1 got: 1D"
    )


_limited = each(
    lambda make: Sample(make(3, 4), 2, 0, 1.0),
    lambda make: Sample(make(2, 3, 2), 1, 1, 2.5),
    lambda make: Sample(make(3, 2), 3, 1, 100.0),
)


def _limit_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(2), 2, 0, 1.0), "renorm: input needs at least 2 dimensions, got 1")


# Copies


_choices = each(
    lambda make: Sample(make(4)),
    lambda make: Sample(make(3), 3, True),
    lambda make: Sample(make(3), 0),
)


def _reduced(make: Maker) -> Iterator[Sample]:
    index = make.index(3, below=2)
    for reduce in ("prod", "mean", "amax", "amin"):
        for include in (True, False):
            yield Sample(make(2, 2), 0, index, make(3, 2), reduce, include_self=include)
    yield Sample(make(2, 3), 1, index, make(2, 3), "mean")


def _reduce_errors(make: Maker) -> Iterator[ErrorSample]:
    names = r"index_reduce\(\): Expected reduce to be one of prod, mean, amax or amin but got sum."
    yield refused(Sample(make(2), 0, make.index(1, below=2), make(1), "sum"), names)


def _seen(*arguments: Any) -> Samples:
    return each(lambda make: Sample(make(4, 3), *arguments))


COPIES = {
    "alias_copy": (),
    "as_strided_copy": ((2, 2), (1, 2)),
    "detach_copy": (),
    "diagonal_copy": (1,),
    "narrow_copy": (0, 1, 2),
    "permute_copy": ((1, 0),),
    "select_copy": (0, 1),
    "slice_copy": (0, 1, 3),
    "split_copy": (2,),
    "split_with_sizes_copy": ([1, 3],),
    "squeeze_copy": (),
    "t_copy": (),
    "transpose_copy": (0, 1),
    "unbind_copy": (),
    "unfold_copy": (0, 2, 1),
    "unsqueeze_copy": (1,),
    "view_copy": ((3, 4),),
}  # fmt: skip


def _complex_copy(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 2))


# Segments, and signals with time first


def _whole(make: Maker, numbers: list[Any]) -> Any:
    return make.of(numbers).detach().long()


def _segments(make: Maker) -> Iterator[Sample]:
    lengths = _whole(make, [2, 1, 3])
    for reduce in ("sum", "mean", "prod", "max", "min"):
        yield Sample(make(6), reduce, lengths=lengths)
        yield Sample(make(3, 2), reduce, offsets=_whole(make, [0, 2, 2, 3]), initial=0.5)
    yield Sample(make(2, 3, 2), "sum", lengths=_whole(make, [[1, 2], [3, 0]]), axis=1)
    yield Sample(make(6), "max", lengths=_whole(make, [2, 3]), unsafe=True)
    yield Sample(make(0, 2), "sum", lengths=_whole(make, [0, 0]))


def _segment_errors(make: Maker) -> Iterator[ErrorSample]:
    words = r"segment_reduce\(\): "
    lengths = _whole(make, [2, 1])
    yield refused(Sample(make(3), "sum"), words + "Either lengths or offsets must be defined")
    yield refused(Sample(make(4), "sum", lengths=lengths), words + "Expected all rows of lengths")
    yield refused(Sample(make(3, 3), "sum", lengths=lengths, axis=1), words + "Expected axis")
    yield refused(Sample(make(3), "sum", indices=lengths), words + "indices based reduction")
    yield refused(Sample(make(3), "sums", lengths=lengths), "reduce argument must be either sum")
    yield refused(Sample(make(1), "sum", lengths=lengths - 2), "lengths contains negative value!")
    yield ErrorSample(
        sample=Sample(lengths, "sum", lengths=lengths[:1]),
        raises=NotImplementedError,
        match='"_segment_reduce_cpu" not impl',
    )


def _signals(make: Maker) -> Iterator[Sample]:
    for pad in (0, 1, 3, -1):
        yield Sample(make(5, 2, 3), make(2, 3, 4), make(4), pad)
    yield Sample(make(2, 2, 1), make(3, 1, 2), make(2))


def _signal_errors(make: Maker) -> Iterator[ErrorSample]:
    signal, weight, bias = make(5, 2, 3), make(2, 3, 4), make(4)
    yield refused(Sample(signal[0], weight, bias), "Input must have 3 dims")
    yield refused(Sample(signal, weight[0], bias), "Weight tensor must have 3 dims")
    yield refused(Sample(signal, weight, weight), "Bias must be 1-D")
    yield refused(Sample(signal, weight.mT, bias), "Input dim 2")
    yield refused(Sample(signal, weight, bias[:2]), "Bias size must equal")
    yield refused(Sample(signal, weight, bias, -3), "Trying to create tensor with negative dim")


cases = [
    OpCase("deg2rad", one_operand(), None, REAL, in_place="deg2rad_"),
    OpCase("rad2deg", one_operand(), None, REAL, in_place="rad2deg_"),
    OpCase("heaviside", _steps, None, REAL, grad=False, errors=_step_errors, in_place="heaviside_"),
    OpCase("ldexp", two_tensors(), None, INEXACT[1:], in_place="ldexp_"),
    OpCase("frexp", one_operand(), None, REAL, errors=_fraction_errors),
    *[
        OpCase(name, two_tensors((0, 12), (0, 12)), None, WHOLE, grad=False, in_place=f"{name}_")
        for name in ("gcd", "lcm")
    ],
    OpCase("signbit", one_operand(), None, ("int64", *REAL), grad=False),
    OpCase("isreal", one_operand(), None, NUMBERS, grad=False),
    OpCase("trapezoid", _trapezoids, None, (*PRECISE, "complex128"), errors=_trapezoid_errors),
    OpCase("trapz", _trapezoids, None, PRECISE),
    OpCase("cumulative_trapezoid", _trapezoids, None, PRECISE, errors=_trapezoid_errors),
    OpCase("diff", _differences, None, ("int64", *PRECISE), errors=_difference_errors),
    OpCase("gradient", _gradients, None, PRECISE, errors=_gradient_errors, tolerance=SUMS),
    OpCase("vander", _powers, None, ("int64", *PRECISE), tolerance=SUMS),
    OpCase("quantile", _quantiles, None, PRECISE, errors=_quantile_errors),
    OpCase("nanquantile", _quantiles, None, PRECISE, errors=_quantile_errors),
    OpCase("histc", _counts, None, PRECISE, grad=False, errors=_bin_errors),
    OpCase("histogram", _histograms, None, PRECISE, grad=False, errors=_bin_errors),
    OpCase("histogramdd", _boxes, None, PRECISE, grad=False),
    OpCase("cov", _covariances, None, (*PRECISE, "complex128"), errors=_covariance_errors,
           tolerance=SUMS),
    OpCase("corrcoef", each(lambda make: Sample(make(3, 5))), None, PRECISE, tolerance=SUMS),
    OpCase("cdist", _point_sets, None, PRECISE, errors=_distance_errors, tolerance=SUMS),
    OpCase("pdist", _points, None, PRECISE, tolerance=SUMS),
    OpCase("renorm", _limited, None, (*PRECISE, "complex128"), errors=_limit_errors,
           in_place="renorm_", tolerance=SUMS),
    OpCase("combinations", _choices, None, PRECISE),
    OpCase("segment_reduce", _segments, None, PRECISE, errors=_segment_errors, tolerance=SUMS),
    OpCase("conv_tbc", _signals, None, (*PRECISE, "complex128"), node="ConvTbcBackward0",
           saved=("bias", "pad", "self", "weight"), errors=_signal_errors, tolerance=SUMS),
    OpCase("unravel_index", lambda make: [Sample(make.index(4, below=6), (2, 3))], grad=False),
    OpCase("index_reduce", _reduced, None, PRECISE, errors=_reduce_errors,
           in_place="index_reduce_", tolerance=SUMS),
    OpCase("as_strided_scatter",
           each(lambda make: Sample(make(3, 3), make(2, 2), (2, 2), (1, 2), 1)), None, PRECISE),
    OpCase("is_same_size", each(lambda make: Sample(make(2), make(2, 1))), grad=False),
    OpCase("nonzero_static", lambda make: [Sample(make.mask(5), size=4)], grad=False),
    *[OpCase(name, _seen(*arguments), None, PRECISE) for name, arguments in COPIES.items()],
    OpCase("expand_copy", each(lambda make: Sample(make(3), (2, 3))), None, PRECISE),
    OpCase("view_as_complex_copy", _complex_copy, None, PRECISE),
    OpCase("view_as_real_copy", _complex_copy, None, ("complex64", "complex128")),
    OpCase("poisson", each(lambda make: Sample(make(3, low=0.5, high=30.0))), None, PRECISE,
           deterministic=False, grad=False),
    OpCase("binomial", each(lambda make: Sample(make(3, low=0.0, high=9.0).detach().round(),
                                                make(3, low=0.1, high=0.9).detach())),
           None, PRECISE, deterministic=False, grad=False),
]  # fmt: skip
