"""`PluginHost`: loads plugins, checks them, and calls their hooks, one plugin at a time.

A plugin that fails is put aside with its reason, and the rest goes on; it is an error only if
somebody asked for it by name, or in strict mode. The only user of pluggy in chainrule.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

from .. import backend as _backend
from .._warn import warn_outside
from ..backend import BackendSpec
from ..errors import PluginLoadError
from ..locks import new_rlock
from ..op import Op
from . import discovery
from .api import PluginInfo
from .builtin import BUILTIN, CORE_NAMESPACE
from .checking import ClaimedTwiceError, IncompatibleError, check_hooks, check_plugin
from .kernels import Kernels, namespace_of
from .records import (
    ACTIVE,
    BACKEND,
    BLOCKED,
    CONFLICT,
    DISCOVERED,
    FAILED,
    INCOMPATIBLE,
    LOADED,
    PLUGIN,
    PluginLoadWarning,
    PluginRecord,
)
from .selection import Selection
from .specs import Hooks
from .tracing import trace_load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..backend import Backend


__all__ = ["PluginHost", "host"]

#: In place of an entry point, for a plugin that the program registers.
REGISTERED = "registered by the program"


class PluginHost:
    """The plugins of a process, and what they gave.

    Args:
        selection: Which plugins may be loaded; by default, what the environment says.
        scan: Finds what is installed.
        live: The live backends that its plugins serve: those of the process, or none, where a
            plugin is looked at and nothing may change.
    """

    def __init__(
        self,
        selection: Selection | None = None,
        scan: Callable[[], list[PluginRecord]] = discovery.scan,
        live: Sequence[Backend] = _backend.live,
    ) -> None:
        self.selection = selection or Selection.from_environment()
        self.manager = pluggy.PluginManager("chainrule")
        self.manager.add_hookspecs(Hooks)
        self.records = [_builtin_record(name) for name in BUILTIN]
        self.specs: dict[str, tuple[BackendSpec, PluginRecord]] = {}
        self.ops: dict[str, tuple[Op[Any, Any], PluginRecord]] = {}
        self.live = live
        self.kernels = Kernels(self)
        self.lock = new_rlock()
        self.chosen: dict[str, str] = {}  # device type to backend: answers that are kept
        self.on_change: list[Callable[[], None]] = []  # called when a plugin comes or goes
        self._scan, self._scanned = scan, False

    # Finding

    def discover(self) -> list[PluginRecord]:
        """Return the records of all plugins; the installed ones are looked up once."""
        with self.lock:
            if not self._scanned:
                self._scanned = True
                self._judge(self._scan())
            return self.records

    def _judge(self, found: list[PluginRecord]) -> None:
        """Take what was *found* into the records, with a state for what may not be loaded."""
        by_key: dict[str, list[PluginRecord]] = {}
        for record in found:
            self.records.append(record)
            self.selection.judge(record)
            if record.name in BUILTIN:
                record.state = CONFLICT
                record.reason = f"{record.name!r} is a name of chainrule's own; choose another"
            if record.state == DISCOVERED:
                by_key.setdefault(record.key, []).append(record)
        for rivals in by_key.values():
            if len(rivals) > 1:
                self.selection.settle(rivals)

    def find(self, name: str, group: str) -> PluginRecord | None:
        """Return the record of plugin *name*, the one that may be loaded if there are several."""
        named = [r for r in self.records if (r.name, r.group) == (name, group)]
        if not named and not self._scanned:
            self.discover()
            return self.find(name, group)
        return min(named, key=lambda r: (not r.serves, r.state != DISCOVERED), default=None)

    def serving(self) -> list[PluginRecord]:
        """Return the loaded plugins in the order in which they are asked."""
        return sorted((r for r in self.records if r.serves), key=self._rank)

    def _rank(self, record: PluginRecord) -> tuple[int, str]:
        return -max((self.specs[b][0].priority for b in record.backends), default=0), record.name

    # Loading

    def load(self, record: PluginRecord, *, asked: bool = False) -> bool:
        """Return whether *record* serves, after loading it if it may be.

        Raises:
            PluginLoadError: it does not, and was *asked* for by name; or in strict mode.
        """
        with self.lock:
            if record.state == DISCOVERED:
                self._load(record, asked=asked)
            if asked and not record.serves:
                raise load_error(record) from record.error
            return record.serves

    def load_all(self) -> None:
        """Load every plugin that may be loaded, of chainrule's own those that are installed."""
        for record in list(self.discover()):
            if not record.builtin or discovery.is_installed(record.target):
                self.load(record)

    def register(self, plugin: object) -> PluginRecord:
        """Load a *plugin* object that has no entry point: in a notebook, a script, a test.

        Raises:
            PluginLoadError: it cannot be loaded.
        """
        info = getattr(plugin, "info", None)
        name = info.name if isinstance(info, PluginInfo) else type(plugin).__name__
        kind = BACKEND if hasattr(plugin, "chainrule_backends") else PLUGIN
        record = PluginRecord(name=name, group=kind, target=REGISTERED)
        with self.lock:
            for before in [
                r for r in self.records if (r.key, r.target) == (record.key, REGISTERED)
            ]:
                self.unload(before)  # a notebook's cell runs again
            self._load(record, asked=True, plugin=plugin)
            if not record.serves:
                raise load_error(record) from record.error
            self.records.append(record)
        return record

    def unload(self, record: PluginRecord) -> None:
        """Take *record* and its ops and kernels out of use.

        Raises:
            PluginLoadError: tensors may live on a backend of it.
        """
        with self.lock:
            self.kernels.withdraw(record)
            self._forget(record)
            record.state, record.reason = BLOCKED, "unloaded by the program"
            if record.target == REGISTERED:  # nobody could find it again
                self.records.remove(record)
            self._changed()

    def load_object(self, record: PluginRecord, plugin: object) -> None:
        """Load *plugin* as what *record* stands for; its state says what became of it."""
        with self.lock:
            self._load(record, asked=True, plugin=plugin)

    def _load(self, record: PluginRecord, *, asked: bool, plugin: object = None) -> None:
        start = time.perf_counter()
        try:
            found = discovery.load_target(record.target) if plugin is None else plugin
            self._register(record, found)
            self._take_answers(record)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's code may raise anything
            state = INCOMPATIBLE if isinstance(error, IncompatibleError) else FAILED
            self.quarantine(record, error, state, asked=asked)
        record.load_ms = 1000 * (time.perf_counter() - start)
        trace_load(record)
        self._changed()

    def _changed(self) -> None:
        for tell in self.on_change:
            tell()

    def _register(self, record: PluginRecord, plugin: Any) -> None:
        """Register *plugin* with pluggy after checking it; nothing is left behind if that fails."""
        info = check_plugin(plugin, record)
        record.api, record.namespaces, record.plugin = info.api, info.namespaces, plugin
        record.hooks = check_hooks(plugin, self.manager)
        try:
            self.manager.register(plugin, record.key)
        except Exception:
            self._unregister(record)  # pluggy 1.5 and 1.6 leave it registered
            raise
        record.state = LOADED

    def _take_answers(self, record: PluginRecord) -> None:
        """Ask a plugin, just registered, for its backends, ops, and kernels for live backends."""
        for spec in self.call(record, "chainrule_backends"):
            self._take_backend(record, spec)
        for op in self.call(record, "chainrule_ops"):
            self._take_op(record, op)
        self.kernels.ask_for_live_backends(record)

    def _take_backend(self, record: PluginRecord, spec: BackendSpec) -> None:
        if not isinstance(spec, BackendSpec) or not spec.device_types:
            raise TypeError(
                f"chainrule_backends: expected a BackendSpec with device types, got {spec!r}"
            )
        if not record.builtin and spec.name in BUILTIN:
            raise ValueError(f"its backend {spec.name!r} takes a name of chainrule's own")
        if spec.name in self.specs:
            self._refuse_both(record, self.specs[spec.name][1], f"backend {spec.name!r}")
        self.specs[spec.name] = spec, record
        record.backends += (spec.name,)

    def _take_op(self, record: PluginRecord, op: Op[Any, Any]) -> None:
        if not isinstance(op, Op):
            raise TypeError(
                "chainrule_ops: expected what @primitive, @composite or Function.as_op give, got "
                f"{op!r}"
            )
        namespace = namespace_of(op.name)
        if namespace == CORE_NAMESPACE or namespace not in record.namespaces:
            raise ValueError(
                f"its op {op.name!r} stands in namespace {namespace!r}, but its info allows "
                f"{', '.join(record.namespaces) or 'none'} (and never {CORE_NAMESPACE!r})"
            )
        if op.name in self.ops:
            self._refuse_both(record, self.ops[op.name][1], f"op {op.name!r}")
        self.ops[op.name] = op, record
        record.ops += (op.name,)
        record.state = ACTIVE

    def _refuse_both(self, record: PluginRecord, other: PluginRecord, what: str) -> None:
        """Put both claimants of one thing aside, unless one of them has it in use already."""
        reason = (
            f"{what} is claimed by {other} and by {record}. Uninstall one, or set "
            f"CHAINRULE_DISABLE_PLUGINS={record.distribution or record.name}"
        )
        if not self.kernels.has_live_backend(other):
            self.kernels.withdraw(other)
            self._forget(other)
            other.state, other.reason = CONFLICT, reason
        raise ClaimedTwiceError(reason)

    def quarantine(
        self, record: PluginRecord, error: BaseException, state: str = FAILED, *, asked: bool
    ) -> None:
        """Put *record* aside for *error*; say so, unless somebody *asked* and will hear of it.

        Raises:
            PluginLoadError: in strict mode.
        """
        if not self.kernels.has_live_backend(record):  # else tensors may be on it: it goes on
            self.kernels.withdraw(record)
            self._forget(record)
            record.state = CONFLICT if isinstance(error, ClaimedTwiceError) else state
        from traceback import format_exception  # here, since few need it

        record.error, record.traceback = error, "".join(format_exception(error))
        plain = isinstance(error, (IncompatibleError, ClaimedTwiceError))
        record.reason = str(error) if plain else f"{type(error).__name__}: {error}"
        if self.selection.strict and not asked:
            raise load_error(record) from error
        if not asked and not record.builtin:
            warn_outside(str(load_error(record)), PluginLoadWarning)

    def _forget(self, record: PluginRecord) -> None:
        """Undo what registering *record* did."""
        self._unregister(record)
        self.specs = {n: pair for n, pair in self.specs.items() if pair[1] is not record}
        self.ops = {n: pair for n, pair in self.ops.items() if pair[1] is not record}
        record.plugin, record.backends, record.ops, record.hooks = None, (), (), ()

    def _unregister(self, record: PluginRecord) -> None:
        if record.plugin is not None and self.manager.get_plugin(record.key) is record.plugin:
            self.manager.unregister(name=record.key)

    # Calling hooks

    def call(self, record: PluginRecord, hook: str, **arguments: Any) -> Iterator[Any]:
        """Yield what one plugin answers, item by item: nothing for None, an iterable's items."""
        for answer in self._ask(record, hook, arguments):
            if isinstance(answer, Iterable):
                yield from answer
            else:
                yield answer

    def first(self, hook: str, **arguments: Any) -> Any:
        """Return the first answer to a firstresult *hook*, asking the plugins in order, or None."""
        return next((a for _, a in self._walk(hook, arguments) if a is not None), None)

    def each(self, hook: str, **arguments: Any) -> Iterator[tuple[PluginRecord, Any]]:
        """Yield every plugin that answers a collecting *hook*, and its answer, whole."""
        for record, answers in self._walk(hook, arguments):
            yield from ((record, answer) for answer in answers)

    def _walk(self, hook: str, arguments: dict[str, Any]) -> Iterator[tuple[PluginRecord, Any]]:
        """Yield what each plugin says; one that fails is put aside, and the next one is asked."""
        for record in self.serving():
            try:
                answer = self._ask(record, hook, arguments)
            except Exception as error:  # noqa: BLE001 - a plugin's code may raise anything
                self.quarantine(record, error, asked=False)
            else:
                yield record, answer

    def _ask(self, record: PluginRecord, hook: str, arguments: dict[str, Any]) -> Any:
        """Return what pluggy gives for one plugin: a list, or one answer to a firstresult hook."""
        others = self.manager.get_plugins() - {record.plugin}
        return self.manager.subset_hook_caller(hook, others)(**arguments)


def _builtin_record(name: str) -> PluginRecord:
    return PluginRecord(
        name=name,
        group=BACKEND,
        target=BUILTIN[name].target,
        distribution="chainrule",
        builtin=True,
    )


def load_error(record: PluginRecord) -> PluginLoadError:
    """Return the error for a plugin that does not serve."""
    hint = (
        "" if record.state == CONFLICT
        else f" Install what it needs: {BUILTIN[record.name].install_hint}." if record.builtin
        else f" To do without it: CHAINRULE_DISABLE_PLUGINS={record.name}."
    )  # fmt: skip
    return PluginLoadError(f"{record}: {record.state}. {record.reason.rstrip('.')}.{hint}")


#: The plugins of this process.
host = PluginHost()
