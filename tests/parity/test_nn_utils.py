"""Parametrizations, normalisations by hooks, pruning, fusion: side by side with PyTorch."""

from __future__ import annotations

import copy
import pickle
import warnings

import pytest
import torch
import torch.nn.utils.prune

import chainrule as cr
import chainrule.nn.utils.prune


def makers(library):  # noqa: C901 - a list of small classes
    """Return parametrizations, written for one library."""
    nn = library.nn

    class Symmetric(nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).mT

    class Positive(nn.Module):
        def forward(self, x):
            return x.exp()

        def right_inverse(self, x):
            return x.log()

    class Product(nn.Module):
        def forward(self, a, b):
            return a @ b

        def right_inverse(self, x):
            return x, library.eye(x.shape[-1])

    class Cut(nn.Module):
        def forward(self, x):
            return x[:1]

    class Number(nn.Module):
        def forward(self, x):
            return 5

    class NumberBack(nn.Module):
        def forward(self, x):
            return x

        def right_inverse(self, x):
            return 5

    class CutBack(NumberBack):
        def right_inverse(self, x):
            return x[:1]

    class Double(nn.Module):
        def forward(self, x):
            return x.double()

    return {kind.__name__: kind for kind in locals().values() if isinstance(kind, type)}


def linear(library, rows=3, columns=3):
    library.manual_seed(0)
    return library.nn.Linear(rows, columns)


def state(module):
    return {name: tensor.tolist() for name, tensor in module.state_dict().items()}


def tried(call):
    """Return what *call* gives, or its error: base class and first line."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - whatever the library raises
        builtin = next(c for c in type(error).__mro__ if c.__module__ == "builtins")
        return builtin.__name__, str(error).partition("\n")[0]


def is_like(one, other):
    if isinstance(one, dict):
        return list(one) == list(other) and all(is_like(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_like, one, other))
    if isinstance(one, float):
        return one == pytest.approx(other, rel=1e-5, abs=2e-6, nan_ok=True)
    return one == other


def trained(library, module, width=3):
    """Return what a module with a normalised weight gives, its gradients, and its state."""
    output = module(library.ones(1, width))
    (output**2).sum().backward()
    grads = [parameter.grad.tolist() for parameter in module.parameters()]
    return output.tolist(), grads, state(module), repr(module)


def registered(library, *names):
    module, kinds = linear(library), makers(library)
    for name in names:
        library.nn.utils.parametrize.register_parametrization(module, "weight", kinds[name]())
    return module


def set_and_read(library):
    module = registered(library, "Positive")
    module.weight = library.full((3, 3), 2.0)
    other = copy.deepcopy(module)
    other.weight = library.full((3, 3), 5.0)
    found = [module.weight.tolist(), other.weight.tolist(), state(module)]
    module.load_state_dict(other.state_dict())
    return [*found, module.weight.tolist(), tried(lambda: pickle.dumps(module))]


def cached(library):
    module = registered(library, "Symmetric")
    with library.nn.utils.parametrize.cached():
        inside = module.weight is module.weight
    return inside, module.weight is module.weight


def removed(library, *names, **settings):
    module, parametrize = registered(library, *names), library.nn.utils.parametrize
    parametrize.remove_parametrizations(module, "weight", **settings)
    return state(module), repr(module), type(module).__name__, type(module.weight).__name__


def buffered(library):
    module, parametrize = linear(library), library.nn.utils.parametrize
    module.register_buffer("scale", library.ones(3))
    parametrize.register_parametrization(module, "scale", makers(library)["Positive"]())
    found = state(module)
    parametrize.remove_parametrizations(module, "scale")
    return found, state(module)


def facts(library):
    module, parametrize = registered(library, "Symmetric"), library.nn.utils.parametrize
    return (
        parametrize.is_parametrized(module),
        parametrize.is_parametrized(module, "bias"),
        parametrize.type_before_parametrizations(module).__name__,
        type(module).__name__,
        repr(module.parametrizations),
        [name for name, _ in module.named_parameters()],
    )


def transferred(library):
    utils = library.nn.utils
    source, target = utils.parametrizations.weight_norm(linear(library)), linear(library)
    target.weight.data.zero_()
    utils.parametrize.transfer_parametrizations_and_params(source, target)
    return state(target), repr(target), target.weight.tolist()


PARAMETRIZED = [
    lambda lib: trained(lib, registered(lib, "Symmetric")),
    lambda lib: trained(lib, registered(lib, "Product")),
    lambda lib: trained(lib, registered(lib, "Symmetric", "Positive")),
    set_and_read,
    cached,
    facts,
    buffered,
    transferred,
    lambda lib: removed(lib, "Positive"),
    lambda lib: removed(lib, "Product"),
    lambda lib: removed(lib, "Symmetric", "Positive", leave_parametrized=False),
    lambda lib: tried(lambda: removed(lib, "Product", leave_parametrized=False)),
    lambda lib: tried(lambda: removed(lib)),
    lambda lib: tried(
        lambda: setattr(registered(lib, "Symmetric", "Positive"), "weight", lib.ones(3, 3))
    ),
    *(
        lambda lib, name=name: tried(lambda: registered(lib, name) and 0)
        for name in ("Cut", "Number", "NumberBack", "CutBack", "Double")
    ),
    lambda lib: tried(
        lambda: lib.nn.utils.parametrize.register_parametrization(
            linear(lib), "foo", lib.nn.Identity()
        )
    ),
]


@pytest.mark.parametrize("scenario", PARAMETRIZED)
def test_parametrized_module_does_the_same(scenario):
    assert is_like(scenario(cr), scenario(torch))


def spectral(library, **settings):
    normalize = library.nn.utils.parametrizations.spectral_norm
    module = normalize(linear(library, 4, 3), **settings)
    found = trained(library, module, 4)
    module.eval()
    return found, module.weight.tolist(), state(module)


def orthogonal(library, kind, shape, trivialized):
    module, target = linear(library, *shape), library.randn(shape[1], shape[0])
    module = library.nn.utils.parametrizations.orthogonal(
        module, orthogonal_map=kind, use_trivialization=trivialized
    )
    (module.weight * target).sum().backward()
    original = module.parametrizations.weight.original
    return (
        module.weight.tolist(),
        original.grad.tolist(),
        list(module.state_dict()),
        tried(lambda: setattr(module, "weight", library.ones(1, 1))),
    )


NORMALIZED = [
    *(
        lambda lib, dim=dim: trained(
            lib, lib.nn.utils.parametrizations.weight_norm(linear(lib), dim=dim)
        )
        for dim in (0, 1, None)
    ),
    spectral,
    lambda lib: spectral(lib, n_power_iterations=3),
    lambda lib: spectral(lib, dim=1),
    lambda lib: tried(lambda: spectral(lib, n_power_iterations=0)),
    lambda lib: tried(lambda: spectral(lib, dim=5)),
    lambda lib: tried(lambda: spectral(lib, name="foo")),
    *(
        lambda lib, kind=kind, shape=shape, trivial=trivial: orthogonal(lib, kind, shape, trivial)
        for kind in ("matrix_exp", "cayley", "householder", None)
        for shape in ((3, 3), (4, 2), (2, 4))
        for trivial in (True, False)
    ),
    lambda lib: tried(lambda: orthogonal(lib, "x", (3, 3), True)),
    lambda lib: tried(lambda: lib.nn.utils.parametrizations.orthogonal(linear(lib), "bias")),
]


@pytest.mark.parametrize("scenario", NORMALIZED)
def test_normalized_weight_is_the_same(scenario):
    assert is_like(scenario(cr), scenario(torch))


def hooked(library, name):
    """Return what a module does that is normalised by a hook, and after that was undone."""
    utils = library.nn.utils
    module = getattr(utils, name)(linear(library))
    found = [trained(library, module)]
    module.eval()
    module(library.ones(1, 3))
    found += [state(module), tried(lambda: getattr(utils, name)(module))]
    getattr(utils, f"remove_{name}")(module)
    return [*found, state(module), tried(lambda: getattr(utils, f"remove_{name}")(module))]


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_weight_normalized_by_a_hook_is_the_same(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        assert is_like(hooked(cr, name), hooked(torch, name))


def pruned(library, *steps):
    """Return the state after pruning step by step, what it gives, and the state after all."""
    module, prune = linear(library, 4, 5), library.nn.utils.prune
    for name, *arguments in steps:
        getattr(prune, name)(module, "weight", *arguments)
    found = [trained(library, module, 4), prune.is_pruned(module)]
    prune.remove(module, "weight")
    return [*found, state(module), prune.is_pruned(module)]


def pruned_together(library):
    prune = library.nn.utils.prune
    first, second = linear(library, 4, 5), linear(library, 5, 2)
    pairs = [(first, "weight"), (second, "weight")]
    prune.l1_unstructured(first, "weight", 3)
    prune.global_unstructured(pairs, prune.L1Unstructured, amount=0.5)
    return state(first), state(second)


@pytest.mark.parametrize(
    "steps",
    [
        [("l1_unstructured", 4)],
        [("l1_unstructured", 0.3), ("l1_unstructured", 0.5)],
        [("random_unstructured", 0.5), ("l1_unstructured", 3)],
        [("ln_structured", 0.4, 2, 0), ("random_unstructured", 2)],
        [("ln_structured", 1, 1, 1), ("ln_structured", 1, 2, 0)],
        [("random_structured", 2, 0)],
        [("identity",)],
    ],
)
def test_pruned_weight_is_the_same(steps):
    assert is_like(pruned(cr, *steps), pruned(torch, *steps))


def test_weights_pruned_together_are_the_same():
    assert is_like(pruned_together(cr), pruned_together(torch))


@pytest.mark.parametrize("amount", [40, 1.5, -1, "a"])
def test_impossible_amount_is_refused_alike(amount):
    found = [
        tried(lambda library=library: pruned(library, ("l1_unstructured", amount)))
        for library in (cr, torch)
    ]

    assert found[0] == found[1]
    assert found[0][0] in {"ValueError", "TypeError"}


def fused(library, transposed):
    nn = library.nn
    library.manual_seed(0)
    conv = nn.ConvTranspose2d(2, 3, 3) if transposed else nn.Conv2d(2, 3, 3, bias=False)
    norm = nn.BatchNorm2d(3)
    for tensor in (norm.running_mean, norm.weight.data, norm.bias.data):
        tensor.normal_()
    norm.running_var.uniform_(1, 2)
    tried_early = tried(lambda: nn.utils.fuse_conv_bn_eval(conv, norm))
    together = nn.utils.fuse_conv_bn_eval(conv.eval(), norm.eval(), transposed)
    x = library.randn(1, 2, 5, 5)
    same = library.allclose(together(x), norm(conv(x)), atol=1e-5)
    return tried_early, state(together), same


@pytest.mark.parametrize("transposed", [False, True])
def test_fused_convolution_is_the_same(transposed):
    assert is_like(fused(cr, transposed), fused(torch, transposed))
    assert fused(cr, transposed)[-1]


def fused_linear(library):
    nn, layer = library.nn, linear(library)
    norm = nn.BatchNorm1d(3)
    norm.running_mean.normal_()
    norm.running_var.uniform_(1, 2)
    together = nn.utils.fuse_linear_bn_eval(layer.eval(), norm.eval())
    return state(together), tried(lambda: nn.utils.fuse_linear_bn_eval(layer, norm.train()))


def test_fused_linear_layer_is_the_same():
    assert is_like(fused_linear(cr), fused_linear(torch))


def skipped(library):
    skip = library.nn.utils.skip_init
    return (
        repr(skip(library.nn.Linear, 2, 3)),
        tried(lambda: skip(int)),
        tried(lambda: skip(library.nn.ReLU)),
    )


def test_module_without_initialisation_is_refused_alike():
    assert skipped(cr) == skipped(torch)


def called(library):
    call, module = library.nn.utils.stateless.functional_call, linear(library)
    other = {"weight": library.zeros(3, 3)}
    return (
        call(module, other, library.ones(3)).tolist(),
        module.weight.tolist(),
        tried(lambda: call(module, other, library.ones(3), strict=True)),
        tried(lambda: call(module, {"foo": library.ones(3)}, library.ones(3), strict=True)),
    )


def test_module_is_called_with_other_tensors_alike():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        assert is_like(called(cr), called(torch))


def test_every_name_is_there():
    missing = set(torch.nn.utils.__all__) - set(cr.nn.utils.__all__)

    assert missing == {"convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"}
