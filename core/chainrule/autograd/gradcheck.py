"""Gradients checked against finite differences."""

from __future__ import annotations

import warnings
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


class GradcheckError(AutogradError):
    """The analytical gradient is not what finite differences give."""


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
        check_undefined_grad: Check that missing gradients of outputs are taken as zeros.
        check_grad_dtypes: Check that each gradient has the dtype of its input.

    Raises:
        GradcheckError: they do not agree: both Jacobians are shown.
        ValueError: no input requires grad.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], dtype=cr.float64, requires_grad=True)
    >>> gradcheck(lambda x: x * x, (x,))
    True
    """
    tensors = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    _check_inputs(tensors)
    try:
        _compare(func, tensors, eps, atol, rtol, nondet_tol, check_grad_dtypes)
        if check_undefined_grad:
            _check_missing(func, tensors)
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
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
) -> bool:
    """Return whether the second derivatives of *func* at *inputs* agree with central differences.

    Arguments as of `gradcheck`; *grad_outputs* are the gradients of the outputs, by default drawn
    at random.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], dtype=cr.float64, requires_grad=True)
    >>> gradgradcheck(lambda x: x * x * x, (x,))
    True
    """
    tensors = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    _check_inputs(tensors)
    outputs = [o for o in _outputs_of(func, tensors) if o._key.floating]
    if grad_outputs is None:
        given = tuple(_weights(output, 0.6 + 0.1 * i).requires_grad_() for i, output in enumerate(outputs))
    else:
        given = grad_outputs if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)
    count = len(given)

    def first_derivative(*arguments: Any) -> Any:
        points, weights = arguments[:-count], arguments[-count:]
        results = [o for o in _outputs_of(func, points) if o._key.floating]
        wanted = [p for p in points if isinstance(p, Tensor) and p.requires_grad]
        pairs = [(r, w) for r, w in zip(results, weights, strict=True) if r.requires_grad]
        found = gradient_of(
            [r for r, _ in pairs], wanted, [w for _, w in pairs], create_graph=True, allow_unused=True
        )
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradcheck(
        first_derivative, (*tensors, *given), eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
    )  # fmt: skip


def _check_inputs(tensors: Sequence[Any]) -> None:
    wanted = False
    for position, tensor in enumerate(tensors):
        if not (isinstance(tensor, Tensor) and tensor.requires_grad):
            continue
        wanted = True
        if tensor.dtype.to_real() is not float64:
            warnings.warn(
                f"Input #{position} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double precision "
                "floating point or complex. ",
                UserWarning,
                stacklevel=3,
            )
        for dim, (stride, size) in enumerate(zip(tensor.stride(), tensor.shape, strict=True)):
            if stride == 0 and size > 1:
                msg = (
                    f"The {position}th input has a dimension with stride 0. gradcheck only supports "
                    "inputs that are non-overlapping to be able to compute the numerical gradients "
                    "correctly. You should call .contiguous on the input before passing it to gradcheck."
                    f"\ngradcheck: dimension {dim} is expanded."
                )
                raise AutogradError(msg)
    if not wanted:
        msg = (
            "gradcheck expects at least one input tensor to require gradient, but none of them have "
            "requires_grad=True."
        )
        raise ValueError(msg)


def _outputs_of(func: Callable[..., Any], tensors: Sequence[Any]) -> list[Tensor]:
    result = func(*tensors)
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, (tuple, list)):
        return [r for r in result if isinstance(r, Tensor)]
    msg = f"gradcheck: expected the function to return tensors, got {type(result).__name__}."
    raise ArgumentError(msg)


def _weights(output: Tensor, start: float) -> Tensor:
    """Return weights like *output*, no two alike."""
    count = output.numel()
    ramp = ops.arange(count, dtype=float64, device=output.device).to(output.dtype)
    return (start + ramp * (0.9 / max(count, 1))).reshape(output.shape).detach()


def _compare(
    func: Callable[..., Any], tensors: Sequence[Any], eps: float, atol: float, rtol: float,
    nondet_tol: float, check_dtypes: bool,
) -> None:  # fmt: skip
    outputs = _outputs_of(func, tensors)
    for number, output in enumerate(outputs):
        for position, tensor in enumerate(tensors):
            if not (isinstance(tensor, Tensor) and tensor.requires_grad):
                continue
            numerical = _numerical(func, tensors, tensor, number, eps)
            if not output.requires_grad:
                analytical = numerical * 0
            else:
                analytical = _analytical(output, tensor, check_dtypes, position)
                again = _analytical(_outputs_of(func, tensors)[number], tensor, False, position)
                _check_repeatable(analytical, again, nondet_tol)
            if not _close(analytical, numerical, rtol, atol):
                msg = (
                    f"Jacobian mismatch for output {number} with respect to input {position},\n"
                    f"numerical:{numerical}\nanalytical:{analytical}\n"
                )
                raise GradcheckError(msg)


def _numerical(
    func: Callable[..., Any], tensors: Sequence[Any], tensor: Tensor, number: int, eps: float
) -> Tensor:
    """Return the Jacobian of one output by one input, ``(inputs, outputs)``, by central differences.

    For a complex input it is the conjugate Wirtinger derivative of the outputs' conjugates' sum,
    built from the derivatives along the real and the imaginary axis.
    """
    point = tensor.detach()
    original = point.clone()
    flat = original.reshape(-1)
    rows = []

    def moved(index: int, step: complex) -> Tensor:
        changed = flat.clone()
        changed[index] = flat[index].item() + step
        point.copy_(changed.reshape(original.shape))
        arguments = [a.detach().requires_grad_(a.requires_grad) if isinstance(a, Tensor) else a for a in tensors]
        return _outputs_of(func, arguments)[number].detach().reshape(-1).clone()

    def difference(index: int, step: complex) -> Tensor:
        return (moved(index, step) - moved(index, -step)) / (2 * eps)

    with _unrecorded(point):
        for index in range(flat.numel()):
            along = difference(index, eps)
            rows.append((along, difference(index, eps * 1j)) if point.is_complex() else (along, None))
        point.copy_(original)
    if not rows:
        return ops.zeros(0, 0, dtype=float64, device=tensor.device)
    return ops.stack([_row(real, imag) for real, imag in rows])


class _unrecorded:  # noqa: N801 - used as a verb
    """Writes into *point* count up a version that must not be seen by the caller's graphs."""

    def __init__(self, point: Tensor) -> None:
        self._storage = point._storage
        self._version = 0 if point._storage is None else point._storage.version

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        if self._storage is not None:
            self._storage.version = self._version


def _row(real: Tensor, imag: Tensor | None) -> Tensor:
    """Return what `_analytical` gives for one input element: derivatives by each output part."""
    parts = [real.real, real.imag] if real.is_complex() else [real]
    if imag is None:
        return ops.stack(parts).reshape(-1)
    other = [imag.real, imag.imag] if imag.is_complex() else [imag]
    return ops.stack([*parts, *other]).reshape(-1)


def _analytical(output: Tensor, tensor: Tensor, check_dtypes: bool, position: int) -> Tensor:
    """Return the same Jacobian by backward passes, one per element (and part) of the output."""
    columns = []
    units = (1.0, 1j) if output.is_complex() else (1.0,)
    for unit in units:
        for index in range(output.numel()):
            weight = ops.zeros(output.numel(), dtype=output.dtype, device=output.device)
            weight[index] = unit
            (found,) = gradient_of(
                output, tensor, weight.reshape(output.shape), retain_graph=True, allow_unused=True
            )
            if found is None:
                found = ops.zeros(tensor.shape, dtype=tensor.dtype, device=tensor.device)
            if check_dtypes and found.dtype is not tensor.dtype:
                msg = f"Gradient for input {position} has dtype {found.dtype}, expected {tensor.dtype}"
                raise GradcheckError(msg)
            found = found.detach().reshape(-1)
            columns.append((found.real, found.imag) if found.is_complex() else (found, None))
    if not columns or not tensor.numel():
        return ops.zeros(0, 0, dtype=float64, device=tensor.device)
    real = ops.stack([c[0] for c in columns], 1)
    if columns[0][1] is None:
        return real
    return ops.cat([real, ops.stack([c[1] for c in columns], 1)], 1)


def _check_repeatable(first: Tensor, second: Tensor, tolerance: float) -> None:
    if first.numel() and not _close(first, second, 0.0, tolerance):
        msg = (
            "Backward is not reentrant, i.e., running backward with same input and grad_output multiple "
            "times gives different values, although analytical gradient matches numerical gradient."
            f"The tolerance for nondeterminism was {tolerance}."
        )
        raise GradcheckError(msg)


def _close(left: Tensor, right: Tensor, rtol: float, atol: float) -> bool:
    if left.shape != right.shape:
        return not left.numel() and not right.numel()
    with no_grad():
        return bool(ops.allclose(left.to(float64), right.to(float64), rtol=rtol, atol=atol, equal_nan=True))


def _check_missing(func: Callable[..., Any], tensors: Sequence[Any]) -> None:
    """Check that a zero gradient of every output gives zero or missing gradients."""
    outputs = [o for o in _outputs_of(func, tensors) if o.requires_grad]
    wanted = [t for t in tensors if isinstance(t, Tensor) and t.requires_grad]
    if not outputs:
        return
    zeros = [ops.zeros(o.shape, dtype=o.dtype, device=o.device) for o in outputs]
    for found in gradient_of(outputs, wanted, zeros, allow_unused=True, retain_graph=True):
        if found is not None and bool(ops.any(ops.ne(found.detach(), 0))):
            msg = "Expected zero gradients for zero gradients of the outputs"
            raise GradcheckError(msg)
