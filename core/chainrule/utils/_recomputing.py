"""How a checkpoint that works by hooks computes again what it did not keep."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any

from .. import traces
from ..autograd._naming import op_name
from ..autograd._observing import observe, unobserve
from ..autograd.graph import saved_tensors_hooks
from ..engine import current_task
from ..errors import AutogradError
from ..grad_mode import enable_grad
from ..graph import check_version, version_of
from ..saved import in_force, unpacked
from ..tensor import Tensor
from ..watching import packed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

# Note [Recomputing]: what is computed again, and when
# --------------------------------------------------
# During the first call every tensor that an operation would save is replaced by a `_Place`, which
# holds nothing but its number. When the backward pass asks for the first of them, the function is
# called again, on the same arguments and with the same random numbers, and what it saves is taken
# down in the same order: the tensor that is saved as number 7 belongs to place number 7. The pass
# then takes the tensors one by one, each once, so that they are freed while it goes on. Another
# pass computes anew.
#
# A place whose node is gone needs no tensor; so the region knows its places weakly. A node holds
# its places, each of them its region, and that one the arguments.

_TIP = (
    "\nTip: to see which operations ran in both calls, pass `debug=True` to "
    "`torch.utils.checkpoint.checkpoint(...)`, or wrap the code block with "
    "`with torch.utils.checkpoint.set_checkpoint_debug_enabled(True):`.\n"
    "checkpoint: the function must do the same on both calls. Does it depend on something that "
    "changed since: a counter, a cache, the global state, a parameter written to in place?"
)


class CheckpointError(AutogradError):
    """The second call of a checkpointed function did something else than the first."""

    __module__ = "chainrule.utils.checkpoint"


class _EndOfRecomputation(BaseException):
    """All that is needed was saved: no error, and nothing for an ``except Exception``."""


class _Place:
    """What stands for one saved tensor."""

    __slots__ = ("__weakref__", "number", "region")

    def __init__(self, region: Region, number: int) -> None:
        self.region, self.number = region, number


def metadata_of(tensor: Tensor) -> dict[str, Any]:
    """Return what must be the same of a tensor that was computed again."""
    return {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device}


class Region:
    """The part of a graph that one checkpoint made. A context manager around the first call."""

    def __init__(
        self,
        again: Callable[..., None],
        args: tuple[Any, ...],
        metadata: Callable[[Tensor], Any] | None,
        explain: Callable[[CheckpointError], CheckpointError] | None,
        *,
        early_stop: bool,
    ) -> None:
        self._again, self._metadata, self._explain = again, metadata, explain
        self._early_stop = early_stop
        self._args = [_kept(item) for item in args]
        self._places: list[weakref.ref[_Place]] = []
        self._found: list[Any] = []  # the metadata of what the first call saved
        self._complete = False
        self._recomputed: weakref.WeakKeyDictionary[Any, dict[int, Any]] = (
            weakref.WeakKeyDictionary()
        )
        self._hooks = saved_tensors_hooks(self._take_place, _tensor_at)

    def __enter__(self) -> None:
        self._hooks.__enter__()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._hooks.__exit__(exc_type, exc, traceback)
        del self._hooks  # they hold the region
        self._complete = True

    def _take_place(self, tensor: Tensor) -> _Place:
        place = _Place(self, len(self._places))
        self._places.append(weakref.ref(place))
        self._found.append(None if self._metadata is None else self._metadata(tensor))
        return place

    def tensor_at(self, number: int) -> Any:
        """Return what the second call saved as this number."""
        task = current_task()
        if task is None:  # somebody looks, outside of any pass
            return self._recompute()[number]
        tensors = self._recomputed.get(task)
        if tensors is None or number not in tensors:
            tensors = self._recomputed[task] = self._recompute()
        return tensors.pop(number)

    def _recompute(self) -> dict[int, Any]:
        """Return what the second call saves, by number."""
        try:
            return self._called_again()
        except CheckpointError as error:
            if self._explain is None:
                raise
            raise self._explain(error) from error

    def _called_again(self) -> dict[int, Any]:
        arguments = [_given(item) for item in self._args]
        found: dict[int, Any] = {}
        metadata: list[Any] = []

        def take(tensor: Tensor) -> Tensor:
            number, tensor = len(metadata), tensor.detach()
            if number == len(self._places) and self._complete:
                msg = (
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than "
                    f"during the original forward pass.\n{_TIP}"
                )
                raise CheckpointError(msg)
            metadata.append(None if self._metadata is None else self._metadata(tensor))
            if number < len(self._places) and self._places[number]() is not None:
                found[number] = tensor
            if self._early_stop and len(metadata) == len(self._places):
                raise _EndOfRecomputation
            return tensor

        hooks = saved_tensors_hooks(take, lambda tensor: tensor)
        with contextlib.suppress(_EndOfRecomputation), hooks, enable_grad():
            self._again(*arguments)
        if self._complete:
            self._check(metadata, found)
        return found

    def _check(self, metadata: list[Any], found: dict[int, Any]) -> None:
        if len(metadata) != len(self._places):
            msg = (
                "torch.utils.checkpoint: A different number of tensors was saved during the "
                "original forward and recomputation.\n"
                f"Number of tensors saved during forward: {len(self._places)}\n"
                f"Number of tensors saved during recomputation: {len(metadata)}.\n{_TIP}"
            )
            raise CheckpointError(msg)
        different = "".join(
            f"tensor at position {number}:\n"
            f"saved metadata: {self._found[number]}\n"
            f"recomputed metadata: {metadata[number]}\n"
            for number in found
            if self._found[number] != metadata[number]
        )
        if different:
            msg = (
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                f"different metadata than during the forward pass.\n{different}.\n{_TIP}"
            )
            raise CheckpointError(msg)


def _tensor_at(place: _Place) -> Any:
    return place.region.tensor_at(place.number)


def _kept(item: Any) -> Any:
    """Return an argument as a region keeps it: packed by the hooks around, with its version."""
    if not isinstance(item, Tensor):
        return item
    if in_force.hooks:
        return packed(item, in_force.hooks[-1])
    return _Versioned(item)


class _Versioned:
    """A tensor, and how often it had been written to."""

    __slots__ = ("tensor", "version")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor, self.version = tensor, version_of(tensor)


def _given(item: Any) -> Any:
    """Return a kept argument as the function takes it."""
    if isinstance(item, _Versioned):
        check_version(item.tensor, item.version)
        return item.tensor
    return unpacked(item)


# Debugging


class _Log:
    """The operations of one call, with their lines. A context manager and an observer."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __enter__(self) -> None:
        self.lines = []
        observe(self)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        unobserve(self)

    def before(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Take the call down."""
        shapes = [str(list(a.shape)) for a in args if isinstance(a, Tensor)]
        self.lines.append(f"{op_name(name)}({', '.join(shapes)}) at {traces.here().place()}")

    def after(
        self, token: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> None:
        """Nothing more."""

    def failed(self, token: Any, name: str) -> None:
        """Nothing more."""


def observed() -> tuple[
    Callable[[], tuple[Any, Any]], Callable[[CheckpointError], CheckpointError]
]:
    """Return a ``context_fn`` that takes down the operations of both calls, and what tells them."""
    first, second = _Log(), _Log()

    def explain(error: CheckpointError) -> CheckpointError:
        differ = next(
            (n for n, (a, b) in enumerate(zip(first.lines, second.lines, strict=False)) if a != b),
            min(len(first.lines), len(second.lines)),
        )
        return CheckpointError(
            "An error happened while unpacking tensors; dumping logs of latest computation because "
            "you passed `debug=True` to `torch.utils.checkpoint.checkpoint()`.\n"
            f"{error.args[0].partition(_TIP)[0]}\n"
            f"Operations executed during the original forward:\n{_numbered(first.lines)}\n"
            f"Operations executed during recomputation:\n{_numbered(second.lines)}\n"
            f"The first that differs is number {differ}."
        )

    return lambda: (first, second), explain


def _numbered(lines: list[str]) -> str:
    return "".join(f"  {number}: {line}\n" for number, line in enumerate(lines)) or "  none\n"
