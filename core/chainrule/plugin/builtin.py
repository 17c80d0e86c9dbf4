"""The plugins that ship with chainrule: the one place in core where backends have names.

They come in by the same door as anyone's. This table only spares the scan of entry points, keeps
their names from being taken, and knows how to get those that are not installed.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Builtin(NamedTuple):
    """Where a plugin object is, the device types it is the default for, how to get it.

    The plugin of a backend comes with chainrule; its *library* may have to be installed.
    """

    target: str
    default_for: tuple[str, ...]
    install_hint: str
    is_backend: bool = True
    library: str = ""


BUILTIN: Final = {
    "xp": Builtin("chainrule_xp:plugin", (), "pip install chainrule", is_backend=False),
    "numpy": Builtin("chainrule_numpy:plugin", ("cpu",), "pip install numpy"),
    "sim": Builtin("chainrule_sim:plugin", ("sim",), "pip install chainrule"),
    "cupy": Builtin(
        "chainrule_cupy:plugin", ("cuda",), 'pip install "chainrule[cupy12]"', library="cupy"
    ),
    "native": Builtin("chainrule_native:plugin", (), "pip install chainrule-native"),
}

#: The namespace of core's own ops, which no plugin may define ops in.
CORE_NAMESPACE: Final = "cr"
