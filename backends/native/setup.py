"""Builds the C kernels: the same sources once for every set of instructions that a CPU may have."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import numpy as np
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = sorted(str(path) for path in Path("src").glob("*.c"))
HEADERS = sorted(str(path) for path in Path("src").glob("*.h"))

# What a compiler may assume, and no more: errno is not read, no floating-point exception is caught.
# Sums are not reordered, and a product and a sum become one instruction only where the source says.
FLAGS = [
    "-std=gnu11", "-O3", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math",
    "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-unused-parameter",
    "-Wno-unused-but-set-variable", "-pthread",
]  # fmt: skip

#: The flags per level, which chainrule_native/_levels.py chooses among.
X86 = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma", "-mbmi", "-mbmi2", "-mf16c"],
    "avx512": [
        "-mavx2", "-mfma", "-mbmi", "-mbmi2", "-mf16c", "-mavx512f", "-mavx512dq",
        "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512",
    ],
}  # fmt: skip
LEVELS = X86 if platform.machine().lower() in {"x86_64", "amd64"} else {"baseline": []}
#: CHAINRULE_NATIVE_BUILD_LEVELS limits them, for builds that need not be shipped.
WANTED = os.environ.get("CHAINRULE_NATIVE_BUILD_LEVELS", "").split(",")
LEVELS = {name: flags for name, flags in LEVELS.items() if WANTED == [""] or name in WANTED}


class BuildLevels(build_ext):
    """Compiles every extension into a folder of its own, since all have the same sources."""

    def build_extension(self, ext: Extension) -> None:
        shared = self.build_temp
        self.build_temp = str(Path(shared) / ext.name.rpartition(".")[2])
        try:
            super().build_extension(ext)
        finally:
            self.build_temp = shared


def extension(level: str, flags: list[str]) -> Extension:
    """Return the extension of one level; CHAINRULE_NATIVE_CFLAGS adds flags, for sanitizers."""
    further = os.environ.get("CHAINRULE_NATIVE_CFLAGS", "").split()
    return Extension(
        f"chainrule_native._core_{level}",
        SOURCES,
        depends=HEADERS,
        include_dirs=[np.get_include()],
        define_macros=[("NATIVE_LEVEL", level)],
        extra_compile_args=[*FLAGS, *flags, *further],
        extra_link_args=["-pthread", *further],
        libraries=["m", *(["dl"] if sys.platform == "linux" else [])],
    )


if __name__ == "__main__":
    setup(
        ext_modules=[
            Extension("chainrule_native._cpu", ["src/cpu/cpu.c"]),
            *(extension(level, flags) for level, flags in LEVELS.items()),
        ],
        cmdclass={"build_ext": BuildLevels},
    )
