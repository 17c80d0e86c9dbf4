"""How tensors may lie in memory, by PyTorch's names, and the numbers that stand beside them.

A tensor here is strided. A memory format is taken where PyTorch takes one; a copy is contiguous.
"""

from __future__ import annotations

import math
from typing import Final

__all__ = [
    "channels_last", "channels_last_3d", "contiguous_format", "e", "inf", "jagged", "layout",
    "legacy_contiguous_format", "memory_format", "nan", "newaxis", "pi", "preserve_format",
    "sparse_bsc", "sparse_bsr", "sparse_coo", "sparse_csc", "sparse_csr", "strided",
]  # fmt: skip


class _Named:
    """A constant that prints as PyTorch's does and pickles to itself."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format(_Named):  # noqa: N801 - PyTorch's name
    """The order of dimensions in memory."""

    __slots__ = ()


class layout(_Named):  # noqa: N801 - PyTorch's name
    """The kind of storage. Every tensor here is `strided`."""

    __slots__ = ()


contiguous_format: Final = memory_format("contiguous_format")
legacy_contiguous_format: Final = contiguous_format
preserve_format: Final = memory_format("preserve_format")
channels_last: Final = memory_format("channels_last")
channels_last_3d: Final = memory_format("channels_last_3d")

strided: Final = layout("strided")
sparse_coo: Final = layout("sparse_coo")
sparse_csr: Final = layout("sparse_csr")
sparse_csc: Final = layout("sparse_csc")
sparse_bsr: Final = layout("sparse_bsr")
sparse_bsc: Final = layout("sparse_bsc")
jagged: Final = layout("jagged")

e, pi, inf, nan = math.e, math.pi, math.inf, math.nan
newaxis = None
