"""Counts at random: of events in a time, of successes in trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from ..errors import DomainError, UnsupportedDTypeError
from ..op import NOT_IMPLEMENTED, composite
from ._arguments import zeros_shaped
from .linalg_checks import fail
from .special import lgamma

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["binomial", "poisson"]

#: From this rate on, rejection is quicker than counting.
MANY = 10.0


def _uniform(like: Any, generator: Any) -> Any:
    return ops.rand(
        tuple(like._array.shape), dtype=dtypes.float64, device=like.device, generator=generator
    )


@composite(nodes={"": "PoissonBackward0"})
def _poisson(self: Tensor, generator: Any = None) -> Tensor:
    """Return counts of rates."""
    rate: Any = self.detach().to(dtypes.float64)
    few = ops.where(rate < MANY, rate, 0.0)
    many = ops.where(rate >= MANY, rate, MANY)
    found = ops.where(rate < MANY, _count(few, generator), _reject_poisson(many, generator))
    return found.to(self._key.dtype)


def _count(rate: Any, generator: Any) -> Any:
    """Return counts by inversion: one uniform number each, and as many steps as the largest."""
    drawn = _uniform(rate, generator)
    term = total = (-rate).exp()
    count = ops.zeros_like(rate)
    step = 0
    open_ = drawn > total
    while bool(open_.any()) and step < 200:
        step += 1
        count = count + open_.to(dtypes.float64)
        term = term * rate / step
        total = total + term
        open_ = open_ & (drawn > total)
    return count


def _reject_poisson(rate: Any, generator: Any) -> Any:
    """Return counts of large rates.

    Source:
        W. Hörmann (1993), The transformed rejection method for generating Poisson random
        variables, Insurance: Mathematics and Economics 12, 39: PTRS.
    """
    log_rate = rate.log()
    b = 0.931 + 2.53 * rate.sqrt()
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    found, waiting = ops.zeros_like(rate), ops.ones_like(rate) > 0
    for _ in range(1000):
        u, v = _uniform(rate, generator) - 0.5, _uniform(rate, generator)
        us = 0.5 - u.abs()
        k = ((2 * a / us + b) * u + rate + 0.43).floor()
        quick = (us >= 0.07) & (v <= v_r)
        left = v.log() + inverse_alpha.log() - (a / (us * us) + b).log()
        right = -rate + k * log_rate - lgamma(k.clamp(min=0) + 1)
        good = quick | ((k >= 0) & ((us >= 0.013) | (v <= us)) & (left <= right))
        found = ops.where(waiting & good, k, found)
        waiting = waiting & good.logical_not()
        if not bool(waiting.any()):
            break
    return found


_poisson.vjp(self=lambda grad: zeros_shaped(grad, grad._array.shape))


def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """Return numbers of events, drawn at random, of which *input* are expected.

    Args:
        input: ``(*)``, floating, not negative.
        generator: Whose stream to draw from.

    Raises:
        RuntimeError: a rate is negative, or the dtype is not floating.

    Gradient:
        Zero.

    Differs from PyTorch:
        Draws other numbers from the same seed.

    >>> import chainrule as cr
    >>> cr.poisson(cr.zeros(2))
    tensor([0., 0.])
    """
    if not input._key.dtype.is_floating_point:
        sentence = f"\"poisson_cpu\" not implemented for '{input._key.dtype.scalar_name}'"
        fail(UnsupportedDTypeError, sentence, "poisson: convert with .float() first.")
    if bool((input.detach() < 0).any()):
        sentence = "invalid Poisson rate, expected rate to be non-negative"
        fail(DomainError, sentence, "poisson: take exp() or softplus() of it.")
    return _poisson(input, generator)


@composite(nodes={"": "BinomialBackward0"})
def _binomial(count: Tensor, prob: Tensor, generator: Any = None) -> Tensor:
    """Return numbers of successes."""
    n, p = (t.detach().to(dtypes.float64) for t in ops.broadcast_tensors(count, prob))
    flipped: Any = p > 0.5
    rare = ops.where(flipped, 1 - p, p)
    large = n * rare >= MANY
    few = _count_successes(ops.where(large, 0.0, n), rare, generator)
    many = _reject_binomial(
        ops.where(large, n, 40.0), ops.where(large, rare, 0.5), generator, large
    )
    found = ops.where(large, many, few)
    return ops.where(flipped, n - found, found).to(count._key.dtype)


def _count_successes(n: Any, p: Any, generator: Any) -> Any:
    """Return successes by inversion, for few."""
    drawn = _uniform(n, generator)
    q = 1 - p
    term = total = q**n
    count = ops.zeros_like(n)
    open_ = (drawn > total) & (count < n)
    step = 0
    while bool(open_.any()) and step < 500:
        step += 1
        count = count + open_.to(dtypes.float64)
        term = term * (n - step + 1) / step * p / q
        total = total + term
        open_ = open_ & (drawn > total) & (count < n)
    return count


def _reject_binomial(n: Any, p: Any, generator: Any, wanted: Any) -> Any:
    """Return successes, for many.

    Source:
        W. Hörmann (1993), The generation of binomial random variates, J. Stat. Comput. Simul. 46,
        101: BTRS.
    """
    spread = (n * p * (1 - p)).sqrt()
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spread
    m = ((n + 1) * p).floor()
    odds = (p / (1 - p)).log()
    at_mode = lgamma(m + 1) + lgamma(n - m + 1)
    found, waiting = ops.zeros_like(n), wanted
    for _ in range(1000):
        if not bool(waiting.any()):
            break
        u, v = _uniform(n, generator) - 0.5, _uniform(n, generator)
        us = 0.5 - u.abs()
        k = ((2 * a / us + b) * u + c).floor()
        inside = (k >= 0) & (k <= n)
        safe = k.clamp(min=0).minimum(n)
        left = (v * alpha / (a / (us * us) + b)).log()
        right = at_mode - lgamma(safe + 1) - lgamma(n - safe + 1) + (safe - m) * odds
        good = inside & (((us >= 0.07) & (v <= v_r)) | (left <= right))
        found = ops.where(waiting & good, k, found)
        waiting = waiting & good.logical_not()
    return found


_NO_RULE = NOT_IMPLEMENTED("a count at random has no derivative: PyTorch states none either")
_binomial.vjp(count=_NO_RULE, prob=_NO_RULE)


def binomial(count: Tensor, prob: Tensor, generator: Any = None) -> Tensor:
    """Return numbers of successes, drawn at random, in *count* trials of probability *prob*.

    Args:
        count: ``(*)``, floating.
        prob: ``(*)`` that broadcasts, between 0 and 1.
        generator: Whose stream to draw from.

    Raises:
        RuntimeError: in the backward pass, always.

    Differs from PyTorch:
        Draws other numbers from the same seed.

    >>> import chainrule as cr
    >>> cr.binomial(cr.tensor([3.0]), cr.tensor([1.0]))
    tensor([3.])
    """
    return _binomial(count, prob.clamp(0, 1), generator)
