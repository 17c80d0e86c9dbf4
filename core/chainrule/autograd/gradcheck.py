"""Gradients checked against finite differences: `gradcheck` and `gradgradcheck`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .. import ops
from ..differentiate import grad as gradient_of
from ..errors import AutogradError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..tensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(AutogradError):
    """The analytical gradient is not what finite differences give."""


def _checks() -> Any:
    """Return the file of the checks, which whoever checks no gradient need not wait for."""
    return importlib.import_module("._gradcheck", __package__)


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
        check_batched_forward_grad: Likewise of tangents, in forward mode.
        check_forward_ad: Check forward mode too.
        check_backward_ad: Check backward mode.
        fast_mode: Compare along one direction per input and output, not entry by entry.
        masked: Taken and ignored: it is about sparse tensors.

    Raises:
        GradcheckError: they do not agree: both Jacobians are shown, input elements down, output
            elements across; or one of the other checks failed.
        ValueError: no input requires grad.
        RuntimeError: an input that requires grad is an expanded one.
        AssertionError: what is to be checked contradicts itself.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], dtype=cr.float64, requires_grad=True)
    >>> gradcheck(lambda x: x * x, (x,))
    True
    """
    _demand(check_forward_ad or check_backward_ad, "at least one of check_forward_ad or "
            "check_backward_ad to be True")  # fmt: skip
    _demand_together(
        check_batched_grad, check_backward_ad, "check_batched_grad", "check_backward_ad"
    )
    _demand_together(
        check_batched_forward_grad, check_forward_ad,
        "check_batched_forward_grad", "check_forward_ad",
    )  # fmt: skip
    tensors = _as_tuple(inputs)
    checks = _checks()
    how = checks.How(eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode)
    try:
        checks.check_inputs(tensors)
        if check_backward_ad:
            checks.check_against_differences(func, tensors, how, forward=False)
        if check_forward_ad:
            checks.check_against_differences(func, tensors, how, forward=True)
            if check_undefined_grad:
                checks.check_missing_forward(func, tensors)
        if check_batched_forward_grad:
            checks.check_batches_forward(func, tensors)
        if check_backward_ad:
            outputs = checks.differentiable(checks.outputs_of(func, tensors))
            if check_batched_grad:
                checks.check_batches(tensors, outputs)
            checks.check_zeros(tensors, outputs)
            if check_undefined_grad:
                checks.check_missing(func, tensors)
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
        check_fwd_over_rev: Check forward mode over backward mode too.
        check_rev_over_rev: Check backward mode over backward mode.
        fast_mode: See `gradcheck`.
        masked: See `gradcheck`.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], dtype=cr.float64, requires_grad=True)
    >>> gradgradcheck(lambda x: x * x * x, (x,))
    True
    """
    _demand(check_fwd_over_rev or check_rev_over_rev, "at least one of check_fwd_over_rev or "
            "check_rev_over_rev to be True")  # fmt: skip
    _demand_together(
        check_undefined_grad, check_rev_over_rev, "check_undefined_grad", "check_rev_over_rev"
    )
    _demand_together(
        check_batched_grad, check_rev_over_rev, "check_batched_grad", "check_rev_over_rev"
    )
    tensors = _as_tuple(inputs)
    if grad_outputs is None:
        outputs = _checks().differentiable(_checks().outputs_of(func, tensors))
        given = _default_weights(outputs, gen_non_contig_grad_outputs)
    else:
        given = _as_tuple(grad_outputs)
    return gradcheck(
        _first_derivative(func, tensors, given), (*tensors, *given), eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev, fast_mode=fast_mode, masked=masked,
    )  # fmt: skip


def _first_derivative(
    func: Callable[..., Any], tensors: Sequence[Any], weights: Sequence[Any]
) -> Callable[..., Any]:
    """Return the gradients of *func* as a function of its inputs and of weights of its outputs."""
    wanted = [_checks().is_wanted(item) for item in (*tensors, *weights)]

    def gradients(*arguments: Any) -> Any:
        # Forward mode is given points that do not require grad.
        arguments = tuple(
            a.requires_grad_() if want else a for a, want in zip(arguments, wanted, strict=True)
        )
        points, given = arguments[: len(tensors)], arguments[len(tensors) :]
        found = gradient_of(
            _checks().differentiable(_checks().outputs_of(func, points)),
            [point for point, want in zip(points, wanted, strict=False) if want],
            given,
            create_graph=True,
            allow_unused=True,
        )
        return tuple(g for g in found if g is not None)

    return gradients


def _default_weights(outputs: Sequence[Tensor], scattered: bool) -> tuple[Tensor, ...]:
    """Return gradients of *outputs* for `gradgradcheck`."""
    made = []
    for output in outputs:
        weight = _checks().direction(output.detach())
        if scattered and weight.ndim:
            weight = ops.stack([weight, weight], -1)[..., 0]
        made.append(weight.detach().requires_grad_())
    return tuple(made)


def _as_tuple(given: Any) -> tuple[Any, ...]:
    return tuple(given) if isinstance(given, (tuple, list)) else (given,)


def _demand(condition: bool, what: str) -> None:
    if not condition:
        msg = f"Expected {what}"
        raise AssertionError(msg)


def _demand_together(asked: bool, needed: bool, name: str, other: str) -> None:
    if asked and not needed:
        msg = f"Setting {name}=True requires {other} to be True"
        raise AssertionError(msg)
