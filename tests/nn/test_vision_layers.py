"""Promises of convolutions, pooling, normalisation, attention and lazy modules.

They hold of PyTorch too: tests/parity/test_nn.py runs this file with it as `lib`.
"""

from __future__ import annotations

import copy

import pytest


def values(tensor):
    return tensor.detach().reshape(-1).tolist()


def test_depthwise_convolution_is_one_convolution_per_channel(lib):
    lib.manual_seed(0)
    x, w = lib.randn(2, 3, 6, 6), lib.randn(3, 1, 3, 3)
    together = lib.nn.functional.conv2d(x, w, padding=1, groups=3)
    apart = [lib.nn.functional.conv2d(x[:, c : c + 1], w[c : c + 1], padding=1) for c in range(3)]

    assert values(together) == pytest.approx(values(lib.cat(apart, 1)), abs=1e-5)


def test_transposed_convolution_is_the_gradient_of_a_convolution(lib):
    lib.manual_seed(0)
    x = lib.randn(1, 2, 7, requires_grad=True)
    w, g = lib.randn(3, 2, 3), lib.randn(1, 3, 4)
    y = lib.nn.functional.conv1d(x, w, stride=2, padding=1)
    y.backward(g)
    spread = lib.nn.functional.conv_transpose1d(g, w, stride=2, padding=1)

    assert values(spread) == pytest.approx(values(x.grad), abs=1e-6)


def test_convolution_of_a_batch_larger_than_a_block_is_that_of_its_parts(lib):
    lib.manual_seed(0)
    x, w = lib.randn(24, 8, 40, 40), lib.randn(2, 8, 3, 3)
    whole = lib.nn.functional.conv2d(x, w)
    parts = [lib.nn.functional.conv2d(x[i : i + 1], w) for i in range(24)]

    assert values(whole) == pytest.approx(values(lib.cat(parts)), abs=1e-4)


def test_max_pooling_takes_the_first_of_equal_elements(lib):
    x = lib.ones(1, 1, 4, 4, requires_grad=True)
    lib.nn.functional.max_pool2d(x, 2).sum().backward()

    assert values(x.grad) == [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]


def test_max_pooling_lets_nan_through(lib):
    x = lib.tensor([[[1.0, float("nan"), 2.0, 3.0]]])
    found, where = lib.nn.functional.max_pool1d(x, 2, return_indices=True)

    assert found[0, 0, 0] != found[0, 0, 0]
    assert where.tolist() == [[[1, 3]]]


def test_indices_of_lowest_elements_lie_inside_the_plane(lib):
    x = lib.full((1, 1, 3, 3), -float("inf"))
    _, where = lib.nn.functional.max_pool2d(x, 2, 2, 1, return_indices=True)

    assert where.tolist() == [[[[0, 1], [3, 4]]]]


def test_unpooling_puts_elements_where_they_stood(lib):
    x = lib.tensor([[[[1.0, 5.0], [2.0, 3.0]]]])
    found = lib.nn.functional.max_unpool2d(
        *lib.nn.functional.max_pool2d(x, 2, return_indices=True), 2
    )

    assert found.tolist() == [[[[0.0, 5.0], [0.0, 0.0]]]]


def test_unpooling_to_a_place_outside_raises(lib, raises):
    x, where = lib.ones(1, 1, 1, 1), lib.tensor([[[[9]]]])

    with raises(RuntimeError, "Found an invalid max index: 9 (output volumes are of size 2x2)"):
        lib.nn.functional.max_unpool2d(x, where, 2)


def test_running_statistics_move_in_training_and_are_used_in_evaluation(lib):
    layer = lib.nn.BatchNorm1d(1, momentum=0.5)
    layer(lib.tensor([[1.0], [3.0]]))

    assert layer.running_mean.tolist() == [1.0]
    assert layer.running_var.tolist() == [1.5]
    assert layer.num_batches_tracked.item() == 1
    layer.eval()
    assert values(layer(lib.tensor([[1.0]]))) == [0.0]
    assert layer.num_batches_tracked.item() == 1


def test_momentum_none_averages_over_all_batches(lib):
    layer = lib.nn.BatchNorm1d(1, momentum=None)
    for centre in (1.0, 5.0, 6.0):
        layer(lib.tensor([[centre - 1], [centre + 1]]))

    assert layer.running_mean.tolist() == pytest.approx([4.0])


def test_two_passes_through_a_batch_norm_before_backward_are_fine(lib):
    layer = lib.nn.BatchNorm1d(2)
    lib.manual_seed(0)
    total = layer(lib.randn(4, 2)).sum() + layer(lib.randn(4, 2)).sum()
    total.backward()

    assert layer.bias.grad.tolist() == pytest.approx([8.0, 8.0])


def test_batch_norm_of_one_value_per_channel_raises(lib, raises):
    with raises(
        ValueError,
        "Expected more than 1 value per channel when training, got input size torch.Size([1, 3])",
    ):
        lib.nn.BatchNorm1d(3)(lib.zeros(1, 3))


def test_state_without_a_count_of_batches_loads_into_a_batch_norm(lib):
    layer = lib.nn.BatchNorm1d(2)
    state = layer.state_dict()
    del state["num_batches_tracked"]
    state._metadata[""]["version"] = 1

    assert str(layer.load_state_dict(state)) == "<All keys matched successfully>"


def test_attention_of_a_query_that_may_look_at_nothing_is_zero(lib):
    lib.manual_seed(0)
    x = lib.randn(1, 1, 2, 4, requires_grad=True)
    mask = lib.tensor([[True, True], [False, False]])
    found = lib.nn.functional.scaled_dot_product_attention(x, x, x, mask)
    found.sum().backward()

    assert found[0, 0, 1].tolist() == [0.0] * 4
    assert bool((x.grad == x.grad).all())


def test_causal_attention_does_not_depend_on_what_comes_later(lib):
    lib.manual_seed(0)
    x = lib.randn(1, 2, 5, 4, requires_grad=True)
    found = lib.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)
    found[0, :, 1].sum().backward()

    assert bool((x.grad[0, :, 2:] == 0).all())


def test_weights_of_attention_sum_to_one(lib):
    lib.manual_seed(0)
    x = lib.randn(3, 2, 8)
    _, weights = lib.nn.MultiheadAttention(8, 2)(x, x, x)

    assert values(weights.sum(-1)) == pytest.approx([1.0] * 6)


def test_layers_of_a_transformer_begin_alike_and_are_not_the_same(lib):
    layer = lib.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    encoder = lib.nn.TransformerEncoder(layer, 2)
    first, second = (part.linear1.weight for part in encoder.layers)

    assert first is not second
    assert first.tolist() == second.tolist()


def test_lazy_module_becomes_the_module_it_is_for(lib):
    layer = lib.nn.LazyConv2d(4, 3)
    assert repr(layer.weight) == "<UninitializedParameter>"
    layer(lib.zeros(1, 2, 5, 5))

    assert type(layer) is lib.nn.Conv2d
    assert tuple(layer.weight.shape) == (4, 2, 3, 3)
    assert layer.in_channels == 2


def test_lazy_module_takes_its_shape_from_what_it_loads(lib):
    lazy, made = lib.nn.LazyLinear(3), lib.nn.Linear(5, 3)
    lazy.load_state_dict(made.state_dict())

    assert lazy.weight.tolist() == made.weight.tolist()


def test_shape_of_what_waits_raises(lib, raises):
    with raises(RuntimeError, "Can't access the shape of an uninitialized parameter or buffer."):
        _ = lib.nn.LazyLinear(3).weight.shape


def test_computing_with_what_waits_raises(lib):
    with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
        lib.nn.LazyLinear(3).weight + 1


def test_copied_lazy_linear_waits_on_its_own(lib):
    first = lib.nn.LazyLinear(3)
    second = copy.deepcopy(first)
    first(lib.zeros(1, 2))

    assert type(second) is lib.nn.LazyLinear


def test_gradient_of_ctc_behind_a_log_softmax_agrees_with_finite_differences(lib):
    lib.manual_seed(0)
    x = lib.randn(5, 2, 4, dtype=lib.float64, requires_grad=True)
    labels = lib.tensor([[1, 1], [3, 2]])

    def loss(x):
        return lib.nn.functional.ctc_loss(
            x.log_softmax(2), labels, [5, 4], [2, 1], reduction="none"
        )

    assert lib.autograd.gradcheck(loss, (x,))


def test_slopes_of_rrelu_are_those_that_were_drawn(lib):
    lib.manual_seed(0)
    x = lib.tensor([-1.0, 2.0, -3.0], requires_grad=True)
    y = lib.nn.functional.rrelu(x, 0.1, 0.4, training=True)
    y.sum().backward()

    assert values(y) == pytest.approx(values(x.grad * x))
    assert x.grad[1] == 1
    assert all(0.1 <= slope <= 0.4 for slope in x.grad[::2].tolist())


def test_resize_by_a_scale_takes_the_element_under_each_new_one(lib):
    x = lib.tensor([[[1.0, 2.0, 3.0]]])

    assert lib.nn.functional.interpolate(x, scale_factor=2).tolist() == [[[1, 1, 2, 2, 3, 3]]]
    assert lib.nn.functional.interpolate(x, size=2).tolist() == [[[1, 2]]]
    assert lib.nn.functional.interpolate(x, size=2, mode="nearest-exact").tolist() == [[[1, 3]]]


def test_reflection_does_not_repeat_the_edge(lib):
    x = lib.tensor([[1.0, 2.0, 3.0]])

    assert lib.nn.functional.pad(x, (2, 1), "reflect").tolist() == [[3, 2, 1, 2, 3, 2]]
    assert lib.nn.functional.pad(x, (2, 1), "replicate").tolist() == [[1, 1, 1, 2, 3, 3]]
    assert lib.nn.functional.pad(x, (2, 1), "circular").tolist() == [[2, 3, 1, 2, 3, 1]]
    assert lib.nn.functional.pad(x, (-1, 1)).tolist() == [[2, 3, 0]]


def test_identity_grid_gives_the_plane_back(lib):
    x = lib.arange(6.0).reshape(1, 1, 2, 3)
    theta = lib.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    grid = lib.nn.functional.affine_grid(theta, (1, 1, 2, 3), align_corners=False)

    assert values(lib.nn.functional.grid_sample(x, grid, align_corners=False)) == pytest.approx(
        values(x), abs=1e-5
    )


def test_empty_bag_is_zero(lib):
    table = lib.tensor([[1.0], [2.0]], requires_grad=True)
    for mode in ("sum", "mean", "max"):
        bags = lib.nn.functional.embedding_bag(
            lib.tensor([1, 0]), table, lib.tensor([0, 2]), mode=mode
        )
        assert bags[1].tolist() == [0.0]


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_what_is_told_of_bags_shares_no_memory(lib, mode):
    results = lib.embedding_bag(
        lib.ones(3, 2), lib.tensor([1, 0, 2]), lib.tensor([0, 2]), False, mode
    )

    assert len({result.data_ptr() for result in results}) == 4


def test_empty_batches_have_shapes_and_gradients(lib):
    planes = lib.ones(0, 1, 4, 2, requires_grad=True)
    rows = lib.ones(0, 3, requires_grad=True)
    shuffled, distances = lib.pixel_unshuffle(planes, 2), lib.nn.functional.pdist(rows)
    (shuffled.sum() + distances.sum()).backward()

    assert shuffled.shape == (0, 4, 2, 1)
    assert distances.shape == (0,)
    assert planes.grad.shape == (0, 1, 4, 2)
    assert rows.grad.shape == (0, 3)
