"""Windows: weights of the points of a signal, which fall off towards its ends.

Each function takes the number of points *M* and, by name, *sym* (False for a window that is a
period of a longer signal), *dtype* (float32 or float64), *device* and *requires_grad*.

>>> import chainrule as cr
>>> cr.signal.windows.hann(5)
tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..dtypes import float32, float64, get_default_dtype
from ..ops.special_more import i0

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..device import Device
    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
]  # fmt: skip


def _window(
    name: str,
    M: int,
    formula: Callable[[Any, int], Any],
    *,
    dtype: Any,
    layout: Any,
    device: Any,
    requires_grad: bool,
    sym: bool,
) -> Tensor:
    """Return *formula* of the places 0, 1, … and of the distance between both ends."""
    dtype = dtype or get_default_dtype()
    if M < 0:
        msg = f"{name} requires non-negative window length, got M={M}"
        raise ValueError(msg)
    if layout is not None and str(layout) != "torch.strided":
        msg = f"{name} is implemented for strided tensors only, got: {layout}"
        raise ValueError(msg)
    if dtype not in {float32, float64}:
        msg = f"{name} expects float32 or float64 dtypes, got: {dtype}"
        raise ValueError(msg)
    if M < 2:
        return ops.ones(M, dtype=dtype, device=device, requires_grad=requires_grad)
    places = ops.arange(M, dtype=float64, device=device)
    made: Any = formula(places, M - 1 if sym else M).to(dtype)
    return made.requires_grad_(requires_grad)  # type: ignore[no-any-return]  # a tensor


def general_cosine(
    M: int,
    *,
    a: Iterable[float],
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the sum of cosines ``a[0] - a[1] cos(2πk/n) + a[2] cos(4πk/n) - …``.

    Args:
        M: The number of points.
        a: The coefficients, a list or tuple.
        sym: Whether both ends are equal; else the window is a period.
        dtype: float32 or float64.
        layout: Strided.
        device: Where the window is made.
        requires_grad: Whether it is a leaf that wants a gradient.

    Raises:
        ValueError: an argument is out of range.
        TypeError: *a* is neither list nor tuple.

    >>> import chainrule as cr
    >>> cr.signal.windows.general_cosine(5, a=[0.5, 0.5])
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    if not isinstance(a, (list, tuple)):
        msg = "Coefficients must be a list/tuple"
        raise TypeError(msg)
    if not a:
        msg = "Coefficients cannot be empty"
        raise ValueError(msg)

    def formula(places: Any, end: int) -> Any:
        angle = places * (2 * math.pi / end)
        terms = [(-1) ** k * factor * ops.cos(angle * k) for k, factor in enumerate(a)]
        return sum(terms[1:], start=terms[0])

    return _window(
        "general_cosine", M, formula,
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``alpha - (1 - alpha) cos(2πk/n)``; see `general_cosine`.

    >>> import chainrule as cr
    >>> cr.signal.windows.general_hamming(3, alpha=0.75)
    tensor([0.5000, 1.0000, 0.5000])
    """
    return general_cosine(
        M, a=[alpha, 1.0 - alpha],
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``0.54 - 0.46 cos(2πk/n)``; see `general_cosine`.

    >>> import chainrule as cr
    >>> cr.signal.windows.hamming(3)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return general_cosine(
        M, a=[0.54, 0.46],
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def hann(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``(1 - cos(2πk/n)) / 2``; see `general_cosine`.

    >>> import chainrule as cr
    >>> cr.signal.windows.hann(4, sym=False)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return general_cosine(
        M, a=[0.5, 0.5],
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``0.42 - 0.5 cos(2πk/n) + 0.08 cos(4πk/n)``; see `general_cosine`.

    >>> import chainrule as cr
    >>> cr.signal.windows.blackman(5)[1:4]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return general_cosine(
        M, a=[0.42, 0.5, 0.08],
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the sum of four cosines with the least side lobes; see `general_cosine`.

    Source:
        A. Nuttall (1981), Some windows with very good sidelobe behavior, IEEE Transactions on
        Acoustics, Speech, and Signal Processing 29: the coefficients.

    >>> import chainrule as cr
    >>> cr.signal.windows.nuttall(5)[1:4]
    tensor([0.2270, 1.0000, 0.2270])
    """
    return general_cosine(
        M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411],
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the triangle ``1 - abs(2k/n - 1)``; see `general_cosine` for the arguments.

    >>> import chainrule as cr
    >>> cr.signal.windows.bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _window(
        "bartlett", M, lambda k, end: 1 - ops.abs(k * (2 / end) - 1),
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return half a period of a sine, ``sin(π(k + 1/2) / (n + 1))``; see `general_cosine`.

    >>> import chainrule as cr
    >>> cr.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    return _window(
        "cosine", M, lambda k, end: ops.sin((k + 0.5) * (math.pi / (end + 1))),
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``exp(-abs(k - center) / tau)``; see `general_cosine` for the other arguments.

    Args:
        M: The number of points.
        center: Where the window is 1, unless it is symmetric: by default the middle.
        tau: How slowly it decays.
        sym: See `general_cosine`, as for the others.
        dtype: See *sym*.
        layout: See *sym*.
        device: See *sym*.
        requires_grad: See *sym*.

    Raises:
        ValueError: *tau* is not positive, or *center* is given for a symmetric window.

    >>> import chainrule as cr
    >>> cr.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    if tau <= 0:
        msg = f"Tau must be positive, got: {tau} instead."
        raise ValueError(msg)
    if sym and center is not None:
        msg = "Center must be None for symmetric windows"
        raise ValueError(msg)

    def formula(places: Any, end: int) -> Any:
        middle = end / 2 if center is None else center
        return ops.exp(ops.abs(places - middle) * (-1 / tau))

    return _window(
        "exponential", M, formula,
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``exp(-(k - n/2)² / (2 std²))``; see `general_cosine` for the arguments.

    Raises:
        ValueError: *std* is not positive.

    >>> import chainrule as cr
    >>> cr.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    if std <= 0:
        msg = f"Standard deviation must be positive, got: {std} instead."
        raise ValueError(msg)
    return _window(
        "gaussian", M, lambda k, end: ops.exp(((k - end / 2) / std) ** 2 * -0.5),
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``I0(beta sqrt(1 - (2k/n - 1)²)) / I0(beta)``; see `general_cosine`.

    Raises:
        ValueError: *beta* is negative.

    >>> import chainrule as cr
    >>> cr.signal.windows.kaiser(3, beta=0.0)
    tensor([1., 1., 1.])
    """
    if beta < 0:
        msg = f"beta must be non-negative, got: {beta} instead."
        raise ValueError(msg)

    def formula(places: Any, end: int) -> Any:
        away = places * (2 / end) - 1
        whole = ops.full((), beta, dtype=float64, device=places.device)
        return i0(beta * ops.sqrt((1 - away * away).clamp(min=0))) / i0(whole)

    return _window(
        "kaiser", M, formula,
        sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad,
    )  # fmt: skip
