"""Put the stand-in where CuPy looks for CUDA."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path

from . import libraries
from .building import SUFFIX, Wheel
from .compiling import Compiler, KernelError, record, tally
from .options import Options

BANNER = "cupy_standin: CuPy {version} runs on this CPU, for tests: no GPU is used ({options})"
RUNTIME = "cupy_backends.cuda.api.runtime"
#: Modules of the wheel that hold compiled device code: a launch would fail in silence.
PRECOMPILED = ("cupy.cuda.cub", "cupy.random._generator_api")

_active: Options | None = None


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of CuPy that we replace."""

    def find_spec(self, name, path, target=None):
        """Return where *name* is, if it is one of them."""
        if name == RUNTIME:
            file = str(libraries.folder() / f"runtime{SUFFIX}")
            loader = importlib.machinery.ExtensionFileLoader(name, file)
            return importlib.util.spec_from_file_location(name, file, loader=loader)
        if name == "cupy.cuda.thrust":
            return importlib.machinery.ModuleSpec(name, _Alias("cupy_standin.sorting"))
        return None


class _Alias(importlib.abc.Loader):
    """Loads a module of ours under a name of CuPy's."""

    def __init__(self, name: str) -> None:
        self.name = name

    def create_module(self, spec):
        return importlib.import_module(self.name)

    def exec_module(self, module) -> None:
        pass


def refuse(name: str):
    """Return a function that raises where compiled device code would run."""

    def refusing(*args, **kwargs):
        raise NotImplementedError(
            f"{name} is compiled device code of the wheel; the stand-in cannot run it."
        )

    return refusing


def activate(options: Options | None = None):
    """Return ``cupy``, computing on this CPU; after ``import cupy`` is too late."""
    global _active  # noqa: PLW0603  # a process has one CUDA runtime
    if _active is not None:
        return sys.modules["cupy"]
    if any(name.partition(".")[0] in {"cupy", "cupy_backends"} for name in sys.modules):
        raise RuntimeError("cupy_standin.activate() comes too late: cupy has been imported.")
    options = options or Options.read()
    libraries.configure(options)
    os.environ["CUPY_ACCELERATORS"] = ""  # cub's device code is compiled into the wheel
    os.environ["CUPY_CACHE_IN_MEMORY"] = "1"  # the compiler below keeps its own
    sys.meta_path.insert(0, Finder())
    import cupy

    _replace_the_compiler(Compiler(libraries.folder(), check=options.check), options)
    _refuse_compiled_code(cupy)
    if options.check:
        cupy.cuda.set_allocator(None)  # every array is an allocation of its own
    else:
        from .watching import count_the_pool

        count_the_pool()
    _active = options
    sys.stderr.write(banner() + "\n")
    return cupy


def banner() -> str:
    """Return the line that says what runs here."""
    return BANNER.format(version=Wheel.installed().version, options=_active)


def _replace_the_compiler(mine: Compiler, options: Options) -> None:
    from cupy.cuda import compiler

    def compile_here(
        source, options_=(), arch=None, filename="kern.cu", name_expressions=None,
        log_stream=None, cache_in_memory=False, jitify=None, method=None,
    ):  # fmt: skip
        if options.record:
            record(Path(options.record), source, options_, name_expressions)
        _by_nvrtc(compiler, options.nvrtc, source, options_, name_expressions)
        try:
            image, named = mine.compile(source, tuple(options_), tuple(name_expressions or ()))
        except KernelError as error:
            name = filename or "kern.cu"
            raise compiler.CompileException(str(error), source, name, options_, "nvrtc") from error
        return image, (named if name_expressions else None)

    compiler._compile_using_nvrtc_no_warning = compile_here
    compiler._preprocess = lambda *args, **kwargs: "cupy_standin"
    compiler._get_nvrtc_version = lambda: (int(Wheel.installed().cuda), 0)


def _by_nvrtc(compiler, wanted: str, source: str, options, expressions) -> None:
    """Compile what is about to run with NVRTC as well."""
    for arch in filter(None, wanted.split("+")):
        program = compiler._NVRTCProgram(
            source, "kern.cu", (), (), name_expressions=expressions, method="cubin"
        )
        program.compile((*options, f"-arch=sm_{arch}", "--device-as-default-execution-space"))
        tally.by_nvrtc += 1


def _refuse_compiled_code(cupy) -> None:
    import cupy.random
    from cupy.cuda import cub

    for name in ("device_reduce", "device_segmented_reduce", "device_csrmv", "device_scan",
                 "device_histogram"):  # fmt: skip
        if hasattr(cub, name):
            setattr(cub, name, refuse(f"cupy.cuda.cub.{name}"))
    for name in ("default_rng", "Generator", "XORWOW", "MRG32k3a", "Philox4x3210"):
        setattr(cupy.random, name, refuse(f"cupy.random.{name}"))


def package_folder() -> Path:
    """Return the folder to put on ``PYTHONPATH`` for another process."""
    return Path(__file__).parent.parent
