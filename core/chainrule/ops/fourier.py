"""The discrete Fourier transform, of complex numbers, of real ones, and back to real ones.

Three ops do it all. Each is linear, so its gradient is its adjoint, which is one of the three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from ..errors import DimError, DTypeError, ShapeError
from ..op import composite, primitive
from ..shapes import wrap_dim
from .complex import conj, conj_physical
from .linalg_checks import fail
from .padding import constant_pad_nd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = [
    "fft_fft", "fft_fft2", "fft_fftn", "fft_hfft", "fft_hfft2", "fft_hfftn", "fft_ifft",
    "fft_ifft2", "fft_ifftn", "fft_ihfft", "fft_ihfft2", "fft_ihfftn", "fft_irfft", "fft_irfft2",
    "fft_irfftn", "fft_rfft", "fft_rfft2", "fft_rfftn",
]  # fmt: skip

_LAST_TWO = (-2, -1)


@primitive(nodes={"": "FftC2CBackward0"}, dtype="same")
def _fft_c2c(
    self: Tensor, dim: tuple[int, ...], normalization: int, forward: bool = True
) -> Tensor:
    """Return the transform of complex numbers over *dim*, or its inverse."""


@primitive(nodes={"": "FftR2CBackward0"}, saves=("self",))
def _fft_r2c(
    self: Tensor, dim: tuple[int, ...], normalization: int, onesided: bool = True
) -> Tensor:
    """Return the transform of real numbers; *onesided*, the first half of the last dimension."""


@primitive(nodes={"": "FftC2RBackward0"})
def _fft_c2r(self: Tensor, dim: tuple[int, ...], normalization: int, last_dim_size: int) -> Tensor:
    """Return the inverse transform of the first half of a Hermitian spectrum: real numbers."""


def _r2c_rule(
    grad: Any, self_shape: Any, dim: tuple[int, ...], normalization: int, onesided: bool
) -> Any:
    last = dim[-1]
    if onesided:
        grad = resized(grad, last, self_shape[last])
    return _fft_c2c(grad, dim, normalization, False).real


def _c2r_rule(grad: Any, self_shape: Any, dim: tuple[int, ...], normalization: int) -> Any:
    last, half = dim[-1], self_shape[dim[-1]]
    pulled = _fft_r2c(grad, dim, normalization, True)
    twice = grad._array.shape[last] - half
    if twice <= 0:
        return pulled
    # All but the first (and, of an even number, the last) stand for two of the whole spectrum.
    weight = ops.ones(half, dtype=grad._key.dtype, device=grad.device)
    weight[1 : 1 + twice] = 2
    shape = [1] * len(self_shape)
    shape[last] = half
    return pulled * weight.reshape(shape)


_fft_c2c.vjp(
    self=lambda grad, dim, normalization, forward: _fft_c2c(grad, dim, normalization, not forward)
)
_fft_r2c.vjp(self=_r2c_rule)
_fft_c2r.vjp(self=_c2r_rule)


# Arguments


def resized(x: Any, dim: int, n: int) -> Any:
    """Return *x* cut, or filled up with zeros, to *n* elements along *dim*."""
    count = x._array.shape[dim]
    if n <= count:
        return x if n == count else x.narrow(dim, 0, n)
    behind = len(x._array.shape) - 1 - wrap_dim(dim, len(x._array.shape))
    return constant_pad_nd(x, (0, 0) * behind + (0, n - count))


def _normalization(norm: str | None, *, forward: bool) -> int:
    if norm == "ortho":
        return 1
    if norm in {None, "backward"}:
        return 0 if forward else 2
    if norm == "forward":
        return 2 if forward else 0
    sentence = f'Invalid normalization mode: "{norm}"'
    return fail(ShapeError, sentence, 'expected "backward", "ortho" or "forward".')


def _as_floating(x: Any) -> Any:
    """Return *x* in a dtype that is transformed."""
    dtype = x._key.dtype
    if not x._key.floating:
        return x.to(dtypes.get_default_dtype())
    if dtype.itemsize == 2:
        fail(DTypeError, f"Unsupported dtype {dtype.scalar_name}", "fft: convert to float32.")
    return x


def _as_complex(x: Any) -> Any:
    x = _as_floating(x)
    return x if x._key.complex else x.to(x._key.dtype.to_complex())


def _as_real(name: str, x: Any) -> Any:
    if x._key.complex:
        sentence = f"{name} expects a real input tensor, but got {x._key.dtype.scalar_name}"
        fail(DTypeError, sentence, f"{name}: take .real, or use the transform of complex numbers.")
    return _as_floating(x)


def _one_dim(x: Any, dim: int) -> int:
    if not x._array.shape:
        sentence = f"Dimension specified as {dim} but tensor has no dimensions"
        fail(DimError, sentence, "fft: expected at least one dimension.")
    return wrap_dim(dim, len(x._array.shape))


def _check_points(n: int) -> None:
    if n < 1:
        sentence = f"Invalid number of data points ({n}) specified"
        fail(ShapeError, sentence, "fft: expected at least one.")


def _dims_and_sizes(x: Any, s: Any, dim: Any) -> tuple[list[int], list[int]]:
    """Return the dimensions to transform, counted from the front, and their sizes."""
    shape = tuple(x._array.shape)
    sizes = None if s is None else [s] if isinstance(s, int) else list(s)
    dims = None if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if dims is not None:
        dims = [wrap_dim(d, len(shape)) for d in dims]
        if len(set(dims)) != len(dims):
            fail(ShapeError, "FFT dims must be unique", f"fft: got {tuple(dims)}.")
    if sizes is not None:
        if dims is not None and len(dims) != len(sizes):
            sentence = "When given, dim and shape arguments must have the same length"
            fail(ShapeError, sentence, f"fft: got {len(dims)} and {len(sizes)}.")
        if len(sizes) > len(shape):
            sentence = (
                f"Got shape with {len(sizes)} values but input tensor only has {len(shape)} "
                "dimensions."
            )
            fail(ShapeError, sentence, "fft: one size per dimension.")
        dims = [*range(len(shape) - len(sizes), len(shape))] if dims is None else dims
    dims = [*range(len(shape))] if dims is None else dims
    given = [-1] * len(dims) if sizes is None else sizes
    found = [shape[d] if n == -1 else n for d, n in zip(dims, given, strict=True)]
    for n in found:
        _check_points(n)
    return dims, found


def _all_resized(x: Any, dims: Sequence[int], sizes: Sequence[int]) -> Any:
    for d, n in zip(dims, sizes, strict=True):
        x = resized(x, d, n)
    return x


def _need_axis(name: str, dims: Sequence[int]) -> None:
    if not dims:
        sentence = f"{name} must transform at least one axis"
        fail(ShapeError, sentence, f"{name}: name a dimension.")


# One dimension


def _c2c(x: Any, n: int | None, dim: int, norm: str | None, *, forward: bool) -> Any:
    x = _as_floating(x)
    d = _one_dim(x, dim)
    count = x._array.shape[d] if n is None else n
    _check_points(count)
    x = resized(x, d, count)
    mode = _normalization(norm, forward=forward)
    if x._key.complex:
        return _fft_c2c(x, (d,), mode, forward)
    made = _fft_r2c(x, (d,), mode, False)
    return made if forward else conj(made)


@composite
def fft_fft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the discrete Fourier transform along *dim*.

    Args:
        self: ``(*, N)``, any dtype but 16-bit floats; integers become floating.
        n: Cut, or fill up with zeros, to so many points first.
        dim: The dimension to transform.
        norm: ``"backward"`` (the default): no factor; ``"ortho"``: over the square root of n;
            ``"forward"``: over n.

    Returns:
        ``(*, n)``, complex.

    Raises:
        RuntimeError: dtype, *n* or *norm* does not fit.
        IndexError: *dim* is out of range.

    Gradient:
        The inverse transform of ``grad`` with the same factor.

    >>> import chainrule as cr
    >>> cr.fft.fft(cr.tensor([1.0, 0.0, 0.0, 0.0]))
    tensor([1.+0.j, 1.+0.j, 1.+0.j, 1.+0.j])
    """
    return _c2c(self, n, dim, norm, forward=True)


@composite
def fft_ifft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of `fft`: arguments are alike, the default *norm* divides by n.

    >>> import chainrule as cr
    >>> cr.fft.ifft(cr.tensor([4.0, 0.0, 0.0, 0.0])).real
    tensor([1., 1., 1., 1.])
    """
    return _c2c(self, n, dim, norm, forward=False)


@composite
def fft_rfft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the transform of real numbers: of its Hermitian result, the first half.

    Args:
        self: ``(*, N)``, real.
        n: As for `fft`.
        dim: The dimension to transform.
        norm: As for `fft`.

    Returns:
        ``(*, n // 2 + 1)``, complex.

    Raises:
        RuntimeError: *self* is complex, or as for `fft`.

    >>> import chainrule as cr
    >>> cr.fft.rfft(cr.tensor([1.0, 0.0, 0.0, 0.0]))
    tensor([1.+0.j, 1.+0.j, 1.+0.j])
    """
    return _r2c("rfft", self, n, dim, norm, forward=True)


def _r2c(name: str, x: Any, n: int | None, dim: int, norm: str | None, *, forward: bool) -> Any:
    x = _as_real(name, x)
    d = _one_dim(x, dim)
    count = x._array.shape[d] if n is None else n
    _check_points(count)
    made = _fft_r2c(resized(x, d, count), (d,), _normalization(norm, forward=forward), True)
    return made if forward else conj(made)


def _c2r(x: Any, n: int | None, dim: int, norm: str | None, *, forward: bool) -> Any:
    x = _as_complex(x)
    d = _one_dim(x, dim)
    count = 2 * (x._array.shape[d] - 1) if n is None else n
    _check_points(count)
    x = resized(x, d, count // 2 + 1)
    mode = _normalization(norm, forward=forward)
    return _fft_c2r(conj(x) if forward else x, (d,), mode, count)


@composite
def fft_irfft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of `rfft`.

    Args:
        self: ``(*, k)``, the first half of a Hermitian spectrum.
        n: The number of points of the result; by default the even ``2 * (k - 1)``.
        dim: The dimension to transform.
        norm: As for `ifft`.

    Returns:
        ``(*, n)``, real.

    >>> import chainrule as cr
    >>> cr.fft.irfft(cr.tensor([1.0, 1.0, 1.0]))
    tensor([1., 0., 0., 0.])
    """
    return _c2r(self, n, dim, norm, forward=False)


@composite
def fft_hfft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the transform of a Hermitian signal, of which the first half is given: real numbers.

    Args:
        self: ``(*, k)``.
        n: The number of points of the result; by default ``2 * (k - 1)``.
        dim: The dimension to transform.
        norm: As for `fft`.

    >>> import chainrule as cr
    >>> cr.fft.hfft(cr.tensor([1.0, 0.0, 0.0]))
    tensor([1., 1., 1., 1.])
    """
    return _c2r(self, n, dim, norm, forward=True)


@composite
def fft_ihfft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of `hfft`: the first half of a Hermitian signal.

    >>> import chainrule as cr
    >>> cr.fft.ihfft(cr.tensor([1.0, 1.0, 1.0, 1.0])).real
    tensor([1., 0., 0.])
    """
    return _r2c("ihfft", self, n, dim, norm, forward=False)


# Several dimensions


@composite
def fft_fftn(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor:
    """Return the transform over several dimensions.

    Args:
        self: ``(*)``, any dtype but 16-bit floats.
        s: Sizes to cut or fill up the dimensions to; -1 keeps one.
        dim: The dimensions to transform; by default the last ``len(s)``, or all.
        norm: As for `fft`; the number of points is that of all dimensions.

    Returns:
        Complex.

    Raises:
        RuntimeError: sizes, dimensions, dtype or *norm* do not fit.

    >>> import chainrule as cr
    >>> cr.fft.fftn(cr.ones(2, 2)).real
    tensor([[4., 0.],
            [0., 0.]])
    """
    return _c2c_n(self, s, dim, norm, forward=True)


def _c2c_n(x: Any, s: Any, dim: Any, norm: str | None, *, forward: bool) -> Any:
    x = _as_complex(x)
    dims, sizes = _dims_and_sizes(x, s, dim)
    mode = _normalization(norm, forward=forward)
    x = _all_resized(x, dims, sizes)
    return _fft_c2c(x, tuple(dims), mode, forward) if dims else x


@composite
def fft_ifftn(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor:
    """Return the inverse of `fftn`.

    >>> import chainrule as cr
    >>> cr.fft.ifftn(cr.ones(2, 2)).real
    tensor([[1., 0.],
            [0., 0.]])
    """
    return _c2c_n(self, s, dim, norm, forward=False)


@composite
def fft_rfftn(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor:
    """Return the transform of real numbers over several dimensions, the last of them halved.

    >>> import chainrule as cr
    >>> cr.fft.rfftn(cr.ones(2, 4)).shape
    torch.Size([2, 3])
    """
    x: Any = _as_real("rfftn", self)
    dims, sizes = _dims_and_sizes(x, s, dim)
    _need_axis("rfftn", dims)
    mode = _normalization(norm, forward=True)
    return _fft_r2c(_all_resized(x, dims, sizes), tuple(dims), mode, True)


def _half_sizes(x: Any, s: Any, dim: Any) -> tuple[list[int], list[int], int]:
    """Return dimensions, sizes of the half spectrum, and the last size of the real result."""
    dims, sizes = _dims_and_sizes(x, s, dim)
    if not dims:
        return dims, sizes, 0
    given = None if s is None else [s] if isinstance(s, int) else list(s)
    last = 2 * (x._array.shape[dims[-1]] - 1) if given is None or given[-1] == -1 else given[-1]
    _check_points(last)
    sizes[-1] = last // 2 + 1
    return dims, sizes, last


@composite
def fft_irfftn(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor:
    """Return the inverse of `rfftn`; *s* holds the sizes of the real result.

    >>> import chainrule as cr
    >>> cr.fft.irfftn(cr.fft.rfftn(cr.ones(2, 4)))
    tensor([[1., 1., 1., 1.],
            [1., 1., 1., 1.]])
    """
    x: Any = _as_complex(self)
    dims, sizes, last = _half_sizes(x, s, dim)
    _need_axis("irfftn", dims)
    mode = _normalization(norm, forward=False)
    return _fft_c2r(_all_resized(x, dims, sizes), tuple(dims), mode, last)


@composite
def fft_hfftn(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor:
    """Return the transform of a signal that is Hermitian in its last dimension: real numbers.

    >>> import chainrule as cr
    >>> cr.fft.hfftn(cr.ones(2, 3)).shape
    torch.Size([2, 4])
    """
    x: Any = _as_complex(self)
    dims, sizes, last = _half_sizes(x, s, dim)
    _need_axis("hfftn", dims)
    mode = _normalization(norm, forward=True)
    x = _all_resized(x, dims, sizes)
    if len(dims) > 1:
        x = _fft_c2c(x, tuple(dims[:-1]), mode, True)
    return _fft_c2r(conj(x), (dims[-1],), mode, last)


@composite
def fft_ihfftn(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
) -> Tensor:
    """Return the inverse of `hfftn`.

    >>> import chainrule as cr
    >>> cr.fft.ihfftn(cr.ones(2, 4)).shape
    torch.Size([2, 3])
    """
    x: Any = _as_real("ihfftn", self)
    dims, sizes = _dims_and_sizes(x, s, dim)
    _need_axis("ihfftn", dims)
    mode = _normalization(norm, forward=False)
    made = _fft_r2c(_all_resized(x, dims, sizes), (dims[-1],), mode, True)
    if len(dims) == 1:
        return conj(made)
    return _fft_c2c(conj_physical(made), tuple(dims[:-1]), mode, False)


# Two dimensions


@composite
def fft_fft2(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = _LAST_TWO,
    norm: str | None = None,
) -> Tensor:
    """Return `fftn` over two dimensions, by default the last."""
    return fft_fftn(self, s, dim, norm)


@composite
def fft_ifft2(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = _LAST_TWO,
    norm: str | None = None,
) -> Tensor:
    """Return `ifftn` over two dimensions, by default the last."""
    return fft_ifftn(self, s, dim, norm)


@composite
def fft_rfft2(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = _LAST_TWO,
    norm: str | None = None,
) -> Tensor:
    """Return `rfftn` over two dimensions, by default the last."""
    return fft_rfftn(self, s, dim, norm)


@composite
def fft_irfft2(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = _LAST_TWO,
    norm: str | None = None,
) -> Tensor:
    """Return `irfftn` over two dimensions, by default the last."""
    return fft_irfftn(self, s, dim, norm)


@composite
def fft_hfft2(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = _LAST_TWO,
    norm: str | None = None,
) -> Tensor:
    """Return `hfftn` over two dimensions, by default the last."""
    return fft_hfftn(self, s, dim, norm)


@composite
def fft_ihfft2(
    self: Tensor,
    s: Sequence[int] | None = None,
    dim: Sequence[int] = _LAST_TWO,
    norm: str | None = None,
) -> Tensor:
    """Return `ihfftn` over two dimensions, by default the last."""
    return fft_ihfftn(self, s, dim, norm)
