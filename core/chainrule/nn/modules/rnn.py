"""Recurrent layers over sequences, and their single cells."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

from ... import ops
from ..._warn import warn
from ...errors import AutogradError
from .. import init
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...device import Device
    from ...dtypes import DType
    from ...tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

#: How many products of the hidden size a layer has per mode, and what runs all layers.
_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "LSTM": ops.lstm,
    "GRU": ops.gru,
    "RNN_TANH": ops.rnn_tanh,
    "RNN_RELU": ops.rnn_relu,
}


class RNNBase(Module):
    """What the recurrent layers have in common: parameters, checks, and both kinds of input.

    Args:
        mode: ``"LSTM"``, ``"GRU"``, ``"RNN_TANH"`` or ``"RNN_RELU"``.
        input_size: How many features a step has.
        hidden_size: How many the hidden state has.
        num_layers: How many layers lie over one another.
        bias: Whether there are biases.
        batch_first: Sequences are ``(B, T, *)`` rather than ``(T, B, *)``.
        dropout: The probability of a dropout between layers.
        bidirectional: A second direction runs from the last step to the first.
        proj_size: The size to which an LSTM projects its hidden states; 0 for no projection.
        device: Of the parameters.
        dtype: Of the parameters.

    Raises:
        TypeError: a size is no integer.
        ValueError: a size is not above zero, or *dropout* no probability.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional = float(dropout), bidirectional
        self.proj_size = proj_size
        self._check_settings(dropout)
        if mode not in _GATES:
            msg = f"Unrecognized RNN mode: {mode}"
            raise ValueError(msg)
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for direction in range(1 + bool(bidirectional)):
                self._add_weights(layer, "_reverse" if direction else "", device, dtype)
        self.reset_parameters()

    def _check_settings(self, dropout: Any) -> None:
        """Check the settings, in PyTorch's order and words."""
        if not isinstance(dropout, numbers.Number) or isinstance(dropout, bool):
            self._refuse_dropout()
        if not 0 <= self.dropout <= 1:
            self._refuse_dropout()
        if self.dropout > 0 and self.num_layers == 1:
            warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name in ("input_size", "hidden_size"):
            size = getattr(self, name)
            if not isinstance(size, int):
                msg = f"{name} should be of type int, got: {type(size).__name__}"
                raise TypeError(msg)
        for name in ("hidden_size", "num_layers"):
            if getattr(self, name) <= 0:
                msg = f"{name} must be greater than zero"
                raise ValueError(msg)
        if self.proj_size < 0:
            msg = "proj_size should be a positive integer or zero to disable projections"
            raise ValueError(msg)
        if self.proj_size >= self.hidden_size:
            msg = "proj_size has to be smaller than hidden_size"
            raise ValueError(msg)

    @staticmethod
    def _refuse_dropout() -> None:
        msg = (
            "dropout should be a number in range [0, 1] representing the probability of an element "
            "being zeroed"
        )
        raise ValueError(msg)

    def _add_weights(self, layer: int, suffix: str, device: Any, dtype: Any) -> None:
        """Make the parameters of one direction of a layer."""
        rows, state = _GATES[self.mode] * self.hidden_size, self.proj_size or self.hidden_size
        before = self.input_size if layer == 0 else state * (1 + bool(self.bidirectional))
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, before),
            "weight_hh": (rows, state),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (state, self.hidden_size)
        names = {f"{name}_l{layer}{suffix}": shape for name, shape in shapes.items()}
        for name, shape in names.items():
            setattr(self, name, Parameter(ops.empty(shape, device=device, dtype=dtype)))
        self._all_weights.append(list(names))

    def __getstate__(self) -> dict[str, Any]:
        """Return the state, with what PyTorch's layer keeps beside the names of the weights."""
        flat = {"_flat_weights_names": self._flat_weights_names}
        return {**self.__dict__, **flat, "_flat_weights": self._flat_weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        kept = {n: v for n, v in state.items() if n not in {"_flat_weights_names", "_flat_weights"}}
        super().__setstate__(kept)

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        return [getattr(self, name) for name in self._flat_weights_names]

    @_flat_weights.setter
    def _flat_weights(self, weights: Sequence[Tensor]) -> None:
        # Libraries that exchange the weights also set PyTorch's second list of them.
        for name, weight in zip(self._flat_weights_names, weights, strict=True):
            setattr(self, name, weight)

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Do nothing: the parameters need not lie in one piece of memory."""

    def reset_parameters(self) -> None:
        """Draw all parameters from ±1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (
            ("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False),
            ("dropout", 0), ("bidirectional", False),
        ):  # fmt: skip
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text

    # Checks

    def _sizes_of_states(self, batch: int) -> list[tuple[int, int, int]]:
        """Return the shape of each state."""
        count = self.num_layers * (1 + bool(self.bidirectional))
        found = [(count, batch, self.proj_size or self.hidden_size)]
        return [*found, (count, batch, self.hidden_size)] if self.mode == "LSTM" else found

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Check dtype, dimensions and features of the input.

        Raises:
            ValueError: it has another dtype than the weights.
            RuntimeError: it has another number of dimensions or features.
        """
        weight = self._flat_weights[0]
        if input.dtype != weight.dtype:
            msg = (
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                f"Convert input: input.to({weight.dtype}), or convert model: "
                f"model.to({input.dtype})"
            )
            raise ValueError(msg)
        expected = 2 if batch_sizes is not None else 3
        if input.dim() != expected:
            msg = f"input must have {expected} dimensions, got {input.dim()}"
            raise AutogradError(msg)
        if self.input_size != input.shape[-1]:
            msg = (
                "input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {input.shape[-1]}"
            )
            raise AutogradError(msg)

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """Check the shape of a state.

        Raises:
            RuntimeError: it has another.
        """
        if tuple(hx.shape) != tuple(expected_hidden_size):
            raise AutogradError(msg.format(expected_hidden_size, list(hx.shape)))

    def _check_states(self, states: list[Tensor], batch: int) -> None:
        sizes = self._sizes_of_states(batch)
        if self.mode != "LSTM":
            self.check_hidden_size(states[0], sizes[0])
            return
        for number, (state, size) in enumerate(zip(states, sizes, strict=True)):
            self.check_hidden_size(state, size, f"Expected hidden[{number}] size {{}}, got {{}}")

    def _check_dims(self, input: Tensor) -> None:
        name, dims = self._get_name(), input.dim()
        if dims not in {2, 3}:
            kind = " tensor" if self.mode.startswith("RNN") else ""
            msg = f"{name}: Expected input to be 2D or 3D, got {dims}D{kind} instead"
            raise ValueError(msg)

    def _check_dims_of_states(self, states: list[Tensor], *, batched: bool) -> None:
        found, expected = [state.dim() for state in states], 3 if batched else 2
        if all(dims == expected for dims in found):
            return
        which = "batched 3-D" if batched else "unbatched 2-D"
        if self.mode == "LSTM":
            got = f"({', '.join(f'{dims}-D' for dims in found)}) tensors"
            msg = f"For {which} input, hx and cx should also be {expected}-D but got {got}"
        else:
            msg = f"For {which} input, hx should also be {expected}-D but got {found[0]}-D tensor"
        raise AutogradError(msg)

    # Running

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Return the hidden states of the last layer, and the last states of all layers.

        Args:
            input: ``(T, B, I)``, ``(B, T, I)`` with *batch_first*, ``(T, I)``; or packed.
            hx: The first states ``(layers · directions, B, *)``; zeros if None. A pair for LSTM.

        Raises:
            ValueError: the input has other dimensions, or another dtype than the weights.
            RuntimeError: sizes do not match.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        self._check_dims(input)
        batched, batch_dim = input.dim() == 3, 0 if self.batch_first else 1
        rows = input if batched else input.unsqueeze(batch_dim)
        states = self._given(hx)
        if states is not None:
            self._check_dims_of_states(states, batched=batched)
            states = states if batched else [state.unsqueeze(1) for state in states]
        batch = rows.shape[batch_dim]
        states = states or self._zeros(rows, batch)
        self.check_input(rows, None)
        self._check_states(states, batch)
        output, *last = _FUNCTIONS[self.mode](
            rows, self._joined(states), self._flat_weights, self.bias, self.num_layers,
            self.dropout, self.training, self.bidirectional, self.batch_first,
        )  # fmt: skip
        if not batched:
            output = output.squeeze(batch_dim)
            last = [state.squeeze(1) for state in last]
        return output, self._joined(last)

    def _forward_packed(self, packed: PackedSequence, hx: Any) -> tuple[Any, Any]:
        data, batch_sizes, order, back = packed
        batch, states = int(batch_sizes[0]), self._given(hx)
        if states is None:
            states = self._zeros(data, batch)
        else:
            states = [_permuted(state, order) for state in states]
        self.check_input(data, batch_sizes)
        self._check_states(states, batch)
        output, *last = _FUNCTIONS[self.mode](
            data, batch_sizes, self._joined(states), self._flat_weights, self.bias,
            self.num_layers, self.dropout, self.training, self.bidirectional,
        )  # fmt: skip
        last = [_permuted(state, back) for state in last]
        return PackedSequence(output, batch_sizes, order, back), self._joined(last)

    def _given(self, hx: Any) -> list[Tensor] | None:
        """Return the states of *hx* as a list."""
        if hx is None:
            return None
        return [hx[0], hx[1]] if self.mode == "LSTM" else [hx]

    def _zeros(self, input: Tensor, batch: int) -> list[Tensor]:
        return [
            ops.zeros(size, dtype=input.dtype, device=input.device)
            for size in self._sizes_of_states(batch)
        ]

    def _joined(self, states: list[Tensor]) -> Any:
        """Return states as *hx* has them."""
        return tuple(states) if self.mode == "LSTM" else states[0]

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Return states with the sequences of the batch in another order."""
        states = self._given(hx)
        return self._joined([_permuted(state, permutation) for state in states or []])


def _permuted(state: Tensor, order: Tensor | None) -> Tensor:
    return state if order is None else ops.index_select(state, 1, order)


class RNN(RNNBase):
    """A plain recurrent network: ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``.

    Called as ``RNN(input_size, hidden_size, num_layers=1, nonlinearity='tanh', bias=True,
    batch_first=False, dropout=0.0, bidirectional=False, device=None, dtype=None)``.

    Args:
        *args: See `RNNBase`; *nonlinearity* is ``"tanh"`` or ``"relu"``.
        **kwargs: The same by name.

    Raises:
        ValueError: a size is not above zero, *dropout* is no probability, or the nonlinearity is
            unknown.

    >>> import chainrule as cr
    >>> output, last = RNN(3, 4)(cr.zeros(5, 2, 3))
    >>> output.shape, last.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_projection(kwargs)
        if len(args) > 3:
            self.nonlinearity: str = args[3]
            args = (*args[:3], *args[4:])
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in {"tanh", "relu"}:
            msg = f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'."
            raise ValueError(msg)
        super().__init__(f"RNN_{self.nonlinearity.upper()}", *args, **kwargs)


class LSTM(RNNBase):
    """A long short-term memory.

    Called as ``LSTM(input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
    dropout=0.0, bidirectional=False, proj_size=0, device=None, dtype=None)``. With the gates
    i, f, o (logistic) and g (tanh) of ``W_ih x + b_ih + W_hh h + b_hh``:
    ``c' = f · c + i · g`` and ``h' = o · tanh(c')``.

    Args:
        *args: See `RNNBase`.
        **kwargs: The same by name.

    Raises:
        ValueError: a size is not above zero, or *dropout* is no probability.

    Source:
        Hochreiter and Schmidhuber, "Long short-term memory", 1997.

    >>> import chainrule as cr
    >>> output, (hidden, cell) = LSTM(3, 4, num_layers=2)(cr.zeros(5, 2, 3))
    >>> output.shape, hidden.shape, cell.shape
    (torch.Size([5, 2, 4]), torch.Size([2, 2, 4]), torch.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units.

    Called as ``GRU(input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
    dropout=0.0, bidirectional=False, device=None, dtype=None)``. With the gates r, z (logistic):
    ``n = tanh(W_in x + b_in + r · (W_hn h + b_hn))`` and ``h' = (1 - z) · n + z · h``.

    Args:
        *args: See `RNNBase`.
        **kwargs: The same by name.

    Raises:
        ValueError: a size is not above zero, or *dropout* is no probability.

    Source:
        Cho and others, "Learning phrase representations using RNN encoder-decoder", 2014.

    >>> import chainrule as cr
    >>> output, last = GRU(3, 4, bidirectional=True)(cr.zeros(5, 2, 3))
    >>> output.shape, last.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)


def _refuse_projection(kwargs: dict[str, Any]) -> None:
    if "proj_size" in kwargs:
        msg = "proj_size argument is only supported for LSTM, not RNN or GRU"
        raise ValueError(msg)


# Cells


class RNNCellBase(Module):
    """What the cells have in common: parameters and checks.

    Args:
        input_size: How many features the input has.
        hidden_size: How many the hidden state has.
        bias: Whether there are biases.
        num_chunks: How many products of the hidden size there are.
        device: Of the parameters.
        dtype: Of the parameters.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        for name, shape in (
            ("weight_ih", (rows, input_size)),
            ("weight_hh", (rows, hidden_size)),
            ("bias_ih", (rows,)),
            ("bias_hh", (rows,)),
        ):
            absent = name.startswith("bias") and not bias
            made = None if absent else Parameter(ops.empty(shape, device=device, dtype=dtype))
            self.register_parameter(name, made)
        self.reset_parameters()

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = self.__dict__.get("nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def reset_parameters(self) -> None:
        """Draw all parameters from ±1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _weights(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _check_dims(self, item: Tensor, what: str) -> None:
        if item.dim() not in {1, 2}:
            msg = f"{self._get_name()}: Expected {what} to be 1D or 2D, got {item.dim()}D instead"
            raise ValueError(msg)

    def _step(self, function: Callable[..., Tensor], input: Tensor, hx: Tensor | None) -> Tensor:
        """Return the next hidden state, of one input or of a batch."""
        self._check_dims(input, "input")
        if hx is not None:
            self._check_dims(hx, "hidden")
        batched = input.dim() == 2
        rows = input if batched else input.unsqueeze(0)
        if hx is None:
            hx = rows.new_zeros((rows.shape[0], self.hidden_size))
        elif not batched:
            hx = hx.unsqueeze(0)
        new = function(rows, hx, *self._weights())
        return new if batched else new.squeeze(0)


class RNNCell(RNNCellBase):
    """One step of a plain recurrent network: ``tanh(W_ih x + b_ih + W_hh h + b_hh)``.

    Args:
        input_size: How many features the input has.
        hidden_size: How many the hidden state has.
        bias: Whether there are biases.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        device: Of the parameters.
        dtype: Of the parameters.

    >>> import chainrule as cr
    >>> RNNCell(3, 4)(cr.zeros(2, 3)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in {"tanh", "relu"}:
            msg = f"Unknown nonlinearity: {self.nonlinearity}"
            raise AutogradError(msg)
        function = ops.rnn_tanh_cell if self.nonlinearity == "tanh" else ops.rnn_relu_cell
        return self._step(function, input, hx)


class LSTMCell(RNNCellBase):
    """One step of a long short-term memory; see `LSTM`.

    Args:
        input_size: How many features the input has.
        hidden_size: How many the hidden state has.
        bias: Whether there are biases.
        device: Of the parameters.
        dtype: Of the parameters.

    >>> import chainrule as cr
    >>> hidden, cell = LSTMCell(3, 4)(cr.zeros(2, 3))
    >>> hidden.shape, cell.shape
    (torch.Size([2, 4]), torch.Size([2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        self._check_dims(input, "input")
        for number, state in enumerate(hx or ()):
            self._check_dims(state, f"hx[{number}]")
        batched = input.dim() == 2
        rows = input if batched else input.unsqueeze(0)
        if hx is None:
            zeros = rows.new_zeros((rows.shape[0], self.hidden_size))
            hx = zeros, zeros
        elif not batched:
            hx = hx[0].unsqueeze(0), hx[1].unsqueeze(0)
        hidden, cell = ops.lstm_cell(rows, hx, *self._weights())
        return (hidden, cell) if batched else (hidden.squeeze(0), cell.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of a gated recurrent unit; see `GRU`.

    Args:
        input_size: How many features the input has.
        hidden_size: How many the hidden state has.
        bias: Whether there are biases.
        device: Of the parameters.
        dtype: Of the parameters.

    >>> import chainrule as cr
    >>> GRUCell(3, 4)(cr.zeros(2, 3)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(ops.gru_cell, input, hx)
