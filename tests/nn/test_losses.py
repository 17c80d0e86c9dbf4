"""The losses: what they compute, how they reduce, what they refuse."""

from __future__ import annotations

import math

import pytest


@pytest.mark.parametrize(
    ("make", "inputs", "expected"),
    [
        (lambda nn: nn.MSELoss(), ([1.0, 2.0], [0.0, 0.0]), 2.5),
        (lambda nn: nn.MSELoss(reduction="sum"), ([1.0, 2.0], [0.0, 0.0]), 5.0),
        (lambda nn: nn.L1Loss(), ([1.0, -2.0], [0.0, 0.0]), 1.5),
        (lambda nn: nn.SmoothL1Loss(), ([0.5, -2.0], [0.0, 0.0]), (0.125 + 1.5) / 2),
        (lambda nn: nn.SmoothL1Loss(beta=0.0), ([0.5, -2.0], [0.0, 0.0]), 1.25),
        (lambda nn: nn.HuberLoss(delta=0.5), ([0.5, -2.0], [0.0, 0.0]), (0.125 + 0.875) / 2),
        (lambda nn: nn.BCELoss(), ([0.5, 0.25], [1.0, 0.0]), (math.log(2) - math.log(0.75)) / 2),
        (lambda nn: nn.BCEWithLogitsLoss(), ([0.0, 0.0], [1.0, 0.0]), math.log(2)),
        (
            lambda nn: nn.KLDivLoss(reduction="batchmean"),
            ([[math.log(0.5), math.log(0.5)]], [[0.25, 0.75]]),
            0.25 * math.log(0.5) + 0.75 * math.log(1.5),
        ),
        (lambda nn: nn.HingeEmbeddingLoss(), ([0.5, 0.25], [1.0, -1.0]), (0.5 + 0.75) / 2),
    ],
)
def test_loss_computes_its_formula(lib, make, inputs, expected):
    loss = make(lib.nn)(*map(lib.tensor, inputs))

    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_losses_of_three_inputs(lib):
    nn, one = lib.nn, lib.tensor([1.0])
    a, b = lib.tensor([[1.0, 0.0]]), lib.tensor([[0.0, 1.0]])

    assert nn.CosineEmbeddingLoss()(a, b, one).item() == pytest.approx(1.0)
    assert nn.CosineEmbeddingLoss(margin=-0.5)(a, b, -one).item() == pytest.approx(0.5)
    assert nn.MarginRankingLoss(margin=2.0)(one * 3, one, -one).item() == 4.0
    near = nn.TripletMarginLoss(margin=1.0)(a, a, b).item()
    assert near == pytest.approx(max(0.0, 1.0 - math.sqrt(2)), abs=1e-4)
    assert nn.TripletMarginLoss(swap=True)(a, b, a).item() == pytest.approx(
        1 + math.sqrt(2), rel=1e-4
    )


def test_cross_entropy_is_the_log_softmax_at_the_target(lib):
    scores = lib.tensor([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]], requires_grad=True)
    target = lib.tensor([2, 0])
    loss = lib.nn.CrossEntropyLoss()(scores, target)
    loss.backward()
    picked = [math.log(sum(map(math.exp, (1, 2, 3)))) - 3, math.log(3)]

    assert loss.item() == pytest.approx(sum(picked) / 2)
    assert loss.grad_fn.name() == "NllLossBackward0"
    assert loss.grad_fn.next_functions[0][0].name() == "LogSoftmaxBackward0"
    assert lib.allclose(scores.grad.sum(1), lib.zeros(2), atol=1e-7)


def test_cross_entropy_weighs_ignores_and_smooths(lib):
    scores = lib.tensor([[1.0, 2.0], [3.0, 1.0], [0.0, 5.0]])
    target = lib.tensor([1, 0, 1])
    each = lib.nn.CrossEntropyLoss(reduction="none")(scores, target)
    weighed = lib.nn.CrossEntropyLoss(weight=lib.tensor([1.0, 3.0]))(scores, target)
    ignoring = lib.nn.CrossEntropyLoss(ignore_index=0)(scores, target)
    smooth = lib.nn.CrossEntropyLoss(label_smoothing=0.5)(scores, target)
    spread = -scores.log_softmax(1).mean(1)

    assert weighed.item() == pytest.approx(float(3 * each[0] + each[1] + 3 * each[2]) / 7)
    assert ignoring.item() == pytest.approx(float(each[0] + each[2]) / 2)
    assert smooth.item() == pytest.approx(float((each + spread).mean()) / 2)


def test_cross_entropy_takes_probabilities_too(lib):
    scores, target = lib.tensor([[1.0, 2.0]]), lib.tensor([[0.25, 0.75]])
    expected = -(scores.log_softmax(1) * target).sum()

    assert lib.nn.functional.cross_entropy(scores, target).item() == pytest.approx(expected.item())


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (  # a device tells it when a number is read
            lambda lib: lib.nn.functional.cross_entropy(lib.zeros(1, 3), lib.tensor([5])).item(),
            IndexError,
            "Target 5 is out of bounds.",
        ),
        (
            lambda lib: lib.nn.functional.cross_entropy(lib.zeros(2, 3), lib.tensor([0])),
            ValueError,
            "Expected input batch_size (2) to match target batch_size (1).",
        ),
        (
            lambda lib: lib.nn.functional.binary_cross_entropy(lib.tensor([2.0]), lib.ones(1)),
            RuntimeError,
            "all elements of input should be between 0 and 1",
        ),
        (
            lambda lib: lib.nn.functional.binary_cross_entropy(lib.ones(2), lib.ones(1)),
            ValueError,
            "Using a target size (torch.Size([1])) that is different to the input size",
        ),
        (
            lambda lib: lib.nn.functional.binary_cross_entropy_with_logits(
                lib.ones(2), lib.ones(1)
            ),
            ValueError,
            "Target size (torch.Size([1])) must be the same as input size (torch.Size([2]))",
        ),
        (
            lambda lib: lib.nn.functional.mse_loss(lib.ones(1), lib.ones(1), reduction="foo"),
            ValueError,
            "foo is not a valid value for reduction",
        ),
        (
            lambda lib: lib.nn.functional.margin_ranking_loss(
                lib.ones(2), lib.ones(2), lib.ones(())
            ),
            RuntimeError,
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: inp",
        ),
    ],
)
def test_impossible_losses_are_refused(lib, raises, call, error, sentence):
    with raises(error, sentence):
        call(lib)


def test_loss_of_different_shapes_broadcasts_with_a_warning(lib, warns):
    sentence = (
        "Using a target size (torch.Size([2])) that is different to the input size "
        "(torch.Size([2, 1])). This will likely lead to incorrect results due to broadcasting."
    )

    for function in (lib.nn.functional.mse_loss, lib.nn.functional.l1_loss):
        with warns(UserWarning, sentence):
            assert function(lib.ones(2, 1), lib.zeros(2)).item() == 1.0


def test_mean_of_kl_div_warns_of_what_it_divides_by(lib, warns):
    with warns(UserWarning, "reduction: 'mean' divides the total loss by both the batch size and"):
        lib.nn.functional.kl_div(lib.zeros(2, 2), lib.ones(2, 2))


@pytest.mark.parametrize("name", ["multi_margin_loss", "multilabel_margin_loss"])
def test_margin_that_is_no_number_counts_as_kept(lib, name):
    scores = lib.tensor([[float("nan"), 1.0, 2.0]])
    target = lib.tensor([1]) if name == "multi_margin_loss" else lib.tensor([[1, 0, -1]])

    assert getattr(lib.nn.functional, name)(scores, target).item() == pytest.approx(2 / 3)


def test_weights_of_elements_divide_the_mean(lib):
    a, b, weight = lib.tensor([1.0, 3.0]), lib.zeros(2), lib.tensor([1.0, 3.0])

    assert lib.nn.functional.mse_loss(a, b, weight=weight).item() == pytest.approx(28 / 4)
    assert lib.nn.functional.l1_loss(a, b, weight=weight).item() == pytest.approx(10 / 4)


def test_softmax_without_a_dimension_warns(lib, warns):
    with warns(UserWarning, "Implicit dimension choice for softmax has been deprecated."):
        assert lib.nn.functional.softmax(lib.zeros(2)).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("places", [(), (4,), (2, 3)], ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_linear_cross_entropy_is_that_of_the_scores(lib, places, reduction):
    functional = lib.nn.functional
    lib.manual_seed(0)
    x, weight, bias = lib.randn(5, 2), lib.randn(3, *places, 2), lib.randn(3, *places)
    target = lib.randint(0, 3, (5, *places))
    scores = functional.linear(x, weight.reshape(-1, 2), bias.reshape(-1)).reshape(5, 3, *places)

    loss = functional.linear_cross_entropy(x, weight, target, linear_bias=bias, reduction=reduction)

    assert lib.allclose(loss, functional.cross_entropy(scores, target, reduction=reduction))


def test_linear_cross_entropy_of_one_sample_and_of_probabilities(lib):
    functional, weight = lib.nn.functional, lib.tensor([[1.0, 0.0], [0.0, 1.0]])
    x, shares = lib.tensor([1.0, 0.0]), lib.tensor([0.5, 0.5])

    assert functional.linear_cross_entropy(x, weight, lib.tensor(0)).item() == pytest.approx(
        0.3132617
    )
    assert functional.linear_cross_entropy(x, weight, shares).item() == pytest.approx(0.8132617)


def test_linear_cross_entropy_says_what_does_not_fit(lib, raises):
    functional = lib.nn.functional
    x, weight, target = lib.ones(2, 3), lib.ones(4, 3), lib.tensor([0, 1])
    with raises(RuntimeError, "expected input with dimensionality 1 or 2, got 3"):
        functional.linear_cross_entropy(x[None], weight, target)
    with raises(RuntimeError, "expected equal input and linear_weight last dimensions"):
        functional.linear_cross_entropy(x, weight[:, :2], target)
    with raises(RuntimeError, "expected linear_bias shape (4,), got (3,)"):
        functional.linear_cross_entropy(x, weight, target, linear_bias=lib.ones(3))
    with raises(RuntimeError, "ignore_index cannot be specified when target contains prob"):
        functional.linear_cross_entropy(x, weight, lib.ones(2, 4) / 4, ignore_index=-100)


def test_loss_with_a_linear_layer_holds_and_trains_it(lib):
    loss = lib.nn.LinearCrossEntropyLoss(5, 6, out_features=(2,), bias=True)
    x, target = lib.ones(1, 5), lib.zeros(1, 2).long()
    value = loss(x, target)
    value.backward()

    scores = loss.linear(x).reshape(1, 6, 2)
    assert value.item() == pytest.approx(lib.nn.functional.cross_entropy(scores, target).item())
    assert list(loss.state_dict()) == ["linear.weight", "linear.bias"]
    assert loss.linear.weight.grad.shape == (12, 5)
    assert repr(loss).splitlines()[1].strip() == (
        "in_features=5, num_classes=6, out_features=(2,), bias=True, reduction=mean, "
        "ignore_index=None, label_smoothing=0.0, options=None"
    )


@pytest.mark.parametrize("name", ["huber_loss", "smooth_l1_loss"])
def test_second_derivative_is_zero_from_where_a_loss_is_linear(lib, name):
    x = lib.tensor([-2.0, -1.0, 0.5, 1.0], requires_grad=True)
    loss = getattr(lib.nn.functional, name)(x, lib.zeros(4), reduction="sum")
    (slope,) = lib.autograd.grad(loss, x, create_graph=True)
    (curvature,) = lib.autograd.grad(slope.sum(), x)

    assert slope.tolist() == [-1, -1, 0.5, 1]
    assert curvature.tolist() == [0, 0, 1, 0]
