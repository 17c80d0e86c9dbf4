"""Gradients checked against finite differences: `gradcheck` and `gradgradcheck`."""

from __future__ import annotations

import random
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ops
from ..differentiate import grad as gradient_of
from ..dtypes import float64
from ..errors import ArgumentError, AutogradError
from ..grad_mode import no_grad
from ..tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

# Note [Derivatives of complex numbers]
# -------------------------------------
# A complex number is a pair of real ones. The gradient of a real L by z = x + iy is kept as the
# complex number dL/dx + i dL/dy, so that stepping against it makes L smaller. A complex output
# has two real parts, hence two backward passes: with the gradient 1 for the real part, 1j for
# the imaginary one. For any directions u and v, the change of Re(sum(conj(v) * f)) along u is
# Re(sum(conj(gradient) * u)), with the gradient that a backward pass gives for v: that one
# sentence is the whole of fast mode.


class GradcheckError(AutogradError):
    """The analytical gradient is not what finite differences give."""


@dataclass(frozen=True)
class _Tolerances:
    """How to differentiate numerically, and how near the two gradients must be."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Return whether the gradients of *func* at *inputs* agree with central differences.

    Args:
        func: A function of tensors that returns a tensor or a tuple of them.
        inputs: A tensor or a tuple; those that require grad, float64 best, are checked.
        eps: The step of the differences.
        atol: Absolute tolerance.
        rtol: Relative tolerance.
        raise_exception: Raise on a mismatch rather than return False.
        nondet_tol: How far two backward passes may differ.
        check_undefined_grad: Check that a missing gradient of an output is taken as zeros.
        check_grad_dtypes: Check that each gradient has the dtype of its input.
        check_batched_grad: Check that a batch of gradients gives what each one gives.
        check_batched_forward_grad: Must be False, as *check_forward_ad*.
        check_forward_ad: Must be False: there is no forward mode to check.
        check_backward_ad: Check the gradients at all.
        fast_mode: Compare along one direction per input and output, not entry by entry.
        masked: Taken and ignored: it is about sparse tensors.

    Raises:
        GradcheckError: they do not agree: both Jacobians are shown.
        ValueError: no input requires grad.
        RuntimeError: an input that requires grad is an expanded one.
        NotImplementedError: forward mode is to be checked.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], dtype=cr.float64, requires_grad=True)
    >>> gradcheck(lambda x: x * x, (x,))
    True
    """
    if check_forward_ad or check_batched_forward_grad:
        msg = "gradcheck: expected check_forward_ad=False, got True: there is no forward mode here."
        raise NotImplementedError(msg)
    tensors = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    _check_inputs(tensors)
    how = _Tolerances(eps, atol, rtol, nondet_tol)
    try:
        if check_backward_ad:
            _compare(func, tensors, how, fast=fast_mode)
        if check_undefined_grad:
            _check_missing(func, tensors, how)
        if check_grad_dtypes:
            _check_dtypes(func, tensors)
        if check_batched_grad:
            _check_batches(func, tensors, how)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Return whether the second derivatives of *func* at *inputs* agree with central differences.

    Arguments as of `gradcheck`, and:

    Args:
        func: See `gradcheck`.
        inputs: See `gradcheck`.
        grad_outputs: The gradients of the outputs; by default some numbers, no two alike.
        eps: See `gradcheck`, as for all that is not named here.
        atol: See `gradcheck`.
        rtol: See `gradcheck`.
        gen_non_contig_grad_outputs: Make the default *grad_outputs* non-contiguous.
        raise_exception: See `gradcheck`.
        nondet_tol: See `gradcheck`.
        check_undefined_grad: See `gradcheck`.
        check_grad_dtypes: See `gradcheck`.
        check_batched_grad: See `gradcheck`.
        check_fwd_over_rev: Must be False: there is no forward mode to check.
        check_rev_over_rev: Check the second derivatives at all.
        fast_mode: See `gradcheck`.
        masked: See `gradcheck`.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], dtype=cr.float64, requires_grad=True)
    >>> gradgradcheck(lambda x: x * x * x, (x,))
    True
    """
    tensors = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    _check_inputs(tensors)
    if grad_outputs is None:
        given = _default_weights(_outputs_of(func, tensors), gen_non_contig_grad_outputs)
    else:
        given = tuple(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)
    return gradcheck(
        _first_derivative(func, len(given)), (*tensors, *given), eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev, fast_mode=fast_mode, masked=masked,
    )  # fmt: skip


def _first_derivative(func: Callable[..., Any], count: int) -> Callable[..., Any]:
    """Return the gradients of *func* as a function of its inputs and of *count* weights."""

    def gradients(*arguments: Any) -> Any:
        points, weights = arguments[:-count], arguments[-count:]
        outputs = _outputs_of(func, points)
        pairs = [(o, w) for o, w in zip(outputs, weights, strict=True) if o.requires_grad]
        found = gradient_of(
            [o for o, _ in pairs],
            [p for p in points if _is_wanted(p)],
            [w for _, w in pairs],
            create_graph=True,
            allow_unused=True,
        )
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradients


def _is_wanted(item: Any) -> bool:
    return isinstance(item, Tensor) and item.requires_grad


def _check_inputs(tensors: Sequence[Any]) -> None:
    """Check that finite differences of these inputs can mean something."""
    if not any(map(_is_wanted, tensors)):
        msg = (
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
        raise ValueError(msg)
    for position, tensor in enumerate(tensors):
        if not _is_wanted(tensor):
            continue
        if tensor.dtype.to_real() is not float64:
            warnings.warn(
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


def _outputs_of(func: Callable[..., Any], tensors: Sequence[Any]) -> list[Tensor]:
    """Return the outputs of *func* that can have a gradient."""
    result = func(*tensors)
    if not isinstance(result, (Tensor, tuple, list)):
        msg = f"gradcheck: expected the function to return tensors, got {type(result).__name__}."
        raise ArgumentError(msg)
    items = [result] if isinstance(result, Tensor) else result
    return [item for item in items if isinstance(item, Tensor) and item._key.floating]


# The comparison


def _compare(
    func: Callable[..., Any], tensors: Sequence[Any], how: _Tolerances, *, fast: bool
) -> None:
    """Compare the two derivatives of every output by every input."""
    wanted = [t for t in tensors if _is_wanted(t)]
    numerical_of = _along_a_direction if fast else _jacobian
    analytical_of = _gradients_along if fast else _gradients
    by_output = [analytical_of(output, wanted) for output in _outputs_of(func, tensors)]
    again = [analytical_of(output, wanted) for output in _outputs_of(func, tensors)]
    for index, tensor in enumerate(wanted):
        position = next(p for p, t in enumerate(tensors) if t is tensor)
        for number, numerical in enumerate(numerical_of(func, tensors, tensor, how.eps)):
            analytical = by_output[number][index]
            _check_repeatable(analytical, again[number][index], how)
            if not _close(analytical, numerical, how.rtol, how.atol):
                msg = (
                    f"Jacobian mismatch for output {number} with respect to input {position},\n"
                    f"numerical:{numerical}\nanalytical:{analytical}\n"
                )
                raise GradcheckError(msg)


def _moved(
    func: Callable[..., Any], tensors: Sequence[Any], tensor: Tensor, step: Tensor
) -> list[Tensor]:
    """Return the outputs of *func* with *tensor* moved by *step*, as flat tensors."""
    arguments = []
    for argument in tensors:
        if isinstance(argument, Tensor):
            point = argument.detach()
            point = point + step if argument is tensor else point
            argument = point.requires_grad_(argument.requires_grad)  # noqa: PLW2901 - its moved self
        arguments.append(argument)
    return [output.detach().reshape(-1) for output in _outputs_of(func, arguments)]


def _differences(
    func: Callable[..., Any], tensors: Sequence[Any], tensor: Tensor, step: Tensor, eps: float
) -> list[Tensor]:
    """Return the central difference of every output for a *step* of *tensor* of size *eps*."""
    ahead, behind = _moved(func, tensors, tensor, step), _moved(func, tensors, tensor, -step)
    return [(a - b) / (2 * eps) for a, b in zip(ahead, behind, strict=True)]


def _jacobian(
    func: Callable[..., Any], tensors: Sequence[Any], tensor: Tensor, eps: float
) -> list[Tensor]:
    """Return the Jacobian of every output by *tensor*: ``(inputs, outputs)``.

    Of complex tensors, the parts stand beside each other: Note [Derivatives of complex numbers].
    """
    rows: list[list[Tensor]] = []
    units = (1.0, 1j) if tensor.is_complex() else (1.0,)
    for index in range(tensor.numel()):
        by_unit = [
            _differences(func, tensors, tensor, _unit(tensor, index, unit * eps), eps)
            for unit in units
        ]
        rows.append(
            [ops.cat([p for d in found for p in _parts(d)]) for found in zip(*by_unit, strict=True)]
        )
    if not rows:
        return [_empty(tensor) for _ in _outputs_of(func, tensors)]
    return [ops.stack(list(column)) for column in zip(*rows, strict=True)]


def _gradients(output: Tensor, wanted: Sequence[Tensor]) -> list[Tensor]:
    """Return the same Jacobians by backward passes, one for each part of each output element."""
    units = (1.0, 1j) if output.is_complex() else (1.0,)
    passes = [
        _pulled(output, wanted, _unit(output, index, unit))
        for unit in units
        for index in range(output.numel())
    ]
    if not passes:
        return [_empty(tensor) for tensor in wanted]
    return [_columns(gradients) for gradients in zip(*passes, strict=True)]


def _columns(gradients: Sequence[Tensor]) -> Tensor:
    """Return gradients of one tensor as the columns of a matrix, parts beside each other."""
    if not gradients[0].numel():
        return _empty(gradients[0])
    parts = zip(*(_parts(gradient.reshape(-1)) for gradient in gradients), strict=True)
    return ops.cat([ops.stack(list(part), 1) for part in parts], 1)


def _along_a_direction(
    func: Callable[..., Any], tensors: Sequence[Any], tensor: Tensor, eps: float
) -> list[Tensor]:
    """Return the change of each weighted output along one direction of *tensor*."""
    found = _differences(func, tensors, tensor, _direction(tensor, 1) * eps, eps)
    return [_inner(_direction(difference), difference) for difference in found]


def _gradients_along(output: Tensor, wanted: Sequence[Tensor]) -> list[Tensor]:
    """Return the same numbers by one backward pass."""
    gradients = _pulled(output, wanted, _direction(output.detach()))
    return [_inner(g, _direction(t, 1)) for g, t in zip(gradients, wanted, strict=True)]


def _pulled(output: Tensor, wanted: Sequence[Tensor], weight: Tensor) -> list[Tensor]:
    """Return the gradients of *wanted* for that of *output*, zeros where there are none."""
    found: Sequence[Tensor | None] = [None] * len(wanted)
    if output.requires_grad:
        found = gradient_of(output, wanted, weight, retain_graph=True, allow_unused=True)
    return [
        ops.zeros(t.shape, dtype=t.dtype, device=t.device) if g is None else g.detach()
        for g, t in zip(found, wanted, strict=True)
    ]


def _inner(left: Tensor, right: Tensor) -> Tensor:
    """Return the real part of the inner product."""
    product: Tensor = left.reshape(-1).conj() * right.reshape(-1)
    return (product.real if product.is_complex() else product).sum()


def _parts(flat: Tensor) -> list[Tensor]:
    return [flat.real, flat.imag] if flat.is_complex() else [flat]


def _unit(like: Tensor, index: int, size: complex) -> Tensor:
    """Return zeros like *like* but for *size* in one place."""
    values = [0.0] * index + [size] + [0.0] * (like.numel() - index - 1)
    return _from_values(values, like)


def _direction(like: Tensor, seed: int = 0) -> Tensor:
    """Return numbers like *like* between 0.5 and 1.5 of either sign: the same on every call.

    Inputs and outputs take another *seed*: along one and the same direction, a Jacobian and its
    transpose look alike.
    """
    draw = random.Random(seed)  # noqa: S311 - weights of a test, no secret
    values: list[complex] = [
        draw.choice((-1, 1)) * draw.uniform(0.5, 1.5) for _ in range(like.numel())
    ]
    if like.is_complex():
        values = [value + 1j * draw.uniform(0.5, 1.5) for value in values]
    return _from_values(values, like)


def _from_values(values: list[Any], like: Tensor) -> Tensor:
    made = ops.tensor(values, dtype=like.dtype, device=like.device)
    return made.reshape(like.shape)


def _default_weights(outputs: list[Tensor], scattered: bool) -> tuple[Tensor, ...]:
    """Return gradients of *outputs* for `gradgradcheck`."""
    made = []
    for output in outputs:
        weight = _direction(output.detach())
        if scattered and weight.ndim:
            weight = ops.stack([weight, weight], -1)[..., 0]
        made.append(weight.detach().requires_grad_())
    return tuple(made)


def _empty(like: Tensor) -> Tensor:
    return ops.zeros(0, 0, dtype=float64, device=like.device)


def _close(left: Tensor, right: Tensor, rtol: float, atol: float) -> bool:
    if not left.numel() and not right.numel():
        return True
    with no_grad():
        left, right = left.to(float64), right.to(float64)
        return bool(ops.allclose(left, right, rtol=rtol, atol=atol, equal_nan=True))


# The other promises


def _check_repeatable(first: Tensor, second: Tensor, how: _Tolerances) -> None:
    if not _close(first, second, 0.0, how.nondet_tol):
        msg = (
            "Backward is not reentrant, i.e., running backward with same input and grad_output "
            "multiple times gives different values, although analytical gradient matches numerical "
            f"gradient.The tolerance for nondeterminism was {how.nondet_tol}."
        )
        raise GradcheckError(msg)


def _check_dtypes(func: Callable[..., Any], tensors: Sequence[Any]) -> None:
    """Check that each gradient has the dtype of its input."""
    wanted = [(p, t) for p, t in enumerate(tensors) if _is_wanted(t)]
    for output in _outputs_of(func, tensors):
        found = _pulled(output, [t for _, t in wanted], _direction(output.detach()))
        for gradient, (position, tensor) in zip(found, wanted, strict=True):
            if gradient.dtype is not tensor.dtype:
                msg = (
                    f"Gradient for input {position} has dtype {gradient.dtype}, "
                    f"expected {tensor.dtype}"
                )
                raise GradcheckError(msg)


def _check_missing(func: Callable[..., Any], tensors: Sequence[Any], how: _Tolerances) -> None:
    """Check that one output's gradient alone gives what zeros for the other outputs give."""
    outputs = [o for o in _outputs_of(func, tensors) if o.requires_grad]
    wanted = [t for t in tensors if _is_wanted(t)]
    weights = [_direction(o.detach()) for o in outputs]
    if len(outputs) == 1:
        return
    for number, output in enumerate(outputs):
        zeros = [w if i == number else w * 0 for i, w in enumerate(weights)]
        alone = gradient_of(output, wanted, weights[number], retain_graph=True, allow_unused=True)
        filled = gradient_of(outputs, wanted, zeros, retain_graph=True, allow_unused=True)
        for one, other in zip(alone, filled, strict=True):
            if one is not None and other is not None and not _equal(one, other, how):
                msg = (
                    f"gradcheck: the gradient of output {number} alone differs from that with "
                    "zeros for the other outputs: expected a missing gradient to count as zeros."
                )
                raise GradcheckError(msg)


def _check_batches(func: Callable[..., Any], tensors: Sequence[Any], how: _Tolerances) -> None:
    """Check that a batch of two gradients gives what they give one after the other."""
    wanted = [t for t in tensors if _is_wanted(t)]
    for output in (o for o in _outputs_of(func, tensors) if o.requires_grad):
        first = _direction(output.detach())
        pair = [first, -2 * first]
        together = gradient_of(
            output,
            wanted,
            ops.stack(pair),
            retain_graph=True,
            allow_unused=True,
            is_grads_batched=True,
        )
        apart = [gradient_of(output, wanted, w, retain_graph=True, allow_unused=True) for w in pair]
        for batch, *singles in zip(together, *apart, strict=True):
            if batch is not None and not _equal(batch, ops.stack(singles), how):
                msg = (
                    "gradcheck: a batch of gradients gives something else than its gradients alone."
                )
                raise GradcheckError(msg)


def _equal(left: Tensor, right: Tensor, how: _Tolerances) -> bool:
    one, other = (ops.cat(_parts(side.detach().reshape(-1))) for side in (left, right))
    return _close(one, other, how.rtol, how.atol)
