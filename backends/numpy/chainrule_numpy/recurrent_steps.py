"""Recurrent layers: what can be done for all steps at once is, and a step is a few calls.

A step writes into memory that is there. In the backward pass everything that does not depend on
later steps is computed for all steps first, so that a step is left with its product and the sums.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy import add, exp, matmul, multiply, negative, reciprocal, subtract, tanh

from chainrule.backend import KernelSet

ks = KernelSet("numpy")

Sizes = tuple[int, ...]


def steps_of(batch_sizes: Sizes, *, reverse: bool) -> list[tuple[int, int]]:
    """Return where the rows of each step begin and end, in the order of the steps."""
    ends = np.cumsum(batch_sizes).tolist()
    found = [(end - size, end) for end, size in zip(ends, batch_sizes, strict=True)]
    return found[::-1] if reverse else found


class Carried:
    """A state that is carried from step to step, over sequences that end and begin.

    It begins with *source*, and where sequences end, their state is put aside.
    """

    def __init__(self, source: Any, size: int) -> None:
        self.source, self.ended, self.rows = source, [], source[:size]  # type: tuple[Any, list[Any], Any]

    def fit(self, size: int) -> Any:
        """Return the state of the *size* sequences that take part in a step."""
        rows = self.rows.shape[0]
        if size < rows:
            self.ended.append(self.rows[size:])
            self.rows = self.rows[:size]
        elif size > rows:
            self.rows = np.concatenate([self.rows, self.source[rows:size]])
        return self.rows

    def whole(self) -> Any:
        """Return the last state of all sequences, in memory of its own."""
        return np.concatenate([self.rows, *reversed(self.ended)])


def before(states: Any, first: Any, steps: list[tuple[int, int]]) -> Any:
    """Return the state before each step, as it lies in memory."""
    size = first.shape[0]
    if size * len(steps) == states.shape[0]:  # all sequences are equally long
        if steps[0][0] == 0:
            return np.concatenate([first, states[:-size]])
        return np.concatenate([states[size:], first])
    found = np.empty_like(states)
    start, end = steps[0]
    found[start:end] = first[: end - start]
    for (start_before, end_before), (start, end) in itertools.pairwise(steps):
        common = min(end - start, end_before - start_before)
        found[start : start + common] = states[start_before : start_before + common]
        found[start + common : end] = first[common : end - start]
    return found


def squash(x: Any) -> None:
    """Replace *x* by its logistic function."""
    negative(x, out=x)
    exp(x, out=x)
    x += 1
    reciprocal(x, out=x)


def _bend(states: Any) -> Any:
    """Return ``1 - states²``, the slope of tanh where it is *states*."""
    slope = multiply(states, states)
    subtract(1, slope, out=slope)
    return slope


def _slope(gates: Any) -> Any:
    """Return ``gates · (1 - gates)``, the slope of the logistic function where it is *gates*."""
    slope = subtract(1, gates)
    slope *= gates
    return slope


def _first(grad: Any, like: Any) -> Any:
    return np.zeros_like(like) if grad is None else grad


# Long short-term memory


@ks.forward("cr::_lstm_sequence")
def lstm(
    x: Any,
    hx: Any,
    cx: Any,
    weight_hh: Any,
    weight_hr: Any,
    *,
    batch_sizes: Sizes,
    reverse: bool = False,
) -> tuple[Any, ...]:
    steps, width = steps_of(batch_sizes, reverse=reverse), cx.shape[1]
    gates, cells = np.empty_like(x), np.empty((x.shape[0], width), x.dtype)
    output = np.empty((x.shape[0], hx.shape[1]), x.dtype)
    size = steps[0][1] - steps[0][0]
    hidden, cell = Carried(hx, size), Carried(cx, size)
    product, bent = weight_hh.T, np.empty((max(batch_sizes), width), x.dtype)
    for start, end in steps:
        size = end - start
        gate, new, scratch = gates[start:end], cells[start:end], bent[:size]
        matmul(hidden.fit(size), product, out=gate)
        gate += x[start:end]
        news = tanh(gate[:, 2 * width : 3 * width])
        squash(gate)  # all of it, which is quicker than three parts
        gate[:, 2 * width : 3 * width] = news
        multiply(gate[:, width : 2 * width], cell.fit(size), out=new)
        news *= gate[:, :width]
        new += news
        tanh(new, out=scratch)
        if weight_hr is None:
            multiply(gate[:, 3 * width :], scratch, out=output[start:end])
        else:
            matmul(gate[:, 3 * width :] * scratch, weight_hr.T, out=output[start:end])
        hidden.rows, cell.rows = output[start:end], new
    return output, hidden.whole(), cell.whole(), gates, cells


@ks.forward("cr::_lstm_sequence_backward")
def lstm_backward(
    grad: Any,
    grad_hy: Any,
    grad_cy: Any,
    grad_gates: Any,
    grad_cells: Any,
    output: Any,
    gates: Any,
    cells: Any,
    hx: Any,
    cx: Any,
    weight_hh: Any,
    weight_hr: Any,
    *,
    batch_sizes: Sizes,
    reverse: bool = False,
) -> tuple[Any, ...]:
    steps, width = steps_of(batch_sizes, reverse=reverse), cx.shape[1]
    i, f, g, o = (gates[:, n * width : (n + 1) * width] for n in range(4))
    bent = tanh(cells)
    to_cell = _bend(bent)
    to_cell *= o
    # What the gradient of the cell (of the hidden state, for o) is multiplied by, per gate; and in
    # the end the gradient of the sums.
    sums = _slope(gates)
    sums[:, :width] *= g
    sums[:, width : 2 * width] *= before(cells, cx, steps)
    multiply(_bend(g), i, out=sums[:, 2 * width : 3 * width])
    sums[:, 3 * width :] *= bent
    more = None
    if grad_gates is not None:
        more = multiply(grad_gates, _slope(gates))
        more[:, 2 * width : 3 * width] = grad_gates[:, 2 * width : 3 * width] * _bend(g)
    outer = np.empty_like(output) if weight_hr is not None else None
    size = steps[-1][1] - steps[-1][0]
    hidden, cell = Carried(_first(grad_hy, hx), size), Carried(_first(grad_cy, cx), size)
    for start, end in reversed(steps):
        size = end - start
        d_hidden, d_cell = hidden.fit(size), cell.fit(size)
        if grad is not None:
            d_hidden = d_hidden + grad[start:end]
        if outer is not None:
            outer[start:end] = d_hidden
            d_hidden = d_hidden @ weight_hr
        d_cell = d_cell + d_hidden * to_cell[start:end]
        if grad_cells is not None:
            d_cell += grad_cells[start:end]
        d_sums = sums[start:end]
        d_sums.reshape(size, 4, width)[:, :3] *= d_cell[:, None]
        d_sums[:, 3 * width :] *= d_hidden
        if more is not None:
            d_sums += more[start:end]
        d_cell *= f[start:end]
        hidden.rows, cell.rows = d_sums @ weight_hh, d_cell
    d_weight = sums.T @ before(output, hx, steps)
    project = np.empty(0, output.dtype) if outer is None else outer.T @ (o * bent)
    return sums, hidden.whole(), cell.whole(), d_weight, project


# Gated recurrent units


@ks.forward("cr::_gru_sequence")
def gru(
    x: Any,
    hx: Any,
    weight_hh: Any,
    bias_hh: Any,
    *,
    batch_sizes: Sizes,
    reverse: bool = False,
) -> tuple[Any, ...]:
    steps, width = steps_of(batch_sizes, reverse=reverse), hx.shape[1]
    output = np.empty((x.shape[0], width), x.dtype)
    gates = np.empty((x.shape[0], 4 * width), x.dtype)
    hidden = Carried(hx, steps[0][1] - steps[0][0])
    product, inside_all = weight_hh.T, np.empty((max(batch_sizes), 3 * width), x.dtype)
    for start, end in steps:
        size = end - start
        state, gate, new, inside = (
            hidden.fit(size), gates[start:end], output[start:end], inside_all[:size]
        )  # fmt: skip
        matmul(state, product, out=inside)
        if bias_hh is not None:
            inside += bias_hh
        reset, n = gate[:, : 2 * width], gate[:, 2 * width : 3 * width]
        add(x[start:end, : 2 * width], inside[:, : 2 * width], out=reset)
        squash(reset)
        gate[:, 3 * width :] = inside[:, 2 * width :]
        multiply(gate[:, :width], inside[:, 2 * width :], out=n)
        n += x[start:end, 2 * width :]
        tanh(n, out=n)
        subtract(state, n, out=new)
        new *= gate[:, width : 2 * width]
        new += n
        hidden.rows = new
    return output, hidden.whole(), gates


@ks.forward("cr::_gru_sequence_backward")
def gru_backward(
    grad: Any,
    grad_hy: Any,
    grad_gates: Any,
    output: Any,
    gates: Any,
    hx: Any,
    weight_hh: Any,
    *,
    batch_sizes: Sizes,
    reverse: bool = False,
) -> tuple[Any, ...]:
    steps, width = steps_of(batch_sizes, reverse=reverse), hx.shape[1]
    r, z, n, part = (gates[:, k * width : (k + 1) * width] for k in range(4))
    states = before(output, hx, steps)
    # What the gradient of the hidden state is multiplied by, per gate.
    inside = np.empty((gates.shape[0], 3 * width), gates.dtype)
    to_n = _bend(n)
    new = multiply(to_n, subtract(1, z))
    multiply(subtract(states, n), _slope(z), out=inside[:, width : 2 * width])
    multiply(multiply(new, part), _slope(r), out=inside[:, :width])
    multiply(new, r, out=inside[:, 2 * width :])
    more = None
    if grad_gates is not None:
        more_n = grad_gates[:, 2 * width : 3 * width] * to_n
        more_r = (grad_gates[:, :width] + more_n * part) * _slope(r)
        more_z = grad_gates[:, width : 2 * width] * _slope(z)
        more_inside = grad_gates[:, 3 * width :] + more_n * r
        more = np.concatenate([more_r, more_z, more_inside], 1)
    hidden = Carried(_first(grad_hy, hx), steps[-1][1] - steps[-1][0])
    for start, end in reversed(steps):
        size = end - start
        d_hidden = hidden.fit(size)
        if grad is not None:
            d_hidden = d_hidden + grad[start:end]
        d_inside = inside[start:end]
        d_inside.reshape(size, 3, width)[...] *= d_hidden[:, None]
        if more is not None:
            d_inside += more[start:end]
        new[start:end] *= d_hidden
        hidden.rows = d_inside @ weight_hh
        hidden.rows += d_hidden * z[start:end]
    if more is not None:
        new += more_n
    sums = np.concatenate([inside[:, : 2 * width], new], 1)
    return sums, hidden.whole(), inside.T @ states, inside.sum(0)


# Plain recurrent networks


@ks.forward("cr::_rnn_sequence")
def rnn(
    x: Any,
    hx: Any,
    weight_hh: Any,
    *,
    batch_sizes: Sizes,
    reverse: bool = False,
    rectified: bool = False,
) -> tuple[Any, ...]:
    steps, output = steps_of(batch_sizes, reverse=reverse), np.empty_like(x)
    hidden, product = Carried(hx, steps[0][1] - steps[0][0]), weight_hh.T
    for start, end in steps:
        new = output[start:end]
        matmul(hidden.fit(end - start), product, out=new)
        new += x[start:end]
        if rectified:
            np.maximum(new, 0, out=new)
        else:
            tanh(new, out=new)
        hidden.rows = new
    return output, hidden.whole()


@ks.forward("cr::_rnn_sequence_backward")
def rnn_backward(
    grad: Any,
    grad_hy: Any,
    output: Any,
    hx: Any,
    weight_hh: Any,
    *,
    batch_sizes: Sizes,
    reverse: bool = False,
    rectified: bool = False,
) -> tuple[Any, ...]:
    steps = steps_of(batch_sizes, reverse=reverse)
    sums = (output > 0).astype(output.dtype) if rectified else _bend(output)
    hidden = Carried(_first(grad_hy, hx), steps[-1][1] - steps[-1][0])
    for start, end in reversed(steps):
        d_hidden, d_sums = hidden.fit(end - start), sums[start:end]
        d_sums *= d_hidden if grad is None else d_hidden + grad[start:end]
        hidden.rows = d_sums @ weight_hh
    return sums, hidden.whole(), sums.T @ before(output, hx, steps)
