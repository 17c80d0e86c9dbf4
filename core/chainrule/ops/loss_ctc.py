"""The loss of labels whose places in a sequence are not known.

Source: Graves, Fernández, Gomez and Schmidhuber, "Connectionist temporal classification: labelling
unsegmented sequence data with recurrent neural networks", 2006. Names are those of the paper:
alpha sums over the beginnings of paths through the labels with blanks between them, beta over
their ends.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import dtypes
from ..errors import DomainError, DTypeError, ShapeError
from ..op import composite
from ._arguments import check_tensor
from ._operands import refusal
from .creation import arange, tensor
from .joining import cat, stack
from .loss import MEAN, SUM, reduction_code
from .scattering import scatter_reduce
from .selection import where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["ctc_loss"]

_INF = float("inf")
Lengths = tuple[int, ...]


class _Paths(NamedTuple):
    """The labels of a batch with blanks between them, and what is known of them."""

    labels: Any  # (N, L)
    skips: Any  # (N, L): whether a path may come from two places before
    log_probs: Any  # (T, N, L)
    ends: Any  # (N): the place of the last blank
    last: Any  # (N): the last step


def _paths(
    log_probs: Any, targets: Any, input_lengths: Lengths, target_lengths: Lengths, blank: int
) -> _Paths:
    steps, samples, _ = log_probs._array.shape
    labels = _padded(targets, target_lengths, blank)
    count = labels._array.shape[1]
    blanks = labels * 0 + blank
    mixed = stack([blanks, labels], 2).reshape(samples, 2 * count)
    mixed = cat([mixed, labels.new_full((samples, 1), blank)], 1)
    before = cat([labels.new_full((samples, 2), blank), mixed[:, :-2]], 1)
    skips = (mixed != blank) & (mixed != before) if count else mixed != blank
    index = mixed.unsqueeze(0).expand(steps, samples, 2 * count + 1)
    at = {"dtype": dtypes.int64, "device": log_probs.device}
    return _Paths(
        mixed,
        skips,
        log_probs.gather(2, index),
        2 * tensor(list(target_lengths), **at),
        tensor(list(input_lengths), **at) - 1,
    )


def _padded(targets: Any, lengths: Lengths, blank: int) -> Any:
    """Return the targets as ``(N, S)`` with blanks behind those that are shorter."""
    longest = max(lengths, default=0)
    at = {"dtype": dtypes.int64, "device": targets.device}
    places = arange(longest, **at)
    if len(targets._array.shape) == 2:
        found = targets[:, :longest].to(dtypes.int64)
    else:
        starts = tensor([0, *itertools.accumulate(lengths)][:-1], **at)
        row = cat([targets.to(dtypes.int64), targets.new_zeros((longest,), dtype=dtypes.int64)])
        found = row.take(starts.unsqueeze(1) + places)
    return where(places < tensor(list(lengths), **at).unsqueeze(1), found, blank)


def _behind(row: Any, shift: int) -> Any:
    """Return *row* moved to the right, with minus infinity in front."""
    samples, size = row._array.shape
    front = row.new_full((samples, min(shift, size)), -_INF)
    return cat([front, row[:, : max(size - shift, 0)]], 1)


def _alphas(paths: _Paths) -> Any:
    """Return ``log alpha``, step by step: ``(T, N, L)``."""
    first = paths.log_probs[0]
    size = first._array.shape[1]
    place = arange(size, dtype=dtypes.int64, device=first.device)
    start = (place < 2) & (place <= paths.ends.unsqueeze(1))
    rows = [where(start, first, -_INF)]
    for step in range(1, paths.log_probs._array.shape[0]):
        row = rows[-1]
        skipped = where(paths.skips, _behind(row, 2), -_INF)
        sums = _log_sums(stack([row, _behind(row, 1), skipped], 0))
        rows.append(sums + paths.log_probs[step])
    return stack(rows, 0)


def _log_sums(rows: Any) -> Any:
    """Return the logarithm of the sum of exponentials over the first dimension."""
    nothing = (rows == -_INF).all(0)
    return where(nothing, -_INF, where(nothing, 0.0, rows).logsumexp(0))


def _total(alphas: Any, paths: _Paths) -> Any:
    """Return the logarithm of the probability of each sample's labels."""
    samples = alphas._array.shape[1]
    number = arange(samples, dtype=dtypes.int64, device=alphas.device)
    final = alphas[paths.last.clamp(0), number]
    last = final.gather(1, paths.ends.unsqueeze(1))
    label = final.gather(1, (paths.ends - 1).clamp(0).unsqueeze(1))
    label = where((paths.ends > 0).unsqueeze(1), label, -_INF)
    found = _log_sums(stack([last, label], 0)).squeeze(1)
    # No step at all: certain if there is no label, else impossible.
    certain = where(paths.ends == 0, 0.0, -_INF)
    return where(paths.last < 0, certain, found)


@composite(nodes={"": "CtcLossBackward0"})
def _ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank: int,
    zero_infinity: bool,
) -> tuple[Tensor, Tensor]:
    """Return the losses ``(N)``, and ``log alpha`` as ``(N, T, L)``."""
    paths = _paths(log_probs, targets, input_lengths, target_lengths, blank)
    alphas = _alphas(paths)
    return -_total(alphas, paths), alphas.transpose(0, 1).contiguous()


@composite
def ctc_loss_backward(
    grad_output: Tensor,
    log_probs: Tensor,
    targets: Tensor,
    loss: Tensor,
    log_alpha: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank: int,
    zero_infinity: bool,
) -> Tensor:
    """Return the gradient of *log_probs*, as far as a log_softmax before them will look at it."""
    source: Any = log_probs
    paths = _paths(source, targets, input_lengths, target_lengths, blank)
    alphas = _alphas(paths)
    losses = -_total(alphas, paths)
    both = alphas + _betas(paths)
    steps, samples = source._array.shape[:2]
    index = paths.labels.unsqueeze(0).expand(steps, samples, paths.labels._array.shape[1])
    share = (both + losses.reshape(1, samples, 1) - paths.log_probs).exp()
    share = where(both == -_INF, 0.0, share)
    sums = scatter_reduce(source * 0, 2, index, share, "sum")
    change = source.exp() - sums
    step = arange(steps, dtype=dtypes.int64, device=source.device)
    inside = (step.unsqueeze(1) <= paths.last).unsqueeze(2)
    impossible = (losses == _INF).reshape(1, samples, 1)
    change = where(impossible, 0.0 if zero_infinity else float("nan"), change)
    return where(inside, change, 0.0) * grad_output.reshape(1, samples, 1)  # type: ignore[no-any-return]  # a Tensor


def _betas(paths: _Paths) -> Any:
    """Return ``log beta``, from each sample's last step backwards: ``(T, N, L)``."""
    steps, samples, size = paths.log_probs._array.shape
    place = arange(size, dtype=dtypes.int64, device=paths.labels.device)
    ends = paths.ends.unsqueeze(1)
    last = (place == ends) | ((place == ends - 1) & (ends > 0))
    nothing = paths.log_probs.new_full((samples, size), -_INF)
    # A path may leap over the next place if the one after that may be leapt to.
    leaps = cat([paths.skips[:, 2:], paths.skips[:, :2] & False], 1)[:, :size]
    rows: list[Any] = []
    row = nothing
    for step in range(steps - 1, -1, -1):
        leapt = where(leaps, _before(row, 2), -_INF)
        sums = _log_sums(stack([row, _before(row, 1), leapt], 0))
        begins = (paths.last == step).unsqueeze(1) & last
        inside = (place <= ends) & (paths.last >= step).unsqueeze(1)
        row = where(begins, 0.0, sums) + paths.log_probs[step]
        row = where(inside, row, -_INF)
        rows.append(row)
    return stack(rows[::-1], 0)


def _before(row: Any, shift: int) -> Any:
    """Return *row* moved to the left, with minus infinity behind."""
    samples, size = row._array.shape
    rest = row.new_full((samples, min(shift, size)), -_INF)
    return cat([row[:, shift:], rest], 1)


def _ctc_rule(
    grad: Any,
    log_probs: Any,
    targets: Any,
    result0: Any,
    result1: Any,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank: int,
    zero_infinity: bool,
) -> Any:
    return ctc_loss_backward(
        grad, log_probs, targets, result0, result1, input_lengths, target_lengths, blank,
        zero_infinity,
    )  # fmt: skip


_ctc_loss.vjp(log_probs=_ctc_rule, targets=None)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Return minus the logarithm of the probability of labels, wherever they stand.

    Args:
        log_probs: ``(T, N, C)`` or ``(T, C)``, log-probabilities of classes, of `log_softmax`.
        targets: ``(N, S)``, labels; or those of all samples one after the other.
        input_lengths: ``(N)``, how many steps a sample has.
        target_lengths: ``(N)``, how many labels.
        blank: The class that stands for no label.
        reduction: ``"mean"``, over samples, of losses divided by the number of labels; ``"sum"``
            or ``"none"``.
        zero_infinity: Whether losses that are infinite, and their gradients, become zero.

    Returns:
        ``()``, or ``(N)`` without a reduction.

    Raises:
        RuntimeError: sizes, lengths or dtypes do not fit.

    Gradient:
        ``exp(log_probs)`` minus the probability that a step shows a class, given the labels: what
        a log_softmax before makes of the first term is zero, as in PyTorch.

    >>> import chainrule as cr
    >>> probabilities = cr.tensor([[[0.4, 0.6]], [[0.4, 0.6]]])
    >>> cr.nn.functional.ctc_loss(probabilities.log(), cr.tensor([[1]]), [2], [1]).exp()
    tensor(1.1905)
    """
    check_tensor("ctc_loss", log_probs)
    check_tensor("ctc_loss", targets, "targets", 2)
    code = reduction_code(reduction)
    single = len(log_probs._array.shape) == 2 and len(targets._array.shape) <= 1
    given: Any = log_probs.unsqueeze(1) if single else log_probs
    inputs = _lengths("input_lengths", input_lengths, given)
    labels = _lengths("target_lengths", target_lengths, given)
    wanted: Any = targets.unsqueeze(0) if single and len(targets._array.shape) else targets
    _check(given, wanted, inputs, labels, blank)
    losses: Any = _ctc_loss(given, wanted, inputs, labels, blank, zero_infinity)[0]
    if zero_infinity:
        losses = where(losses == _INF, 0.0, losses)
    if code == MEAN:
        counts = tensor([max(n, 1) for n in labels], dtype=losses.dtype, device=losses.device)
        return (losses / counts).mean()  # type: ignore[no-any-return]  # a Tensor
    if code == SUM:
        return losses.sum()  # type: ignore[no-any-return]  # a Tensor
    return losses.squeeze(0) if single else losses  # type: ignore[no-any-return]  # a Tensor


def _lengths(name: str, given: Any, log_probs: Any) -> Lengths:
    """Return lengths, however they are given, as a tuple."""
    if hasattr(given, "_array"):
        if given._key.dtype.category >= dtypes.FLOATING:
            msg = f"{name} must be integral\nctc_loss: got {given._key.dtype}."
            raise DTypeError(msg)
        given = given.reshape(-1).tolist()
    found = tuple(map(int, given if isinstance(given, (tuple, list)) else [given]))
    shape = log_probs._array.shape
    if len(shape) == 3 and len(found) != shape[1]:
        msg = f"{name} must be of size batch_size\nctc_loss: got {len(found)} for {shape[1]}."
        raise ShapeError(msg)
    return found


def _check(log_probs: Any, targets: Any, inputs: Lengths, labels: Lengths, blank: int) -> None:
    where_ = "(while checking arguments for ctc_loss_allocate_outputs)"
    shape, sizes = tuple(log_probs._array.shape), tuple(targets._array.shape)
    if log_probs._key.category < dtypes.FLOATING:
        raise refusal("ctc_loss", "ctc_loss_cpu", log_probs._key.dtype)
    if len(shape) != 3:
        msg = (
            f"Expected 3-dimensional tensor, but got {len(shape)}-dimensional tensor for argument "
            f"#1 'log_probs' {where_}"
        )
        raise ShapeError(msg)
    if not 0 <= blank < shape[2]:
        msg = f"blank must be in label range\nctc_loss: expected 0 to {shape[2] - 1}, got {blank}."
        raise DomainError(msg)
    for name, lengths in (("input_lengths", inputs), ("target_lengths", labels)):
        if min(lengths, default=0) < 0:
            msg = f"Expected {name} to have value at least 0, but got value {min(lengths)} {where_}"
            raise DomainError(msg)
    if max(inputs, default=0) > shape[0]:
        msg = (
            f"Expected input_lengths to have value at most {shape[0]}, but got value {max(inputs)} "
            f"{where_}"
        )
        raise DomainError(msg)
    if len(sizes) == 1 and sizes[0] != sum(labels):
        msg = (
            f"Expected tensor to have size {sum(labels)} at dimension 0, but got size {sizes[0]} "
            f"for argument #2 'targets' {where_}"
        )
        raise ShapeError(msg)
    if len(sizes) == 2 and sizes[1] < max(labels, default=0):
        msg = (
            f"Expected tensor to have size at least {max(labels)} at dimension 1, but got size "
            f"{sizes[1]} for argument #2 'targets' {where_}"
        )
        raise ShapeError(msg)
