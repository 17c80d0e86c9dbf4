"""The ``chainrule`` command: `main` reads the command line; each command is a module of its own.

What a command has to say it gathers as plain data (`facts`), which is shown as tables to a person
(`views`) or as JSON to a program. Exit codes: 0, all is well; 1, a check found something wrong;
2, the command could not be understood or carried out.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import ChainruleError
from ..plugin.records import PluginLoadWarning

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line *arguments*, the process's own by default, and return the exit code."""
    options = _parser().parse_args(arguments)
    module, _, function = options.run.partition(":")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PluginLoadWarning)  # 'chainrule plugins' lists them
            run = getattr(importlib.import_module(module, __name__), function)
            return int(run(options) or 0)
    except BrokenPipeError:  # the reader, like head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ChainruleError, OSError) as error:
        print(f"chainrule {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chainrule",
        description="Automatic differentiation with PyTorch's semantics and exchangeable backends.",
    )
    parser.add_argument("--version", action="version", version=f"chainrule {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_run(commands)
    _add(commands, "info", ".views:info", "show versions, backends, devices and environment")
    backends = _add(commands, "backends", ".views:backends", "list the backends and their state")
    backends.add_argument(
        "--check", action="store_true", help="run a small computation on each device"
    )
    _add_plugins(commands)
    ops = _add(commands, "ops", ".views:ops", "list which backend runs which op, and how")
    ops.add_argument("show", nargs="*", metavar="show NAME", help="explain one op on every backend")
    ops.add_argument("--backend", help="this backend alone")
    ops.add_argument("--missing", action="store_true", help="only ops that a backend cannot run")
    ops.add_argument(
        "--derived", action="store_true", help="only ops that a backend runs by their bodies"
    )
    doctor = _add(commands, "doctor", ".views:doctor", "check the installation, and say what to do")
    doctor.add_argument("backend", nargs="?", metavar="BACKEND", help="check this backend alone")
    doctor.add_argument(
        "--report", metavar="FILE", help="compute every op on BACKEND, and write what came out"
    )
    _add_conformance(commands)
    return parser


def _add(
    commands: Any,  # argparse does not name the type of what add_subparsers gives
    name: str,
    run: str,
    help: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help, description=f"{help[0].upper()}{help[1:]}."
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(run=run)
    return parser


def _add_run(commands: Any) -> None:  # as above
    parser = commands.add_parser(
        "run",
        help="run a script, also one that is written for PyTorch",
        description="Run a script. Its own arguments follow its name.",
    )
    parser.add_argument(
        "--as-torch", action="store_true", help="let 'import torch' mean chainrule, in this process"
    )
    parser.add_argument("script", metavar="SCRIPT", help="a file in Python")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="its arguments")
    parser.set_defaults(run=".script:run")


def _add_plugins(commands: Any) -> None:  # as above
    parser = _add(commands, "plugins", ".views:plugins", "list the plugins, their state, and why")
    parser.add_argument("--all", action="store_true", help="show hooks, ops and tracebacks too")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    check = _add(actions, "validate", ".authors:validate", "check a plugin, and say what to do")
    check.add_argument("target", metavar="TARGET", help="module:attribute, or an installed plugin")
    new = _add(actions, "new", ".authors:new", "write the project of a plugin, ready to install")
    new.add_argument("--kind", choices=["op", "backend"], required=True, help="what it brings")
    new.add_argument("name", metavar="NAME", help="the op namespace, or the backend's name")
    new.add_argument("--into", metavar="FOLDER", help="where to write (default: chainrule-NAME)")


def _add_conformance(commands: Any) -> None:  # as above
    parser = _add(
        commands, "conformance", ".authors:conformance", "run the conformance kit on a backend"
    )
    add = parser.add_argument
    add("-b", "--backend", action="append", default=[], metavar="NAME", help="default: numpy")
    add("--ops", action="append", default=[], metavar="PATTERN", help="only these: 'special::*'")
    suites = ["protocol", "kernels", "grad", "opcheck", "plugin"]
    add("--suite", action="append", default=[], choices=suites, help="only this one")
    add("--xfails", metavar="FILE", help="known failures, a TOML file")
    add("--accept", action="store_true", help="write the failures of this run to that file")
    add("--report", metavar="FILE", help="write what was found as JSON")
    add("pytest", nargs="*", metavar="-- ARGUMENT", help="for pytest, after '--'")


def _add_demo(commands: Any) -> None:  # as above
    parser = _add(commands, "demo", ".demo:demo", "train a small network on handwritten digits")

    def option(flag: str, shown: str, read: Callable[[str], Any], default: Any, text: str) -> None:
        if default is not None:
            text += f" (default: {default})"
        parser.add_argument(flag, metavar=shown, type=read, default=default, help=text)

    whole, pictures = _whole(1, 10_000), {".png", ".svg", ".pdf"}
    option("--backend", "NAME", str, None, "compute on this backend (see 'chainrule backends')")
    option("--epochs", "N", whole, 20, "rounds over the training part")
    option("--batch-size", "N", whole, 32, "digits per update")
    option("--lr", "RATE", _positive, 0.001, "learning rate of Adam")
    option("--seed", "N", _whole(0, 2**63 - 1), 0, "of split, weights and order")
    option("--save", "FILE.safetensors", _file({".safetensors"}), None, "write the weights")
    option("--plot", "FILE.png", _file(pictures), None, "draw curves and answers (matplotlib)")
    freeze = "leave the first layer untrained, and show what backward then need not keep"
    parser.add_argument("--freeze", action="store_true", help=freeze)


def _whole(low: int, high: int) -> Callable[[str], int]:
    """Return what reads a whole number between *low* and *high* from the command line."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if low <= number <= high:
            return number
        raise argparse.ArgumentTypeError(
            f"expected a whole number from {low} to {high}, got {text!r}"
        )

    return read


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if 0 < number < math.inf:
        return number
    raise argparse.ArgumentTypeError(f"expected a positive number like 0.001, got {text!r}")


def _file(suffixes: Iterable[str]) -> Callable[[str], str]:
    """Return what reads the name of a file to write: its suffix is known, its folder is there."""
    from pathlib import Path

    def read(text: str) -> str:
        path = Path(text)
        if path.suffix not in suffixes:
            raise argparse.ArgumentTypeError(
                f"expected a file name that ends in {' or '.join(sorted(suffixes))}, got {text!r}"
            )
        if not path.parent.is_dir() or path.is_dir():
            raise argparse.ArgumentTypeError(
                f"expected a file in a folder that exists, got {text!r}"
            )
        return text

    return read
