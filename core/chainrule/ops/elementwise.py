"""`elementwise`: ops that compute each element for itself, and what they add to an `Op`.

They know which dtypes they do not take, they may give real results for complex operands, numbers
that are no operands may take part in type promotion (the bounds of clamp), and a number on the left
may be another op (``2 ** x`` has another node than ``x ** y``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from ..dtypes import BOOL, COMPLEX, FLOATING, INTEGER
from ..errors import ChainruleError, DTypeError
from ..op import Op
from ..plan import recording
from ..value import Value, new_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..backend import DispatchKey
    from ..dtypes import DType
    from ..tensor import Tensor

__all__: list[str] = []

_CATEGORIES: Final = {"bool": BOOL, "integer": INTEGER, "floating": FLOATING, "complex": COMPLEX}


class UnsupportedDTypeError(DTypeError, NotImplementedError):
    """An op that does not take tensors of a data type."""


class DomainError(ChainruleError, RuntimeError):
    """A value for which an op has no result, such as an integer divided by zero."""


class Elementwise(Op[Any, Any]):
    """An op on each element for itself, made by `elementwise`.

    Args:
        function: The statement.
        refuses: The categories of dtypes that it does not take ("bool", "integer", "floating",
            "complex"), each with PyTorch's sentence, or with the one word that is peculiar in
            ``"word" not implemented for 'Long'``. Where it is bool alone, the kernel raises
            TypeError and spares the fast path the question.
        real: A complex operand has a real result.
        counts: Static numbers that count in type promotion.
        options: As of `Op`.
    """

    def __init__(
        self,
        function: Any,
        *,
        refuses: dict[str, str] | None = None,
        real: bool = False,
        counts: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        self.refuses = {_CATEGORIES[name]: text for name, text in (refuses or {}).items()}
        self.real, self.counts = real, counts
        self.check: Callable[..., None] | None = None
        self.reflected: Op[Any, Any] | None = None
        super().__init__(function, **options)
        careful = frozenset(self.refuses.keys() | {COMPLEX} if real else self.refuses)
        if careful - {BOOL}:
            self.fast = _guarded(self.fast, self.general, careful)

    def checks(self, check: Callable[..., None]) -> Callable[..., None]:
        """State what must hold of the arguments, beside dtypes; they come in order."""
        self.check = check
        return check

    def general(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the op with any arguments, after its checks."""
        bound = self.schema.bind(args, {k: v for k, v in kwargs.items() if k != "out"})
        first = bound[0]
        if not isinstance(first, Value):
            if self.reflected is not None and isinstance(bound[1], Value):
                return self.reflected.general((bound[1], first, *bound[2:]), {})
        elif self.promote is None:
            self.refuse(first._key.dtype)
        if self.check is not None:
            self.check(*bound)
        return super().general(args, kwargs)

    def _promoted(
        self, tensors: list[Any], values: list[Value], key: DispatchKey, bound: Sequence[Any]
    ) -> tuple[list[Any], DispatchKey | None]:
        numbers = [bound[self.schema.position[name]] for name in self.counts]
        operands = [*tensors, *(number for number in numbers if number is not None)]
        arrays, result = super()._promoted(operands, values, key, bound)
        assert result is not None, "a promotion knows its result"
        if self.refuses:
            compared = self.promote == "compare"
            self.refuse(self._promotion(operands, values, to_float=False)[0] if compared else result.dtype)
        if self.real:
            result = result.of(result.dtype.to_real())
        return arrays[: len(tensors)], result

    def refuse(self, dtype: DType) -> None:
        """Raise PyTorch's sentence if the op does not take *dtype*."""
        sentence = self.refuses.get(dtype.category)
        if sentence is not None:
            if " " not in sentence:
                sentence = f"\"{sentence}\" not implemented for '{dtype.scalar_name}'"
            msg = f"{sentence}\n{self.__name__}: does not take {dtype}. Convert with .to(...) first."
            raise UnsupportedDTypeError(msg)

    def fail(self, error: Exception, values: list[Value]) -> NoReturn:
        """Raise what a user should read for a kernel's *error*."""
        if isinstance(error, TypeError):
            for value in values:
                self.refuse(value._key.dtype)
        if isinstance(error, ZeroDivisionError):
            msg = f"ZeroDivisionError\n{self.__name__}: an integer has no quotient by 0. Convert to a floating dtype for inf."
            raise DomainError(msg) from None
        super().fail(error, values)
        raise error


def _guarded(
    fast: Callable[..., Any], general: Callable[..., Any], careful: frozenset[int]
) -> Callable[..., Any]:
    """Return *fast* for tensors of plain dtypes only; NumPy would compute something for the others."""

    def guarded(self: Any, *rest: Any) -> Any:
        if isinstance(self, Value) and self._key.category in careful:
            return general((self, *rest), {})
        return fast(self, *rest)

    return guarded


class TracedGradient(Op[Any, Any]):
    """A composite without a rule, made by `gradient`: the kernel is quick, the body differentiable."""

    def __init__(self, function: Any, **options: Any) -> None:
        super().__init__(function, kind="composite", **options)
        self.fast = lambda *args: self.general(args, {})

    def _run(self, bound: Sequence[Any]) -> Any:
        return super()._run(bound) if recording(bound) else self.evaluate(bound)


def elementwise(**options: Any) -> Callable[[Any], Any]:
    """Return a decorator that makes an `Elementwise` op of a statement, without a body by default."""
    options.setdefault("kind", "primitive")
    return lambda function: Elementwise(function, **options)


def gradient(function: Any) -> Any:
    """Return the op that computes another op's gradient: by a kernel, or recorded by its body."""
    return TracedGradient(function, dtype="same")


def zeros_of(grad: Tensor) -> Any:
    """Return zeros like *grad*: the gradient of what is constant nearly everywhere."""
    key = grad._key
    return new_value(key.backend.full(tuple(grad._array.shape), 0, key.dtype, key.device), key)
