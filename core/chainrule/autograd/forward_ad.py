"""Forward mode with dual numbers: what changes with what, in the order of the computation.

>>> import chainrule as cr
>>> import chainrule.autograd.forward_ad as fwAD
>>> with fwAD.dual_level():
...     x = fwAD.make_dual(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 0.0]))
...     primal, tangent = fwAD.unpack_dual(x * x)
>>> tangent
tensor([2., 0.])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..errors import ArgumentError, AutogradError
from ..grad_mode import mode
from ..transforms.dual import DualArray, DualLevel, check_shape
from ..transforms.wrapped import raw
from ..value import Value

if TYPE_CHECKING:
    from types import TracebackType

    from ..tensor import Tensor

__all__ = [
    "UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual",
    "unpack_dual",
]  # fmt: skip


class UnpackedDualTensor(NamedTuple):
    """A dual tensor taken apart: its value, and its tangent or None."""

    primal: Any
    tangent: Any


def _running() -> DualLevel | None:
    """Return the level that was entered here, or None; those of `func.jvp` are not meant."""
    for level in mode.levels:
        if isinstance(level, _UserLevel):
            return level
    return None


class _UserLevel(DualLevel):
    """A level that a user entered."""

    functional = False


def enter_dual_level() -> int:
    """Enter a level of forward mode and return its number, 0.

    Raises:
        RuntimeError: there is one already.
    """
    if _running() is not None:
        msg = (
            "Nested forward mode AD is not supported at the moment\n"
            "enter_dual_level: leave the level that is open, or use func.jvp, which nests."
        )
        raise AutogradError(msg)
    _UserLevel().__enter__()
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Leave the level: dual tensors lose their tangents.

    Raises:
        RuntimeError: there is none, or *level* is another.
    """
    running = _running()
    if running is None and level is None:
        msg = "Dual level must be a positive number.\nexit_dual_level: no level was entered."
        raise AutogradError(msg)
    if running is None or level not in {None, 0}:
        msg = (
            "Trying to exit a forward AD level that was not the last one that was created. This is "
            f"not supported.\nexit_dual_level: expected level 0, got {level}."
        )
        raise AutogradError(msg)
    running.__exit__(None, None, None)


class dual_level:  # noqa: N801 - PyTorch's name
    """A context manager: inside it dual tensors can be made."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        exit_dual_level()


class _set_fwd_grad_enabled:  # noqa: N801 - PyTorch's name
    """Compute tangents or not: inside the block, or from the call on."""

    def __init__(self, mode_: bool) -> None:
        self._before, mode.forward = mode.forward, mode_

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        mode.forward = self._before


def _is_fwd_grad_enabled() -> bool:
    """Return whether tangents are computed."""
    return mode.forward


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """Return *tensor* with a *tangent*: what is computed from it carries its own.

    Args:
        tensor: ``(*)``, floating or complex.
        tangent: ``(*)``: the direction in which *tensor* changes.
        level: The number of the level, 0.

    Returns:
        A view of *tensor*, with its history: a result can be differentiated forward and backward.

    Raises:
        RuntimeError: no level was entered, the shapes differ, or one of the two has a tangent.
        ValueError: one of the two is of an integer type.

    >>> import chainrule as cr
    >>> with dual_level():
    ...     make_dual(cr.tensor([1.0]), cr.tensor([5.0])) * 2
    tensor([2.], tangent=tensor([10.]))
    """
    running = _running()
    if running is None or (level is not None and level < 0):
        msg = (
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
        raise AutogradError(msg)
    for name, item in (("primal", tensor), ("tangent", tangent)):
        if not isinstance(item, Value):
            msg = f"make_dual(): {name} must be Tensor, not {type(item).__name__}"
            raise ArgumentError(msg)
        check_floating(name, item)
    if level not in {None, 0}:
        msg = f"Invalid level given to _make_dual\nmake_dual: expected level 0, got {level}."
        raise AutogradError(msg)
    check_tangent(tensor, tangent, running)
    made: Tensor = dual_of(running, tensor, tangent)
    return made


def check_floating(name: str, tensor: Any) -> None:
    """Check that *tensor* can change.

    Raises:
        ValueError: it is of an integer type.
    """
    if not tensor._key.floating:
        msg = f"Expected {name} to be floating point or complex, but got: {tensor._key.dtype}"
        raise ValueError(msg)


def check_tangent(tensor: Any, tangent: Any, level: DualLevel) -> None:
    """Check that *tangent* can be that of *tensor*.

    Raises:
        RuntimeError: the shapes differ, or one of the two has a tangent.
    """
    if _has_tangent(tensor, level):
        msg = (
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the "
            "same level 0 is not supported."
        )
        raise AutogradError(msg)
    if _has_tangent(tangent, level):
        msg = (
            "Setting a forward grad that itself has a forward gradient at the same level0 is not "
            "supported."
        )
        raise AutogradError(msg)
    check_shape(tensor, tangent)


def _has_tangent(tensor: Any, level: DualLevel) -> bool:
    array = tensor._array
    return isinstance(array, DualArray) and array.level is level and array.tangent is not None


def dual_of(level: DualLevel, tensor: Any, tangent: Any) -> Any:
    """Return a view of *tensor* with *tangent*, in the graph of *tensor* and of its own."""
    made = raw._alias(tensor)
    primal = tensor._array.primal if _is_of(tensor, level) else tensor
    array = DualArray(level, primal, tangent)
    made._array, made._key = array, array.key
    return made


def _is_of(tensor: Any, level: DualLevel) -> bool:
    return isinstance(tensor._array, DualArray) and tensor._array.level is level


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """Return the value of *tensor*, a view, and its tangent: None where it has none.

    Args:
        tensor: Any tensor.
        level: The number of the level, 0.

    >>> import chainrule as cr
    >>> unpack_dual(cr.tensor([1.0]))
    UnpackedDualTensor(primal=tensor([1.]), tangent=None)
    """
    value: Any = tensor
    running = _running()
    if level not in {None, 0} and running is not None:
        msg = f"Invalid level given to _fw_primal\nunpack_dual: expected level 0, got {level}."
        raise AutogradError(msg)
    array = value._array
    if not isinstance(array, DualArray) or not isinstance(array.level, _UserLevel):
        return UnpackedDualTensor(value if running is None else raw._alias(value), None)
    return UnpackedDualTensor(raw._alias(array.primal), array.live_tangent())
