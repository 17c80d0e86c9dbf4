"""Finds the backend of a name, and says what there is when it is not found or cannot run."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from ..backend import IMPORT_FAILED, NO_DEVICE, NOT_INSTALLED, Availability, BackendSpec
from ..errors import BackendNotFoundError, BackendUnavailableError, PluginLoadError
from .builtin import BUILTIN, Builtin
from .discovery import is_installed, load_target
from .records import BACKEND, DISCOVERED, PluginRecord

if TYPE_CHECKING:
    from .host import PluginHost

#: Device types of which PyTorch, built without them, says "Torch not compiled with … enabled".
_COMPILED_IN: Final = frozenset({"cuda", "xpu"})


def find_spec(
    host: PluginHost, name: str, device_type: str | None = None
) -> tuple[BackendSpec, PluginRecord]:
    """Return what backend *name* says of itself, and whose it is, after loading its plugin.

    Raises:
        BackendNotFoundError: nobody provides it.
        BackendUnavailableError: its plugin is not installed, or cannot be loaded. PyTorch's
            sentence comes first if it was *device_type* that was asked for.
    """
    if name not in host.specs:
        record = host.find(name, BACKEND)
        if record is not None:
            _load(host, record, device_type)
        else:
            host.load_all()  # a plugin may offer a backend under another name than its own
    if name not in host.specs:
        msg = f"unknown backend {name!r}. {_suggestion(host, name)}{what_there_is(host)}"
        raise BackendNotFoundError(msg)
    return host.specs[name]


def _load(host: PluginHost, record: PluginRecord, device_type: str | None) -> None:
    if record.builtin and record.state == DISCOVERED and not is_installed(record.target):
        missing = record.target.partition(":")[0]
        raise unavailable(
            _not_installed_spec(record.name),
            Availability(state=NOT_INSTALLED, reason=f"there is no module {missing!r}"),
            device_type,
        )
    try:
        host.load(record, asked=True)
    except PluginLoadError as error:
        msg = f"backend {record.name!r} is installed, but cannot be loaded.\n{error}"
        raise BackendUnavailableError(torch_sentence(device_type) + msg) from error


def _not_installed_spec(name: str) -> BackendSpec:
    """Return what is known of a backend of ours whose plugin is not there to be asked."""
    known = BUILTIN[name]
    return BackendSpec(
        name=name,
        device_types=known.default_for,
        storage="",
        probe="",
        factory="",
        install_hint=known.install_hint,
    )


def _suggestion(host: PluginHost, name: str) -> str:
    import difflib  # here, since few need it

    close = difflib.get_close_matches(name, itertools.chain(*backend_names(host)), n=1)
    return f"Did you mean {close[0]!r}? " if close else ""


def backend_names(host: PluginHost) -> tuple[list[str], list[str]]:
    """Return the names of the backends that are installed, and of those of ours that are not."""
    ours = [name for name, known in BUILTIN.items() if known.is_backend]
    here = [name for name in ours if _is_here(BUILTIN[name])]
    others = {r.name for r in host.records if r.group == BACKEND and not r.builtin}
    others |= set(host.specs)
    return [*here, *sorted(others - set(ours))], [name for name in ours if name not in here]


def _is_here(known: Builtin) -> bool:
    """Return whether the plugin is there, and the library that it is for."""
    return is_installed(known.target) and (not known.library or is_installed(known.library))


def what_there_is(host: PluginHost) -> str:
    """Return a sentence on the backends that are installed, and one on those that could be."""
    installed, missing = backend_names(host)
    hints = ", ".join(f"{name} ({BUILTIN[name].install_hint})" for name in missing)
    known = f" Known but not installed: {hints}." if hints else ""
    return f"Installed: {', '.join(installed)}.{known}"


def probe(spec: BackendSpec) -> Availability:
    """Return whether the backend of *spec* can run here; never raises."""
    try:
        found = load_target(spec.probe)()
    except Exception as error:  # noqa: BLE001 - a probe must not raise, and some will
        return Availability(state=IMPORT_FAILED, reason=first_line(error))
    if isinstance(found, Availability):
        return found
    reason = f"{spec.probe} gave {type(found).__name__}, not Availability"
    return Availability(state=IMPORT_FAILED, reason=reason)


def unavailable(
    spec: BackendSpec, available: Availability, device_type: str | None = None
) -> BackendUnavailableError:
    """Return the error for a backend in one of the three states in which it cannot run."""
    versions = ", ".join(" ".join(pair) for pair in available.versions)
    found = f" ({versions})" if versions else ""
    reason = f": {available.reason.rstrip('.')}." if available.reason else "."
    doctor = f"Run 'chainrule doctor {spec.name}'."
    text = {
        NOT_INSTALLED: f"is not installed{reason} Get it: {spec.install_hint or 'unknown'}",
        IMPORT_FAILED: f"is installed{found}, but its import failed{reason} {doctor}",
        NO_DEVICE: f"is installed{found}, but has no device{reason} {doctor}",
    }[available.state]
    serves = f" (device type {', '.join(spec.device_types)})" if spec.device_types else ""
    sentence = torch_sentence(device_type, available.state)
    return BackendUnavailableError(f"{sentence}backend {spec.name!r}{serves} {text}")


def torch_sentence(device_type: str | None, state: str = NOT_INSTALLED) -> str:
    """Return PyTorch's sentence for a device type that cannot be used; "" if it has none."""
    if device_type not in _COMPILED_IN:
        return ""
    name = device_type.upper()
    if state == NO_DEVICE:
        return f"No {name} GPUs are available\n"
    return f"Torch not compiled with {name} enabled\n"


def first_line(error: BaseException) -> str:
    """Return *error* in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
