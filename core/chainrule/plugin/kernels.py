"""Who may give which kernel, and whose it is.

Installing a plugin changes no result of existing code: a kernel is used if it comes from the
backend's own plugin, or from the plugin that owns the op's namespace (in that order). A third
party's kernel for somebody else's op on somebody else's backend waits until it is preferred.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .. import ops
from ..backend import KernelDef, KernelSet
from ..errors import ChainruleError, KernelConflictError, OpDefinitionError, PluginLoadError
from ..op import all_ops
from .builtin import BUILTIN, CORE_NAMESPACE
from .records import ACTIVE, FAILED, normal_name

if TYPE_CHECKING:
    from ..backend import Backend
    from ..op import Op
    from .host import PluginHost
    from .records import PluginRecord

_TAKES_ANY_KEYWORD: Final = 0x08  # inspect.CO_VARKEYWORDS, without the import
_TAKES_ANY_POSITIONAL: Final = 0x04  # inspect.CO_VARARGS


class Offer(NamedTuple):
    """A kernel that the plugin of *record* has for *backend*, in the set of *family*."""

    record: PluginRecord
    backend: Backend
    family: str
    kernel: KernelDef


@dataclass
class Pin:
    """A kernel that the user chose, and the backend's own, to be used again later."""

    offer: Offer
    before: KernelDef | None


class Kernels:
    """The kernels that the plugins of *host* gave to its live backends, and those that wait."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._asked: set[tuple[str, str]] = set()
        self._given: list[Offer] = []
        self._waiting: list[Offer] = []
        self._pins: dict[tuple[str, str], Pin] = {}  # by backend and op

    def ask_for_live_backends(self, record: PluginRecord) -> None:
        """Ask a plugin that came late for its kernels for the backends that are live."""
        for backend in self._host.live:
            self.ask(record, backend)

    def ask_all(self, backend: Backend) -> None:
        """Ask every loaded plugin for kernels for *backend*.

        A failing plugin is put aside; if it is the backend's own or one in its lineage, that is
        the caller's problem.
        """
        preferred = self._host.selection.preferences
        if preferred:
            self._host.load_all()  # the provider is one of those that nobody asked for yet
        for record in self._host.serving():
            try:
                self.ask(record, backend)
            except Exception as error:
                if self._stands_in_lineage(record, backend):
                    error.add_note(
                        f"while asking {record} for kernels for backend {backend.name!r}"
                    )
                    raise
                self._host.quarantine(record, error, FAILED, asked=False)
        for op, name, provider in preferred:
            if name == backend.name or not self._is_known(provider):
                self._prefer_by_environment(op, provider, backend)

    def _is_known(self, provider: str) -> bool:
        return any(normal_name(provider) in record.names for record in self._host.records)

    def _prefer_by_environment(self, op: str, provider: str, backend: Backend) -> None:
        try:
            self.prefer(op, provider, backend)
        except ChainruleError as error:
            raise type(error)(f"CHAINRULE_PREFER: {error}") from error

    def ask(self, record: PluginRecord, backend: Backend) -> None:
        """Ask a plugin for its kernels for *backend*, once."""
        if (record.key, backend.name) in self._asked:
            return
        offers = self.offers_of(record, backend)
        self._asked.add((record.key, backend.name))
        for offer in offers.values():
            self._place(offer)
        for op, name, provider in self._host.selection.preferences:
            offered = any(offer.kernel.op == op for offer in offers.values())
            if offered and name in {"", backend.name} and normal_name(provider) in record.names:
                self._prefer_by_environment(op, provider, backend)

    def offers_of(self, record: PluginRecord, backend: Backend) -> dict[tuple[str, str], Offer]:
        """Return what a plugin has for *backend*, by family and op, each checked; none is used.

        Raises:
            OpDefinitionError: a kernel is for no op, or does not fit it.
            KernelConflictError: one set has two kernels for one op.
        """
        offers: dict[tuple[str, str], Offer] = {}
        for kernels in self._host.call(record, "chainrule_kernels", backend=backend):
            self._collect(record, backend, kernels, offers)
        return offers

    def _collect(
        self,
        record: PluginRecord,
        backend: Backend,
        kernels: KernelSet,
        offers: dict[tuple[str, str], Offer],
    ) -> None:
        """Add the kernels of one set to *offers* after checking each."""
        if not isinstance(kernels, KernelSet):
            raise TypeError(f"chainrule_kernels: expected KernelSet, got {type(kernels).__name__}")
        family = kernels.backend
        if not backend.isa(family):
            raise ValueError(
                f"KernelSet({family!r}): not in the lineage of backend {backend.name!r}, "
                f"which is {' > '.join(backend.lineage)}"
            )
        for op, kernel in kernels.kernels.items():
            if (family, op) in offers:
                raise KernelConflictError(
                    f"KernelSet({family!r}): two kernels for {op!r}, at "
                    f"{place_of(offers[family, op].kernel.function)} and "
                    f"{place_of(kernel.function)}. Keep one."
                )
            if self._check(record, kernel):
                signed = kernel if record.builtin else replace(kernel, provider=record.provider)
                offers[family, op] = Offer(record, backend, family, signed)

    def _check(self, record: PluginRecord, definition: KernelDef) -> bool:
        """Return whether there is an op for *definition*, after checking that the two fit."""
        of_core = namespace_of(definition.op) == CORE_NAMESPACE
        if of_core and not record.builtin and definition.op not in all_ops:
            ops.load_late()
        op = all_ops.get(definition.op)
        if op is not None:
            check_signature(op, definition)
            return True
        if of_core and record.builtin:
            return not definition.optional  # its op may come when it is first called
        # Chainrule's own kernels are held to this by a test instead, which names them all at once.
        # The ops of a plugin that is not loaded are not known.
        loaded = {CORE_NAMESPACE, *record.namespaces}
        if definition.optional or record.builtin or namespace_of(definition.op) not in loaded:
            return False
        raise OpDefinitionError(
            f"a kernel for {definition.op!r} at {place_of(definition.function)}: there is no such "
            "op. Correct the name, or mark it optional=True if only some versions have the op."
        )

    def _owns_op(self, record: PluginRecord, op: str) -> bool:
        namespace = namespace_of(op)
        return namespace in record.namespaces or (namespace == CORE_NAMESPACE and record.builtin)

    def _owns_backend(self, record: PluginRecord, name: str) -> bool:
        if name in BUILTIN:
            return record.builtin and record.name == name
        return name in record.backends

    def _place(self, offer: Offer) -> None:
        """Give a backend the kernel it is offered, or let the offer wait."""
        record, backend, family, kernel = offer
        owner = self._owns_backend(record, family)
        if not (owner or self._owns_op(record, kernel.op)):
            self._waiting.append(offer)
        elif owner or kernel.op not in backend.kernels.get(family, {}):
            record.kernels += 1
            record.state = ACTIVE
            self._given.append(offer)
            pin = self._pins.get((backend.name, kernel.op)) if family == backend.name else None
            if pin is not None:
                pin.before = kernel
            else:
                _put(backend, family, kernel.op, kernel)

    def _stands_in_lineage(self, record: PluginRecord, backend: Backend) -> bool:
        return any(self._owns_backend(record, name) for name in backend.lineage)

    # Preferring

    def waiting_for(self, op: str, backend: Backend) -> list[Offer]:
        """Return the kernels for *op* that nobody has asked for."""
        return [o for o in self._waiting if o.backend is backend and o.kernel.op == op]

    def pinned(self, op: str, backend: Backend) -> Offer | None:
        """Return the kernel for *op* that the user chose for *backend*."""
        pin = self._pins.get((backend.name, op))
        return pin.offer if pin is not None else None

    def prefer(self, op: str, provider: str | None, backend: Backend) -> None:
        """Use *provider*'s kernel for *op* on *backend*; None takes the choice back.

        Raises:
            PluginLoadError: no plugin of that name has one.
            KernelConflictError: several of that name have one.
        """
        own = backend.kernels.get(backend.name, {}).get(op)  # collects them, if need be
        key = backend.name, op
        pin = self._pins.get(key)
        if provider is None:
            if pin is not None:
                del self._pins[key]
                _put(backend, backend.name, op, pin.before)
            return
        offer = self._offer_of(provider, op, backend)
        self._pins[key] = Pin(offer, pin.before if pin else own)
        _put(backend, backend.name, op, offer.kernel)
        offer.record.state = ACTIVE

    def _offer_of(self, provider: str, op: str, backend: Backend) -> Offer:
        """Return the one kernel for *op* that *provider* has."""
        given = [o for o in self._given if o.backend is backend and o.kernel.op == op]
        offers = [*given, *self.waiting_for(op, backend)]
        named = [o for o in offers if normal_name(provider) in o.record.names]
        if len(named) == 1:
            return named[0]
        if named:
            places = " and ".join(
                f"{o.record.name!r} at {place_of(o.kernel.function)}" for o in named
            )
            raise KernelConflictError(
                f"prefer: {provider!r} stands for several plugins with a kernel for {op}: "
                f"{places}. Name one: chainrule.prefer({op!r}, {named[0].record.name!r}, "
                f"backend={backend.name!r})"
            )
        have = ", ".join(o.record.name for o in offers) or "none"
        raise PluginLoadError(
            f"prefer: expected a plugin with a kernel for {op} on backend {backend.name!r}, "
            f"got {provider!r}. Plugins with one: {have}."
        )

    # Taking back

    def withdraw(self, record: PluginRecord) -> None:
        """Take back the kernels of *record*: the tables resolve anew.

        Raises:
            PluginLoadError: tensors may live on a backend of it.
        """
        if self.has_live_backend(record):
            raise PluginLoadError(
                f"{record}: its backend is live, and tensors may be on it. Block it earlier."
            )
        for (_, op), pin in list(self._pins.items()):
            if pin.offer.record is record:
                self.prefer(op, None, pin.offer.backend)
        for record_, backend, family, kernel in self._given:
            if record_ is record and backend.kernels[family].get(kernel.op) is kernel:
                _put(backend, family, kernel.op, None)
        self._given = [offer for offer in self._given if offer.record is not record]
        self._waiting = [offer for offer in self._waiting if offer.record is not record]
        self._asked = {pair for pair in self._asked if pair[0] != record.key}
        record.kernels = 0

    def has_live_backend(self, record: PluginRecord) -> bool:
        """Return whether a backend of *record* is live."""
        return any(backend.name in record.backends for backend in self._host.live)


def _put(backend: Backend, family: str, op: str, definition: KernelDef | None) -> None:
    """Give *backend* a kernel, or take it away, and let the op's table resolve anew."""
    if definition is None:
        backend.kernels.get(family, {}).pop(op, None)
    else:
        backend.kernels.setdefault(family, {})[op] = definition
    if backend.index >= 0 and op in all_ops:
        all_ops[op].reset(backend.index)


def namespace_of(op: str) -> str:
    """Return the part of an op's name before ``::``."""
    return op.partition("::")[0]


def check_signature(op: Op[Any, Any], definition: KernelDef) -> None:
    """Check that a kernel written in Python can be called as *op* calls it.

    A factory is not called for this, and a callable of another kind is not looked into.

    Raises:
        OpDefinitionError: it takes too few tensors, or lacks a static argument.
    """
    if not getattr(op, "takes_kernels", True):
        raise OpDefinitionError(
            f"a kernel for {definition.op!r} at {place_of(definition.function)}: its Function "
            f"{op.function_class.__name__} saves in forward(ctx, ...), which a kernel cannot do. "
            "Let it save in setup_context(ctx, inputs, output) instead."
        )
    code = getattr(definition.function, "__code__", None)
    if code is None or definition.family or definition.over:
        return
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    statics = [name for _, name, _ in op.schema.statics]
    tensors = len(op.schema.tensors)
    missing = [] if code.co_flags & _TAKES_ANY_KEYWORD else [n for n in statics if n not in names]
    short = code.co_argcount < tensors and not code.co_flags & _TAKES_ANY_POSITIONAL
    if missing or short:
        what = f"{tensors} arrays by position" if short else f"the keyword {missing[0]!r}"
        raise OpDefinitionError(
            f"a kernel for {definition.op!r} at {place_of(definition.function)}: expected it to "
            f"take {what}, it takes ({', '.join(names)})."
        )


def place_of(function: Any) -> str:
    """Return where *function* is written, ``file:line``, or its name if it is not Python."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    module = getattr(function, "__module__", None) or type(function).__module__
    return f"{module}.{getattr(function, '__name__', type(function).__name__)}"
