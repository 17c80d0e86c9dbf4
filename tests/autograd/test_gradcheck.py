"""Promises of `gradcheck`: right formulas pass, every kind of wrong one is found."""

from __future__ import annotations

import re

import pytest

import chainrule as cr
from chainrule.autograd import gradcheck, gradgradcheck
from chainrule.autograd.gradcheck import GradcheckError


@pytest.fixture
def make(device):
    def make(values, **options):
        options = {"dtype": cr.float64, "requires_grad": True, **options}
        return cr.tensor(values, device=device, **options)

    return make


def function_with(backward, forward=lambda x: x * x):
    """Return *forward* as a function with *backward* for its gradient: ``backward(x, grad)``."""

    class Given(cr.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, grad):
            return backward(ctx.saved_tensors[0], grad)

    return Given.apply


modes = pytest.mark.parametrize("fast_mode", [False, True], ids=["slow", "fast"])


@modes
def test_right_gradient_passes(make, fast_mode):
    x, w = make([0.5, -1.0, 2.0]), make([[1.0], [0.3]])

    assert gradcheck(lambda x, w: (x * w).exp() + x, (x, w), fast_mode=fast_mode)


@modes
def test_wrong_factor_is_found(make, fast_mode):
    wrong = function_with(lambda x, grad: grad * x * 2.01)
    with pytest.raises(
        GradcheckError,
        match=r"^Jacobian mismatch for output 0 with respect to input 0,\nnumerical:",
    ):
        gradcheck(wrong, make([0.5, 2.0]), fast_mode=fast_mode)


@modes
def test_wrong_sign_of_one_entry_is_found(make, fast_mode):
    signs = make([1.0, 1.0, -1.0], requires_grad=False)
    wrong = function_with(lambda x, grad: grad * 2 * x * signs)

    assert not gradcheck(wrong, make([0.5, 2.0, 1.0]), raise_exception=False, fast_mode=fast_mode)


@modes
def test_gradient_that_leaks_to_another_element_is_found(make, fast_mode):
    wrong = function_with(lambda x, grad: 2 * x * grad + grad.sum() * 0.1)

    assert not gradcheck(wrong, make([0.5, 2.0, 1.0]), raise_exception=False, fast_mode=fast_mode)


def test_mismatch_names_output_and_input(make):
    wrong = function_with(lambda x, grad: grad)
    with pytest.raises(GradcheckError, match="mismatch for output 1 with respect to input 1"):
        gradcheck(lambda x, w: (x * w, wrong(w)), (make([1.0]), make([3.0])))


@modes
def test_missing_gradient_is_found(make, fast_mode):
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradcheck(lambda x: x * x.detach(), make([1.0, 2.0]), fast_mode=fast_mode)


@modes
def test_function_that_does_not_depend_on_its_input_passes(make, fast_mode):
    assert gradcheck(lambda x: make([1.0, 2.0]) * 2, make([1.0]), fast_mode=fast_mode)


@modes
def test_complex_gradient_needs_its_conjugate(make, fast_mode):
    z = make([1 + 2j, -0.5 + 0.3j], dtype=cr.complex128)
    right = function_with(lambda z, grad: grad * 2 * z.conj())
    wrong = function_with(lambda z, grad: grad * 2 * z)

    assert gradcheck(right, z, fast_mode=fast_mode)
    assert not gradcheck(wrong, z, raise_exception=False, fast_mode=fast_mode)


@modes
def test_real_and_complex_may_meet(make, fast_mode):
    x, z = make([0.5, 2.0]), make([1 + 2j, 3 - 1j], dtype=cr.complex128)

    assert gradcheck(lambda x, z: (x * z * z, z.abs()), (x, z), fast_mode=fast_mode)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (1, 1)])
@modes
def test_shapes_without_dimension_or_element_work(make, shape, fast_mode):
    x = cr.full(shape, 0.5, dtype=cr.float64, device=make(0.0).device, requires_grad=True)

    assert gradcheck(lambda x: x.exp(), x, fast_mode=fast_mode)
    assert gradgradcheck(lambda x: x.exp(), x, fast_mode=fast_mode)


@modes
def test_one_tensor_given_twice_is_moved_in_both_places(make, fast_mode):
    x = make([0.5, 2.0])

    assert gradcheck(lambda a, b: (a * a) + 1, (x, make([1.0, 1.0])), fast_mode=fast_mode)
    assert gradcheck(lambda x: x * x, x, fast_mode=fast_mode)


@modes
def test_tensor_that_the_function_knows_from_elsewhere_is_moved_there_too(make, fast_mode):
    x = make([[0.5, 2.0]])
    layer = cr.nn.Linear(2, 1, device=x.device, dtype=cr.float64)

    assert gradcheck(
        lambda *weights: layer(x).tanh(), tuple(layer.parameters()), fast_mode=fast_mode
    )


def test_function_that_returns_its_input_is_seen_to_move(make):
    assert gradcheck(lambda x: x, make([0.5, 2.0]))


def test_inputs_are_left_as_they_were_by_a_function_that_fails(make):
    x = make([0.5, 2.0])

    def fails_once_moved(x):
        if x[0].item() != 0.5:
            raise LookupError
        return x * 2

    with pytest.raises(LookupError):
        gradcheck(fails_once_moved, x)
    assert x.tolist() == [0.5, 2.0]


def test_inputs_are_left_as_they_were(make):
    x = make([0.5, 2.0])
    gradcheck(lambda x: x * x, x)

    assert (x.tolist(), x._version, x.grad) == ([0.5, 2.0], 0, None)


def test_arguments_that_are_no_tensors_are_passed_on(make):
    assert gradcheck(lambda x, factor, nothing: x * factor, (make([1.0]), 3, None))


# Second derivatives


@modes
def test_right_second_derivative_passes(make, fast_mode):
    x, w = make([0.5, -1.0]), make([1.5, 2.0])

    assert gradgradcheck(lambda x, w: x * x * w.exp(), (x, w), fast_mode=fast_mode)


@modes
def test_first_derivative_that_is_not_differentiable_is_found(make, fast_mode):
    wrong = function_with(lambda x, grad: grad * 2 * x.detach())

    assert gradcheck(wrong, make([0.5, 2.0]), fast_mode=fast_mode)
    assert not gradgradcheck(wrong, make([0.5, 2.0]), raise_exception=False, fast_mode=fast_mode)


@modes
def test_gradients_of_the_outputs_may_be_given(make, fast_mode):
    x, weight = make([0.5, -1.0]), make([2.0, 3.0])

    assert gradgradcheck(lambda x: x * x * x, x, weight, fast_mode=fast_mode)


# What else is checked


def test_gradient_that_changes_from_pass_to_pass_is_found(make):
    state = [0.0]

    def drifting(x, grad):
        state[0] += 1e-9
        return grad * (2 * x + state[0])

    with pytest.raises(GradcheckError, match=r"^Backward is not reentrant"):
        gradcheck(function_with(drifting), make([0.5]))

    assert gradcheck(function_with(drifting), make([0.5]), nondet_tol=1e-6)


def test_batches_of_gradients_can_be_checked(make):
    assert gradcheck(lambda x: x * x, make([1.0, 2.0]), check_batched_grad=True)


def test_dtype_of_the_gradient_can_be_checked(make):
    assert gradcheck(lambda x: x * x, make([1.0, 2.0]), check_grad_dtypes=True)


# Wrong calls


def test_no_input_that_requires_grad_is_refused(make):
    sentence = (
        "gradcheck expects at least one input tensor to require gradient, but none of them have "
        "requires_grad=True."
    )
    with pytest.raises(ValueError, match="^" + re.escape(sentence)):
        gradcheck(lambda x: x, make([1.0], requires_grad=False))


def test_single_precision_warns(make):
    with (
        pytest.warns(
            UserWarning,
            match=r"^Input #0 requires gradient and is not a double precision floating point or ",
        ),
        pytest.raises(GradcheckError),
    ):
        gradcheck(lambda x: x.exp(), make([5.0], dtype=cr.float32))


def test_expanded_input_is_refused(make):
    x = make([1.0], requires_grad=False).expand(3).requires_grad_()
    with pytest.raises(
        RuntimeError, match=r"^The 0th input has a dimension with stride 0. gradcheck only supports"
    ):
        gradcheck(lambda x: x * 2, x)


def test_function_that_returns_no_tensor_is_refused(make):
    with pytest.raises(TypeError, match="expected the function to return tensors, got float"):
        gradcheck(lambda x: 1.0, make([1.0]))


def test_imaginary_part_of_a_complex_output_is_named(make):
    z = make([1 + 2j], dtype=cr.complex128)
    wrong = function_with(lambda z, grad: grad * 2 * z)
    with pytest.raises(
        GradcheckError,
        match=r"^While considering the imaginary part of complex outputs only, Jacobian mismatch",
    ):
        gradcheck(wrong, z)


def test_gradient_out_of_nothing_is_found(make):
    wrong = function_with(lambda x, grad: grad * 0 + 2 * x)
    with pytest.raises(GradcheckError, match=r"^backward not multiplied by grad_output"):
        gradcheck(lambda x: wrong(x).sum(), make([1.0, 2.0]))


def test_output_cut_from_the_graph_is_found(make):
    with pytest.raises(
        GradcheckError, match=r"^Numerical gradient for function expected to be zero"
    ):
        gradcheck(lambda x: (x * x).detach(), make([1.0, 2.0]))


def test_failure_of_fast_mode_shows_the_matrices(make):
    wrong = function_with(lambda x, grad: grad * x)
    with pytest.raises(GradcheckError, match=r"Entry by entry:\nnumerical:\ntensor\(\[\[2"):
        gradcheck(wrong, make([1.0, 2.0]), fast_mode=True)


@modes
def test_outcome_that_is_not_a_number_is_no_agreement(make, fast_mode):
    wrong = function_with(lambda x, grad: grad * float("nan"), lambda x: x * float("nan"))

    assert not gradcheck(wrong, make([1.0]), raise_exception=False, fast_mode=fast_mode)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"check_backward_ad": False},
            "Expected at least one of check_forward_ad or check_backward_ad to be True",
        ),
        (
            {"check_batched_grad": True, "check_backward_ad": False, "check_forward_ad": True},
            "Setting check_batched_grad=True requires check_backward_ad to be True",
        ),
        (
            {"check_batched_forward_grad": True},
            "Setting check_batched_forward_grad=True requires check_forward_ad to be True",
        ),
    ],
)
def test_checks_that_contradict_one_another_are_refused(make, options, sentence):
    with pytest.raises(AssertionError, match=re.escape(sentence)):
        gradcheck(lambda x: x, make([1.0]), **options)


def test_wrong_shape_under_a_perturbation_is_refused(make):
    with pytest.raises(AssertionError, match="to return outputs with the same shape"):
        gradcheck(lambda x: x if x.item() <= 1.0 else x.reshape(1, 1), make([1.0]))


# Forward mode


@modes
def test_right_tangents_pass(make, fast_mode):
    x, z = make([0.5, 2.0]), make([1 + 2j, -1 + 0.5j], dtype=cr.complex128)

    assert gradcheck(lambda x, z: (x.sin() * z, z.abs()), (x, z), check_forward_ad=True,
                     fast_mode=fast_mode)  # fmt: skip


@modes
def test_wrong_tangent_is_found(make, fast_mode):
    def deceiving(x):
        pushed = cr.autograd.forward_ad.unpack_dual(x).tangent is not None
        return x * 3 if pushed else x * 2

    with pytest.raises(
        GradcheckError,
        match=r"^Jacobian computed with forward mode mismatch for output 0 with respect to input 0",
    ):
        gradcheck(deceiving, make([0.5, 2.0]), check_forward_ad=True, fast_mode=fast_mode)


def test_forward_mode_alone_can_be_checked(make):
    assert gradcheck(lambda x: x.exp(), make([0.5]), check_forward_ad=True, check_backward_ad=False)


def test_forward_over_backward_can_be_checked(make):
    assert gradgradcheck(lambda x: x * x.sin(), make([0.5, 2.0]), check_fwd_over_rev=True)


def test_batches_of_tangents_can_be_checked(make):
    assert gradcheck(
        lambda x, y: (x * y, x.exp()),
        (make([0.5, 2.0]), make([1.0, 3.0])),
        check_forward_ad=True,
        check_batched_forward_grad=True,
    )
