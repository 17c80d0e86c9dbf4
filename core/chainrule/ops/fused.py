"""Ops that span what would be many nodes: one call updates all parameters of an optimizer's group.

They write into lists of tensors and are not differentiable. The body, over ordinary ops, says what
is computed, and runs on a backend that has no kernel. A kernel gets lists of arrays by position
and the rest by keyword, and writes into the arrays.

Those that users call by name, `chainrule.ops.fused.rms_norm` and its like, stand in fused_rows.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import inplace
from ..grad_mode import mode
from ..op import Op
from ..value import count_write, new_value
from .creation_like import zeros_like
from .joining import stack
from .norms import vector_norm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..backend import Backend, Kernel
    from ..tensor import Tensor
    from .fused_rows import rms_norm, softmax_cross_entropy  # noqa: F401 - they come late

__all__ = [
    "_count_steps_", "_fused_adam_", "_fused_sgd_", "_norms_of_", "_scale_", "_zeros_beside_",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in {"rms_norm", "softmax_cross_entropy"}:
        from . import fused_rows

        return getattr(fused_rows, name)
    msg = f"module 'chainrule.ops.fused' has no attribute {name!r}"
    raise AttributeError(msg)


#: What users know the writer as, where that is not the op's own name.
_TITLES = {
    "_fused_adam_": "Adam.step",
    "_fused_sgd_": "SGD.step",
    "_scale_": "mul_",
    "_write_at_": "__setitem__",
}


class UpdateOp(Op[..., Any]):
    """An op that writes into lists of tensors of one backend and device.

    Every tensor written to counts one version up, however often the body writes, so that a graph
    which saved a parameter notices.

    Args:
        function: The statement: its positional parameters are the lists, its keywords the rest.
        writes: Which of the lists are written to.
    """

    def __init__(self, function: Callable[..., Any], writes: tuple[str, ...]) -> None:
        returned = function.__annotations__["return"]
        function.__annotations__["return"] = "tuple[()]"  # a schema's word for no tensor
        super().__init__(function, kind="update")
        function.__annotations__["return"] = returned
        self.vjp(**dict.fromkeys(self.differentiable))
        self.title = _TITLES.get(self.__name__, self.__name__.lstrip("_"))
        self.written = tuple(self.schema.position[name] for name in writes)

    def __call__(self, *lists: Sequence[Tensor], **options: Any) -> Any:
        """Run the kernel of the backend of the tensors, or the body, unrecorded."""
        if inplace.refuse_write is not None:
            for position in self.written:
                for tensor in lists[position]:
                    inplace.refuse_write(tensor, self.title)
        kernel = self.table[lists[0][0]._key.index]
        result = kernel(*[[tensor._array for tensor in tensors] for tensors in lists], **options)
        for position in self.written:
            for tensor in lists[position]:
                count_write(tensor, self.title)
        return result

    def _without_kernel(self, backend: Backend) -> Kernel:
        """Return the body as a kernel: arrays are wrapped, and nothing is recorded."""

        def wrapped(array: Any) -> Any:
            return new_value(array, backend.key(backend.dtype_of(array), backend.device_of(array)))

        def body(*lists: Any, **options: Any) -> Any:
            before, mode.enabled = mode.enabled, False
            try:
                return self.function(*[list(map(wrapped, arrays)) for arrays in lists], **options)
            finally:
                mode.enabled = before

        return body


def _update(*writes: str) -> Callable[[Callable[..., Any]], UpdateOp]:
    """Return a decorator that makes an update op which writes to the lists named."""
    return lambda function: UpdateOp(function, writes)


@_update()
def _zeros_beside_(params: Sequence[Tensor]) -> tuple[Any, ...]:
    """Return arrays of zeros like *params*, where in memory the backend likes them best.

    A backend whose `_fused_adam_` is faster on state that lies side by side lays it so.
    """
    return tuple(zeros_like(param)._array for param in params)


@_update("steps")
def _count_steps_(steps: Sequence[Tensor]) -> tuple[float, ...]:
    """Return the numbers in *steps* after adding one to each.

    Args:
        steps: Each ``()``, floating.
    """
    return tuple(float(step.add_(1).item()) for step in steps)


@_update()
def _norms_of_(tensors: Sequence[Tensor], *, ord: float) -> Any:
    """Return the norm of every tensor, as an array of one dimension.

    Args:
        tensors: Of one floating dtype.
        ord: The order of the norms, as of `vector_norm`.
    """
    return stack([vector_norm(tensor, ord) for tensor in tensors])._array


@_update("tensors")
def _scale_(tensors: Sequence[Tensor], factor: Sequence[Tensor]) -> None:
    """Multiply every tensor, in place, with one number.

    Args:
        tensors: What is multiplied.
        factor: The number, ``()``, in a list of its own.
    """
    for tensor in tensors:
        tensor.mul_(factor[0])


def kept(tensor: Any) -> Any:
    """Return *tensor* as a recorded step may save it: a copy, since later steps write into it."""
    return tensor.clone() if mode.enabled else tensor


def state_like(params: Sequence[Tensor]) -> list[Tensor]:
    """Return tensors of zeros like *params*, for what an optimizer remembers of each."""
    arrays = _zeros_beside_(params)
    return [new_value(array, p._key) for array, p in zip(arrays, params, strict=True)]


@_update("params", "exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs")
def _fused_adam_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    exp_avgs: Sequence[Tensor],
    exp_avg_sqs: Sequence[Tensor],
    max_exp_avg_sqs: Sequence[Tensor],
    *,
    steps: Sequence[float],
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    eps: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    """Take one step of Adam for every parameter.

    Args:
        params: What is optimised.
        grads: A gradient each.
        exp_avgs: The moving average of the gradient.
        exp_avg_sqs: The moving average of its square.
        max_exp_avg_sqs: The largest such average yet (AMSGrad); empty for plain Adam.
        steps: How many steps each parameter has been taken, this one included.
        lr: The learning rate.
        beta1: How much of the first average is kept.
        beta2: How much of the second is kept.
        weight_decay: How strongly parameters are drawn to zero.
        eps: Added to the root in the denominator.
        decoupled: Shrink the parameters themselves (AdamW) rather than add to the gradient.
        maximize: Go up instead of down.

    Source:
        Kingma and Ba, "Adam: a method for stochastic optimization", 2015; Loshchilov and Hutter,
        "Decoupled weight decay regularization", 2019; Reddi, Kale and Kumar, "On the convergence
        of Adam and beyond", 2018.
    """
    adam_step(
        params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps=steps, lr=lr, beta1=beta1,
        beta2=beta2, weight_decay=weight_decay, eps=eps, decoupled=decoupled, maximize=maximize,
    )  # fmt: skip


def adam_step(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    exp_avgs: Sequence[Tensor],
    exp_avg_sqs: Sequence[Tensor],
    max_exp_avg_sqs: Sequence[Tensor],
    *,
    steps: Sequence[Any],
    lr: Any,
    beta1: float,
    beta2: float,
    weight_decay: float,
    eps: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    """Do what `_fused_adam_` says, with numbers or tensors as *steps* and *lr*."""
    for i, (param, grad, mean, square) in enumerate(
        zip(params, grads, exp_avgs, exp_avg_sqs, strict=True)
    ):
        gradient = -grad if maximize else grad
        if weight_decay:
            if decoupled:
                param.mul_(1 - lr * weight_decay)
            else:
                gradient = gradient + weight_decay * param
        mean.add_((gradient - mean) * (1 - beta1))
        square.mul_(beta2).add_(gradient * gradient * (1 - beta2))
        largest = square
        if max_exp_avg_sqs:
            largest = max_exp_avg_sqs[i]
            largest.copy_(kept(largest).maximum(kept(square)))
        root_correction = (1 - beta2 ** steps[i]) ** 0.5
        denominator = largest.sqrt() / root_correction + eps
        param.sub_(kept(mean) / denominator * (lr / (1 - beta1 ** steps[i])))


@_update("params", "momentum_buffers")
def _fused_sgd_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    momentum_buffers: Sequence[Tensor],
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    """Take one step of gradient descent for every parameter.

    Args:
        params: What is optimised.
        grads: A gradient each.
        momentum_buffers: The moving sum of gradients; empty without momentum.
        lr: The learning rate.
        momentum: How much of the moving sum is kept.
        dampening: How much of a new gradient is left out of the sum.
        weight_decay: How strongly parameters are drawn to zero.
        nesterov: Look ahead: step with the gradient and the sum.
        maximize: Go up instead of down.
        first: The buffers hold nothing yet and become the gradient.

    Source:
        Sutskever and others, "On the importance of initialization and momentum in deep learning",
        2013, in the form that applies the learning rate last.
    """
    descend(
        params, grads, momentum_buffers, lr=lr, momentum=momentum, dampening=dampening,
        weight_decay=weight_decay, nesterov=nesterov, maximize=maximize, first=first,
    )  # fmt: skip


def descend(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    momentum_buffers: Sequence[Tensor],
    *,
    lr: Any,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    """Do what `_fused_sgd_` says, with a number or a tensor as *lr*."""
    for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
        gradient = -grad if maximize else grad
        if weight_decay:
            gradient = gradient + weight_decay * param
        if momentum_buffers:
            buffer = momentum_buffers[i]
            if first:
                buffer.copy_(gradient)
            else:
                buffer.mul_(momentum).add_(gradient * (1 - dampening))
            gradient = gradient + momentum * buffer if nesterov else kept(buffer)
        param.sub_(gradient * lr)
