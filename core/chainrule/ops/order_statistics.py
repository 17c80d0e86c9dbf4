"""Elements by rank or by frequency: median, k-th value, mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ShapeError
from ..op import composite, primitive
from .extrema import place, selected_dim, share_among_ties
from .return_types import kthvalue as kthvalue_result
from .return_types import median as median_result
from .return_types import mode as mode_result
from .return_types import nanmedian as nanmedian_result

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["kthvalue", "median", "mode", "nanmedian"]


def _refused(kernel: str) -> dict[str, str]:
    """Return what has no rank, with PyTorch's name of the kernel that it lacks."""
    return {"bool": kernel, "complex": kernel}


@primitive(promote="arithmetic", nodes={"": "MedianBackward0"}, refuses=_refused("median_cpu"))
def _median_all(self: Tensor) -> Tensor:
    """Return the lower median; NaN if there is one."""


@primitive(promote="arithmetic", nodes={"": "NanmedianBackward0"}, refuses=_refused("median_cpu"))
def _nanmedian_all(self: Tensor) -> Tensor:
    """Return the lower median of what is a number."""


@primitive(nodes={"": "MedianBackward1"}, refuses=_refused("median_out"))
def _median_dim(self: Tensor, dim: int, keepdim: bool = False) -> median_result:
    """Return the lower medians along *dim*, and where they stand."""


@primitive(nodes={"": "NanmedianBackward1"}, refuses=_refused("median_out"))
def _nanmedian_dim(self: Tensor, dim: int, keepdim: bool = False) -> nanmedian_result:
    """Return the lower medians along *dim* of what is a number, and where they stand."""


@primitive(nodes={"": "KthvalueBackward0"}, refuses=_refused("kthvalue_cpu"))
def _kthvalue(self: Tensor, k: int, dim: int, keepdim: bool = False) -> kthvalue_result:
    """Return the k-th smallest elements along *dim*, and where they stand."""


@primitive(nodes={"": "ModeBackward0"}, refuses={"complex": "mode_cpu"})
def _mode(self: Tensor, dim: int, keepdim: bool = False) -> mode_result:
    """Return the most frequent elements along *dim*, and where they stand last."""


_median_all.vjp(self=share_among_ties)
_nanmedian_all.vjp(self=share_among_ties)
_median_dim.vjp(self=place)
_nanmedian_dim.vjp(self=place)
_kthvalue.vjp(self=place)
_mode.vjp(self=place)


@composite
def median(self: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the median: of an even number of elements the lower one of the two in the middle.

    Args:
        self: ``(*, N)``, any real dtype but bool.
        dim: The dimension to reduce; None for all.
        keepdim: Keep the reduced dimension with size 1.

    Returns:
        One element; with *dim*, a named tuple of ``values`` and ``indices``, both ``(*)``. NaN
        where there is one; the median of nothing is NaN.

    Raises:
        IndexError: *dim* is out of range, or empty.

    Gradient:
        Without *dim*, ``grad`` in equal parts at all elements that equal the result; with *dim*,
        ``grad`` at ``indices``.

    Differs from PyTorch:
        Of equal elements, ``indices`` names the one that a stable sort puts at the middle.

    >>> import chainrule as cr
    >>> cr.median(cr.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    """
    if dim is None:
        return _median_all(self)
    return _median_dim(self, selected_dim("median", dim, self), keepdim)  # type: ignore[return-value]  # PyTorch's overload


@composite
def nanmedian(self: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the median of what is a number.

    Args:
        self: ``(*, N)``, any real dtype but bool.
        dim: The dimension to reduce; None for all.
        keepdim: Keep the reduced dimension with size 1.

    Returns:
        One element; with *dim*, a named tuple of ``values`` and ``indices``, both ``(*)``. NaN
        where there is nothing else.

    Raises:
        IndexError: *dim* is out of range, or empty.

    Gradient:
        As for `median`.

    Differs from PyTorch:
        As for `median`.

    >>> import chainrule as cr
    >>> cr.nanmedian(cr.tensor([4.0, float("nan"), 3.0, 2.0]))
    tensor(3.)
    """
    if dim is None:
        return _nanmedian_all(self)
    return _nanmedian_dim(self, selected_dim("median", dim, self), keepdim)  # type: ignore[return-value]  # PyTorch's overload


@composite
def kthvalue(self: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> kthvalue_result:
    """Return the k-th smallest element along *dim*, counted from 1, and where it stands.

    Args:
        self: ``(*, N)``, any real dtype but bool.
        k: The rank, from 1 to N.
        dim: The dimension to reduce.
        keepdim: Keep the reduced dimension with size 1.

    Returns:
        A named tuple of ``values`` and ``indices``, both ``(*)``. NaN is larger than every number.

    Raises:
        RuntimeError: *k* is out of range.
        IndexError: *dim* is out of range, or empty.

    Gradient:
        ``grad`` at ``indices``.

    Differs from PyTorch:
        Of equal elements, ``indices`` names the one that a stable sort puts at place k.

    >>> import chainrule as cr
    >>> cr.kthvalue(cr.tensor([30, 10, 20]), 2)
    torch.return_types.kthvalue(
    values=tensor(20),
    indices=tensor(2))
    """
    wrapped = selected_dim("kthvalue", dim, self)
    count = self._array.shape[wrapped] if self._array.shape else 1
    if not 1 <= k <= count:
        msg = (
            f"kthvalue(): selected number k out of range for dimension {wrapped}\n"
            f"kthvalue: expected a rank from 1 to {count}, got {k}."
        )
        raise ShapeError(msg)
    return _kthvalue(self, k, wrapped, keepdim)


@composite
def mode(self: Tensor, dim: int = -1, keepdim: bool = False) -> mode_result:
    """Return the most frequent element along *dim*, and where it stands last.

    Args:
        self: ``(*, N)``, any real dtype.
        dim: The dimension to reduce.
        keepdim: Keep the reduced dimension with size 1.

    Returns:
        A named tuple of ``values`` and ``indices``, both ``(*)``. Of equally frequent elements the
        smallest is taken.

    Raises:
        IndexError: *dim* is out of range, or empty.

    Gradient:
        ``grad`` at ``indices``.

    >>> import chainrule as cr
    >>> cr.mode(cr.tensor([3, 1, 3, 2]))
    torch.return_types.mode(
    values=tensor(3),
    indices=tensor(2))
    """
    return _mode(self, selected_dim("mode", dim, self), keepdim)
