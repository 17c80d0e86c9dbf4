"""Distributions: what is promised of draws, densities and errors, without PyTorch at hand."""

from __future__ import annotations

import math

import pytest

import chainrule as cr
from chainrule import distributions as dist
from chainrule.distributions import constraints

CONTINUOUS = {
    "Normal": lambda: dist.Normal(cr.tensor(0.5), cr.tensor(1.5)),
    "Uniform": lambda: dist.Uniform(cr.tensor(-1.0), cr.tensor(2.0)),
    "Exponential": lambda: dist.Exponential(cr.tensor(1.5)),
    "Laplace": lambda: dist.Laplace(cr.tensor(0.5), cr.tensor(1.5)),
    "Gamma": lambda: dist.Gamma(cr.tensor(2.5), cr.tensor(1.5)),
    "Gamma of a small shape": lambda: dist.Gamma(cr.tensor(0.4), cr.tensor(1.0)),
    "Beta": lambda: dist.Beta(cr.tensor(2.0), cr.tensor(3.0)),
    "StudentT": lambda: dist.StudentT(cr.tensor(8.0), cr.tensor(0.5), cr.tensor(1.5)),
    "Gumbel": lambda: dist.Gumbel(cr.tensor(0.5), cr.tensor(1.5)),
    "LogNormal": lambda: dist.LogNormal(cr.tensor(0.1), cr.tensor(0.4)),
    "HalfNormal": lambda: dist.HalfNormal(cr.tensor(1.5)),
    "Weibull": lambda: dist.Weibull(cr.tensor(1.5), cr.tensor(2.0)),
    "Kumaraswamy": lambda: dist.Kumaraswamy(cr.tensor(2.0), cr.tensor(3.0)),
    "ContinuousBernoulli": lambda: dist.ContinuousBernoulli(cr.tensor(0.3)),
    "ContinuousBernoulli near one half": lambda: dist.ContinuousBernoulli(cr.tensor(0.4995)),
    "GeneralizedPareto": lambda: dist.GeneralizedPareto(
        cr.tensor(0.5), cr.tensor(1.0), cr.tensor(0.1)
    ),
}
DISCRETE = {
    "Bernoulli": lambda: dist.Bernoulli(cr.tensor(0.3)),
    "Binomial": lambda: dist.Binomial(5, cr.tensor(0.3)),
    "Categorical": lambda: dist.Categorical(cr.tensor([0.2, 0.5, 0.3])),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_draws_have_the_mean_and_variance_that_are_told(name):
    cr.manual_seed(0)
    distribution = CONTINUOUS[name]()
    draws = distribution.sample((20000,))
    error = 5 * math.sqrt(distribution.variance.item() / 20000)

    assert abs(draws.mean().item() - distribution.mean.item()) < error
    assert draws.var().item() == pytest.approx(distribution.variance.item(), rel=0.15)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_density_adds_up_to_one(name):
    if name == "Gamma of a small shape":
        pytest.skip("its density is infinite at zero, where a sum is no integral")
    distribution = CONTINUOUS[name]()
    edges = {
        "Uniform": (-1.0, 2.0),
        **dict.fromkeys(("Beta", "Kumaraswamy", "ContinuousBernoulli"), (0.0, 1.0)),
        "ContinuousBernoulli near one half": (0.0, 1.0),
    }
    low, high = edges.get(name, (-60.0, 60.0))
    support = distribution.support
    x = cr.linspace(low, high, 400001, dtype=cr.float64)[1:-1]
    inside = support.check(x)
    density = distribution.log_prob(x[inside]).exp()
    total = density.sum().item() * (high - low) / 400000

    assert total == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", DISCRETE)
def test_probabilities_add_up_to_one(name):
    distribution = DISCRETE[name]()
    values = distribution.enumerate_support()

    assert distribution.log_prob(values).exp().sum().item() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_gradient_through_draws_is_that_of_the_mean(name):
    """The derivative of the mean in the first parameter, by draws and by formula."""
    if name in {"StudentT", "Gamma of a small shape"}:
        pytest.skip("its draws scatter too much for a test of this size")
    if name == "ContinuousBernoulli near one half":
        pytest.skip("its draws are uniform there, whatever the parameter, as in PyTorch")
    cr.manual_seed(0)
    base = CONTINUOUS[name]()
    parameter = next(iter(base.arg_constraints))
    given = {n: getattr(base, n).detach() for n in base.arg_constraints}
    given[parameter] = given[parameter].clone().requires_grad_()
    given.pop("logits", None)  # one of the two
    kind = type(base)
    draws = kind(**given).rsample((20000,))
    draws.mean().backward()
    by_draws = given[parameter].grad.item()
    (by_formula,) = cr.autograd.grad(kind(**given).mean, given[parameter], allow_unused=True)

    assert by_draws == pytest.approx(by_formula.item(), abs=0.05)


def test_policy_gradient_flows_through_the_logarithm_of_the_probability():
    logits = cr.zeros(3, requires_grad=True)
    policy = dist.Categorical(logits=logits)
    (-policy.log_prob(cr.tensor(1)) * 2.0).backward()

    assert logits.grad.tolist() == pytest.approx([2 / 3, -4 / 3, 2 / 3])


def test_batches_and_events_have_the_shapes_that_are_told():
    normal = dist.Normal(cr.zeros(4, 3), cr.ones(3))
    assert (normal.batch_shape, normal.event_shape) == ((4, 3), ())
    assert normal.sample((2,)).shape == (2, 4, 3)

    grouped = dist.Independent(normal, 1)
    assert (grouped.batch_shape, grouped.event_shape) == ((4,), (3,))
    assert grouped.log_prob(cr.zeros(4, 3)).shape == (4,)


def test_mixture_weighs_its_components():
    mixture = dist.MixtureSameFamily(
        dist.Categorical(cr.tensor([0.25, 0.75])), dist.Normal(cr.tensor([-2.0, 2.0]), cr.ones(2))
    )
    x = cr.tensor(0.5)
    parts = [dist.Normal(m, 1.0).log_prob(x).exp() for m in (-2.0, 2.0)]

    assert mixture.log_prob(x).exp().item() == pytest.approx(
        (0.25 * parts[0] + 0.75 * parts[1]).item()
    )
    assert mixture.mean.item() == pytest.approx(1.0)
    assert mixture.sample((7,)).shape == (7,)


def test_sample_has_no_history_and_rsample_has():
    loc = cr.tensor(0.0, requires_grad=True)
    normal = dist.Normal(loc, 1.0)

    assert not normal.sample().requires_grad
    assert normal.rsample().requires_grad


def test_checks_can_be_left_out():
    with pytest.raises(ValueError, match="Expected parameter scale"):
        dist.Normal(0.0, -1.0)

    assert dist.Normal(0.0, -1.0, validate_args=False).scale.item() == -1.0


def test_parameters_must_be_tensors_or_numbers():
    with pytest.raises(ValueError, match="Input arguments must all be instances of Number"):
        dist.Normal([0.0], [1.0])


def test_both_or_neither_of_two_parameters_is_refused():
    for given in ({}, {"probs": cr.tensor(0.5), "logits": cr.tensor(0.0)}):
        with pytest.raises(ValueError, match="Either `probs` or `logits` must be specified"):
            dist.Bernoulli(**given)


def test_divergence_without_a_formula_names_the_two_kinds():
    with pytest.raises(NotImplementedError, match=r"No KL.* p type Cauchy and q type Normal"):
        dist.kl_divergence(dist.Cauchy(0.0, 1.0), dist.Normal(0.0, 1.0))


def test_registered_divergence_is_found_for_subclasses():
    class Mine(dist.Normal):
        pass

    @dist.register_kl(Mine, Mine)
    def mine(p, q):
        return cr.tensor(42.0)

    assert dist.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0)).item() == 42.0
    assert dist.kl_divergence(dist.Normal(0.0, 1.0), dist.Normal(0.0, 1.0)).item() == 0.0


def test_registered_divergence_is_found_for_an_interface():
    class Common:
        pass

    class Mine(dist.Cauchy, Common):
        pass

    @dist.register_kl(Common, dist.Normal)
    def mine(p, q):
        return cr.tensor(43.0)

    assert dist.kl_divergence(Mine(0.0, 1.0), dist.Normal(0.0, 1.0)).item() == 43.0
    with pytest.raises(TypeError, match="Expected type_q to be a Distribution subclass but got 3"):
        dist.register_kl(Mine, 3)


def test_distribution_of_a_user_expands_and_prints():
    class Shifted(dist.Distribution):
        arg_constraints = {"shift": constraints.real}  # noqa: RUF012 - as people write it
        support = constraints.real
        has_rsample = True

        def __init__(self, shift):
            self.shift = shift
            super().__init__(shift.shape)

        def rsample(self, sample_shape=()):
            return self.shift + cr.zeros(self._extended_shape(sample_shape))

    shifted = Shifted(cr.tensor([1.0, 2.0]))
    assert repr(shifted) == "Shifted(shift: torch.Size([2]))"
    assert shifted.sample((3,)).shape == (3, 2)


@pytest.mark.parametrize("concentration", [0.05, 1.0, 20.0])
def test_angles_are_drawn_by_their_density(concentration):
    cr.manual_seed(0)
    angles = dist.VonMises(cr.tensor(1.0), cr.tensor(concentration))
    draws = angles.sample((20000,))
    x = cr.linspace(-math.pi, math.pi, 20001, dtype=cr.float64)
    density = angles.log_prob(x).exp()

    assert density.sum().item() * 2 * math.pi / 20000 == pytest.approx(1, rel=1e-4)
    assert -math.pi <= draws.min().item() <= draws.max().item() <= math.pi
    expected = (density * (x - 1).cos()).sum().item() * 2 * math.pi / 20000
    assert (draws - 1).cos().mean().item() == pytest.approx(expected, abs=0.02)
    assert expected == pytest.approx(1 - angles.variance.item(), abs=1e-3)


def test_log_density_of_angles_is_exact():
    log_bessel = 1.19083867119603  # log I0(2.5), by mpmath
    angles = dist.VonMises(cr.tensor(0.0, dtype=cr.float64), cr.tensor(2.5, dtype=cr.float64))
    found = angles.log_prob(cr.tensor(0.5, dtype=cr.float64)).item()

    assert found == pytest.approx(2.5 * math.cos(0.5) - math.log(2 * math.pi) - log_bessel, 1e-8)


def test_factors_of_correlations_have_rows_of_length_one():
    cr.manual_seed(0)
    kind = dist.LKJCholesky(4, cr.tensor([0.5, 3.0]))
    factors = kind.sample((4000,))
    correlations = factors @ factors.mT
    entries = correlations[..., 1, 0]

    assert factors.shape == (4000, 2, 4, 4)
    assert cr.allclose(correlations.diagonal(dim1=-2, dim2=-1), cr.ones(4), atol=1e-5)
    assert entries.mean(0).abs().max().item() < 0.05
    # Each correlation is a beta variable between -1 and 1, with both parameters c - 1 + n / 2.
    beta = kind.concentration - 1 + 2
    assert cr.allclose(entries.var(0), 1 / (2 * beta + 1), rtol=0.1)


def test_sums_of_outer_products_have_the_mean_and_variance_that_are_told():
    cr.manual_seed(0)
    kind = dist.Wishart(cr.tensor(4.5), cr.tensor([[2.0, 0.5], [0.5, 1.0]]))
    draws = kind.sample((20000,))

    assert cr.allclose(draws.mean(0), kind.mean, rtol=0.05)
    assert cr.allclose(draws.var(0), kind.variance, rtol=0.1)
    assert (draws - draws.mT).abs().max().item() < 1e-4


def test_few_degrees_of_freedom_are_refused():
    with pytest.raises(ValueError, match="expected to be greater than ndim - 1 = 1"):
        dist.Wishart(cr.tensor(1.0), cr.eye(2))
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        dist.LKJCholesky(1)


def test_precision_is_the_inverse_of_the_covariance():
    covariance = cr.tensor([[2.0, 0.5], [0.5, 1.0]])
    for kind in (
        dist.MultivariateNormal(cr.zeros(2), covariance),
        dist.Wishart(cr.tensor(3.0), covariance),
    ):
        assert cr.allclose(kind.precision_matrix, cr.linalg.inv(covariance), atol=1e-6)


def test_density_of_gamma_takes_a_number():
    one = cr.ones(2)

    assert dist.Gamma(one, one).log_prob(2).tolist() == [-2, -2]
    assert dist.Chi2(2 * one).log_prob(0.0).tolist() == pytest.approx([math.log(0.5)] * 2)


def test_a_subclass_may_show_its_events_in_another_shape():
    class OfTasks(cr.distributions.MultivariateNormal):
        @property
        def event_shape(self):
            return cr.Size((3, 2))

    of_tasks = OfTasks(cr.zeros(6), scale_tril=cr.eye(6) * 2)

    assert of_tasks.variance.tolist() == [4.0] * 6
    assert of_tasks.entropy().isfinite()
    assert of_tasks.scale_tril.shape == (6, 6)
