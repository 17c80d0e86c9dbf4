"""Promises of our own, beside what the conformance kit checks."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.testing import gradcheck, gradgradcheck, opcheck

scipy_signal = pytest.importorskip("scipy.signal", reason="SciPy is the reference")
MODES = ("full", "same", "valid")


@pytest.fixture
def make(device):
    cr.manual_seed(0)
    return lambda *shape: cr.randn(*shape, dtype=cr.float64, device=device).requires_grad_()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shapes", [((3, 40), (3, 9)), ((2, 500), (1, 7)), ((12,), (1,))])
def test_one_dimension_is_scipys_convolution(make, shapes, mode):
    signal, taps = make(*shapes[0]), make(*shapes[1])
    found = cr.ops.signal_fft.fft_convolve(signal, taps, mode=mode).detach().cpu().numpy()
    expected = scipy_signal.fftconvolve(
        signal.detach().cpu().numpy(), taps.detach().cpu().numpy(), mode, axes=-1
    )

    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_two_dimensions_are_scipys_convolution(make, mode):
    image, stamp = make(11, 13), make(4, 5)
    found = cr.ops.signal_fft.fft_convolve(image, stamp, dims=2, mode=mode)
    expected = scipy_signal.convolve2d(
        image.detach().cpu().numpy(), stamp.detach().cpu().numpy(), mode
    )

    if mode == "same":  # for kernels of even size, SciPy's two functions choose middles apart
        expected = scipy_signal.fftconvolve(
            image.detach().cpu().numpy(), stamp.detach().cpu().numpy(), mode
        )
    np.testing.assert_allclose(found.detach().cpu().numpy(), expected, rtol=1e-10, atol=1e-12)


def test_valid_convolution_is_conv2d_of_the_reversed_kernel(make):
    image, stamp = make(1, 1, 8, 9), make(3, 2)
    found = cr.ops.signal_fft.fft_convolve(image, stamp, 2, "valid")
    expected = cr.nn.functional.conv2d(image, stamp.flip(0, 1)[None, None])

    assert cr.allclose(found, expected)
    for mine, theirs in zip(
        cr.autograd.grad(found.square().sum(), (image, stamp)),
        cr.autograd.grad(expected.square().sum(), (image, stamp)),
        strict=True,
    ):
        assert cr.allclose(mine, theirs)


def test_forward_and_backward_run_by_kernels_on_numpy_and_by_bodies_elsewhere():
    for name, elsewhere in (("fft_convolve", "body"), ("fft_convolve_backward", "traced")):
        assert cr.explain(f"signal_fft::{name}", backend="numpy").how == "own kernel"
        assert cr.explain(f"signal_fft::{name}", backend="sim").how == elsewhere


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dims", [1, 2])
def test_kernels_agree_with_the_bodies(dims, mode):
    cr.manual_seed(0)
    pair = [cr.randn(2, 1, 6, 7, dtype=cr.float64), cr.randn(3, 3, 2, dtype=cr.float64)]
    found = []
    for device in ("cpu", "sim"):
        operands = [x.to(device).detach().requires_grad_() for x in pair]
        if dims == 1:  # broadcast in all but the last dimension
            operands[1] = operands[1][:, :1].detach().requires_grad_()
        result = cr.ops.signal_fft.fft_convolve(*operands, dims, mode)
        found.append([result, *cr.autograd.grad(result.square().sum(), operands)])

    for by_kernel, by_body in zip(*found, strict=True):
        assert cr.allclose(by_kernel, by_body.cpu(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dims", [1, 2])
def test_gradients_of_first_and_second_order(make, dims, mode):
    operands = make(2, 3, 4), make(1, 2)

    def convolve(input, kernel):
        return cr.ops.signal_fft.fft_convolve(input, kernel, dims, mode)

    assert gradcheck(convolve, operands)
    assert gradgradcheck(convolve, operands)


@pytest.mark.parametrize("needed", [(True, False), (False, True)])
def test_an_operand_that_needs_no_gradient_gets_none(make, needed):
    operands = [x.requires_grad_(need) for x, need in zip((make(9), make(4)), needed, strict=True)]
    reference = [x.detach().requires_grad_() for x in operands]
    cr.ops.signal_fft.fft_convolve(*operands).square().sum().backward()
    cr.ops.signal_fft.fft_convolve(*reference).square().sum().backward()

    for one, other, need in zip(operands, reference, needed, strict=True):
        assert (one.grad is not None) == need
        assert not need or cr.allclose(one.grad, other.grad)


def test_apply_in_a_script_is_the_same_op(make):
    from chainrule_fft_convolution.function import FFTConvolve

    pair = make(20), make(5)
    by_op, by_apply = cr.ops.signal_fft.fft_convolve(*pair), FFTConvolve.apply(*pair)

    assert by_op.tolist() == by_apply.tolist()
    assert by_op.grad_fn.name() == by_apply.grad_fn.name() == "FFTConvolveBackward"
    assert by_op.grad_fn._saved_kernel is pair[1]


def test_it_runs_under_vmap_and_jvp(make):
    signals, taps = make(3, 8).detach(), make(4).detach()
    convolve = cr.ops.signal_fft.fft_convolve
    mapped = cr.func.vmap(convolve, in_dims=(0, None))(signals, taps)
    _, tangent = cr.func.jvp(convolve, (signals, taps), (signals, taps))

    assert cr.allclose(mapped, convolve(signals, taps))
    assert cr.allclose(tangent, 2 * convolve(signals, taps))


def test_an_unknown_blur_is_found(device):
    cr.manual_seed(0)
    image = cr.randn(16, 16, device=device)
    wanted = cr.tensor([[0.5, -1.0], [0.25, 2.0]], device=device)
    target = cr.ops.signal_fft.fft_convolve(image, wanted, dims=2)
    blur = cr.zeros(2, 2, device=device, requires_grad=True)
    optimizer = cr.optim.SGD([blur], lr=0.3)
    for _ in range(100):
        optimizer.zero_grad()
        found = cr.ops.signal_fft.fft_convolve(image, blur, dims=2)
        (found - target).square().mean().backward()
        optimizer.step()

    assert cr.allclose(blur.detach(), wanted, atol=1e-4)


@pytest.mark.parametrize("options", [(1, "full"), (2, "same"), (2, "valid")])
def test_the_op_is_what_its_statement_says(make, options):
    operands = (make(5, 6), make(1, 3), *options)
    assert set(opcheck(cr.ops.signal_fft.fft_convolve, operands).values()) == {"SUCCESS"}


def test_the_examples_of_readme_and_docstrings_run():
    from chainrule_fft_convolution import function, sizes

    readme = Path(__file__).parents[1] / "README.md"
    found = doctest.testfile(str(readme), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert (found.failed, found.attempted > 0) == (0, True)
    for module in (function, sizes):
        assert doctest.testmod(module).failed == 0
