"""An op's schema, read once from the signature of its statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ._warn import warn_outside
from .dtypes import plain_number
from .errors import ArgumentError, OpDefinitionError
from .naming import NUMPY
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

TENSOR, NUMBER_OR_TENSOR, OPTIONAL, TENSORS, STATIC = (
    "tensor", "number or tensor", "optional tensor", "tensors", "static",
)  # fmt: skip
_KINDS: Final = {
    "Tensor": TENSOR,
    "Tensor | Number": NUMBER_OR_TENSOR,
    "Tensor | None": OPTIONAL,
    "Tensor | Number | None": OPTIONAL,
    "Sequence[Tensor]": TENSORS,
    "Sequence[Tensor | None]": TENSORS,
}
_SCALARS: Final = frozenset({
    "float", "float | None", "float | str", "float | str | None", "complex", "Number",
    "Number | None",
})  # fmt: skip
_NUMBERS: Final = (int, float, bool, complex)
REQUIRED: Final[Any] = type("REQUIRED", (), {"__repr__": lambda _: "required"})()


class Param(NamedTuple):
    """One parameter: its name, what it takes, its default, and how it may be passed."""

    name: str
    kind: str
    default: Any
    keyword_only: bool

    @property
    def public(self) -> str:
        """Return the name that PyTorch's messages use."""
        return "input" if self.name == "self" else self.name


class Schema:
    """The parameters of an op, and the names of its outputs."""

    def __init__(self, function: Callable[..., Any], outputs: tuple[str, ...] | None) -> None:
        code, annotations = function.__code__, function.__annotations__
        count = code.co_argcount
        names = code.co_varnames[: count + code.co_kwonlyargcount]
        defaults = dict(zip(names[:count][::-1], (function.__defaults__ or ())[::-1], strict=False))
        defaults |= function.__kwdefaults__ or {}
        self.name = function.__name__
        self.params = tuple(
            Param(
                n, _KINDS.get(annotations.get(n, ""), STATIC), defaults.get(n, REQUIRED), i >= count
            )
            for i, n in enumerate(names)
        )
        self.positional = count
        self.position = {p.name: i for i, p in enumerate(self.params)}
        self.tensors = tuple(p for p in self.params if p.kind != STATIC)
        self.first = self.tensors[0].name if self.tensors else ""  # called "input" by users
        self.return_type, self.outputs = _outputs(function, outputs)
        #: How many outputs there are; None where that depends on the arguments.
        self.output_count = None if "..." in annotations.get("return", "") else len(self.outputs)
        self.defaults = [p.default for p in self.params]
        self.required = sum(p.default is REQUIRED for p in self.params)
        self.tensor_positions = tuple(i for i, p in enumerate(self.params) if p.kind != STATIC)
        #: Numbers that scale: PyTorch takes them as tensors of one element too.
        self.factors = frozenset(
            {"alpha", "beta", "value"} & {p.name for p in self.params if p.kind == STATIC}
        )
        #: Where a kernel takes a number, and would compute in the dtype of an array library's.
        self.scalars = tuple(i for i, n in enumerate(names) if annotations.get(n, "") in _SCALARS)
        self.statics = tuple(
            (i, p.name, p.default) for i, p in enumerate(self.params) if p.kind == STATIC
        )

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """Return the value of every parameter in order.

        Raises:
            ArgumentError: PyTorch's messages for what does not fit the signature.
        """
        count = len(args)
        if count > self.positional:
            older = self.factors_last(args, kwargs, self.name)
            if older is None:
                raise self._bad_call(args, kwargs)
            return self.bind(*older)
        bound = [*args, *self.defaults[count:]]
        if count >= self.required and not kwargs:
            return bound
        for name, value in kwargs.items():
            position = self.position.get(name)
            if position is None or name == "self":
                own = name if name == "input" else NUMPY.get(name, "")
                position = self.position.get(self.first if own == "input" else own)
            if position is None or position < count:
                raise self._bad_call(args, kwargs)
            bound[position] = value
        missing = [
            f'"{p.public}"' for p, v in zip(self.params, bound, strict=True) if v is REQUIRED
        ]
        if missing:
            msg = (
                f"{self.name}() missing {len(missing)} required positional arguments: "
                f"{', '.join(missing)}"
            )
            raise ArgumentError(msg)
        return bound

    def factors_last(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], name: str
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Return the arguments of a call by older rules as they are now given; None: it is none.

        A factor stood before the tensor that it scales, as in ``add(x, 2, y)``.
        """
        names = [p.name for p in self.params[self.positional :] if p.name in self.factors]
        numbers = [a for a in args[:-1] if isinstance(a, _NUMBERS)]
        fits = len(numbers) == len(args) - self.positional <= len(names)
        if not fits or not kwargs.keys().isdisjoint(names):
            return None
        given = dict(zip(names, numbers, strict=False))
        self._warn_of_order(name, args, given)
        tensors = tuple(a for a in args[:-1] if not isinstance(a, _NUMBERS))
        return (*tensors, args[-1]), kwargs | given

    def _warn_of_order(self, name: str, args: tuple[Any, ...], given: dict[str, Any]) -> None:
        factors = iter(given)
        tensors = iter(self.params)
        scales = [isinstance(a, _NUMBERS) for a in args[:-1]]
        older = [
            f"Number {next(factors)}" if scale else f"Tensor {next(tensors).public}"
            for scale in [*scales, False]
        ]
        newer = [text for text in older if text.startswith("Tensor")]
        named = [f"Number {factor} = 1" for factor in given]
        if name.endswith("_"):
            older, newer = older[1:], newer[1:]
        warn_outside(
            f"This overload of {name} is deprecated:\n\t{name}({', '.join(older)})\n"
            "Consider using one of the following signatures instead:\n"
            f"\t{name}({', '.join([*newer, '*', *named])})",
            UserWarning,
        )

    def check(self, bound: list[Any], *, numbers: bool) -> None:
        """Check the types of tensor arguments; *numbers* says whether Python numbers may stand in.

        Raises:
            ArgumentError: with PyTorch's message.
        """
        for position in self.tensor_positions:
            item = bound[position]
            if isinstance(item, Value):
                continue
            param = self.params[position]
            if param.kind == TENSORS:
                self._check_list(param, position, item)
                continue
            if item is None and param.kind == OPTIONAL:
                continue
            number = plain_number(item)
            if isinstance(number, _NUMBERS) and (
                numbers or param.kind in {NUMBER_OR_TENSOR, OPTIONAL}
            ):
                bound[position] = number
                continue
            msg = (
                f"{self.name}(): argument '{param.public}' (position {position + 1}) must be "
                f"Tensor, not {type(item).__name__}"
            )
            raise ArgumentError(msg)

    def _check_list(self, param: Param, position: int, items: Any) -> None:
        if not isinstance(items, (tuple, list)):
            msg = (
                f"{self.name}(): argument '{param.public}' (position {position + 1}) must be tuple "
                f"of Tensors, not {type(items).__name__}"
            )
            raise ArgumentError(msg)
        for index, item in enumerate(items):
            if not isinstance(item, Value) and item is not None:
                msg = (
                    f"expected Tensor as element {index} in argument {position}, but got "
                    f"{type(item).__name__}"
                )
                raise ArgumentError(msg)

    def _bad_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ArgumentError:
        got = [_kind_name(a) for a in args] + [f"{k}={_kind_name(v)}" for k, v in kwargs.items()]
        wanted = [
            p.public if p.default is REQUIRED else f"{p.public}={p.default}" for p in self.params
        ]
        return ArgumentError(
            f"{self.name}() received an invalid combination of arguments - got ({', '.join(got)}), "
            f"but expected one of: \n * ({', '.join(wanted)})"
        )


def _kind_name(item: Any) -> str:
    return "Tensor" if isinstance(item, Value) else type(item).__name__


def _outputs(
    function: Callable[..., Any], outputs: tuple[str, ...] | None
) -> tuple[Callable[[Any], Any] | None, tuple[str, ...]]:
    """Return what makes the tuple of several outputs, and the outputs' names.

    The return annotation is ``Tensor``, a NamedTuple class (its fields name the outputs), or
    ``tuple[Tensor, ...]``, whose outputs are named by position: result0, result1, …
    """
    annotation = function.__annotations__.get("return", "Tensor")
    if annotation == "Tensor":
        return None, ("result",)
    if annotation.startswith("tuple["):
        return tuple, outputs or tuple(f"result{i}" for i in range(annotation.count("Tensor")))
    made = function.__globals__.get(annotation)
    if made is None:
        msg = (
            f"{function.__name__}: its return annotation {annotation!r} is neither Tensor nor a "
            "named tuple."
        )
        raise OpDefinitionError(msg)
    return made._make, made._fields
