"""CUDA devices under PyTorch's names; they come with the CuPy backend.

Where there is none, what asks (`is_available`, `device_count`, the memory statistics) answers with
False or zero, and what acts raises an AssertionError that says what is missing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import amp
from ._devices import (
    can_device_access_peer,
    current_device,
    device,
    device_count,
    device_of,
    get_arch_list,
    get_device_capability,
    get_device_name,
    get_device_properties,
    init,
    is_available,
    is_bf16_supported,
    is_initialized,
    set_device,
    synchronize,
)
from ._graphs import CUDAGraph, graph, graph_pool_handle, is_current_stream_capturing
from ._memory import (
    empty_cache,
    ipc_collect,
    max_memory_allocated,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    memory_stats,
    memory_summary,
    reset_max_memory_allocated,
    reset_peak_memory_stats,
)
from ._numbers import (
    get_rng_state,
    get_rng_state_all,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)
from ._streams import (
    Event,
    ExternalStream,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    set_stream,
    stream,
)

__all__ = [
    "CUDAGraph", "Event", "ExternalStream", "Stream", "StreamContext", "amp",
    "can_device_access_peer",
    "current_device", "current_stream", "default_stream", "device", "device_count", "device_of",
    "empty_cache", "get_arch_list", "get_device_capability", "get_device_name",
    "get_device_properties", "get_rng_state", "get_rng_state_all", "graph", "graph_pool_handle",
    "init", "initial_seed", "ipc_collect", "is_available", "is_bf16_supported",
    "is_current_stream_capturing", "is_initialized", "manual_seed", "manual_seed_all",
    "max_memory_allocated", "max_memory_reserved", "mem_get_info", "memory_allocated",
    "memory_reserved", "memory_stats", "memory_summary", "reset_max_memory_allocated",
    "reset_peak_memory_stats", "seed", "seed_all", "set_device", "set_rng_state",
    "set_rng_state_all", "set_stream", "stream", "synchronize",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    kinds: Any = import_module("chainrule.tensor_types")  # old programs alone name these
    if name.endswith("Tensor") and name in kinds.__all__:
        found = globals()[name] = kinds.on_cuda(name)
        return found
    raise AttributeError(f"module 'chainrule.cuda' has no attribute {name!r}")
