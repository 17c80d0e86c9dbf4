"""A stand-in for the CUDA runtime: the real, unmodified CuPy wheel computes on a CPU, for tests.

``activate()`` must come before the first import of ``cupy``. It puts libraries of ours where CuPy
looks for the driver, cuBLAS and NVRTC; kernels are compiled from CuPy's own source text by the C++
compiler of the machine. One compiled module of the wheel, ``cupy_backends.cuda.api.runtime``, is
built anew from the source distribution of the same version, because the wheel links the CUDA
runtime into it. Every other file is the shipped one.

It is a test double: it never runs unless a test, or ``python -m cupy_standin``, activates it; no
package of the project knows of it. What it can show and cannot is told in
docs/explanation/cupy-verification.md.
"""

from __future__ import annotations

from .activation import activate
from .options import Options
from .watching import Counts, counting, counts, forget_reports, launches, reports

__all__ = [
    "Counts",
    "Options",
    "activate",
    "counting",
    "counts",
    "forget_reports",
    "launches",
    "reports",
]
