"""Functions of lists of tensors: each applies one op to every tensor, as PyTorch's optimizers do.

They are written with the ops of single tensors, so they are recorded as these are. A function
without underscore gives a tuple of new tensors; one with an underscore writes and gives the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import ops
from ..errors import ArgumentError, ShapeError
from ..value import Value
from .linalg_checks import fail

if TYPE_CHECKING:
    from collections.abc import Callable

#: Methods of one tensor.
UNARY: Final = (
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor",
    "frac", "lgamma", "log", "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt",
    "sigmoid", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
)  # fmt: skip
#: Functions of a tensor and what is given once, or once per tensor.
BINARY: Final = (
    "add", "clamp_max", "clamp_min", "div", "maximum", "minimum", "mul", "pow", "sub",
)  # fmt: skip
#: What PyTorch takes numbers for, and the methods do not write with.
_WITH_NUMBERS: Final = {"maximum": "clamp_min", "minimum": "clamp_max"}


def _checked(name: str, items: Any, argument: str = "self") -> list[Any]:
    """Return *items* as a list of tensors, of which there is at least one."""
    if isinstance(items, Value) or not isinstance(items, (tuple, list)):
        kind = type(items).__name__
        sentence = (
            f"{name}(): argument '{argument}' (position 1) must be tuple of Tensors, not {kind}"
        )
        fail(ArgumentError, sentence, f"{name}: pass a list.")
    if not items:
        sentence = "Tensor list must have at least one tensor."
        fail(ShapeError, sentence, f"{name}: the list is empty.")
    return list(items)


def _spread(name: str, count: int, other: Any) -> list[Any]:
    """Return *other* once per tensor."""
    if not isinstance(other, (tuple, list)):
        return [other] * count
    if len(other) != count:
        if isinstance(other[0] if other else 0.0, Value):
            sentence = (
                f"Tensor lists must have the same number of tensors, got {count} and {len(other)}"
            )
        else:
            sentence = "Tensor list must have same number of elements as scalar list."
        fail(ShapeError, sentence, f"{name}: expected {count} of them.")
    return list(other)


def _each(name: str, *, write: bool) -> Callable[..., Any]:
    """Return the function of lists whose op is the method *name*."""
    public = f"_foreach_{name}{'_' if write else ''}"

    def function(self: Any, *others: Any, **options: Any) -> Any:
        if name == "pow" and not isinstance(self, (tuple, list)):
            return tuple(ops.pow(self, t) for t in _checked(public, others[0], "exponent"))
        tensors = _checked(public, self)
        named = {k: options.pop(k) for k in ("other", "scalar", "exponent") if k in options}
        columns = [_spread(public, len(tensors), o) for o in (*others, *named.values())]
        made = [
            _apply(name, tensor, [column[i] for column in columns], options, write=write)
            for i, tensor in enumerate(tensors)
        ]
        return self if write else tuple(made)

    return _named(function, public)


def _apply(name: str, tensor: Any, rest: list[Any], options: Any, *, write: bool) -> Any:
    method = name
    if rest and not isinstance(rest[0], Value):
        method = _WITH_NUMBERS.get(name, name)
    elif write and name in _WITH_NUMBERS:
        return tensor.copy_(getattr(tensor, name)(*rest))
    return getattr(tensor, f"{method}_" if write else method)(*rest, **options)


def _ternary(name: str, *, write: bool) -> Callable[..., Any]:
    """Return addcmul or addcdiv of lists; *value* is a number, or one per tensor."""
    public = f"_foreach_{name}{'_' if write else ''}"

    def function(
        self: Any, tensor1: Any, tensor2: Any, value: Any = 1, *, scalars: Any = None
    ) -> Any:
        tensors = _checked(public, self)
        values: Any = value if scalars is None else scalars
        if hasattr(values, "_key"):
            values = values.tolist()
        columns = [_spread(public, len(tensors), o) for o in (tensor1, tensor2, values)]
        made = [
            getattr(t, f"{name}_" if write else name)(one, two, value=factor)
            for t, one, two, factor in zip(tensors, *columns, strict=True)
        ]
        return self if write else tuple(made)

    return _named(function, public)


def _lerp(*, write: bool) -> Callable[..., Any]:
    public = f"_foreach_lerp{'_' if write else ''}"

    def function(self: Any, tensors1: Any, weight: Any = None, *, weights: Any = None) -> Any:
        tensors = _checked(public, self)
        ends = _spread(public, len(tensors), tensors1)
        shares = _spread(public, len(tensors), weight if weights is None else weights)
        made = [
            (t.lerp_ if write else t.lerp)(end, share)
            for t, end, share in zip(tensors, ends, shares, strict=True)
        ]
        return self if write else tuple(made)

    return _named(function, public)


def _named(function: Callable[..., Any], public: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = public
    function.__doc__ = f"Apply {public.removeprefix('_foreach_')} to every tensor of a list."
    return function


def _foreach_norm(self: Any, ord: Any = 2, dtype: Any = None) -> Any:
    """Return the norm of every tensor of a list.

    >>> import chainrule as cr
    >>> cr._foreach_norm([cr.ones(4)])
    (tensor(2.),)
    """
    return tuple(ops.vector_norm(t, ord, dtype=dtype) for t in _checked("_foreach_norm", self))


def _foreach_max(self: Any) -> Any:
    """Return the largest element of every tensor of a list."""
    return tuple(t.max() for t in _checked("_foreach_max", self))


def _foreach_clone(self: Any) -> Any:
    """Return copies of the tensors of a list."""
    return tuple(t.clone() for t in _checked("_foreach_clone", self))


def _foreach_zero_(self: Any) -> Any:
    """Return the list after filling its tensors with zeros."""
    for tensor in _checked("_foreach_zero_", self):
        tensor.zero_()
    return self


def _foreach_copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """Return the list after copying the tensors of *src* into its own."""
    tensors = _checked("_foreach_copy_", self)
    for tensor, source in zip(tensors, _spread("_foreach_copy_", len(tensors), src), strict=True):
        tensor.copy_(source)
    return self


for _name in (*UNARY, *BINARY):
    globals()[f"_foreach_{_name}"] = _each(_name, write=False)
    globals()[f"_foreach_{_name}_"] = _each(_name, write=True)
for _name in ("addcdiv", "addcmul"):
    globals()[f"_foreach_{_name}"] = _ternary(_name, write=False)
    globals()[f"_foreach_{_name}_"] = _ternary(_name, write=True)
_foreach_lerp, _foreach_lerp_ = _lerp(write=False), _lerp(write=True)

__all__ = [name for name in list(globals()) if name.startswith("_foreach_")]
