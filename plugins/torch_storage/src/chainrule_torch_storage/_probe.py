"""Can PyTorch run here?"""

from __future__ import annotations

from chainrule.backend import AVAILABLE, IMPORT_FAILED, NOT_INSTALLED, Availability


def probe() -> Availability:
    """Return the state of PyTorch on this machine; never raises."""
    try:
        import torch
    except ModuleNotFoundError as error:
        return Availability(state=NOT_INSTALLED, reason=str(error))
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything
        return Availability(state=IMPORT_FAILED, reason=f"{type(error).__name__}: {error}")
    return Availability(state=AVAILABLE, devices=1, versions=(("torch", torch.__version__),))


def describe() -> dict[str, str]:
    """Return how many threads PyTorch's kernels use, where it can run."""
    if not probe():
        return {}
    import torch

    return {"threads": str(torch.get_num_threads())}
