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


def test_what_lies_below_an_absent_module_is_imported_and_refuses(script):
    text = (
        "import torch.fx.graph_module, torch.distributed.optim\n"
        "from torch.distributed.optim import ZeroRedundancyOptimizer as Zero\n"
        "from torch.fx.passes.shape_prop import ShapeProp\n"
        "print(isinstance(1, Zero), torch.distributed.optim.__name__)\n"
        "try: Zero()\nexcept NotImplementedError as e: print(e)"
    )
    lines = script(text).stdout.splitlines()

    assert lines[0] == "False chainrule.distributed.optim"
    assert lines[1].startswith("distributed.optim.ZeroRedundancyOptimizer: chainrule does not have")


def test_a_library_finds_the_version_of_torch_and_torch_inside_itself(script):
    text = (
        "import torch; from importlib.metadata import version\n"
        "print(version('torch') == torch.__version__, torch.torch is torch, torch.__name__)\n"
        "print(version('numpy') is not None)"
    )

    assert script(text).stdout == "True True torch\nTrue\n"


MARKED = """
import torch, torch.fx, torch.onnx
from torch.jit.annotations import BroadcastingList2
from torch.onnx.symbolic_helper import parse_args

torch.fx.wrap("len")

@torch.fx.wrap
def doubled(x):
    return 2 * x

class Layer(torch.nn.Module):
    size: torch.jit.Final[int]

    def __init__(self):
        super().__init__()
        self.size = 2

    @torch.jit._overload_method
    def forward(self, x: BroadcastingList2[int]):
        return doubled(x) * self.size

@torch.library.register_fake("mine::cut")
def shape(boxes, kind: torch.fx.node.Target = None):
    return boxes

@parse_args("v", "f")
def exported(g, x):
    return x

torch.onnx.register_custom_op_symbolic("mine::cut", exported, 11)
try:
    torch.ops.load_library("compiled.so")
except OSError as error:
    print(error)
print(Layer()(torch.ones(2)), shape(3))
"""


def test_a_library_that_marks_its_functions_for_tracers_is_imported(script):
    done = script(MARKED)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ops.load_library: 'compiled.so' is compiled for PyTorch")
    assert done.stdout.endswith("tensor([4., 4.]) 3\n")


DUCK = """
from dataclasses import dataclass

@dataclass(slots=True)
class Duck:
    feet: int

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return func.__name__
"""
ASKING = """
duck = Duck(2)
print(torch.conv2d(duck, duck), F.cross_entropy(duck, 1), torch.linalg.inv(duck))
print(torch.stack([duck]), torch.ones(2) * duck, torch.is_conj(duck), torch.layer_norm(duck, [1]))
"""
IMPORTS = """
import torch
import torch.nn.functional as F
"""
ANSWERS = "conv2d cross_entropy linalg_inv\nstack mul is_conj layer_norm\n"


def test_an_object_that_overrides_functions_is_asked_from_its_class_on(script):
    done = script(IMPORTS + DUCK + ASKING)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ANSWERS


def test_functions_ask_once_a_module_states_who_overrides_them(script, tmp_path):
    (tmp_path / "plain.py").write_text("class Plain: pass")
    (tmp_path / "ducks.py").write_text(DUCK)
    done = script(
        IMPORTS + "from chainrule.overriding import Switches\n"
        "import plain\nprint(Switches.active)\nfrom ducks import Duck" + ASKING
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "False\n" + ANSWERS


def test_classes_are_made_from_the_frame_of_the_script(script):
    done = script(
        "import sys\nclass Meta(type):\n"
        "    def __getattr__(cls, name): raise KeyError(name)\n"
        "    def __new__(meta, *args):\n"
        "        print(sys._getframe(1).f_code.co_name)\n"
        "        return super().__new__(meta, *args)\n"
        "class Made(metaclass=Meta): pass\n"
    )

    assert (done.returncode, done.stderr, done.stdout) == (0, "", "<module>\n")


FIRST = """
import chainrule as cr

class Duck:
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return func.__name__

duck = Duck()
print({call}, cr.conv2d(duck, duck))
"""


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("cr.exp(duck)", "exp"),
        ("cr.ones(2) @ duck", "matmul"),
        ("cr.unsqueeze(duck, 0)", "unsqueeze"),
        ("cr.ones(1).gather(0, duck)", "gather"),
    ],
)
def test_the_first_call_that_an_object_overrides_lets_all_functions_ask(script, call, name):
    done = script(FIRST.format(call=call), flags=())

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{name} conv2d\n"
