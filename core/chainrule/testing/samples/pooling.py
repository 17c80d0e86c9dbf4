"""Samples of chainrule/ops/pooling_max.py, pooling_average.py and pooling_adaptive.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker


def _plane(spatial: int) -> tuple[int, ...]:
    return (5, 4, 5)[-spatial:]


def _maxima(spatial: int) -> Callable[[Maker], Iterator[Sample]]:
    size = _plane(spatial)

    def samples(make: Maker) -> Iterator[Sample]:
        yield Sample(make(2, 2, *size), 2)
        yield Sample(make(2, *size), 3, 1)
        yield Sample(make(1, 2, *size), 3, 2, 1)
        yield Sample(make(1, 2, *size), 2, 1, 0, 2)
        yield Sample(make(1, 2, *size), 2, 3, 1, ceil_mode=True)
        yield Sample(make(1, 2, *size), 2, return_indices=True)
        yield Sample(make(1, 2, *size), 3, 2, 1, return_indices=True)
        yield Sample(make(0, 2, *size), 2)
        yield Sample(make.transposed(2, 2, *size, dims=(0, 1)), 2)

    return samples


def _averages(spatial: int) -> Callable[[Maker], Iterator[Sample]]:
    size = _plane(spatial)

    def samples(make: Maker) -> Iterator[Sample]:
        yield Sample(make(2, 2, *size), 2)
        yield Sample(make(2, *size), 3, 1)
        yield Sample(make(1, 2, *size), 3, 2, 1)
        yield Sample(make(1, 2, *size), 3, 2, 1, True, False)
        yield Sample(make(1, 2, *size), 2, 3, 1, ceil_mode=True)
        if spatial > 1:
            yield Sample(make(1, 2, *size), 2, divisor_override=3)
        yield Sample(make(0, 2, *size), 2)
        yield Sample(make.transposed(2, 2, *size, dims=(0, 1)), 2)

    return samples


def _adaptive(spatial: int) -> Callable[[Maker], Iterator[Sample]]:
    size = _plane(spatial)

    def samples(make: Maker) -> Iterator[Sample]:
        yield Sample(make(2, 2, *size), 2)
        yield Sample(make(2, *size), 3 if spatial == 1 else (3, 2, 2)[:spatial])
        yield Sample(make(1, 2, *size), 7)
        if spatial > 1:
            yield Sample(make(1, 2, *size), (None, 2, 1)[:spatial])
        yield Sample(make(0, 2, *size), 2)
        yield Sample(make.transposed(2, 2, *size, dims=(0, 1)), 2)

    return samples


def _with_indices(source: Callable[[Maker], Iterator[Sample]]) -> Any:
    def samples(make: Maker) -> Iterator[Sample]:
        yield from source(make)
        for sample in source(make):
            yield Sample(*sample.args, **sample.kwargs, return_indices=True)

    return samples


def _single_or_many(spatial: int) -> Callable[[Maker], Iterator[Sample]]:
    def samples(make: Maker) -> Iterator[Sample]:
        yield from _adaptive(spatial)(make)
        if spatial > 1:
            yield Sample(make(2, 2, *_plane(spatial)), 1)

    return samples


def _fractions(spatial: int) -> Callable[[Maker], Iterator[Sample]]:
    size = (7, 6, 7)[-spatial:]

    def samples(make: Maker) -> Iterator[Sample]:
        shifts = make(2, 2, spatial, low=0.0, high=1.0, requires_grad=False)
        yield Sample(make(2, 2, *size), 2, 3, _random_samples=shifts)
        yield Sample(make(2, 2, *size), 2, output_ratio=(0.5,) * spatial, _random_samples=shifts)
        one = make(1, 2, spatial, low=0.0, high=1.0, requires_grad=False)
        yield Sample(make(2, *size), 2, 3, return_indices=True, _random_samples=one)
        yield Sample(make(1, 2, *size), 3, 1, _random_samples=one)

    return samples


def _unpooled(spatial: int) -> Callable[[Maker], Iterator[Sample]]:
    size = (2,) * spatial

    def samples(make: Maker) -> Iterator[Sample]:
        count = 2**spatial
        places = make.of(list(range(0, 2 * count, 2)) * 2, dtype=_int64()).reshape(1, 2, *size)
        yield Sample(make(1, 2, *size), places, 2)
        yield Sample(make(2, *size), places[0], 2, 2)
        wider = [5] * spatial
        yield Sample(make(1, 2, *size), places, 2, output_size=wider)
        yield Sample(make(1, 2, *size), places, 3, 2, 1)

    return samples


def _int64() -> Any:
    from ... import dtypes

    return dtypes.int64


def _windows(np: Any, x: Any, spatial: int, kernel: Any, stride: Any, padding: Any,
             dilation: Any, ceil_mode: bool) -> Any:  # fmt: skip
    """Yield the index of every window and its slices, cut to what is there."""
    step = kernel if stride is None else stride
    counts = []
    for n in x.shape[-spatial:]:
        count = (n + 2 * padding - dilation * (kernel - 1) - 1 + (step - 1) * ceil_mode) // step + 1
        counts.append(count - (ceil_mode and (count - 1) * step >= n + padding))
    for index in np.ndindex(*counts):
        rows = [
            [r for r in range(i * step - padding, i * step - padding + dilation * kernel, dilation)
             if 0 <= r < n]
            for i, n in zip(index, x.shape[-spatial:], strict=True)
        ]  # fmt: skip
        yield counts, index, rows


def _max_reference(spatial: int) -> Any:
    def reference(
        np: Any, x: Any, kernel: int, stride: Any = None, padding: int = 0, dilation: int = 1,
        ceil_mode: bool = False, return_indices: bool = False,
    ) -> Any:  # fmt: skip
        lead = x.shape[:-spatial]
        found, places, shape = {}, {}, lead
        for counts, index, rows in _windows(
            np, x, spatial, kernel, stride, padding, dilation, ceil_mode
        ):
            grid = np.ix_(*rows)
            flat = np.ravel_multi_index(
                tuple(np.broadcast_arrays(*grid)), x.shape[-spatial:]
            ).reshape(-1)
            seen = x.reshape(*lead, np.prod(x.shape[-spatial:]))[..., flat]
            which = seen.argmax(-1)
            found[index], places[index] = seen.max(-1), flat[which]
            shape = (*lead, *counts)
        out, where = np.zeros(shape), np.zeros(shape, int)
        for index, values in found.items():
            out[(..., *index)], where[(..., *index)] = values, places[index]
        return (out, where) if return_indices else out

    return reference


def _avg_reference(spatial: int) -> Any:
    def reference(
        np: Any, x: Any, kernel: int, stride: Any = None, padding: int = 0,
        ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: Any = None,
    ) -> Any:  # fmt: skip
        lead, sizes = x.shape[:-spatial], x.shape[-spatial:]
        step = kernel if stride is None else stride
        out: Any = None
        for counts, index, rows in _windows(np, x, spatial, kernel, stride, padding, 1, ceil_mode):
            out = np.zeros((*lead, *counts)) if out is None else out
            total = x[(..., *np.ix_(*rows))].sum(tuple(range(-spatial, 0)))
            starts = [i * step - padding for i in index]
            ends = [min(s + kernel, n + padding) for s, n in zip(starts, sizes, strict=True)]
            full = np.prod([e - s for s, e in zip(starts, ends, strict=True)])
            by = full if count_include_pad else np.prod([len(r) for r in rows])
            out[(..., *index)] = total / (divisor_override or by)
        return out

    return reference


def _errors(make: Maker) -> Iterator[ErrorSample]:
    for sample, text in (
        (Sample(make(1, 1, 5, 5), 2, padding=2),
         ("pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and "
         "dilation=1")),
        (Sample(make(1, 1, 2, 2), 3), (r"Given input size: \(1x2x2\)\. Calculated output size: "
         r"\(1x0x0\)\. Output size is too small")),
        (Sample(make(1, 1, 5, 5), (2, 2, 2)), "_pool2d: kernel_size must either be a single int"),
        (Sample(make(1, 1, 5, 5), 2, 0), "stride should not be zero"),
        (Sample(make(1, 0, 5, 5), 2),
         (r"Expected 3D or 4D \(batch mode\) tensor with optional 0 dim batch size for input, but "
         r"got:\[1, 0, 5, 5\]")),
    ):  # fmt: skip
        match = text.replace("_pool2d", ".*_pool2d")
        yield ErrorSample(sample=sample, raises=RuntimeError, match=match)


def _adaptive_errors(make: Maker) -> Iterator[ErrorSample]:
    for sample, text in (
        (Sample(make(5, 5), 2), r"adaptive_avg_pool2d\(\): Expected 3D or 4D tensor, but got"),
        (Sample(make(1, 1, 5, 5), (2, 2, 2)), "adaptive_avg_pool2d: output_size must be 2"),
        (Sample(make(1, 1, 5, 5), -1), "adaptive_avg_pool2d: elements of output_size must be"),
    ):
        yield ErrorSample(sample=sample, raises=RuntimeError, match=text)


def _unpool_errors(make: Maker) -> Iterator[ErrorSample]:
    x, places = make(1, 1, 2, 2), make.index(1, 1, 2, 2, below=4)
    yield ErrorSample(
        sample=Sample(x, places, 2, output_size=(9, 9)),
        raises=ValueError,
        match=r'invalid output_size "\(9, 9\)" \(dim 0 must be between 2 and 6\)',
    )
    yield ErrorSample(
        sample=Sample(x, x, 2),
        raises=RuntimeError,
        match="elements in indices should be type int64 but got: Float",
    )
    yield ErrorSample(
        sample=Sample(x, places[:, :, :1], 2),
        raises=RuntimeError,
        match="Expected shape of indices to be same as that of the input tensor",
    )


cases = [
    *(
        OpCase(f"max_pool{n}d", _maxima(n), _max_reference(n), errors=_errors if n == 2 else None)
        for n in (1, 2, 3)
    ),
    *(
        OpCase(f"avg_pool{n}d", _averages(n), _avg_reference(n), errors=_errors if n == 2 else None)
        for n in (1, 2, 3)
    ),
    *(
        OpCase(
            f"adaptive_avg_pool{n}d",
            _single_or_many(n),
            errors=_adaptive_errors if n == 2 else None,
        )
        for n in (1, 2, 3)
    ),
    *(
        OpCase(f"nn.functional.adaptive_max_pool{n}d", _with_indices(_adaptive(n)))
        for n in (1, 2, 3)
    ),
    *(OpCase(f"fractional_max_pool{n}d", _fractions(n)) for n in (2, 3)),
    *(
        OpCase(f"max_unpool{n}d", _unpooled(n), errors=_unpool_errors if n == 2 else None)
        for n in (1, 2, 3)
    ),
]
