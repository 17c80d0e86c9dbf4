"""Samples of chainrule/ops/padding.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _constants(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), (1, 2))
    yield Sample(make(2, 3), [1, 0, -1, 2], 3)
    yield Sample(make(3), (-1, -1))
    yield Sample(make(2, 3), ())
    yield Sample(make(0, 3), (1, 1))
    yield Sample(make.transposed(3, 2), (1, 1, 1, 1))


def _pads(make: Maker) -> Iterator[Sample]:
    yield from (s for s in _constants(make) if len(s.args) == 2)
    for mode in MODES:
        yield Sample(make(2, 4), (2, 1), mode)
        yield Sample(make(1, 2, 4), (0, 3), mode)
        yield Sample(make(2, 3, 4), (1, 2, 2, 1), mode)
        yield Sample(make(1, 2, 3, 4), (1, 1, -1, 2), mode)
        yield Sample(make(2, 2, 3, 3), (1, 1, 2, 0, 1, 1), mode)
    yield Sample(make(2, 3), (1, 1), "constant", 2.5)


def _pad(np: Any, x: Any, sizes: Any, mode: Any = "constant", value: Any = 0) -> Any:
    if not isinstance(mode, str):
        mode, value = "constant", mode
    pairs = [tuple(sizes[i : i + 2]) for i in range(0, len(sizes), 2)][::-1]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    cut = tuple(
        slice(max(-before, 0), n - max(-behind, 0))
        for n, (before, behind) in zip(x.shape, pairs, strict=True)
    )
    wider = [(max(before, 0), max(behind, 0)) for before, behind in pairs]
    if mode == "constant":
        return np.pad(x[cut], wider, constant_values=value)
    if mode == "circular":
        return np.pad(x[cut], wider, "wrap")
    return np.pad(x, wider, MODES[mode])[
        tuple(slice(max(-a, 0), None if b >= 0 else b) for a, b in pairs)
    ]


def _errors(make: Maker) -> Iterator[ErrorSample]:
    for sample, raises, text in (
        (Sample(make(2, 3), (1,)), RuntimeError, "Padding length must be divisible by 2"),
        (Sample(make(1, 2, 3), (3, 3), "reflect"), RuntimeError,
         (r"Argument #4: Padding size should be less than the corresponding input dimension, but "
         r"got: padding \(3, 3\) at dimension 2 of input \[1, 2, 3\]")),
        (Sample(make(3), (1, 1), "reflect"), NotImplementedError,
         r"Padding size 2 is not supported for 1D input tensor\."),
        (Sample(make(1, 2, 3), (1, 1), "foo"), NotImplementedError,
         "Unrecognised padding mode foo"),
        (Sample(make(2, 3), (-2, -2)), RuntimeError, r"narrow\(\): length must be non-negative\."),
        (Sample(make(1, 2, 3), (4, 4), "circular"), RuntimeError,
         "Padding value causes wrapping around more than once"),
    ):  # fmt: skip
        yield ErrorSample(sample=sample, raises=raises, match=text)


cases = [
    OpCase(
        "constant_pad_nd",
        _constants,
        _pad,
        dtypes=("float32", "float64", "complex128", "int64"),
        saved=("pad",),
        node="ConstantPadNdBackward0",
    ),
    OpCase("nn.functional.pad", _pads, _pad, errors=_errors),
]
