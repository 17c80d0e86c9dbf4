"""The commands for those who write plugins: check one, start one, run the conformance kit."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from chainrule.plugin.validation import validate as validated

from .output import console, print_json
from .scaffold import write_project


def validate(options: argparse.Namespace) -> int:
    """Check a plugin; exit code 1 if something is not in order."""
    findings = validated(options.target)
    if options.json:
        print_json([{**vars(f), "passed": f.passed} for f in findings])
    else:
        screen = console()
        for finding in findings:
            mark = "[green]ok[/green]     " if finding.passed else "[red]problem[/red]"
            screen.print(mark, end=" ")
            screen.print(finding.what, markup=False)
            if not finding.passed:
                screen.print(f"        {finding.reason}", markup=False)
    return 0 if all(finding.passed for finding in findings) else 1


def new(options: argparse.Namespace) -> int:
    """Write a project, and say what to do with it."""
    folder, files = write_project(options.kind, options.name, options.into)
    if options.json:
        return print_json({"folder": str(folder), "files": files})
    screen = console()
    screen.print(f"Wrote {folder}:", markup=False)
    for name in files:
        screen.print(f"  {name}", markup=False)
    screen.print(
        f"\nNow:\n  cd {folder}\n  python -m pip install -e .\n"
        f"  chainrule plugins validate {options.name}\n  tox",
        markup=False,
    )
    return 0


def conformance(options: argparse.Namespace) -> int:
    """Run the kit by pytest, in a process of its own; return pytest's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(options.report or Path(folder) / "report.json")
        command = [sys.executable, "-m", "pytest", *_arguments(options, report), *options.pytest]
        done = subprocess.run(command, capture_output=options.json, text=True, check=False)  # noqa: S603 - our own interpreter
        if options.json:
            if not report.exists():
                print(done.stderr or done.stdout, file=sys.stderr)
                return 2
            print_json(json.loads(report.read_text(encoding="utf-8")))
    return 2 if done.returncode > 1 else done.returncode


def _arguments(options: argparse.Namespace, report: Path) -> list[str]:
    package = "chainrule.testing.conformance"
    suites = [f"{package}.test_{name}" for name in options.suite] or [package]
    flags = [f"--chainrule-backend={name}" for name in options.backend]
    flags += [f"--chainrule-ops={pattern}" for pattern in options.ops]
    flags += [f"--chainrule-xfails={options.xfails}"] if options.xfails else []
    flags += ["--chainrule-accept"] if options.accept else []
    return [
        *("-p", "chainrule.testing.plugin", "-p", "no:cacheprovider", "--pyargs"),
        *suites, f"--chainrule-report={report}", *flags,
    ]  # fmt: skip
