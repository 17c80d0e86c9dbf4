"""Activates backends: probes, makes, fills with kernels. Runs once per backend, never per op."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import backend as _backend
from ..backend import IMPORT_FAILED, Availability, Backend, BackendSpec
from ..device import KNOWN_TYPES, unknown_type
from ..errors import BackendUnavailableError
from ..op import all_ops
from .builtin import BUILTIN
from .choosing import candidates_for, choose
from .discovery import load_target
from .finding import find_spec, first_line, probe, unavailable
from .records import ACTIVE, BACKEND

if TYPE_CHECKING:
    from .host import PluginHost


def find_backend(host: PluginHost, name: str | None, device_type: str | None) -> Backend:
    """Return the live backend *name*, or the one that makes new arrays on *device_type*.

    Raises:
        BackendNotFoundError: nobody provides it.
        BackendUnavailableError: it cannot run here.
    """
    with host.lock:
        if name is not None:
            return activate(host, name)
        kind = device_type or "cpu"
        if kind not in host.chosen:
            host.chosen[kind] = choose(host, kind)
        return activate(host, host.chosen[kind], kind)


def find_type(host: PluginHost, kind: str, string: str) -> None:
    """Make the device type *kind* of the device *string* known, if some backend serves it.

    Raises:
        DeviceError: none does.
    """
    ours = any(kind in known.default_for for known in BUILTIN.values())
    if not ours and not candidates_for(host, kind):
        raise unknown_type(kind, string)
    KNOWN_TYPES.append(kind)


def activate(host: PluginHost, name: str, device_type: str | None = None) -> Backend:
    """Return the live backend *name*, made on first need with its kernels.

    Args:
        host: The plugins.
        name: The backend.
        device_type: The device type that was asked for, if it was not *name*.

    Raises:
        BackendNotFoundError: nobody provides it.
        BackendUnavailableError: it cannot run here.
    """
    for backend in _backend.live:
        if backend.name == name:
            return backend
    spec, record = find_spec(host, name, device_type)
    available = probe(spec)
    if not available:
        raise unavailable(spec, available, device_type)
    _load_lineage(host, spec)
    backend = create(spec, device_type)
    backend.collect_with(lambda: host.kernels.ask_all(backend))
    for op in list(all_ops.values()):  # one may be defined meanwhile
        op.reset(len(_backend.live))  # a slot for the backend to come, before anybody can find it
    _backend.register(backend)
    record.state = ACTIVE
    if type(backend).quick_calls is not Backend.quick_calls:
        from .quick_calls import exchange

        exchange(backend)
    _tell(host, backend)
    return backend


def _load_lineage(host: PluginHost, spec: BackendSpec) -> None:
    for parent in spec.parents:
        record = host.find(parent, BACKEND)
        if record is None:
            msg = f"backend {spec.name!r} descends from {parent!r}, which nobody provides."
            raise BackendUnavailableError(msg)
        host.load(record, asked=True)


def create(spec: BackendSpec, device_type: str | None = None) -> Backend:
    """Return the backend that *spec* announces, not yet live.

    Raises:
        BackendUnavailableError: its factory fails, or gives something else.
    """
    try:
        backend = load_target(spec.factory)()
    except Exception as error:
        failed = Availability(state=IMPORT_FAILED, reason=first_line(error))
        raise unavailable(spec, failed, device_type) from error
    if isinstance(backend, Backend) and backend.name == spec.name:
        return backend
    msg = (
        f"backend {spec.name!r}: expected {spec.factory} to return the Backend of that name, got "
        f"{backend!r}. Correct its plugin."
    )
    raise BackendUnavailableError(msg)


def _tell(host: PluginHost, backend: Backend) -> None:
    """Tell the plugins that *backend* is live; what they raise is logged."""
    for record in host.serving():
        try:
            list(host.call(record, "chainrule_backend_activated", backend=backend))
        except Exception:
            import logging

            logging.getLogger("chainrule.plugin").exception("%s, told of %r", record, backend)
