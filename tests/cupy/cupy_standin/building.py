"""Build the stand-in into a cache folder outside the tree, named by what it is built from.

Sources of CuPy come from the package index when they are needed, and stay in that folder; NVIDIA's
public headers come from the wheel ``nvidia-cuda-runtime``, never from the machine.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NATIVE = Path(__file__).parent / "native"
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
#: What the wheels of CuPy were built against: the stand-in says it is that version.
CUDA_VERSIONS = {"12": 12090, "13": 13020}
WHEELS = {"12": "cupy-cuda12x", "13": "cupy-cuda13x"}
FLAGS = ("-std=c++17", "-fPIC", "-shared", "-w")


class BuildError(RuntimeError):
    """A compiler, a header or a source is missing, or a command failed."""


@dataclass(frozen=True)
class Wheel:
    """The wheel of CuPy that is installed: its version, and the CUDA it is for."""

    version: str
    cuda: str

    @classmethod
    def installed(cls) -> Wheel:
        """Return it; raises `BuildError` if there is none."""
        for cuda, name in WHEELS.items():
            try:
                return cls(importlib.metadata.version(name), cuda)
            except importlib.metadata.PackageNotFoundError:
                continue
        raise BuildError(f"no wheel of CuPy is installed. Install one: pip install {name}")

    @cached_property
    def folder(self) -> Path:
        """Where its package is."""
        return Path(importlib.util.find_spec("cupy").origin).parent


def cache_root() -> Path:
    """Return the folder of all builds, which may be deleted at any time."""
    chosen = os.environ.get("CHAINRULE_CUPY_STANDIN_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "chainrule-cupy-standin"


def cuda_headers(wheel: Wheel) -> Path:
    """Return the folder of NVIDIA's public headers, from the wheel that has them."""
    spec = importlib.util.find_spec("nvidia")
    for root in spec.submodule_search_locations if spec else ():
        for folder in (f"cu{wheel.cuda}/include", "cuda_runtime/include"):
            if (Path(root) / folder / "cuda_runtime_api.h").exists():
                return Path(root) / folder
    raise BuildError("no CUDA headers. Install them: pip install nvidia-cuda-runtime")


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run *command* and return what it printed; raises `BuildError` with its last lines."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise BuildError(f"{words[0]} is not installed") from error
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise BuildError(f"{' '.join(words[:3])} … failed:\n{tail}")
    return done.stdout


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time build."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _key(wheel: Wheel) -> str:
    digest = hashlib.sha256(repr(facts(wheel)).encode())
    for path in (*sorted(NATIVE.rglob("*.*")), Path(__file__)):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:20]


def facts(wheel: Wheel) -> tuple[str, ...]:
    """Return what a build depends on besides our sources."""
    return wheel.version, wheel.cuda, sys.version, platform.machine(), run("g++", "--version")


def build() -> Path:
    """Return the folder of the built stand-in, building it if it is not there."""
    wheel = Wheel.installed()
    root = cache_root()
    folder = root / f"build-{_key(wheel)}"
    if folder.exists():
        return folder
    with locked(root / "build.lock"):
        if not folder.exists():
            Builder(wheel, root).build(folder)
    return folder


class Builder:
    """One build: libraries of ours, and CuPy's module of the runtime linked to them."""

    def __init__(self, wheel: Wheel, root: Path) -> None:
        self.wheel, self.root = wheel, root
        self.include = cuda_headers(wheel)
        self.facts = facts(wheel)

    def build(self, folder: Path) -> None:
        """Build into *folder*, which appears when all is there."""
        work = self.root / f"unfinished-{os.getpid()}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        with ThreadPoolExecutor(2) as pool:
            module = pool.submit(self._runtime_object, work)
            (work / "error_names.inc").write_text(error_names(self.include))
            self._libraries(work, pool)
            self._runtime_module(work, module.result())
        work.rename(folder)

    def _libraries(self, work: Path, pool: ThreadPoolExecutor) -> None:
        sources = sorted(set(NATIVE.glob("*.cpp")) - {NATIVE / "blas.cpp", NATIVE / "rand.cpp"})
        flags = ("-O2", "-g", f"-I{self.include}", f"-I{work}")
        self.objects = list(pool.map(lambda source: self._object(source, *flags), sources))
        self._library(work, "blas", f"libcublas.so.{self.wheel.cuda}", 15)
        self._library(work, "rand", "libcurand.so.10", 204)
        light = work / f"libcublasLt.so.{self.wheel.cuda}"
        run("g++", *FLAGS, f"-Wl,-soname,{light.name}", "-x", "c++", "/dev/null", "-o", light)

    def _object(self, source: Path, *flags: str) -> Path:
        """Compile *source*; the object is kept, named by what it was made of."""
        parts = [source, *sorted(NATIVE.glob("*.h*"))]
        text = b"".join(part.read_bytes() for part in parts) + repr(self.facts).encode()
        kept = self.root / "objects" / f"{source.stem}-{hashlib.sha256(text).hexdigest()[:20]}.o"
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            run("g++", "-std=c++17", "-fPIC", "-w", *flags, "-c", source, "-o", kept)
        return kept

    def _library(self, work: Path, part: str, name: str, refusal: int) -> None:
        """Build a library under the version of symbols that the wheel's module asks for."""
        compiled = self._object(NATIVE / f"{part}.cpp", "-O3")
        folder = self.wheel.folder.parent / "cupy_backends/cuda/libs"
        prefix = name.partition(".")[0].removeprefix("lib")
        module = next(folder.glob(f"{prefix}.*.so"))
        wanted = re.findall(rf" U ({prefix}\w+)", run("nm", "-D", module))
        versions = work / f"{part}.map"
        versions.write_text(f"{name} {{ global: *; }};\n")
        link = (f"-Wl,-soname,{name}", f"-Wl,--version-script={versions}", compiled)
        self._link_with_refusals(work, name, link, wanted, refusal)

    @staticmethod
    def _link_with_refusals(work: Path, name: str, link, wanted: list[str], error: int) -> None:
        """Link *name*, with a function that refuses for all that is *wanted* and not there."""
        out = work / name
        run("g++", "-shared", *link, "-o", out)
        offered = set(re.findall(r" T (\w+)", run("nm", "-D", "--defined-only", out)))
        source = work / f"refusals-{name}.c"
        missing = sorted(set(wanted) - offered)
        source.write_text("".join(REFUSAL.format(function, error) for function in missing))
        run("gcc", "-fPIC", "-w", "-c", source, "-o", work / f"refusals-{name}.o")
        run("g++", "-shared", *link, work / f"refusals-{name}.o", "-o", out)

    def _runtime_object(self, work: Path) -> Path:
        """Compile ``runtime.pyx`` as it is in the source distribution; the object is kept."""
        kept = self.root / f"runtime-{self.wheel.version}-cuda{self.wheel.cuda}-{SUFFIX}.o"
        if kept.exists():
            return kept
        source = source_distribution(self.wheel.version, self.root)
        generated = work / "runtime.cpp"
        values = {
            "CUPY_USE_CUDA_PYTHON": False,
            "CUPY_CUFFT_STATIC": False,
            "CUPY_CUDA_VERSION": CUDA_VERSIONS[self.wheel.cuda],
            "CUPY_HIP_VERSION": 0,
        }
        program = (
            "import sys, Cython; from Cython.Compiler.Main import CompilationOptions, compile\n"
            f"values = {values!r} | {{'CUPY_CYTHON_VERSION': Cython.__version__}}\n"
            "options = CompilationOptions(cplus=True, language_level=3, include_path=['.'],\n"
            f"    compile_time_env=values, output_file={str(generated)!r})\n"
            "done = compile(['cupy_backends/cuda/api/runtime.pyx'], options)\n"
            "sys.exit(done.num_errors)\n"
        )
        run(sys.executable, "-c", program, cwd=source)
        out = work / "runtime.o"
        (work / "cuda_profiler_api.h").write_text(PROFILER)
        python = sysconfig.get_paths()["include"]
        includes = [source / "cupy_backends/cuda/api", source, python, self.include, work]
        flags = ["-O1", "-w", "-fPIC", "-std=c++17", '-DCYTHON_EXTERN_C=extern "C"']
        run("g++", *flags, *(f"-I{path}" for path in includes), "-c", generated, "-o", out)
        out.rename(kept)
        return kept

    def _runtime_module(self, work: Path, module: Path) -> None:
        """Link the module, and give what it wants of CUDA and we lack a function that refuses."""
        name = "libcuda.so.1"
        wanted = re.findall(r" U (cuda\w+)", run("nm", "-u", module))
        link = (f"-Wl,-soname,{name}", *self.objects, "-ldl")
        self._link_with_refusals(work, name, link, wanted, 801)
        out = work / f"runtime{SUFFIX}"
        links = (f"-L{work}", "-l:libcuda.so.1", "-Wl,-rpath,$ORIGIN")
        run("g++", "-shared", module, "-o", out, *links)


#: The header of this name is in no wheel that is needed otherwise.
PROFILER = """
#include <cuda_runtime_api.h>
extern "C" cudaError_t cudaProfilerStart(void);
extern "C" cudaError_t cudaProfilerStop(void);
"""

#: What CuPy's module wants and the stand-in does not model.
REFUSAL = """
#include <stdio.h>
int {0}(void) {{
  fprintf(stderr, "cupy_standin: {0} is not modelled\\n");
  return {1};
}}
"""


def error_names(include: Path) -> str:
    """Return C++ tables of the names of errors, read from NVIDIA's headers."""
    tables = (
        ("kErrorNames", "driver_types.h", r"\b(cuda(?:Success|Error\w+))\s*=\s*(\d+)"),
        ("kDriverErrorNames", "cuda.h", r"\b(CUDA_(?:SUCCESS|ERROR_\w+))\s*=\s*(\d+)"),
    )
    lines = []
    for table, header, pattern in tables:
        rows = re.findall(pattern, (include / header).read_text(errors="replace"))
        body = ", ".join(f'{{{number}, "{name}"}}' for name, number in rows)
        lines.append(
            f"static const struct {{ int code; const char* name; }} {table}[] = {{{body}}};"
        )
    return "\n".join(lines)


def source_distribution(version: str, root: Path) -> Path:
    """Return the unpacked source distribution of CuPy, fetched from the package index once."""
    folder = root / f"cupy-{version}"
    if folder.exists():
        return folder
    with locked(root / "source.lock"):
        if not folder.exists():
            _fetch(version, root)
    return folder


def suite_of_cupy(version: str) -> Path:
    """Return a folder that holds CuPy's own tests and not its sources, which cannot be imported."""
    folder = cache_root() / f"tests-of-cupy-{version}"
    if not folder.exists():
        source = source_distribution(version, cache_root())
        work = folder.with_name(f"{folder.name}-{os.getpid()}")
        shutil.copytree(source / "tests", work / "tests")
        # Its own settings import cupy before anybody can activate the stand-in.
        marks = ["slow", "multi_gpu", "parallel_threads", "iterations", "thread_unsafe"]
        (work / "pytest.ini").write_text(
            "[pytest]\nmarkers =\n" + "".join(f"  {m}\n" for m in marks)
        )
        work.rename(folder)
    return folder


def _fetch(version: str, root: Path) -> None:
    work = root / f"fetching-{os.getpid()}"
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
    # pip asks a source distribution for its metadata; CuPy's gives it without CUDA in this mode.
    env = os.environ | {"READTHEDOCS": "True"}
    run(*pip, "--no-deps", "--no-binary", "cupy", "-d", work, f"cupy=={version}", env=env)
    with tarfile.open(next(work.glob("cupy-*.tar.gz"))) as archive:
        archive.extractall(work, filter="data")
    (work / f"cupy-{version}").rename(root / f"cupy-{version}")
    shutil.rmtree(work)
