"""Counts what crosses between host and devices, and remembers which device is current."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

#: How many devices are simulated: sim:0 and sim:1.
DEVICES: Final = 2

#: The device that new arrays are made on, as a kernel's inputs set it.
current_device: Final[ContextVar[int]] = ContextVar("chainrule_sim_device", default=0)


class Counters:
    """How often something was copied, and how many bytes.

    Attributes:
        to_device: Copies from the host to a device.
        to_host: Copies from a device to the host.
        between_devices: Copies from one device to the other.
        bytes_to_device: Their bytes; likewise the other two.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again from zero."""
        self.to_device = self.to_host = self.between_devices = 0
        self.bytes_to_device = self.bytes_to_host = self.bytes_between_devices = 0

    def uploaded(self, nbytes: int) -> None:
        """Count a copy from the host to a device."""
        self.to_device += 1
        self.bytes_to_device += nbytes

    def downloaded(self, nbytes: int) -> None:
        """Count a copy from a device to the host."""
        self.to_host += 1
        self.bytes_to_host += nbytes

    def moved(self, nbytes: int) -> None:
        """Count a copy from one device to the other."""
        self.between_devices += 1
        self.bytes_between_devices += nbytes

    def __repr__(self) -> str:
        return (
            f"<transfers: {self.to_device} to devices ({self.bytes_to_device} bytes), "
            f"{self.to_host} to the host ({self.bytes_to_host} bytes), "
            f"{self.between_devices} between devices ({self.bytes_between_devices} bytes)>"
        )


counters: Final = Counters()
