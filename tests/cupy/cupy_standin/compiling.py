"""In place of NVRTC: compile CUDA source for this CPU.

The source is CuPy's or a kernel's own, unchanged but for two things: a declaration of dynamic
shared memory becomes a pointer, and a table of the kernels is appended.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import get_ident

from .building import NATIVE, BuildError, Wheel, locked, run

WAITS = re.compile(r"__sync(threads|warp)|__shfl_|__ballot_sync|__any_sync|__all_sync")
DYNAMIC = re.compile(
    r"extern\s+__shared__\s+(?:__align__\s*\([^)]*\)\s*|alignas\s*\([^)]*\)\s*)?"
    r"([\w:<>\s]+?)\s+(\w+)\s*\[\s*\]\s*;"
)
BOUNDS = r"(?:__launch_bounds__\s*\([^)]*\)\s*)?"
KERNEL = re.compile(rf"__global__\s+{BOUNDS}(?:static\s+|inline\s+)*void\s+{BOUNDS}(\w+)\s*\(")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
TEMPLATE = re.compile(r"template\s*<[^;{}]*>\s*(?:static\s+|inline\s+)*$")
FLAGS = (
    "-std=c++17", "-O1", "-w", "-shared", "-fPIC", "-fno-strict-aliasing", "-fpermissive",
    "-fno-gnu-unique",  # a symbol of one kernel's library is not to stand for another's
    "-ffp-contract=off",  # CUDA's own contractions are not modelled either
)  # fmt: skip
ENTRY = """
static void standin_run_{symbol}(void** p) {{ standin_run(&{function}, p); }}
static const StandinKernel standin_kernel_{symbol} = {{
  "{symbol}", standin_count(&{function}), standin_sizes(&{function}), {waits},
  standin_run_{symbol}, __start_standin_shared, __stop_standin_shared}};
"""
CHECKED = ("-fsanitize=thread", "--param=tsan-instrument-func-entry-exit=0", "-g1")


class KernelError(Exception):
    """The C++ compiler refuses a source; the message is its own."""


@dataclass
class Tally:
    """What compiling took: sources compiled, and found in the cache."""

    compiled: int = 0
    cached: int = 0
    by_nvrtc: int = 0


tally = Tally()


def kernels_of(source: str) -> list[str]:
    """Return the names of the kernels of *source* that are no templates."""
    plain = COMMENT.sub(" ", source)
    names = (
        match.group(1)
        for match in KERNEL.finditer(plain)
        if not TEMPLATE.search(plain[: match.start()][-300:])
    )
    return list(dict.fromkeys(names))


def translate(source: str, expressions: tuple[str, ...] = ()) -> tuple[str, dict[str, str]]:
    """Return C++ for a CPU, and the name in its table of each of *expressions*."""
    named = {expression: f"standin_expression_{i}" for i, expression in enumerate(expressions)}
    entries = [(name, name) for name in kernels_of(source)] if not named else []
    entries += [(symbol, expression) for expression, symbol in named.items()]
    waits = int(bool(WAITS.search(source)))
    lines = [DYNAMIC.sub(r"\1* \2 = (\1*)standin_thread.dynamic;", source), '#line 1 "table"']
    for symbol, function in entries:
        lines.append(ENTRY.format(symbol=symbol, function=function, waits=waits))
    rows = "".join(f"&standin_kernel_{symbol}, " for symbol, _ in entries)
    lines.append(
        'extern "C" __attribute__((visibility("default"))) '
        f"const StandinKernel* const standin_table[] = {{{rows}nullptr}};"
    )
    return "\n".join(lines) + "\n", named


def record(
    folder: Path, source: str, options: tuple[str, ...], expressions: tuple[str, ...] | None
) -> None:
    """Write a source and how it was to be compiled, for another compiler to try."""
    facts = {"source": source, "options": options, "expressions": expressions}
    text = json.dumps(facts)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.json").write_text(text)


@cache
def _own_headers() -> str:
    """Return how an option begins that names a folder of CuPy's headers."""
    return f"-I{Wheel.installed().folder}/"


class Compiler:
    """Compiles into *folder*, a build of the stand-in; what was compiled stays there."""

    def __init__(self, folder: Path, *, check: bool = False) -> None:
        self.folder = folder
        self.kernels = folder / "kernels"
        self.kernels.mkdir(exist_ok=True)
        self.flags = (*FLAGS, *(CHECKED if check else ()))
        self.mode = "checked" if check else "plain"

    def compile(
        self, source: str, options: tuple[str, ...] = (), expressions: tuple[str, ...] = ()
    ) -> tuple[bytes, dict[str, str]]:
        """Return what `cuModuleLoadData` takes, and the symbols of *expressions*."""
        code, named = translate(source, expressions)
        given = tuple(option for option in options if self._matters(option))
        header = "with_cupy.h" if "cupy/" in source else "standin_kernel.h"
        key = hashlib.sha256("\0".join((*self.flags, *given, header, code)).encode()).hexdigest()
        library = self.kernels / f"{key[:32]}.so"
        if library.exists():
            tally.cached += 1
        else:
            self._compile(code, given, header, library)
            tally.compiled += 1
        return f"STANDIN:{library}\n".encode() + b"\0", named

    @staticmethod
    def _matters(option: str) -> bool:
        """Leave out NVIDIA's headers, for which ours stand, and CuPy's, which are found anyway.

        The folder of CuPy is another in every environment, which are to share what was compiled.
        """
        if option.startswith("-I"):
            of_nvidia = "nvidia" in option or "/cuda" in option.removesuffix("/include")
            return not of_nvidia and not option.startswith(_own_headers())
        return option.startswith(("-D", "--define-macro"))

    def _compile(self, code: str, given: tuple[str, ...], header: str, library: Path) -> None:
        mine = library.with_suffix(f".{os.getpid()}-{get_ident()}.cu")
        mine.write_text(code)
        out = mine.with_suffix(".so")
        prepared = self._prepared(header)
        try:
            run(
                "g++", "-x", "c++", *self.flags, f"-I{prepared}", *self._includes(), *given,
                "-include", header, mine, "-o", out, *self._link(),
            )  # fmt: skip
        except BuildError as error:
            raise KernelError(str(error)) from error
        finally:
            mine.unlink()
        out.rename(library)

    def _link(self) -> tuple[str, ...]:
        """Ask the linker for nothing more: the sanitizer's calls are answered by the stand-in."""
        return ("-nostdlib", "-lc", "-lm", "-lstdc++", "-lgcc_s", "-lgcc")

    @staticmethod
    @cache
    def _includes() -> tuple[str, ...]:
        base = Wheel.installed().folder / "_core" / "include"
        cccl = base / "cupy" / "_cccl"
        parts = (
            NATIVE / "include",
            NATIVE,
            cccl / "libcudacxx",
            cccl / "cub",
            cccl / "thrust",
            base,
        )
        return tuple(f"-I{part}" for part in parts)

    def _prepared(self, header: str) -> Path:
        """Return the folder of the precompiled *header*, making it the first time."""
        folder = self.folder / f"headers-{self.mode}"
        out = folder / f"{header}.gch"
        if not out.exists():
            with locked(self.folder / "headers.lock"):
                if not out.exists():
                    folder.mkdir(exist_ok=True)
                    part = folder / f"unfinished-{os.getpid()}.gch"
                    flags = [flag for flag in self.flags if flag != "-shared"]
                    source = NATIVE / "include" / header
                    run("g++", "-x", "c++-header", *flags, *self._includes(), source, "-o", part)
                    part.rename(out)
        return folder
