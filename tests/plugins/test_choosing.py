"""Choosing a backend: by environment, by name, by device; and what is said when it cannot run."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

import chainrule as cr
from chainrule import nn
from chainrule.errors import (
    BackendNotFoundError,
    BackendUnavailableError,
    ChainruleError,
    DeviceError,
)

HAS_NATIVE = find_spec("chainrule_native") is not None

HOST = "from chainrule.plugin.host import host\n"
CAUGHT = "\nexcept Exception as error:\n    print(type(error).__name__); print(error)"


def attempt(line):
    return f"import chainrule as cr\ntry:\n    {line}{CAUGHT}"


# By device


def test_cuda_without_cupy_says_what_pytorch_says_and_how_to_get_it():
    with pytest.raises(AssertionError) as caught:
        cr.zeros(1).cuda()

    first, *rest = str(caught.value).splitlines()
    assert first == "Torch not compiled with CUDA enabled"
    assert 'pip install "chainrule[cupy12]"' in rest[0]
    assert isinstance(caught.value, (BackendUnavailableError, RuntimeError))


def test_a_model_says_the_same():
    with pytest.raises(AssertionError, match=r"^Torch not compiled with CUDA enabled"):
        nn.Linear(1, 1).cuda()


def test_a_device_type_of_pytorch_that_nobody_serves_is_unavailable():
    with pytest.raises(
        BackendUnavailableError, match="no installed backend serves device type 'mps'"
    ):
        cr.zeros(1, device="mps")


def test_xpu_says_what_pytorch_says():
    with pytest.raises(AssertionError, match=r"^Torch not compiled with XPU enabled\n"):
        cr.zeros(1, device="xpu")


def test_an_unknown_device_type_is_an_error_with_pytorchs_sentence():
    with pytest.raises(
        DeviceError, match=r"^Expected one of cpu, cuda, .* at start of device string: warp"
    ):
        cr.device("warp")


def test_a_plugins_device_type_is_found_when_it_is_first_named(answer):
    program = "import chainrule as cr; x = cr.ones(2, device='loop'); print(x.device, x.backend)"

    assert answer(program, "loop") == "loop:0 loop"


# By name


def test_a_misspelt_backend_is_an_error_with_a_suggestion_and_what_there_is():
    with pytest.raises(BackendNotFoundError) as caught:
        cr.use("cuppy")

    assert str(caught.value).startswith(
        "unknown backend 'cuppy'. Did you mean 'cupy'? Installed: numpy"
    )
    assert 'Known but not installed: cupy (pip install "chainrule[cupy12]")' in str(caught.value)


def test_the_family_of_kernels_is_no_backend():
    with pytest.raises(BackendNotFoundError, match=r"unknown backend 'xp'. Installed:"):
        cr.use("xp")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("absent", "is not installed: no module named 'lib'. Get it: pip install something"),
        ("unimportable", "is installed, but its import failed: OSError: libfoo.so not found."),
        ("deviceless", "is installed (lib 1.2), but has no device: no driver."),
    ],
)
def test_each_state_in_which_a_backend_cannot_run_has_its_reason_and_its_cure(answer, name, what):
    kind, message = answer(attempt(f"cr.use({name!r})"), "unusable").splitlines()

    assert kind == "BackendUnavailableError"
    assert what in message
    assert message.endswith(("pip install something", f"Run 'chainrule doctor {name}'."))


@pytest.mark.skipif(HAS_NATIVE, reason="the environment has the one that others have not")
def test_a_backend_of_ours_that_is_not_installed_says_how_to_get_it():
    with pytest.raises(BackendUnavailableError, match=r"'native' is not installed.*pip install"):
        cr.use("native")


def test_a_backend_for_another_device_type_is_refused():
    with pytest.raises(BackendNotFoundError, match="'sim' serves device types sim, not 'cpu'"):
        cr.use(cpu="sim")


def test_all_these_errors_are_chainrules_own():
    for error in (BackendNotFoundError, BackendUnavailableError, DeviceError):
        assert issubclass(error, (ChainruleError, RuntimeError))


# By environment

WHERE = "import chainrule as cr; print(cr.ones(1).device, cr.ones(1).backend)"


@pytest.mark.parametrize(
    "value", ["", "numpy", "cpu=numpy", " cpu = numpy , sim=sim", "sim", "loop"]
)
def test_the_environment_chooses_per_device_type_and_never_moves_the_default_device(answer, value):
    assert answer(WHERE, "loop", CHAINRULE_BACKEND=value) == "cpu numpy"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("cuppy", "CHAINRULE_BACKEND='cuppy': unknown backend 'cuppy'. Did you mean 'cupy'?"),
        (
            "cpu=sim",
            "CHAINRULE_BACKEND='cpu=sim': backend 'sim' serves device type sim, not 'cpu'.",
        ),
        pytest.param(
            "native",
            "CHAINRULE_BACKEND='native': backend 'native' is not installed",
            marks=pytest.mark.skipif(HAS_NATIVE, reason="the environment has this backend"),
        ),
    ],
)
def test_a_wrong_choice_in_the_environment_names_the_variable(answer, value, message):
    assert message in answer(attempt("cr.ones(1)"), CHAINRULE_BACKEND=value)


# Candidates of one device type


def test_among_several_backends_a_plugin_selects_and_its_answer_is_kept(answer):
    program = (
        "import chainrule as cr, loop_backend, chainrule.plugin as p\n"
        "from dataclasses import replace\n"
        "asked = []\n"
        "class Other:\n"
        "    info = p.PluginInfo(name='other', api='1.0')\n"
        "    @p.hookimpl\n"
        "    def chainrule_backends(self):\n"
        "        return [replace(loop_backend.spec, name='other', priority=9)]\n"
        "    @p.hookimpl\n"
        "    def chainrule_select_backend(self, candidates):\n"
        "        asked.append(candidates); return 'loop'\n"
        "p.register(Other()); x = cr.ones(1, device='loop'); cr.ones(1, device='loop')\n"
        "print(x.backend, asked)"
    )

    assert answer(program, "loop") == "loop [('other', 'loop')]"


def test_a_backend_that_descends_from_nobody_is_an_error(answer):
    program = (
        "import chainrule as cr, loop_backend, chainrule.plugin as p\n"
        "from dataclasses import replace\n"
        "class Orphan:\n"
        "    info = p.PluginInfo(name='orphan', api='1.0')\n"
        "    @p.hookimpl\n"
        "    def chainrule_backends(self):\n"
        "        return [replace(loop_backend.spec, name='orphan', parents=('nobody',))]\n"
        "p.register(Orphan())\n"
        "try: cr.use('orphan')\n"
        "except cr.errors.BackendUnavailableError as e: print(e)"
    )

    assert "descends from 'nobody'" in answer(program, "loop")


# What activation does to a program


def test_infinities_and_nan_make_no_warning_on_the_host(answer):
    program = (
        "import chainrule as cr; x = cr.tensor([0.0, -1.0, 1e38])\n"
        "print((x / 0.0).tolist(), (x * x).tolist()[2])"
    )

    assert answer(program) == "[nan, -inf, inf] inf"


def test_warnings_about_the_users_own_numpy_code_stay(run):
    program = "import chainrule as cr, numpy; cr.zeros(1); numpy.ones(1) / numpy.zeros(1)"

    assert "RuntimeWarning: divide by zero" in run(program).stderr
