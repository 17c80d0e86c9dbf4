"""Random numbers on CUDA devices: seeds, and the states of their default generators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..device import Device
from ..ops.generator import default_for
from ._devices import device_count, is_available, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..ops.generator import Generator
    from ..tensor import Tensor


def _generator(device: Any) -> Generator:
    return default_for(Device("cuda", number_of(device)))


def manual_seed(seed: int) -> None:
    """Start the generator of the current device from *seed*; nothing where there is none."""
    if is_available():
        _generator(None).manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """Start the generators of all CUDA devices from *seed*."""
    for number in range(device_count()):
        _generator(number).manual_seed(seed)


def seed() -> None:
    """Start the generator of the current device from a seed that nobody could foresee."""
    if is_available():
        _generator(None).seed()


def seed_all() -> None:
    """Start those of all CUDA devices from one such seed."""
    if is_available():
        manual_seed_all(_generator(None).seed())


def initial_seed() -> int:
    """Return the seed that the generator of the current device was last started from.

    Raises:
        AssertionError: there is no device.
    """
    return _generator(None).initial_seed()


def get_rng_state(device: Any = "cuda") -> Tensor:
    """Return the state of a device's generator, as a uint8 tensor on the host.

    Raises:
        AssertionError: there is no device.
    """
    return _generator(device).get_state()


def get_rng_state_all() -> list[Tensor]:
    """Return the states of all CUDA devices' generators."""
    return [get_rng_state(number) for number in range(device_count())]


def set_rng_state(new_state: Tensor, device: Any = "cuda") -> None:
    """Put a device's generator into a state that `get_rng_state` returned.

    Raises:
        AssertionError: there is no device.
    """
    _generator(device).set_state(new_state)


def set_rng_state_all(new_states: Iterable[Tensor]) -> None:
    """Put the generators of all CUDA devices into *new_states*."""
    for number, state in enumerate(new_states):
        set_rng_state(state, number)
