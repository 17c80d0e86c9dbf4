"""Loads plugins and activates backends: the only user of pluggy."""

from __future__ import annotations

import importlib
from typing import Any

import pluggy

from .. import backend as _backend
from ..backend import Backend, BackendSpec
from ..op import all_ops
from .builtin import BUILTIN
from .specs import Hooks


class PluginHost:
    def __init__(self) -> None:
        self.manager = pluggy.PluginManager("chainrule")
        self.manager.add_hookspecs(Hooks)
        self.specs: dict[str, BackendSpec] = {}

    def load(self, name: str) -> Any:
        full = f"backend:{name}"
        plugin = self.manager.get_plugin(full)
        if plugin is None:
            module, _, attribute = BUILTIN[name].target.partition(":")
            plugin = getattr(importlib.import_module(module), attribute)
            self.manager.register(plugin, full)
            for spec in self.manager.hook.chainrule_backends():
                for one in spec or ():
                    self.specs[one.name] = one
        return plugin

    def find_backend(self, name: str | None, device_type: str | None) -> Backend:
        if name is None:
            name = next(n for n, b in BUILTIN.items() if device_type in b.device_types)
        self.load(name)
        spec = self.specs[name]
        for parent in spec.parents:
            self.load(parent)
        module, _, function = spec.factory.partition(":")
        backend = getattr(importlib.import_module(module), function)()
        for sets in self.manager.hook.chainrule_kernels(backend=backend):
            for ks in sets or ():
                backend.add_kernels(ks)
        _backend.register(backend)
        for op in all_ops.values():
            op.reset(backend.index)
        return backend


host = PluginHost()
_backend.find_backend = host.find_backend
