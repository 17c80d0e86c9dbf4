"""The checks of `gradcheck`, one function each."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ops
from .._warn import warn
from ..differentiate import grad as gradient_of
from ..dtypes import float64
from ..errors import ArgumentError, AutogradError
from ..function import Function
from ..tensor import Tensor
from ._jacobians import (
    adjusted,
    along,
    analytical_along,
    analytical_jacobians,
    close,
    direction,
    forward_along,
    forward_jacobian,
    is_wanted,
    numerical_along,
    numerical_jacobian,
    parts_of_inputs,
    pulled,
)
from .gradcheck import GradcheckError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "How", "check_against_differences", "check_batches", "check_batches_forward",
    "check_inputs", "check_missing", "check_missing_forward", "check_zeros", "differentiable",
    "direction", "is_wanted", "outputs_of",
]  # fmt: skip

# Note [Derivatives of complex numbers]
# -------------------------------------
# A complex number is a pair of real ones. The gradient of a real L by z = x + iy is kept as the
# complex number dL/dx + i dL/dy, so that stepping against it makes L smaller. A function with
# complex outputs is checked as two functions, its imaginary and its real part. In forward mode it
# is the inputs whose parts are moved one after the other.


@dataclass(frozen=True)
class How:
    """How to differentiate numerically, and how near the two gradients must be."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    check_dtypes: bool
    fast: bool


def check_inputs(tensors: Sequence[Any]) -> None:
    """Check that finite differences of these inputs can mean something.

    Raises:
        ValueError: none requires grad.
        AutogradError: one that does has elements that share memory.
    """
    if not any(map(is_wanted, tensors)):
        msg = (
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
        raise ValueError(msg)
    for position, tensor in enumerate(tensors):
        if not is_wanted(tensor):
            continue
        if tensor.dtype.to_real() is not float64:
            warn(
                f"Input #{position} requires gradient and is not a double precision floating point "
                "or complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. ",
                UserWarning,
                stacklevel=3,
            )
        repeated = any(s == 0 and n > 1 for s, n in zip(tensor.stride(), tensor.shape, strict=True))
        if repeated and tensor.numel():
            msg = (
                f"The {position}th input has a dimension with stride 0. gradcheck only supports "
                "inputs that are non-overlapping to be able to compute the numerical gradients "
                "correctly. You should call .contiguous on the input before passing it to "
                "gradcheck."
            )
            raise AutogradError(msg)


def outputs_of(func: Callable[..., Any], tensors: Sequence[Any]) -> tuple[Tensor, ...]:
    """Return the outputs of *func*, all of which must be tensors."""
    result = func(*tensors)
    items = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    for item in items:
        if not isinstance(item, Tensor):
            msg = f"gradcheck: expected the function to return tensors, got {type(item).__name__}."
            raise ArgumentError(msg)
    return items


def differentiable(outputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return those of *outputs* that have a gradient."""
    return tuple(output for output in outputs if output.requires_grad)


# Backward and forward mode against differences


def check_against_differences(
    func: Callable[..., Any], tensors: Sequence[Any], how: How, *, forward: bool
) -> None:
    """Compare the derivatives of every output by every input with differences.

    Note [Derivatives of complex numbers] says why there may be two rounds.

    Raises:
        GradcheckError: they differ.
    """
    if forward:
        split = [p for p, t in enumerate(tensors) if isinstance(t, Tensor) and t.is_complex()]
        if split:
            for part, inputs, moved in parts_of_inputs(func, tensors, split):
                _compare(moved, inputs, how, part=part, split=split, forward=True)
            return
        _compare(func, tensors, how, part="", split=[], forward=True)
        return
    outputs = outputs_of(func, tensors)
    if not any(output.is_complex() for output in outputs):
        _compare(func, tensors, how, part="", split=[], forward=False)
        return
    split = [n for n, output in enumerate(differentiable(outputs)) if output.is_complex()]
    for part in ("imaginary", "real"):
        _compare(_part_of(func, part), tensors, how, part=part, split=split, forward=False)


def _part_of(func: Callable[..., Any], part: str) -> Callable[..., Any]:
    """Return *func* with that part of each complex output."""
    take = ops.imag if part == "imaginary" else ops.real

    def taken(*arguments: Any) -> Any:
        return tuple(take(o) if o.is_complex() else o for o in outputs_of(func, arguments))

    return taken


def _compare(
    func: Callable[..., Any],
    tensors: Sequence[Any],
    how: How,
    *,
    part: str,
    split: list[int],
    forward: bool,
) -> None:
    every = outputs_of(func, tensors)
    wanted = [p for p, t in enumerate(tensors) if is_wanted(t)]
    numerical_of = numerical_along if how.fast else numerical_jacobian
    numerical = [numerical_of(func, tensors, p, how.eps, forward=forward) for p in wanted]
    kept = [n for n, output in enumerate(every) if output.requires_grad]
    if not kept:
        _check_constant(numerical, how)
        return
    for number, position in enumerate(kept):
        for index, (analytical, difference) in enumerate(
            zip(
                _analytical(func, tensors, every[position], position, how, forward=forward),
                [found[position] for found in numerical],
                strict=True,
            )
        ):
            atol = how.atol
            if how.fast:
                atol = adjusted(how.atol, tensors[wanted[index]], every[position], forward=forward)
            if not close(analytical, difference, how.rtol, atol):
                message = _mismatch(
                    analytical, difference, number, index, part=part, split=split, forward=forward
                )
                if how.fast:
                    message += _entry_by_entry(
                        func, tensors, every[position], position, wanted[index], index, how,
                        forward=forward,
                    )  # fmt: skip
                raise GradcheckError(message)


def _analytical(
    func: Callable[..., Any],
    tensors: Sequence[Any],
    output: Tensor,
    position: int,
    how: How,
    *,
    forward: bool,
) -> list[Tensor]:
    """Return the derivatives of one output by every input that requires grad."""
    if forward:
        forward_of = forward_along if how.fast else forward_jacobian
        return [
            forward_of(func, tensors, p, position, _dtype_check(output, how))
            for p, t in enumerate(tensors)
            if is_wanted(t)
        ]
    inputs = [t for t in tensors if is_wanted(t)]
    analytical_of = analytical_along if how.fast else analytical_jacobians
    first = analytical_of(output, inputs, lambda found: _check_kinds(found, inputs, how))
    again = analytical_of(output, inputs)
    for one, other in zip(first, again, strict=True):
        if not close(one, other, 0.0, how.nondet_tol, equal_nan=True):
            msg = (
                "Backward is not reentrant, i.e., running backward with same input and grad_output "
                "multiple times gives different values, although analytical gradient matches "
                "numerical gradient."
                f"The tolerance for nondeterminism was {how.nondet_tol}.\n"
                "gradcheck: if the function is meant to be that way, pass nondet_tol."
            )
            raise GradcheckError(msg)
    return first


def _dtype_check(output: Tensor, how: How) -> Callable[[Tensor], None]:
    def check(tangent: Tensor) -> None:
        if how.check_dtypes and tangent.dtype is not output.dtype:
            msg = (
                "Forward AD gradient has dtype mismatch.\n"
                f"gradcheck: the tangent is {tangent.dtype}, its output {output.dtype}."
            )
            raise GradcheckError(msg)

    return check


def _check_kinds(gradients: Sequence[Tensor], inputs: Sequence[Tensor], how: How) -> None:
    """Check that each gradient has the shape, and if asked the dtype, of its input."""
    for gradient, tensor in zip(gradients, inputs, strict=True):
        if how.check_dtypes and gradient.dtype is not tensor.dtype:
            msg = (
                "Gradient has dtype mismatch\n"
                f"gradcheck: the gradient is {gradient.dtype}, its input {tensor.dtype}."
            )
            raise GradcheckError(msg)
        if gradient.shape != tensor.shape:
            msg = (
                "Analytical gradient has incorrect size\n"
                f"gradcheck: the gradient has shape {tuple(gradient.shape)}, its input "
                f"{tuple(tensor.shape)}."
            )
            raise GradcheckError(msg)


def _check_constant(numerical: Sequence[Sequence[Tensor]], how: How) -> None:
    """Check that the differences are zero where no output has a gradient."""
    for by_output in numerical:
        for found in by_output:
            limit = how.nondet_tol if how.fast else 0.0
            if found.numel() and float(found.abs().max()) > limit:
                msg = (
                    "Numerical gradient for function expected to be zero\n"
                    "gradcheck: the outputs do not require grad and yet change with an input. Is "
                    "there a detach(), or a no_grad() block, in the function?"
                )
                raise GradcheckError(msg)


def _mismatch(
    analytical: Tensor,
    numerical: Tensor,
    output: int,
    index: int,
    *,
    part: str,
    split: list[int],
    forward: bool,
) -> str:
    side = "inputs" if forward else "outputs"
    prefix = ""
    if (index if forward else output) in split:
        prefix = f"While considering the {part} part of complex {side} only, "
    mode = "computed with forward mode " if forward else ""
    return (
        f"{prefix}Jacobian {mode}mismatch for output {output} with respect to input {index},\n"
        f"numerical:{numerical}\nanalytical:{analytical}\n"
    )


def _entry_by_entry(
    func: Callable[..., Any],
    tensors: Sequence[Any],
    output: Tensor,
    position: int,
    wanted: int,
    index: int,
    how: How,
    *,
    forward: bool,
) -> str:
    """Return what a failure of fast mode looks like entry by entry."""
    numerical = numerical_jacobian(func, tensors, wanted, how.eps, forward=forward)[position]
    if forward:
        analytical = forward_jacobian(func, tensors, wanted, position, lambda tangent: None)
    else:
        analytical = analytical_jacobians(output, [t for t in tensors if is_wanted(t)])[index]
    text = (
        "\ngradcheck: these two numbers are sums over one direction of the input and one of the "
        "output (fast_mode=True). Entry by entry:\n"
        f"numerical:\n{numerical}\nanalytical:\n{analytical}\n"
        f"largest difference: {float((numerical - analytical).abs().max())}\n"
    )
    if close(analytical, numerical, how.rtol, how.atol):
        text += (
            "Entry by entry they agree: the tolerances of fast mode are too strict here. Pass "
            "fast_mode=False."
        )
    return text


# The other promises


def check_zeros(tensors: Sequence[Any], outputs: Sequence[Tensor]) -> None:
    """Check that no gradient comes of gradients that are zero.

    Raises:
        GradcheckError: some does.
    """
    inputs = [t for t in tensors if is_wanted(t)]
    if not outputs:
        return
    found = gradient_of(
        outputs, inputs, [ops.zeros_like(o) for o in outputs], retain_graph=True, allow_unused=True
    )
    for gradient, tensor in zip(found, inputs, strict=True):
        if gradient is None:
            continue
        if not bool((gradient == 0).all()):
            msg = (
                "backward not multiplied by grad_output\n"
                "gradcheck: a zero gradient of the output gave a gradient that is not zero: every "
                "term of a backward must have the incoming gradient as a factor."
            )
            raise GradcheckError(msg)
        for what, ours, theirs in (
            ("type", gradient.dtype, tensor.dtype),
            ("device", gradient.device, tensor.device),
            ("size", gradient.shape, tensor.shape),
        ):
            if ours != theirs:
                msg = f"grad is incorrect {what}\ngradcheck: it is {ours}, its input {theirs}."
                raise GradcheckError(msg)


class _Undefined(Function):
    """The identity, whose gradient is missing."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        ctx.set_materialize_grads(False)
        return tensor.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> None:
        return None


def check_missing(func: Callable[..., Any], tensors: Sequence[Any]) -> None:
    """Check that missing gradients of all outputs, and of one by one, are taken as zeros.

    Raises:
        GradcheckError: a backward raises, or gives a gradient out of nothing.
    """
    outputs = differentiable(outputs_of(func, tensors))
    _check_undefined(tensors, [_Undefined.apply(output) for output in outputs])
    if len(outputs) > 1:
        for position in range(len(outputs)):
            again = differentiable(outputs_of(func, tensors))
            _check_undefined(
                tensors,
                [_Undefined.apply(o) if n == position else o for n, o in enumerate(again)],
            )


def _check_undefined(tensors: Sequence[Any], outputs: Sequence[Tensor]) -> None:
    if not outputs:
        return
    inputs = [t for t in tensors if is_wanted(t)]
    zeros = [ops.zeros_like(output) for output in outputs]
    advice = "gradcheck: pass check_undefined_grad=False if that is meant."
    try:
        found = gradient_of(outputs, inputs, zeros, allow_unused=True)
    except RuntimeError as error:
        msg = (
            "Expected backward function to handle undefined output grads. Please look at "
            '"Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"\n'
            f"gradcheck: with no gradient for an output, backward raised {error!r}. Set "
            f"ctx.set_materialize_grads(True), or treat None as zeros; {advice}"
        )
        raise GradcheckError(msg) from error
    for gradient in found:
        if gradient is not None and not bool((gradient == 0).all()):
            msg = (
                "Expected all input grads to be undefined or zero when all output grads are "
                'undefined or zero. Please look at "Notes about undefined output gradients" in '
                f'"tools/autograd/derivatives.yaml"\n{advice}'
            )
            raise GradcheckError(msg)


def check_batches(tensors: Sequence[Any], outputs: Sequence[Tensor]) -> None:
    """Check that a batch of two gradients gives what they give one after the other.

    Raises:
        GradcheckError: it gives something else, or raises.
    """
    inputs = [t for t in tensors if is_wanted(t)]
    for number, output in enumerate(outputs):
        first = direction(output.detach())
        pair = [first, direction(output.detach(), 2)]
        apart = [pulled(output, inputs, weight) for weight in pair]
        try:
            together = gradient_of(
                output,
                inputs,
                ops.stack(pair),
                retain_graph=True,
                allow_unused=True,
                is_grads_batched=True,
                materialize_grads=True,
            )
        except RuntimeError as error:
            msg = (
                f"While computing batched gradients, got: {error}\n"
                "gradcheck: backward must work under vmap; pass check_batched_grad=False if it "
                "need not."
            )
            raise GradcheckError(msg) from error
        for index, (batch, *singles) in enumerate(zip(together, *apart, strict=True)):
            _check_batch(number, index, batch, ops.stack(singles))


def _check_batch(number: int, index: int, found: Tensor, expected: Tensor) -> None:
    if not close(found, expected, 1e-5, 1e-8):
        msg = (
            f"For output {number} and input {index}:\n\n"
            "gradcheck or gradgradcheck failed while testing batched gradient computation.\n"
            f"\nGot:\n{found}\n\nExpected:\n{expected}"
        )
        raise GradcheckError(msg)


# Forward mode


def check_missing_forward(func: Callable[..., Any], tensors: Sequence[Any]) -> None:
    """Check that an input without tangent counts as one whose tangent is zero.

    Raises:
        GradcheckError: the tangents of the outputs differ.
    """
    wanted = [p for p, t in enumerate(tensors) if is_wanted(t)]
    if len(wanted) < 2:
        return
    for left_out in wanted:
        tangents = {p: direction(tensors[p].detach()) for p in wanted if p != left_out}
        zero = {**tangents, left_out: ops.zeros_like(tensors[left_out].detach())}
        pairs = zip(along(func, tensors, tangents), along(func, tensors, zero), strict=True)
        for number, (one, other) in enumerate(pairs):
            if not close(one, other, 1e-5, 1e-8):
                msg = (
                    f"Mismatch in tangent values for output with index: {number} when input: "
                    f"{tensors[left_out]} has an undefined tangent value. Got: {one} but "
                    f"expected: {other}"
                )
                raise GradcheckError(msg)


def check_batches_forward(func: Callable[..., Any], tensors: Sequence[Any]) -> None:
    """Check that a batch of two tangents gives what they give one after the other.

    Raises:
        GradcheckError: it gives something else, or raises.
    """
    vmap = importlib.import_module("..func", __package__).vmap
    for index, position in enumerate(p for p, t in enumerate(tensors) if is_wanted(t)):
        point = tensors[position].detach()
        pair = [direction(point), direction(point, 2)]

        def push(tangent: Tensor, position: int = position) -> tuple[Tensor, ...]:
            return tuple(along(func, tensors, {position: tangent}))

        apart = [push(tangent) for tangent in pair]
        try:
            together = vmap(push)(ops.stack(pair))
        except RuntimeError as error:
            msg = (
                f"While computing batched gradients, got: {error}\n"
                "gradcheck: forward mode must work under vmap; pass "
                "check_batched_forward_grad=False if it need not."
            )
            raise GradcheckError(msg) from error
        for number, (batch, *singles) in enumerate(zip(together, *apart, strict=True)):
            _check_batch(number, index, batch, ops.stack(singles))
