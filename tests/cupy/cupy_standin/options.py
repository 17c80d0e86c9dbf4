"""How the stand-in is to behave, and where that is said."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Self

VARIABLE = "CHAINRULE_CUPY_STANDIN"


@dataclass(frozen=True)
class Options:
    """What CUDA leaves open, chosen; and how much is watched.

    Args:
        devices: How many devices there are.
        seed: Not 0: blocks, warps, lanes and streams run in an order drawn from it.
        asynchronous: Work waits until somebody synchronises.
        guard: Device memory cannot be touched by host code.
        check: Every access of a kernel is checked: bounds to the byte, and races. Kernels run some
            twenty times slower, and every array is an allocation of its own.
        memory: Megabytes of each device.
        record: A folder: the source of every kernel that runs is written there.
        nvrtc: Compute capabilities, joined by ``+``: what runs is compiled by NVRTC for them too.
    """

    devices: int = 1
    seed: int = 0
    asynchronous: bool = False
    guard: bool = True
    check: bool = False
    memory: int = 4096
    record: str = ""
    nvrtc: str = ""

    @classmethod
    def read(cls, text: str | None = None) -> Self:
        """Return the options of *text*, or of ``CHAINRULE_CUPY_STANDIN``: ``devices=2,check``."""
        given = {}
        known = {field.name: field.type for field in fields(cls)}
        for part in filter(None, (text or os.environ.get(VARIABLE, "")).split(",")):
            name, _, value = part.strip().partition("=")
            if name not in known:
                raise ValueError(f"{VARIABLE}: expected one of {', '.join(known)}, got {name!r}.")
            given[name] = _value(known[name], value)
        if given.get("check"):
            given.setdefault("memory", 1024)
        return cls(**given)

    def __str__(self) -> str:
        default = type(self)()
        parts = [
            f"{field.name}={getattr(self, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(default, field.name)
        ]
        return ", ".join(parts) or "one device, natural order"


def _value(kind: str, text: str) -> int | bool | str:
    if kind == "bool":
        return text.lower() not in {"0", "false", "no"}
    return int(text) if kind == "int" else text
