"""Build the distribution, install it into an empty environment, and use it there.

With ``--quick``, the projects of new plugins are not tested, which takes the conformance kit.

This is the one check that sees what a person who runs ``pip install`` gets: files left out of
the archive, a dependency not declared, an entry point misspelt. The wheel is built from the
source archive, and everything runs in a temporary folder, out of reach of the source tree.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN, SUFFIX = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")

SMOKE_TEST = """
from importlib import metadata, resources

import chainrule as cr
from chainrule.datasets import load_digits

x = cr.tensor([1.0, 2.0, 3.0], requires_grad=True)
(x * x).sum().backward()
assert x.grad.tolist() == [2.0, 4.0, 6.0], x.grad

distribution = metadata.distribution("chainrule")
assert cr.__version__ == distribution.version, (cr.__version__, distribution.version)
backends = metadata.entry_points(group="chainrule.backends")
assert {entry.name for entry in backends} >= {"numpy", "sim"}, backends
assert all(entry.load().info.name == entry.name for entry in backends), backends
for package in ("chainrule", "chainrule_xp", "chainrule_numpy", "chainrule_sim"):
    assert resources.files(package).joinpath("py.typed").is_file(), package
assert len(load_digits().labels) == 1797
print("smoke test passed, chainrule", cr.__version__)
"""


def run(*command: str | Path, cwd: Path) -> None:
    """Show a command and run it, free of the caller's Python paths and of the caller's tox."""
    print("+", *command, flush=True)
    theirs = ("PYTHON", "TOX_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(theirs)}
    subprocess.run(command, cwd=cwd, env=environment, check=True)  # noqa: S603  # commands of ours


def build(folder: Path) -> Path:
    """Return the wheel, built in *folder* from the source archive."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (archive,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    for made in (archive, wheel):
        print(f"{made.name}: {made.stat().st_size // 1024} kB")
    return wheel


def check(wheel: Path, folder: Path) -> None:
    """Install *wheel* into an empty environment in *folder* and use it from there."""
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    python = environment / BIN / f"python{SUFFIX}"
    chainrule = environment / BIN / f"chainrule{SUFFIX}"
    run(python, "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    run(python, "-m", "pip", "check", cwd=folder)
    (folder / "smoke_test.py").write_text(SMOKE_TEST, encoding="utf-8")
    run(python, "-W", "error", "smoke_test.py", cwd=folder)
    run(chainrule, "info", cwd=folder)
    run(chainrule, "demo", "--epochs", "2", cwd=folder)
    if "--quick" not in sys.argv[1:]:
        check_new_plugins(wheel, python, chainrule, folder)


def check_new_plugins(wheel: Path, python: Path, chainrule: Path, folder: Path) -> None:
    """Start an op plugin and a backend from nothing, and run their own tox, the kit included.

    A constraint lets their environments take this very wheel, wherever else the name is found.
    """
    constraint = folder / "constraint.txt"
    constraint.write_text(f"chainrule @ {wheel.as_uri()}\n", encoding="utf-8")
    os.environ["PIP_CONSTRAINT"] = str(constraint)
    run(python, "-m", "pip", "install", "--quiet", "tox", cwd=folder)
    for kind, name, environment in (("op", "smooth", "numpy,sim"), ("backend", "mine", "own")):
        run(chainrule, "plugins", "new", "--kind", kind, name, cwd=folder)
        run(python, "-m", "tox", "-e", environment, cwd=folder / f"chainrule-{name}")


def main() -> None:
    """Build and check in a temporary folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="chainrule-dist-"))
    try:
        check(build(folder), folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
