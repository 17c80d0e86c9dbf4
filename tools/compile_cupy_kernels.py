"""Compile recorded kernel sources with NVRTC and print what each needs of a GPU.

``python tools/compile_cupy_kernels.py FOLDER [ARCH …] [--write]``: FOLDER is what a run with
``CHAINRULE_CUPY_STANDIN=record=FOLDER`` left; ``--write`` keeps the table in
tests/cupy/kernels.json. Neither a GPU nor a driver is needed. Sources of CuPy's own kernels are
left out: theirs begin with ``cupy_``.
"""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent.parent / "tests" / "cupy" / "kernels.json"
ARCHITECTURES = ("75", "80", "86", "89", "90", "100", "120")
TYPES = re.compile(r"^typedef ([\w: ]+?) (?!\w*_type\b)([A-Z]\w*);", re.MULTILINE)
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
    """A source as it was to be compiled, and what it is called in the table."""

    name: str
    text: str
    options: tuple[str, ...]
    expressions: tuple[str, ...] | None


def sources(folder: Path) -> list[Source]:
    """Return the recorded sources that are ours."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        facts = json.loads(path.read_text())
        kernels = re.findall(r"__global__[^;{]*?\b(\w+)\s*\(", facts["source"])
        if not kernels or all(kernel.startswith("cupy_") for kernel in kernels):
            continue
        types = ", ".join(dict.fromkeys(kind for kind, _ in TYPES.findall(facts["source"])))
        name = f"{kernels[0]}<{types}>" if types else kernels[0]
        if name in found:
            name = f"{name} {path.stem[:8]}"
        options = tuple(o for o in facts["options"] if not o.startswith(("-arch", "--gpu-arch")))
        expressions = tuple(facts["expressions"]) if facts["expressions"] else None
        found[name] = Source(name, facts["source"], options, expressions)
    return list(found.values())


def compile_for(source: Source, architecture: str) -> dict[str, Needs]:
    """Return what each kernel of *source* needs; raises CuPy's `CompileException`."""
    from cupy.cuda import compiler

    log = io.StringIO()
    program = compiler._NVRTCProgram(
        source.text, "kernel.cu", name_expressions=source.expressions, method="cubin"
    )
    extra = (
        f"-arch=sm_{architecture}",
        "--ptxas-options=-v",
        "--device-as-default-execution-space",
    )
    program.compile((*source.options, *extra), log)
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
        for architecture in architectures:
            for kernel, needs in compile_for(source, architecture).items():
                single = kernel in source.name or not source.expressions
                key = (
                    source.name if single and kernel in source.name else f"{source.name}: {kernel}"
                )
                rows.setdefault(key, {})[architecture] = list(needs)
    return dict(sorted(rows.items()))


def text_of(rows: dict[str, dict[str, list[int]]]) -> str:
    """Return the file: one kernel per line."""
    lines = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Compile, print, and keep the table if asked."""
    words = [word for word in sys.argv[1:] if word != "--write"]
    architectures = tuple(words[1:]) or ARCHITECTURES
    rows = table(sources(Path(words[0])), architectures)
    if "--write" in sys.argv:
        FILE.write_text(text_of(rows))
    for name, row in rows.items():
        print(name, *(f"sm_{arch}: {needs}" for arch, needs in row.items()), sep="\n  ")


if __name__ == "__main__":
    main()
