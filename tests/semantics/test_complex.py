"""Complex numbers: PyTorch's convention, under which a step against the gradient goes downhill."""

from __future__ import annotations

import pytest

Z = [3 + 4j, -1 - 2j]


def test_gradient_of_a_squared_magnitude_points_along_the_number(lib):
    z = lib.tensor(Z, requires_grad=True)
    (z * z.conj()).real.sum().backward()

    assert z.grad.tolist() == [2 * number for number in Z]


def test_gradient_of_a_holomorphic_function_is_the_conjugate_of_its_derivative(lib):
    z = lib.tensor(Z, requires_grad=True)
    (z**2).real.sum().backward()

    assert z.grad.tolist() == pytest.approx([2 * number.conjugate() for number in Z])


def test_gradients_of_the_parts(lib):
    z = lib.tensor(Z, requires_grad=True)
    for part, expected in (("real", 1), ("imag", 1j)):
        (grad,) = lib.autograd.grad(getattr(z, part).sum(), z)
        assert grad.tolist() == [expected] * 2


def test_gradient_of_the_magnitude_is_the_direction_and_zero_at_zero(lib):
    z = lib.tensor([3 + 4j, 0j], requires_grad=True)
    z.abs().sum().backward()

    assert z.grad.tolist() == pytest.approx([0.6 + 0.8j, 0])


def test_real_inputs_get_real_gradients(lib):
    z = lib.tensor(Z, requires_grad=True)
    x = lib.tensor([2.0, 3.0], requires_grad=True)
    (x * z).abs().sum().backward()

    assert (x.grad.dtype, z.grad.dtype) == (lib.float32, lib.complex64)
    assert x.grad.tolist() == pytest.approx([abs(number) for number in Z])


def test_backward_of_a_complex_scalar_needs_a_gradient(lib, raises):
    z = lib.tensor(Z, requires_grad=True)
    with raises(RuntimeError, "grad can be implicitly created only for real scalar outputs"):
        z.sum().backward()


def test_complex_gradient_may_be_given(lib):
    z = lib.tensor(Z, requires_grad=True)
    (z * 2).sum().backward(lib.tensor(1j))

    assert z.grad.tolist() == [2j, 2j]


def test_write_into_a_part_is_differentiated(lib):
    z = lib.tensor(Z, requires_grad=True)
    x = lib.tensor([5.0, 6.0], requires_grad=True)
    w = z * 1
    w.imag = x
    w.real.mul_(2)
    (w * w.conj()).real.sum().backward()

    assert w.tolist() == [6 + 5j, -2 + 6j]
    assert z.grad.tolist() == [24, -8]
    assert x.grad.tolist() == [10, 12]


def test_parts_and_pairs_look_at_the_same_memory(lib):
    z = lib.tensor(Z)
    pairs = lib.view_as_real(z)
    pairs[0, 1] = 9.0
    z.real[1] = 7.0

    assert z.tolist() == [3 + 9j, 7 - 2j]
    assert (lib.view_as_complex(pairs)._base is z, z.imag._version) == (True, 2)


def test_pairs_start_at_an_even_place_of_the_memory(lib, raises):
    numbers = lib.arange(6.0)
    with raises(RuntimeError, "Tensor must have a storage_offset divisible by 2"):
        lib.view_as_complex(numbers[1:5].reshape(2, 2))

    assert lib.view_as_complex(numbers[2:].reshape(2, 2)).tolist() == [2 + 3j, 4 + 5j]


def test_polar_and_complex_are_differentiable(lib):
    r, phi = (lib.tensor([2.0], dtype=lib.float64, requires_grad=True) for _ in range(2))
    lib.polar(r, phi).abs().sum().backward()
    assert (r.grad.item(), phi.grad.item()) == pytest.approx((1, 0))

    lib.complex(r, phi).imag.sum().backward()
    assert (r.grad.item(), phi.grad.item()) == pytest.approx((1, 1))


def test_imaginary_part_of_a_real_tensor_is_refused(lib, raises):
    with raises(RuntimeError, "imag is not implemented for tensors with non-complex dtypes."):
        _ = lib.ones(2).imag


def test_second_derivative_of_a_complex_function(lib):
    z = lib.tensor(Z, dtype=lib.complex128, requires_grad=True)
    (slope,) = lib.autograd.grad((z**3).real.sum(), z, create_graph=True)
    (slope * slope.conj()).real.sum().backward()

    # |3 z^2|^2 = 9 |z|^4, whose gradient is 36 |z|^2 z
    assert z.grad.tolist() == pytest.approx([36 * abs(n) ** 2 * n for n in Z])


@pytest.mark.parametrize("base", ["tensor", "number"])
def test_negative_base_has_a_complex_logarithm_under_a_complex_exponent(lib, base):
    exponent = lib.tensor([0.5 + 0.25j], dtype=lib.complex128, requires_grad=True)
    result = lib.pow(lib.tensor([-2.0], dtype=lib.float64) if base == "tensor" else -2.0, exponent)

    (gradient,) = lib.autograd.grad(result.real.sum(), exponent)

    slope = result.detach() * lib.log(lib.tensor([-2.0 + 0j], dtype=lib.complex128))
    assert lib.allclose(gradient, slope.conj())
