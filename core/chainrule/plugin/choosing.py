"""Which backend makes new arrays on a device type: the environment's choice, or the type's own."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..errors import BackendError, BackendNotFoundError, BackendUnavailableError
from .builtin import BUILTIN
from .finding import find_spec, torch_sentence, what_there_is

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .host import PluginHost


def choose(host: PluginHost, device_type: str) -> str:
    """Return the name of the backend for *device_type*.

    Raises:
        BackendUnavailableError: no installed backend serves the type.
    """
    chosen = choices_of_environment(host)
    if device_type in chosen:
        return chosen[device_type]
    for name, builtin in BUILTIN.items():
        if device_type in builtin.default_for:
            return name
    candidates = candidates_for(host, device_type)
    if not candidates:
        msg = f"no installed backend serves device type {device_type!r}. {what_there_is(host)}"
        raise BackendUnavailableError(torch_sentence(device_type) + msg)
    if len(candidates) == 1:
        return candidates[0]
    answer = host.first("chainrule_select_backend", device_type=device_type, candidates=candidates)
    return answer if answer in candidates else candidates[0]


def candidates_for(host: PluginHost, device_type: str) -> tuple[str, ...]:
    """Return the installed backends that serve *device_type*, the highest priority first."""
    host.load_all()
    specs = [spec for spec, _ in host.specs.values() if device_type in spec.device_types]
    return tuple(s.name for s in sorted(specs, key=lambda s: (-s.priority, s.name)))


def choices_of_environment(host: PluginHost) -> dict[str, str]:
    """Return the backend per device type that CHAINRULE_BACKEND names.

    ``cpu=native,cuda=cupy`` says it in full; a bare name chooses the backend for its own device
    type, and never moves the default device.

    Raises:
        BackendNotFoundError: it names a backend that nobody provides, or one for a device type that
            the backend does not serve.
    """
    text = os.environ.get("CHAINRULE_BACKEND", "")
    choices: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        kind, _, name = (word.strip() for word in part.rpartition("="))
        with _naming_the_variable(text):
            types = _types_of(host, name)
            if kind and kind not in types:
                msg = f"backend {name!r} serves device type {', '.join(types)}, not {kind!r}."
                raise BackendNotFoundError(msg)
        choices[kind or types[0]] = name
    return choices


def _types_of(host: PluginHost, name: str) -> tuple[str, ...]:
    known = BUILTIN[name].default_for if name in BUILTIN else ()
    return known or find_spec(host, name)[0].device_types


@contextlib.contextmanager
def _naming_the_variable(text: str) -> Iterator[None]:
    try:
        yield
    except BackendError as error:
        raise type(error)(f"CHAINRULE_BACKEND={text!r}: {error}") from error.__cause__
