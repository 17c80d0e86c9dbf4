"""Samples of chainrule/ops/recurrent.py."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _params(
    make: Maker,
    gates: int,
    *,
    layers: int = 1,
    directions: int = 1,
    bias: bool = True,
    proj: int = 0,
) -> list[Any]:
    """Return parameters for 2 features and a hidden size of 3."""
    found, state = [], proj or 3
    for layer in range(layers):
        for _ in range(directions):
            found += [make(3 * gates, state * directions if layer else 2), make(3 * gates, state)]
            found += [make(3 * gates), make(3 * gates)] if bias else []
            found += [make(proj, 3)] if proj else []
    return found


def _states(make: Maker, gates: int, count: int, batch: int = 2, proj: int = 0) -> Any:
    hidden = make(count, batch, proj or 3)
    return [hidden, make(count, batch, 3)] if gates == 4 else hidden


def _layers(make: Maker, gates: int) -> Iterator[Sample]:
    plain = (1, 0.0, False, False, False)
    yield Sample(make(3, 2, 2), _states(make, gates, 1), _params(make, gates), True, *plain)
    yield Sample(make(1, 2, 2), _states(make, gates, 1), _params(make, gates), True, *plain)
    yield Sample(
        make(3, 2, 2), _states(make, gates, 1), _params(make, gates, bias=False), False, *plain
    )
    yield Sample(
        make(2, 3, 2),
        _states(make, gates, 4),
        _params(make, gates, layers=2, directions=2),
        *(True, 2, 0.0, True, True, True),
    )
    if gates == 4:
        params = _params(make, gates, layers=2, proj=2)
        yield Sample(
            make(2, 2, 2),
            _states(make, gates, 2, proj=2),
            params,
            *(True, 2, 0.0, False, False, False),
        )
    sizes = make.of([3, 2, 2, 1]).detach().long()
    params = _params(make, gates, directions=2)
    yield Sample(
        make(8, 2), sizes, _states(make, gates, 2, batch=3), params, *(True, 1, 0.0, False, True)
    )


def _layer_errors(make: Maker, gates: int) -> Iterator[ErrorSample]:
    rest = (True, 1, 0.0, False, False, False)
    yield ErrorSample(
        sample=Sample(make(0, 2, 2), _states(make, gates, 1), _params(make, gates), *rest),
        raises=RuntimeError,
        match="Expected sequence length to be larger than 0 in RNN",
    )
    if gates < 4:  # PyTorch's LSTM speaks of a matrix of references
        yield ErrorSample(
            sample=Sample(make(1, 2, 2), _states(make, gates, 1), _params(make, gates)[:3], *rest),
            raises=RuntimeError,
            match="got an incorrect number of RNN parameters",
        )
    yield ErrorSample(
        sample=Sample(make(1, 2, 2)),
        raises=TypeError,
        match=r"\w+\(\) received an invalid combination of arguments - got \(Tensor\)",
    )


def _cells(make: Maker, gates: int) -> Iterator[Sample]:
    for batch in ((2,), ()):
        hidden = make(*batch, 3)
        hx = [hidden, make(*batch, 3)] if gates == 4 else hidden
        yield Sample(make(*batch, 2), hx, *_params(make, gates))
        yield Sample(make(*batch, 2), hx, *_params(make, gates, bias=False))


def _cell_errors(make: Maker, gates: int) -> Iterator[ErrorSample]:
    def states(*shape: int) -> Any:
        return [make(*shape), make(*shape)] if gates == 4 else make(*shape)

    params = _params(make, gates)
    for width, shape, match in (
        (3, (2, 3), "input has inconsistent input_size: got 3 expected 2"),
        (2, (3, 3), "Input batch size 2 doesn't match hidden0 batch size 3"),
        (2, (2, 2), "hidden0 has inconsistent hidden_size: got 2, expected 3"),
    ):
        sample = Sample(make(2, width), states(*shape), *params)
        yield ErrorSample(sample=sample, raises=RuntimeError, match=match)


cases = [
    *(
        OpCase(
            name,
            partial(_layers, gates=gates),
            errors=partial(_layer_errors, gates=gates),
        )
        for name, gates in (("lstm", 4), ("gru", 3), ("rnn_tanh", 1), ("rnn_relu", 1))
    ),
    *(
        OpCase(
            name,
            partial(_cells, gates=gates),
            errors=partial(_cell_errors, gates=gates),
        )
        for name, gates in (
            ("lstm_cell", 4),
            ("gru_cell", 3),
            ("rnn_tanh_cell", 1),
            ("rnn_relu_cell", 1),
        )
    ),
]
