"""The layers: what they compute, print and refuse."""

from __future__ import annotations

import math

import pytest


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda nn: nn.Identity(3, a=4), "Identity()"),
        (lambda nn: nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"),
        (lambda nn: nn.Unflatten(1, (2, 3)), "Unflatten(dim=1, unflattened_size=(2, 3))"),
        (
            lambda nn: nn.Linear(2, 3, bias=False),
            "Linear(in_features=2, out_features=3, bias=False)",
        ),
        (
            lambda nn: nn.Bilinear(1, 2, 3),
            "Bilinear(in1_features=1, in2_features=2, out_features=3, bias=True)",
        ),
        (lambda nn: nn.Embedding(3, 4, padding_idx=-1), "Embedding(3, 4, padding_idx=2)"),
        (
            lambda nn: nn.LayerNorm([2, 3], bias=False),
            "LayerNorm((2, 3), eps=1e-05, elementwise_affine=True, bias=False)",
        ),
        (lambda nn: nn.RMSNorm(3), "RMSNorm((3,), eps=None, elementwise_affine=True)"),
        (lambda nn: nn.Dropout(0.3, True), "Dropout(p=0.3, inplace=True)"),
        (lambda nn: nn.ReLU(inplace=True), "ReLU(inplace=True)"),
        (lambda nn: nn.ReLU6(), "ReLU6()"),
        (lambda nn: nn.LeakyReLU(0.2, True), "LeakyReLU(negative_slope=0.2, inplace=True)"),
        (lambda nn: nn.PReLU(3), "PReLU(num_parameters=3)"),
        (lambda nn: nn.ELU(), "ELU(alpha=1.0)"),
        (lambda nn: nn.GELU("tanh"), "GELU(approximate='tanh')"),
        (lambda nn: nn.Hardtanh(-2, 3), "Hardtanh(min_val=-2, max_val=3)"),
        (lambda nn: nn.Hardswish(), "Hardswish()"),
        (lambda nn: nn.Softplus(), "Softplus(beta=1.0, threshold=20.0)"),
        (lambda nn: nn.Softmax(1), "Softmax(dim=1)"),
        (lambda nn: nn.GLU(), "GLU(dim=-1)"),
        (lambda nn: nn.Threshold(1, 2), "Threshold(threshold=1, value=2)"),
        (lambda nn: nn.MSELoss(), "MSELoss()"),
        (lambda nn: nn.CosineSimilarity(), "CosineSimilarity()"),
    ],
)
def test_layer_prints_its_settings(lib, make, text):
    assert repr(make(lib.nn)) == text


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (
            lambda nn: nn.Dropout(2.0),
            ValueError,
            "dropout probability has to be between 0 and 1, bu",
        ),
        (
            lambda nn: nn.Bilinear(0, 1, 2),
            ValueError,
            "in1_features must be > 0, but got (in1_feat",
        ),
        (
            lambda nn: nn.Embedding(2, 3, 5),
            AssertionError,
            "Padding_idx must be within num_embeddi",
        ),
        (
            lambda nn: nn.Unflatten(1, "a"),
            TypeError,
            "unflattened_size must be a tuple of ints, bu",
        ),
        (
            lambda nn: nn.Unflatten(1, (1, "b")),
            TypeError,
            "unflattened_size must be tuple of ints,",
        ),
        (
            lambda nn: nn.Hardtanh(2, 1),
            AssertionError,
            "max_val (1) must be greater than min_val (2)",
        ),
        (
            lambda nn: nn.HuberLoss(delta="a"),
            TypeError,
            "delta must be a float or int, got: <class",
        ),
        (
            lambda nn: nn.TripletMarginLoss(margin=0),
            ValueError,
            "TripletMarginLoss: expected margin",
        ),
    ],
)
def test_impossible_settings_are_refused(lib, raises, make, error, sentence):
    with raises(error, sentence):
        make(lib.nn)


def test_deprecated_settings_warn_and_work(lib, warns):
    with warns(UserWarning, "size_average and reduce args will be deprecated, please use reduct"):
        assert lib.nn.MSELoss(size_average=False).reduction == "sum"
    with warns(FutureWarning, "keyword argument `min_value` is deprecated and renamed to `min_v"):
        assert lib.nn.Hardtanh(min_value=-3).min_val == -3


def test_linear_is_the_product_plus_the_bias(lib):
    layer = lib.nn.Linear(2, 2)
    layer.load_state_dict(
        {"weight": lib.tensor([[1.0, 2.0], [3.0, 4.0]]), "bias": lib.tensor([10.0, 20.0])}
    )
    x = lib.tensor([[1.0, 1.0]], requires_grad=True)
    y = layer(x)
    y.sum().backward()

    assert y.tolist() == [[13.0, 27.0]]
    assert y.grad_fn.name() == "AddmmBackward0"
    assert x.grad.tolist() == [[4.0, 6.0]]
    assert layer.weight.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert layer.bias.grad.tolist() == [1.0, 1.0]


def test_linear_of_the_wrong_size_says_both(lib, raises):
    with raises(RuntimeError, "mat1 and mat2 shapes cannot be multiplied (4x5 and 3x2)"):
        lib.nn.Linear(3, 2)(lib.ones(4, 5))


def test_linear_begins_between_plus_and_minus_one_over_the_root_of_its_inputs(lib):
    layer = lib.nn.Linear(16, 64)

    for parameter in layer.parameters():
        assert float(parameter.detach().abs().max()) <= 0.25
        assert float(parameter.detach().abs().max()) > 0.2


def test_flatten_and_unflatten_undo_each_other(lib):
    x = lib.arange(24).reshape(2, 3, 4)

    assert lib.nn.Unflatten(1, (3, 4))(lib.nn.Flatten()(x)).tolist() == x.tolist()


def test_identity_returns_its_input(lib):
    x = lib.ones(2)

    assert lib.nn.Identity()(x) is x


def test_embedding_looks_rows_up_and_sends_gradients_to_them(lib):
    layer = lib.nn.Embedding(4, 2, padding_idx=0)
    out = layer(lib.tensor([[1, 1, 0]]))
    out.sum().backward()

    assert out.shape == (1, 3, 2)
    assert out[0, 2].tolist() == [0.0, 0.0]
    assert layer.weight.grad.tolist() == [[0.0, 0.0], [2.0, 2.0], [0.0, 0.0], [0.0, 0.0]]


def test_pretrained_embedding_is_frozen_unless_asked_otherwise(lib):
    table = lib.ones(3, 2)

    assert not lib.nn.Embedding.from_pretrained(table).weight.requires_grad
    assert lib.nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad


def test_embedding_shortens_rows_that_are_too_long(lib):
    layer = lib.nn.Embedding.from_pretrained(lib.tensor([[3.0, 4.0], [0.3, 0.4]]), max_norm=1.0)

    assert lib.allclose(layer(lib.tensor([0, 1])), lib.tensor([[0.6, 0.8], [0.3, 0.4]]))
    assert lib.allclose(layer.weight[0], lib.tensor([0.6, 0.8]))


def test_layer_norm_gives_mean_zero_and_variance_one(lib):
    x = lib.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 60.0]])
    y = lib.nn.LayerNorm(3)(x)

    assert lib.allclose(y.mean(-1), lib.zeros(2), atol=1e-6)
    assert lib.allclose(y.var(-1, correction=0), lib.ones(2), atol=1e-4)


def test_rms_norm_gives_mean_square_one(lib):
    y = lib.nn.RMSNorm(3)(lib.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 60.0]]))

    assert lib.allclose((y * y).mean(-1), lib.ones(2))


def test_dropout_is_the_identity_in_evaluation(lib):
    x = lib.ones(4)

    assert lib.nn.Dropout(0.9).eval()(x) is x


def test_dropout_in_training_scales_what_it_keeps(lib):
    lib.manual_seed(0)
    x = lib.ones(1000, requires_grad=True)
    y = lib.nn.Dropout(0.25)(x)
    y.sum().backward()

    kept = y != 0
    assert 600 < int(kept.sum()) < 850
    assert lib.allclose(y[kept], lib.tensor(1 / 0.75))
    assert lib.equal(x.grad, y.detach())
    assert y.grad_fn.name() == "MulBackward0"


def test_dropout_of_channels_leaves_out_whole_ones(lib):
    lib.manual_seed(0)
    y = lib.nn.Dropout2d(0.5)(lib.ones(8, 16, 3, 3))
    per_channel = y.sum((2, 3))

    assert set(per_channel.flatten().tolist()) == {0.0, 18.0}


@pytest.mark.parametrize(
    ("make", "x", "expected"),
    [
        (lambda nn: nn.ReLU(), -1.0, 0.0),
        (lambda nn: nn.ReLU6(), 8.0, 6.0),
        (lambda nn: nn.LeakyReLU(0.1), -2.0, -0.2),
        (lambda nn: nn.PReLU(init=0.5), -2.0, -1.0),
        (lambda nn: nn.ELU(2.0), -1.0, 2 * math.expm1(-1)),
        (lambda nn: nn.CELU(2.0), -1.0, 2 * math.expm1(-0.5)),
        (lambda nn: nn.SELU(), 1.0, 1.0507009873554805),
        (lambda nn: nn.GELU(), 1.0, 0.8413447460685429),
        (lambda nn: nn.SiLU(), 1.0, 1 / (1 + math.exp(-1))),
        (lambda nn: nn.Mish(), 1.0, math.tanh(math.log1p(math.e))),
        (lambda nn: nn.Sigmoid(), 1.0, 1 / (1 + math.exp(-1))),
        (lambda nn: nn.Tanh(), 1.0, math.tanh(1)),
        (lambda nn: nn.Softplus(), 1.0, math.log1p(math.e)),
        (lambda nn: nn.Softsign(), -1.0, -0.5),
        (lambda nn: nn.Hardtanh(), -3.0, -1.0),
        (lambda nn: nn.Hardswish(), 1.0, 4 / 6),
        (lambda nn: nn.Hardsigmoid(), 1.0, 4 / 6),
        (lambda nn: nn.LogSigmoid(), 1.0, -math.log1p(math.exp(-1))),
        (lambda nn: nn.Tanhshrink(), 1.0, 1 - math.tanh(1)),
        (lambda nn: nn.Hardshrink(), 0.4, 0.0),
        (lambda nn: nn.Softshrink(), 2.0, 1.5),
        (lambda nn: nn.Threshold(1.0, 7.0), 0.5, 7.0),
    ],
)
def test_activation_computes_its_formula(lib, make, x, expected):
    assert make(lib.nn)(lib.tensor([x])).item() == pytest.approx(expected, rel=1e-6)


def test_softmax_layers_agree(lib):
    x = lib.tensor([[1.0, 2.0, 4.0]])
    soft = lib.nn.Softmax(1)(x)

    assert soft.sum().item() == pytest.approx(1.0)
    assert lib.allclose(lib.nn.LogSoftmax(1)(x), soft.log())
    assert lib.allclose(lib.nn.Softmin(1)(-x), soft)
    assert lib.allclose(lib.nn.GLU(1)(lib.tensor([[3.0, 0.0]])), lib.tensor([[1.5]]))


def test_activations_in_place_write_into_their_input(lib):
    for make in (lib.nn.ReLU, lib.nn.SELU, lib.nn.SiLU, lib.nn.Hardswish, lib.nn.ReLU6):
        x = lib.tensor([-1.0, 2.0])
        expected = make()(x)
        y = make(inplace=True)(x)

        assert y is x
        assert x.tolist() == expected.tolist()


def test_distances(lib):
    a, b = lib.tensor([[3.0, 4.0]]), lib.tensor([[0.0, 0.0]])

    assert lib.nn.PairwiseDistance(eps=0)(a, b).tolist() == [5.0]
    assert lib.nn.CosineSimilarity()(a, a).item() == pytest.approx(1.0)


@pytest.mark.parametrize("make", ["SELU", "RReLU", "ELU", "CELU", "Hardswish", "Mish"])
def test_gradient_of_an_activation_in_place_is_that_of_the_activation(lib, make):
    x = lib.tensor([-2.0, -0.5, 1.5], requires_grad=True)
    layer = getattr(lib.nn, make)
    (expected,) = lib.autograd.grad(layer().eval()(x).sum(), x)

    layer(inplace=True).eval()(x * 1).sum().backward()

    assert lib.allclose(x.grad, expected)


def test_random_slopes_in_place_are_those_of_the_gradient(lib):
    x = -lib.ones(4, requires_grad=True)
    y = lib.nn.functional.rrelu(x * 1, 0.1, 0.9, training=True, inplace=True)
    (slopes,) = lib.autograd.grad(y.sum(), x)

    assert slopes.tolist() == (-y).tolist()
    assert len(set(slopes.tolist())) > 1


def test_rare_class_with_one_example_has_its_place_in_adaptive_softmax(lib):
    layer = lib.nn.AdaptiveLogSoftmaxWithLoss(16, 10, [2, 5])
    x, target = lib.randn(3, 16), lib.tensor([0, 7, 3])

    found = layer(x, target)

    expected = layer.log_prob(x)[lib.arange(3), target]
    assert lib.allclose(found.output, expected)
    assert layer(x[:1], target[:1]).output.shape == (1,)


@pytest.mark.parametrize("make", ["RNNCell", "GRUCell", "LSTMCell"])
def test_cell_without_hidden_features_computes(lib, make):
    cell, x, state = getattr(lib.nn, make)(3, 0), lib.ones(2, 3), lib.zeros(2, 0)

    new = cell(x, (state, state))[0] if make == "LSTMCell" else cell(x, state)

    assert new.shape == (2, 0)


def test_cosine_similarity_is_of_the_common_dtype(lib, raises):
    whole, floating = lib.ones(2, 3, dtype=lib.int8), lib.ones(2, 3)
    similarity = lib.nn.functional.cosine_similarity

    assert lib.allclose(similarity(whole, floating), lib.ones(2))
    with raises(RuntimeError, "expected common dtype to be floating point, yet common dtype is"):
        similarity(whole, whole)


def test_lazy_layer_takes_the_state_of_one_that_waits_too(lib):
    waits, ready = lib.nn.LazyLinear(3), lib.nn.LazyLinear(3)
    ready(lib.ones(1, 2))

    waits.load_state_dict(lib.nn.LazyLinear(3).state_dict())
    assert waits.has_uninitialized_params()

    waits.load_state_dict(ready.state_dict())
    assert waits.weight.tolist() == ready.weight.tolist()


@pytest.mark.parametrize(
    ("norm", "kind", "what"),
    [
        ("weight_norm", "WeightNorm", "weight normalization"),
        ("spectral_norm", "SpectralNorm", "spectral normalization"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning")
def test_weight_without_a_shape_is_not_normalised(lib, raises, norm, kind, what):
    with raises(
        ValueError,
        f"The module passed to `{kind}` can't have uninitialized parameters. Make sure to run the "
        f"dummy forward before applying {what}",
    ):
        getattr(lib.nn.utils, norm)(lib.nn.LazyLinear(2))


def test_lazy_parameter_takes_one_size_as_a_number(lib):
    weight = lib.nn.parameter.UninitializedParameter()
    weight.materialize(3)

    assert weight.shape == (3,)


def test_module_offers_to_share_its_memory(lib):
    layer = lib.nn.Linear(2, 2)

    assert layer.share_memory() is layer


def test_every_name_that_is_listed_is_there(lib):
    layer, x = lib.nn.Linear(1, 1), lib.ones(1)

    assert [name for name in dir(layer) if not hasattr(layer, name)] == []
    assert not {"require_grad", "requires_grads"} & {*dir(x)}
