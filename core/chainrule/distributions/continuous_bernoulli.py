"""The continuous Bernoulli distribution, of numbers between zero and one.

Its density is ``C(p) p^x (1 - p)^(1 - x)``. Near ``p = 1/2``, where its formulas divide zero by
zero, the first terms of their Taylor series are taken.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from .. import ops
from . import constraints
from .bernoulli import _ProbsOrLogits
from .distribution import ExponentialFamily
from .utils import broadcast_all, clamp_probs

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(ExponentialFamily, _ProbsOrLogits):
    """Numbers between zero and one, of a density that grows or falls as a power.

    Source:
        Loaiza-Ganem and Cunningham, "The continuous Bernoulli: fixing a pervasive error in
        variational autoencoders", 2019.

    >>> import chainrule as cr
    >>> ContinuousBernoulli(cr.tensor(0.3)).mean
    tensor(0.4302)
    """

    arg_constraints: ClassVar = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        shape, _ = self._give(probs, logits)
        if probs is not None:
            given = self.__dict__["probs"]
            if validate_args is not False and not constraints.unit_interval.check(given).all():
                msg = f"The parameter probs has invalid values\ngot {given}."
                raise ValueError(msg)
            self.__dict__["probs"] = clamp_probs(given)
        self._lims = lims
        super().__init__(shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._expanded(ContinuousBernoulli, batch_shape, _instance, ("probs", "logits"))
        new._lims = self._lims
        return new

    def _apart(self) -> tuple[Tensor, Tensor]:
        """Return where the probability is not near one half, and probabilities that are not."""
        low, high = self._lims
        stable = (self.probs <= low) | (self.probs > high)
        return stable, ops.where(stable, self.probs, low)

    def _cont_bern_log_norm(self) -> Tensor:
        """Return ``log C``."""
        stable, probs = self._apart()
        away = ops.where(probs <= 0.5, ops.log1p(-2.0 * probs), ops.log(ops.abs(2.0 * probs - 1.0)))
        exact = ops.log(ops.abs(ops.log1p(-probs) - ops.log(probs))) - away
        x = (self.probs - 0.5).pow(2)
        return ops.where(stable, exact, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Tensor:
        stable, probs = self._apart()
        exact = probs / (2.0 * probs - 1.0) + 1.0 / (ops.log1p(-probs) - ops.log(probs))
        x = self.probs - 0.5
        return ops.where(stable, exact, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x)

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    @property
    def variance(self) -> Tensor:
        stable, probs = self._apart()
        exact = probs * (probs - 1.0) / (1.0 - 2.0 * probs).pow(2)
        exact = exact + 1.0 / (ops.log1p(-probs) - ops.log(probs)).pow(2)
        x = (self.probs - 0.5).pow(2)
        return ops.where(stable, exact, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(ops.rand(shape, dtype=self.probs.dtype, device=self.probs.device))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        crossed = ops.binary_cross_entropy_with_logits(logits, value, reduction="none")
        return self._cont_bern_log_norm() - crossed

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        stable, probs = self._apart()
        power = probs.pow(value) * (1.0 - probs).pow(1.0 - value)
        inside = ops.where(stable, (power + probs - 1.0) / (2.0 * probs - 1.0), value)
        return ops.where(value <= 0.0, 0.0, ops.where(value >= 1.0, 1.0, inside))

    def icdf(self, value: Tensor) -> Tensor:
        stable, probs = self._apart()
        start = ops.log1p(-probs)
        reached = ops.log1p(-probs + value * (2.0 * probs - 1.0)) - start
        return ops.where(stable, reached / (ops.log(probs) - start), value)

    def entropy(self) -> Tensor:
        start = ops.log1p(-self.probs)
        return self.mean * (start - ops.log(self.probs)) - self._cont_bern_log_norm() - start

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        (x,) = natural_params
        low, high = (limit - 0.5 for limit in self._lims)
        stable = (x <= low) | (x > high)
        natural = ops.where(stable, x, low)
        exact = ops.log(ops.abs(ops.expm1(natural))) - ops.log(ops.abs(natural))
        return ops.where(stable, exact, 0.5 * x + x.pow(2) / 24.0 - x.pow(4) / 2880.0)
