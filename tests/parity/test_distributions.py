"""Distributions beside PyTorch's: what they tell of themselves, densities, draws, divergences."""

from __future__ import annotations

import contextlib
import itertools
import warnings

import numpy as np
import pytest
import torch

import chainrule

LIBS = (chainrule, torch)
POSITIVE = [0.5, 1.0, 2.5]
REAL = [-1.0, 0.0, 2.0]
PROBS = [0.2, 0.5, 0.9]

#: The distribution, its parameters, values at which it is asked, and whether the draws for one
#: seed are PyTorch's (gamma variables are drawn in another order).
TABLE = {
    "Normal": ({"loc": REAL, "scale": POSITIVE}, [0.3, -1.0, 2.0], True),
    "LogNormal": ({"loc": REAL, "scale": POSITIVE}, [0.3, 1.0, 2.0], True),
    "HalfNormal": ({"scale": POSITIVE}, [0.3, 1.0, 2.0], True),
    "Uniform": ({"low": REAL, "high": [0.0, 1.0, 5.0]}, [-0.5, 0.25, 3.0], True),
    "Exponential": ({"rate": POSITIVE}, [0.3, 1.0, 2.0], True),
    "Laplace": ({"loc": REAL, "scale": POSITIVE}, [0.3, -1.0, 2.0], True),
    "Cauchy": ({"loc": REAL, "scale": POSITIVE}, [0.3, -1.0, 2.0], True),
    "HalfCauchy": ({"scale": POSITIVE}, [0.3, 1.0, 2.0], True),
    "Gumbel": ({"loc": REAL, "scale": POSITIVE}, [0.3, -1.0, 2.0], True),
    "Weibull": ({"scale": POSITIVE, "concentration": [1.5, 1.0, 2.0]}, [0.3, 1.0, 2.0], True),
    "Pareto": ({"scale": POSITIVE, "alpha": [3.0, 2.5, 4.0]}, [0.6, 1.5, 3.0], True),
    "Kumaraswamy": (
        {"concentration1": [1.5, 2.0, 3.0], "concentration0": [2.0, 1.5, 4.0]},
        [0.2, 0.5, 0.7],
        True,
    ),
    "GeneralizedPareto": (
        {"loc": REAL, "scale": POSITIVE, "concentration": [0.1, 0.0, 0.3]},
        [-0.5, 0.6, 3.0],
        True,
    ),
    "Bernoulli": ({"probs": PROBS}, [0.0, 1.0, 1.0], True),
    "Bernoulli of logits": ({"logits": REAL}, [0.0, 1.0, 1.0], True),
    "Geometric": ({"probs": PROBS}, [0.0, 1.0, 3.0], True),
    "Binomial": ({"total_count": 4, "probs": PROBS}, [0.0, 1.0, 3.0], False),
    "NegativeBinomial": ({"total_count": 4.0, "probs": PROBS}, [0.0, 1.0, 3.0], False),
    "Poisson": ({"rate": POSITIVE}, [0.0, 1.0, 3.0], False),
    "Categorical": ({"probs": PROBS}, 1, True),
    "Categorical of logits": ({"logits": [REAL, POSITIVE]}, [2, 0], True),
    "OneHotCategorical": ({"probs": PROBS}, [0.0, 1.0, 0.0], True),
    "Multinomial": ({"total_count": 3, "probs": PROBS}, [1.0, 0.0, 2.0], True),
    "Gamma": ({"concentration": [0.7, 1.0, 3.0], "rate": POSITIVE}, [0.3, 1.0, 2.0], False),
    "Chi2": ({"df": [1.5, 2.0, 5.0]}, [0.3, 1.0, 2.0], False),
    "InverseGamma": ({"concentration": [1.5, 2.5, 3.0], "rate": POSITIVE}, [0.3, 1.0, 2.0], False),
    "Beta": (
        {"concentration1": [1.5, 2.0, 0.7], "concentration0": [2.0, 1.0, 4.0]},
        [0.2, 0.5, 0.7],
        False,
    ),
    "ContinuousBernoulli": ({"probs": [0.2, 0.5, 0.9]}, [0.2, 0.5, 0.7], True),
    "ContinuousBernoulli of logits": ({"logits": REAL}, [0.2, 0.5, 0.7], True),
    "VonMises": ({"loc": REAL, "concentration": POSITIVE}, [0.3, -1.0, 2.0], True),
    "LKJCholesky": (
        {"dim": 2, "concentration": POSITIVE},
        [[1.0, 0.0], [0.6, 0.8]],
        False,
    ),
    "Wishart": (
        {"df": [3.0, 4.5], "covariance_matrix": [[2.0, 0.5], [0.5, 1.0]]},
        [[3.0, 0.2], [0.2, 1.0]],
        False,
    ),
    "Wishart of a factor": (
        {"df": [3.0, 4.5], "scale_tril": [[2.0, 0.0], [0.5, 1.0]]},
        [[3.0, 0.2], [0.2, 1.0]],
        False,
    ),
    "Wishart of a precision": (
        {"df": [3.0, 4.5], "precision_matrix": [[2.0, 0.5], [0.5, 1.0]]},
        [[3.0, 0.2], [0.2, 1.0]],
        False,
    ),
    "Dirichlet": ({"concentration": [[1.5, 2.0, 3.0], POSITIVE]}, [0.2, 0.5, 0.3], False),
    "StudentT": ({"df": [1.5, 2.5, 4.0], "loc": REAL, "scale": POSITIVE}, [0.3, -1.0, 2.0], False),
    "FisherSnedecor": ({"df1": [1.5, 2.5, 4.0], "df2": [5.0, 6.0, 4.5]}, [0.3, 1.0, 2.0], False),
    "MultivariateNormal": (
        {"loc": [0.5, -1.0], "covariance_matrix": [[2.0, 0.5], [0.5, 1.0]]},
        [0.3, 1.0],
        True,
    ),
    "MultivariateNormal of a factor": (
        {"loc": [[0.5, -1.0], [0.0, 2.0]], "scale_tril": [[2.0, 0.0], [0.5, 1.0]]},
        [0.3, 1.0],
        True,
    ),
    "MultivariateNormal of a precision": (
        {"loc": [0.5, -1.0], "precision_matrix": [[2.0, 0.5], [0.5, 1.0]]},
        [0.3, 1.0],
        True,
    ),
    "LowRankMultivariateNormal": (
        {"loc": [0.5, -1.0], "cov_factor": [[1.0], [0.5]], "cov_diag": [0.5, 2.0]},
        [0.3, 1.0],
        True,
    ),
    "RelaxedBernoulli": ({"temperature": 0.5, "probs": PROBS}, [0.3, 0.5, 0.8], True),
    "RelaxedOneHotCategorical": ({"temperature": 0.5, "probs": PROBS}, [0.2, 0.3, 0.5], True),
    "LogisticNormal": ({"loc": REAL, "scale": POSITIVE}, [0.2, 0.3, 0.1, 0.4], True),
}


#: What PyTorch gets wrong, and how.
WRONG_IN_PYTORCH = {
    ("Kumaraswamy", "mode"): "it takes the logarithm of a negative number",
    ("GeneralizedPareto", "log_prob"): "it compares double precision with single, and raises",
    ("GeneralizedPareto", "cdf"): "likewise",
    ("VonMises", "log_prob"): "its Bessel functions are right to 6 digits: see the draws",
}


def made(lib, name, *, requires_grad=False):
    """Return the distribution *name* of *lib*, and its floating parameters."""
    params = {}
    for key, value in TABLE[name][0].items():
        if isinstance(value, int):
            params[key] = value
        else:
            params[key] = lib.tensor(np.array(value)).requires_grad_(requires_grad)
    kind = getattr(lib.distributions, name.partition(" ")[0])
    return kind(**params), [p for p in params.values() if not isinstance(p, int)]


def value_of(lib, name):
    return lib.tensor(np.array(TABLE[name][1]))


def told(function):
    """Return what *function* gives, or which kind of error it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function()
        except (NotImplementedError, ValueError, RuntimeError):
            return "refused"


def assert_alike(mine, other):
    if isinstance(other, torch.Tensor):
        np.testing.assert_allclose(
            mine.detach().numpy(), other.detach().numpy(), rtol=1e-6, atol=1e-9
        )
    else:
        assert mine == other


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize(
    "fact", ["mean", "mode", "variance", "stddev", "batch_shape", "event_shape"]
)
def test_facts(name, fact):
    if (name, fact) in WRONG_IN_PYTORCH:
        pytest.skip(WRONG_IN_PYTORCH[name, fact])
    mine, other = (told(lambda lib=lib: getattr(made(lib, name)[0], fact)) for lib in LIBS)

    assert_alike(mine, other)


@pytest.mark.parametrize("name", TABLE)
def test_words(name):
    ours, theirs = (made(lib, name)[0] for lib in LIBS)

    assert repr(ours) == repr(theirs)
    assert repr(ours.support).replace("\n", "") == repr(theirs.support).replace("\n", "")
    assert ours.has_rsample == theirs.has_rsample
    assert ours.has_enumerate_support == theirs.has_enumerate_support


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("question", ["log_prob", "cdf"])
def test_densities_and_their_gradients(name, question):
    if (name, question) in WRONG_IN_PYTORCH:
        pytest.skip(WRONG_IN_PYTORCH[name, question])
    outcomes = []
    for lib in LIBS:
        distribution, params = made(lib, name, requires_grad=True)
        ask, value = getattr(distribution, question), value_of(lib, name)
        result = told(lambda ask=ask, value=value: ask(value))
        outcomes.append((result, params))
    (mine, params), (other, their_params) = outcomes
    assert_alike(mine, other)
    if isinstance(other, torch.Tensor) and other.requires_grad:
        with contextlib.suppress(RuntimeError, NotImplementedError):
            other.sum().backward()  # in places PyTorch has no formula
            mine.sum().backward()
            for own, theirs in zip(params, their_params, strict=True):
                if theirs.grad is not None:
                    assert_alike(own.grad, theirs.grad)


@pytest.mark.parametrize("name", TABLE)
def test_quantiles(name):
    mine, other = (
        told(lambda lib=lib: made(lib, name)[0].icdf(lib.tensor(0.3, dtype=lib.float64)))
        for lib in LIBS
    )

    assert_alike(mine, other)


@pytest.mark.parametrize("name", TABLE)
def test_entropies(name):
    mine, other = (told(lambda lib=lib: made(lib, name)[0].entropy()) for lib in LIBS)

    assert_alike(mine, other)


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("expand", [True, False])
def test_supports_are_listed(name, expand):
    mine, other = (
        told(lambda lib=lib: made(lib, name)[0].enumerate_support(expand=expand)) for lib in LIBS
    )

    assert_alike(mine, other)


@pytest.mark.parametrize("name", [n for n, row in TABLE.items() if row[2]])
def test_draws_for_a_seed(name):
    draws = []
    for lib in LIBS:
        lib.manual_seed(3)
        draws.append(made(lib, name)[0].sample((5,)))

    assert_alike(*draws)


@pytest.mark.parametrize(
    "name", [n for n in TABLE if "Multivariate" not in n and "Logistic" not in n]
)
def test_expanded(name):
    if (name, "log_prob") in WRONG_IN_PYTORCH:
        pytest.skip(WRONG_IN_PYTORCH[name, "log_prob"])
    outcomes = []
    for lib in LIBS:
        distribution = made(lib, name)[0]
        expanded = distribution.expand((2, *distribution.batch_shape))
        value = value_of(lib, name)
        outcomes.append(
            (expanded.batch_shape, told(lambda e=expanded, value=value: e.log_prob(value)))
        )

    assert outcomes[0][0] == outcomes[1][0]
    assert_alike(outcomes[0][1], outcomes[1][1])


@pytest.mark.parametrize("name", [n for n, row in TABLE.items() if row[2]])
def test_gradients_through_draws(name):
    if not made(torch, name)[0].has_rsample:
        pytest.skip("gradients do not flow through its draws, in PyTorch either")
    gradients = []
    for lib in LIBS:
        lib.manual_seed(3)
        distribution, params = made(lib, name, requires_grad=True)
        (distribution.rsample((4,)) ** 2).sum().backward()
        gradients.append([p.grad for p in params])

    for mine, other in zip(*gradients, strict=True):
        if other is None:
            assert mine is None
        else:
            assert_alike(mine, other)


def test_implicit_gradients_of_gamma_variables():
    """The slope of a draw in the concentration depends on the draw alone: compare at ours."""
    from chainrule.distributions._gamma import _slope

    a = np.array([0.3, 0.7, 1.0, 2.5, 8.0, 30.0])
    x = a * np.array([0.4, 1.2, 0.9, 1.1, 0.8, 1.05])
    ours = _slope(chainrule.tensor(a), chainrule.tensor(x))
    theirs = torch._standard_gamma_grad(torch.tensor(a), torch.tensor(x))

    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-4)


PAIRS = [
    (p, q)
    for p, q in itertools.product(TABLE, TABLE)
    if " " not in p + q and "Multi" not in p + q and "Categorical" not in p + q
]


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_divergences(p, q):
    results = []
    for lib in LIBS:
        a, b = made(lib, p)[0], made(lib, q)[0]
        results.append(told(lambda lib=lib, a=a, b=b: lib.distributions.kl_divergence(a, b)))

    assert_alike(*results)


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("Normal", {"loc": [0.0], "scale": [-1.0]}),
        ("Uniform", {"low": [1.0], "high": [0.0]}),
        ("Bernoulli", {"probs": [1.5]}),
        ("Categorical", {"probs": [-1.0, 2.0]}),
        ("MultivariateNormal", {"loc": [0.0, 0.0], "covariance_matrix": [[1.0, 2.0], [2.0, 1.0]]}),
        ("Exponential", {"rate": [float("nan")]}),
    ],
)
def test_parameters_out_of_bounds_are_refused_with_the_same_words(kind, params):
    words = []
    for lib in LIBS:
        with pytest.raises(ValueError, match="Expected parameter") as caught:
            getattr(lib.distributions, kind)(**{k: lib.tensor(v) for k, v in params.items()})
        words.append(str(caught.value))

    assert words[0] == words[1]


def test_values_out_of_the_support_are_refused_with_the_same_words():
    words = []
    for lib in LIBS:
        with pytest.raises(ValueError, match="Expected value argument") as caught:
            lib.distributions.Exponential(lib.tensor(1.0)).log_prob(lib.tensor(-1.0))
        words.append(str(caught.value))

    assert words[0] == words[1]


TRANSFORMS = {
    "exp": (lambda lib, dist: dist.ExpTransform(), [0.3, -1.0]),
    "power": (
        lambda lib, dist: dist.PowerTransform(lib.tensor(2.0, dtype=lib.float64)),
        [0.3, 1.5],
    ),
    "sigmoid": (lambda lib, dist: dist.SigmoidTransform(), [0.3, -1.0]),
    "softplus": (lambda lib, dist: dist.SoftplusTransform(), [0.3, -1.0]),
    "tanh": (lambda lib, dist: dist.TanhTransform(), [0.3, -1.0]),
    "affine": (lambda lib, dist: dist.AffineTransform(1.0, -2.0), [0.3, -1.0]),
    "affine of events": (
        lambda lib, dist: dist.AffineTransform(1.0, 2.0, event_dim=1),
        [0.3, -1.0],
    ),
    "stick": (lambda lib, dist: dist.StickBreakingTransform(), [0.3, -1.0]),
    "corr": (lambda lib, dist: dist.CorrCholeskyTransform(), [0.3, -1.0, 0.2]),
    "reshape": (lambda lib, dist: dist.ReshapeTransform((2,), (2, 1)), [0.3, -1.0]),
    "composed": (
        lambda lib, dist: dist.ComposeTransform(
            [dist.AffineTransform(0.0, 2.0), dist.ExpTransform()]
        ),
        [0.3, -1.0],
    ),
    "independent": (
        lambda lib, dist: dist.IndependentTransform(dist.ExpTransform(), 1),
        [0.3, -1.0],
    ),
    "inverse": (lambda lib, dist: dist.ExpTransform().inv, [0.3, 1.0]),
    "cumulative": (
        lambda lib, dist: dist.CumulativeDistributionTransform(dist.Normal(0.0, 1.0)),
        [0.3, -1.0],
    ),
    "stack": (
        lambda lib, dist: dist.StackTransform([dist.ExpTransform(), dist.TanhTransform()]),
        [0.3, -1.0],
    ),
    "cat": (
        lambda lib, dist: dist.CatTransform([dist.ExpTransform(), dist.TanhTransform()]),
        [0.3, -1.0],
    ),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    make, values = TRANSFORMS[name]
    outcomes = []
    for lib in LIBS:
        transform, x = make(lib, lib.distributions), lib.tensor(np.array(values))
        y = transform(x)
        outcomes.append((y, transform.inv(y), transform.log_abs_det_jacobian(x, y)))
        assert transform.forward_shape(x.shape) == y.shape

    for mine, other in zip(*outcomes, strict=True):
        assert_alike(mine, other)


CONSTRAINTS = ["real", "positive", "nonnegative", "unit_interval", "simplex", "lower_cholesky",
               "positive_definite", "corr_cholesky", "real_vector"]  # fmt: skip


@pytest.mark.parametrize("name", CONSTRAINTS)
@pytest.mark.parametrize("table", ["biject_to", "transform_to"])
def test_ways_into_constraints(name, table):
    def way(lib):
        constraint = getattr(lib.distributions.constraints, name)
        shape = (2, 2) if "cholesky" in name or "definite" in name else (3,)
        shape = (1,) if name == "corr_cholesky" else shape
        x = lib.linspace(-1.0, 1.0, int(np.prod(shape)), dtype=lib.float64).reshape(shape)
        y = getattr(lib.distributions, table)(constraint)(x)
        assert constraint.check(y).all()
        return y

    mine, other = (told(lambda lib=lib: way(lib)) for lib in LIBS)
    assert_alike(mine, other)
