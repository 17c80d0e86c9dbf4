"""Streams and events: work that runs side by side, and in which order it must not."""

from __future__ import annotations

import threading
from typing import Any, Final, Self

from ..device import Device
from ..errors import BackendError
from ._devices import current_device, number_of, runtime, set_device
from ._devices import device as device_context


class _Entered(threading.local):
    """The contexts of the ``with`` blocks over streams that a thread is in."""

    def __init__(self) -> None:
        self.contexts: list[StreamContext] = []


_entered: Final = _Entered()


class Stream:
    """Work on a device that runs in order; what is on two streams runs side by side.

    In a ``with`` block, it is where work is put.

    Args:
        device: Where; None for the current device.
        priority: Negative for before others.

    Raises:
        AssertionError: there is no device.

    Differs from PyTorch:
        The gradient of an operation runs on the stream that ``backward`` is called on, not on that
        of the operation.
    """

    def __init__(self, device: Any = None, priority: int = 0, **options: Any) -> None:
        self._number = number_of(device)
        found = runtime()
        with device_context(self._number):
            self._stream = found.Stream(non_blocking=True, priority=priority or None)

    @classmethod
    def _over(cls, stream: Any, number: int) -> Self:
        """Return the stream of the backend as one of ours."""
        made = object.__new__(cls)
        made._number, made._stream = number, stream
        return made

    @property
    def device(self) -> Device:
        """Where its work runs."""
        return Device("cuda", self._number)

    @property
    def device_index(self) -> int:
        """The number of its device."""
        return self._number

    @property
    def cuda_stream(self) -> int:
        """CUDA's own handle."""
        return int(self._stream.ptr)

    def synchronize(self) -> None:
        """Wait until all of its work is done."""
        self._stream.synchronize()

    def query(self) -> bool:
        """Return whether all of its work is done."""
        return bool(self._stream.done)

    def wait_stream(self, stream: Stream) -> None:
        """Let what comes on this stream wait for what is on *stream* now."""
        self.wait_event(stream.record_event())

    def wait_event(self, event: Event) -> None:
        """Let what comes on this stream wait for *event*: not at all if that is not recorded."""
        if event._event is not None:
            self._stream.wait_event(event._event)

    def record_event(self, event: Event | None = None) -> Event:
        """Return *event*, or a new one, which happens when what is on the stream now is done."""
        made = Event() if event is None else event
        made.record(self)
        return made

    def __cuda_stream__(self) -> tuple[int, int]:
        """Return what other libraries ask a stream for: the version of the protocol, the handle."""
        return 0, self.cuda_stream

    def __enter__(self) -> Self:
        context = StreamContext(self)
        context.__enter__()
        _entered.contexts.append(context)
        return self

    def __exit__(self, *error: object) -> None:
        _entered.contexts.pop().__exit__(*error)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stream):
            return NotImplemented
        return (self._number, self.cuda_stream) == (other._number, other.cuda_stream)

    def __hash__(self) -> int:
        return hash((self._number, self.cuda_stream))

    def __repr__(self) -> str:
        return f"<torch.cuda.Stream device=cuda:{self._number} cuda_stream={self.cuda_stream:#x}>"


class ExternalStream(Stream):
    """A stream that another library made, by CUDA's handle; it is not destroyed with the object."""

    def __init__(self, stream_ptr: int, device: Any = None, **options: Any) -> None:
        self._number = number_of(device)
        found = runtime()
        with device_context(self._number):
            self._stream = found.external_stream(stream_ptr)


class Event:
    """A place in the work of a stream, to wait for and to measure from.

    It belongs to the device of the first stream that it is recorded on.

    Args:
        enable_timing: Whether `elapsed_time` may ask it.
        blocking: Whether a host that waits sleeps.
        interprocess: Taken for PyTorch's sake: events are not shared.
        external: Taken for PyTorch's sake.

    Raises:
        AssertionError: there is no device.
    """

    def __init__(
        self,
        enable_timing: bool = False,
        blocking: bool = False,
        interprocess: bool = False,
        external: bool = False,
    ) -> None:
        self._make, self._timed = runtime().Event, enable_timing
        self._blocking = blocking
        self._event: Any = None
        self._number = -1

    @property
    def device(self) -> Device | None:
        """Where it was recorded; None before."""
        return None if self._event is None else Device("cuda", self._number)

    @property
    def cuda_event(self) -> int:
        """CUDA's own handle; 0 before it is recorded."""
        return 0 if self._event is None else int(self._event.ptr)

    def record(self, stream: Stream | None = None) -> None:
        """Happen when what is on *stream* (None: the current one) now is done.

        Raises:
            RuntimeError: it belongs to another device.
        """
        stream = stream or current_stream()
        if self._event is None:
            with device_context(stream._number):
                self._event = self._make(block=self._blocking, disable_timing=not self._timed)
            self._number = stream._number
        if self._number != stream._number:
            raise BackendError(
                f"Event device {self._number} does not match recording stream's device "
                f"{stream._number}.\nEvent: make one for each device."
            )
        self._event.record(stream._stream)

    def wait(self, stream: Stream | None = None) -> None:
        """Let what comes on *stream* wait for this."""
        (stream or current_stream()).wait_event(self)

    def query(self) -> bool:
        """Return whether it has happened; True before it is recorded."""
        return self._event is None or bool(self._event.done)

    def synchronize(self) -> None:
        """Wait until it has happened; not at all before it is recorded."""
        if self._event is not None:
            self._event.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Return the milliseconds from this event to *end_event*.

        Raises:
            ValueError: one of them was made without *enable_timing*, or is not recorded.
            RuntimeError: one of them has yet to happen.
        """
        both = (self, end_event)
        if not all(event._timed for event in both):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if any(event._event is None for event in both):
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        if not all(event.query() for event in both):
            raise BackendError("Both events must be completed before calculating elapsed time.")
        return float(runtime().elapsed(self._event, end_event._event))

    def __repr__(self) -> str:
        handle = f"{self.cuda_event:#x}" if self._event is not None else "uninitialized"
        return f"<torch.cuda.Event {handle}>"


def current_stream(device: Any = None) -> Stream:
    """Return the stream that this thread puts work on.

    Raises:
        AssertionError: there is no device.
    """
    number = number_of(device)
    return Stream._over(runtime().current_stream(number), number)


def default_stream(device: Any = None) -> Stream:
    """Return the stream that work is put on where nobody says otherwise."""
    return Stream._over(runtime().default_stream(), number_of(device))


def set_stream(stream: Stream) -> None:
    """Put work on *stream* from now on, on this thread; its device becomes the current one."""
    set_device(stream._number)
    stream._stream.use()


def get_stream_from_external(data_ptr: int, device: Any = None) -> ExternalStream:
    """Return the stream that another library made, by CUDA's handle."""
    return ExternalStream(data_ptr, device)


class StreamContext:
    """A ``with`` block in which work is put on *stream*; None changes nothing."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream
        self._entered: list[Any] = []

    def __enter__(self) -> None:
        if self.stream is None:
            return
        contexts = [self.stream._stream]
        if self.stream._number != current_device():
            contexts.insert(0, device_context(self.stream._number))
        for context in contexts:
            context.__enter__()
            self._entered.append(context)

    def __exit__(self, *error: object) -> None:
        while self._entered:
            self._entered.pop().__exit__(*error)


def stream(stream: Stream | None) -> StreamContext:
    """Return a context in which work is put on *stream*."""
    return StreamContext(stream)
