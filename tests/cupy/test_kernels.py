"""Each kernel of the backend computes what the family's kernel for the same op computes.

The family's is many launches of CuPy's own kernels, and itself tested against NumPy.
"""

from __future__ import annotations

import cupy
import numpy as np
import pytest
from cupy_standin import counting

import chainrule as cr
from chainrule import backend as registry
from chainrule.nn import functional as F
from chainrule_cupy import casting, convolution, cuda, lists
from chainrule_cupy.kernels import kernel_sets
from chainrule_cupy.namespace import xp
from chainrule_xp import kernels as family
from chainrule_xp.streams import PhiloxStream

OURS = {op: kernel for ks in kernel_sets for op, kernel in ks.kernels.items()}
THEIRS = {op: kernel for ks in family.kernel_sets for op, kernel in ks.kernels.items()}
TOLERANCES = {"float16": 4e-3, "float32": 2e-5, "float64": 1e-12}
DTYPES = sorted(TOLERANCES)
RNG = np.random.default_rng(0)


def array(*shape, dtype="float32", scale=2.0):
    """Return random numbers on the device."""
    return cupy.asarray((RNG.standard_normal(shape) * scale).astype(dtype))


def ours(op, *arrays, **options):
    return OURS[op].bind(xp)(*arrays, **options)


def theirs(op, *arrays, **options):
    return THEIRS[op].bind(xp)(*arrays, **options)


def compare(op, *arrays, tolerance=None, **options):
    """Check that the two kernels agree, in shape and dtype too."""
    found, expected = ours(op, *arrays, **options), theirs(op, *arrays, **options)
    pairs = zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
    for got, wanted in pairs:
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
        near = tolerance or TOLERANCES.get(got.dtype.name, 0)
        np.testing.assert_allclose(
            got.get().astype("d"), wanted.get().astype("d"), rtol=near, atol=near, err_msg=op
        )


# One expression per element

FORWARD = [
    "hardtanh",
    "leaky_relu",
    "hardsigmoid",
    "hardswish",
    "hardshrink",
    "softshrink",
    "sigmoid",
    "elu",
    "celu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "logsigmoid",
    "glu",
]
BACKWARD = [
    "threshold",
    "hardtanh",
    "leaky_relu",
    "hardsigmoid",
    "hardswish",
    "hardshrink",
    "softshrink",
    "sigmoid",
    "tanh",
    "elu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "log_sigmoid",
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FORWARD)
def test_activation_equals_the_family(name, dtype):
    compare(f"cr::{name}", array(3, 4, dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BACKWARD)
def test_gradient_of_activation_equals_the_family(name, dtype):
    compare(f"cr::{name}_backward", array(3, 4, dtype=dtype), array(3, 4, dtype=dtype, scale=0.5))


@pytest.mark.parametrize("dtype", DTYPES)
def test_activations_with_numbers_of_their_own_equal_the_family(dtype):
    x, grad = array(3, 4, dtype=dtype), array(3, 4, dtype=dtype)
    compare("cr::threshold", x, threshold=0.5, value=2.0)
    compare("cr::_prelu_kernel", x, array(1, 4, dtype=dtype))
    compare("cr::gelu", x, approximate="tanh")
    compare("cr::gelu_backward", grad, x, approximate="tanh")
    compare("cr::elu", x, alpha=0.5, scale=2.0, input_scale=3.0)


def test_activations_hand_nan_on():
    x = cupy.asarray([np.nan, 1.0], "float32")
    for name in FORWARD:
        if name != "glu":
            assert cupy.isnan(ours(f"cr::{name}", x)[0]).get(), name


def test_activation_is_one_launch():
    x = array(64)
    ours("cr::mish", x)
    with counting() as counted:
        ours("cr::mish", x)
    assert counted.launches == 1


# Rows

SHAPES = {
    "a matrix": ((5, 70), 1), "a dimension within": ((5, 7, 3), 1), "the last": ((5, 7, 3), -1),
    "a vector": ((4,), 0), "a number": ((), 0), "nothing": ((0, 3), 1), "long": ((300, 2), 0),
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "dim"), SHAPES.values(), ids=SHAPES)
def test_softmax_equals_the_family_forward_and_backward(shape, dim, dtype):
    x, grad = array(*shape, dtype=dtype), array(*shape, dtype=dtype)
    for name in ("softmax", "log_softmax"):
        compare(f"cr::_{name}", x, dim=dim)
        compare(f"cr::{name}_backward", grad, theirs(f"cr::_{name}", x, dim=dim), dim=dim)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("rows", [6, 700])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layer_norm_equals_the_family_forward_and_backward(rows, affine, dtype):
    x, grad = array(rows, 40, dtype=dtype), array(rows, 40, dtype=dtype)
    weight, bias = (array(40, dtype=dtype) if affine else None for _ in range(2))
    options = {"normalized_shape": (40,), "eps": 1e-5}
    near = 100 * TOLERANCES[dtype]
    compare("cr::_native_layer_norm", x, weight, bias, tolerance=near, **options)
    _, mean, rstd = ours("cr::_native_layer_norm", x, weight, bias, **options)
    given = (grad, x, mean, rstd, weight)
    compare("cr::native_layer_norm_backward", *given, tolerance=near, **options)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", [(6, 40), (700, 3), (2, 3, 5, 8)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rms_norm_and_its_gradients_equal_those_of_its_parts(shape, weighted, dtype):
    kind = getattr(cr, dtype)
    sizes = shape[2:] or shape[1:]
    x, grad = (cr.randn(*shape, dtype=kind, device="cuda") for _ in range(2))
    weight = cr.randn(*sizes, dtype=kind, device="cuda") if weighted else None
    results = []
    for norm in (cr.ops.fused.rms_norm, F.rms_norm):
        leaves = [t.clone().requires_grad_() for t in (x, weight) if t is not None]
        out = norm(leaves[0], sizes, *leaves[1:], eps=1e-3)
        results.append([out.detach(), *cr.autograd.grad(out, leaves, grad)])
    for found, wanted in zip(*results, strict=True):
        near = 100 * TOLERANCES[dtype]
        np.testing.assert_allclose(found.cpu().numpy(), wanted.cpu().numpy(), rtol=near, atol=near)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_group_norm_equals_the_family_forward_and_backward(affine, dtype):
    x, grad = array(3, 6, 4, 2, dtype=dtype), array(3, 6, 4, 2, dtype=dtype)
    weight, bias = (array(6, dtype=dtype) if affine else None for _ in range(2))
    sizes, near = {"N": 3, "C": 6, "HxW": 8, "group": 2, "eps": 1e-5}, 30 * TOLERANCES[dtype]
    compare("cr::_native_group_norm", x, weight, bias, tolerance=near, **sizes)
    _, mean, rstd = ours("cr::_native_group_norm", x, weight, bias, **sizes)
    given = (grad, x, weight, mean, rstd)
    compare("cr::native_group_norm_backward", *given, tolerance=near, group=2, eps=1e-5)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batch_norm_equals_the_family_forward_and_backward(training, dtype):
    x, grad = array(5, 3, 4, dtype=dtype), array(5, 3, 4, dtype=dtype)
    weight, bias, mean = (array(3, dtype=dtype) for _ in range(3))
    variance = cupy.abs(array(3, dtype=dtype)) + x.dtype.type(1)
    options, near = {"training": training, "eps": 1e-5}, 30 * TOLERANCES[dtype]
    given = (None, None) if training else (mean, variance)
    compare("cr::_native_batch_norm", x, weight, bias, *given, tolerance=near, **options)
    _, found, rstd, _ = ours("cr::_native_batch_norm", x, weight, bias, *given, **options)
    given = (grad, x, weight, found, rstd, mean, variance)
    compare("cr::native_batch_norm_backward", *given, tolerance=near, **options)


@pytest.mark.parametrize("keepdim", [True, False])
@pytest.mark.parametrize(
    ("shape", "dim"), [((5, 7), (0,)), ((3, 5, 7), (0, 1)), ((1500, 7), (0,)), ((5, 40), (1,))]
)
def test_sum_over_leading_dimensions_equals_the_family(shape, dim, keepdim):
    compare("cr::_sum", array(*shape, dtype="float64"), dim=dim, keepdim=keepdim)


# Places


@pytest.fixture
def exact():
    """Have sums come out the same every time."""
    registry.by_name("cupy")  # a backend that is not live yet is told later
    cr.use_deterministic_algorithms(True)
    yield
    cr.use_deterministic_algorithms(False)


def rows(indices):
    """Return a table, the places in it, and a gradient."""
    places = cupy.asarray(RNG.integers(0, 9, (4, 6)).astype(indices))
    return array(9, 5), places, array(4, 6, 5)


@pytest.mark.parametrize("indices", ["int64", "int32"])
def test_embedding_equals_the_family(indices):
    table, places, _ = rows(indices)
    compare("cr::_embedding", table, places)
    compare("cr::_index_select", array(3, 9, 2), places.reshape(-1), dim=1)


@pytest.mark.parametrize("by_frequency", [True, False])
@pytest.mark.parametrize("order", ["any order", "sorted"])
def test_gradient_of_embedding_equals_the_family(order, by_frequency, request):
    if order == "sorted":
        request.getfixturevalue("exact")
    _, places, grad = rows("int64")
    options = {"num_weights": 9, "padding_idx": 2, "scale_grad_by_freq": by_frequency}
    compare("cr::embedding_backward", grad, places, **options)


@pytest.mark.usefixtures("exact")
def test_sorted_sums_are_added_in_the_order_of_the_places():
    grad = cupy.asarray([[1e8], [1.0], [-1e8]], "float32")
    places = cupy.zeros(3, "int64")
    options = {"num_weights": 1, "padding_idx": -1, "scale_grad_by_freq": False}
    assert (
        ours("cr::embedding_backward", grad, places, **options).get() == 0.0
    )  # 1 is lost beside 1e8


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "complex64"])
def test_numbers_are_combined_in_the_order_of_the_places(dtype):
    large = 3e4 if dtype == "float16" else 1e20
    kind, index = getattr(cr, dtype), cr.tensor([0, 1, 0, 0, 1], device="cuda")
    values = cr.tensor([large, 2.0, 1.0, -large, 3.0], dtype=kind, device="cuda")
    made = cr.zeros(2, dtype=kind, device="cuda").index_add(0, index, values)
    assert made.tolist() == [1.0 if dtype == "float16" else 0.0, 5.0]  # 1 is lost beside 1e20
    if not kind.is_complex:
        start = cr.ones(2, dtype=kind, device="cuda")
        assert start.scatter_reduce(0, index, values, "prod").tolist()[1] == 6.0


@pytest.mark.parametrize("reduce", ["amax", "amin"])
def test_extremes_at_places_keep_all_digits_of_a_double_and_hand_nan_on(reduce):
    index = cr.tensor([0, 0, 1, 1], device="cuda")
    values = cr.tensor([1 / 3, 1 / 3, float("nan"), 5.0], dtype=cr.float64, device="cuda")
    start = cr.full((2,), 1 / 3, dtype=cr.float64, device="cuda")
    found = start.scatter_reduce(0, index, values, reduce).tolist()
    assert found[0] == 1 / 3
    assert found[1] != found[1]


ADDING = {
    "index_put": lambda x, index, values: x.index_put((index,), values, accumulate=True),
    "index_add": lambda x, index, values: x.index_add(0, index, values),
    "scatter_add": lambda x, index, values: x.scatter_add(0, index, values),
    "scatter": lambda x, index, values: x.scatter(0, index, values, reduce="add"),
    "scatter_reduce": lambda x, index, values: x.scatter_reduce(0, index, values, "sum"),
}


@pytest.mark.parametrize("add", ADDING.values(), ids=ADDING)
@pytest.mark.parametrize(
    "dtype", ["complex64", "complex128", "float16", "int8", "int16", "uint8", "int64"]
)
def test_adding_at_places_equals_numpy_in_every_dtype(dtype, add):
    values = cr.arange(1, 7).to(getattr(cr, dtype))
    index = cr.tensor([0, 2, 0, 1, 1, 1])
    found, wanted = (
        add(
            cr.zeros(3, dtype=getattr(cr, dtype), device=device),
            index.to(device),
            values.to(device),
        ).tolist()
        for device in ("cuda", "cpu")
    )
    assert found == wanted


@pytest.mark.parametrize("reduce", ["sum", "prod", "amax", "amin", "mean"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "float16", "int16"])
def test_reductions_into_places_equal_those_on_numpy(reduce, dtype):
    x = cr.arange(1, 7).to(getattr(cr, dtype)).reshape(2, 3)
    index = cr.tensor([[0, 0, 2], [1, 1, 1]])
    found, wanted = (
        x.to(device).scatter_reduce(1, index.to(device), (x + 1).to(device), reduce).tolist()
        for device in ("cuda", "cpu")
    )
    assert found == wanted


CALLS = {
    "embedding": lambda: cr.nn.functional.embedding(places(5), cr.zeros(3, 2, device="cuda")),
    "index_select": lambda: cr.zeros(3, 2, device="cuda").index_select(0, places(-1)),
    "brackets": lambda: cr.zeros(3, 2, device="cuda")[:, places(2)],
    "brackets, from the end": lambda: cr.zeros(3, device="cuda")[places(-4)],
    "writing into brackets": lambda: written(3),
    "index_put": lambda: cr.zeros(3, device="cuda").index_put(
        (places(3),), cr.ones((), device="cuda")
    ),
    "take": lambda: cr.zeros(3, device="cuda").take(places(3)),
    "put": lambda: cr.zeros(3, device="cuda").put(places(3), ones()),
    "gather": lambda: cr.zeros(3, device="cuda").gather(0, places(3)),
    "scatter": lambda: cr.zeros(3, device="cuda").scatter(0, places(7), 1.0),
    "index_add": lambda: cr.zeros(3, device="cuda").index_add(0, places(3), ones()),
    "index_copy": lambda: cr.zeros(3, device="cuda").index_copy(0, places(-1), ones()),
    "index_fill": lambda: cr.zeros(3, device="cuda").index_fill(0, places(-4), 1.0),
    "nll_loss": lambda: cr.nn.functional.nll_loss(cr.zeros(1, 3, device="cuda"), places(4)),
}


def written(place):
    x = cr.zeros(3, device="cuda")
    x[places(place)] = 1.0
    return x


def test_places_counted_from_the_end_are_no_fault():
    x = cr.arange(3, device="cuda")
    assert x[places(-3)].item() == 0
    assert x.take(places(-1)).item() == 2
    assert x.index_fill(0, places(-1), 7).tolist() == [0, 1, 7]


def ones():
    return cr.ones(1, device="cuda")


def places(place):
    return cr.tensor([place], device="cuda")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_place_out_of_bounds_raises_when_a_number_is_read(call):
    result = call()
    with pytest.raises(IndexError, match=r"out of bounds|out of range"):
        result.sum().item()
    assert cr.ones(1, device="cuda").item() == 1.0  # told once


def test_place_out_of_bounds_raises_at_synchronize():
    CALLS["gather"]()
    with pytest.raises(IndexError, match="index 3 is out of bounds: expected one from 0 to 2"):
        cr.cuda.synchronize()


# Complex numbers


@pytest.mark.parametrize("name", ["logical_and", "logical_or", "logical_xor"])
def test_complex_number_is_true_where_it_is_not_zero(name):
    x, y = cr.tensor([0j, 1j, 0j, 2 + 0j]), cr.tensor([0j, 0j, 1 + 1j, 1j])
    function = getattr(cr, name)
    assert function(x.cuda(), y.cuda()).tolist() == function(x, y).tolist()
    assert cr.logical_not(x.cuda()).tolist() == [True, False, True, False]


# Order


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("size", [200, 5000])
def test_few_of_many_are_those_of_numpy_where_there_are_nans_too(size, largest):
    x = cr.from_numpy(np.random.default_rng(3).standard_normal((2, size)).astype("f"))
    x[1, ::7] = float("nan")
    found, expected = (t.topk(5, largest=largest) for t in (x.cuda(), x))
    np.testing.assert_array_equal(found.values.cpu().numpy(), expected.values.numpy())
    np.testing.assert_array_equal(x.gather(1, found.indices.cpu()).numpy(), expected.values.numpy())


# Losses


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 2, 2)])
def test_cross_entropy_and_its_gradient_equal_those_of_numpy(shape, weighted, reduction):
    x, target = cr.randn(*shape), cr.randint(0, 4, (shape[0], *shape[2:]))
    target.view(-1)[0] = -100
    weight = cr.rand(4) if weighted else None
    results = []
    for device in ("cpu", "cuda"):
        leaf = x.to(device).detach().requires_grad_()
        scale = None if weight is None else weight.to(device)
        loss = cr.nn.functional.cross_entropy(leaf, target.to(device), scale, reduction=reduction)
        loss.sum().backward()
        results.append((loss.detach().cpu().numpy(), leaf.grad.cpu().numpy()))
    for wanted, found in zip(*results, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=3e-6, atol=1e-6)


def losses(function, x, target, **options):
    """Return a loss and the gradient of the scores, on the host."""
    leaf = x.clone().requires_grad_()
    loss = function(leaf, target, **options)
    loss.sum().backward()
    return loss.detach().cpu().numpy(), leaf.grad.cpu().numpy()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", [(7,), (6, 4), (2000, 3), (2, 300), (3, 4, 2, 2), (3, 4, 5)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_cross_entropy_equals_its_parts(shape, weighted, reduction, dtype):
    classes = shape[1] if len(shape) > 1 else shape[0]
    x = (cr.randn(*shape, dtype=getattr(cr, dtype)) * 30).cuda()
    target = cr.randint(0, classes, shape[:1] + shape[2:] if len(shape) > 1 else ())
    if target.ndim:
        target.view(-1)[0] = -100
    weight = cr.rand(classes, dtype=x.dtype, device="cuda") if weighted else None
    options = {"weight": weight, "reduction": reduction}
    found = losses(cr.ops.fused.softmax_cross_entropy, x, target.cuda(), **options)
    wanted = losses(F.cross_entropy, x, target.cuda(), **options)
    near = TOLERANCES[dtype]
    for mine, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=near, atol=near)


def test_fused_cross_entropy_is_one_launch_each_way():
    x, target = cr.randn(50, 10, device="cuda", requires_grad=True), places(1).expand(50)
    target = target.contiguous()
    for _ in range(2):
        with counting() as forward:
            loss = cr.ops.fused.softmax_cross_entropy(x, target)
        with counting() as backward:
            (grad,) = cr.autograd.grad(loss, x, cr.ones_like(loss))
    assert forward.launches == 1
    assert dict(backward.kernels)["cross_entropy_backward"] == 1
    assert backward.launches <= 2  # the other one is that of `ones_like`
    assert grad.shape == x.shape


@pytest.mark.parametrize(("classes", "place"), [(3, 3), (0, 0)])
def test_fused_cross_entropy_tells_of_a_place_that_is_no_class(classes, place):
    scores = cr.zeros(2, classes, device="cuda")
    loss = cr.ops.fused.softmax_cross_entropy(scores, places(place).expand(2))
    with pytest.raises(IndexError, match=f"Target {place} is out of bounds"):
        loss.item()


# Windows

WINDOWS = {
    "apart": ((2, 2), (), (0, 0), (1, 1), True),
    "overlapping": ((3, 2), (2, 2), (1, 0), (1, 1), False),
    "dilated": ((2, 2), (2, 2), (1, 1), (2, 1), True),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("size", "stride", "padding", "dilation", "ceil"), WINDOWS.values(), ids=WINDOWS
)
def test_pooling_equals_the_family(size, stride, padding, dilation, ceil, dtype):
    x = array(2, 3, 9, 7, dtype=dtype)
    options = {"kernel_size": size, "stride": stride, "padding": padding, "ceil_mode": ceil}
    compare("cr::_max_pool2d_with_indices", x, dilation=dilation, **options)
    for include in (True, False):
        for divisor in (None, 3):
            extra = {"count_include_pad": include, "divisor_override": divisor}
            compare("cr::_avg_pool2d", x, **options, **extra)
            shape = ours("cr::_avg_pool2d", x, **options, **extra).shape
            given = (size, stride, padding, ceil, include, divisor)
            grad = array(*shape, dtype=dtype)
            compare("cr::avg_pool_backward", grad, input_sizes=x.shape, options=given)


def test_gradient_of_max_pooling_equals_the_family():
    options = {"kernel_size": (3, 3), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}
    x = array(2, 3, 9, 7)
    out, indices = ours("cr::_max_pool2d_with_indices", x, ceil_mode=False, **options)
    grad = array(*out.shape)
    compare("cr::_pool_scatter", grad, indices, sizes=x.shape, spatial=2, apart=False)


def test_pooling_over_three_dimensions_equals_the_family():
    options = {"kernel_size": (2, 2, 3), "stride": (2, 1, 2), "padding": (1, 1, 1)}
    x = array(2, 1, 5, 4, 6)
    compare("cr::_max_pool3d_with_indices", x, dilation=(1, 1, 1), ceil_mode=False, **options)


# Random numbers

DRAWS = {
    "uniform": lambda s: s.uniform((13,), "float32"),
    "uniform, double, in a range": lambda s: s.uniform((6,), "float64", 1.0, 2.0),
    "whole numbers": lambda s: s.integers((5, 3), "int64", 0, 100),
    "normal": lambda s: s.normal((7,), "float32"),
    "bernoulli": lambda s: s.bernoulli((9,), "float32", 0.3),
    "permutation": lambda s: s.permutation(11),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_numbers_are_those_of_the_reference_on_numpy_bit_for_bit(draw):
    host, device = PhiloxStream(np, 7), registry.by_name("cupy").stream("default")
    device.seed(7)
    for _ in range(2):
        np.testing.assert_array_equal(draw(device).get(), draw(host))
    assert host.get_state() == device.get_state()


@pytest.mark.parametrize("dtype", [*DTYPES, "complex64", "complex128"])
def test_dropout_draws_what_the_reference_draws(dtype):
    host, device = PhiloxStream(xp, 7), registry.by_name("cupy").stream("default")
    device.seed(7)
    x = cupy.ones((5, 3), dtype)
    found = ours("cr::_dropout_noise", x, p=0.3, stream=device)
    expected = theirs("cr::_dropout_noise", x, p=0.3, stream=host)
    np.testing.assert_array_equal(found.get(), expected.get())


# Optimizers

OPTIMIZERS = {
    "SGD": ("SGD", {"lr": 0.1}),
    "SGD with momentum": (
        "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}
    ),
    "Adam": ("Adam", {"lr": 0.1}),
    "Adam, upwards": ("Adam", {"maximize": True, "weight_decay": 0.1}),
    "AMSGrad": ("AdamW", {"lr": 0.1, "amsgrad": True}),
    "RMSprop": ("RMSprop", {"momentum": 0.9, "centered": True}),
    "Adagrad": ("Adagrad", {"lr_decay": 0.1}),
}  # fmt: skip


def stepped(name, options, device):
    """Return parameters after three steps: of several sizes, one turned round, and many."""
    cr.manual_seed(0)
    made = [cr.randn(3, 4), cr.randn(20_000), cr.randn(2, 5), *(cr.randn(2) for _ in range(70))]
    params = [p.to(device).detach() for p in made]
    params[2] = params[2].t()
    params = [p.requires_grad_() for p in params]
    optimizer = getattr(cr.optim, name)(params, **options)
    for _ in range(3):
        for param in params:
            param.grad = param.detach().sin()
        optimizer.step()
    return [p.detach().cpu().numpy() for p in params]


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_steps_equal_those_on_numpy(name, options):
    for found, wanted in zip(
        stepped(name, options, "cuda"), stepped(name, options, "cpu"), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-6)


def test_step_is_one_launch_for_as_many_parameters_as_fit():
    params = [cr.ones(3, device="cuda", requires_grad=True) for _ in range(lists.MOST)]
    optimizer = cr.optim.AdamW(params)
    for param in params:
        param.grad = cr.ones_like(param).detach()
    optimizer.step()
    with counting() as counted:
        optimizer.step()
    assert (counted.launches, counted.h2d, counted.d2h, counted.syncs) == (1, 0, 0, 0)


def test_capturable_step_is_two_launches_and_waits_for_nothing():
    params = [cr.ones(3, device="cuda", requires_grad=True) for _ in range(5)]
    rate = cr.tensor(0.1, device="cuda")
    optimizer = cr.optim.AdamW(params, lr=rate, capturable=True)
    for param in params:
        param.grad = cr.ones_like(param).detach()
    optimizer.step()
    with counting() as counted:
        optimizer.step()
    assert (counted.launches, counted.h2d, counted.d2h, counted.syncs) == (2, 0, 0, 0)


GRADIENTS = [(40, 30), (17,), (1,), (0, 3), (20_000,)]


def gradients(dtype, count):
    cr.manual_seed(1)
    shapes = GRADIENTS * (-(-count // len(GRADIENTS)))
    grads = [cr.randn(*shape, dtype=getattr(cr, dtype)) for shape in shapes[:count]]
    grads[0] = grads[0].t()
    return grads


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", [2.0, 1.0, 3.0, float("inf")])
@pytest.mark.parametrize("count", [3, 2 * lists.MOST + 1])
def test_clipping_equals_that_on_numpy(count, order, dtype):
    results = []
    for device in ("cpu", "cuda"):
        params = []
        for grad in gradients(dtype, count):
            if grad.numel() or order != float("inf"):
                param = cr.zeros(grad.shape, dtype=grad.dtype, device=device)
                param.grad = (
                    grad.to(device).t().contiguous().t() if grad.ndim > 1 else grad.to(device)
                )
                params.append(param)
        norm = cr.nn.utils.clip_grad_norm_(params, 0.5, norm_type=order)
        results.append([norm.cpu().numpy(), *(p.grad.cpu().numpy() for p in params)])
    for wanted, found in zip(*results, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=5 * TOLERANCES[dtype])


def test_clipping_takes_as_many_launches_for_one_parameter_as_for_many_and_waits_for_nothing():
    launches = []
    for count in (1, lists.MOST):
        params = [cr.ones(4, device="cuda") for _ in range(count)]
        for param in params:
            param.grad = cr.ones_like(param)
        cr.nn.utils.clip_grad_norm_(params, 0.5)
        with counting() as counted:
            cr.nn.utils.clip_grad_norm_(params, 0.5)
        assert (counted.h2d, counted.d2h, counted.syncs) == (0, 0, 0)
        launches.append(counted.launches)
    assert launches[0] == launches[1] <= 10


# Conversions


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("count", [0, 3, 4, 1027])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("source", DTYPES)
def test_cast_equals_the_conversion_of_numpy(source, dtype, count, start):
    x = array(count + start, dtype=source, scale=100.0)[start:]
    found = casting.cast(x, np.dtype(dtype)) if source != dtype else x
    assert found.dtype == dtype
    np.testing.assert_array_equal(found.get(), x.get().astype(dtype))


def test_cast_is_one_launch_of_our_own():
    x = cr.randn(100, device="cuda")
    x.half()
    with counting() as counted:
        x.half()
    assert dict(counted.kernels) == {"cast": 1}


# The list of sources


def test_every_kernel_is_listed_with_its_source():
    listed = {label: (code, names) for label, code, names in cuda.sources()}
    assert {"gelu/float32", "softmax_rows/float16", "adam/float64"} <= set(listed)
    for code, names in listed.values():
        for name in names:
            assert f"__global__ void {name}(" in code


# Convolution

CONVOLUTIONS = {
    "plain": ((2, 3, 7, 6), (4, 3, 3, 2), (1, 1), (0, 0), (1, 1), 1),
    "strided and padded": ((2, 3, 7, 6), (4, 3, 3, 3), (2, 1), (1, 2), (1, 1), 1),
    "dilated": ((2, 3, 9, 8), (4, 3, 3, 2), (1, 2), (1, 0), (2, 3), 1),
    "in groups": ((2, 4, 6, 6), (6, 2, 3, 3), (2, 2), (1, 1), (1, 1), 2),
    "one channel each": ((2, 4, 6, 6), (4, 1, 3, 3), (1, 1), (1, 1), (1, 1), 4),
    "one dimension": ((2, 3, 11), (5, 3, 4), (3,), (2,), (1,), 1),
    "three dimensions": ((2, 2, 4, 5, 6), (3, 2, 2, 3, 2), (1, 2, 1), (1, 0, 1), (1, 1, 1), 1),
}
OPTIONS = ("stride", "padding", "dilation", "transposed", "output_padding", "groups")


@pytest.mark.parametrize("columns", ["columns", "no columns"])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("case", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_convolution_and_its_gradients_equal_the_family(case, transposed, columns, monkeypatch):
    monkeypatch.setattr(convolution, "_small", lambda *sizes: columns == "no columns")
    shape, weights, stride, padding, dilation, groups = case
    if transposed:  # the roles of the weight's two channels change
        out, within = weights[:2]
        shape = (shape[0], out, *shape[2:])
        weights = (out, within, *weights[2:])
    x, weight = array(*shape, dtype="float64"), array(*weights, dtype="float64")
    channels = weights[1] * groups if transposed else weights[0]
    bias = array(channels, dtype="float64")
    options = (stride, padding, dilation, transposed, (0,) * len(stride), groups)
    named = dict(zip(OPTIONS, options, strict=True))
    compare("cr::_convolution", x, weight, bias, **named)
    grad = array(*ours("cr::_convolution", x, weight, bias, **named).shape, dtype="float64")
    given = {"input_sizes": shape, "options": options}
    compare("cr::convolution_backward_input", grad, weight, **given)
    given = {"weight_sizes": weights, "options": options}
    compare("cr::convolution_backward_weight", grad, x, **given)


def test_convolution_without_columns_adds_up_long_sums_in_shares(monkeypatch):
    monkeypatch.setattr(convolution, "_small", lambda *sizes: True)
    x, grad = array(3, 2, 40, 41, dtype="float64"), array(3, 5, 38, 39, dtype="float64")
    options = ((1, 1), (0, 0), (1, 1), False, (0, 0), 1)
    given = {"weight_sizes": (5, 2, 3, 3), "options": options}
    compare("cr::convolution_backward_weight", grad, x, **given)


@pytest.mark.parametrize(
    ("shape", "weights", "groups", "launches"),
    [((2, 3, 8, 8), (4, 3, 3, 3), 1, 1), ((1, 64, 32, 32), (64, 1, 3, 3), 64, 1)],
)
def test_small_convolution_is_one_launch(shape, weights, groups, launches):
    x, weight = cr.randn(*shape, device="cuda"), cr.randn(*weights, device="cuda")
    cr.conv2d(x, weight, groups=groups)
    with counting() as counted:
        cr.conv2d(x, weight, groups=groups)
    assert (counted.launches, counted.library_calls) == (launches, 0)
