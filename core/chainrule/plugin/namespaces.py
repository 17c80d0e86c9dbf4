"""``chainrule.ops.NAMESPACE.NAME``: plugins' ops, loaded when a namespace is first named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .records import DISCOVERED, PLUGIN, PluginRecord

if TYPE_CHECKING:
    from ..op import Op
    from .host import PluginHost


class OpNamespace:
    """The ops of one namespace, as attributes."""

    def __init__(self, host: PluginHost, name: str) -> None:
        self._host, self._name = host, name

    def _ops(self) -> dict[str, Op[Any, Any]]:
        prefix = f"{self._name}::"
        return {
            n.removeprefix(prefix): op
            for n, (op, _) in self._host.ops.items()
            if n.startswith(prefix)
        }

    def __getattr__(self, name: str) -> Op[Any, Any]:
        ops = self._ops()
        if name in ops:
            return ops[name]
        import difflib  # here, since few need it

        close = difflib.get_close_matches(name, ops, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        msg = f"chainrule.ops.{self._name} has no op {name!r}.{hint}"
        raise AttributeError(msg)

    def __dir__(self) -> list[str]:
        return sorted(self._ops())

    def __repr__(self) -> str:
        return f"<ops of namespace {self._name!r}: {', '.join(dir(self))}>"


def find_namespace(host: PluginHost, name: str) -> OpNamespace:
    """Return the ops in namespace *name*, after loading the plugin that has it.

    Raises:
        AttributeError: no installed plugin has the namespace.
        PluginLoadError: the plugin of that name cannot be loaded.
    """
    if not _has_ops(host, name):
        record = host.find(name, PLUGIN)
        if record is not None:
            host.load(record, asked=True)
        else:
            _load_until_found(host, name)
    if _has_ops(host, name):
        return OpNamespace(host, name)
    msg = (
        f"module 'chainrule.ops' has no attribute {name!r}\n"
        f"chainrule.ops: neither an op of core nor the namespace of an installed plugin. "
        "'chainrule plugins' lists those."
    )
    raise AttributeError(msg)


def _load_until_found(host: PluginHost, name: str) -> None:
    """Load plugin after plugin: one may define ops in a namespace not named as itself."""
    waiting: list[PluginRecord] = [
        r for r in host.discover() if r.group == PLUGIN and r.state == DISCOVERED
    ]
    for record in waiting:
        if host.load(record) and _has_ops(host, name):
            return


def _has_ops(host: PluginHost, name: str) -> bool:
    return any(op.startswith(f"{name}::") for op in host.ops)
