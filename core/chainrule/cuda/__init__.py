"""CUDA devices under PyTorch's names; they come with the CuPy backend.

Where there is none, what asks (`is_available`, `device_count`, the memory statistics) answers with
False or zero, and what acts raises an AssertionError that says what is missing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import amp, graphs, memory, random, streams
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
from .graphs import CUDAGraph, graph, graph_pool_handle, is_current_stream_capturing
from .memory import (
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
from .random import (
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
from .streams import (
    Event,
    ExternalStream,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    get_stream_from_external,
    set_stream,
    stream,
)

#: What is raised where a device has no room is one of Python's, on every backend.
OutOfMemoryError = MemoryError

__all__ = [
    "CUDAGraph", "Event", "ExternalStream", "OutOfMemoryError", "Stream", "StreamContext", "amp",
    "can_device_access_peer",
    "current_device", "current_stream", "default_stream", "device", "device_count", "device_of",
    "empty_cache", "get_arch_list", "get_device_capability", "get_device_name",
    "get_device_properties", "get_rng_state", "get_rng_state_all", "get_stream_from_external",
    "graph", "graph_pool_handle", "graphs", "init", "initial_seed", "ipc_collect",
    "is_available", "is_bf16_supported", "is_current_stream_capturing", "is_initialized",
    "manual_seed", "manual_seed_all",
    "max_memory_allocated", "max_memory_reserved", "mem_get_info", "memory", "memory_allocated",
    "memory_reserved", "memory_stats", "memory_summary", "random", "reset_max_memory_allocated",
    "reset_peak_memory_stats", "seed", "seed_all", "set_device", "set_rng_state",
    "set_rng_state_all", "set_stream", "stream", "streams", "synchronize",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    kinds: Any = import_module("chainrule.tensor_types")  # old programs alone name these
    if name.endswith("Tensor") and name in kinds.__all__:
        found = globals()[name] = kinds.on_cuda(name)
        return found
    raise AttributeError(f"module 'chainrule.cuda' has no attribute {name!r}")
