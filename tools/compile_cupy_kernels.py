"""Compile the CuPy backend's kernels with NVRTC, and keep what each needs of a GPU.

``python tools/compile_cupy_kernels.py [ARCH …] [--only TEXT] [--all] [--write]`` prints registers,
stack, spills and shared memory of every kernel, of floating ones that for float32 unless ``--all``
is given; ``--write`` keeps them in tests/cupy/kernels.json. Neither a GPU nor a driver is needed.
"""

from __future__ import annotations

import argparse
import io
import json
import re
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent.parent / "tests" / "cupy" / "kernels.json"
ARCHITECTURES = ("75", "80", "86", "89", "90", "100", "120")
ENTRY = re.compile(
    r"Compiling entry function '(?P<name>\S+)' for '\S+'.*?"
    r"(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads.*?Used (?P<registers>\d+) registers"
    r"(?:[^\n]*?(?P<shared>\d+) bytes smem)?",
    re.DOTALL,
)


class Needs(NamedTuple):
    """What one kernel needs: registers of a thread, bytes of the rest."""

    registers: int
    stack: int
    spilled: int
    shared: int


class Source(NamedTuple):
    """A text as CuPy would compile it, what it is called, and the kernels in it."""

    label: str
    text: str
    kernels: tuple[str, ...]


def sources() -> list[Source]:
    """Return every kernel source of the backend."""
    from chainrule_cupy.cuda import sources as registered

    return [Source(label, text, tuple(kernels)) for label, text, kernels in registered()]


def stands_for_all(source: Source) -> bool:
    """Return whether *source* is the one of its dtypes to record: float32, if it has floats."""
    types = source.label.split("/")
    return "float32" in types or not {"float16", "float64"} & set(types)


def compile_for(source: Source, architecture: str) -> dict[str, Needs]:
    """Return what each kernel of *source* needs; raises CuPy's `CompileException`."""
    from cupy._core.core import assemble_cupy_compiler_options
    from cupy.cuda import compiler

    log = io.StringIO()
    options = (
        *assemble_cupy_compiler_options(()),
        "-ftz=true",
        f"-arch=sm_{architecture}",
        "--ptxas-options=-v",
        "--device-as-default-execution-space",
    )
    program = compiler._NVRTCProgram(source.text, "kernel.cu", method="cubin")
    program.compile(options, log)
    return {
        match["name"]: Needs(
            int(match["registers"]),
            int(match["stack"]),
            int(match["stores"]) + int(match["loads"]),
            int(match["shared"] or 0),
        )
        for match in ENTRY.finditer(log.getvalue())
    }


def table(found: list[Source], architectures: tuple[str, ...]) -> dict[str, dict[str, list[int]]]:
    """Return ``{kernel: {architecture: [registers, stack, spilled, shared]}}``."""
    rows: dict[str, dict[str, list[int]]] = {}
    for source in found:
        types = source.label.partition("/")[2]
        for architecture in architectures:
            for kernel, needs in compile_for(source, architecture).items():
                name = f"{kernel}/{types}" if types else kernel
                rows.setdefault(name, {})[architecture] = list(needs)
    return dict(sorted(rows.items()))


def text_of(rows: dict[str, dict[str, list[int]]]) -> str:
    """Return the file: one kernel per line."""
    lines = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Compile, print, and keep the table if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("architectures", nargs="*", default=ARCHITECTURES)
    parser.add_argument("--only", default="", help="sources whose label holds this")
    parser.add_argument("--all", action="store_true", help="of all floating dtypes")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    wanted = [
        source
        for source in sources()
        if given.only in source.label and (given.all or stands_for_all(source))
    ]
    rows = table(wanted, tuple(given.architectures))
    if given.write:
        FILE.write_text(text_of(rows))
    for name, row in rows.items():
        print(name, *(f"sm_{arch}: {needs}" for arch, needs in row.items()), sep="\n  ")


if __name__ == "__main__":
    main()
