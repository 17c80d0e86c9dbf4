"""`Sandbox`: a plugin host of its own, where a plugin can be loaded, and no other is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import all_ops
from ..plugin.host import PluginHost
from ..plugin.selection import Selection

if TYPE_CHECKING:
    from ..plugin.records import PluginRecord


class Sandbox:
    """An isolated host: nothing is discovered, and `close` takes back what was registered.

    Live backends are the process's, so a plugin's kernels for them are in use until then.
    """

    def __init__(self) -> None:
        self.host = PluginHost(Selection(none=True), scan=list)
        self._ops = dict(all_ops)

    def register(self, plugin: object) -> PluginRecord:
        """Load *plugin*; return what became of it.

        Raises:
            PluginLoadError: it cannot be loaded; the message says why.
        """
        return self.host.register(plugin)

    def unload(self, record: PluginRecord) -> None:
        """Take the plugin of *record* out of use."""
        self.host.unload(record)

    def close(self) -> None:
        """Unload everything, and forget the ops that were made meanwhile."""
        for record in self.host.serving():
            if not record.builtin and not self.host.kernels.has_live_backend(record):
                self.host.unload(record)
        for name in all_ops.keys() - self._ops.keys():
            del all_ops[name]
