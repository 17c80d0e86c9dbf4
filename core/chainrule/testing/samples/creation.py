"""Samples of chainrule/ops/creation.py and creation_*.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

ALL = ("bool", "uint8", "int64", "float16", "float32", "float64", "complex64")
REAL = ("uint8", "int64", "float16", "float32", "float64")


def refused(sample: Sample, match: str, raises: type[Exception] = RuntimeError) -> ErrorSample:
    """Return a call that must fail with a RuntimeError, where nothing else is said."""
    return ErrorSample(sample=sample, raises=raises, match=match)


# By size


def _sizes(make: Maker) -> Iterator[Sample]:
    yield Sample(2, 3, dtype=make.dtype)
    yield Sample((2, 3), dtype=make.dtype)
    yield Sample([2, 0], dtype=make.dtype)
    yield Sample((), dtype=make.dtype)
    yield Sample(2, dtype=make.dtype, device="cpu")


def _sizes_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(2, -2), "zeros: Dimension size must be non-negative.")
    whole = "Only Tensors of floating point and complex dtype can require gradients"
    yield refused(Sample(2, dtype=dtypes.int64, requires_grad=True), whole)


def _full(make: Maker) -> Iterator[Sample]:
    yield Sample((2, 3), 1, dtype=make.dtype)
    yield Sample((), 1, dtype=make.dtype)
    yield Sample((0, 2), 1, dtype=make.dtype)
    yield Sample((2,), True)
    yield Sample((2,), 3)
    yield Sample((2,), 2.5)


def _full_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(
        Sample((2,), 300, dtype=dtypes.uint8),
        "value cannot be converted to type uint8_t without overflow",
    )
    unreal = "value cannot be converted to type float without overflow"
    yield refused(Sample((2,), 1j, dtype=dtypes.float32), unreal)
    yield refused(Sample((2,), 1e39, dtype=dtypes.float32), unreal)
    infinite = "value cannot be converted to type int64_t without overflow"
    yield refused(Sample((2,), float("inf"), dtype=dtypes.int64), infinite)


# Ranges


def _arange(make: Maker) -> Iterator[Sample]:
    yield Sample(5, dtype=make.dtype)
    yield Sample(1, 6, dtype=make.dtype)
    yield Sample(1, 10, 3, dtype=make.dtype)
    yield Sample(6, 1, -2, dtype=make.dtype)
    yield Sample(3, 3, dtype=make.dtype)
    yield Sample(0.0, 1.0, 0.3)
    yield Sample(4)


def _arange_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(0, 3, 0), "step must be nonzero")
    away = "upper bound and lower bound inconsistent with step sign"
    yield refused(Sample(0, 3, -1), away)


def _linspace(make: Maker) -> Iterator[Sample]:
    yield Sample(0, 1, 5, dtype=make.dtype)
    yield Sample(0.1, 7.3, 9, dtype=make.dtype)
    yield Sample(5, 2, 4, dtype=make.dtype)
    yield Sample(3, 10, 1, dtype=make.dtype)
    yield Sample(3, 10, 0, dtype=make.dtype)
    yield Sample(start=0, end=1, steps=3)


def _steps_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(0, 3, -1), "number of steps must be non-negative")


def _logspace(make: Maker) -> Iterator[Sample]:
    yield Sample(0, 2, 3, dtype=make.dtype)
    yield Sample(0, 3, 4, 2.0, dtype=make.dtype)
    yield Sample(2, 1, 1, dtype=make.dtype)


def _eye(make: Maker) -> Iterator[Sample]:
    yield Sample(3, dtype=make.dtype)
    yield Sample(2, 3, dtype=make.dtype)
    yield Sample(3, 2, dtype=make.dtype)
    yield Sample(0, 2, dtype=make.dtype)


def _eye_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(-1), "n must be greater or equal to 0, got -1")
    yield refused(Sample(1, -2), "m must be greater or equal to 0, got -2")
    whole = r"eye\(\): argument 'n' \(position 1\) must be int, not float"
    yield refused(Sample(2.0), whole, TypeError)


# Like another tensor


def _like(*values: Any) -> Callable[[Maker], Iterator[Sample]]:
    """Return the samples of a function of a tensor, and of *values* after it."""

    def samples(make: Maker) -> Iterator[Sample]:
        yield Sample(make(2, 3), *values)
        yield Sample(make(), *values)
        yield Sample(make(0, 2), *values)
        yield Sample(make.transposed(2, 3), *values)
        yield Sample(make.strided(2, 3), *values)
        yield Sample(make(2, 3), *values, dtype=dtypes.float64)
        yield Sample(make(2, 3), *values, dtype=dtypes.int64)

    return samples


def _like_errors(make: Maker) -> Iterator[ErrorSample]:
    whole = "Only Tensors of floating point and complex dtype can require gradients"
    yield refused(Sample(make(2), dtype=dtypes.int64, requires_grad=True), whole)
    yield refused(Sample(2), ".*argument 'input' .position 1. must be Tensor, not int", TypeError)


def _full_like_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(2), 1j), "value cannot be converted to type float without overflow")


# From what is there


def _values(make: Maker) -> Iterator[Sample]:
    yield Sample([[1, 0], [1, 1]], dtype=make.dtype)
    yield Sample(1, dtype=make.dtype)
    yield Sample([], dtype=make.dtype)
    yield Sample([True, False])
    yield Sample([1, 2])
    yield Sample([1, 2.5])
    yield Sample((1.5, 2.5))


def _values_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(None), "Could not infer dtype of NoneType")
    ragged = r"expected sequence of length 2 at dim 1 \(got 1\)"
    yield refused(Sample([[1, 2], [3]]), ragged, ValueError)


def _scalar(make: Maker) -> Iterator[Sample]:
    yield Sample(1, dtype=make.dtype)
    yield Sample(2)
    yield Sample(True)


def _strided(make: Maker) -> Iterator[Sample]:
    yield Sample((2, 3), (1, 2), dtype=make.dtype)
    yield Sample((2, 0), (1, 1), dtype=make.dtype)


def _strided_errors(make: Maker) -> Iterator[ErrorSample]:
    lengths = r"dimensionality of sizes \(1\) must match dimensionality of strides \(2\)"
    yield refused(Sample((2,), (1, 1)), lengths)


def _buffer(make: Maker) -> Iterator[Sample]:
    yield Sample(bytearray(16), dtype=make.dtype)
    yield Sample(bytearray(range(32)), dtype=dtypes.uint8, count=3, offset=2)


def _buffer_errors(make: Maker) -> Iterator[ErrorSample]:
    empty = r"both buffer length \(0\) and count \(-1\) must not be 0"
    yield refused(Sample(bytearray(), dtype=make.dtype), empty, ValueError)
    rest = r"buffer length \(5 bytes\) after offset \(0 bytes\) must be a multiple of element size"
    yield refused(Sample(bytearray(5), dtype=make.dtype), rest, ValueError)
    long = r"requested buffer length \(2 \* 4 bytes\) after offset \(0 bytes\) must not be greater"
    yield refused(Sample(bytearray(4), dtype=make.dtype, count=2), long, ValueError)
    start = r"offset \(5 bytes\) must be non-negative and no greater than buffer length \(4 bytes\)"
    yield refused(Sample(bytearray(4), dtype=make.dtype, offset=5), start, ValueError)
    kind = "object does not implement Python buffer protocol."
    yield refused(Sample("text", dtype=make.dtype), kind, ValueError)


def _of_arrays(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3).numpy(force=True))
    yield Sample(make(2, 3).numpy(force=True).T)


def _of_arrays_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample([1]), r"expected np.ndarray \(got list\)", TypeError)
    backwards = "At least one stride in the given numpy array is negative"
    yield refused(Sample(make(3).numpy(force=True)[::-1]), backwards, ValueError)


def _asarray(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3))
    yield Sample(make(2, 3), copy=True)
    yield Sample(make(2, 3), dtype=dtypes.float64)
    yield Sample([[1, 2], [3, 4]], dtype=make.dtype)
    yield Sample(1, dtype=make.dtype)
    yield Sample(make(2).numpy(force=True), copy=True)


def _asarray_errors(make: Maker) -> Iterator[ErrorSample]:
    lists = "can't alias arbitrary sequence into a tensor."
    yield refused(Sample([1, 2], copy=False), lists, ValueError)
    other = "can't alias tensor with dtype 'Float' into dtype 'Double'."
    yield refused(Sample(make(2), dtype=dtypes.float64, copy=False), other, ValueError)


def _zeros(np: Any, *size: Any, **_: Any) -> Any:
    return np.zeros(size[0] if isinstance(size[0], (tuple, list)) else size)


def _linspace_reference(np: Any, start: Any, end: Any, steps: Any, dtype: Any = "") -> Any:
    if dtype in {"uint8", "int64"}:
        return np.trunc(np.linspace(int(start), int(end), steps))
    return np.linspace(start, end, steps)


cases = [
    OpCase("zeros", _sizes, _zeros, ALL, grad=False, errors=_sizes_errors),
    OpCase("ones", _sizes, lambda np, *n, **_: _zeros(np, *n) + 1, ALL, grad=False),
    OpCase("empty", _sizes, None, ALL, grad=False, deterministic=False),
    OpCase(
        "full", _full, lambda np, size, value, **_: np.full(size, value), ALL, grad=False,
        errors=_full_errors,
    ),
    OpCase(
        "arange", _arange, lambda np, *n, **_: np.arange(*n), REAL, grad=False,
        errors=_arange_errors,
    ),
    OpCase(
        "linspace", _linspace, _linspace_reference, REAL, grad=False, errors=_steps_errors,
    ),
    OpCase(
        "logspace", _logspace, lambda np, a, b, n, base=10.0, **_: np.logspace(a, b, n, base=base),
        REAL, grad=False, errors=_steps_errors,
    ),
    OpCase(
        "eye", _eye, lambda np, n, m=None, **_: np.eye(n, m), ALL, grad=False, errors=_eye_errors,
    ),
    OpCase(
        "zeros_like", _like(), lambda np, x, **_: np.zeros(x.shape), ALL, grad=False,
        errors=_like_errors,
    ),
    OpCase("ones_like", _like(), lambda np, x, **_: np.ones(x.shape), ALL, grad=False),
    OpCase("empty_like", _like(), None, ALL, grad=False, deterministic=False),
    OpCase(
        "full_like", _like(1), lambda np, x, value, **_: np.full(x.shape, value), ALL, grad=False,
        errors=_full_like_errors,
    ),
    OpCase(
        "tensor", _values, lambda np, x, **_: np.array(x), ALL, grad=False, errors=_values_errors,
    ),
    OpCase("as_tensor", _values, lambda np, x, **_: np.array(x), ALL, grad=False),
    OpCase(
        "asarray", _asarray, lambda np, x, **_: np.array(x), ("float32", "float64"), grad=False,
        errors=_asarray_errors,
    ),
    OpCase("scalar_tensor", _scalar, lambda np, x, **_: np.array(x), ALL, grad=False),
    OpCase(
        "empty_strided", _strided, None, ("float32",), grad=False, errors=_strided_errors,
        deterministic=False,
    ),
    OpCase(
        "frombuffer", _buffer,
        lambda np, x, dtype, **k: np.frombuffer(x, dtype, **k), ("float32", "int64"), grad=False,
        errors=_buffer_errors,
    ),
    OpCase(
        "from_numpy", _of_arrays, lambda np, x: x, ("float32", "int64"), grad=False,
        errors=_of_arrays_errors,
    ),
]  # fmt: skip
