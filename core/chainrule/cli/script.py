"""``chainrule run``: runs a script as Python would, with ``import torch`` meaning chainrule.

Under ``--as-torch`` the modules *are* chainrule's, under a second name: ``torch.nn.functional`` is
``chainrule.nn.functional``, the same object. That holds for one process, and PyTorch need not be
installed; if it is, it is not looked at. ``torch.__version__`` is the version of PyTorch that
chainrule follows, with chainrule's own behind it.
"""

from __future__ import annotations

import argparse
import importlib
import runpy
import sys
import traceback
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.metadata import Distribution
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Final

import chainrule
from chainrule import overriding, version
from chainrule._absent import below, is_absent
from chainrule.torch_version import TorchVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.metadata import DistributionFinder
    from os import PathLike

    Context = DistributionFinder.Context

TORCH, OURS = "torch", "chainrule"
#: The version of PyTorch whose behaviour chainrule has.
FOLLOWED: Final = "2.13.0"
#: What a class has that wants to be asked about functions.
ASKED: Final = "__torch_function__"


class TorchFinder(MetaPathFinder):
    """Finds chainrule's modules under PyTorch's names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what loads *fullname*, if it is ``torch`` or below.

        Raises:
            ModuleNotFoundError: chainrule has no such module.
        """
        if fullname.partition(".")[0] != TORCH:
            return None
        ours = OURS + fullname.removeprefix(TORCH)
        try:
            module = _module(ours)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{ours}.".startswith(f"{error.name}."):
                raise  # a module of chainrule's needs something that is not installed
            raise ModuleNotFoundError(
                f"No module named {fullname!r}\nchainrule run --as-torch: chainrule has no "
                f"{ours!r}; see the list of differences from PyTorch.",
                name=fullname,
            ) from None
        # Those that are loaded are known by both names at once: a package that gives a function the
        # name of its module (autograd.gradcheck) keeps it when the module is imported by name.
        for name in [n for n in sys.modules if n.startswith(f"{ours}.")]:
            sys.modules.setdefault(TORCH + name.removeprefix(OURS), sys.modules[name])
        if is_absent(module):
            vars(module).setdefault("__path__", [])  # so that what is below it can be asked for
        is_package = hasattr(module, "__path__")
        return ModuleSpec(fullname, _Existing(module), is_package=is_package)

    def find_distributions(self, context: Context | None = None) -> Iterator[Distribution]:
        """Tell `importlib.metadata` of ``torch``, by which libraries ask for its version."""
        asked = None if context is None else context.name
        if asked in {None, TORCH}:
            yield _Metadata()


def _module(name: str) -> ModuleType:
    """Import chainrule's module *name*, or make what stands below one that is absent."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        parent, _, own = name.rpartition(".")
        made = below(sys.modules[parent], own) if parent in sys.modules else None
        if made is None:
            raise
        made.__spec__ = ModuleSpec(name, None, is_package=True)
        sys.modules[name] = made
        return made


class _Metadata(Distribution):
    """What is told of the installed package ``torch``: its version."""

    def read_text(self, filename: str) -> str | None:
        text = f"Metadata-Version: 2.1\nName: {TORCH}\nVersion: {version.__version__}\n"
        return text if filename == "METADATA" else None

    def locate_file(self, path: str | PathLike[str]) -> Path:
        return Path(chainrule.__file__).parent / path


class _Existing(Loader):
    """Loads nothing: gives a module that is there already, and leaves it as it was."""

    def __init__(self, module: ModuleType) -> None:
        self._module, self._spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


def speak_torch() -> None:
    """Let ``import torch`` mean chainrule in this process, from now on."""
    for name in [n for n in sys.modules if n.partition(".")[0] == TORCH]:
        del sys.modules[name]
    sys.meta_path.insert(0, TorchFinder())
    # Programs ask which version of PyTorch they run on.
    told: Any = TorchVersion(f"{FOLLOWED}+chainrule.{version.__version__}")
    chainrule.__version__ = version.__version__ = told
    # PyTorch's package holds itself, and ``torch.torch.Tensor`` is met in annotations; and some
    # programs compare the name of the package with what they import.
    here: Any = chainrule
    here.torch, here.__name__ = chainrule, TORCH


def notice_overriders(script: Path) -> None:
    """Let functions ask before code runs that states a class which wants to be asked about them.

    A class that is no tensor tells nobody that it has a ``__torch_function__``, and plain tensors
    do not pay for looking at every argument. So code is looked at before it runs: not the classes
    as they are made, since what makes classes may look at the frame that it is called from.
    """
    if ASKED.encode() in script.read_bytes():
        overriding.activate()
        return
    plain: Any = SourceFileLoader.get_code
    kind: Any = SourceFileLoader

    def get_code(self: SourceFileLoader, fullname: str) -> Any:
        code = plain(self, fullname)
        if fullname.partition(".")[0] != OURS and _names(code, ASKED):
            kind.get_code = plain
            overriding.activate()
        return code

    kind.get_code = get_code


def _names(code: Any, name: str) -> bool:
    """Return whether *code*, or code in it, uses *name*."""
    return isinstance(code, CodeType) and (
        name in code.co_names or any(_names(part, name) for part in code.co_consts)
    )


def run(options: argparse.Namespace) -> int:
    """Run the script with its arguments; return its exit code."""
    script = Path(options.script)
    if not script.is_file():
        print(f"chainrule run: there is no file {options.script!r}", file=sys.stderr)
        return 2
    if options.as_torch:
        speak_torch()
        notice_overriders(script)
        chainrule.empty(0)  # a backend comes alive before the script says what is warned of
    sys.argv = [options.script, *options.arguments]
    sys.path[0] = str(script.resolve().parent)
    try:
        runpy.run_path(options.script, run_name="__main__")
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - the script's own, shown as Python shows it
        _show(error, options.script)
        return 1
    return 0


def _show(error: BaseException, script: str) -> None:
    """Print the traceback of *error* from the script on: what is above is ours."""
    frames: Any = error.__traceback__
    own = frames
    while own is not None and own.tb_frame.f_code.co_filename != script:
        own = own.tb_next
    traceback.print_exception(type(error), error, own or frames)
