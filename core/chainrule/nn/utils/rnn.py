"""Sequences of several lengths in one tensor: padded, or packed without padding."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ... import ops
from ...errors import AutogradError
from ...ops.packing import _pack_padded_sequence
from ...tensor import Tensor, tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences one step after the other: first all first rows, then all second rows, and so on.

    Made by `pack_padded_sequence` and `pack_sequence`.

    Attributes:
        data: ``(N, *)``, the rows.
        batch_sizes: ``(T)``, how many sequences have a row at each step; never growing.
        sorted_indices: ``(B)``, which sequence stands where among those sorted by length; None if
            they came sorted.
        unsorted_indices: ``(B)``, the other way round.
    """

    def __new__(  # noqa: D102 - the class docstring speaks for it
        cls,
        data: Tensor,
        batch_sizes: Any = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if batch_sizes is None:  # all in a pair, as very old files have it
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes.device.type != "cpu":
            msg = (
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be "
                "created manually. They should be instantiated by functions like pack_sequence and "
                "pack_padded_sequences in nn.utils.rnn. "
                "https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence"
            )
            raise ValueError(msg)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Return the sequences with another dtype or on another device; themselves if unchanged."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        moved = [
            None if index is None else index.to(data.device)
            for index in (self.sorted_indices, self.unsorted_indices)
        ]
        return type(self)(data, self.batch_sizes, *moved)

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """Return the sequences on a CUDA device."""
        return self.to(*args, **{"device": "cuda", **kwargs})

    def cpu(self, *args: Any, **kwargs: Any) -> Self:
        """Return the sequences in host memory."""
        return self.to(*args, **{"device": "cpu", **kwargs})

    def double(self) -> Self:
        """Return the sequences as float64."""
        return self._as(self.data.double())

    def float(self) -> Self:
        """Return the sequences as float32."""
        return self._as(self.data.float())

    def half(self) -> Self:
        """Return the sequences as float16."""
        return self._as(self.data.half())

    def long(self) -> Self:
        """Return the sequences as int64."""
        return self._as(self.data.long())

    def int(self) -> Self:
        """Return the sequences as int32."""
        return self._as(self.data.int())

    def short(self) -> Self:
        """Return the sequences as int16."""
        return self._as(self.data.short())

    def char(self) -> Self:
        """Return the sequences as int8."""
        return self._as(self.data.char())

    def byte(self) -> Self:
        """Return the sequences as uint8."""
        return self._as(self.data.byte())

    def _as(self, data: Tensor) -> Self:
        return self if data is self.data else self._replace(data=data)

    def pin_memory(self) -> Self:
        """Return the sequences themselves: no memory needs pinning here."""
        return self

    @property
    def is_cuda(self) -> bool:
        """Whether the rows are on a CUDA device."""
        return bool(self.data.is_cuda)

    def is_pinned(self) -> bool:
        """Return whether the memory of the rows is pinned: never."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return where each place went; None for None.

    >>> import chainrule as cr
    >>> invert_permutation(cr.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else ops.argsort(permutation)


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | list[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Return padded sequences without their padding.

    Args:
        input: ``(T, B, *)``, or ``(B, T, *)`` with *batch_first*.
        lengths: How long each sequence is.
        batch_first: The batch is the first dimension.
        enforce_sorted: The sequences come in order of length, the longest first.

    Raises:
        RuntimeError: there is nothing to pack, a length is not above 0, there are more or fewer
            than sequences, or they are out of order.

    Gradient:
        ``grad`` where there is a sequence, 0 where there is padding.

    >>> import chainrule as cr
    >>> packed = pack_padded_sequence(cr.tensor([[1, 2], [3, 0]]), [2, 1])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 2, 3]), tensor([2, 1]))
    """
    counts, order = _lengths(lengths), None
    steps_first: Any = input
    if not enforce_sorted:
        places = sorted(range(len(counts)), key=lambda place: -counts[place])
        order = tensor(places, device=input.device)
        counts = [counts[place] for place in places]
        steps_first = ops.index_select(input, 0 if batch_first else 1, order)
    if batch_first:
        steps_first = ops.transpose(steps_first, 0, 1)
    sizes, rows = _layout(counts, steps_first, enforce_sorted=enforce_sorted)
    data = _pack_padded_sequence(steps_first, tensor(rows, device=input.device))
    return PackedSequence(data, tensor(sizes, device="cpu"), order, None)


def _lengths(lengths: Tensor | list[int]) -> list[int]:
    if not isinstance(lengths, Tensor):
        return [int(length) for length in lengths]
    if lengths.dim() != 1 or lengths.device.type != "cpu":
        msg = (
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{lengths.dim()}D {lengths.device.type} {lengths.dtype.scalar_name} tensor"
        )
        raise AutogradError(msg)
    return [int(length) for length in lengths.tolist()]


def _layout(
    counts: list[int], input: Tensor, *, enforce_sorted: bool
) -> tuple[list[int], list[int]]:
    """Return how many sequences each step has, and the rows among all of ``(T, B)``."""
    if not input.numel():
        msg = "Cannot pack empty tensors."
        raise AutogradError(msg)
    batch = input.shape[1]
    if len(counts) != batch:
        msg = (
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} "
            f"(batch_size={batch})"
        )
        raise AutogradError(msg)
    if min(counts) <= 0:
        msg = (
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0"
        )
        raise AutogradError(msg)
    if any(one < other for one, other in itertools.pairwise(counts)):
        msg = (
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
        raise AutogradError(msg)
    if counts[0] > input.shape[0]:
        msg = (
            f"Expected `len(lengths)` to be at most the sequences' size {input.shape[0]}, but got "
            f"{counts[0]}"
        )
        raise AutogradError(msg)
    sizes = [sum(count > step for count in counts) for step in range(counts[0])]
    return sizes, [step * batch + i for step, size in enumerate(sizes) for i in range(size)]


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return packed sequences padded, and their lengths: what `pack_padded_sequence` undoes.

    Args:
        sequence: The sequences.
        batch_first: Give ``(B, T, *)`` rather than ``(T, B, *)``.
        padding_value: What the padding is filled with.
        total_length: T, if it shall be more than the length of the longest.

    Raises:
        ValueError: *total_length* is less than that.

    Gradient:
        ``grad`` without the padding.
    """
    sizes: list[int] = sequence.batch_sizes.tolist()
    steps, batch = len(sizes), sizes[0]
    if total_length is not None:
        if total_length < steps:
            msg = (
                "Expected total_length to be at least the length of the longest sequence in input, "
                f"but got total_length={total_length} and max sequence length being {steps}"
            )
            raise ValueError(msg)
        steps = total_length
    data = sequence.data
    rows = [step * batch + i for step, size in enumerate(sizes) for i in range(size)]
    padding = data.new_full((steps * batch, *data.shape[1:]), padding_value)
    filled = ops.index_copy(padding, 0, tensor(rows, device=data.device), data)
    padded: Any = filled.view(steps, batch, *data.shape[1:])
    lengths = tensor([sum(size > i for size in sizes) for i in range(batch)], device="cpu")
    if sequence.unsorted_indices is not None:
        padded = ops.index_select(padded, 1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices.cpu()]
    return (ops.transpose(padded, 0, 1) if batch_first else padded), lengths


def pad_sequence(
    sequences: Tensor | list[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Return sequences of several lengths in one tensor.

    Args:
        sequences: Each ``(L, *)``.
        batch_first: Give ``(B, T, *)`` rather than ``(T, B, *)``.
        padding_value: What is filled in.
        padding_side: Where: ``"right"`` of a sequence or ``"left"``.

    Raises:
        RuntimeError: there are none, they are not iterable, or the side is unknown.

    >>> import chainrule as cr
    >>> pad_sequence([cr.tensor([1, 2]), cr.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        msg = (
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
        raise AutogradError(msg)
    parts = list(ops.unbind(sequences, 0) if isinstance(sequences, Tensor) else sequences)
    if not parts:
        msg = "received an empty list of sequences"
        raise AutogradError(msg)
    if padding_side not in {"left", "right"}:
        msg = f"Expected padding_side to be one of left or right, but got {padding_side}."
        raise AutogradError(msg)
    longest = max(part.shape[0] for part in parts)
    padded = [_padded(part, longest, padding_value, padding_side) for part in parts]
    return ops.stack(padded, 0 if batch_first else 1)


def _padded(sequence: Tensor, length: int, value: float, side: str) -> Tensor:
    """Return *sequence* with rows of *value* up to *length*."""
    missing = length - sequence.shape[0]
    if not missing:
        return sequence
    padding = sequence.new_full((missing, *sequence.shape[1:]), value)
    return ops.cat([sequence, padding] if side == "right" else [padding, sequence])


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """Return the sequences of a padded tensor: what `pad_sequence` undoes."""
    batch_of: Any = padded_sequences if batch_first else ops.transpose(padded_sequences, 0, 1)
    return [row[:count] for row, count in zip(batch_of, lengths.tolist(), strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Return sequences of several lengths, packed.

    Args:
        sequences: Each ``(L, *)``.
        enforce_sorted: They come in order of length, the longest first.

    Raises:
        RuntimeError: there are none, or they are out of order.

    >>> import chainrule as cr
    >>> pack_sequence([cr.tensor([1, 2]), cr.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = [sequence.shape[0] for sequence in sequences]
    return pack_padded_sequence(
        pad_sequence(list(sequences)), lengths, enforce_sorted=enforce_sorted
    )


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return packed sequences one by one: what `pack_sequence` undoes."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
