"""Random numbers: seeds, generators and their states. What is drawn stands in ``chainrule.ops``.

On the CPU the numbers are PyTorch's, bit for bit: a program that calls ``manual_seed(0)`` gets what
it gets there.

>>> import chainrule as cr
>>> _ = cr.manual_seed(0)
>>> cr.rand(2)
tensor([0.4963, 0.7682])
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from .ops.generator import Generator, checked_seed, default_for, defaults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .tensor import Tensor

__all__ = [
    "Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed",
    "seed", "set_rng_state",
]  # fmt: skip

#: The generator that draws on the CPU when none is named.
default_generator: Generator = default_for("cpu")


def manual_seed(seed: Any) -> Generator:
    """Return the CPU's default generator after starting those of all devices from *seed*.

    Args:
        seed: An integer, or what converts to one; below zero it counts from the end of 64 bits.

    Raises:
        ValueError: it has more than 64 bits.

    >>> manual_seed(7).initial_seed()
    7
    """
    defaults.seed_all(checked_seed(int(seed)))
    return default_generator


def seed() -> int:
    """Return a seed that nobody could foresee, after starting all default generators from it."""
    chosen = Generator().seed()
    defaults.seed_all(chosen)
    return chosen


def initial_seed() -> int:
    """Return the seed that the CPU's default generator was last started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Return the state of the CPU's default generator, as a uint8 tensor.

    >>> state = get_rng_state()
    >>> import chainrule as cr
    >>> first = cr.rand(3)
    >>> set_rng_state(state)
    >>> cr.rand(3).equal(first)
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the CPU's default generator into a state that `get_rng_state` returned.

    Raises:
        TypeError: it is no uint8 tensor.
        RuntimeError: it is no such state.
    """
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:
    """Leave the default generators as they were before the ``with`` block.

    Args:
        devices: Taken and ignored, as is *device_type*: all default generators are kept.
        enabled: False to do nothing.
        device_type: See *devices*.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> with fork_rng():
    ...     inside = cr.rand(3)
    >>> cr.rand(3).equal(inside)
    True
    """
    if not enabled:
        yield
        return
    before = [(generator, generator.get_state()) for generator in defaults.all()]
    try:
        yield
    finally:
        for generator, state in before:
            generator.set_state(state)
