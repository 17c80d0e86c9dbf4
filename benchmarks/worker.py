"""One column of the table: a process that builds and runs programs with one library, on request.

Each library has a process of its own, so that neither threads nor allocators nor a BLAS of one
disturb another; `Worker` is the other end of the pipe. Requests and answers are lines of JSON.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import subprocess
import sys
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

#: Per column: the library it imports. What is not here is a backend of chainrule.
LIBRARIES: Final = {"PyTorch": "torch", "JAX": "jax", "autograd": "autograd"}
STEPS_COMPARED = 3


class Worker:
    """The process of one column, as the one that asks sees it.

    Args:
        column: A key of `LIBRARIES`, or the name of a backend.
        threads: How many it may use.
    """

    def __init__(self, column: str, threads: int) -> None:
        count = str(threads)
        names = ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR")
        environment = {**os.environ, **{f"{name}_NUM_THREADS": count for name in names}}
        if column not in LIBRARIES:
            environment["CHAINRULE_BACKEND"] = f"cpu={column}"
        self.column = column
        self._process = subprocess.Popen(  # noqa: S603 - this file
            [sys.executable, __file__, column, count],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def ask(self, what: str, *arguments: Any) -> Any:
        """Return the answer to a request.

        Raises:
            RuntimeError: the process failed; its traceback stands above.
        """
        streams: Any = self._process
        streams.stdin.write(json.dumps([what, *arguments]) + "\n")
        streams.stdin.flush()
        line = streams.stdout.readline()
        if not line:
            msg = f"{self.column}: expected an answer to {what} {arguments}, and the process ended."
            raise RuntimeError(msg)
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        streams: Any = self._process
        streams.stdin.close()
        streams.stdout.close()
        self._process.wait()


class Column:
    """The requests that a column answers: its public methods."""

    def __init__(self, name: str, threads: int) -> None:
        self.name, self.program = name, None
        if name == "JAX":  # it asks the kernel how many cores it may use, and nothing else
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        self.module: Any = import_module(LIBRARIES.get(name, "chainrule"))
        if name == "PyTorch":
            self.module.set_num_threads(threads)

    def build(self, name: str) -> list[list[float]]:
        """Build a program and return what its first steps computed."""
        self._build(name)
        return [self._numbers() for _ in range(STEPS_COMPARED)]

    def _build(self, name: str) -> None:
        self.program = None
        gc.collect()
        if self.name in {"JAX", "autograd"}:
            peers = import_module("peers")
            self.program = peers.PEERS[self.name.lower()][name](name)
        else:
            programs = import_module("programs")
            self.program = {**programs.OVERHEAD, **programs.PROGRAMS}[name](self.module)

    def _run(self) -> Any:
        program: Any = self.program
        return program.step() if program.prepare is None else program.step(program.prepare())

    def _numbers(self) -> list[float]:
        value = self._run()
        value = value.detach() if hasattr(value, "detach") else value
        return [float(v) for v in value.reshape(-1)[:100]]

    def time(self, number: int) -> list[float]:
        """Return the wall and the processor's time of a part of a step, over *number* steps."""
        program: Any = self.program
        step, prepare = program.step, program.prepare
        wall = busy = 0.0
        for _ in range(1 if prepare is None else number):
            arguments = () if prepare is None else (prepare(),)
            start, busy_start = time.perf_counter(), time.process_time()
            for _ in range(number if prepare is None else 1):
                step(*arguments)
            busy += time.process_time() - busy_start
            wall += time.perf_counter() - start
        return [wall / number / program.parts, busy / number / program.parts]

    def memory(self, name: str) -> float:
        """Return the peak of resident memory over some steps above what it was before, in MiB."""
        self._build(name)
        gc.collect()
        if self.name == "native":
            import_module("chainrule_native").release_memory()
        before = _start_peak()
        for _ in range(STEPS_COMPARED):
            self._run()
        return _peak() - before

    def facts(self) -> dict[str, Any]:
        """Return versions, and what computes matrix products."""
        machine = import_module("machine")
        return {"version": version(self.module.__name__), "blas": machine.blas(self.name)}

    def rates(self, clock: str) -> dict[str, float]:
        """Return what the machine can do as this library sees it, by the wall's clock or ours."""
        clocks = {"wall": time.perf_counter, "cpu": time.process_time}
        return dict(import_module("machine").rates(self.module, clocks[clock]))


def _start_peak() -> float:
    """Give back what is free, forget the peak so far, and return what to count from, in MiB.

    Both where the system can. Memory that was kept since the program was built would serve the
    first step, and look like none.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _peak()


def _peak() -> float:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used / (2**20 if sys.platform == "darwin" else 2**10)
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10


def main() -> None:
    """Answer requests until the pipe ends."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    column = Column(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        what, *arguments = json.loads(line)
        print(json.dumps(getattr(column, what)(*arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main()
