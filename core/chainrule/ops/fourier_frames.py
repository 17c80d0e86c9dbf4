"""Transforms of short frames of a signal, the windows they are weighted with, and frequencies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from .._warn import warn
from ..errors import DTypeError, ShapeError
from ..inplace import fill_out
from ..op import composite
from ..views import own
from .fourier import fft_fft, fft_ifft, fft_irfft, fft_rfft
from .linalg_checks import fail
from .slicing import unfold_backward

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..device import Device
    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = [
    "bartlett_window", "blackman_window", "fft_fftfreq", "fft_fftshift", "fft_ifftshift",
    "fft_rfftfreq", "hamming_window", "hann_window", "istft", "kaiser_window", "stft",
]  # fmt: skip


# Frequencies


def _steps(count: int, low: int, d: float, n: int, options: dict[str, Any]) -> Any:
    dtype = options.get("dtype") or dtypes.get_default_dtype()
    made = ops.arange(low, low + count, dtype=dtype, device=options.get("device"))
    made = made * (1.0 / (n * d))
    return made.requires_grad_() if options.get("requires_grad") else made


def fft_fftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the frequencies of the points of `fft`, in its order: zero, rising, then negative.

    Args:
        n: The number of points.
        d: The distance between samples.
        out: Where to write the result.
        dtype: Of the result.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    >>> import chainrule as cr
    >>> cr.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    options = {"dtype": dtype, "device": device}
    positive = _steps((n + 1) // 2, 0, d, n, options)
    made = ops.cat([positive, _steps(n // 2, -(n // 2), d, n, options)])
    made = made.requires_grad_(requires_grad)
    return made if out is None else fill_out(out, made)


def fft_rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the frequencies of the points of `rfft`; arguments as for `fftfreq`.

    >>> import chainrule as cr
    >>> cr.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    made = _steps(n // 2 + 1, 0, d, n, {"dtype": dtype, "device": device})
    made = made.requires_grad_(requires_grad)
    return made if out is None else fill_out(out, made)


def _shifted(x: Any, dim: Any, *, back: bool) -> Any:
    shape = tuple(x._array.shape)
    dims = range(len(shape)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    shifts = [(shape[d] + back) // 2 for d in dims]
    return ops.roll(x, shifts, tuple(dims)) if shifts else x


def fft_fftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Return a spectrum with the frequency zero in the middle of *dim*, by default of all.

    >>> import chainrule as cr
    >>> cr.fft.fftshift(cr.tensor([0, 1, -2, -1]))
    tensor([-2, -1,  0,  1])
    """
    return _shifted(input, dim, back=False)


def fft_ifftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Return what `fftshift` made as it was.

    >>> import chainrule as cr
    >>> cr.fft.ifftshift(cr.tensor([-2, -1, 0, 1]))
    tensor([ 0,  1, -2, -1])
    """
    return _shifted(input, dim, back=True)


# Windows


def _window(
    name: str,
    length: int,
    formula: Any,
    *,
    periodic: bool,
    dtype: DType | None,
    device: Any,
    requires_grad: bool,
) -> Any:
    """Return *formula* of the places 0, 1, … of a window: of one longer by one, if *periodic*."""
    dtype = dtypes.get_default_dtype() if dtype is None else dtypes.given(dtype)
    if not (dtype.is_floating_point or dtype.is_complex):
        sentence = f"{name} expects floating point dtypes, got: {dtype.scalar_name}"
        fail(DTypeError, sentence, f"{name}: windows have fractions.")
    if length < 0:
        sentence = f"{name} requires non-negative window_length, got window_length={length}"
        fail(ShapeError, sentence, f"{name}: expected a number of points.")
    if length < 2:
        made = ops.ones(length, dtype=dtype, device=device)
    else:
        count = length + periodic
        place = ops.arange(count, dtype=dtypes.float64, device=device)
        made = formula(place, count - 1)[:length].to(dtype)
    return own(made).requires_grad_(requires_grad)


def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the window ``0.5 - 0.5 cos(2π k / n)``.

    Args:
        window_length: The number of points.
        periodic: Leave out the last of one point more, as a spectrum wants it; else symmetric.
        dtype: Floating.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    Raises:
        RuntimeError: the length is negative, or the dtype not floating.

    >>> import chainrule as cr
    >>> cr.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window(
        "hann_window", window_length, lambda k, n: ops.cos(k * (2 * math.pi / n)) * -0.5 + 0.5,
        periodic=periodic, dtype=dtype, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the window ``alpha - beta * cos(2 π k / n)``; arguments as for `hann_window`.

    >>> import chainrule as cr
    >>> cr.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return _window(
        "hamming_window", window_length, lambda k, n: alpha - beta * ops.cos(k * (2 * math.pi / n)),
        periodic=periodic, dtype=dtype, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the window ``0.42 - 0.5 cos(2πk/n) + 0.08 cos(4πk/n)``; see `hann_window`.

    >>> import chainrule as cr
    >>> cr.blackman_window(4)[1:]
    tensor([0.3400, 1.0000, 0.3400])
    """

    def formula(k: Any, n: int) -> Any:
        angle = k * (math.pi / n)
        return ops.cos(angle * 4) * 0.08 - ops.cos(angle * 2) * 0.5 + 0.42

    return _window(
        "blackman_window", window_length, formula,
        periodic=periodic, dtype=dtype, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the triangle ``1 - abs(2 k / n - 1)``; arguments as for `hann_window`.

    >>> import chainrule as cr
    >>> cr.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window(
        "bartlett_window", window_length, lambda k, n: ops.minimum(k * (2 / n), 2 - k * (2 / n)),
        periodic=periodic, dtype=dtype, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the window ``I0(beta sqrt(1 - (2 k / n - 1)²)) / I0(beta)``; see `hann_window`.

    >>> import chainrule as cr
    >>> cr.kaiser_window(4)[1:]
    tensor([0.2157, 1.0000, 0.2157])
    """
    from .special_more import i0

    def formula(k: Any, n: int) -> Any:
        away = k * (2 / n) - 1
        inner = beta * ops.sqrt((1 - away * away).clamp(min=0))
        whole = ops.tensor([beta], dtype=dtypes.float64, device=k.device)
        return i0(inner) / i0(whole)

    return _window(
        "kaiser_window", window_length, formula,
        periodic=periodic, dtype=dtype, device=device, requires_grad=requires_grad,
    )  # fmt: skip


# Short frames


def _described(name: str, x: Any, **arguments: Any) -> str:
    """Return how PyTorch describes the call in its messages."""
    shown = {
        key: f"torch.{value._key.dtype.scalar_name}Tensor{{{list(value._array.shape)}}}"
        if hasattr(value, "_key") else int(value) if isinstance(value, bool) else value
        for key, value in arguments.items()
    }  # fmt: skip
    listed = ", ".join(f"{key}={value}" for key, value in shown.items())
    kind = f"torch.{x._key.dtype.scalar_name}Tensor"
    return f"{name}({kind}{list(x._array.shape)}, {listed})"


@composite
def stft(
    self: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """Return the transforms of overlapping frames of a signal.

    Args:
        self: ``(L,)`` or ``(B, L)``, floating or complex.
        n_fft: The number of points of a frame.
        hop_length: The distance of frames; by default a quarter of *n_fft*.
        win_length: The length of *window*, which is filled up with zeros on both sides; by default
            *n_fft*.
        window: Weights of the points of a frame; by default ones.
        center: Fill up the signal on both sides, so that frame t is centred at ``t * hop_length``.
        pad_mode: With what: ``"reflect"``, ``"constant"`` (zeros), ``"replicate"`` or
            ``"circular"``.
        normalized: Divide by the square root of *n_fft*.
        onesided: Give the first half only; by default for real signals and windows.
        return_complex: False: real and imaginary part stand in a last dimension, with a warning.
        align_to_window: Taken with *center* False alone: start frames where the window starts.

    Returns:
        ``(*, n_fft // 2 + 1, frames)``, complex.

    Raises:
        RuntimeError: an argument does not fit.

    >>> import chainrule as cr
    >>> cr.stft(cr.ones(8), 4, return_complex=True).shape
    torch.Size([3, 9])
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    is_complex = self._key.complex or (window is not None and window._key.complex)
    if return_complex is None:
        if not is_complex:
            sentence = (
                "stft requires the return_complex parameter be given for real inputs, and will "
                "further require that return_complex=True in a future PyTorch release."
            )
            fail(ShapeError, sentence, "stft: pass return_complex=True.")
        return_complex = True
    x: Any = _centred(self, n_fft // 2, pad_mode) if center else self
    call = _described(
        "stft", x, n_fft=n_fft, hop_length=hop, win_length=width, window=window,
        normalized=normalized, onesided=onesided, return_complex=return_complex,
        align_to_window=align_to_window,
    )  # fmt: skip
    _check_stft(call, x, n_fft, hop, width, window)
    flat = x.unsqueeze(0) if len(x._array.shape) == 1 else x
    frames = flat.unfold(-1, n_fft, hop)
    weights = _filled_window(window, n_fft, width, like=x)
    if weights is not None:
        frames = frames * weights
    norm = "ortho" if normalized else None
    if (not is_complex) if onesided is None else onesided:
        spectrum = fft_rfft(frames, norm=norm)
    else:
        spectrum = fft_fft(frames, norm=norm)
    spectrum = spectrum.transpose_(1, 2)
    made = spectrum.squeeze(0) if len(x._array.shape) == 1 else spectrum
    own(made)
    return made if return_complex else ops.view_as_real(made)


def _centred(x: Any, by: int, mode: str) -> Any:
    """Return the signal filled up by so many points on both sides."""
    length = x._array.shape[-1]
    if mode == "reflect" and by >= length:
        sentence = (
            "Argument #4: Padding size should be less than the corresponding input dimension, but "
            f"got: padding ({by}, {by}) at dimension {len(x._array.shape)} of input "
            f"{list(x._array.shape)}"
        )
        fail(ShapeError, sentence, "stft: a signal shorter than a frame; use center=False.")
    if mode == "constant":
        zeros = ops.zeros(*x._array.shape[:-1], by, dtype=x._key.dtype, device=x.device)
        return ops.cat([zeros, x, zeros], -1)
    place = ops.arange(-by, length + by, device=x.device)
    if mode == "reflect":
        place = (length - 1) - ((length - 1) - place.abs()).abs()
    elif mode == "replicate":
        place = place.clamp(0, length - 1)
    elif mode == "circular":
        place = place % length
    else:
        sentence = f"Unrecognised padding mode {mode}"
        fail(ShapeError, sentence, "stft: see its Args.")
    return ops.index_select(x, -1, place)


def _check_stft(call: str, x: Any, n_fft: int, hop: int, width: int, window: Any) -> None:
    problem = ""
    length = x._array.shape[-1] if x._array.shape else 0
    if not x._key.floating:
        problem = "expected a tensor of floating point or complex values"
    elif not 1 <= len(x._array.shape) <= 2:
        problem = "expected a 1D or 2D tensor"
    elif not 0 < n_fft <= length:
        problem = f"expected 0 < n_fft < {length}, but got n_fft={n_fft}"
    elif hop <= 0:
        problem = f"expected hop_length > 0, but got hop_length={hop}"
    elif not 0 < width <= n_fft:
        problem = f"expected 0 < win_length <= n_fft, but got win_length={width}"
    elif window is not None and tuple(window._array.shape) != (width,):
        problem = (
            f"expected a 1D window tensor of size equal to win_length={width}, but got window with "
            f"size {list(window._array.shape)}"
        )
    if problem:
        fail(ShapeError, f"{call} : {problem}", "stft: see its Args.")


def _filled_window(window: Any, n_fft: int, width: int, like: Any) -> Any:
    """Return the window with zeros on both sides, as long as a frame; None for ones."""
    if window is None:
        if width == n_fft:
            return None
        window = ops.ones(width, dtype=like._key.dtype, device=like.device)
    left = (n_fft - width) // 2
    if width == n_fft:
        return window
    before = ops.zeros(left, dtype=window._key.dtype, device=window.device)
    after = ops.zeros(n_fft - width - left, dtype=window._key.dtype, device=window.device)
    return ops.cat([before, window, after])


@composite
def istft(
    self: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """Return the signal that `stft` was taken of: the frames overlaid, over the windows' squares.

    Args:
        self: ``(*, F, T)``, complex.
        n_fft: As for `stft`, as are *hop_length*, *win_length*, *window*, *center*, *normalized*
            and *onesided*.
        hop_length: See *n_fft*.
        win_length: See *n_fft*.
        window: See *n_fft*.
        center: See *n_fft*.
        normalized: See *n_fft*.
        onesided: See *n_fft*.
        length: Cut, or fill up with zeros, to so many points.
        return_complex: Whether the signal is complex.

    Returns:
        ``(*, L)``.

    Raises:
        RuntimeError: an argument does not fit, or the windows leave a point out.

    >>> import chainrule as cr
    >>> x, w = cr.arange(8.0), cr.ones(4)
    >>> cr.istft(cr.stft(x, 4, window=w, return_complex=True), 4, window=w)
    tensor([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    if not self._key.complex:
        sentence = (
            "istft requires a complex-valued input tensor matching the output from stft with "
            "return_complex=True."
        )
        fail(DTypeError, sentence, "istft: use view_as_complex().")
    call = _described(
        "istft", self, n_fft=n_fft, hop_length=hop, win_length=width, window=window,
        center=center, normalized=normalized, onesided=onesided, length=length,
        return_complex=return_complex,
    )  # fmt: skip
    spectrum: Any = self.unsqueeze(0) if len(self._array.shape) == 2 else self
    _check_istft(call, spectrum, n_fft, hop, width, window)
    count = spectrum._array.shape[-1]
    real = self._key.dtype.to_real()
    weights = _filled_window(window, n_fft, width, like=spectrum.real)
    if weights is None:
        weights = ops.ones(n_fft, dtype=real, device=self.device)
    half = (spectrum._array.shape[-2] != n_fft) if onesided is None else onesided
    norm = "ortho" if normalized else None
    turned = spectrum.transpose(1, 2)
    if return_complex:
        frames = fft_ifft(turned, norm=norm)
    elif half:
        frames = fft_irfft(turned, n_fft, norm=norm)
    else:
        frames = fft_irfft(turned[..., : n_fft // 2 + 1], n_fft, norm=norm)
    total = n_fft + hop * (count - 1)
    overlaid = unfold_backward(frames * weights, (spectrum._array.shape[0], total), 1, n_fft, hop)
    squares = (weights * weights).expand(1, count, n_fft)
    envelope = unfold_backward(squares, (1, total), 1, n_fft, hop)
    start = n_fft // 2 if center else 0
    stop = total if length is None else start + length
    stop = total - n_fft // 2 if center and length is None else stop
    overlaid, envelope = overlaid[:, start:stop], envelope[:, start:stop]
    _check_overlap(call, envelope)
    made = overlaid / envelope
    made = made.squeeze(0) if len(self._array.shape) == 2 else made
    return _cut(made, length)


def _cut(x: Any, length: int | None) -> Any:
    if length is None or x._array.shape[-1] >= length:
        return x
    warn(
        "The length of signal is shorter than the length parameter. Result is being padded with "
        "zeros in the tail. Please check your center and hop_length settings.",
        UserWarning,
        stacklevel=4,
    )
    missing = length - x._array.shape[-1]
    rest = ops.zeros(*x._array.shape[:-1], missing, dtype=x._key.dtype, device=x.device)
    return ops.cat([x, rest], -1)


def _check_overlap(call: str, envelope: Any) -> None:
    if envelope.numel() and not bool(envelope.detach().abs().min() > 1e-11):
        found = int(bool((envelope.detach().abs() <= 1e-11).any()))
        fail(
            ShapeError,
            f"{call} window overlap add min: {found}",
            "istft: the windows leave a point of the signal out. Take a smaller hop_length.",
        )


def _check_istft(call: str, x: Any, n_fft: int, hop: int, width: int, window: Any) -> None:
    problem = ""
    if not x.numel():
        problem = "input tensor cannot be empty."
    elif len(x._array.shape) != 3:
        problem = f"expected a tensor with 2 or 3 dimensions, but got {len(x._array.shape)}"
    elif x._array.shape[-2] not in {n_fft, n_fft // 2 + 1}:
        problem = (
            "expected the frequency dimension (3rd to the last) of the input tensor to match "
            f"n_fft / 2 + 1 when onesided=True, but got {x._array.shape[-2]}"
        )
    elif not 0 < hop <= width:
        problem = "expected 0 < hop_length <= win_length"
    elif not 0 < width <= n_fft:
        problem = "expected 0 < win_length <= n_fft"
    elif window is not None and tuple(window._array.shape) != (width,):
        problem = "Invalid window shape. window has to be 1D and length of `win_length`"
    if problem:
        fail(ShapeError, f"{call}: {problem}", "istft: see its Args.")
