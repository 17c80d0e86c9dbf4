"""Samples of chainrule/ops/attention.py and activation_random.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _three(make: Maker, *lead: int, target: int = 3, source: int = 4, size: int = 2) -> Any:
    return (
        make(*lead, target, size),
        make(*lead, source, size),
        make(*lead, source, size),
    )


def _attention(make: Maker) -> Iterator[Sample]:
    yield Sample(*_three(make, 2, 2))
    yield Sample(*_three(make, 1, 2), is_causal=True)
    yield Sample(*_three(make, 2, 1), make(3, 4, requires_grad=False), scale=0.3)
    yield Sample(*_three(make, 2, 1), make.mask(2, 1, 3, 4))
    yield Sample(*_three(make, 2, 1), make.mask(3, 4) & False)
    yield Sample(*_three(make, 2))
    yield Sample(*_three(make), make(3, 4))
    yield Sample(*_three(make, 2), is_causal=True)
    yield Sample(make(1, 4, 3, 2), make(1, 2, 3, 2), make(1, 2, 3, 2), enable_gqa=True)
    yield Sample(make(2, 2, 3, 2), make(2, 2, 3, 2), make(2, 2, 3, 3))
    yield Sample(*(make.transposed(2, 2, 3, 2, dims=(1, 2)) for _ in range(3)))


def _weighted(
    np: Any, q: Any, k: Any, v: Any, mask: Any = None, is_causal: bool = False,
    scale: Any = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    if enable_gqa:
        k, v = (np.repeat(t, q.shape[-3] // t.shape[-3], -3) for t in (k, v))
    scores = q @ k.swapaxes(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        scores = scores + (np.where(mask, 0, -np.inf) if mask.dtype == bool else mask)
    if is_causal:
        scores = np.where(np.tri(*scores.shape[-2:]), scores, -np.inf)
    largest = scores.max(-1, keepdims=True, initial=-1e30)
    weights = np.exp(scores - largest)
    return weights @ v / np.maximum(weights.sum(-1, keepdims=True), 1e-300)


def _attention_errors(make: Maker) -> Iterator[ErrorSample]:
    x = make(2, 2, 3, 4)
    for sample, text in (
        (Sample(make(3), make(3), make(3)),
         ("Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: 1 "
          "key.dim: 1 and value.dim: 1 instead.")),
        (Sample(x, x, x, make.index(3, 3, below=2)),
         "Expected attn_mask dtype to be bool or float or to match query dtype, but got"),
        (Sample(make(1, 3, 3, 4), x, x, enable_gqa=True),
         "Number of heads in key and value must divide the number of heads in"),
    ):  # fmt: skip
        yield ErrorSample(sample=sample, raises=RuntimeError, match=text)


def _slopes(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3))
    yield Sample(make(2, 3), 0.2, 0.3, True)
    yield Sample(make(4), 0.25, 0.25, training=True)
    yield Sample(make(0, 2), training=True)
    yield Sample(make())


def _slope_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2), 0.5, 0.2),
        raises=RuntimeError,
        match="Lower bound should be less than or equal to the upper bound",
    )


cases = [
    OpCase(
        "nn.functional.scaled_dot_product_attention",
        _attention,
        _weighted,
        saved=(
            "attn_mask", "dropout_p", "is_causal", "key", "logsumexp", "output", "query", "scale",
            "value",
        ),
        node="ScaledDotProductFlashAttentionForCpuBackward0",
        errors=_attention_errors,
    ),
    OpCase(
        "rrelu",
        _slopes,
        saved=("lower", "noise", "self", "training", "upper"),
        node="RreluWithNoiseBackward0",
        errors=_slope_errors,
        deterministic=False,
        grad=False,  # two calls draw two sets of slopes; tests/nn compares with what was drawn
    ),
]  # fmt: skip
