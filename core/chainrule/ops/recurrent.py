"""Recurrent networks: layers over sequences, and single cells.

A layer projects the inputs of all steps by one product and hands the steps to recurrent_steps.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AutogradError
from ..views import own
from .activation import relu
from .axes import transpose
from .dropout import dropout as _dropout
from .exponential import sigmoid
from .joining import cat, stack
from .linalg_matmul import linear
from .recurrent_steps import _gru_sequence, _lstm_sequence, _rnn_sequence
from .shape import reshape
from .splitting import unbind, unsafe_chunk
from .trigonometry import tanh

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..tensor import Tensor

    Layer = Callable[..., Any]

__all__ = [
    "gru",
    "gru_cell",
    "lstm",
    "lstm_cell",
    "rnn_relu",
    "rnn_relu_cell",
    "rnn_tanh",
    "rnn_tanh_cell",
]


# One direction of one layer: rows of all steps, states, parameters -> rows, last states


def _lstm_layer(
    rows: Any, states: list[Any], params: Sequence[Any], sizes: tuple[int, ...], *, reverse: bool
) -> tuple[Any, list[Any]]:
    weight_ih, weight_hh, bias_ih, bias_hh, weight_hr = params
    bias = None if bias_ih is None else bias_ih + bias_hh
    sums = linear(rows, weight_ih, bias)
    output, hidden, cell, _, _ = _lstm_sequence(
        sums, states[0], states[1], weight_hh, weight_hr, sizes, reverse
    )
    return output, [hidden, cell]


def _gru_layer(
    rows: Any, states: list[Any], params: Sequence[Any], sizes: tuple[int, ...], *, reverse: bool
) -> tuple[Any, list[Any]]:
    weight_ih, weight_hh, bias_ih, bias_hh, _ = params
    sums = linear(rows, weight_ih, bias_ih)
    output, hidden, _ = _gru_sequence(sums, states[0], weight_hh, bias_hh, sizes, reverse)
    return output, [hidden]


def _rnn_layer(rectified: bool) -> Layer:
    def layer(
        rows: Any,
        states: list[Any],
        params: Sequence[Any],
        sizes: tuple[int, ...],
        *,
        reverse: bool,
    ) -> tuple[Any, list[Any]]:
        weight_ih, weight_hh, bias_ih, bias_hh, _ = params
        bias = None if bias_ih is None else bias_ih + bias_hh
        sums = linear(rows, weight_ih, bias)
        output, hidden = _rnn_sequence(sums, states[0], weight_hh, sizes, reverse, rectified)
        return output, [hidden]

    return layer


# All layers


def _per_layer(
    params: Sequence[Any], has_biases: bool, count: int, projected: bool
) -> list[list[Any]]:
    """Return weight_ih, weight_hh, bias_ih, bias_hh and weight_hr per layer and direction."""
    width = 2 + 2 * has_biases + projected
    if len(params) != count * width:
        msg = (
            "got an incorrect number of RNN parameters\n"
            f"expected {count * width} parameters, {width} for each of {count} layers and "
            f"directions, got {len(params)}."
        )
        raise AutogradError(msg)
    found = []
    for start in range(0, len(params), width):
        own = list(params[start : start + width])
        last = own.pop() if projected else None
        found.append([*own, *([None, None] if not has_biases else []), last])
    return found


def _run(
    layer: Layer,
    rows: Any,
    sizes: tuple[int, ...],
    states: Sequence[Any],
    params: list[list[Any]],
    *,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> tuple[Any, list[Any]]:
    """Return the rows of the last layer and the last states of all, stacked."""
    directions = 2 if bidirectional else 1
    begun = [list(unbind(state, 0)) for state in states]
    ended: list[list[Any]] = [[] for _ in states]
    layers = len(params) // directions
    for number in range(layers):
        outputs = []
        for direction in range(directions):
            place = number * directions + direction
            output, last = layer(
                rows, [state[place] for state in begun], params[place], sizes,
                reverse=direction == 1,
            )  # fmt: skip
            outputs.append(output)
            for stacked, state in zip(ended, last, strict=True):
                stacked.append(state)
        rows = outputs[0] if directions == 1 else cat(outputs, 1)
        if dropout and train and number < layers - 1:
            rows = _dropout(rows, dropout, training=True)
    return rows, [stack(stacked) for stacked in ended]


def _padded(
    layer: Layer,
    input: Tensor,
    states: Sequence[Tensor],
    params: list[list[Any]],
    *,
    batch_first: bool,
    **settings: Any,
) -> tuple[Any, list[Any]]:
    """Run all layers over a batch of sequences of one length."""
    sequence: Any = transpose(input, 0, 1) if batch_first else input
    if not sequence.shape[0]:
        msg = "Expected sequence length to be larger than 0 in RNN"
        raise AutogradError(msg)
    steps, batch, width = sequence.shape
    rows = reshape(sequence, (steps * batch, width))
    output, last = _run(layer, rows, (batch,) * steps, states, params, **settings)
    output = reshape(output, (steps, batch, output.shape[1]))
    return (transpose(output, 0, 1) if batch_first else output), last


def _sizes(batch_sizes: Tensor) -> tuple[int, ...]:
    return tuple(batch_sizes.tolist())


def lstm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Run the layers of a long short-term memory over sequences.

    Called as ``lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
    batch_first)``, or over packed sequences as ``lstm(data, batch_sizes, hx, params, has_biases,
    num_layers, dropout, train, bidirectional)``.

    Args:
        *args: *input* ``(T, B, I)``, or ``(B, T, I)`` with *batch_first*; *hx* the first hidden and
            cell states ``(layers · directions, B, *)``; *params* the weights and biases of each
            layer and direction, in the order in which `nn.LSTM` names them.
        **kwargs: The same by name.

    Returns:
        The hidden states of the last layer ``(T, B, directions · P)``, and the last hidden and cell
        states of all layers.

    Raises:
        RuntimeError: the sequences are empty, or there are more or fewer parameters than layers.

    Gradient:
        Back through the steps, from the last to the first.

    Source:
        Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget gate of Gers,
        Schmidhuber and Cummins, 2000; projected as by Sak, Senior and Beaufays, 2014.
    """
    result: Any = own(_layers("lstm", _lstm_layer, args, kwargs))
    return result  # type: ignore[no-any-return]  # as the layers give it


def gru(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Run layers of gated recurrent units over sequences.

    Called as `lstm` is, with *hx* one tensor ``(layers · directions, B, H)``.

    Args:
        *args: As of `lstm`.
        **kwargs: The same by name.

    Returns:
        The hidden states of the last layer, and the last ones of all layers.

    Raises:
        RuntimeError: the sequences are empty, or there are more or fewer parameters than layers.

    Source:
        Cho and others, "Learning phrase representations using RNN encoder-decoder", 2014, with the
        reset gate after the product, so that one product serves all gates.
    """
    result: Any = own(_layers("gru", _gru_layer, args, kwargs))
    return result  # type: ignore[no-any-return]  # as the layers give it


def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Run layers of a plain recurrent network with tanh over sequences, called as `gru` is."""
    result: Any = own(_layers("rnn_tanh", _rnn_layer(rectified=False), args, kwargs))
    return result  # type: ignore[no-any-return]  # as the layers give it


def rnn_relu(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Run layers of a plain recurrent network with relu over sequences, called as `gru` is."""
    result: Any = own(_layers("rnn_relu", _rnn_layer(rectified=True), args, kwargs))
    return result  # type: ignore[no-any-return]  # as the layers give it


_PADDED = (
    "input", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional",
    "batch_first",
)  # fmt: skip
_PACKED = (
    "data", "batch_sizes", "hx", "params", "has_biases", "num_layers", "dropout", "train",
    "bidirectional",
)  # fmt: skip


def _layers(name: str, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what a function of layers returns for arguments in either form."""
    call = _bind(name, args, kwargs)
    states = call["hx"] if name == "lstm" else [call["hx"]]
    directions = 2 if call["bidirectional"] else 1
    projected = name == "lstm" and states[0].shape[-1] != states[1].shape[-1]
    params = _per_layer(
        call["params"], call["has_biases"], call["num_layers"] * directions, projected
    )
    settings = {key: call[key] for key in ("dropout", "train", "bidirectional")}
    if "data" in call:
        sizes = _sizes(call["batch_sizes"])
        output, last = _run(layer, call["data"], sizes, states, params, **settings)
    else:
        settings["batch_first"] = call["batch_first"]
        output, last = _padded(layer, call["input"], states, params, **settings)
    return (output, *last)


def _bind(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments by name, in the form for padded or for packed sequences.

    Raises:
        TypeError: they fit neither.
    """
    packed = "data" in kwargs or (
        len(args) > 2 and hasattr(args[1], "dtype") and isinstance(args[3:4], tuple)
        and isinstance(args[3] if len(args) > 3 else kwargs.get("params"), (list, tuple))
    )  # fmt: skip
    names = _PACKED if packed else _PADDED
    bound = {**dict(zip(names, args, strict=False)), **kwargs}
    if len(args) > len(names) or set(bound) != set(names):
        hx = "tuple of Tensors hx" if name == "lstm" else "Tensor hx"
        rest = (
            f"{hx}, tuple of Tensors params, bool has_biases, int num_layers, float dropout, "
            "bool train, bool bidirectional"
        )
        got = [type(item).__name__ for item in args]
        got += [f"{key}={type(item).__name__}" for key, item in kwargs.items()]
        msg = (
            f"{name}() received an invalid combination of arguments - got ({', '.join(got)}), but "
            f"expected one of:\n * (Tensor data, Tensor batch_sizes, {rest})\n"
            f" * (Tensor input, {rest}, bool batch_first)\n"
        )
        raise TypeError(msg)
    return bound


# Cells


def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the hidden and the cell state after one step of a long short-term memory.

    Args:
        input: ``(B, I)`` or ``(I)``.
        hx: The hidden and the cell state before, ``(B, H)`` or ``(H)`` each.
        w_ih: ``(4 H, I)``, for the gates i, f, g and o.
        w_hh: ``(4 H, H)``.
        b_ih: ``(4 H)``.
        b_hh: ``(4 H)``.

    Raises:
        RuntimeError: the sizes do not match.
    """
    hidden, cell = hx
    _check_cell(input, [hidden, cell], w_ih, w_hh)
    sums: Any = linear(input, w_ih, b_ih) + linear(hidden, w_hh, b_hh)
    i, f, g, o = unsafe_chunk(sums, 4, -1)
    new: Any = sigmoid(f) * cell + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(new), new


def gru_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Return the hidden state after one step of a gated recurrent unit.

    Args:
        input: ``(B, I)`` or ``(I)``.
        hx: The hidden state before, ``(B, H)`` or ``(H)``.
        w_ih: ``(3 H, I)``, for the gates r, z and n.
        w_hh: ``(3 H, H)``.
        b_ih: ``(3 H)``.
        b_hh: ``(3 H)``.

    Raises:
        RuntimeError: the sizes do not match.
    """
    _check_cell(input, [hx], w_ih, w_hh)
    from_input: Any = unsafe_chunk(linear(input, w_ih, b_ih), 3, -1)
    from_state: Any = unsafe_chunk(linear(hx, w_hh, b_hh), 3, -1)
    r, z = sigmoid(from_input[0] + from_state[0]), sigmoid(from_input[1] + from_state[1])
    n = tanh(from_input[2] + from_state[2] * r)
    new: Tensor = (hx - n) * z + n
    return new


def rnn_tanh_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Return ``tanh(input @ w_ih.t() + b_ih + hx @ w_hh.t() + b_hh)``: one step.

    Raises:
        RuntimeError: the sizes do not match.
    """
    return tanh(_plain_sums(input, hx, w_ih, w_hh, b_ih, b_hh))


def rnn_relu_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Return ``relu(input @ w_ih.t() + b_ih + hx @ w_hh.t() + b_hh)``: one step.

    Raises:
        RuntimeError: the sizes do not match.
    """
    return relu(_plain_sums(input, hx, w_ih, w_hh, b_ih, b_hh))


def _plain_sums(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Any, b_hh: Any
) -> Tensor:
    _check_cell(input, [hx], w_ih, w_hh)
    sums: Tensor = linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh)
    return sums


def _check_cell(input: Tensor, states: list[Any], w_ih: Tensor, w_hh: Tensor) -> None:
    """Check that sizes match, in PyTorch's words."""
    if input.shape[-1] != w_ih.shape[1]:
        msg = f"input has inconsistent input_size: got {input.shape[-1]} expected {w_ih.shape[1]}"
        raise AutogradError(msg)
    for number, state in enumerate(states):
        if input.dim() > 1 and (state.dim() < 2 or input.shape[0] != state.shape[0]):
            msg = (
                f"Input batch size {input.shape[0]} doesn't match hidden{number} batch size "
                f"{state.shape[0]}"
            )
            raise AutogradError(msg)
        if state.shape[-1] != w_hh.shape[1]:
            msg = (
                f"hidden{number} has inconsistent hidden_size: got {state.shape[-1]}, expected "
                f"{w_hh.shape[1]}"
            )
            raise AutogradError(msg)
