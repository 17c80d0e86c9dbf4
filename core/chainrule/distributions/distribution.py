"""`Distribution`: what every distribution can be asked, and the checks of its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from .. import ops
from .._warn import warn
from ..grad_mode import enable_grad, no_grad
from ..shapes import Size
from ..tensor import Tensor
from . import constraints
from .utils import lazy_property

if TYPE_CHECKING:
    from .constraints import Constraint

__all__ = ["Distribution", "ExponentialFamily"]


class Distribution:
    """A distribution, or a batch of them.

    Samples have the shape ``sample_shape + batch_shape + event_shape``: *batch_shape* numbers
    independent distributions, *event_shape* is the shape of one draw.

    Args:
        batch_shape: The shape of the batch.
        event_shape: The shape of one draw.
        validate_args: Whether parameters and values are checked; by default as
            `set_default_validate_args` says.

    Raises:
        ValueError: a parameter lies outside its constraint.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args: bool = __debug__
    arg_constraints: ClassVar[Any]
    support: ClassVar[Any]

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Set whether arguments are checked where a distribution does not say."""
        if value not in {True, False}:
            raise ValueError
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Any = (),
        event_shape: Any = (),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    def _check_parameters(self) -> None:
        try:
            wanted: dict[str, Constraint] = self.arg_constraints
        except (AttributeError, NotImplementedError):
            warn(
                f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = "
                "{}` or initialize the distribution with `validate_args=False` to turn off "
                "validation.",
                stacklevel=3,
            )
            return
        for name, constraint in wanted.items():
            if constraints.is_dependent(constraint):
                continue
            if name not in self.__dict__ and isinstance(
                getattr(type(self), name, None), lazy_property
            ):
                continue  # computed from the one that was given
            value = getattr(self, name)
            valid = constraint.check(value)
            if not valid.all():
                msg = (
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint "
                    f"{constraint!r}, but found invalid values:\n{value}"
                )
                raise ValueError(msg)

    @property
    def batch_shape(self) -> Size:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one draw."""
        return self._event_shape

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The value of highest probability or density."""
        msg = f"{type(self)} does not implement mode"
        raise NotImplementedError(msg)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """Return the distribution with its batch expanded to *batch_shape*."""
        raise NotImplementedError

    def _expanded(self, cls: type, batch_shape: Any, instance: Any, names: tuple[str, ...]) -> Any:
        """Return the same distribution with the parameters *names*, where set, expanded.

        *cls* is the class whose ``expand`` asks.
        """
        new: Any = self._get_checked_instance(cls, instance)
        shape = Size(batch_shape)
        for name in names:
            if name in self.__dict__:
                own: Tensor = self.__dict__[name]
                event = own.shape[len(self._batch_shape) :]
                new.__dict__[name] = own.expand((*shape, *event))
        Distribution.__init__(new, shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return draws, without history."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return draws through which gradients flow to the parameters."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """Return *n* draws; the name is of the past."""
        warn(
            "sample_n will be deprecated. Use .sample((n,)) instead",
            UserWarning,
            stacklevel=2,
        )
        return self.sample(Size((n,)))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability or density at *value*."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of a draw up to *value*."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cumulative distribution function reaches *value*."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Return all values that a discrete distribution can take, along a new first dimension."""
        raise NotImplementedError

    def _enumerated(self, values: Tensor, *, expand: bool) -> Tensor:
        values = values.view((-1, *(1,) * len(self._batch_shape)))
        return values.expand((-1, *self._batch_shape)) if expand else values

    def entropy(self) -> Tensor:
        """Return the entropy, in nats."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """Return the exponential of the entropy."""
        return ops.exp(self.entropy())

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*Size(sample_shape), *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        """Raise unless *value* can be a value of this distribution."""
        if not isinstance(value, Tensor):
            msg = "The value argument to log_prob must be a Tensor"
            raise ValueError(msg)  # noqa: TRY004 - PyTorch's type
        events = len(self._event_shape)
        if value.dim() < events or tuple(value.shape[value.dim() - events :]) != tuple(
            self._event_shape
        ):
            msg = (
                "The right-most size of value must match event_shape: "
                f"{value.size()} vs {self._event_shape}."
            )
            raise ValueError(msg)
        wanted = (*self._batch_shape, *self._event_shape)
        for size, own in zip(reversed(value.shape), reversed(wanted), strict=False):
            if 1 not in {size, own} and size != own:
                msg = (
                    "Value is not broadcastable with batch_shape+event_shape: "
                    f"{value.size()} vs {Size(wanted)}."
                )
                raise ValueError(msg)
        self._check_support(value)

    def _check_support(self, value: Tensor) -> None:
        try:
            support = self.support
        except (AttributeError, NotImplementedError):
            warn(
                f"{type(self)} does not define `support` to enable sample validation. Please "
                "initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=4,
            )
            return
        if not support.check(value).all():
            msg = (
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) "
                f"to be within the support ({support!r}) of the distribution {self!r}, but found "
                f"invalid values:\n{value}"
            )
            raise ValueError(msg)

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Self:
        """Return a bare instance for `expand`; distributions of others call it too."""
        if _instance is None and type(self).__init__ is not cls.__init__:  # type: ignore[misc]  # only whether it is the same function
            msg = (
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ "
                "method must also define a custom .expand() method."
            )
            raise NotImplementedError(msg)
        return type(self).__new__(type(self)) if _instance is None else _instance

    def __repr__(self) -> str:
        names = [name for name in self.arg_constraints if name in self.__dict__]
        values = {name: self.__dict__[name] for name in names}
        shown = ", ".join(
            f"{name}: {value if value.numel() == 1 else value.size()}"
            for name, value in values.items()
        )
        return f"{type(self).__name__}({shown})"


class ExponentialFamily(Distribution):
    """A distribution whose density is ``exp(<t(x), theta> - F(theta) + k(x))``.

    Give ``_natural_params``, ``_log_normalizer`` and ``_mean_carrier_measure``, and the entropy
    follows by differentiating F.
    """

    _mean_carrier_measure: ClassVar[Any] = 0

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """Return the entropy, in nats: the Bregman divergence of the log-normaliser."""
        from ..autograd import grad

        theta = [p.detach().requires_grad_() for p in self._natural_params]
        with enable_grad():
            normalizer = self._log_normalizer(*theta)
            gradients = grad(normalizer.sum(), theta, create_graph=True)
        result: Any = -self._mean_carrier_measure + normalizer
        for parameter, gradient in zip(theta, gradients, strict=True):
            product = parameter * gradient
            if self._event_shape:
                product = product.reshape((*self._batch_shape, -1)).sum(-1)
            result = result - product
        return result
