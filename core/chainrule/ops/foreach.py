"""Functions over lists of tensors: ``_foreach_mul`` and its relatives, as optimizers call them.

Each does to the tensors of a list, one by one, what the op without the prefix does to one, and is
differentiable where that is. What shall be one call of a backend for all of them is an op of
fused.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import ArgumentError, AutogradError
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..tensor import Tensor

#: Ops of one tensor.
UNARY = (
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor",
    "frac", "lgamma", "log", "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt",
    "sigmoid", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
)  # fmt: skip
#: Ops of two tensors, or of a tensor and a number.
BINARY = (
    "add", "clamp_max", "clamp_min", "div", "maximum", "minimum", "mul", "pow", "sub",
)  # fmt: skip
#: Ops of three tensors with a factor.
TERNARY = ("addcdiv", "addcmul")


def _checked(name: str, tensors: Any, *others: Any) -> list[Any]:
    """Return *tensors* as a list after checking that there are some, and as many of the others.

    Raises:
        TypeError: they are no list.
        RuntimeError: there are none, or more or fewer than of the others.
    """
    if not isinstance(tensors, (list, tuple)):
        msg = (
            f"_foreach_{name}(): argument 'self' (position 1) must be tuple of Tensors, not "
            f"{type(tensors).__name__}"
        )
        raise ArgumentError(msg)
    if not tensors:
        msg = "Tensor list must have at least one tensor."
        raise AutogradError(msg)
    for other in others:
        if not isinstance(other, (list, tuple)) or len(other) == len(tensors):
            continue
        if other and isinstance(other[0], Value):
            msg = (
                "Tensor lists must have the same number of tensors, got "
                f"{len(tensors)} and {len(other)}"
            )
        else:
            msg = "Tensor list must have same number of elements as scalar list."
        raise AutogradError(msg)
    return list(tensors)


def _spread(item: Any, count: int) -> Sequence[Any]:
    """Return one *item* for each of *count* tensors: those of a list, or the same for all."""
    if isinstance(item, (list, tuple)):
        return item
    if isinstance(item, Value) and item._array.shape == (count,) and count > 1:
        return item.tolist()  # type: ignore[attr-defined, no-any-return]  # a vector of numbers
    return [item] * count


def _unary(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    op: Any = getattr(ops, name)

    def function(self: Any) -> tuple[Tensor, ...]:
        return tuple(op(tensor) for tensor in _checked(name, self))

    def in_place(self: Any) -> Any:
        for tensor in _checked(name, self):
            getattr(tensor, f"{name}_")()
        return self

    return function, in_place


def _binary(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    op: Any = getattr(ops, name)

    def arguments(self: Any, other: Any, alpha: Any) -> Any:
        if name == "pow" and not isinstance(self, (list, tuple)):
            return zip(_spread(self, len(other)), _checked(name, other), [{}] * len(other))  # noqa: B905 - of one length
        tensors = _checked(name, self, other)
        options = {} if alpha is None else {"alpha": alpha}
        others = (
            [other] * len(tensors) if isinstance(other, Value) else _spread(other, len(tensors))
        )
        return zip(tensors, others, [options] * len(tensors), strict=True)

    def function(self: Any, other: Any, *, alpha: Any = None) -> tuple[Tensor, ...]:
        return tuple(op(a, b, **options) for a, b, options in arguments(self, other, alpha))

    def in_place(self: Any, other: Any, *, alpha: Any = None) -> Any:
        for tensor, item, options in arguments(self, other, alpha):
            if name in {"maximum", "minimum"}:
                tensor.copy_(op(tensor, item))
            else:
                getattr(tensor, f"{name}_")(item, **options)
        return self

    return function, in_place


def _ternary(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    op: Any = getattr(ops, name)

    def arguments(self: Any, tensor1: Any, tensor2: Any, value: Any) -> Any:
        tensors = _checked(name, self, tensor1, tensor2, value)
        return zip(tensors, tensor1, tensor2, _spread(value, len(tensors)), strict=True)

    def function(
        self: Any, tensor1: Any, tensor2: Any, scalars: Any = None, *, value: Any = 1
    ) -> tuple[Tensor, ...]:
        factors = value if scalars is None else scalars
        return tuple(
            op(a, b, c, value=v) for a, b, c, v in arguments(self, tensor1, tensor2, factors)
        )

    def in_place(
        self: Any, tensor1: Any, tensor2: Any, scalars: Any = None, *, value: Any = 1
    ) -> Any:
        factors = value if scalars is None else scalars
        for tensor, b, c, v in arguments(self, tensor1, tensor2, factors):
            getattr(tensor, f"{name}_")(b, c, value=v)
        return self

    return function, in_place


def _define() -> None:
    for names, make in ((UNARY, _unary), (BINARY, _binary), (TERNARY, _ternary)):
        for name in names:
            function, in_place = make(name)
            for made, suffix in ((function, ""), (in_place, "_")):
                made.__name__ = made.__qualname__ = f"_foreach_{name}{suffix}"
                kind = "in place, and return the list" if suffix else "and return them as a tuple"
                made.__doc__ = f"Do ``{name}`` to every tensor of a list, {kind}."
                globals()[made.__name__] = made


_define()


def _foreach_lerp(self: Any, tensors1: Any, weight: Any) -> tuple[Tensor, ...]:
    """Return ``start + weight * (end - start)`` for every pair of two lists."""
    starts = _checked("lerp", self, tensors1, weight)
    weights = _spread(weight, len(starts))
    return tuple(ops.lerp(a, b, w) for a, b, w in zip(starts, tensors1, weights, strict=True))


def _foreach_lerp_(self: Any, tensors1: Any, weight: Any) -> Any:
    """Move every tensor of a list towards another, in place, and return the list."""
    starts = _checked("lerp", self, tensors1, weight)
    for start, end, w in zip(starts, tensors1, _spread(weight, len(starts)), strict=True):
        start.lerp_(end, w)
    return self


def _foreach_norm(self: Any, ord: float = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    """Return the norm of each tensor of a list."""
    return tuple(ops.vector_norm(t, ord, dtype=dtype) for t in _checked("norm", self))


def _foreach_powsum(self: Any, ord: float = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    """Return the sum of the powers of the absolute values of each tensor of a list."""
    return tuple(ops.sum(ops.pow(ops.abs(t), ord), dtype=dtype) for t in _checked("powsum", self))


def _foreach_max(self: Any) -> tuple[Tensor, ...]:
    """Return the largest element of each tensor of a list."""
    return tuple(ops.amax(t) for t in _checked("max", self))


def _foreach_mm(self: Any, other: Any) -> tuple[Tensor, ...]:
    """Return the products of the matrices of two lists."""
    return tuple(ops.mm(a, b) for a, b in zip(_checked("mm", self, other), other, strict=True))


def _foreach_clone(self: Any) -> tuple[Tensor, ...]:
    """Return a copy of each tensor of a list."""
    return tuple(ops.clone(t) for t in _checked("clone", self))


def _foreach_copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """Write the tensors of one list into those of another, and return that."""
    for target, source in zip(_checked("copy_", self, src), src, strict=True):
        target.copy_(source)
    return self


def _foreach_zero_(self: Any) -> Any:
    """Fill every tensor of a list with zeros, and return the list."""
    for tensor in _checked("zero_", self):
        tensor.zero_()
    return self


__all__ = [name for name in list(globals()) if name.startswith("_foreach_")]
