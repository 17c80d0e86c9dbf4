"""Every promise of tests/nn is kept by PyTorch itself; and both give the same numbers."""

from __future__ import annotations

import inspect
import math

import pytest
import torch
from promises import promises

import chainrule as cr

#: Promises in which chainrule goes beyond PyTorch on purpose, and why.
OURS_ALONE = {
    "test_recurrent_transforms": "there, recurrent layers cannot be batched",
    "test_empty_batches_have_shapes_and_gradients": "there, their gradients raise or crash",
    "test_freezing": "there, `module.requires_grad = False` is taken and does nothing",
}


globals().update(promises("nn", OURS_ALONE))


# Side by side

SHAPES = [(8, 32), (2, 3), (100, 50), (1, 1)]


def both(function, seed=3):
    """Return what *function* gives with either library, as arrays, from the same seed."""
    results = []
    for library in (cr, torch):
        library.manual_seed(seed)
        results.append([tensor.detach().numpy() for tensor in function(library)])
    return zip(*results, strict=True)


@pytest.mark.parametrize(
    "make",
    [
        *(lambda nn, s=shape: nn.Linear(*s) for shape in SHAPES),
        lambda nn: nn.Bilinear(5, 7, 3),
        lambda nn: nn.Embedding(5, 7),
        lambda nn: nn.Embedding(3, 4, padding_idx=1),
        lambda nn: nn.PReLU(3),
        lambda nn: nn.LayerNorm((2, 3)),
        lambda nn: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)),
        lambda nn: nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2),
        lambda nn: nn.GRU(5, 7, bias=False),
        lambda nn: nn.RNN(5, 7, 2),
        lambda nn: nn.LSTMCell(3, 4),
        lambda nn: nn.GRUCell(3, 4, bias=False),
        lambda nn: nn.RNNCell(3, 4),
    ],
)
def test_same_seed_gives_the_same_parameters_to_the_last_bit(make):
    for ours, theirs in both(lambda library: make(library.nn).parameters()):
        assert (ours == theirs).all()


@pytest.mark.parametrize(
    "fill",
    [
        lambda init, w: init.uniform_(w, -3, 5),
        lambda init, w: init.normal_(w, 1.0, 2.0),
        lambda init, w: init.xavier_uniform_(w),
        lambda init, w: init.xavier_normal_(w, gain=2.0),
        lambda init, w: init.kaiming_uniform_(w, mode="fan_out", nonlinearity="relu"),
        lambda init, w: init.kaiming_normal_(w, a=0.1),
        lambda init, w: init.trunc_normal_(w),
        lambda init, w: init.trunc_normal_(w, mean=1.0, std=2.0),
        lambda init, w: init.trunc_normal_(w, a=0.5, b=0.7),
        lambda init, w: init.sparse_(w, 0.3),
        lambda init, w: init.eye_(w),
        lambda init, w: init.orthogonal_(w),
    ],
)
@pytest.mark.parametrize("shape", [(5, 6), (2, 3), (30, 20)])
def test_same_seed_fills_with_the_same_numbers(fill, shape):
    for ours, theirs in both(lambda library: [fill(library.nn.init, library.empty(shape))]):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=2e-7)


@pytest.mark.parametrize(
    "drop",
    [
        lambda lib: lib.nn.functional.dropout(lib.ones(50), 0.3),
        lambda lib: lib.nn.functional.dropout1d(lib.ones(4, 5), 0.3),
        lambda lib: lib.nn.functional.dropout2d(lib.ones(5, 6, 2, 2), 0.3),
        lambda lib: lib.nn.functional.dropout3d(lib.ones(5, 6, 2, 2, 2), 0.3),
        lambda lib: lib.nn.functional.gumbel_softmax(lib.ones(5, 6), 0.3),
        lambda lib: lib.nn.functional.gumbel_softmax(lib.ones(5, 6), 0.3, hard=True),
    ],
)
def test_same_seed_leaves_out_the_same_elements(drop):
    for ours, theirs in both(lambda library: [drop(library)]):
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-7)


ACTIVATIONS = {
    "celu": {"alpha": 0.7}, "elu": {"alpha": 0.7}, "gelu": {}, "hardshrink": {}, "hardsigmoid": {},
    "hardswish": {}, "hardtanh": {}, "leaky_relu": {"negative_slope": 0.2}, "logsigmoid": {},
    "mish": {}, "relu": {}, "relu6": {}, "selu": {}, "sigmoid": {}, "silu": {}, "softplus": {},
    "softshrink": {}, "softsign": {}, "tanh": {}, "tanhshrink": {},
    "threshold": {"threshold": 0.5, "value": 9.0}, "glu": {}, "softmax": {"dim": 1},
    "softmin": {"dim": 1}, "log_softmax": {"dim": 1}, "normalize": {},
}  # fmt: skip


def with_gradients(function, shapes, seed=0):
    """Return result, gradients and node name of *function* with either library, in float64."""
    found = []
    for library in (cr, torch):
        library.manual_seed(seed)
        inputs = [library.randn(shape, dtype=library.float64) for shape in shapes]
        inputs = [tensor.requires_grad_() for tensor in inputs]
        result = function(library, *inputs)
        result.sum().backward()
        grads = [i.grad.numpy() if i.grad is not None else None for i in inputs]
        found.append((result.detach().numpy(), grads, type(result.grad_fn).__name__))
    return found


#: What PyTorch computes with a constant rounded to float32, even in float64.
COARSE = {"celu": 1e-6, "hardsigmoid": 1e-7}


def assert_alike(ours, theirs, rel=1e-11):
    assert ours[0] == pytest.approx(theirs[0], rel=rel, abs=1e-14)
    for mine, other in zip(ours[1], theirs[1], strict=True):
        assert (mine is None) == (other is None)
        assert mine is None or mine == pytest.approx(other, rel=rel, abs=1e-13)
    assert ours[2] == theirs[2]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_its_gradient_and_its_node_are_the_same(name):
    def call(library, x):
        return getattr(library.nn.functional, name)(x * 3, **ACTIVATIONS[name])

    assert_alike(*with_gradients(call, [(4, 6)]), rel=COARSE.get(name, 1e-11))


LOSSES = {
    "mse": lambda f, x, y, **k: f.mse_loss(x, y, **k),
    "l1": lambda f, x, y, **k: f.l1_loss(x, y, **k),
    "smooth_l1": lambda f, x, y, **k: f.smooth_l1_loss(x, y, beta=0.7, **k),
    "huber": lambda f, x, y, **k: f.huber_loss(x, y, delta=0.7, **k),
    "bce": lambda f, x, y, **k: f.binary_cross_entropy(x.sigmoid(), y.sigmoid().detach(), **k),
    "bce_with_logits": lambda f, x, y, **k: f.binary_cross_entropy_with_logits(
        x, y.sigmoid().detach(), **k
    ),
    "soft_cross_entropy": lambda f, x, y, **k: f.cross_entropy(
        x, y.softmax(1).detach(), label_smoothing=0.2, **k
    ),
    "hinge": lambda f, x, y, **k: f.hinge_embedding_loss(x, y.detach().sign(), **k),
    "ranking": lambda f, x, y, **k: f.margin_ranking_loss(x, y, y.detach().sign(), 0.3, **k),
    "cosine": lambda f, x, y, **k: f.cosine_embedding_loss(x, y, y.detach().sign()[:, 0], **k),
    "triplet": lambda f, x, y, **k: f.triplet_margin_loss(x, y, x.flip(0), **k),
    "triplet_swapped": lambda f, x, y, **k: f.triplet_margin_loss(x, y, x.flip(0), swap=True, **k),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_its_gradient_and_its_node_are_the_same(name, reduction):
    def call(library, x, y):
        return LOSSES[name](library.nn.functional, x, y, reduction=reduction)

    ours, theirs = with_gradients(call, [(4, 5), (4, 5)])
    if (name, reduction) == ("soft_cross_entropy", "mean"):
        theirs = (*theirs[:2], "DivBackward0")  # there, by a number in C++: DivBackward1
    assert_alike(ours, theirs)


MODULES = {
    "SoftMarginLoss": lambda nn, x, y: nn.SoftMarginLoss()(x, y.detach().sign()),
    "MultiMarginLoss": lambda nn, x, y: nn.MultiMarginLoss(2, 0.5, y.detach()[0].abs())(
        x, y.detach().argmax(1)
    ),
    "MultiLabelMarginLoss": lambda nn, x, y: nn.MultiLabelMarginLoss()(x, y.detach().argsort(1)),
    "MultiLabelSoftMarginLoss": lambda nn, x, y: nn.MultiLabelSoftMarginLoss()(
        x, (y.detach() > 0).to(x.dtype)
    ),
    "PoissonNLLLoss": lambda nn, x, y: nn.PoissonNLLLoss(full=True)(x, y.detach().abs()),
    "GaussianNLLLoss": lambda nn, x, y: nn.GaussianNLLLoss(full=True)(x, y, y.detach().abs()),
    "TripletMarginWithDistanceLoss": lambda nn, x, y: nn.TripletMarginWithDistanceLoss(
        distance_function=nn.PairwiseDistance(), swap=True
    )(x, y, x.flip(0)),
    "AlphaDropout": lambda nn, x, y: nn.AlphaDropout(0.3)(x),
    "FeatureAlphaDropout": lambda nn, x, y: nn.FeatureAlphaDropout(0.3)(x),
}


@pytest.mark.parametrize("name", MODULES)
def test_module_and_its_gradient_are_the_same(name):
    ours, theirs = with_gradients(
        lambda library, x, y: MODULES[name](library.nn, x, y), [(4, 5), (4, 5)]
    )

    assert_alike((*ours[:2], ""), (*theirs[:2], ""))


@pytest.mark.parametrize("reduction", ["batchmean", "sum", "none"])
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div_is_the_same(reduction, log_target):
    def call(library, x, y):
        target = y.log_softmax(1) if log_target else y.softmax(1)
        return library.nn.functional.kl_div(
            x.log_softmax(1), target, reduction=reduction, log_target=log_target
        )

    assert_alike(*with_gradients(call, [(4, 5), (4, 5)]))


@pytest.mark.parametrize("shape", [(4, 5), (5,), (2, 5, 3), (2, 5, 2, 2)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"reduction": "sum"},
        {"reduction": "none"},
        {"ignore_index": 2},
        {"label_smoothing": 0.3},
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_of_classes_is_the_same(shape, options, weighted):
    def call(library, x):
        target = library.arange(math.prod(shape) // 5) * 7 % 5
        target = target.reshape([n for i, n in enumerate(shape) if i != (len(shape) > 1)])
        weight = library.tensor([1.0, 2.0, 0.5, 3.0, 0.1], dtype=library.float64)
        weight = weight if weighted else None
        return library.nn.functional.cross_entropy(x, target, weight, **options)

    assert_alike(*with_gradients(call, [shape]))


def test_weights_of_binary_losses_are_the_same():
    def call(library, x, weight):
        target = (x.detach() > 0).to(library.float64)
        first = library.nn.functional.binary_cross_entropy_with_logits(
            x, target, weight.detach().abs(), pos_weight=weight.detach().abs()[0] + 1
        )
        return first + library.nn.functional.binary_cross_entropy(
            x.sigmoid(), target, weight.detach().abs()
        )

    assert_alike(*with_gradients(call, [(4, 5), (4, 5)]))


@pytest.mark.parametrize(
    "call",
    [
        lambda f, x, y: f.layer_norm(x, (5,)),
        lambda f, x, y: f.layer_norm(x, (4, 5), y, y * 2, 1e-3),
        lambda f, x, y: f.rms_norm(x, (5,)),
        lambda f, x, y: f.rms_norm(x, (5,), y[0], 1e-3),
        lambda f, x, y: f.cosine_similarity(x, y),
        lambda f, x, y: f.cosine_similarity(x, y[:1], dim=0),
        lambda f, x, y: f.pairwise_distance(x, y),
        lambda f, x, y: f.pairwise_distance(x, y, p=3.0, keepdim=True),
        lambda f, x, y: f.linear(x, y, y[:, 0]),
        lambda f, x, y: f.linear(x.reshape(2, 2, 5), y),
        lambda f, x, y: f.bilinear(x, y, x.reshape(4, 5, 1).expand(4, 5, 5), y[:, 0]),
        lambda f, x, y: f.prelu(x, y[0]),
    ],
)
def test_function_of_two_inputs_is_the_same(call):
    ours, theirs = with_gradients(
        lambda library, x, y: call(library.nn.functional, x, y), [(4, 5), (4, 5)]
    )

    assert_alike((*ours[:2], ""), (*theirs[:2], ""))


@pytest.mark.parametrize(
    "options", [{}, {"padding_idx": 1}, {"scale_grad_by_freq": True}, {"padding_idx": -1}]
)
def test_embedding_and_its_gradient_are_the_same(options):
    def call(library, table):
        rows = library.tensor([[1, 4, 1], [0, 1, 4]])
        return library.nn.functional.embedding(rows, table, **options)

    assert_alike(*with_gradients(call, [(5, 3)]))


def test_norms_and_clipping_are_the_same():
    def call(library):
        weights = [library.zeros(3, requires_grad=True), library.zeros(2, 2, requires_grad=True)]
        for weight in weights:
            weight.grad = library.randn(weight.shape)
        norm = library.nn.utils.clip_grad_norm_(weights, 0.7, norm_type=3)
        return [norm, *(weight.grad for weight in weights)]

    for ours, theirs in both(call):
        assert ours == pytest.approx(theirs, rel=1e-6)


def shown(default):
    """Return a default as a text; of a function, its name."""
    return getattr(default, "__qualname__", str(default))


@pytest.mark.parametrize("name", [n for n in cr.nn.modules.__all__ if n != "Module"])
def test_module_has_the_arguments_of_its_namesake(name):
    ours, theirs = (
        list(inspect.signature(getattr(library.nn, name)).parameters.values())
        for library in (cr, torch)
    )

    assert [(p.name, p.kind) for p in ours] == [(p.name, p.kind) for p in theirs]
    assert [shown(p.default) for p in ours] == [shown(p.default) for p in theirs]
