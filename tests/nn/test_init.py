"""What parameters begin with."""

from __future__ import annotations

import math

import pytest


@pytest.mark.parametrize(
    ("fill", "bound"),
    [
        (lambda init, w: init.uniform_(w, -3, 3), 3.0),
        (lambda init, w: init.xavier_uniform_(w), math.sqrt(6 / 150)),
        (lambda init, w: init.xavier_uniform_(w, gain=2.0), 2 * math.sqrt(6 / 150)),
        (lambda init, w: init.kaiming_uniform_(w, nonlinearity="relu"), math.sqrt(6 / 50)),
        (lambda init, w: init.kaiming_uniform_(w, mode="fan_out"), math.sqrt(6 / 100)),
        (lambda init, w: init.trunc_normal_(w, std=10.0, a=-1.0, b=1.0), 1.0),
    ],
)
def test_uniform_fillings_keep_to_their_bounds(lib, fill, bound):
    lib.manual_seed(0)
    weight = lib.empty(100, 50)

    assert fill(lib.nn.init, weight) is weight
    largest = float(weight.abs().max())
    assert 0.95 * bound < largest <= bound


@pytest.mark.parametrize(
    ("fill", "std"),
    [
        (lambda init, w: init.normal_(w, 0.0, 3.0), 3.0),
        (lambda init, w: init.xavier_normal_(w), math.sqrt(2 / 150)),
        (lambda init, w: init.kaiming_normal_(w, nonlinearity="relu"), math.sqrt(2 / 50)),
    ],
)
def test_normal_fillings_have_their_deviation(lib, fill, std):
    lib.manual_seed(0)
    weight = fill(lib.nn.init, lib.empty(100, 50))

    assert float(weight.std()) == pytest.approx(std, rel=0.05)


def test_constant_fillings(lib):
    init = lib.nn.init

    assert init.constant_(lib.empty(2), 5.0).tolist() == [5.0, 5.0]
    assert init.ones_(lib.empty(2)).tolist() == [1.0, 1.0]
    assert init.zeros_(lib.empty(2)).tolist() == [0.0, 0.0]
    assert init.eye_(lib.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert init.dirac_(lib.empty(1, 1, 3)).tolist() == [[[0.0, 1.0, 0.0]]]


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 2, 2)])
def test_orthogonal_filling_is_orthonormal_in_the_shorter_direction(lib, shape):
    matrix = lib.nn.init.orthogonal_(lib.empty(*shape)).reshape(shape[0], -1)
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.t()

    assert lib.allclose(matrix @ matrix.t(), lib.eye(matrix.shape[0]), atol=1e-5)


def test_sparse_filling_leaves_a_share_of_every_column_zero(lib):
    weight = lib.nn.init.sparse_(lib.empty(10, 4), sparsity=0.35)

    assert (weight == 0).sum(0).tolist() == [4, 4, 4, 4]


def test_truncated_normal_stays_inside_however_unlikely_that_is(lib):
    lib.manual_seed(0)
    weight = lib.nn.init.trunc_normal_(lib.empty(200), a=1.5, b=1.6)

    assert float(weight.min()) >= 1.5
    assert float(weight.max()) <= 1.6


def test_filling_a_parameter_is_not_recorded(lib):
    parameter = lib.nn.Parameter(lib.empty(3, 3))
    lib.nn.init.xavier_normal_(parameter)

    assert (parameter.is_leaf, parameter.requires_grad) == (True, True)


def test_generator_of_its_own_decides_the_numbers(lib, device):
    first, second = (
        lib.nn.init.uniform_(lib.empty(5), generator=lib.Generator(device).manual_seed(3))
        for _ in range(2)
    )

    assert first.tolist() == second.tolist()


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        ("linear", None, 1),
        ("conv2d", None, 1),
        ("sigmoid", None, 1),
        ("tanh", None, 5 / 3),
        ("relu", None, math.sqrt(2)),
        ("leaky_relu", None, math.sqrt(2 / (1 + 0.01**2))),
        ("leaky_relu", 0.2, math.sqrt(2 / (1 + 0.2**2))),
        ("selu", None, 0.75),
    ],
)
def test_gain_of_a_nonlinearity(lib, name, param, gain):
    assert lib.nn.init.calculate_gain(name, param) == gain


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda lib, i: i.xavier_normal_(lib.empty(3)), "Fan in and fan out can not be computed"),
        (
            lambda lib, i: i.kaiming_normal_(lib.empty(3, 3), mode="x"),
            "Mode x not supported, please",
        ),
        (lambda lib, i: i.eye_(lib.empty(3)), "Only tensors with 2 dimensions are supported"),
        (
            lambda lib, i: i.orthogonal_(lib.empty(3)),
            "Only tensors with 2 or more dimensions are su",
        ),
        (
            lambda lib, i: i.dirac_(lib.empty(3)),
            "Only tensors with 3, 4, or 5 dimensions are suppo",
        ),
        (lambda lib, i: i.calculate_gain("foo"), "Unsupported nonlinearity foo"),
        (lambda lib, i: i.calculate_gain("leaky_relu", "a"), "negative_slope a not a valid number"),
    ],
)
def test_impossible_fillings_are_refused(lib, raises, call, sentence):
    with raises(ValueError, sentence):
        call(lib, lib.nn.init)


def test_filling_nothing_and_old_names_warn(lib, warns):
    with warns(UserWarning, "Initializing zero-element tensors is a no-op"):
        lib.nn.init.kaiming_uniform_(lib.empty(0, 3))
    with warns(FutureWarning, "`nn.init.constant` is now deprecated in favor of `nn.init.const"):
        lib.nn.init.constant(lib.empty(1), 1.0)
    with warns(UserWarning, "mean is more than 2 std from [a, b] in nn.init.trunc_normal_."):
        lib.nn.init.trunc_normal_(lib.empty(3), mean=10.0)
