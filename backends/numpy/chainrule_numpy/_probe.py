"""Can NumPy run here?"""

from __future__ import annotations

from chainrule.backend import AVAILABLE, IMPORT_FAILED, NOT_INSTALLED, Availability


def probe() -> Availability:
    """Return the state of NumPy on this machine; never raises."""
    try:
        import numpy as np
    except ModuleNotFoundError as error:
        return Availability(state=NOT_INSTALLED, reason=str(error))
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything
        return Availability(state=IMPORT_FAILED, reason=f"{type(error).__name__}: {error}")
    return Availability(state=AVAILABLE, devices=1, versions=(("numpy", np.__version__),))


def describe() -> dict[str, str]:
    """Return what ``chainrule info`` shows: the library that multiplies matrices, and how."""
    if not probe():
        return {}
    import os

    import numpy as np

    config: dict[str, dict[str, dict[str, str]]] = np.show_config(mode="dicts")  # type: ignore[assignment]  # its stub says None too
    blas = config["Build Dependencies"]["blas"]
    threads = {
        name: os.environ[name]
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        if name in os.environ
    }
    return {"BLAS": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(), **threads}
