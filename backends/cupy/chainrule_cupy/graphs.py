"""CUDA graphs: a step that was launched once, kernel by kernel, is launched again as a whole.

While a graph is captured, nothing runs: launches are written down, with the addresses and numbers
they got. So a step can be captured whose shapes stay, which reads no number on the host, and whose
inputs are written into the same memory before every replay. What else it needs stands here: memory
that stays the graph's own, products of matrices that CuPy would refuse (`blas`), random numbers
whose place is read from the device (`random.Drawing`).
"""

from __future__ import annotations

import threading
from typing import Any, Final

import cupy
from cupy.cuda import runtime

from chainrule.errors import BackendError

from . import blas, faults
from .random import CupyStream, Drawing

_here: Final = threading.local()


def capturing() -> Graph | None:
    """Return the graph that this thread captures; None if it captures none."""
    return getattr(_here, "graph", None)


class Graph:
    """A captured piece of work.

    Attributes:
        pool: The memory that its launches write to. It is the graph's own, or shared with another
            graph that is never replayed at the same time.
    """

    def __init__(self) -> None:
        self.pool: Any = None
        self._graph: Any = None
        self._stream: Any = None
        self._draws: list[Drawing] = []
        self._entered: list[Any] = []

    def begin(self, stream: Any, streams_of_numbers: list[Any], pool: Any = None) -> None:
        """Write down what this thread launches from now on, on *stream*.

        Args:
            stream: No default stream: CUDA does not capture that.
            streams_of_numbers: Of random numbers, which the work may draw from.
            pool: Memory to share; None for the graph's own.

        Raises:
            BackendError: this thread captures already, or the graph was captured before.
        """
        if capturing() is not None:
            raise BackendError("CUDAGraph: this thread is capturing a graph already.")
        if self._graph is not None:
            raise BackendError(
                "CUDAGraph: expected a new graph, this one was captured. Call reset() first."
            )
        self.pool = cupy.cuda.MemoryPool() if pool is None else pool
        self._stream = stream
        faults.record()  # make it before: its memory must outlive the graph
        blas.prepare()
        allocator = cupy.cuda.using_allocator(self.pool.malloc)
        self._draws = [Drawing(s) for s in streams_of_numbers if isinstance(s, CupyStream)]
        runtime.deviceSynchronize()  # what runs on other streams must not be waited for later
        for context in (allocator, stream):
            context.__enter__()
            self._entered.append(context)
        for drawing in self._draws:
            drawing.stream.capturing = drawing
        _here.graph = self
        stream.begin_capture()

    def end(self) -> None:
        """Make a graph of what was launched since `begin`.

        Raises:
            RuntimeError: something was done that cannot be captured, as reading a number.
        """
        try:
            self._graph = self._stream.end_capture()
        finally:
            self._leave()
        self._draws = [drawing for drawing in self._draws if drawing.used]

    def abandon(self) -> None:
        """Stop to capture, after an error: nothing is kept."""
        try:
            self._stream.end_capture()
        except Exception:  # noqa: BLE001, S110 - the first error is the one to tell
            pass
        finally:
            self._leave()

    def _leave(self) -> None:
        _here.graph = None
        for drawing in self._draws:
            drawing.stream.capturing = None
        while self._entered:
            self._entered.pop().__exit__(None, None, None)

    def replay(self) -> None:
        """Launch everything again, on the current stream, with other random numbers.

        Raises:
            BackendError: nothing was captured.
        """
        if self._graph is None:
            raise BackendError("CUDAGraph.replay: expected a captured graph. Capture it first.")
        for drawing in self._draws:
            drawing.advance()
        faults.record()
        self._graph.launch(cupy.cuda.get_current_stream())

    def reset(self) -> None:
        """Forget what was captured, and let its memory go."""
        self._graph = self.pool = None
        self._draws = []
