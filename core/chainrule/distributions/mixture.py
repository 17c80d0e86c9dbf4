"""Mixtures of distributions of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .. import ops
from ..grad_mode import no_grad
from ..shapes import Size
from . import constraints
from .categorical import Categorical
from .distribution import Distribution

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["MixtureSameFamily"]


class _MixtureConstraint(constraints.Constraint):
    """The support of the components, each value checked against all of them."""

    def __init__(self, base_constraint: constraints.Constraint) -> None:
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]  # the components'
        """Whether the components are discrete."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]  # the components'
        """How many dimensions are checked together."""
        return self.base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        where = -1 - self.event_dim
        checked = self.base_constraint.check(value.unsqueeze(where))
        if checked.dim() < self.event_dim:
            return checked
        return checked.all(-1) if checked.dim() else checked


class MixtureSameFamily(Distribution):
    """A draw of one of the components, which is drawn by *mixture_distribution*.

    Args:
        mixture_distribution: A `Categorical`; its categories are the components.
        component_distribution: A distribution whose last batch dimension numbers the components.

    >>> import chainrule as cr
    >>> from chainrule.distributions import Normal
    >>> mix = Categorical(cr.ones(2))
    >>> MixtureSameFamily(mix, Normal(cr.tensor([-1.0, 1.0]), 1.0)).mean
    tensor(0.)
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            msg = (
                " The Mixture distribution needs to be an  instance of "
                "torch.distributions.Categorical"
            )
            raise ValueError(msg)  # noqa: TRY004 - PyTorch's type
        if not isinstance(component_distribution, Distribution):
            msg = (
                "The Component distribution need to be an instance of "
                "torch.distributions.Distribution"
            )
            raise ValueError(msg)  # noqa: TRY004 - likewise
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        batch = component_distribution.batch_shape[:-1]
        for mine, theirs in zip(
            reversed(mixture_distribution.batch_shape), reversed(batch), strict=False
        ):
            if 1 not in {mine, theirs} and mine != theirs:
                msg = (
                    f"`mixture_distribution.batch_shape` ({mixture_distribution.batch_shape}) is "
                    "not compatible with `component_distribution.batch_shape`"
                    f"({component_distribution.batch_shape})"
                )
                raise ValueError(msg)
        components = mixture_distribution.logits.shape[-1]
        found = component_distribution.batch_shape[-1]
        if components != found:
            msg = (
                f"`mixture_distribution component` ({components}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({found})"
            )
            raise ValueError(msg)
        self._num_component = components
        events = component_distribution.event_shape
        self._event_ndims = len(events)
        super().__init__(batch, events, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new: Any = self._get_checked_instance(MixtureSameFamily, _instance)
        shape = Size(batch_shape)
        new._component_distribution = self._component_distribution.expand(
            (*shape, self._num_component)
        )
        new._mixture_distribution = self._mixture_distribution.expand(shape)
        new._num_component, new._event_ndims = self._num_component, self._event_ndims
        Distribution.__init__(new, shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        """The support of the components."""
        return _MixtureConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """The distribution of the components' numbers."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components, along the last batch dimension."""
        return self._component_distribution

    def _weights(self) -> Tensor:
        probs = self.mixture_distribution.probs
        return probs.reshape((*probs.shape, *(1,) * self._event_ndims))

    @property
    def mean(self) -> Tensor:
        weighted = self._weights() * self.component_distribution.mean
        return weighted.sum(-1 - self._event_ndims)

    @property
    def variance(self) -> Tensor:
        dim = -1 - self._event_ndims
        inside = (self._weights() * self.component_distribution.variance).sum(dim)
        away = self.component_distribution.mean - self.mean.unsqueeze(dim)
        return inside + (self._weights() * away.pow(2.0)).sum(dim)

    def cdf(self, value: Tensor) -> Tensor:
        values = self.component_distribution.cdf(value.unsqueeze(-1 - self._event_ndims))
        return (values * self.mixture_distribution.probs).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value = value.unsqueeze(-1 - self._event_ndims)
        densities = self.component_distribution.log_prob(value)
        weights = ops.log_softmax(self.mixture_distribution.logits, dim=-1)
        return ops.logsumexp(densities + weights, dim=-1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = Size(sample_shape)
        with no_grad():
            dim = len(shape) + len(self.batch_shape)
            chosen = self.mixture_distribution.sample(shape)
            draws = self.component_distribution.sample(shape)
            index = chosen.reshape((*chosen.shape, *(1,) * (self._event_ndims + 1)))
            repeats = (*(1,) * (len(chosen.shape) + 1), *self.event_shape)
            return ops.gather(draws, dim, index.repeat(repeats)).squeeze(dim)

    def __repr__(self) -> str:
        return (
            f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"
        )
