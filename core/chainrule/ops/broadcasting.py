"""Broadcasting: one element standing for many, without a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import shapes
from ..errors import ShapeError
from ..op import primitive
from ._arguments import check_tensor, check_tensors, integers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..shapes import Size
    from ..tensor import Tensor

__all__ = [
    "_expand", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "expand", "expand_as",
]  # fmt: skip


@primitive(view=True, nodes={"": "ExpandBackward0"})
def _expand(self: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return *self* with dimensions of size 1 repeated to *size*, without a copy."""


_expand.vjp(self=lambda grad: grad)  # the engine sums over what was repeated


def expand(input: Tensor, *sizes: Any, size: Any = None, implicit: bool = False) -> Tensor:
    """Return *input* with dimensions of size 1 repeated to larger sizes; a view, nothing is copied.

    Args:
        input: ``(*)``.
        sizes: The new shape, as integers or one sequence. New dimensions may stand in front; -1
            keeps a size.
        size: The shape, by name.
        implicit: Taken and ignored.

    Raises:
        RuntimeError: a size other than 1 would have to change.

    Gradient:
        ``grad``, summed over what was repeated.

    >>> import chainrule as cr
    >>> cr.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    check_tensor("expand", input)
    wanted = integers("expand", "size", sizes, size)
    return _expand.fast(input, expanded_size(input, wanted))  # type: ignore[no-any-return]  # an op's result


def expanded_size(input: Tensor, size: tuple[int, ...]) -> tuple[int, ...]:
    """Return *size* with each -1 replaced by the size of *input* there.

    Raises:
        ShapeError: *input* does not expand to it.
    """
    shape = input._array.shape
    extra = len(size) - len(shape)
    if extra < 0:
        kind = f"torch.{input._key.dtype.scalar_name}Tensor"
        msg = (
            f"expand({kind}{{{list(shape)}}}, size={list(size)}): the number of sizes provided "
            f"({len(size)}) must be greater or equal to the number of dimensions in the tensor "
            f"({len(shape)})"
        )
        raise ShapeError(msg)
    found = list(size)
    for dim, wanted in enumerate(size):
        have = shape[dim - extra] if dim >= extra else 1
        if wanted == -1 and dim >= extra:
            found[dim] = have
        elif wanted == -1:
            msg = (
                "The expanded size of the tensor (-1) isn't allowed in a leading, "
                f"non-existing dimension {dim}"
            )
            raise ShapeError(msg)
        elif wanted != have and (have != 1 or wanted < 0):
            msg = (
                f"The expanded size of the tensor ({wanted}) must match the existing size ({have}) "
                f"at non-singleton dimension {dim}.  Target sizes: {list(size)}.  "
                f"Tensor sizes: {list(shape)}"
            )
            raise ShapeError(msg)
    return tuple(found)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Return ``input.expand(other.shape)``."""
    return expand(input, other._array.shape)


def broadcast_to(input: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """Return *input* expanded to the shape *size*; a view.

    >>> import chainrule as cr
    >>> cr.broadcast_to(cr.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, *sizes, size=size)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Return *tensors* expanded to the shape they broadcast to.

    Raises:
        RuntimeError: they do not broadcast.

    >>> import chainrule as cr
    >>> [x.shape for x in cr.broadcast_tensors(cr.ones(3, 1), cr.ones(2))]
    [torch.Size([3, 2]), torch.Size([3, 2])]
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    check_tensors("broadcast_tensors", tensors)
    shape = tuple(shapes.broadcast_shapes(*(x._array.shape for x in tensors)))
    return tuple(x if tuple(x._array.shape) == shape else _expand(x, shape) for x in tensors)


def broadcast_shapes(*sizes: int | Sequence[int]) -> Size:
    """Return the shape that *sizes* broadcast to.

    Raises:
        RuntimeError: two sizes differ and neither is 1.

    >>> import chainrule as cr
    >>> cr.broadcast_shapes((3, 1), (4,), 1)
    torch.Size([3, 4])
    """
    found: tuple[int, ...] = ()
    for number, size in enumerate(sizes):
        one = (size,) if isinstance(size, int) else tuple(size)
        for back in range(1, len(one) + 1):
            have = found[-back] if back <= len(found) else 1
            if one[-back] < 0 or (one[-back] not in {1, have} and have != 1):
                msg = (
                    f"Attempting to broadcast a dimension of length {one[-back]} at -{back}! "
                    f"Mismatching argument at index {number} had {one}; but expected shape should "
                    f"be broadcastable to {list(found)}"
                )
                raise ShapeError(msg)
        found = tuple(shapes.broadcast_shapes(found, one))
    return shapes.Size(found)
