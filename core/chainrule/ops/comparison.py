"""Comparisons and tests of each element, and logic: all give bools and have no gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import primitive

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = [
    "eq", "ge", "greater", "greater_equal", "gt", "isfinite", "isinf",
    "isnan", "isneginf", "isposinf", "le", "less", "less_equal", "logical_and", "logical_not",
    "logical_or", "logical_xor", "lt", "ne", "not_equal",
]  # fmt: skip


@primitive(promote="compare")
def eq(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return where *self* equals *other*, broadcasting. NaN equals nothing.

    Args:
        self: ``(*)``, any dtype.
        other: ``(*)`` that broadcasts with *self*, or a Python number.

    Returns:
        The broadcast shape, bool.

    >>> import chainrule as cr
    >>> cr.tensor([1, 2]) == 2
    tensor([False,  True])
    """


@primitive(promote="compare")
def ne(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return where *self* differs from *other*, broadcasting. NaN differs from everything.

    >>> import chainrule as cr
    >>> cr.tensor([1, 2]) != 2
    tensor([ True, False])
    """


@primitive(promote="compare", refuses={"complex": "lt_cpu"})
def lt(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return where *self* is less than *other*, broadcasting.

    >>> import chainrule as cr
    >>> cr.tensor([1, 2]) < 2
    tensor([ True, False])
    """


@primitive(promote="compare", refuses={"complex": "le_cpu"})
def le(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return where *self* is less than *other* or equal, broadcasting.

    >>> import chainrule as cr
    >>> cr.tensor([1, 2, 3]) <= 2
    tensor([ True,  True, False])
    """


@primitive(promote="compare", refuses={"complex": "gt_cpu"})
def gt(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return where *self* is greater than *other*, broadcasting.

    >>> import chainrule as cr
    >>> cr.tensor([1, 2, 3]) > 2
    tensor([False, False,  True])
    """


@primitive(promote="compare", refuses={"complex": "ge_cpu"})
def ge(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return where *self* is greater than *other* or equal, broadcasting.

    >>> import chainrule as cr
    >>> cr.tensor([1, 2, 3]) >= 2
    tensor([False,  True,  True])
    """


@primitive(promote="compare")
def logical_and(self: Tensor, other: Tensor) -> Tensor:
    """Return where both are true, that is not zero, broadcasting.

    >>> import chainrule as cr
    >>> cr.logical_and(cr.tensor([0, 1, 2]), cr.tensor([1, 1, 0]))
    tensor([False,  True, False])
    """


@primitive(promote="compare")
def logical_or(self: Tensor, other: Tensor) -> Tensor:
    """Return where one of the two is true, that is not zero, or both are, broadcasting.

    >>> import chainrule as cr
    >>> cr.logical_or(cr.tensor([0, 1, 0]), cr.tensor([1, 1, 0]))
    tensor([ True,  True, False])
    """


@primitive(promote="compare")
def logical_xor(self: Tensor, other: Tensor) -> Tensor:
    """Return where one of the two is true, that is not zero, and the other is not, broadcasting.

    >>> import chainrule as cr
    >>> cr.logical_xor(cr.tensor([0, 1, 0]), cr.tensor([1, 1, 0]))
    tensor([ True, False, False])
    """


for _comparison in (eq, ne, lt, le, gt, ge, logical_and, logical_or, logical_xor):
    _comparison.vjp(self=None, other=None)


@primitive(promote="compare")
def logical_not(self: Tensor) -> Tensor:
    """Return where *self* is zero.

    >>> import chainrule as cr
    >>> cr.logical_not(cr.tensor([0, 1, 2]))
    tensor([ True, False, False])
    """


@primitive(promote="compare")
def isnan(self: Tensor) -> Tensor:
    """Return where *self* is not a number; a complex one where one of its parts is not.

    >>> import chainrule as cr
    >>> cr.isnan(cr.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """


@primitive(promote="compare")
def isinf(self: Tensor) -> Tensor:
    """Return where *self* is infinite; a complex one where one of its parts is.

    >>> import chainrule as cr
    >>> cr.isinf(cr.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """


@primitive(promote="compare")
def isfinite(self: Tensor) -> Tensor:
    """Return where *self* is neither infinite nor NaN.

    >>> import chainrule as cr
    >>> cr.isfinite(cr.tensor([1.0, float("inf"), float("nan")]))
    tensor([ True, False, False])
    """


@primitive(promote="compare", refuses={"complex": "isposinf does not support complex inputs."})
def isposinf(self: Tensor) -> Tensor:
    """Return where *self* is plus infinity.

    >>> import chainrule as cr
    >>> cr.isposinf(cr.tensor([float("inf"), float("-inf")]))
    tensor([ True, False])
    """


@primitive(promote="compare", refuses={"complex": "isneginf does not support complex inputs."})
def isneginf(self: Tensor) -> Tensor:
    """Return where *self* is minus infinity.

    >>> import chainrule as cr
    >>> cr.isneginf(cr.tensor([float("inf"), float("-inf")]))
    tensor([False,  True])
    """


for _test in (logical_not, isnan, isinf, isfinite, isposinf, isneginf):
    _test.vjp(self=None)


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
