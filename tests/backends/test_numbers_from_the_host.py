"""What may lie on the CPU beside tensors on a device, as in PyTorch: numbers, and places."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.errors import MixedBackendError


@pytest.fixture
def x():
    return cr.tensor([1.0, 2.0, 3.0], device="sim")


def two(**options):
    return cr.tensor(2.0, **options)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x, two: x * two, [2.0, 4.0, 6.0]),
        (lambda x, two: two - x, [1.0, 0.0, -1.0]),
        (lambda x, two: x / two, [0.5, 1.0, 1.5]),
        (lambda x, two: x**two, [1.0, 4.0, 9.0]),
        (lambda x, two: x < two, [True, False, False]),
        (cr.maximum, [2.0, 2.0, 3.0]),
        (lambda x, two: x.clamp(min=two), [2.0, 2.0, 3.0]),
        (lambda x, two: cr.where(x > 1, two, x), [1.0, 2.0, 2.0]),
        (lambda x, two: cr.lerp(x, x + 2, two), [5.0, 6.0, 7.0]),
        (lambda x, two: x.masked_fill(x > 1, two), [1.0, 2.0, 2.0]),
        (lambda x, two: x.clone().fill_(two), [2.0, 2.0, 2.0]),
        (lambda x, two: x.clone().mul_(two), [2.0, 4.0, 6.0]),
        (lambda x, two: cr.arange(3, device="sim") + two, [2.0, 3.0, 4.0]),
    ],
    ids=lambda case: "" if isinstance(case, list) else None,
)
def test_number_on_the_host_stands_where_a_number_may(x, function, expected):
    result = function(x, two())
    assert (str(result.device), result.tolist()) == ("sim:0", expected)


def test_two_numbers_meet_on_the_device():
    assert str((two() + two(device="sim")).device) == "sim:0"


def test_gradient_of_a_number_arrives_on_the_host_at_the_number_itself(x):
    factor = two(requires_grad=True)
    y = x / factor
    assert type(y.grad_fn).__name__ == "DivBackward0"
    assert y.grad_fn.next_functions[1][0].variable is factor
    y.sum().backward()
    assert (str(factor.grad.device), factor.grad.item()) == ("cpu", -1.5)


def test_transforms_differentiate_with_respect_to_a_number_on_the_host(x):
    assert cr.func.grad(lambda factor: (x * factor).sum())(two()).item() == 6.0
    _, tangent = cr.func.jvp(lambda factor: (x * factor).sum(), (two(),), (two(),))
    assert tangent.item() == 12.0
    assert cr.func.vmap(lambda row: row * two())(x.reshape(3, 1)).tolist() == [[2.0], [4.0], [6.0]]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + cr.ones(1),
        lambda x: x + cr.ones(3),
        lambda x: cr.ones(3) * two(device="sim"),
        lambda x: x + two(device="sim:1"),
        lambda x: cr.ones(3).mul_(two(device="sim")),
        lambda x: two().mul_(two(device="sim")),
        lambda x: cr.mul(x, x, out=cr.empty(3)),
    ],
)
def test_what_is_no_number_or_on_another_device_does_not_meet(x, function):
    with pytest.raises(MixedBackendError, match="at least two devices"):
        function(x)


def test_write_that_would_leave_the_device_changes_nothing():
    target = two()
    with pytest.raises(MixedBackendError, match="result would leave the device of its target"):
        target.mul_(two(device="sim"))
    assert target.item() == 2.0


# Places


def test_places_on_the_host_index_a_tensor_on_the_device(x):
    assert x[cr.tensor([2, 0])].tolist() == [3.0, 1.0]
    assert x[cr.tensor([True, False, True])].tolist() == [1.0, 3.0]
    assert x.reshape(3, 1)[cr.tensor([2]), cr.tensor([0])].tolist() == [3.0]


def test_gradient_goes_back_through_places_on_the_host():
    x = cr.zeros(3, device="sim", requires_grad=True)
    x[cr.tensor([0, 0, 2])].sum().backward()
    assert (str(x.grad.device), x.grad.tolist()) == ("sim:0", [2.0, 0.0, 1.0])


@pytest.mark.parametrize("value", [7.0, cr.tensor(7.0)], ids=["number", "tensor"])
def test_number_is_written_at_places_on_the_host(x, value):
    x[cr.tensor([2, 0])] = value
    x[cr.tensor([False, True, False])] = value
    assert x.tolist() == [7.0, 7.0, 7.0]


def test_values_on_the_host_are_written_into_a_slice(x):
    x[1:] = cr.tensor([8.0, 9.0])
    assert x.tolist() == [1.0, 8.0, 9.0]
    source = cr.tensor([4.0, 5.0], requires_grad=True)
    y = x.clone()
    y[:2] = source * 1
    y.sum().backward()
    assert (str(source.grad.device), source.grad.tolist()) == ("cpu", [1.0, 1.0])


def test_values_on_the_host_are_not_written_at_places(x):
    with pytest.raises(MixedBackendError, match="sim:0 and cpu"):
        x[cr.tensor([2, 0])] = cr.ones(2)
    assert x.tolist() == [1.0, 2.0, 3.0]


def test_places_on_the_device_do_not_index_a_tensor_on_the_host():
    with pytest.raises(
        MixedBackendError,
        match=r"^indices should be either on cpu or on the same device as the indexed tensor \(cpu",
    ):
        cr.ones(3)[cr.tensor([0], device="sim")]
