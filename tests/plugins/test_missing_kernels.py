"""Where an op has no kernel: an error that says what to do, or the fallback that was asked for."""

from __future__ import annotations

import warnings

import pytest

import chainrule as cr
from chainrule.backend import by_name
from chainrule.errors import KernelNotFoundError, OpDefinitionError
from chainrule.op import composite
from chainrule.plugin import FallbackWarning

ADVICE = "Options: .to('cpu@numpy') on its tensors; with chainrule.fallback('cpu-warn')"


@pytest.fixture
def without():
    """Take kernels from the simulated device; they are put back after the test."""
    live, taken = by_name("sim"), []

    def without(*ops):
        for name in ops:
            taken.append((name, live.kernels["xp"].pop(name)))
            cr.op.all_ops[name].reset(live.index)

    cr.stats(reset=True)
    yield without
    for name, kernel in taken:
        live.kernels["xp"][name] = kernel
        cr.op.all_ops[name].reset(live.index)
    cr.stats(reset=True)


def test_the_error_says_which_op_and_backend_who_has_a_kernel_and_what_to_do(without):
    cr.ones(1)
    without("cr::tanh")
    with pytest.raises(KernelNotFoundError) as caught:
        cr.ones(2, device="sim").tanh()

    text = str(caught.value)
    assert text.startswith("cr::tanh: expected a kernel for backend 'sim' (lineage sim > xp)")
    assert "Kernels: numpy (chainrule)" in text  # the host first
    assert ADVICE in text
    assert isinstance(caught.value, NotImplementedError)


def test_where_a_part_of_a_body_has_no_kernel_both_are_named(without):
    without("cr::erf")

    @composite(namespace="missing", promote="float")
    def bell(self: Tensor) -> Tensor:  # noqa: F821 - a schema's word
        """Return ``erf(self) + 1``."""
        return self.erf() + 1

    bell.vjp(self=lambda grad: grad)
    with pytest.raises(KernelNotFoundError) as caught:
        bell(cr.ones(2, device="sim"))

    assert "Its body is not usable either: it needs cr::erf" in str(caught.value)
    assert ADVICE in str(caught.value)


def test_nothing_falls_back_unasked(without):
    without("cr::tanh")
    with pytest.raises(KernelNotFoundError):
        cr.ones(2, device="sim").tanh()

    assert cr.stats().fallbacks == {}


def test_fallback_computes_on_the_cpu_warns_once_and_counts(without):
    without("cr::tanh", "cr::exp")
    x = cr.tensor([0.5, 1.0], device="sim")
    with cr.fallback("cpu-warn"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = [x.tanh(), x.tanh(), x.exp()]

    assert [str(r.device) for r in results] == ["sim:0"] * 3
    assert results[0].tolist() == cr.tensor([0.5, 1.0]).tanh().tolist()
    assert [w.category for w in caught] == [FallbackWarning] * 2
    assert caught[0].filename == __file__
    assert cr.stats().fallbacks == {("cr::tanh", "sim"): 2, ("cr::exp", "sim"): 1}


def test_fallback_follows_into_the_backward_pass(without):
    x = cr.tensor([0.5], device="sim", requires_grad=True)
    without("cr::erf", "cr::exp")
    with cr.fallback("cpu-warn"), pytest.warns(FallbackWarning):
        x.erf().sum().backward()

    assert x.grad.tolist() == pytest.approx([0.8787825789], abs=1e-6)
    assert cr.stats().fallbacks == {("cr::erf", "sim"): 1, ("cr::exp", "sim"): 1}


def test_fallback_ends_with_its_block(without):
    without("cr::tanh")
    x = cr.ones(2, device="sim")
    with cr.fallback("cpu-warn"), pytest.warns(FallbackWarning):
        x.tanh()
    with pytest.raises(KernelNotFoundError):
        x.tanh()


def test_a_block_with_error_stands_above_the_environment(without, monkeypatch):
    monkeypatch.setenv("CHAINRULE_FALLBACK", "cpu-warn")
    without("cr::tanh")
    x = cr.ones(2, device="sim")
    with pytest.warns(FallbackWarning):
        x.tanh()
    with cr.fallback("error"), pytest.raises(KernelNotFoundError):
        x.tanh()


def test_a_view_does_not_fall_back_since_it_would_be_a_copy(without):
    without("cr::_transpose")
    with cr.fallback("cpu-warn"), pytest.raises(KernelNotFoundError):
        cr.ones(2, 2, device="sim").transpose(1, 0)


@pytest.mark.parametrize("word", ["cpu-silent", "gpu", ""])
def test_there_is_no_silent_fallback_and_no_other_word(word):
    with pytest.raises(TypeError, match="fallback: expected one of error, cpu-warn, got"):
        cr.fallback(word).__enter__()


def test_explain_says_that_an_op_would_fall_back(without):
    without("cr::tanh")
    x = cr.ones(2, device="sim")
    unasked = cr.explain("tanh", x).how
    with cr.fallback("cpu-warn"):
        asked = cr.explain("tanh", x).how

    assert (unasked, asked) == ("none", "fallback")


@pytest.mark.parametrize("grad", [False, True])
def test_bodies_that_call_each_other_in_a_circle_are_named(grad):
    @composite(namespace="circle", promote="float")
    def one(self: Tensor) -> Tensor:  # noqa: F821 - a schema's word
        """Return what two does."""
        return two(self)

    @composite(namespace="circle", promote="float")
    def two(self: Tensor) -> Tensor:  # noqa: F821 - a schema's word
        """Return what one does."""
        return one(self)

    if grad:
        one.vjp(self=lambda grad: grad)
        two.vjp(self=lambda grad: grad)
    with pytest.raises(OpDefinitionError, match=r"they circle: circle::(one > circle::two|two)"):
        one(cr.ones(1))


# Choosing among kernels


GUEST = (
    "import chainrule as cr, chainrule.plugin as p, numpy\n"
    "class Guest:\n"
    "    info = p.PluginInfo(name='guest', api='1.0')\n"
    "    @p.hookimpl\n"
    "    def chainrule_kernels(self, backend):\n"
    "        ks = p.KernelSet('numpy')\n"
    "        ks.forward('cr::tanh')(lambda x: numpy.full_like(x, 42.0))\n"
    "        return ks if backend.isa('numpy') else None\n"
)


@pytest.mark.parametrize("value", ["cr::tanh=guest", "tanh@numpy = guest"])
def test_the_environment_prefers_a_strangers_kernel(answer, value):
    program = f"{GUEST}p.register(Guest()); print(cr.zeros(1).tanh().item())"

    assert answer(program, CHAINRULE_PREFER=value) == "42.0"


def test_an_unknown_provider_in_the_environment_is_an_error_that_names_the_variable(run):
    done = run("import chainrule as cr; cr.zeros(1).tanh()", CHAINRULE_PREFER="cr::tanh=nobody")

    assert "PluginLoadError: CHAINRULE_PREFER: prefer: expected a plugin with a kernel" in (
        done.stderr
    )


def test_a_name_that_stands_for_two_plugins_with_a_kernel_is_a_conflict_with_both_places(answer):
    program = (
        "import chainrule as cr\n"
        "try: cr.prefer('_amax', 'chainrule', backend='numpy')\n"
        "except cr.errors.KernelConflictError as e: print(e)"
    )
    text = answer(program)

    assert "'numpy' at " in text
    assert "'xp' at " in text
    assert "chainrule.prefer('cr::_amax', " in text


# Tracing


def test_tracing_tells_loads_and_resolutions_once_and_no_calls(run):
    program = "import chainrule as cr; x = cr.ones(2)\nfor _ in range(3): x.tanh()"
    done = run(program, "good", CHAINRULE_TRACE="plugins,dispatch")
    lines = done.stderr.splitlines()

    assert sum("chainrule dispatch: cr::tanh on numpy: inherited kernel" in x for x in lines) == 1
    assert any("chainrule plugins: plugin 'numpy'" in line for line in lines)


def test_without_the_variable_nothing_is_told(run):
    assert run("import chainrule as cr; cr.ones(2).tanh()").stderr == ""


# Foreign arrays


def test_an_array_of_another_library_is_taken_by_the_backend_that_knows_it():
    array = cr.ones(2, device="sim")._array

    made = cr.as_tensor(array)
    assert (made.backend, made._array is array, made.tolist()) == ("sim", True, [1.0, 1.0])
    assert cr.tensor(array, dtype=cr.float64, device="cpu").tolist() == [1.0, 1.0]


def test_plugins_are_asked_once_per_type(answer):
    program = (
        "import chainrule as cr, chainrule.plugin as p\n"
        "class Strange:\n"
        "    def __init__(self, n): self.n = n\n"
        "asked = []\n"
        "class Guest:\n"
        "    info = p.PluginInfo(name='guest', api='1.0')\n"
        "    @p.hookimpl\n"
        "    def chainrule_from_array(self, obj):\n"
        "        import numpy; asked.append(type(obj).__name__)\n"
        "        return 'numpy', lambda strange: numpy.full(2, strange.n)\n"
        "p.register(Guest())\n"
        "print(cr.tensor(Strange(3)).tolist(), cr.as_tensor(Strange(4)).tolist(), asked)"
    )

    assert answer(program) == "[3, 3] [4, 4] ['Strange']"


def test_what_nobody_knows_is_the_error_that_pytorch_has():
    with pytest.raises(RuntimeError, match=r"^Could not infer dtype of object"):
        cr.tensor(object())


# Kernels that give something wrong


def test_a_kernel_that_returns_no_array_or_a_dtype_unknown_here_is_one_clear_error(give_kernel):
    give_kernel(lambda x: None)
    told = r"^cr::tanh: a kernel returned NoneType, expected ndarray: None"
    with pytest.raises(TypeError, match=told):
        cr.zeros(1).tanh()


@pytest.fixture
def give_kernel():
    """Let NumPy's tanh be another kernel during the test."""
    op, live = cr.ops.tanh, by_name("numpy")
    cr.zeros(1)

    def give(kernel):
        op.table[live.index] = kernel

    yield give
    op.reset(live.index)
