"""The von Mises distribution, of angles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from .. import dtypes, ops, special
from ..grad_mode import no_grad
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, lazy_property

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Angles, in radians, around *loc*: the larger *concentration*, the closer.

    Source:
        Draws by rejection: Best and Fisher, "Efficient simulation of the von Mises distribution",
        1979.

    >>> import chainrule as cr
    >>> VonMises(cr.tensor(0.0), cr.tensor(1.0)).log_prob(cr.tensor(0.0))
    tensor(-1.0738)
    """

    arg_constraints: ClassVar = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(VonMises, batch_shape, _instance, ("loc", "concentration"))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """The circular variance, ``1 - I1 / I0``."""
        return 1 - special.i1e(self.concentration) / special.i0e(self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        away = self.concentration * ops.cos(value - self.loc)
        log_bessel = self.concentration + ops.log(special.i0e(self.concentration))
        return away - math.log(2 * math.pi) - log_bessel

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return draws between ``-pi`` and ``pi``, computed in double precision."""
        with no_grad():
            shape = self._extended_shape(sample_shape)
            loc, kappa = (x.to(dtypes.float64) for x in (self.loc, self.concentration))
            turned = _rejected_until_done(shape, kappa.expand(shape), _proposal(kappa))
            return ((turned + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)


def _proposal(kappa: Tensor) -> Tensor:
    """Return r of the wrapped Cauchy distribution that draws are proposed from."""
    tau = 1 + (1 + 4 * kappa.pow(2)).sqrt()
    rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
    return ops.where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho.pow(2)) / (2 * rho))


def _rejected_until_done(shape: Any, kappa: Tensor, r: Tensor) -> Tensor:
    """Return angles around zero: what is rejected is proposed again."""
    angles = ops.zeros(shape, dtype=kappa.dtype, device=kappa.device)
    done = ops.zeros(shape, dtype=dtypes.bool_, device=kappa.device)
    while not done.all():
        first, second, third = ops.rand(
            (3, *shape), dtype=kappa.dtype, device=kappa.device
        ).unbind()
        z = ops.cos(math.pi * first)
        f = (1 + r * z) / (r + z)
        c = kappa * (r - f)
        accepted = (c * (2 - c) - second > 0) | ((c / second).log() + 1 - c >= 0)
        angles = ops.where(accepted, (third - 0.5).sign() * f.clamp(-1, 1).acos(), angles)
        done = done | accepted
    return angles
