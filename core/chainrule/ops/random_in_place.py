"""Random numbers in place of a tensor's values.

An op says what is drawn, its in-place form is a method of `Tensor`: ``x.normal_()``. The numbers
depend on nothing, so the gradient of what was overwritten is zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import BOOL, COMPLEX, DType
from ..errors import ArgumentError, DomainError, DTypeError
from ..grad_mode import mode
from ..op import Op, primitive
from ..value import Value
from ._arguments import check_tensor
from ._operands import C_NAMES, refusal, zeros_of
from .broadcasting import expanded_size
from .creation_values import as_number
from .generator import generator_for
from .random import _limits, check_floating, check_range

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tensor import Number, Tensor
    from .generator import Generator

__all__: list[str] = []


class _Draw(Op[Any, Any]):
    """An op that asks a stream for numbers. What users call is its in-place form, by `fill`."""

    def fill(self, target: Any, generator: Any, *arguments: Any) -> Any:
        """Return *target* after overwriting it with what is drawn."""
        for level in mode.levels:
            level.check_in_place(target)
        source = generator_for(target._key, generator)
        with source.lock:
            return self.in_place((target, *arguments, source.stream_for(target._key)), {})


def draws(nodes: dict[str, str] | None = None) -> Callable[[Any], _Draw]:
    """Return a decorator like `primitive`, for an op that draws in the dtype of its input."""
    return lambda function: _Draw(function, kind="primitive", dtype="same", nodes=nodes)


# What is drawn


@draws()
def uniform(self: Tensor, low: float, high: float, stream: Any) -> Tensor:
    """Return numbers drawn uniformly from ``[low, high)``."""


@draws()
def normal(self: Tensor, mean: float, std: float, stream: Any) -> Tensor:
    """Return numbers of the normal distribution."""


@draws({"low": "RandomBackward0", "high": "RandomBackward1", "": "RandomBackward2"})
def random(self: Tensor, low: int | None, high: int | None, stream: Any) -> Tensor:
    """Return whole numbers drawn uniformly from *low*, by default zero, to before *high*.

    Without *high* they go up to the largest that the dtype holds.
    """


@draws({"p:Tensor": "BernoulliBackward1", "": "BernoulliBackward2"})
def bernoulli(self: Tensor, p: Tensor | Number, stream: Any) -> Tensor:
    """Return ones with probability *p*, and zeros."""


@draws()
def exponential(self: Tensor, lambd: float, stream: Any) -> Tensor:
    """Return numbers of the exponential distribution."""


@draws()
def geometric(self: Tensor, p: float, stream: Any) -> Tensor:
    """Return how many trials it takes until one succeeds."""


@draws()
def cauchy(self: Tensor, median: float, sigma: float, stream: Any) -> Tensor:
    """Return numbers of the Cauchy distribution."""


@draws()
def log_normal(self: Tensor, mean: float, std: float, stream: Any) -> Tensor:
    """Return numbers whose logarithm is normal."""


for _op in (uniform, normal, random, exponential, geometric, cauchy, log_normal):
    _op.vjp(self=lambda grad: zeros_of(grad))
bernoulli.vjp(self=lambda grad: zeros_of(grad), p=lambda grad: zeros_of(grad))


def _number(function: str, name: str, item: Any) -> float:
    """Return an argument as a Python number."""
    item = as_number(item)
    if not isinstance(item, (int, float)):
        msg = f"{function}(): argument '{name}' must be float, not {type(item).__name__}"
        raise ArgumentError(msg)
    return item


def _check(condition: bool, sentence: str, advice: str) -> None:
    if not condition:
        msg = f"{sentence}\n{advice}"
        raise DomainError(msg)


def _as_c(number: float) -> str:
    """Return a number as C++ prints it."""
    return f"{number:g}"


# Methods of `Tensor`


def uniform_(
    self: Any, low: float = 0, to: float = 1, *, generator: Generator | None = None, **named: float
) -> Any:
    """Return this tensor after filling it with numbers drawn uniformly from ``[from, to)``.

    Args:
        self: What is written into, floating or complex.
        low: ``from``, the lower bound.
        to: The upper bound.
        generator: Draws them; by default the device's own.
        named: ``from`` by its name, which is a word of Python's.

    Raises:
        RuntimeError: the bounds are the wrong way round, or beyond the dtype.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.empty(2).uniform_(-1, 1)
    tensor([-0.0075,  0.5364])
    """
    check_tensor("uniform_", self)
    low = _named_from("uniform_", low, named)
    low, to = _number("uniform_", "from", low), _number("uniform_", "to", to)
    dtype = self._key.dtype
    check_floating("uniform_", "check_uniform_bounds", dtype)
    _check_uniform_range(low, to, dtype.to_real())
    return uniform.fill(self, generator, low, to)


def _named_from(function: str, low: Any, named: dict[str, Any]) -> Any:
    """Return the lower bound, which PyTorch calls by a word that Python keeps for itself."""
    low = named.pop("from", low)
    if named:
        msg = f"{function}() got an unexpected keyword argument '{next(iter(named))}'"
        raise ArgumentError(msg)
    return low


def _check_uniform_range(low: float, high: float, dtype: DType) -> None:
    advice = f"uniform_: expected from <= to within {dtype}, got {low} and {high}."
    largest = 1.7976931348623157e308
    if dtype.itemsize < 8:
        largest = 65504.0 if dtype.name == "float16" else 3.4028234663852886e38
    for name, bound in (("from", low), ("to", high)):
        sentence = f"{name} is out of bounds for {C_NAMES[dtype.name]}"
        _check(abs(bound) <= largest, sentence, advice)
    _check(
        low <= high,
        "uniform_ expects to return a [from, to) range, but found "
        f"from={_as_c(low)} > to={_as_c(high)}",
        advice,
    )
    _check(
        high - low <= largest,
        f"uniform_ expects to-from <= std::numeric_limits<{dtype.scalar_name}>::max(), but found "
        f"to={_as_c(high)} and from={_as_c(low)} which result in to-from to exceed the limit",
        advice,
    )


def normal_(
    self: Any, mean: float = 0, std: float = 1, *, generator: Generator | None = None
) -> Any:
    """Return this tensor after filling it with numbers of the normal distribution.

    Args:
        self: What is written into, floating or complex.
        mean: Where they are centred.
        std: How far from it they are, as a standard deviation.
        generator: Draws them; by default the device's own.

    Raises:
        RuntimeError: *std* is negative.

    Differs from PyTorch:
        Where the memory has gaps or the dimensions are permuted, and there are 16 elements or
        more, PyTorch draws other numbers from the same seed.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.empty(2).normal_(10, 2)
    tensor([13.0820,  9.4131])
    """
    check_tensor("normal_", self)
    mean, std = _number("normal_", "mean", mean), _number("normal_", "std", std)
    check_std(std)
    check_floating("normal_", "normal_kernel_cpu", self._key.dtype)
    return normal.fill(self, generator, mean, std)


def check_std(std: float) -> None:
    """Check a standard deviation.

    Raises:
        DomainError: it is negative, or not a number.
    """
    sentence = f"normal expects std >= 0.0, but found std {_as_c(std)}"
    _check(std >= 0, sentence, f"normal: a standard deviation is not negative, got {std}.")


def random_(
    self: Any, *bounds: Any, generator: Generator | None = None, to: int | None = None, **named: int
) -> Any:
    """Return this tensor after filling it with whole numbers drawn uniformly.

    It is called as ``random_()``, ``random_(to)`` or ``random_(from, to)``.

    Args:
        self: What is written into, of any real dtype.
        bounds: The bounds, of which the upper is not drawn itself. With none, and with None for
            *to*, the numbers go up to the largest that the dtype holds.
        generator: Draws them; by default the device's own.
        to: The upper bound, by name.
        named: ``from``, the lower bound, likewise.

    Raises:
        RuntimeError: there is no number in the range, or the dtype does not hold them.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.empty(4).random_(10)
    tensor([4., 9., 3., 0.])
    """
    check_tensor("random_", self)
    low = _named_from("random_", None, named)
    if len(bounds) == 2 and low is None and to is None:
        low, to = bounds
    elif len(bounds) == 1:
        low, to = (low, bounds[0]) if to is None else (bounds[0], to)
    elif bounds:
        low = "two bounds at most"
    for bound in (low, to):
        if bound is not None and not hasattr(bound, "__index__"):
            kinds = ", ".join(type(b).__name__ for b in bounds)
            msg = (
                f"random_() received an invalid combination of arguments - got ({kinds}), but "
                "expected one of:\n * ()\n * (int to)\n * (int from, int to)"
            )
            raise ArgumentError(msg)
    dtype = self._key.dtype
    if dtype.category == COMPLEX:
        raise refusal("random_", "random_kernel_cpu", dtype)
    if low is None and to is None:
        return random.fill(self, generator, None, None)
    high = _limits(dtype)[1] + 1 if to is None else int(to)
    check_range(low or 0, high, dtype)
    return random.fill(self, generator, low, high)


def bernoulli_(self: Any, p: Any = 0.5, *, generator: Generator | None = None) -> Any:
    """Return this tensor after filling it with ones, each with probability *p*, and zeros.

    Args:
        self: What is written into, of any real dtype.
        p: A number, or a floating tensor that broadcasts to this one.
        generator: Draws them; by default the device's own.

    Raises:
        RuntimeError: *p* is not between 0 and 1.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.empty(4).bernoulli_(0.75)
    tensor([0., 1., 1., 0.])
    """
    check_tensor("bernoulli_", self)
    if self._key.category == COMPLEX:
        raise refusal("bernoulli_", "bernoulli_scalar_cpu_", self._key.dtype)
    if isinstance(p, Value):
        check_probabilities(p, "bernoulli_")
        expanded_size(p, tuple(self._array.shape))  # type: ignore[arg-type]  # a Tensor
    else:
        p = _number("bernoulli_", "p", p)
        sentence = f"bernoulli_ expects p to be in [0, 1], but got p={_as_c(p)}"
        _check(0 <= p <= 1, sentence, "bernoulli_: p is a probability.")
    return bernoulli.fill(self, generator, p)


def check_probabilities(p: Any, function: str) -> None:
    """Check a tensor of probabilities.

    Raises:
        UnsupportedDTypeError: it is not floating.
        DomainError: one of them is not between 0 and 1.
    """
    dtype = p._key.dtype
    if not dtype.is_floating_point:
        raise refusal(function, "bernoulli_tensor_cpu_p_", dtype)
    if not as_number(_all_probable(p)):
        msg = (
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message "
            "be improved?  If so, please report an enhancement request to PyTorch.)\n"
            f"{function}: expected probabilities, between 0 and 1."
        )
        raise DomainError(msg)


@primitive(dtype="bool")
def _all_probable(self: Tensor) -> Tensor:
    """Return whether all elements are between 0 and 1, as a 0-d bool."""


_all_probable.vjp(self=None)


def exponential_(self: Any, lambd: float = 1, *, generator: Generator | None = None) -> Any:
    """Return this tensor after filling it with waiting times, of mean ``1 / lambd``.

    Args:
        self: What is written into, floating.
        lambd: How many events there are in a unit of time.
        generator: Draws them; by default the device's own.

    Raises:
        RuntimeError: *lambd* is not positive.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.empty(2).exponential_(0.5)
    tensor([7.0167, 2.4608])
    """
    check_tensor("exponential_", self)
    lambd = _number("exponential_", "lambd", lambd)
    sentence = f"exponential_ expects lambda > 0.0, but found lambda={_as_c(lambd)}"
    _check(lambd > 0, sentence, "exponential_: lambd is a rate.")
    _check_continuous("Exponential", self._key.dtype, self._key.dtype.scalar_name)
    return exponential.fill(self, generator, lambd)


def _check_continuous(name: str, dtype: DType, spelled: str) -> None:
    if not dtype.is_floating_point:
        msg = (
            f"{name} distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {spelled}\nexpected a floating dtype, got {dtype}."
        )
        raise DTypeError(msg)


def geometric_(self: Any, p: float, *, generator: Generator | None = None) -> Any:
    """Return this tensor after filling it with how many trials it takes until one succeeds.

    Args:
        self: What is written into, of any real dtype but bool.
        p: The probability that one does.
        generator: Draws them; by default the device's own.

    Raises:
        RuntimeError: *p* is not between 0 and 1, or is one of them.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.empty(3).geometric_(0.25)
    tensor([1., 2., 3.])
    """
    check_tensor("geometric_", self)
    p = _number("geometric_", "p", p)
    sentence = f"geometric_ expects p to be in (0, 1), but got p={_as_c(p)}"
    _check(0 < p < 1, sentence, "geometric_: p is a probability.")
    if self._key.category in {BOOL, COMPLEX}:
        raise refusal("geometric_", "geometric_cpu", self._key.dtype)
    return geometric.fill(self, generator, p)


def cauchy_(
    self: Any, median: float = 0, sigma: float = 1, *, generator: Generator | None = None
) -> Any:
    """Return this tensor after filling it with numbers of the Cauchy distribution.

    Args:
        self: What is written into, floating.
        median: Where they are centred.
        sigma: Half of them are within so much of it.
        generator: Draws them; by default the device's own.

    Raises:
        RuntimeError: *sigma* is not positive.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.empty(2).cauchy_()
    tensor([10.5977,  0.7648])
    """
    check_tensor("cauchy_", self)
    median, sigma = _number("cauchy_", "median", median), _number("cauchy_", "sigma", sigma)
    sentence = f"cauchy_ expects sigma > 0.0, but found sigma={_as_c(sigma)}"
    _check(sigma > 0, sentence, "cauchy_: sigma is a width.")
    _check_continuous("Cauchy", self._key.dtype, C_NAMES[self._key.dtype.name])
    return cauchy.fill(self, generator, median, sigma)


def log_normal_(
    self: Any, mean: float = 1, std: float = 2, *, generator: Generator | None = None
) -> Any:
    """Return this tensor after filling it with numbers whose logarithm is normal.

    Args:
        self: What is written into, floating.
        mean: The mean of the logarithm.
        std: Its standard deviation.
        generator: Draws them; by default the device's own.

    Raises:
        RuntimeError: *std* is not positive.

    >>> import chainrule as cr
    >>> _ = cr.manual_seed(0)
    >>> cr.empty(2).log_normal_()
    tensor([59.2634,  1.5116])
    """
    check_tensor("log_normal_", self)
    mean, std = _number("log_normal_", "mean", mean), _number("log_normal_", "std", std)
    sentence = f"log_normal_ expects std > 0.0, but found std={_as_c(std)}"
    _check(std > 0, sentence, "log_normal_: a standard deviation is positive.")
    if not self._key.dtype.is_floating_point:
        raise refusal("log_normal_", "log_normal_cpu", self._key.dtype)
    return log_normal.fill(self, generator, mean, std)
