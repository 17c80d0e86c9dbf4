"""`Generator`: the face of a random stream, and one default per device.

The stream itself is made by the backend that serves the device. Which numbers it draws is a matter
of the device type: all backends of one device type draw the same.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final

from ..backend import for_device, plain
from ..device import Device
from ..dtypes import uint8
from ..errors import ArgumentError, DeviceError, MixedBackendError
from ..grad_mode import mode
from ..locks import new_lock, new_rlock
from ..value import Value
from .creation import finish, key_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..backend import Backend, DispatchKey
    from ..tensor import Tensor

__all__: list[str] = []  # chainrule.random is its place

_SEEDS: Final = 1 << 64


class Generator:
    """A source of random numbers with a state of its own.

    Args:
        device: Where it draws.
        algorithm: ``"philox"`` for a stream that draws the same numbers on every device; by
            default the device's own, which on the CPU draws PyTorch's numbers.

    >>> import chainrule as cr
    >>> generator = cr.Generator().manual_seed(0)
    >>> cr.rand(2, generator=generator)
    tensor([0.4963, 0.7682])
    """

    def __init__(self, device: Device | str = "cpu", algorithm: str | None = None) -> None:
        where = Device(device)
        backend = for_device(where)
        self._set_up(backend, backend.canonical(where), algorithm)

    def _set_up(self, backend: Backend, device: Device, algorithm: str | None) -> None:
        self._backend, self._device, self._algorithm = backend, device, algorithm
        self.lock = new_rlock()  # a draw reads and moves the state in several steps
        self._stream = backend.stream(algorithm or "default")

    @property
    def device(self) -> Device:
        """Where it draws."""
        return self._device

    def manual_seed(self, seed: int) -> Generator:
        """Return the generator after starting it again from *seed*.

        Raises:
            RuntimeError: *seed* is no integer.
            ValueError: it is too large.

        >>> import chainrule as cr
        >>> cr.Generator().manual_seed(-1).initial_seed()
        18446744073709551615
        """
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            msg = f"manual_seed expected a long, but got {type(seed).__name__}"
            raise RuntimeError(msg)
        with self.lock:
            self._stream.seed(checked_seed(int(seed)))
        return self

    def seed(self) -> int:
        """Return a seed that nobody could foresee, after starting again from it."""
        seed = int.from_bytes(os.urandom(7), "little")
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """Return the seed that it was last started from."""
        return self._stream.initial_seed()  # type: ignore[no-any-return]  # a stream's

    def get_state(self) -> Tensor:
        """Return the state, as a uint8 tensor: PyTorch's 5056 bytes for the CPU's own stream."""
        with self.lock:
            state = bytearray(self._stream.get_state())
        key = key_for(uint8, "cpu")
        return finish(key.backend.from_buffer(state, (len(state),), uint8, key.device), key)

    def set_state(self, new_state: Tensor) -> None:
        """Go on from a state that `get_state` returned.

        Raises:
            TypeError: it is no uint8 tensor.
            RuntimeError: it is no state of this kind of stream.
        """
        if not isinstance(new_state, Value):
            msg = f"expected a torch.ByteTensor, but got {type(new_state).__name__}"
            raise ArgumentError(msg)
        if new_state._key.dtype is not uint8:
            msg = f"RNG state must be a torch.ByteTensor\nset_state: got {new_state._key.dtype}."
            raise ArgumentError(msg)
        state = bytes(new_state._key.backend.tolist(new_state._array))
        with self.lock:
            self._stream.set_state(state)

    def clone_state(self) -> Generator:
        """Return another generator in the same state."""
        made = object.__new__(Generator)
        made._set_up(self._backend, self._device, self._algorithm)
        made._stream.set_state(self._stream.get_state())
        return made

    def stream_for(self, key: DispatchKey) -> Any:
        """Return the stream, after checking that its arrays go with those of *key*.

        Raises:
            DeviceError: it draws on another kind of device.
            MixedBackendError: its backend's arrays are of another kind.
        """
        key = plain(key)
        if key.device.type != self._device.type:
            msg = (
                f"Expected a '{key.device.type}' device type for generator but found "
                f"'{self._device.type}'\nGenerator: make one with Generator('{key.device}')."
            )
            raise DeviceError(msg)
        if key.backend.spec.storage != self._backend.spec.storage:
            msg = (
                f"Generator: expected one that draws arrays of {key.backend.name}, got one of "
                f"{self._backend.name}. Make one with Generator('{key.device}@{key.backend.name}')."
            )
            raise MixedBackendError(msg)
        return self._stream

    def __reduce__(self) -> tuple[Any, tuple[str, str | None, bytes]]:
        return _restored, (str(self._device), self._algorithm, self._stream.get_state())


def _restored(device: str, algorithm: str | None, state: bytes) -> Generator:
    made = Generator(device, algorithm)
    made._stream.set_state(state)
    return made


def checked_seed(seed: int) -> int:
    """Return *seed* as a number of 64 bits; a negative one counts from the end.

    Raises:
        ValueError: it has more bits.
    """
    if not -_SEEDS // 2 <= seed < _SEEDS:
        msg = (
            "Overflow when unpacking long long\n"
            f"manual_seed: expected a seed from -2**63 to 2**64 - 1, got {seed}."
        )
        raise ValueError(msg)
    return seed % _SEEDS


class _Defaults:
    """The generators that draw when none is named: one per device and kind of array."""

    def __init__(self) -> None:
        self._lock = new_lock()
        self._made: dict[tuple[Device, str], Generator] = {}
        self._seed: int | None = None

    def of(self, backend: Backend, device: Device) -> Generator:
        place = device, backend.spec.storage
        found = self._made.get(place)
        if found is None:
            with self._lock:
                found = self._made.get(place) or self._make(backend, device)
                self._made[place] = found
        return found

    def _make(self, backend: Backend, device: Device) -> Generator:
        made = object.__new__(Generator)
        made._set_up(backend, device, None)
        return made if self._seed is None else made.manual_seed(self._seed)

    def seed_all(self, seed: int) -> None:
        """Start every generator from *seed*, those that are made later too."""
        with self._lock:
            self._seed = seed
            for generator in self._made.values():
                generator.manual_seed(seed)

    def all(self) -> Sequence[Generator]:
        return list(self._made.values())


defaults: Final = _Defaults()


class RngState:
    """The state of every default generator."""

    def __init__(self) -> None:
        self._states = [(generator, generator.get_state()) for generator in defaults.all()]

    @contextlib.contextmanager
    def restored(self) -> Iterator[None]:
        """Draw the same numbers again inside the block; go on afterwards as if nothing was."""
        outside = RngState()
        self._restore()
        try:
            yield
        finally:
            outside._restore()

    def _restore(self) -> None:
        known = set()
        for generator, state in self._states:
            generator.set_state(state)
            known.add(generator)
        for generator in defaults.all():
            if generator not in known:  # it was made since, for a device that had not drawn yet
                generator.manual_seed(generator.initial_seed())


def default_for(device: Device | str) -> Generator:
    """Return the generator that draws on *device* when none is named."""
    where = Device(device)
    backend = for_device(where)
    return defaults.of(backend, backend.canonical(where))


def generator_for(key: DispatchKey, generator: Any) -> Generator:
    """Return *generator*, or the default one where tensors of *key* live.

    Raises:
        ArgumentError: it is no generator.
    """
    for level in mode.levels:
        level.check_random()
    key = plain(key)
    if generator is None:
        return defaults.of(key.backend, key.device)
    if not isinstance(generator, Generator):
        kind = type(generator).__name__
        msg = f"argument 'generator' must be torch.Generator, not {kind}"
        raise ArgumentError(msg)
    return generator
