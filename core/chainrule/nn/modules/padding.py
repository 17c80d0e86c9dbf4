"""Padding: more elements at the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import functional as F
from ._sizes import repeated
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...tensor import Tensor

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _PadNd(Module):
    """Elements added before and behind, the last dimension first."""

    _spatial: int
    _mode: str

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = repeated(padding, 2 * self._spatial)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_PadNd):
    """Elements of one value added."""

    _mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _CircularPadNd(_PadNd):
    """What stands at the other end added."""

    _mode = "circular"

    def _check_input_dim(self, input: Tensor) -> None:
        low = self._spatial + 1
        if input.dim() not in {low, low + 1}:
            msg = f"expected {low}D or {low + 1}D input (got {input.dim()}D input)"
            raise ValueError(msg)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        return super().forward(input)


class _ReflectionPadNd(_PadNd):
    """The mirror image added."""

    _mode = "reflect"


class _ReplicationPadNd(_PadNd):
    """The edge added."""

    _mode = "replicate"


class CircularPad1d(_CircularPadNd):
    """Return the input continued by its other end.

    Args:
        padding: How many elements are added before and behind; one number for both.
    """

    _spatial = 1


class CircularPad2d(_CircularPadNd):
    """Return the input continued by its other end, in width and height."""

    _spatial = 2


class CircularPad3d(_CircularPadNd):
    """Return the input continued by its other end, in width, height and depth."""

    _spatial = 3


class ConstantPad1d(_ConstantPadNd):
    """Return the input with elements of *value* at its ends.

    Args:
        padding: How many elements are added before and behind; one number for both.
        value: Their value.

    >>> import chainrule as cr
    >>> ConstantPad1d((1, 2), 9.0)(cr.ones(1, 2))
    tensor([[9., 1., 1., 9., 9.]])
    """

    _spatial = 1


class ConstantPad2d(_ConstantPadNd):
    """Return the input with elements of *value* at its edges, in width and height."""

    _spatial = 2


class ConstantPad3d(_ConstantPadNd):
    """Return the input with elements of *value* at its edges, in width, height and depth."""

    _spatial = 3


class ReflectionPad1d(_ReflectionPadNd):
    """Return the input continued by its mirror image.

    Args:
        padding: How many elements are added before and behind; one number for both.
    """

    _spatial = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Return the input continued by its mirror image, in width and height."""

    _spatial = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Return the input continued by its mirror image, in width, height and depth."""

    _spatial = 3


class ReplicationPad1d(_ReplicationPadNd):
    """Return the input continued by its edge.

    Args:
        padding: How many elements are added before and behind; one number for both.
    """

    _spatial = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Return the input continued by its edge, in width and height."""

    _spatial = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Return the input continued by its edge, in width, height and depth."""

    _spatial = 3


class _ZeroPad:
    """Zeros added."""

    padding: tuple[int, ...]

    def __init__(self, padding: int | Sequence[int]) -> None:
        begin: Any = super().__init__
        begin(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Return the input with zeros at its ends.

    Args:
        padding: How many elements are added before and behind; one number for both.
    """


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Return the input with zeros at its edges, in width and height."""


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Return the input with zeros at its edges, in width, height and depth."""
