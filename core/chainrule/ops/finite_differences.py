"""Differences and sums along samples of a function: derivative, integral, powers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from ..errors import ArgumentError, DimError, DTypeError, ShapeError
from ..naming import numpy_names
from ..op import composite
from ..shapes import wrap_dim, wrap_dims
from ..views import own
from .linalg_checks import fail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Number, Tensor

__all__ = ["cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz", "vander"]


# Integrals


def _pairs(name: str, y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, Any, int]:
    """Return the sums of neighbours, the widths between them, and the dimension."""
    if not y._array.shape:
        sentence = f"Dimension specified as {dim} but tensor has no dimensions"
        fail(DimError, sentence, f"{name}: expected samples along a dimension.")
    if y._key.category == dtypes.BOOL:
        sentence = f"{name}: received a bool input for `y`, but bool is not supported"
        fail(DTypeError, sentence, f"{name}: convert with .float() first.")
    d = wrap_dim(dim, len(y._array.shape))
    count = y._array.shape[d]
    widths: Any = 1.0 if dx is None else dx
    if x is not None:
        widths = _widths(name, y, x, d)
    if count < 2:
        return y.narrow(d, 0, 0), widths, d
    return y.narrow(d, 0, count - 1) + y.narrow(d, 1, count - 1), widths, d


def _widths(name: str, y: Any, x: Any, d: int) -> Any:
    if x._key.category == dtypes.BOOL:
        sentence = f"{name}: received a bool input for `x`, but bool is not supported"
        fail(DTypeError, sentence, f"{name}: convert with .float() first.")
    shape, count = tuple(x._array.shape), y._array.shape[d]
    if len(shape) == 1:
        if shape[0] != count:
            sentence = f"{name}: There must be one `x` value for each sample point"
            fail(ShapeError, sentence, f"{name}: expected {count}, got {shape[0]}.")
        x = x.reshape([count if i == d else 1 for i in range(len(y._array.shape))])
    elif len(shape) < len(y._array.shape):
        x = x.reshape([1] * (len(y._array.shape) - len(shape)) + list(shape))
    size = x._array.shape[d]
    return x.narrow(d, 1, size - 1) - x.narrow(d, 0, size - 1) if size else x


@composite
def trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: Number | None = None, dim: int = -1
) -> Tensor:
    """Return the integral of samples along *dim*, by the trapezoidal rule.

    Args:
        y: ``(*, N)``, the samples.
        x: Where they were taken, ``(N,)`` or a shape that broadcasts.
        dx: The distance between them, in place of *x*; by default 1.
        dim: The dimension of the samples.

    Returns:
        ``(*)``.

    Raises:
        TypeError: both *x* and *dx* are given.
        RuntimeError: the sizes do not fit, or a dtype is bool.

    >>> import chainrule as cr
    >>> cr.trapezoid(cr.tensor([0.0, 1.0, 2.0]))
    tensor(2.)
    """
    _one_of("trapezoid", x, dx)
    sums, widths, d = _pairs("trapezoid", y, x, dx, dim)
    return _halved(sums * widths).sum(d)


@composite
def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: Number | None = None, dim: int = -1
) -> Tensor:
    """Return the integral up to each sample but the first; arguments as for `trapezoid`.

    >>> import chainrule as cr
    >>> cr.cumulative_trapezoid(cr.tensor([0.0, 1.0, 2.0]))
    tensor([0.5000, 2.0000])
    """
    _one_of("cumulative_trapezoid", x, dx)
    sums, widths, d = _pairs("cumulative_trapezoid", y, x, dx, dim)
    return _halved(sums * widths).cumsum(d)


def _halved(x: Any) -> Any:
    return x / 2 if x._key.floating else x.to(dtypes.get_default_dtype()) / 2


def _one_of(name: str, x: Any, dx: Any) -> None:
    if x is not None and dx is not None:
        sentence = (
            f"{name}() received an invalid combination of arguments - got (Tensor, Tensor, "
            f"dx={type(dx).__name__}), but expected one of:"
        )
        fail(ArgumentError, sentence, f"{name}: give x or dx, not both.")


@numpy_names
def trapz(y: Tensor, x: Tensor | None = None, *, dx: Number | None = None, dim: int = -1) -> Tensor:
    """Return `trapezoid` of the same arguments: its older name."""
    return trapezoid(y, x, dx=dx, dim=dim)


# Differences


@composite
def diff(
    self: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """Return the differences of neighbours along *dim*, *n* times over.

    Args:
        self: ``(*, N)``, any dtype; of bools, whether they differ.
        n: How often.
        dim: The dimension of the samples.
        prepend: Put before them first.
        append: Put behind them first.

    Returns:
        ``(*, N - n)``.

    Raises:
        RuntimeError: *n* is negative, or the shapes do not fit.

    >>> import chainrule as cr
    >>> cr.diff(cr.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    ndim = len(self._array.shape)
    if ndim < 1:
        fail(ShapeError, "diff expects input to be at least one-dimensional", "diff: got a number.")
    if n < 0:
        fail(ShapeError, f"order must be non-negative but got {n}", "diff: how often?")
    d = wrap_dim(dim, ndim)
    parts = [t for t in (prepend, self, append) if t is not None]
    if any(len(t._array.shape) != ndim for t in parts):
        sentence = "diff expects prepend or append to be the same dimension as input"
        fail(ShapeError, sentence, "diff: reshape it.")
    found: Any = ops.cat(parts, d) if len(parts) > 1 else self
    if n == 0:
        return found.clone()
    for _ in range(n):
        count = found._array.shape[d]
        if not count:
            break
        high, low = found.narrow(d, 1, count - 1), found.narrow(d, 0, count - 1)
        found = ops.logical_xor(high, low) if found._key.category == dtypes.BOOL else high - low
    return found


@numpy_names
def gradient(
    input: Tensor,
    *,
    spacing: Number | Sequence[Any] | Tensor | None = None,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
) -> tuple[Tensor, ...]:
    """Return the derivative of samples by central differences of second order, per dimension.

    Args:
        input: The samples.
        spacing: The distance of neighbours, one number or one per dimension, by default 1; or per
            dimension the places of the samples.
        dim: The dimensions to derive along; by default all.
        edge_order: 1 or 2, of the differences at both ends.

    Returns:
        A tuple of tensors shaped as *input*.

    Raises:
        RuntimeError: sizes or *edge_order* do not fit.

    >>> import chainrule as cr
    >>> cr.gradient(cr.tensor([1.0, 4.0, 9.0, 16.0]))
    (tensor([3., 4., 6., 7.]),)
    """
    ndim = len(input._array.shape)
    dims = range(ndim) if dim is None else wrap_dims(dim, ndim)
    many = isinstance(spacing, (tuple, list))
    steps: Any = spacing if many else [1 if spacing is None else spacing] * len(dims)
    if len(steps) != len(dims):
        described = (
            f"'self.dim() = {ndim}', since dim argument was not given" if dim is None
            else f"'dim' which is {len(dims)}"
        )  # fmt: skip
        sentence = (
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length "
            f"equal to {described}, but got a list of length {len(steps)}"
        )
        fail(ShapeError, sentence, "gradient: one distance per dimension.")
    if edge_order not in {1, 2}:
        sentence = "torch.gradient only supports edge_order=1 and edge_order=2."
        fail(ShapeError, sentence, f"gradient: got {edge_order}.")
    for d in dims:
        if input._array.shape[d] <= edge_order:
            sentence = "torch.gradient expected each dimension size to be at least edge_order+1"
            fail(ShapeError, sentence, f"gradient: got {input._array.shape[d]}.")
    x = input if input._key.floating else input.to(dtypes.get_default_dtype())
    return tuple(_derived(x, d, step, edge_order) for d, step in zip(dims, steps, strict=True))


def _derived(x: Any, d: int, step: Any, edge_order: int) -> Any:
    """Return the derivative along one dimension."""
    x = x.movedim(d, -1)
    if hasattr(step, "_key") and step._array.shape:
        inner, first, last = _with_places(x, step, edge_order)
    else:
        inner, first, last = _with_step(x, step, edge_order)
    return own(ops.cat([first, inner, last], -1).movedim(-1, d))


def _with_step(x: Any, h: Any, edge_order: int) -> tuple[Any, Any, Any]:
    inner = (x[..., 2:] - x[..., :-2]) / 2 / h
    if edge_order == 1:
        return inner, (x[..., 1:2] - x[..., :1]) / h, (x[..., -1:] - x[..., -2:-1]) / h
    first = (-1.5 * x[..., :1] + 2 * x[..., 1:2] - 0.5 * x[..., 2:3]) / h
    last = (0.5 * x[..., -3:-2] - 2 * x[..., -2:-1] + 1.5 * x[..., -1:]) / h
    return inner, first, last


def _with_places(x: Any, places: Any, edge_order: int) -> tuple[Any, Any, Any]:
    """Return the differences of second order at places that need not be evenly spaced.

    Source:
        B. Fornberg (1988), Math. Comp. 51, 699.
    """
    h = places[1:] - places[:-1]
    a, b = h[:-1], h[1:]
    inner = (
        x[..., :-2] * (-b / (a * (a + b)))
        + x[..., 1:-1] * ((b - a) / (a * b))
        + x[..., 2:] * (a / (b * (a + b)))
    )
    if edge_order == 1:
        first = (x[..., 1:2] - x[..., :1]) / h[:1]
        return inner, first, (x[..., -1:] - x[..., -2:-1]) / h[-1:]
    a, b = h[:1], h[1:2]
    first = (
        x[..., :1] * (-(2 * a + b) / (a * (a + b)))
        + x[..., 1:2] * ((a + b) / (a * b))
        + x[..., 2:3] * (-a / (b * (a + b)))
    )
    a, b = h[-2:-1], h[-1:]
    last = (
        x[..., -3:-2] * (b / (a * (a + b)))
        + x[..., -2:-1] * (-(a + b) / (a * b))
        + x[..., -1:] * ((2 * b + a) / (b * (a + b)))
    )
    return inner, first, last


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Return the powers of the elements of a vector, as rows: N - 1 to 0, or *increasing*.

    >>> import chainrule as cr
    >>> cr.vander(cr.tensor([2, 3]), 3)
    tensor([[4, 2, 1],
            [9, 3, 1]])
    """
    if len(x._array.shape) != 1:
        fail(ShapeError, "x must be a one-dimensional tensor.", "vander: expected a vector.")
    count = x._array.shape[0] if N is None else N
    if count < 0:
        fail(ShapeError, "N must be non-negative.", f"vander: got {count}.")
    wide = x if x._key.floating else x.to(dtypes.int64)
    if count < 2:
        return ops.ones(x._array.shape[0], count, dtype=wide._key.dtype, device=x.device)
    powers = wide.unsqueeze(-1).expand(x._array.shape[0], count - 1).cumprod(-1)
    made: Tensor = ops.cat([ops.ones_like(powers[:, :1]), powers], -1)
    return made if increasing else made.flip(1)
