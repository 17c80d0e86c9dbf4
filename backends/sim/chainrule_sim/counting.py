"""Counts what crosses between host and devices, what they run, and when the host waits."""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar
from typing import Final, NamedTuple

#: How many devices are simulated: sim:0 and sim:1.
DEVICES: Final = 2

#: How many events are kept.
REMEMBERED: Final = 10_000

#: The device that new arrays are made on, as a kernel's inputs set it.
current_device: Final[ContextVar[int]] = ContextVar("chainrule_sim_device", default=0)


class Event(NamedTuple):
    """Something that happened: a launch, a wait, a copy; what it was for, and on which device."""

    kind: str
    what: str
    device: int


class Counters:
    """What the host asked of the devices, and when it had to wait for one.

    Work is launched and the host goes on. It waits where it reads a value, where the size of a
    result depends on values, and where it is asked to (`Backend.synchronize`). All that was
    launched on a device before is done by then, in order.

    Attributes:
        to_device: Copies from the host to a device.
        to_host: Copies from a device to the host.
        between_devices: Copies from one device to the other.
        bytes_to_device: Their bytes; likewise the other two.
        launches: Kernels launched.
        waits: How often the host waited for a device that had work to do.
        pending: Per device, the kernels launched since the host last waited for it.
        timeline: The latest events, in order.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again from zero."""
        self.to_device = self.to_host = self.between_devices = 0
        self.bytes_to_device = self.bytes_to_host = self.bytes_between_devices = 0
        self.launches = self.waits = 0
        self.pending = [0] * DEVICES
        self.timeline: deque[Event] = deque(maxlen=REMEMBERED)

    def launched(self, kernel: str, device: int) -> None:
        """Count a kernel that a device is to run; the host goes on."""
        self.launches += 1
        self.pending[device] += 1
        self.timeline.append(Event("launch", kernel, device))

    def waited(self, reason: str, device: int) -> None:
        """Let the host wait until a device has done all that was launched on it."""
        if self.pending[device]:
            self.waits += 1
            self.pending[device] = 0
            self.timeline.append(Event("wait", reason, device))

    def uploaded(self, nbytes: int, device: int = 0) -> None:
        """Count a copy from the host to a device."""
        self.to_device += 1
        self.bytes_to_device += nbytes
        self.timeline.append(Event("upload", f"{nbytes} bytes", device))

    def downloaded(self, nbytes: int, device: int) -> None:
        """Count a copy from a device to the host, which waits for it."""
        self.waited("a value was read", device)
        self.to_host += 1
        self.bytes_to_host += nbytes
        self.timeline.append(Event("download", f"{nbytes} bytes", device))

    def moved(self, nbytes: int, source: int, target: int) -> None:
        """Count a copy from one device to the other, in the order of both."""
        self.between_devices += 1
        self.bytes_between_devices += nbytes
        self.timeline.append(Event("move", f"{nbytes} bytes from sim:{source}", target))

    def __repr__(self) -> str:
        return (
            f"<transfers: {self.to_device} to devices ({self.bytes_to_device} bytes), "
            f"{self.to_host} to the host ({self.bytes_to_host} bytes), "
            f"{self.between_devices} between devices ({self.bytes_between_devices} bytes)>"
        )


counters: Final = Counters()
