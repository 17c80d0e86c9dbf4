"""Jacobians in three ways: by differences, by backward passes, by forward mode.

All are matrices with a row per input element and a column per output element. That of a complex
input holds complex numbers: the derivative by the real part, plus i times that by the imaginary
one; outputs are real then. See Note [Derivatives of complex numbers] in _gradcheck.py.
"""

from __future__ import annotations

import functools
import importlib
import random
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from .. import ops
from ..differentiate import grad as gradient_of
from ..dtypes import promote_types
from ..grad_mode import no_grad
from ..tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


def is_wanted(item: Any) -> bool:
    """Return whether an argument is a tensor that requires grad."""
    return isinstance(item, Tensor) and item.requires_grad


# By differences


def numerical_jacobian(
    func: Callable[..., Any], tensors: Sequence[Any], position: int, eps: float, *, forward: bool
) -> list[Tensor]:
    """Return the Jacobian of every output by the input at *position*, element by element.

    In *forward* mode every tensor stands for its real or imaginary part already.
    """
    tensor = tensors[position]
    rows = []
    for index in range(tensor.numel()):
        by_real = _differences(func, tensors, position, _unit(tensor, index, eps), eps)
        if not tensor.is_complex():
            rows.append(by_real)
            continue
        by_imag = _differences(func, tensors, position, _unit(tensor, index, 1j * eps), eps)
        rows.append([real + 1j * imag for real, imag in zip(by_real, by_imag, strict=True)])
    if not rows:
        return [_empty(tensor, output) for output in _outputs(func, tensors)]
    return [ops.stack(list(column)) for column in zip(*rows, strict=True)]


def numerical_along(
    func: Callable[..., Any], tensors: Sequence[Any], position: int, eps: float, *, forward: bool
) -> list[Tensor]:
    """Return the change of each output along one direction of an input.

    It is summed over one direction of the output, except in *forward* mode.
    """
    step = _input_direction(tensors[position]) * eps
    found = _differences(func, tensors, position, step, eps)
    if forward:
        return found
    return [_inner(_output_direction(difference), difference) for difference in found]


def _differences(
    func: Callable[..., Any], tensors: Sequence[Any], position: int, step: Tensor, eps: float
) -> list[Tensor]:
    """Return the central difference of every output for a *step* of size *eps*, flat."""
    ahead = _moved(func, tensors, position, step)
    behind = _moved(func, tensors, position, -step)
    for number, (one, other) in enumerate(zip(ahead, behind, strict=True)):
        for what, left, right in (
            ("shape", one.shape, other.shape), ("dtype", one.dtype, other.dtype),
        ):  # fmt: skip
            if left != right:
                msg = (
                    f"Expected `func` to return outputs with the same {what} when inputs are "
                    f"perturbed on index {number} by {eps}, but got: {what}s {left} and {right}."
                )
                raise AssertionError(msg)
    return [(a - b).reshape(-1) / (2 * eps) for a, b in zip(ahead, behind, strict=True)]


def _moved(
    func: Callable[..., Any], tensors: Sequence[Any], position: int, step: Tensor
) -> list[Tensor]:
    """Return the outputs of *func* with the tensor at *position* moved by *step*.

    It is moved where it lies: *func* may know it from elsewhere, as a layer knows its weight.
    """
    tensor: Any = tensors[position]
    assign, array = tensor._key.backend.assign, tensor._array
    before = tensor._key.backend.copy(array)
    assign(array, (tensor.detach() + step)._array)
    try:
        return [output.detach().clone() for output in _outputs(func, tensors)]
    finally:
        assign(array, before)


# By backward passes


def ignored(gradients: Sequence[Tensor]) -> None:
    """Take *gradients*, and look at nothing."""


def analytical_jacobians(
    output: Tensor, inputs: Sequence[Tensor], check: Callable[[Sequence[Tensor]], None] = ignored
) -> list[Tensor]:
    """Return the Jacobian of one real output by every input, a backward pass per element.

    The gradients of the first pass are given to *check* before anything is made of them.
    """
    passes = []
    for index in range(output.numel()):
        passes.append(pulled(output, inputs, _unit(output, index, 1.0)))
        if index == 0:
            check(passes[0])
    if not passes:
        check(pulled(output, inputs, output.detach()))
        return [_empty(tensor, output) for tensor in inputs]
    return [
        ops.stack([gradient.reshape(-1) for gradient in column], 1)
        for column in zip(*passes, strict=True)
    ]


def analytical_along(
    output: Tensor, inputs: Sequence[Tensor], check: Callable[[Sequence[Tensor]], None] = ignored
) -> list[Tensor]:
    """Return what `numerical_along` gives, by one backward pass; *check* sees its gradients."""
    gradients = pulled(output, inputs, _output_direction(output.detach()))
    check(gradients)
    return [_inner(g, _input_direction(t)) for g, t in zip(gradients, inputs, strict=True)]


def pulled(output: Tensor, inputs: Sequence[Tensor], weight: Tensor) -> list[Tensor]:
    """Return the gradients of *inputs* for that of *output*; zeros where there is none.

    A gradient of another shape than its input's is given as it is.
    """
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if output.requires_grad:
        found = gradient_of(output, inputs, weight, retain_graph=True, allow_unused=True)
    return [
        ops.zeros_like(t.detach()) if g is None else g.detach()
        for g, t in zip(found, inputs, strict=True)
    ]


# By forward mode


def parts_of_inputs(
    func: Callable[..., Any], tensors: Sequence[Any], split: Sequence[int]
) -> Iterator[tuple[str, list[Any], Callable[..., Any]]]:
    """Yield, for either part of the complex inputs, *func* as a function of that part alone."""
    for part, take in (("imaginary", ops.imag), ("real", ops.real)):

        def moved(*arguments: Any, part: str = part) -> Any:
            items = list(arguments)
            for position in split:
                fixed, moving = tensors[position].detach(), items[position]
                if part == "imaginary":
                    items[position] = ops.complex(ops.real(fixed), moving)
                else:
                    items[position] = ops.complex(moving, ops.imag(fixed))
            return func(*items)

        inputs = [
            take(t.detach()).requires_grad_(t.requires_grad) if p in split else t
            for p, t in enumerate(tensors)
        ]
        yield part, inputs, moved


def along(
    func: Callable[..., Any], tensors: Sequence[Any], tangents: Mapping[int, Tensor]
) -> list[Tensor]:
    """Return the derivative of every output of *func* along *tangents*, by forward mode."""
    forward_ad = importlib.import_module(".forward_ad", __package__)
    with forward_ad.dual_level():
        arguments = [
            forward_ad.make_dual(item.detach(), tangents[position])
            if position in tangents
            else item.detach() if isinstance(item, Tensor) else item
            for position, item in enumerate(tensors)
        ]  # fmt: skip
        pairs = [forward_ad.unpack_dual(output) for output in _outputs(func, arguments)]
        return [
            ops.zeros_like(pair.primal) if pair.tangent is None else pair.tangent.detach()
            for pair in pairs
        ]


def forward_jacobian(
    func: Callable[..., Any],
    tensors: Sequence[Any],
    position: int,
    output: int,
    check: Callable[[Tensor], None],
) -> Tensor:
    """Return the Jacobian of one output by the input at *position*, a pass per element."""
    tensor = tensors[position]
    rows = []
    for index in range(tensor.numel()):
        tangent = along(func, tensors, {position: _unit(tensor, index, 1.0)})[output]
        check(tangent)
        rows.append(tangent.reshape(-1))
    return ops.stack(rows) if rows else _empty(tensor, _outputs(func, tensors)[output])


def forward_along(
    func: Callable[..., Any],
    tensors: Sequence[Any],
    position: int,
    output: int,
    check: Callable[[Tensor], None],
) -> Tensor:
    """Return the derivative of one output along one direction of an input."""
    tangent = along(func, tensors, {position: _input_direction(tensors[position])})[output]
    check(tangent)
    return tangent.reshape(-1)


# Directions and distances


def _unit(like: Tensor, index: int, size: complex) -> Tensor:
    """Return zeros like *like* but for *size* in one place."""
    values = [0.0] * index + [size] + [0.0] * (like.numel() - index - 1)
    return _from_values(values, like)


def direction(like: Tensor, seed: int = 0) -> Tensor:
    """Return numbers like *like* between 0.5 and 1.5 of either sign: the same on every call.

    Inputs and outputs take another *seed*: along one and the same direction, a Jacobian and its
    transpose look alike.
    """
    return _from_values(list(_numbers(like, seed)), like)


def _numbers(like: Tensor, seed: int, *, scaled: bool = False) -> tuple[complex, ...]:
    """Return the numbers of a direction, *scaled* so that a step along it is a step of one."""
    draw = _kept if like.numel() <= KEPT else _drawn
    return draw(like.numel(), seed, like.is_complex(), scaled)


def _drawn(count: int, seed: int, is_complex: bool, scaled: bool) -> tuple[complex, ...]:
    draw = random.Random(seed)  # noqa: S311 - weights of a test, no secret
    values: list[complex] = [draw.choice((-1, 1)) * draw.uniform(0.5, 1.5) for _ in range(count)]
    if is_complex:
        values = [value + 1j * draw.uniform(0.5, 1.5) for value in values]
    length = sqrt(max(count, 1)) if scaled else 1.0
    return tuple(value / length for value in values)


#: Directions of up to so many numbers are kept: a check asks for the same ones again and again.
KEPT: Final = 1024
_kept = functools.lru_cache(maxsize=256)(_drawn)


def _input_direction(tensor: Tensor) -> Tensor:
    return _from_values(list(_numbers(tensor, 1, scaled=True)), tensor)


def _output_direction(output: Tensor) -> Tensor:
    return _from_values(list(_numbers(output, 0, scaled=True)), output)


def adjusted(atol: float, tensor: Tensor, output: Tensor, *, forward: bool) -> float:
    """Return what *atol* per entry of a Jacobian amounts to in a sum over directions."""
    total = sum(map(abs, _numbers(tensor, 1, scaled=True)))
    return atol * total * (1.0 if forward else sum(map(abs, _numbers(output, 0, scaled=True))))


def _from_values(values: list[Any], like: Tensor) -> Tensor:
    made = ops.tensor(values, dtype=like.dtype, device=like.device)
    return made.reshape(like.shape)


def _inner(left: Tensor, right: Tensor) -> Tensor:
    """Return the real part of the inner product."""
    product: Tensor = left.reshape(-1).conj() * right.reshape(-1)
    return (product.real if product.is_complex() else product).sum()


def _empty(tensor: Tensor, output: Tensor) -> Tensor:
    shape = tensor.numel(), output.numel()
    return ops.zeros(*shape, dtype=tensor.dtype, device=tensor.device)


def _outputs(func: Callable[..., Any], tensors: Sequence[Any]) -> tuple[Tensor, ...]:
    result = func(*tensors)
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


def close(
    left: Tensor, right: Tensor, rtol: float, atol: float, *, equal_nan: bool = False
) -> bool:
    """Return whether two derivatives agree, whatever their dtypes."""
    if not left.numel() and not right.numel():
        return True
    with no_grad():
        if left.dtype is not right.dtype:
            dtype = promote_types(left.dtype, right.dtype)
            left, right = left.to(dtype), right.to(dtype)
        return bool(ops.allclose(left, right, rtol=rtol, atol=atol, equal_nan=equal_nan))
