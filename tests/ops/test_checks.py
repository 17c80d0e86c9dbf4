"""The checks find what they are for: each is shown an op with one mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import chainrule as cr
from chainrule import backend as registry
from chainrule.autograd.gradcheck import GradcheckError
from chainrule.backend import KernelSet
from chainrule.op import composite
from chainrule.testing import ErrorSample, OpCase, Sample, checks
from chainrule.testing.maker import Maker

if TYPE_CHECKING:
    from chainrule.tensor import Tensor


class CaseOf(OpCase):
    """A case of an operation that has no public name."""

    def operation(self):
        return self.function


def case_of(function, samples=lambda make: [Sample(make(2, 3))], **facts):
    case = CaseOf("under_test", samples, **facts)
    object.__setattr__(case, "function", function)
    return case


def square_with(rule):
    @composite(namespace="checktest")
    def square(self: Tensor) -> Tensor:
        """Return ``self * self``."""
        return self * self

    square.vjp(self=rule)
    return square


def right(grad, self):
    return grad * 2 * self


def test_right_op_passes_every_check(device):
    case = case_of(square_with(right), reference=lambda np, x: x * x, in_place="square_")

    checks.check_values(case, "float32", device, np)
    checks.check_precisions_agree(case, "float32", device, np)
    checks.check_bodies(case, "float64", device, np)
    for check in (
        checks.check_inputs_unchanged,
        checks.check_first_derivative,
        checks.check_second_derivative,
        checks.check_saved_inputs,
        checks.check_saved_results,
        checks.check_frozen_inputs,
        checks.check_modified_saved_tensors,
        checks.check_in_place,
    ):
        check(case, "float64", device)


def test_failure_names_the_sample(device):
    case = case_of(lambda x: x * 3, reference=lambda np, x: x * x)
    with pytest.raises(AssertionError) as caught:
        checks.check_values(case, "float32", device, np)

    assert caught.value.__notes__ == ["sample: under_test(float32[2, 3])"]


@pytest.mark.parametrize(
    "reference", [lambda np, x: x + 1e-4, lambda np, x: x[0], lambda np, x: (x, x)]
)
def test_wrong_values_shapes_and_numbers_of_results_are_found(device, reference):
    with pytest.raises(AssertionError):
        checks.check_values(case_of(lambda x: x * 1, reference=reference), "float32", device, np)


def test_result_that_single_precision_spoils_is_found(device):
    case = case_of(lambda x: (x + 1e6) - 1e6)
    with pytest.raises(AssertionError):
        checks.check_precisions_agree(case, "float32", device, np)


def test_op_that_writes_into_its_input_is_found(device):
    case = case_of(lambda x: x.detach().mul_(2) * 0 + x, grad=False)
    with pytest.raises(AssertionError):
        checks.check_inputs_unchanged(case, "float64", device)


def test_wrong_derivatives_are_found(device):
    with pytest.raises(GradcheckError):
        checks.check_first_derivative(
            case_of(square_with(lambda grad, self: grad * 2.01 * self)), "float64", device
        )
    with pytest.raises(GradcheckError):
        checks.check_second_derivative(
            case_of(square_with(lambda grad, self: grad * 2 * self.detach())), "float64", device
        )


def test_saved_copy_of_an_input_is_found(device):
    square = square_with(right)
    case = case_of(lambda x: square(x.detach().requires_grad_()))
    with pytest.raises(AssertionError, match="_saved_self is a copy of the input"):
        checks.check_saved_inputs(case, "float64", device)


def test_in_place_form_that_does_something_else_is_found(device):
    case = case_of(lambda x: x.exp(), in_place="tanh_")
    with pytest.raises(AssertionError):
        checks.check_in_place(case, "float64", device)


@pytest.mark.parametrize("mistake", [lambda x: x * x + 1e-9, lambda x: x * x * (1 + 1e-9)])
def test_fused_kernel_that_differs_from_the_body_is_found(backend, device, mistake):
    square, kernels = square_with(right), KernelSet(backend)
    kernels.add("checktest::square", mistake)
    registry.by_name(backend).add_kernels(kernels)
    square.reset(registry.by_name(backend).index)

    with pytest.raises(AssertionError):
        checks.check_bodies(case_of(square), "float64", device, np)


def test_error_that_does_not_come_or_says_something_else_is_found(device):
    def expecting(raises, match):
        def errors(make):
            yield ErrorSample(sample=Sample(make(2), make(3)), raises=raises, match=match)

        return case_of(cr.mul, errors=errors)

    checks.check_errors(expecting(RuntimeError, "The size of tensor a"), device)
    with pytest.raises(AssertionError, match="does not match 'size of tensor'"):
        checks.check_errors(expecting(RuntimeError, "size of tensor"), device)
    with pytest.raises(RuntimeError):
        checks.check_errors(expecting(TypeError, "The size of tensor a"), device)


def test_error_that_a_device_tells_when_it_is_waited_for_counts(device, monkeypatch):
    def errors(make):
        yield ErrorSample(sample=Sample(make(2), make(2)), raises=RuntimeError, match="of a call")

    def fail(place):
        raise RuntimeError("of the device")

    monkeypatch.setattr(registry.for_device(cr.device(device)), "synchronize", fail)
    checks.check_errors(case_of(cr.mul, errors=errors), device)


# Samples


def test_maker_gives_the_same_values_every_time(device):
    first, second = (Maker(cr.float64, device)(2, 3) for _ in range(2))

    assert first.tolist() == second.tolist()
    assert len({number for row in first.tolist() for number in row}) == 6


def test_maker_keeps_to_its_range(device):
    make = Maker(cr.float32, device, requires_grad=True)
    made = make(50, low=0.5, high=0.75)

    assert 0.5 <= min(made.tolist()) <= max(made.tolist()) <= 0.75
    assert (made.requires_grad, made.is_leaf) == (True, True)
    assert set(make.index(50, below=3).tolist()) == {0, 1, 2}
    assert set(make.mask(50).tolist()) == {True, False}
    assert min(Maker(cr.uint8, device)(50).tolist()) == 0


def test_maker_gives_tensors_that_are_not_contiguous(device):
    make = Maker(cr.float64, device, requires_grad=True)
    for made in (make.transposed(3, 4), make.strided(3, 4)):
        assert made.shape == (3, 4)
        assert not made.is_contiguous()
        assert (made.requires_grad, made.is_leaf) == (True, True)


def test_sample_shows_dtypes_shapes_and_arguments(device):
    make = Maker(cr.float32, device)

    shown = repr(Sample(make(2, 3), [make()], 2.5, dim=None))

    assert shown == "(float32[2, 3], [float32[]], 2.5, dim=None)"
