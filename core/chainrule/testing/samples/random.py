"""Samples of chainrule/ops/random.py, random_choices.py and dropout.py.

Two calls draw different numbers, so that what a sample can promise is shape, dtype, node and error.
That the numbers are PyTorch's is checked in tests/parity/test_random.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..maker import Maker

ALL = ("uint8", "int64", "float16", "float32", "float64")
REAL = ("float16", "float32", "float64")
FLOATING = (*REAL, "complex64")


def refused(sample: Sample, match: str, raises: type[Exception] = RuntimeError) -> ErrorSample:
    """Return a call that must fail with a RuntimeError, where nothing else is said."""
    return ErrorSample(sample=sample, raises=raises, match=match)


def _sizes(make: Maker) -> Iterator[Sample]:
    yield Sample(2, 3, dtype=make.dtype)
    yield Sample((17,), dtype=make.dtype)
    yield Sample([2, 0], dtype=make.dtype)
    yield Sample((), dtype=make.dtype)
    yield Sample(3)


def _rand_errors(make: Maker) -> Iterator[ErrorSample]:
    whole = "\"check_uniform_bounds\" not implemented for 'Long'"
    yield refused(Sample(2, dtype=dtypes.int64), whole, NotImplementedError)
    negative = r"Trying to create tensor with negative dimension -2: \[-2\]"
    yield refused(Sample(-2), negative)


def _randn_errors(make: Maker) -> Iterator[ErrorSample]:
    whole = "\"normal_kernel_cpu\" not implemented for 'Long'"
    yield refused(Sample(2, dtype=dtypes.int64), whole, NotImplementedError)


def _randint(make: Maker) -> Iterator[Sample]:
    yield Sample(10, (2, 3), dtype=make.dtype)
    yield Sample(3, 10, (2, 3), dtype=make.dtype)
    yield Sample(low=3, high=10, size=(0, 3), dtype=make.dtype)
    yield Sample(2**40, (4,))


def _randint_errors(make: Maker) -> Iterator[ErrorSample]:
    none = "random_ expects 'from' to be less than 'to', but got from=3 >= to=3"
    yield refused(Sample(3, 3, (2,)), none)
    beyond = "to - 1 is out of bounds for unsigned char"
    yield refused(Sample(300, (2,), dtype=dtypes.uint8), beyond)


def _randperm(make: Maker) -> Iterator[Sample]:
    yield Sample(7, dtype=make.dtype)
    yield Sample(0, dtype=make.dtype)
    yield Sample(3)


def _randperm_errors(make: Maker) -> Iterator[ErrorSample]:
    negative = r"Trying to create tensor with negative dimension -1: \[-1\]"
    yield refused(Sample(-1), negative)
    whole = r"randperm\(\): argument 'n' \(position 1\) must be int, not float"
    yield refused(Sample(2.0), whole, TypeError)


def _like(*bounds: int) -> Callable[[Maker], Iterator[Sample]]:
    """Return the samples of a function of a tensor, and of *bounds* after it."""

    def samples(make: Maker) -> Iterator[Sample]:
        yield Sample(make(2, 3), *bounds)
        yield Sample(make(), *bounds)
        yield Sample(make(0, 3), *bounds)
        yield Sample(make.transposed(2, 3), *bounds)
        yield Sample(make(2, 3), *bounds, dtype=dtypes.float64)

    return samples


def _probabilities(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3, low=0.0, high=1.0))
    yield Sample(make(low=0.0, high=1.0))
    yield Sample(make(0))
    yield Sample(make(2, 3), 0.25)


def _bernoulli_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make.of([1.5])), "Expected p_in >= 0 && p_in <= 1 to be true")
    yield refused(Sample(make(2), 1.5), r"bernoulli_ expects p to be in \[0, 1\], but got p=1.5")


def _normal(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3), make(3, low=0.0))
    yield Sample(make(3, 1), make(4, low=0.0))
    yield Sample(make(3), 2.0)
    yield Sample(1.0, make(3, low=0.0))
    yield Sample(1.0, 2.0, (2, 3))


def _normal_errors(make: Maker) -> Iterator[ErrorSample]:
    negative = "normal expects std >= 0.0, but found std -1"
    yield refused(Sample(0.0, -1.0, (2,)), negative)
    yield refused(
        Sample(make(2), make.of([1.0, -1.0])), "normal expects all elements of std >= 0.0"
    )


def _multinomial(make: Maker) -> Iterator[Sample]:
    yield Sample(make(4, low=0.1), 2)
    yield Sample(make(3, 4, low=0.1), 4)
    yield Sample(make(3, 4, low=0.1), 9, True)
    yield Sample(make(3, 4, low=0.1), 1, replacement=True)


def _multinomial_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(1, 1, 1), 1), "prob_dist must be 1 or 2 dim")
    yield refused(Sample(make(3), 0), "cannot sample n_sample <= 0 samples")
    many = r"cannot sample n_sample > prob_dist.size\(-1\) samples without replacement"
    yield refused(Sample(make(3), 4), many)
    negative = "probability tensor contains either `inf`, `nan` or element < 0"
    yield refused(Sample(make.of([1.0, -1.0]), 1), negative)
    none = r"invalid multinomial distribution \(sum of probabilities <= 0\)"
    yield refused(Sample(make.of([0.0, 0.0]), 1), none)


def _dropped(*shapes: tuple[int, ...]) -> Callable[[Maker], Iterable[Sample]]:
    """Return the samples of a kind of dropout for inputs of *shapes*."""

    def samples(make: Maker) -> Iterator[Sample]:
        for shape in shapes:
            for p in (0.5, 0.0, 1.0):
                yield Sample(make(*shape), p, True)
            yield Sample(make(*shape), 0.5, False)

    return samples


def _dropout_errors(make: Maker) -> Iterator[ErrorSample]:
    beyond = "dropout probability has to be between 0 and 1, but got 2.0"
    yield refused(Sample(make(2, 3, 4), 2.0, True), beyond, ValueError)


def _dropout1d_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _dropout_errors(make)
    ndim = "dropout1d: Expected 2D or 3D input, but received a 4D input"
    yield refused(Sample(make(2, 2, 2, 2), 0.5), ndim)


def _feature_errors(make: Maker) -> Iterator[ErrorSample]:
    ndim = "Feature dropout requires at least 2 dimensions in the input"
    yield refused(Sample(make(2), 0.5, True), ndim)


def _drawn(name: str, samples: Any, kinds: tuple[str, ...], **options: Any) -> OpCase:
    """Return the case of an op whose numbers differ from call to call."""
    return OpCase(name, samples, None, kinds, grad=False, deterministic=False, **options)


cases = [
    _drawn("rand", _sizes, FLOATING, errors=_rand_errors),
    _drawn("randn", _sizes, FLOATING, errors=_randn_errors),
    _drawn("randint", _randint, ALL, errors=_randint_errors),
    _drawn("randperm", _randperm, ALL, errors=_randperm_errors),
    _drawn("rand_like", _like(), FLOATING),
    _drawn("randn_like", _like(), FLOATING),
    _drawn("randint_like", _like(2, 9), ALL),
    _drawn("bernoulli", _probabilities, REAL, errors=_bernoulli_errors),
    _drawn("normal", _normal, ("float32", "float64"), errors=_normal_errors),
    _drawn("multinomial", _multinomial, ("float32", "float64"), errors=_multinomial_errors),
    _drawn("dropout", _dropped((2, 3), (), (0,)), FLOATING),
    _drawn("dropout1d", _dropped((2, 3, 4), (3, 4)), FLOATING, errors=_dropout1d_errors),
    _drawn("dropout2d", _dropped((2, 3, 4, 1)), FLOATING, errors=_dropout_errors),
    _drawn("dropout3d", _dropped((2, 3, 4, 1, 1), (3, 4, 1, 1)), FLOATING),
    _drawn("alpha_dropout", _dropped((2, 3)), ("float32", "float64")),
    _drawn(
        "feature_alpha_dropout", _dropped((2, 3, 4)), ("float32", "float64"), errors=_feature_errors
    ),
]
