"""Sums of products by Einstein's convention: a letter per dimension, summed if the result lacks it.

An equation is read (`_Equation`), every operand gets one dimension per letter, in one order, and
then the operands are multiplied two at a time, left to right: by `bmm` where a letter of both is
summed, elementwise where none is.
"""

from __future__ import annotations

import functools
from math import prod
from typing import TYPE_CHECKING, Any, Final

from ..errors import ArgumentError, ShapeError
from ..value import Value
from .axes import movedim, permute
from .diagonals import diagonal
from .linalg import bmm
from .linalg_checks import fail
from .reductions import sum
from .shape import reshape, unsqueeze, view

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..tensor import Tensor

__all__ = ["einsum"]

#: The name of a dimension: a letter, or how far from the right an ellipsis covers it.
Label = str | int

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NOT_A_LETTER: Final = (
    "einsum(): invalid subscript given at index {} in the equation string, "
    "subscripts must be in [a-zA-Z]"
)


def einsum(*args: Any) -> Tensor:
    """Return the sum of products of the operands that an equation describes.

    Args:
        args: The equation, like ``"ij,jk->ik"``, and the operands; or operands, each followed by a
            list of integers for its dimensions, and such a list for the result.

    In the equation, a letter names a dimension. A letter in several operands is one dimension of
    all of them, of one size or broadcast; twice in one operand it takes the diagonal. ``...``
    stands for dimensions without a letter, which broadcast. What the result leaves out is summed.
    Without ``->`` the result has the ellipsis, then the letters that occur once, in alphabetical
    order, capitals first.

    Returns:
        The dimensions that the equation says.

    Raises:
        RuntimeError: the equation is none, or does not fit the operands.
        ValueError: there is no operand, or an integer is not below 52.

    >>> import chainrule as cr
    >>> cr.einsum("ij,j->i", cr.tensor([[1.0, 2.0], [3.0, 4.0]]), cr.tensor([1.0, 10.0]))
    tensor([21., 43.])
    >>> cr.einsum("ii", cr.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """
    equation, operands = _arguments(args)
    letters = _read(equation, tuple([len(operand._array.shape) for operand in operands]))
    aligned = [letters.align(index, operand) for index, operand in enumerate(operands)]
    letters.check_sizes(aligned)
    return _contract(aligned, len(letters.output))


def _arguments(args: tuple[Any, ...]) -> tuple[str, list[Tensor]]:
    """Return the equation and the operands, however they were given."""
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            'operand and its subscripts list\neinsum: for example einsum("ij,jk->ik", a, b).'
        )
    if isinstance(args[0], Value):
        equation = ",".join(map(_letters_of, args[1::2]))
        if len(args) % 2:
            equation += f"->{_letters_of(args[-1])}"
        return equation, list(args[: len(args) - len(args) % 2 : 2])
    equation, *operands = args
    if not isinstance(equation, str):
        kind = type(equation).__name__
        msg = f"einsum(): argument 'equation' (position 1) must be str, not {kind}"
        raise ArgumentError(msg)
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = list(operands[0])
    for index, operand in enumerate(operands):
        if not isinstance(operand, Value):
            kind = type(operand).__name__
            msg = f"expected Tensor as element {index} in argument 1, but got {kind}"
            raise ArgumentError(msg)
    return equation, operands


def _letters_of(subscripts: Sequence[Any]) -> str:
    """Return a list of integers, and perhaps an ellipsis, as letters."""
    found = []
    for number in subscripts:
        if number is not Ellipsis and not 0 <= number < len(_LETTERS):
            raise ValueError(
                "einsum(): subscript in subscript list is not within the valid range [0, 52)\n"
                f"einsum: got {number}. There is a letter for each of 52 dimensions."
            )
        found.append("..." if number is Ellipsis else _LETTERS[number])
    return "".join(found)


@functools.lru_cache(maxsize=256)
def _read(equation: str, ndims: tuple[int, ...]) -> _Equation:
    """Return an equation as read for operands of so many dimensions each."""
    return _Equation(equation, ndims)


class _Equation:
    """An equation read for some operands.

    Attributes:
        inputs: The labels of each operand's dimensions.
        output: The labels of the result.
        labels: All labels: those of the result, then those that are summed.
    """

    def __init__(self, equation: str, ndims: tuple[int, ...]) -> None:
        left, arrow, right = equation.partition("->")
        terms = left.split(",")
        if len(terms) != len(ndims):
            few = "fewer" if len(terms) > len(ndims) else "more"
            fail(
                ShapeError,
                f"einsum(): {few} operands were provided than specified in the equation",
                f"einsum: {equation!r} names {len(terms)} operand(s), got {len(ndims)}.",
            )
        start = 0
        self.inputs: list[list[Label]] = []
        for index, (term, ndim) in enumerate(zip(terms, ndims, strict=True)):
            self.inputs.append(_labels_of_operand(term, start, index, ndim))
            start += len(term) + 1
        self.output = self._read_output(right, start + 1) if arrow else self._implied_output()
        summed = [label for label in _alphabetical(self.inputs) if label not in self.output]
        self.labels = [*self.output, *summed]

    def _read_output(self, text: str, start: int) -> list[Label]:
        output: list[Label] = []
        twice = "but an ellipsis (...) was already found"
        for item in _tokens(text, start, "output", twice, "ellipsis (...)"):
            if item == "...":
                output += [label for label in _alphabetical(self.inputs) if isinstance(label, int)]
                continue
            advice = f"einsum: the result is given as {text!r}."
            if item in output:
                sentence = f"einsum(): output subscript {item} appears more than once in the output"
                fail(ShapeError, sentence, advice)
            if not any(item in labels for labels in self.inputs):
                fail(
                    ShapeError,
                    f"einsum(): output subscript {item} does not appear in the equation for any "
                    "input operand",
                    advice,
                )
            output.append(item)
        return output

    def _implied_output(self) -> list[Label]:
        """Return the ellipsis and the letters that occur once."""
        flat = [label for labels in self.inputs for label in labels]
        return [a for a in _alphabetical(self.inputs) if isinstance(a, int) or flat.count(a) == 1]

    def align(self, index: int, operand: Tensor) -> Tensor:
        """Return operand *index* with one dimension for each label, of size 1 for what it lacks."""
        labels = list(self.inputs[index])
        for label in dict.fromkeys(labels):
            while labels.count(label) > 1:
                operand = _diagonal_of(operand, labels, label, index)
        for label in self.labels:
            if label not in labels:
                operand = unsqueeze(operand, -1)
                labels.append(label)
        return permute(operand, tuple(labels.index(label) for label in self.labels))

    def check_sizes(self, aligned: list[Tensor]) -> None:
        """Check that the sizes of every label are equal or one."""
        for dim, label in enumerate(self.labels):
            seen = 1
            for index, operand in enumerate(aligned):
                size = operand._array.shape[dim]
                if seen != size and 1 not in {seen, size}:
                    message = _size_message(label, size, index, seen, self)
                    fail(ShapeError, message, _size_advice(label))
                seen = size if seen == 1 else seen


def _size_message(label: Label, size: int, index: int, seen: int, equation: _Equation) -> str:
    if isinstance(label, str):
        return (
            f"einsum(): subscript {label} has size {size} for operand {index} which does not "
            f"broadcast with previously seen size {seen}"
        )
    covered = sorted(a for a in equation.output if isinstance(a, int)) or [label]
    return (
        f"einsum(): dimension {label - covered[0]} covered by ellipsis in operand {index}has size "
        f"{size} which does not broadcast with previously seen ellipsis with size {seen} for the "
        "respective dimension"
    )


def _size_advice(label: Label) -> str:
    what = f"the letter {label!r} stands for" if isinstance(label, str) else "the ellipsis covers"
    return f"einsum: expected one size for what {what} in all operands, or 1."


def _tokens(text: str, start: int, where: str, twice: str, ellipsis: str) -> Iterator[str]:
    """Yield the letters of *text*, and ``...`` for an ellipsis.

    *start* is its place in the equation; the rest is what PyTorch's messages say of a stray dot.
    """
    position, found = 0, False
    while position < len(text):
        item = text[position]
        if item == ".":
            advice = "einsum: write an ellipsis as three dots, once per operand."
            if found:
                fail(ShapeError, f"einsum(): found '.' for {where} {twice}", advice)
            if text[position : position + 3] != "...":
                sentence = f"einsum(): found '.' for {where} that is not part of any {ellipsis}"
                fail(ShapeError, sentence, advice)
            found = True
            yield "..."
            position += 3
            continue
        if item != " ":
            if not (item.isascii() and item.isalpha()):
                advice = f"einsum: got {item!r}. Letters name dimensions, ',' parts operands."
                fail(ShapeError, _NOT_A_LETTER.format(start + position), advice)
            yield item
        position += 1


def _labels_of_operand(text: str, start: int, index: int, ndim: int) -> list[Label]:
    """Return the labels of one operand's dimensions."""
    where, twice = f"operand {index}", "for which an ellipsis was already found"
    items = list(_tokens(text, start, where, twice, "ellipsis"))
    letters = len([item for item in items if item != "..."])
    advice = f"einsum: operand {index} has {ndim} dimension(s), and stands as {text.strip()!r}."
    if letters > ndim and "..." in items:
        fail(
            ShapeError,
            f"einsum(): the number of subscripts in the equation ({letters}) is more than the "
            f"number of dimensions ({ndim}) for operand {index}",
            advice,
        )
    if letters != ndim and "..." not in items:
        fail(
            ShapeError,
            f"einsum(): the number of subscripts in the equation ({letters}) does not match the "
            f"number of dimensions ({ndim}) for operand {index} and no ellipsis was given",
            advice,
        )
    labels: list[Label] = []
    for item in items:
        labels += list(range(letters - ndim, 0)) if item == "..." else [item]
    return labels


def _alphabetical(inputs: list[list[Label]]) -> list[Label]:
    """Return every label once: the ellipsis' dimensions, then capitals, then small letters."""
    found = {label for labels in inputs for label in labels}
    return sorted(found, key=lambda a: (1, ord(a)) if isinstance(a, str) else (0, a))


def _diagonal_of(operand: Tensor, labels: list[Label], label: Label, index: int) -> Tensor:
    """Return *operand* with the first two dimensions of *label* made one, the later dropped."""
    first = labels.index(label)
    second = labels.index(label, first + 1)
    sizes = operand._array.shape[second], operand._array.shape[first]
    if sizes[0] != sizes[1]:
        fail(
            ShapeError,
            f"einsum(): subscript {label} is repeated for operand {index} but the sizes don't "
            f"match, {sizes[0]} != {sizes[1]}",
            "einsum: a letter twice in one operand takes the diagonal of a square.",
        )
    del labels[second]
    return movedim(diagonal(operand, 0, first, second), -1, first)


def _contract(operands: list[Tensor], kept: int) -> Tensor:
    """Return the product of *operands*, which are aligned, summed over all but the first *kept*."""
    ndim = len(operands[0]._array.shape)
    summed = list(range(kept, ndim))
    result = operands[0]
    if len(operands) == 1:
        return sum(result, summed) if summed else result
    for position, operand in enumerate(operands[1:], 1):
        later = operands[position + 1 :]
        done = [d for d in summed if all(other._array.shape[d] == 1 for other in later)]
        result = _multiply(result, operand, done)
    return view(result, tuple(result._array.shape[:kept])) if summed else result


def _multiply(left: Tensor, right: Tensor, done: list[int]) -> Tensor:
    """Return the product summed over the dimensions *done*, which are kept with size 1."""
    a, b = left._array.shape, right._array.shape
    common = [d for d in done if a[d] != 1 != b[d]]
    in_left = [d for d in done if a[d] != 1 == b[d]]
    in_right = [d for d in done if b[d] != 1 == a[d]]
    if in_left:
        left = sum(left, in_left, keepdim=True)
    if in_right:
        right = sum(right, in_right, keepdim=True)
    return _sum_of_products(left, right, common) if common else left * right


def _sum_of_products(left: Tensor, right: Tensor, common: list[int]) -> Tensor:
    """Return the product summed over dimensions that both have: one product of matrices per batch.

    What both have and is not summed is the batch; what only one has are its rows or columns.
    """
    batch, rows, columns = _split_dims(left, right, common)
    if rows and columns and columns[-1] < rows[0]:  # the other order needs no transpose afterwards
        left, right = right, left
        batch, rows, columns = _split_dims(left, right, common)
    a, b = left._array.shape, right._array.shape
    order = (*batch, *rows, *common, *columns)
    count, height, depth = (prod(a[d] for d in dims) for dims in (batch, rows, common))
    width = prod(b[d] for d in columns)
    product = bmm(
        reshape(permute(left, order), (count, height, depth)),
        reshape(permute(right, (*batch, *common, *columns, *rows)), (count, depth, width)),
    )
    shape = tuple(1 if d in common else b[d] if d in columns else a[d] for d in order)
    return permute(view(product, shape), tuple(order.index(d) for d in range(len(a))))


def _split_dims(
    left: Tensor, right: Tensor, common: list[int]
) -> tuple[list[int], list[int], list[int]]:
    """Return the dimensions that both have, those of *left* alone, and those it lacks."""
    a, b = left._array.shape, right._array.shape
    others = [d for d in range(len(a)) if d not in common]
    batch = [d for d in others if a[d] != 1 != b[d]]
    rows = [d for d in others if a[d] != 1 == b[d]]
    return batch, rows, [d for d in others if a[d] == 1]
