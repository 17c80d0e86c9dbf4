"""Can the simulated device run here?"""

from __future__ import annotations

from chainrule.backend import AVAILABLE, IMPORT_FAILED, NOT_INSTALLED, Availability

from .counting import DEVICES


def probe() -> Availability:
    """Return the state of NumPy, which it simulates with; never raises."""
    try:
        import numpy as np
    except ModuleNotFoundError as error:
        return Availability(state=NOT_INSTALLED, reason=str(error))
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything
        return Availability(state=IMPORT_FAILED, reason=f"{type(error).__name__}: {error}")
    return Availability(state=AVAILABLE, devices=DEVICES, versions=(("numpy", np.__version__),))
