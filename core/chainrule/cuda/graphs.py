"""CUDA graphs: what was launched once, kernel by kernel, is launched again as a whole."""

from __future__ import annotations

from typing import Any

from ..ops.generator import default_for
from ._devices import is_initialized, runtime
from .streams import Stream, StreamContext, current_stream


class CUDAGraph:
    """A piece of work that is captured once and replayed as often as wanted.

    What is captured must keep its shapes, read no number on the host, and find its inputs in the
    same memory each time: copy new ones in with ``copy_``. Random numbers differ from replay to
    replay. Run the work a few times before it is captured, on another stream than the default one:
    what is only made once (kernels, an optimizer's state) must be there.

    Args:
        keep_graph: Taken for PyTorch's sake.

    Raises:
        AssertionError: there is no device.
    """

    def __init__(self, keep_graph: bool = False) -> None:
        self._graph = runtime().Graph()

    def capture_begin(self, pool: Any = None, capture_error_mode: str = "global") -> None:
        """Begin to capture what is put on the current stream, which must not be the default one.

        Raises:
            RuntimeError: the graph was captured before, or the stream cannot be captured.
        """
        where = current_stream()
        numbers = [default_for(where.device)._stream]
        self._graph.begin(where._stream, numbers, pool)

    def capture_end(self) -> None:
        """End it; afterwards the graph can be replayed."""
        self._graph.end()

    def replay(self) -> None:
        """Launch all of it again.

        Raises:
            RuntimeError: nothing was captured.
        """
        self._graph.replay()

    def reset(self) -> None:
        """Forget what was captured."""
        self._graph.reset()

    def pool(self) -> Any:
        """Return the graph's memory, to be shared with one that never runs at the same time."""
        return self._graph.pool


class graph:  # noqa: N801 - PyTorch's name
    """A ``with`` block that is captured as *cuda_graph*.

    Args:
        cuda_graph: Where to.
        pool: Memory to share with another graph.
        stream: What to capture on; None for a stream made for it.
        capture_error_mode: Taken for PyTorch's sake: the host may allocate meanwhile.
    """

    def __init__(
        self,
        cuda_graph: CUDAGraph,
        pool: Any = None,
        stream: Stream | None = None,
        capture_error_mode: str = "global",
    ) -> None:
        self.cuda_graph, self.pool = cuda_graph, pool
        self.capture_stream = Stream() if stream is None else stream
        self._context = StreamContext(self.capture_stream)

    def __enter__(self) -> None:
        self._context.__enter__()
        try:
            self.cuda_graph.capture_begin(self.pool)
        except BaseException:
            self._context.__exit__(None, None, None)
            raise

    def __exit__(self, *error: object) -> None:
        try:
            if error[0] is None:
                self.cuda_graph.capture_end()
            else:
                self.cuda_graph._graph.abandon()
        finally:
            self._context.__exit__(*error)


def graph_pool_handle() -> Any:
    """Return None, which stands for memory of a graph's own.

    Differs from PyTorch:
        To share memory, pass what ``pool()`` of a captured graph returns.
    """
    return None


def is_current_stream_capturing() -> bool:
    """Return whether this thread captures a graph."""
    return is_initialized() and bool(runtime().is_capturing())
