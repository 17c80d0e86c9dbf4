"""Discrete Fourier transforms under PyTorch's names. The maths stands in ``chainrule.ops``.

>>> import chainrule as cr
>>> cr.fft.rfft(cr.tensor([1.0, 0.0, 0.0, 0.0]))
tensor([1.+0.j, 1.+0.j, 1.+0.j])
"""

from __future__ import annotations

from .ops.fourier import fft_fft as fft
from .ops.fourier import fft_fft2 as fft2
from .ops.fourier import fft_fftn as fftn
from .ops.fourier import fft_hfft as hfft
from .ops.fourier import fft_hfft2 as hfft2
from .ops.fourier import fft_hfftn as hfftn
from .ops.fourier import fft_ifft as ifft
from .ops.fourier import fft_ifft2 as ifft2
from .ops.fourier import fft_ifftn as ifftn
from .ops.fourier import fft_ihfft as ihfft
from .ops.fourier import fft_ihfft2 as ihfft2
from .ops.fourier import fft_ihfftn as ihfftn
from .ops.fourier import fft_irfft as irfft
from .ops.fourier import fft_irfft2 as irfft2
from .ops.fourier import fft_irfftn as irfftn
from .ops.fourier import fft_rfft as rfft
from .ops.fourier import fft_rfft2 as rfft2
from .ops.fourier import fft_rfftn as rfftn
from .ops.fourier_frames import fft_fftfreq as fftfreq
from .ops.fourier_frames import fft_fftshift as fftshift
from .ops.fourier_frames import fft_ifftshift as ifftshift
from .ops.fourier_frames import fft_rfftfreq as rfftfreq

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2",
    "ifftn", "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft",
    "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip
