"""Arguments and results of transforms, as trees of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AutogradError
from ..trees import tree_flatten, tree_map
from ..value import Value
from ..views import refresh

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..trees import TreeSpec


def name_of(function: Callable[..., Any]) -> str:
    """Return how messages call *function*."""
    return getattr(function, "__name__", repr(function))


def picked(argnums: int | tuple[int, ...], args: Sequence[Any]) -> Any:
    """Return the arguments that *argnums* names: one, or a tuple.

    Raises:
        RuntimeError: *argnums* is no such thing, names one twice, or one that is not there.
    """
    if isinstance(argnums, bool) or not isinstance(argnums, (int, tuple)):
        msg = f"argnums must be int or Tuple[int, ...], got: {type(argnums)}"
        raise AutogradError(msg)
    if isinstance(argnums, int):
        return args[_place(argnums, len(args))]
    if not argnums:
        msg = "argnums must be non-empty"
        raise AutogradError(msg)
    places = tuple(_place(one, len(args)) for one in argnums)
    if len(set(places)) < len(places):
        msg = f"argnums elements must be unique, got {places}"
        raise AutogradError(msg)
    return tuple(args[place] for place in places)


def _place(argnum: Any, count: int) -> int:
    if not isinstance(argnum, int):
        msg = f"argnum must be int, got: {type(argnum)}"
        raise AutogradError(msg)
    if argnum >= 0 and argnum < count:
        return argnum
    if argnum < 0 and -argnum <= count:
        return argnum + count
    msg = f"Got argnum={argnum}, but only {count} positional inputs"
    raise AutogradError(msg)


def replaced(args: Sequence[Any], argnums: int | tuple[int, ...], new: Any) -> list[Any]:
    """Return *args* with those that *argnums* names replaced by *new*."""
    made = list(args)
    if isinstance(argnums, int):
        made[argnums] = new
    else:
        for place, item in zip(argnums, new, strict=True):
            made[place] = item
    return made


def tensors_of(tree: Any, who: str) -> tuple[list[Any], TreeSpec]:
    """Return the leaves of *tree*, all tensors, and its structure.

    Raises:
        RuntimeError: a leaf is none.
    """
    leaves, spec = tree_flatten(tree)
    if not leaves:
        msg = f"{who} to contain at least one Tensor."
        raise AutogradError(msg)
    for leaf in leaves:
        check_output(leaf, who)
    return leaves, spec


def check_output(leaf: Any, who: str) -> None:
    """Check that a leaf of a result is a tensor.

    Raises:
        RuntimeError: it is not.
    """
    if not isinstance(leaf, Value):
        msg = f"{who} to return only tensors, got unsupported type {type(leaf)}"
        raise AutogradError(msg)
    if leaf._base is not None:
        refresh(leaf)


def check_input(item: Any) -> None:
    """Check that what is differentiated by is a tensor.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(item, Value):
        msg = f"Thing passed to transform API must be Tensor, got {type(item)}"
        raise ValueError(msg)  # noqa: TRY004 - PyTorch's type


def split_aux(result: Any, who: str) -> tuple[Any, Any]:
    """Return result and aux of a function that returns both.

    Raises:
        RuntimeError: it returned something else.
    """
    if not (isinstance(result, tuple) and len(result) == 2):
        msg = f"{who}: output of function f should be a tuple: (output, aux) if has_aux is True"
        raise AutogradError(msg)
    return result


def map_tensors(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return *tree* with *function* of its tensors; other leaves stay."""
    return tree_map(lambda leaf: function(leaf) if isinstance(leaf, Value) else leaf, tree)


def map_aux(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return an aux result with *function* of its tensors.

    Raises:
        RuntimeError: a leaf is no tensor.
    """

    def one(leaf: Any) -> Any:
        if not isinstance(leaf, Value):
            msg = f"Expected tensors, got unsupported type {type(leaf)}"
            raise AutogradError(msg)
        return function(leaf)

    return tree_map(one, tree)
