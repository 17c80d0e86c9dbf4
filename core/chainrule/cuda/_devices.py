"""Which devices there are, and which is the current one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from .. import backend as _backend
from ..device import Device
from ..errors import ArgumentError, BackendError, BackendUnavailableError


def backend() -> _backend.Backend:
    """Return the backend that serves CUDA devices.

    Raises:
        AssertionError: there is none, or no device.
    """
    return _backend.for_device(Device("cuda"))


def runtime() -> Any:
    """Return what the devices offer beside kernels.

    Raises:
        AssertionError: there is no backend for them, or no device.
        BackendUnavailableError: the backend offers nothing.
    """
    found = backend()
    if found.runtime is None:
        raise BackendUnavailableError(
            f"cuda: backend {found.name!r} has neither streams nor memory to ask about."
        )
    return found.runtime


def number_of(where: Any) -> int:
    """Return the number of the device that *where* means; of the current one for None.

    Raises:
        ValueError: it is no CUDA device.
    """
    if isinstance(where, bool) or not (where is None or isinstance(where, (int, str, Device))):
        raise ArgumentError(f"expected a device, its number or its name, got {where!r}")
    if isinstance(where, int):
        where = Device("cuda", where)
    asked = Device("cuda") if where is None else Device(where)
    if asked.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {asked}")
    return backend().canonical(asked).index or 0


def is_available() -> bool:
    """Return whether a CUDA device can be used.

    >>> is_available() in (True, False)
    True
    """
    return device_count() > 0


def device_count() -> int:
    """Return the number of CUDA devices; 0 where the backend or the hardware is missing."""
    try:
        return backend().device_count()
    except BackendError:
        return 0


def current_device() -> int:
    """Return the number of the current CUDA device.

    Raises:
        AssertionError: there is none.
    """
    return number_of(None)


def set_device(device: Any) -> None:
    """Make *device* the one that ``"cuda"`` means, on this thread; a negative number does nothing.

    Raises:
        AssertionError: there is none.
    """
    if isinstance(device, int) and device < 0:
        return
    runtime().set_device(number_of(device))


class device:  # noqa: N801 - PyTorch's name
    """A ``with`` block in which ``"cuda"`` means *device*; None or a negative number do nothing."""

    def __init__(self, device: Any) -> None:
        skipped = device is None or (isinstance(device, int) and device < 0)
        self.idx = -1 if skipped else number_of(device)
        self.prev_idx = -1

    def __enter__(self) -> None:
        if self.idx >= 0:
            self.prev_idx = current_device()
            set_device(self.idx)

    def __exit__(self, *error: object) -> None:
        set_device(self.prev_idx)


class device_of(device):  # noqa: N801 - PyTorch's name
    """A ``with`` block on the device of a tensor; on the host, it does nothing."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if obj.is_cuda else -1)


def synchronize(device: Any = None) -> None:
    """Wait until a CUDA device has finished.

    Raises:
        AssertionError: there is none.
        IndexError: a kernel had been given a place out of bounds.
    """
    number = number_of(device)
    backend().synchronize(Device("cuda", number))


def get_device_properties(device: Any = None) -> SimpleNamespace:
    """Return name, memory and numbers of a device, under PyTorch's names and CUDA's own."""
    found = runtime().properties(number_of(device))
    return SimpleNamespace(
        **found,
        total_memory=found["totalGlobalMem"],
        multi_processor_count=found["multiProcessorCount"],
        max_threads_per_multi_processor=found.get("maxThreadsPerMultiProcessor"),
        warp_size=found["warpSize"],
    )


def get_device_name(device: Any = None) -> str:
    """Return the name of a device."""
    name: str = get_device_properties(device).name
    return name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """Return the compute capability of a device, (8, 0) for 8.0."""
    found = get_device_properties(device)
    return found.major, found.minor


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Return whether *device* can read the memory of *peer_device* directly."""
    answer: bool = runtime().can_access_peer(number_of(device), number_of(peer_device))
    return answer


def get_arch_list() -> list[str]:
    """Return an empty list: kernels are compiled for the device at hand, when first used."""
    return []


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Return False: the backend has no arrays of bfloat16."""
    return False


def init() -> None:
    """Bring the backend up, which the first tensor would do.

    Raises:
        AssertionError: there is no device.
    """
    backend()


def is_initialized() -> bool:
    """Return whether the backend is up."""
    return any("cuda" in found.spec.device_types for found in _backend.live)
