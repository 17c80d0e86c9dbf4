"""Can CuPy run here? One of four states, each with what to do about it."""

from __future__ import annotations

from importlib import metadata
from typing import Any, Final

from chainrule.backend import AVAILABLE, IMPORT_FAILED, NO_DEVICE, NOT_INSTALLED, Availability

from . import spec

#: The oldest CuPy whose behaviour the kernels were written for.
OLDEST: Final = (14, 2)
#: Distributions that own the import package ``cupy``; two of them overwrite each other's files.
WHEELS: Final = ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x")

#: What CUDA calls the ways of having no device, and what helps.
CURES: Final = {
    "cudaErrorInsufficientDriver": (
        "there is no NVIDIA driver, or it is older than the CUDA of this CuPy. Install or update "
        "the driver (nvidia-smi shows it), or install the CuPy of the CUDA that the driver supports"
    ),
    "cudaErrorNoDevice": (
        "the driver sees no GPU. Look at CUDA_VISIBLE_DEVICES, and at what nvidia-smi lists"
    ),
    "cudaErrorSystemDriverMismatch": (
        "the driver in the kernel and its library differ. Restart the machine after an update"
    ),
    "cudaErrorDevicesUnavailable": (
        "all GPUs are busy, or in exclusive mode. nvidia-smi lists what uses them"
    ),
}


def probe() -> Availability:
    """Return whether CuPy can be imported, finds a device and can compile for it; never raises."""
    try:
        import cupy
    except ModuleNotFoundError as error:
        return _not_importable(error)
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything
        return _import_failed(error)
    versions = (("cupy", str(cupy.__version__)),)
    if _number(versions[0][1]) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        reason = f"it is older than {needed}. Update it: pip install --upgrade {_wheel()}"
        return Availability(state=IMPORT_FAILED, reason=reason, versions=versions)
    return _usable(cupy, versions)


def _usable(cupy: Any, versions: tuple[tuple[str, str], ...]) -> Availability:
    """Return whether CuPy, which was imported, finds a device and can compile for it."""
    try:
        count = int(cupy.cuda.runtime.getDeviceCount())
    except Exception as error:  # noqa: BLE001 - the driver may be broken in any way
        return Availability(state=NO_DEVICE, reason=_reason(error), versions=versions)
    if count == 0:
        reason = f"cudaErrorNoDevice: {CURES['cudaErrorNoDevice']}"
        return Availability(state=NO_DEVICE, reason=reason, versions=versions)
    try:
        cupy.cuda.nvrtc.getVersion()
    except Exception as error:  # noqa: BLE001 - whatever looks for a library may raise
        reason = (
            f"the compiler of CUDA is missing, without which no kernel runs: {_first_line(error)}. "
            f'Install CUDA\'s libraries: pip install "{_wheel()}[ctk]"'
        )
        return Availability(state=IMPORT_FAILED, reason=reason, versions=versions)
    return Availability(state=AVAILABLE, devices=count, versions=(*versions, *_toolkit(cupy)))


def describe() -> dict[str, str]:
    """Return what ``chainrule info`` shows: the wheel, CUDA and each device, or what is missing."""
    available = probe()
    if available.state == NOT_INSTALLED:
        return {"get it": spec.install_hint}
    found = {"distribution": ", ".join(installed_wheels()) or "none: built from source"}
    if not available:
        return {**found, available.state: available.reason}
    import cupy

    for number in range(available.devices):
        found[f"cuda:{number}"] = _device(cupy, number)
    return {**found, **dict(available.versions[1:])}


def installed_wheels() -> list[str]:
    """Return the distributions that bring ``cupy``; more than one is a broken installation."""
    found = []
    for name in WHEELS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def _not_importable(error: ModuleNotFoundError) -> Availability:
    if (error.name or "").partition(".")[0] == "cupy":
        return Availability(state=NOT_INSTALLED, reason="there is no module 'cupy'")
    return _import_failed(error)


def _import_failed(error: Exception) -> Availability:
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" *=")]
    reason = f"{type(error).__name__}: {' '.join(lines)[:300]}"
    wheels = installed_wheels()
    if len(wheels) > 1:
        reason += f". {' and '.join(wheels)} overwrite each other: uninstall all, install one"
    return Availability(state=IMPORT_FAILED, reason=reason)


def _reason(error: Exception) -> str:
    text = _first_line(error)
    cure = next((cure for name, cure in CURES.items() if name in text), "")
    return f"{text}. {cure[:1].upper()}{cure[1:]}" if cure else text


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _wheel() -> str:
    found = installed_wheels()
    return found[0].partition(" ")[0] if found else "cupy-cuda13x"


def _toolkit(cupy: Any) -> tuple[tuple[str, str], ...]:
    runtime = cupy.cuda.runtime
    try:
        return (
            ("CUDA runtime", _dotted(runtime.runtimeGetVersion())),
            ("CUDA driver", _dotted(runtime.driverGetVersion())),
        )
    except Exception:  # noqa: BLE001 - versions are for the reader; nothing hangs on them
        return ()


def _dotted(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _device(cupy: Any, number: int) -> str:
    try:
        found = cupy.cuda.runtime.getDeviceProperties(number)
    except Exception as error:  # noqa: BLE001 - a device may be there and unusable
        return str(error)
    name = found["name"].decode() if isinstance(found["name"], bytes) else found["name"]
    gib = found["totalGlobalMem"] / 2**30
    return f"{name}, {gib:.0f} GiB, compute capability {found['major']}.{found['minor']}"
