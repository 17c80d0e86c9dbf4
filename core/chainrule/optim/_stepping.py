"""What the steps of all optimizers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .. import ops
from ..grad_mode import mode
from ..tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..ops.fused import UpdateOp

Closure = Callable[[], Any]


def number(value: Any) -> Any:
    """Return a hyper-parameter as a Python number, also where it is a tensor."""
    return value.item() if isinstance(value, Tensor) else value


def setting(group: dict[str, Any], name: str) -> Any:
    """Return a hyper-parameter of *group* as a number, or as it is where the step is recorded."""
    value = group[name]
    return value if group["differentiable"] else number(value)


def rate_on_device(group: dict[str, Any], params: list[Tensor]) -> list[Tensor]:
    """Return the learning rate of *group* where it is a tensor on the device of *params*.

    To read it would be to wait for the device. Empty for a number, and on the CPU.
    """
    lr, device = group["lr"], params[0].device
    on_device = isinstance(lr, Tensor) and device.type != "cpu" and lr.device == device
    return [lr] if on_device else []


def loss_of(closure: Closure | None) -> Any:
    """Return what *closure* computes, with recording on; None for none."""
    if closure is None:
        return None
    before, mode.enabled = mode.enabled, True
    try:
        return closure()
    finally:
        mode.enabled = before


def by_key(params: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Yield the parameters to update in lists of one dtype and device.

    Those without a gradient are left out, and so are frozen ones, whose state then stays as it is.
    """
    found: dict[Any, list[Tensor]] = {}
    for param in params:
        if param._grad is not None and param._requires_grad:
            key = param._key
            if key in found:
                found[key].append(param)
            else:
                found[key] = [param]
    yield from found.values()


def run(
    op: UpdateOp, group: dict[str, Any], params: list[Tensor], *state: list[Tensor], **options: Any
) -> None:
    """Run an update op on parameters and their gradients; recorded if the group says so.

    A complex parameter is updated as two real ones, with its state.
    """
    grads: list[Any] = [param._grad for param in params]
    lists: Any = (params, grads, *state)
    recorded = group["differentiable"]
    before, mode.enabled = mode.enabled, recorded
    try:
        if params[0]._key.complex:
            lists = [[real_parts(tensor) for tensor in tensors] for tensors in lists]
        (op.function if recorded else op)(*lists, **options)
    finally:
        mode.enabled = before


def real_parts(tensor: Any) -> Any:
    """Return a complex tensor as real numbers, and another one as it is."""
    return ops.view_as_real(tensor) if tensor._key.complex else tensor


def check_implementation(defaults: dict[str, Any]) -> None:
    """Check that at most one way to take a step is asked for.

    Raises:
        RuntimeError: two are.
    """
    if defaults["fused"] and defaults["differentiable"]:
        msg = "`fused` does not support `differentiable`"
        raise RuntimeError(msg)
    if defaults["fused"] and defaults["foreach"]:
        msg = "`fused` and `foreach` cannot be `True` together."
        raise RuntimeError(msg)
