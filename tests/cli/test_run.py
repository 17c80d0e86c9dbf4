"""``chainrule run --as-torch``: a script for PyTorch runs on chainrule, unchanged."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.fixture
def script(tmp_path):
    """Run a script by the command, in a fresh process; warnings are errors."""

    def script(text, *arguments, flags=("--as-torch",)):
        (tmp_path / "script.py").write_text(text)
        kept = {n: v for n, v in os.environ.items() if not n.startswith("CHAINRULE_")}
        command = [sys.executable, "-W", "error", "-m", "chainrule", "run", *flags, "script.py"]
        return subprocess.run(
            [*command, *arguments],
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=False,
        )

    return script


PROGRAM = """
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim, Tensor
from torch.autograd import Function

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = optim.SGD(model.parameters(), lr=0.1)
x: Tensor = torch.randn(8, 2)
for _ in range(3):
    optimizer.zero_grad()
    loss = F.mse_loss(model(x), x.sum(1, keepdim=True))
    loss.backward()
    optimizer.step()
print(type(loss).__module__, loss.item() < 10, issubclass(Function, object))
"""


def test_a_training_script_for_pytorch_runs_unchanged(script):
    done = script(PROGRAM)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "chainrule.tensor True True\n"


def test_modules_are_chainrules_own_under_a_second_name(script):
    text = (
        "import torch, torch.nn.functional, chainrule, importlib\n"
        "print(torch is chainrule, torch.nn.functional is chainrule.nn.functional,\n"
        "      chainrule.nn.__spec__.name, importlib.import_module('torch.optim') is torch.optim)"
    )

    assert script(text).stdout == "True True chainrule.nn True\n"


def test_function_keeps_its_name_when_the_module_of_that_name_is_imported(script):
    text = (
        "import torch\n"
        "from torch.autograd.gradcheck import GradcheckError\n"
        "import torch.nn.utils.weight_norm\n"
        "print(torch.autograd.gradcheck.__name__, torch.nn.utils.weight_norm.__name__)"
    )
    assert script(text).stdout == "gradcheck weight_norm\n"


def test_arguments_name_and_folder_are_the_scripts(script, tmp_path):
    (tmp_path / "beside.py").write_text("word = 'found'")
    done = script("import sys, beside; print(sys.argv, __name__, beside.word)", "-v", "--as-torch")

    assert done.stdout == "['script.py', '-v', '--as-torch'] __main__ found\n"


def test_a_module_that_chainrule_lacks_is_an_import_error_that_says_so(script):
    done = script("try: import torch.nonesuch\nexcept ModuleNotFoundError as e: print(e.name, e)")

    assert done.stdout.startswith("torch.nonesuch No module named 'torch.nonesuch'\n")
    assert "chainrule has no 'chainrule.nonesuch'" in done.stdout


def test_an_error_of_the_script_is_shown_from_the_script_on(script):
    done = script("import torch\ndef f(): raise ValueError('boom')\nf()")

    assert done.returncode == 1
    assert done.stderr.startswith('Traceback (most recent call last):\n  File "script.py", line 3')
    assert done.stderr.endswith("ValueError: boom\n")
    assert "runpy" not in done.stderr


@pytest.mark.parametrize(("text", "code"), [("import sys; sys.exit(7)", 7), ("", 0)])
def test_the_exit_code_is_the_scripts(script, text, code):
    assert script(text).returncode == code


def test_without_the_flag_torch_is_not_touched(script):
    done = script("import sys, chainrule\nprint('torch' in sys.modules)", flags=())

    assert done.stdout == "False\n"


def test_a_script_that_is_not_there_is_one_clear_line(fresh):
    done = fresh("run", "--as-torch", "nonesuch.py")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "chainrule run: there is no file 'nonesuch.py'\n"
