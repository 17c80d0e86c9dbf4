"""The steps of recurrent layers through a sequence: one op for all steps of one direction.

The inputs come projected already, by one product for all steps. What is left, step after step, is
an op here with a backward op beside it; the bodies are the reference, and the kernels of a backend
may go through the steps as they like.

# Note [Packed steps]: the rows of all steps lie one after the other, ``(N, *)``, and *batch_sizes*
# says how many each step has. The sequences are in order of length, so that the sizes never grow:
# on the way forward sequences end, on the way back (*reverse*) they begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..op import composite
from .activation import relu
from .comparison import gt
from .creation_like import zeros_like
from .exponential import sigmoid
from .joining import cat
from .splitting import chunk
from .trigonometry import tanh

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..tensor import Tensor

__all__ = [
    "_gru_sequence",
    "_gru_sequence_backward",
    "_lstm_sequence",
    "_lstm_sequence_backward",
    "_rnn_sequence",
    "_rnn_sequence_backward",
]


def _steps(batch_sizes: Sequence[int], *, reverse: bool) -> list[tuple[int, int]]:
    """Return where the rows of each step begin and end, in the order of the steps."""
    found, start = [], 0
    for size in batch_sizes:
        found.append((start, start + size))
        start += size
    return found[::-1] if reverse else found


class _Carried:
    """A state that is carried from step to step, over sequences that end and begin.

    Args:
        source: ``(B, *)``, what a sequence begins with.
        size: How many sequences there are at first.
    """

    def __init__(self, source: Tensor, size: int) -> None:
        self.source, self.ended = source, []  # type: tuple[Any, list[Any]]
        self.rows: Any = source if size == source.shape[0] else source[:size]

    def fit(self, size: int) -> Any:
        """Return the state of the *size* sequences that take part in a step."""
        rows = self.rows.shape[0]
        if size < rows:
            self.ended.append(self.rows[size:])
            self.rows = self.rows[:size]
        elif size > rows:
            self.rows = cat([self.rows, self.source[rows:size]])
        return self.rows

    def whole(self) -> Any:
        """Return the last state of all sequences."""
        return cat([self.rows, *reversed(self.ended)]) if self.ended else self.rows


def _in_order(rows: list[Any], *, reverse: bool) -> Any:
    """Return the rows of all steps, gathered in the order of the steps, as they lie in memory."""
    return cat(rows[::-1] if reverse else rows)


def _before(
    states: Tensor, first: Tensor, steps: list[tuple[int, int]]
) -> Iterator[tuple[int, int, Any]]:
    """Yield where each step begins and ends, and the state before it, from the last step on."""
    for (start, end), (start_before, end_before) in zip(steps[:0:-1], steps[-2::-1], strict=True):
        size, size_before = end - start, end_before - start_before
        state: Any = states[start_before : start_before + min(size, size_before)]
        if size > size_before:
            state = cat([state, first[size_before:size]])
        yield start, end, state
    start, end = steps[0]
    yield start, end, first[: end - start]


def _or_zeros(grad: Tensor | None, like: Tensor) -> Tensor:
    return zeros_like(like) if grad is None else grad


def _apply(op: Any, *arguments: Any) -> Any:
    """Return what *op* gives for gradients and what was saved, of which some is None."""
    return op(*arguments)


# Long short-term memory


@composite(
    outputs=("output", "hy", "cy", "gates", "cells"),
    nodes={"": "LstmSequenceBackward0"},
    zeros_for_missing=False,
)
def _lstm_sequence(
    self: Tensor,
    hx: Tensor,
    cx: Tensor,
    weight_hh: Tensor,
    weight_hr: Tensor | None,
    batch_sizes: tuple[int, ...],
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Run the cells of a long short-term memory through a sequence.

    Args:
        self: ``(N, 4 H)``, the projected inputs with the biases. Note [Packed steps].
        hx: ``(B, P)``, the first hidden state.
        cx: ``(B, H)``, the first cell state.
        weight_hh: ``(4 H, P)``.
        weight_hr: ``(P, H)``, projects the hidden state; None where P is H.
        batch_sizes: How many rows each step has.
        reverse: Begin with the last step.

    Returns:
        The hidden states ``(N, P)``, the last hidden and cell state, and for the backward pass the
        gates i, f, g and o ``(N, 4 H)`` and the cell states ``(N, H)``.
    """
    steps = _steps(batch_sizes, reverse=reverse)
    first = steps[0][1] - steps[0][0]
    hidden, cell = _Carried(hx, first), _Carried(cx, first)
    outputs, gates, cells = [], [], []
    for start, end in steps:
        before: Any = cell.fit(end - start)
        sums: Any = self[start:end] + hidden.fit(end - start) @ weight_hh.t()
        i, f, g, o = chunk(sums, 4, 1)
        i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
        cell.rows = f * before + i * g
        hidden.rows = o * tanh(cell.rows)
        if weight_hr is not None:
            hidden.rows = hidden.rows @ weight_hr.t()
        outputs.append(hidden.rows)
        gates.append(cat([i, f, g, o], 1))
        cells.append(cell.rows)
    output = _in_order(outputs, reverse=reverse)
    kept = [_in_order(rows, reverse=reverse) for rows in (gates, cells)]
    return output, hidden.whole(), cell.whole(), kept[0], kept[1]


@composite(outputs=("self", "hx", "cx", "weight_hh", "weight_hr"))
def _lstm_sequence_backward(
    grad: Tensor | None,
    grad_hy: Tensor | None,
    grad_cy: Tensor | None,
    grad_gates: Tensor | None,
    grad_cells: Tensor | None,
    output: Tensor,
    gates: Tensor,
    cells: Tensor,
    hx: Tensor,
    cx: Tensor,
    weight_hh: Tensor,
    weight_hr: Tensor | None,
    batch_sizes: tuple[int, ...],
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of the inputs of `_lstm_sequence`; that of no *weight_hr* is empty.

    The gates and cell states have gradients of their own in the second pass only.
    """
    steps = _steps(batch_sizes, reverse=reverse)
    last = steps[-1][1] - steps[-1][0]
    hidden, cell = (
        _Carried(_or_zeros(grad_hy, hx), last),
        _Carried(_or_zeros(grad_cy, cx), last),
    )
    sums, befores, inner, outer = [], [], [], []
    cells_before = [state for _, _, state in _before(cells, cx, steps)]
    for (start, end, h_before), c_before in zip(
        _before(output, hx, steps), cells_before, strict=True
    ):
        d_hidden, d_cell = hidden.fit(end - start), cell.fit(end - start)
        if grad is not None:
            d_hidden = d_hidden + grad[start:end]
        i, f, g, o = (x for x in chunk(gates[start:end], 4, 1))
        bent = tanh(cells[start:end])
        if weight_hr is not None:
            inner.append(o * bent)
            outer.append(d_hidden)
            d_hidden = d_hidden @ weight_hr
        d_cell = d_cell + d_hidden * o * (1 - bent * bent)
        if grad_cells is not None:
            d_cell = d_cell + grad_cells[start:end]
        d_gates = [d_cell * g, d_cell * c_before, d_cell * i, d_hidden * bent]
        if grad_gates is not None:
            more = chunk(grad_gates[start:end], 4, 1)
            d_gates = [own + other for own, other in zip(d_gates, more, strict=True)]
        slopes = [i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)]
        sums.append(cat([d * slope for d, slope in zip(d_gates, slopes, strict=True)], 1))
        befores.append(h_before)
        hidden.rows, cell.rows = sums[-1] @ weight_hh, d_cell * f
    d_self = _in_order(sums, reverse=not reverse)
    d_weight = cat(sums).t() @ cat(befores)
    d_project = hx.new_zeros(0) if weight_hr is None else cat(outer).t() @ cat(inner)
    return d_self, hidden.whole(), cell.whole(), d_weight, d_project


@_lstm_sequence.vjp_joint("self", "hx", "cx", "weight_hh", "weight_hr")
def _lstm_rule(
    grads: Any,
    output: Tensor,
    gates: Tensor,
    cells: Tensor,
    hx: Tensor,
    cx: Tensor,
    weight_hh: Tensor,
    weight_hr: Tensor | None,
    batch_sizes: tuple[int, ...],
    reverse: bool,
) -> tuple[Any, ...]:
    found = _apply(
        _lstm_sequence_backward,
        *grads,
        output,
        gates,
        cells,
        hx,
        cx,
        weight_hh,
        weight_hr,
        batch_sizes,
        reverse,
    )
    return found if weight_hr is not None else (*found[:4], None)


# Gated recurrent units


@composite(
    outputs=("output", "hy", "gates"),
    nodes={"": "GruSequenceBackward0"},
    zeros_for_missing=False,
)
def _gru_sequence(
    self: Tensor,
    hx: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None,
    batch_sizes: tuple[int, ...],
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run gated recurrent units through a sequence.

    Args:
        self: ``(N, 3 H)``, the projected inputs with their bias. Note [Packed steps].
        hx: ``(B, H)``, the first hidden state.
        weight_hh: ``(3 H, H)``.
        bias_hh: ``(3 H)``.
        batch_sizes: How many rows each step has.
        reverse: Begin with the last step.

    Returns:
        The hidden states ``(N, H)``, the last of them, and for the backward pass the gates r, z
        and n and the hidden part of n ``(N, 4 H)``.
    """
    steps = _steps(batch_sizes, reverse=reverse)
    hidden = _Carried(hx, steps[0][1] - steps[0][0])
    outputs, gates = [], []
    for start, end in steps:
        before = hidden.fit(end - start)
        inside = before @ weight_hh.t()
        if bias_hh is not None:
            inside = inside + bias_hh
        (r_in, z_in, n_in), (r, z, part) = chunk(self[start:end], 3, 1), chunk(inside, 3, 1)
        r, z = sigmoid(r_in + r), sigmoid(z_in + z)
        n = tanh(n_in + r * part)
        hidden.rows = n + z * (before - n)
        outputs.append(hidden.rows)
        gates.append(cat([r, z, n, part], 1))
    output, kept = (_in_order(rows, reverse=reverse) for rows in (outputs, gates))
    return output, hidden.whole(), kept


@composite(outputs=("self", "hx", "weight_hh", "bias_hh"))
def _gru_sequence_backward(
    grad: Tensor | None,
    grad_hy: Tensor | None,
    grad_gates: Tensor | None,
    output: Tensor,
    gates: Tensor,
    hx: Tensor,
    weight_hh: Tensor,
    batch_sizes: tuple[int, ...],
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of the inputs of `_gru_sequence`.

    The gates have gradients of their own in the second pass only.
    """
    steps = _steps(batch_sizes, reverse=reverse)
    hidden = _Carried(_or_zeros(grad_hy, hx), steps[-1][1] - steps[-1][0])
    sums, insides, befores = [], [], []
    for start, end, before in _before(output, hx, steps):
        d_hidden = hidden.fit(end - start)
        if grad is not None:
            d_hidden = d_hidden + grad[start:end]
        r, z, n, part = chunk(gates[start:end], 4, 1)
        d_z, d_n = d_hidden * (before - n), d_hidden * (1 - z)
        more: Any = (0, 0, 0, 0)
        if grad_gates is not None:
            more = chunk(grad_gates[start:end], 4, 1)
        d_n = (d_n + more[2]) * (1 - n * n)
        d_r = (d_n * part + more[0]) * r * (1 - r)
        d_z = (d_z + more[1]) * z * (1 - z)
        sums.append(cat([d_r, d_z, d_n], 1))
        insides.append(cat([d_r, d_z, d_n * r + more[3]], 1))
        befores.append(before)
        hidden.rows = d_hidden * z + insides[-1] @ weight_hh
    inside: Any = cat(insides)
    d_self = _in_order(sums, reverse=not reverse)
    return d_self, hidden.whole(), inside.t() @ cat(befores), inside.sum(0)


@_gru_sequence.vjp_joint("self", "hx", "weight_hh", "bias_hh")
def _gru_rule(
    grads: Any,
    output: Tensor,
    gates: Tensor,
    hx: Tensor,
    weight_hh: Tensor,
    batch_sizes: tuple[int, ...],
    reverse: bool,
    wanted: tuple[bool, ...],
) -> tuple[Any, ...]:
    saved = output, gates, hx, weight_hh
    found = _apply(_gru_sequence_backward, *grads, *saved, batch_sizes, reverse)
    return found if wanted[3] else (*found[:3], None)


# Plain recurrent networks


@composite(outputs=("output", "hy"), nodes={"": "RnnSequenceBackward0"}, zeros_for_missing=False)
def _rnn_sequence(
    self: Tensor,
    hx: Tensor,
    weight_hh: Tensor,
    batch_sizes: tuple[int, ...],
    reverse: bool = False,
    rectified: bool = False,
) -> tuple[Tensor, Tensor]:
    """Run a plain recurrent network through a sequence.

    Args:
        self: ``(N, H)``, the projected inputs with the biases. Note [Packed steps].
        hx: ``(B, H)``, the first hidden state.
        weight_hh: ``(H, H)``.
        batch_sizes: How many rows each step has.
        reverse: Begin with the last step.
        rectified: Bend by relu rather than tanh.

    Returns:
        The hidden states ``(N, H)`` and the last of them.
    """
    steps = _steps(batch_sizes, reverse=reverse)
    hidden = _Carried(hx, steps[0][1] - steps[0][0])
    outputs, bend = [], relu if rectified else tanh
    for start, end in steps:
        hidden.rows = bend(self[start:end] + hidden.fit(end - start) @ weight_hh.t())
        outputs.append(hidden.rows)
    return _in_order(outputs, reverse=reverse), hidden.whole()


@composite(outputs=("self", "hx", "weight_hh"))
def _rnn_sequence_backward(
    grad: Tensor | None,
    grad_hy: Tensor | None,
    output: Tensor,
    hx: Tensor,
    weight_hh: Tensor,
    batch_sizes: tuple[int, ...],
    reverse: bool = False,
    rectified: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of the inputs of `_rnn_sequence`."""
    steps = _steps(batch_sizes, reverse=reverse)
    hidden = _Carried(_or_zeros(grad_hy, hx), steps[-1][1] - steps[-1][0])
    sums, befores = [], []
    for start, end, before in _before(output, hx, steps):
        d_hidden = hidden.fit(end - start)
        if grad is not None:
            d_hidden = d_hidden + grad[start:end]
        state: Any = output[start:end]
        slope = gt(state, 0).to(state.dtype) if rectified else 1 - state * state
        sums.append(d_hidden * slope)
        befores.append(before)
        hidden.rows = sums[-1] @ weight_hh
    d_self = _in_order(sums, reverse=not reverse)
    return d_self, hidden.whole(), cat(sums).t() @ cat(befores)


@_rnn_sequence.vjp_joint("self", "hx", "weight_hh")
def _rnn_rule(
    grads: Any,
    output: Tensor,
    hx: Tensor,
    weight_hh: Tensor,
    batch_sizes: tuple[int, ...],
    reverse: bool,
    rectified: bool,
) -> tuple[Any, ...]:
    saved = output, hx, weight_hh
    found: tuple[Any, ...] = _apply(
        _rnn_sequence_backward, *grads, *saved, batch_sizes, reverse, rectified
    )
    return found
