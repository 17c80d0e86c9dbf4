"""A strict simulated accelerator over NumPy: device type ``sim``, two devices, no hardware.

Its arrays refuse every implicit way to the host, so a program or kernel that would be wrong or slow
on a real accelerator fails on any machine. It is never chosen by itself: ask for it with
``device="sim"`` or ``model.to("sim:1")``. Importing this package does not import NumPy.

>>> import chainrule as cr
>>> import chainrule_sim
>>> chainrule_sim.counters.reset()
>>> x = cr.ones(2, 3).to("sim:1")
>>> (x + x).sum().item()
12.0
>>> chainrule_sim.counters
<transfers: 1 to devices (24 bytes), 1 to the host (4 bytes), 0 between devices (0 bytes)>
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.backend import BackendSpec
from chainrule.plugin.api import PluginInfo, hookimpl

from .counting import counters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["counters", "plugin", "spec"]

spec = BackendSpec(
    name="sim",
    device_types=("sim",),
    parents=("xp",),
    storage="sim",
    probe="chainrule_sim._probe:probe",
    factory="chainrule_sim._backend:create",
    capabilities=frozenset({"float64", "complex", "views", "inplace", "deterministic"}),
    install_hint="pip install chainrule",
)


class Plugin:
    """Announces the backend; all its kernels are those of the family ``xp``."""

    info = PluginInfo(name="sim", api="1.0", summary="a strict simulated device, for tests")

    @hookimpl
    def chainrule_backends(self) -> Iterable[BackendSpec]:
        return [spec]

    @hookimpl
    def chainrule_from_array(self, obj: object) -> tuple[str, Callable[[Any], Any]] | None:
        if type(obj).__module__ != "chainrule_sim.array":
            return None
        return "sim", lambda array: array


plugin = Plugin()
