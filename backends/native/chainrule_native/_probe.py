"""Can the C kernels run here?"""

from __future__ import annotations

import sysconfig

from chainrule.backend import AVAILABLE, IMPORT_FAILED, NO_DEVICE, NOT_INSTALLED, Availability


def probe() -> Availability:
    """Return the state of the compiled modules on this machine; never raises."""
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        reason = (
            "this is a free-threaded Python, on which the C kernels were not tested: NumPy's "
            "backend runs the same programs there"
        )
        return Availability(state=NO_DEVICE, reason=reason)
    try:
        import numpy as np

        from ._levels import core

        level = core().level
    except ModuleNotFoundError as error:
        return Availability(state=NOT_INSTALLED, reason=_why_missing(error))
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything
        return Availability(state=IMPORT_FAILED, reason=f"{type(error).__name__}: {error}")
    versions = (("numpy", np.__version__), ("level", level))
    return Availability(state=AVAILABLE, devices=1, versions=versions)


def _why_missing(error: ModuleNotFoundError) -> str:
    if not (error.name or "").startswith("chainrule_native"):
        return str(error)
    return (
        "its C extension was not built for this Python: it takes a C compiler, and "
        "'pip install ./backends/native' in chainrule's source tree"
    )


def describe() -> dict[str, str]:
    """Return what ``chainrule info`` shows: the instructions, the threads, what is kept."""
    if not probe():
        return {}
    from ._levels import core, levels
    from ._threads import right_number

    return {
        "instructions": core().level,
        "levels that can run": ", ".join(levels()),
        "threads": str(right_number()),
    }
