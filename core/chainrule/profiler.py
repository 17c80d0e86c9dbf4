"""Profiles of a running program, by steps: `profile`, `schedule` and what goes with them."""

from __future__ import annotations

import enum
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .autograd import profiler as _profiler
from .autograd.profiler import record_function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from .autograd._events import EventList

__all__ = [
    "ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule",
    "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip


class ProfilerActivity(enum.Enum):
    """What can be profiled."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(enum.Enum):
    """What a profiler does during a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """Return what can be profiled here.

    >>> supported_activities()
    {<ProfilerActivity.CPU: 0>}
    """
    return {ProfilerActivity.CPU}


def schedule(
    *,
    wait: int,
    warmup: int,
    active: int,
    repeat: int = 0,
    skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:
    """Return a function from the number of a step to what the profiler does in it.

    After *skip_first* steps come rounds of *wait* idle steps, *warmup* steps that are not kept, and
    *active* steps that are.

    Args:
        wait: Idle steps of a round.
        warmup: Steps of a round that are recorded and dropped.
        active: Steps of a round that are kept.
        repeat: How many rounds; 0 for as long as the program runs.
        skip_first: Idle steps before the first round.
        skip_first_wait: Other than 0: the first round does not wait.

    Raises:
        AssertionError: a number is negative, or *active* is 0.

    >>> plan = schedule(wait=1, warmup=1, active=2)
    >>> [plan(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active <= 0:
        msg = "Invalid profiler schedule arguments"
        raise AssertionError(msg)

    def action(step: int) -> ProfilerAction:
        if step < 0:
            msg = f"Step must be non-negative. Got {step}."
            raise AssertionError(msg)
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        length = wait + warmup + active
        if repeat and step // length >= repeat:
            return ProfilerAction.NONE
        place = step % length
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        last = place == length - 1
        return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[profile], None]:
    """Return a function for ``on_trace_ready`` that writes each trace into a folder.

    Args:
        dir_name: The folder; it is made if it is not there.
        worker_name: The beginning of the names of the files.
        use_gzip: Compress them.
    """
    import socket

    def write(prof: profile) -> None:
        folder = Path(dir_name)
        folder.mkdir(parents=True, exist_ok=True)
        worker = worker_name or socket.gethostname()
        name = f"{worker}.{time.time_ns()}.pt.trace.json"
        prof.export_chrome_trace(folder / (f"{name}.gz" if use_gzip else name))

    return write


class profile:  # noqa: N801 - PyTorch's name
    """A ``with`` block that profiles a program, all of it or some of its steps.

    Args:
        activities: What to profile; the CPU in any case.
        schedule: What to do in which step, see `schedule`; everything is kept without it.
        on_trace_ready: Called with the profiler whenever what is kept is complete.
        record_shapes: Take down the shapes of inputs.
        profile_memory: Show how many bytes were allocated for results.
        with_stack: Take down the lines that led to each operation.
        with_flops: Taken for PyTorch's sake, as all that follows.
        with_modules: Taken.
        experimental_config: Taken.
        execution_trace_observer: Taken.
        acc_events: Taken.

    >>> import chainrule as cr
    >>> kept = []
    >>> with profile(
    ...     schedule=schedule(wait=1, warmup=0, active=2), on_trace_ready=kept.append
    ... ) as p:
    ...     for _ in range(3):
    ...         _ = cr.ones(2) * 2
    ...         p.step()
    >>> [e.count for e in p.key_averages() if e.key == "aten::mul"]
    [2]
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: Any = None,
        execution_trace_observer: Any = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
    ) -> None:
        self.activities = set(activities) if activities is not None else supported_activities()
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self._scheduled = schedule is not None
        self.on_trace_ready = on_trace_ready
        self._options: dict[str, Any] = {
            "record_shapes": record_shapes, "profile_memory": profile_memory,
            "with_stack": with_stack,
        }  # fmt: skip
        self.step_num = 0
        self.current_action = self.schedule(0)
        self.profiler: _profiler.profile | None = None
        self._running = False
        self._step: record_function | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin: the first step."""
        self.current_action = self.schedule(self.step_num)
        self._begin()

    def stop(self) -> None:
        """End: what is being recorded is kept."""
        self._end_step()
        if self._running:
            self._finish(keep=self.current_action is not ProfilerAction.WARMUP)

    def step(self) -> None:
        """Say that a step ended and the next one begins."""
        self._end_step()
        before, self.step_num = self.current_action, self.step_num + 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._finish(keep=True)
        elif before is ProfilerAction.WARMUP and self.current_action is not before:
            self._finish(keep=False)
        self._begin()

    def _begin(self) -> None:
        if self.current_action is not ProfilerAction.NONE and not self._running:
            self.profiler = _profiler.profile(**self._options)
            self.profiler.__enter__()
            self._running = True
        if self._running and self._scheduled:
            self._step = record_function(f"ProfilerStep#{self.step_num}")
            self._step.__enter__()

    def _end_step(self) -> None:
        if self._step is not None:
            self._step.__exit__(None, None, None)
            self._step = None

    def _finish(self, *, keep: bool) -> None:
        if self.profiler is not None and self._running:
            self._running = False
            self.profiler.__exit__(None, None, None)
            if keep and self.on_trace_ready is not None:
                self.on_trace_ready(self)

    def _finished(self) -> _profiler.profile:
        if self.profiler is None:
            msg = "Profiler must be initialized before getting key averages"
            raise AssertionError(msg)
        return self.profiler

    def events(self) -> EventList:
        """Return all events of what was kept last."""
        return self._finished()._events()

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """Return one sum per name; per name and shapes, or lines, if asked."""
        return self._finished().key_averages(group_by_input_shape, group_by_stack_n)

    def export_chrome_trace(self, path: str | Path) -> None:
        """Write what was kept last as a trace; compressed if the name ends in ``.gz``."""
        import gzip

        target = Path(path)
        if target.suffix != ".gz":
            self._finished().export_chrome_trace(target)
            return
        plain = target.with_suffix("")
        self._finished().export_chrome_trace(plain)
        target.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
