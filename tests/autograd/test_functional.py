"""Promises of `autograd.functional`: values, structure, history, and what strict mode forbids."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.autograd import functional


@pytest.fixture
def make(device):
    def make(values, **options):
        return cr.tensor(values, device=device, **options)

    return make


def cubes(x):
    return (x * x * x).sum()


def values(tensor):
    return tensor.tolist()


def test_jacobian_of_two_outputs_by_two_inputs_is_a_tuple_of_tuples(make):
    found = functional.jacobian(
        lambda x, y: (x * y, (3 * x).sum()), (make([1.0, 2.0]), make([3.0, 4.0]))
    )

    assert [[values(block) for block in row] for row in found] == [
        [[[3.0, 0.0], [0.0, 4.0]], [[1.0, 0.0], [0.0, 2.0]]],
        [[3.0, 3.0], [0.0, 0.0]],
    ]


@pytest.mark.parametrize("vectorize", [False, True])
def test_jacobian_has_the_shape_of_the_output_then_of_the_input(make, vectorize):
    found = functional.jacobian(
        lambda x: x.sum(0).exp(), make([[0.0, 1.0, 2.0]] * 2), vectorize=vectorize
    )

    assert found.shape == (3, 2, 3)
    assert found[1, :, 0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("vectorize", [False, True])
def test_jacobian_of_an_empty_output_is_empty(make, vectorize):
    found = functional.jacobian(lambda x: x[:0], make([1.0, 2.0]), vectorize=vectorize)

    assert found.shape == (0, 2)


def test_jacobian_leaves_the_input_as_it_was(make):
    x = make([1.0, 2.0])
    functional.jacobian(lambda x: x * x, x)

    assert not x.requires_grad
    assert x.grad is None


def test_recorded_jacobian_can_be_differentiated(make):
    x = make([1.0, 2.0], requires_grad=True)
    found = functional.jacobian(lambda x: x * x * x, x, create_graph=True)
    found.sum().backward()

    assert x.grad.tolist() == [6.0, 12.0]


def test_unrecorded_results_have_no_history(make):
    x = make([1.0, 2.0], requires_grad=True)
    outputs, product = functional.vjp(lambda x: x * x, x, make([1.0, 1.0]))

    assert not outputs.requires_grad
    assert not product.requires_grad


def test_hessian_of_two_inputs_has_a_block_for_each_pair(make):
    found = functional.hessian(lambda x, y: (x * x * y).sum(), (make([2.0]), make([3.0])))

    assert [[values(block) for block in row] for row in found] == [
        [[[6.0]], [[4.0]]],
        [[[4.0]], [[0.0]]],
    ]


@pytest.mark.parametrize("product", [functional.vhp, functional.hvp])
def test_hessian_times_vector_is_the_hessian_times_the_vector(make, product):
    x, v = make([1.0, 2.0]), make([1.0, 10.0])
    value, found = product(lambda x: x[0] ** 2 * x[1], x, v)

    assert value.item() == 2.0
    assert found.tolist() == [2 * 2.0 * 1 + 2.0 * 10, 2.0 * 1]


def test_jvp_and_vjp_are_transposes(make):
    x, u, v = make([1.0, 2.0, 3.0]), make([1.0, -1.0, 2.0]), make([3.0, 5.0])

    def function(x):
        return cr.stack([x.prod(), (x * x).sum()])

    _, forwards = functional.jvp(function, x, u)
    _, backwards = functional.vjp(function, x, v)

    assert (forwards * v).sum().item() == pytest.approx((backwards * u).sum().item())


def test_vector_of_another_shape_raises(make):
    with pytest.raises(
        RuntimeError,
        match=r"^v has invalid size: should be torch.Size\(\[2\]\) but got torch.Size\(\[3\]\)\.",
    ):
        functional.vjp(lambda x: x * x, make([1.0, 2.0]), make([1.0, 2.0, 3.0]))


def test_missing_vector_for_several_outputs_raises(make):
    with pytest.raises(RuntimeError, match=r"can only be None if the user-provided function"):
        functional.vjp(lambda x: x * x, make([1.0, 2.0]))


def test_hessian_of_more_than_a_number_raises(make):
    with pytest.raises(RuntimeError, match="should contain a single element"):
        functional.hessian(lambda x: x * x, make([1.0, 2.0]))


def test_strict_mode_refuses_an_input_that_is_not_used(make):
    arguments = (make([1.0]), make([2.0]))

    assert functional.vjp(lambda x, y: x.sum(), arguments)[1][1].tolist() == [0.0]
    with pytest.raises(RuntimeError, match="is independent of input 1"):
        functional.vjp(lambda x, y: x.sum(), arguments, strict=True)


def test_strict_mode_refuses_a_detached_output(make):
    with pytest.raises(RuntimeError, match=r"^Output 0 of the user-provided function does not"):
        functional.jacobian(lambda x: x.detach(), make([1.0]), strict=True)


def test_function_that_returns_no_tensor_raises(make):
    with pytest.raises(TypeError, match="outputs of the user-provided function given to jacobian"):
        functional.jacobian(lambda x: 3, make([1.0]))


def test_forward_mode_gives_what_backward_mode_gives(make):
    def function(x, y):
        return (x * y.sum()).sin(), x.exp()

    points = make([0.5, 2.0]), make([[1.0, 3.0]])
    ahead = functional.jacobian(function, points, strategy="forward-mode", vectorize=True)
    back = functional.jacobian(function, points)

    assert all(
        one.allclose(other)
        for left, right in zip(ahead, back, strict=True)
        for one, other in zip(left, right, strict=True)
    )


def test_forward_mode_over_backward_mode_gives_the_hessian(make):
    x = make([0.5, 2.0])
    ahead = functional.hessian(
        lambda x: x.prod().sin(), x, outer_jacobian_strategy="forward-mode", vectorize=True
    )

    assert ahead.allclose(functional.hessian(lambda x: x.prod().sin(), x))


def test_forward_mode_without_vectorize_raises(make):
    with pytest.raises(NotImplementedError, match="only implemented for `vectorize=True`"):
        functional.jacobian(lambda x: x, make([1.0]), strategy="forward-mode")


def test_unknown_strategy_raises(make):
    with pytest.raises(AssertionError, match=r"^Expected strategy to be either"):
        functional.jacobian(lambda x: x, make([1.0]), strategy="sideways")


def test_products_work_under_no_grad(make):
    with cr.no_grad():
        _, found = functional.hvp(cubes, make([1.0, 2.0]), make([1.0, 1.0]))

    assert found.tolist() == [6.0, 12.0]


def test_complex_output_is_differentiated_where_vectorized(make):
    z = make([1 + 2j, 3 - 1j])

    found = functional.jacobian(lambda z: z * z, z, vectorize=True)
    assert found.dtype is cr.complex64
    with pytest.raises(RuntimeError, match=r"only for real scalar outputs but got torch.complex64"):
        functional.jacobian(lambda z: z * z, z)
