"""`validate`: is a plugin in good order? Each finding says what was looked at and what to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..backend import BackendSpec, by_name
from ..errors import ArgumentError, ChainruleError
from ..op import Op
from . import discovery
from .backends import create
from .builtin import BUILTIN
from .finding import backend_names, find_spec, first_line, probe
from .host import PluginHost, host
from .records import PLUGIN, PluginRecord, normal_name
from .selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..backend import Backend

#: Imports a plugin where no array library can be imported; run with ``python -c``, it fails if one
#: is asked for. The argument is the target, ``module:attribute``.
WEIGHT_TEST: Final = """
import sys

HEAVY = {"numpy", "cupy", "scipy", "torch", "jax", "tensorflow", "mlx", "dpnp", "ctypes", "numba"}

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HEAVY and not name.startswith("ctypes."):
            sys.exit(f"importing the plugin imports {name}. Import it inside the hook that needs "
                     "it: a plugin is imported by everybody who asks what is installed.")

sys.meta_path.insert(0, Blocked())
import importlib
module, _, attribute = sys.argv[1].partition(":")
getattr(importlib.import_module(module), attribute or "plugin")
"""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what, whether it is in order, and if not, why."""

    what: str
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether it is in order."""
        return not self.reason


def validate(target: str) -> list[Finding]:
    """Return what there is to say of the plugin *target*, in the order in which it was looked at.

    Args:
        target: ``"module:attribute"``, or the name of an entry point or a distribution.

    Raises:
        ArgumentError: nothing of that name is installed.
    """
    return list(_findings(find_target(target)))


def find_target(target: str) -> PluginRecord:
    """Return a record, not yet loaded, for what *target* names."""
    if ":" in target:
        name = target.partition(":")[0]
        return PluginRecord(name=name, group=PLUGIN, target=target)
    for record in host.discover():
        if normal_name(target) in record.names and (record.name in BUILTIN or not record.builtin):
            return PluginRecord(
                name=record.name,
                group=record.group,
                target=record.target,
                distribution=record.distribution,
                version=record.version,
                requires=record.requires,
                builtin=record.builtin,
            )
    names = ", ".join(sorted(r.name for r in host.discover() if not r.builtin)) or "none"
    raise ArgumentError(
        f"validate: expected module:attribute, or the name of an installed plugin, got {target!r}. "
        f"Installed: {names}."
    )


def _findings(record: PluginRecord) -> Iterator[Finding]:
    yield Finding(f"importing {record.target} is light", _weight(record.target))
    try:
        plugin = discovery.load_target(record.target)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's code may raise anything
        yield Finding("it can be imported", first_line(error))
        return
    yield Finding("it can be imported")
    yield Finding("its entry point has its name", _name(record, plugin))
    sandbox = PluginHost(Selection(none=True), scan=list, live=())
    sandbox.records.append(record)
    sandbox.load_object(record, plugin)
    yield Finding("it loads: info, plugin API, hooks, ops, backends", _load(record))
    if record.serves:
        yield from _contents(sandbox, record)
        yield from _kernels(sandbox, record)
        sandbox.unload(record)


def _weight(target: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own interpreter, on what the user named
        [sys.executable, "-c", WEIGHT_TEST, target], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it exits"])[-1]


def _name(record: PluginRecord, plugin: Any) -> str:
    name = getattr(getattr(plugin, "info", None), "name", None)
    if not record.distribution or name is None or name == record.name:
        return ""
    return f"the entry point is called {record.name!r}, its info.name is {name!r}"


def _load(record: PluginRecord) -> str:
    return "" if record.serves else f"{record.state}: {record.reason}"


def _contents(sandbox: PluginHost, record: PluginRecord) -> Iterator[Finding]:
    for name in record.backends:
        spec = sandbox.specs[name][0]
        yield Finding(f"backend {name}: probe and factory can be found", _entry(spec))
    for name in record.ops:
        yield Finding(f"op {name} has a manual", _manual(sandbox.ops[name][0]))
    taken = [name for name in record.ops if name in host.ops and _is_other(name, record)]
    yield Finding("no other plugin has ops of these names", _taken(taken))
    if not (record.backends or record.ops or record.kernels or record.hooks):
        yield Finding("it does something", "it implements no hook")


def _kernels(sandbox: PluginHost, record: PluginRecord) -> Iterator[Finding]:
    """Ask for kernels for all that can run here, the plugin's own backends included; use none."""
    for name in dict.fromkeys([*record.backends, *backend_names(host)[0]]):
        own = name in record.backends
        try:
            spec = sandbox.specs[name][0] if own else find_spec(host, name)[0]
            if not probe(spec):
                continue
            backend = create(spec) if own else by_name(name)
        except ChainruleError as error:
            if own:
                yield Finding(f"backend {name} can be made", first_line(error))
            continue
        yield from _kernels_for(sandbox, record, backend)


def _kernels_for(sandbox: PluginHost, record: PluginRecord, backend: Backend) -> Iterator[Finding]:
    try:
        offers = sandbox.kernels.offers_of(record, backend)
    except Exception as error:  # noqa: BLE001 - as above
        yield Finding(f"its kernels for {backend.name} fit their ops", first_line(error))
        return
    if offers:
        yield Finding(f"its kernels for {backend.name} fit their ops ({len(offers)})")


def _is_other(name: str, record: PluginRecord) -> bool:
    return host.ops[name][1].target != record.target


def _taken(names: Iterable[str]) -> str:
    return "".join(f"{name} is {host.ops[name][1]}'s, too. " for name in names).strip()


def _entry(spec: BackendSpec) -> str:
    for target in (spec.probe, spec.factory):
        try:
            discovery.load_target(target)
        except Exception as error:  # noqa: BLE001 - as above
            return f"{target}: {first_line(error)}"
    return ""


def _manual(op: Op[Any, Any]) -> str:
    return "" if (op.__doc__ or "").strip() else "its statement, or its Function, has no docstring"
