"""Spread: variance and standard deviation, alone or with the mean."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .._warn import warn
from ..errors import ArgumentError, DTypeError
from ..op import composite, primitive
from .norms import power_or_zero
from .reductions import expand_reduced, keep_reduced, mean, reduced_count, reduced_dims

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Number, Tensor

__all__ = ["std", "std_mean", "var", "var_mean"]


@primitive(nodes={"": "VarBackward0"})
def _var(self: Tensor, dim: tuple[int, ...], correction: Number, keepdim: bool = False) -> Tensor:
    """Return the sum of the squared distances from the mean over ``n - correction``."""


@primitive(nodes={"": "StdBackward0"})
def _std(self: Tensor, dim: tuple[int, ...], correction: Number, keepdim: bool = False) -> Tensor:
    """Return the square root of the variance."""


@primitive(nodes={"": "VarMeanBackward0"})
def _var_mean(
    self: Tensor, dim: tuple[int, ...], correction: Number, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """Return variance and mean."""


@primitive(nodes={"": "StdMeanBackward0"})
def _std_mean(
    self: Tensor, dim: tuple[int, ...], correction: Number, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """Return standard deviation and mean."""


def _var_rule(
    grad: Tensor, self: Tensor, dim: tuple[int, ...], correction: Number, keepdim: bool
) -> Any:
    shape = tuple(self._array.shape)
    freedom = reduced_count(shape, dim) - correction
    scale = 2 / freedom if freedom else float("inf")
    away = self - (mean(self, dim, True) if dim else mean(self))
    return keep_reduced(grad * scale, shape, dim, keepdim) * away


def _std_rule(
    grad: Tensor,
    self: Tensor,
    result: Tensor,
    dim: tuple[int, ...],
    correction: Number,
    keepdim: bool,
) -> Any:
    of_variance = grad * (power_or_zero(result, -1) / 2)
    return _var_rule(of_variance, self, dim, correction, keepdim)


def _mean_rule(grad: Tensor, self: Tensor, dim: tuple[int, ...], keepdim: bool) -> Tensor:
    shape = tuple(self._array.shape)
    return expand_reduced(grad / max(reduced_count(shape, dim), 1), shape, dim, keepdim)


_var.vjp(self=_var_rule)
_std.vjp(self=_std_rule)
_var_mean.vjp(
    self=lambda grads, self, dim, correction, keepdim: (
        _var_rule(grads[0], self, dim, correction, keepdim)
        + _mean_rule(grads[1], self, dim, keepdim)
    )
)
_std_mean.vjp(
    self=lambda grads, self, result0, dim, correction, keepdim: (
        _std_rule(grads[0], self, result0, dim, correction, keepdim)
        + _mean_rule(grads[1], self, dim, keepdim)
    )
)


def _arguments(
    name: str, self: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Number | None
) -> tuple[tuple[int, ...], Number, bool]:
    """Return dimensions, correction and *keepdim* from PyTorch's two ways to pass them.

    The older way has a flag, ``unbiased``, in place of the number, also as the only argument.
    """
    if isinstance(dim, bool) and unbiased is None:
        dim, unbiased = None, dim
    if unbiased is not None and (correction is not None or not isinstance(unbiased, bool)):
        msg = (
            f"{name}() received an invalid combination of arguments - got (Tensor, "
            f"unbiased={type(unbiased).__name__}, correction={type(correction).__name__}), but "
            "expected one of:\n"
            " * (Tensor input, tuple of ints dim, bool unbiased = True, bool keepdim = False)\n"
            " * (Tensor input, tuple of ints dim = None, *, Number correction = None, "
            "bool keepdim = False)\n"
            " * (Tensor input, bool unbiased = True)"
        )
        raise ArgumentError(msg)
    if not self._key.floating:
        who = "std and var" if name in {"std", "var"} else name
        msg = (
            f"{who} only support floating point and complex dtypes\n"
            f"{name}: got {self._key.dtype}. Convert with .float() first."
        )
        raise DTypeError(msg)
    dims = reduced_dims(name, dim, len(self._array.shape))
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    _warn_without_freedom(name, reduced_count(tuple(self._array.shape), dims) - correction)
    return dims, correction, keepdim


def _warn_without_freedom(name: str, freedom: Number) -> None:
    if freedom <= 0:  # type: ignore[operator]  # a correction is real
        warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the "
            "reduction factor (input numel divided by output numel).",
            UserWarning,
            stacklevel=_level_of_user(),
        )


def _level_of_user() -> int:
    """Return how far up the user's call is: an op called by keywords takes one step more."""
    level, frame = 0, sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith("chainrule."):
        level, frame = level + 1, frame.f_back
    return level + 1


@composite
def var(
    self: Tensor,
    dim: int | Sequence[int] | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
) -> Tensor:
    """Return the variance over *dim*, or of everything.

    Args:
        self: ``(*, N)``, floating or complex.
        dim: The dimension or dimensions to reduce; None or () for all.
        unbiased: The older form of *correction*: True for 1, False for 0.
        keepdim: Keep the reduced dimensions with size 1.
        correction: What is subtracted from n in the divisor; 1 by default.

    Returns:
        ``(*)``, real. With a warning, NaN or ∞ where ``n <= correction``.

    Raises:
        RuntimeError: *self* is not floating.

    Gradient:
        ``grad * 2 / (n - correction) * (self - mean)``.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0, 3.0, 4.0])
    >>> cr.var(x), cr.var(x, correction=0)
    (tensor(1.6667), tensor(1.2500))
    """
    return _var(self, *_arguments("var", self, dim, unbiased, keepdim, correction))


@composite
def std(
    self: Tensor,
    dim: int | Sequence[int] | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
) -> Tensor:
    """Return the standard deviation over *dim*, or of everything.

    Args:
        self: ``(*, N)``, floating or complex.
        dim: The dimension or dimensions to reduce; None or () for all.
        unbiased: The older form of *correction*: True for 1, False for 0.
        keepdim: Keep the reduced dimensions with size 1.
        correction: What is subtracted from n in the divisor; 1 by default.

    Returns:
        ``(*)``, real. With a warning, NaN or ∞ where ``n <= correction``.

    Raises:
        RuntimeError: *self* is not floating.

    Gradient:
        ``grad / (n - correction) * (self - mean) / result``; zero where the result is zero.

    >>> import chainrule as cr
    >>> cr.std(cr.tensor([[1.0, 3.0], [2.0, 2.0]]), dim=1)
    tensor([1.4142, 0.0000])
    """
    return _std(self, *_arguments("std", self, dim, unbiased, keepdim, correction))


@composite
def var_mean(
    self: Tensor,
    dim: int | Sequence[int] | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
) -> tuple[Tensor, Tensor]:
    """Return variance and mean over *dim*: `var` and `mean` in one pass.

    Gradient:
        The sum of both.

    >>> import chainrule as cr
    >>> cr.var_mean(cr.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    return _var_mean(self, *_arguments("var_mean", self, dim, unbiased, keepdim, correction))


@composite
def std_mean(
    self: Tensor,
    dim: int | Sequence[int] | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
) -> tuple[Tensor, Tensor]:
    """Return standard deviation and mean over *dim*: `std` and `mean` in one pass.

    Gradient:
        The sum of both.

    >>> import chainrule as cr
    >>> cr.std_mean(cr.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    return _std_mean(self, *_arguments("std_mean", self, dim, unbiased, keepdim, correction))
