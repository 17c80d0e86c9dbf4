"""A `Function` published as an op: the same class, with a kernel per backend where there is one.

`Function.as_op` makes it. Called, the op finds the kernel of its tensors' backend as any op does,
or runs the class's forward, and records the class's own node: ``setup_context`` saves, and
``backward`` is the gradient formula.
"""

from __future__ import annotations

import dis
import inspect
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from .errors import OpDefinitionError
from .function import Function
from .function_node import BackwardCFunction
from .mixing import common_key
from .op import Op, _array_of, _values_in
from .views import refresh

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FunctionOp"]

#: How a type of a tensor may be written, and how a schema writes it.
_QUALIFIED: Final = re.compile(r"\b[\w.]*\bTensor\b")
_LIST: Final = re.compile(r"^(?:typing\.)?(?:[Ll]ist|[Tt]uple|Sequence)\[Tensor(?:, \.\.\.)?\]$")


class FunctionOp(Op[Any, Any]):
    """The op *name* that runs the function *cls*. See `Function.as_op`.

    Args:
        cls: The function.
        name: ``"namespace::name"``.

    Raises:
        OpDefinitionError: the name has no namespace, or forward no usable signature.
    """

    def __init__(self, cls: type[Function], name: str) -> None:
        namespace, colons, own = name.partition("::")
        if not (namespace and colons and own.isidentifier()):
            raise OpDefinitionError(
                f"as_op: expected a name like 'special::{cls.__name__.lower()}', got {name!r}."
            )
        statement = _Statement(cls, own)
        kind = "primitive" if statement.is_bare else "composite"
        super().__init__(statement, kind=kind, namespace=namespace)
        self.function_class, self.takes_kernels = cls, statement.separate
        self.evaluate = self.evaluate_any
        self.fast = self._call
        base = cls._backward_cls
        self.node = type(base.__name__, (PublishedNode, base), {"__slots__": (), "_op": self})
        self.node.__module__ = base.__module__
        cls._op = self

    def _call(self, *args: Any) -> Any:
        return self.general(args, {})

    def _run(self, bound: Sequence[Any]) -> Any:
        return self.evaluate_any(bound)

    def evaluate_any(self, bound: Sequence[Any]) -> Any:
        """Compute from bound arguments and record the function's node."""
        forward = self._kernel_forward if self.takes_kernels else None
        return self.function_class._apply(self.node, tuple(bound), {}, forward)

    def _kernel_forward(self, *bound: Any) -> Any:
        """Return the outputs as new tensors, computed by the kernel that the backend resolves."""
        tensors = [bound[position] for position in self.schema.tensor_positions]
        values = _values_in(tensors)
        if not values:
            raise self._no_tensor(bound)
        for value in values:
            if value._base is not None:
                refresh(value)
        key = common_key(self.__name__, values)
        arrays = [_array_of(item) for item in tensors]
        statics = {n: bound[i] for i, n, default in self.schema.statics if bound[i] is not default}
        result = self.table[key.index](*arrays, **statics)
        if isinstance(result, (tuple, list)):
            return tuple(self._wrap(array, key, None, bound, None) for array in result)
        return self._wrap(result, key, None, bound, None)


class PublishedNode(BackwardCFunction):
    """The node of a published function: what it saved is readable by name, too."""

    __slots__ = ()
    _op: FunctionOp
    _names: tuple[str, ...] = ()

    def name_saved(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Remember under which names the saved tensors are read: those of what they are."""
        known = {
            id(item): name for name, item in zip(self._op.schema.position, inputs, strict=True)
        }
        several = len(outputs) > 1
        known |= {id(o): f"result{i}" if several else "result" for i, o in enumerate(outputs)}
        self._names = tuple(
            known.get(id(item), f"tensor{i}") for i, item in enumerate(self.to_save or ())
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_") and name.removeprefix("_saved_") in self._names:
            return self.saved_tensors[self._names.index(name.removeprefix("_saved_"))]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(f"_saved_{name}" for name in self._names)})

    def _checked(self, results: Any) -> list[Any]:
        """As for any function; what was left at its default needs no None."""
        items = list(results) if isinstance(results, tuple) else [results]
        missing = range(len(items), self._argument_count)
        if not set(missing) & set(self._input_positions):
            items += [None] * len(missing)
        return super()._checked(tuple(items))


class _Statement:
    """The forward of a function, as the statement of an op: a signature, a manual, a body."""

    def __init__(self, cls: type[Function], name: str) -> None:
        forward = cls.forward
        if forward is Function.forward:
            raise OpDefinitionError(
                f"as_op: {cls.__name__} has no forward. Write its signature at least, with a "
                "docstring as its body: the op then needs a kernel."
            )
        self.separate = cls.setup_context is not Function.setup_context
        parameters = list(inspect.signature(forward).parameters.values())
        self._check(cls, parameters)
        self._forward = forward
        self.__wrapped__ = forward
        self.__name__ = self.__qualname__ = name
        self.__module__ = cls.__module__
        self.__doc__ = cls.__doc__ if forward.__doc__ is None else forward.__doc__
        self.is_bare = self.separate and _is_bare(forward)
        self._state(parameters if self.separate else parameters[1:], forward)

    def _check(self, cls: type[Function], parameters: list[inspect.Parameter]) -> None:
        several = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
        if any(parameter.kind in several for parameter in parameters):
            raise OpDefinitionError(
                f"as_op: expected {cls.__name__}.forward to name its parameters, got "
                f"{inspect.signature(cls.forward)}. An op's signature is its schema."
            )

    def _state(self, parameters: list[inspect.Parameter], forward: Any) -> None:
        """Take on what a schema reads off a function."""
        positional = [p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        keywords = [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
        self.__code__ = SimpleNamespace(
            co_argcount=len(positional),
            co_kwonlyargcount=len(keywords),
            co_varnames=tuple(p.name for p in [*positional, *keywords]),
        )
        empty = inspect.Parameter.empty
        self.__defaults__ = tuple(p.default for p in positional if p.default is not empty)
        self.__kwdefaults__ = {p.name: p.default for p in keywords if p.default is not empty}
        self.__annotations__ = {p.name: _kind(p) for p in parameters}
        self.__globals__ = getattr(forward, "__globals__", {})
        returned = _plain(forward.__annotations__.get("return", "Tensor"))
        self.__annotations__["return"] = returned if "Tensor" in returned else "Tensor"

    def __call__(self, **arguments: Any) -> Any:
        """Run forward over tensors."""
        return self._forward(**arguments)


def _kind(parameter: inspect.Parameter) -> str:
    """Return how a schema writes the type of *parameter*: a tensor, unless it says otherwise."""
    if parameter.annotation is not inspect.Parameter.empty:
        return _plain(parameter.annotation)
    return "Tensor" if parameter.default is inspect.Parameter.empty else ""


def _plain(annotation: Any) -> str:
    """Return *annotation* as text, with ``Tensor`` for any way to name that class."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    if not isinstance(annotation, (str, type)) or "[" in str(annotation):
        text = str(annotation)
    text = _QUALIFIED.sub("Tensor", text)
    return "Sequence[Tensor]" if _LIST.match(text) else text


def _is_bare(function: Any) -> bool:
    """Return whether the body of *function* is a docstring, or ``...``, and nothing else."""
    steps = [
        i
        for i in dis.get_instructions(function)
        if i.opname not in {"RESUME", "NOP", "COPY_FREE_VARS"}
    ]
    names = [step.opname for step in steps]
    return names in (["LOAD_CONST", "RETURN_VALUE"], ["RETURN_CONST"]) and steps[0].argval is None
