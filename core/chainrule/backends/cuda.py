"""Switches of CUDA's libraries, which programs set."""

from __future__ import annotations

from types import SimpleNamespace

matmul = SimpleNamespace(
    allow_tf32=False,
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
)


def is_built() -> bool:
    """Return False: CUDA is reached through CuPy, by the backend of that name."""
    return False


def flash_sdp_enabled() -> bool:
    """Return False: attention is one kernel of the backend."""
    return False


mem_efficient_sdp_enabled = flash_sdp_enabled


def math_sdp_enabled() -> bool:
    """Return True: attention is computed as it is stated."""
    return True


def enable_flash_sdp(enabled: bool) -> None:
    """Take a switch that changes nothing."""


enable_mem_efficient_sdp = enable_math_sdp = enable_flash_sdp
