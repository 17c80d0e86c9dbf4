"""Where an array lives: ``type[:index][@backend]``."""

from __future__ import annotations

import threading
from typing import Final, Self

from .errors import ArgumentError, DeviceError

#: Device types that PyTorch knows by name; a backend may add one of its own.
KNOWN_TYPES: Final = [
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga",
    "maia", "xla", "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
]  # fmt: skip


class _Chosen(threading.local):
    """The devices of the ``with`` blocks that a thread is in, the innermost one last."""

    def __init__(self) -> None:
        self.devices: list[Device] = []


chosen: Final = _Chosen()


class Device:
    """A device: a type and, where there are several, an index.

    In a ``with`` block, it is where new tensors are made that name no device, on this thread.

    ``@backend`` in the string asks for one of the backends that serve the type. It is a request,
    not part of what a device *is*: equality, hash and ``str`` know type and index alone.

    Args:
        type: A string like ``"cpu"``, ``"cuda:1"`` or ``"cpu@native"``, or another device; a number
            stands for the CUDA device with that index.
        index: The index, where *type* has none.

    Raises:
        DeviceError: nobody knows the type, or the index is no number.

    >>> Device("cuda:1")
    device(type='cuda', index=1)
    >>> Device("cpu@numpy") == Device("cpu")
    True
    """

    __slots__ = ("backend", "index", "type")
    type: str
    index: int | None
    backend: str | None

    def __init__(self, type: str | int | Device, index: int | None = None) -> None:
        if isinstance(type, Device):
            self.type, self.index, self.backend = type.type, type.index, type.backend
            return
        if isinstance(type, int) and not isinstance(type, bool):
            if type < 0:
                raise DeviceError(f"Device index must not be negative\ndevice: got {type}.")
            self.type, self.index, self.backend = "cuda", type, None
            return
        if not isinstance(type, str):
            msg = (
                f"device(): argument 'type' (position 1) must be str, not {type.__class__.__name__}"
            )
            raise ArgumentError(msg)
        name, _, backend = type.partition("@")
        kind, colon, number = name.partition(":")
        if colon and index is not None:
            msg = (
                "type (string) must not include an index because index was passed explicitly: "
                f"{type}"
            )
            raise DeviceError(msg)
        self.type = kind
        self.index = _parse_index(number, type) if colon else index
        self.backend = backend or None
        if kind not in KNOWN_TYPES:
            find_type(kind, type)

    def __enter__(self) -> Self:
        chosen.devices.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        chosen.devices.pop()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Device):
            return NotImplemented
        return self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Device, (str(self),)


def _parse_index(number: str, string: str) -> int:
    if number.isdecimal() and str(int(number)) == number:
        return int(number)
    msg = (
        f"Invalid device string: '{string}'\n"
        f"device: expected type[:index][@backend] with a whole number as index, got {string!r}."
    )
    raise DeviceError(msg)


def unknown_type(kind: str, string: str) -> DeviceError:
    """Return the error for a device type that nobody serves."""
    return DeviceError(
        f"Expected one of {', '.join(KNOWN_TYPES)} device type at start of device string: {kind}\n"
        f"device: no installed backend serves the device type {kind!r} of {string!r}. "
        "'chainrule info' lists the backends."
    )


def _find_no_type(kind: str, string: str) -> None:
    raise unknown_type(kind, string)


#: Asked for a type that is not in the list; the plugin layer puts its discovery here.
find_type = _find_no_type
