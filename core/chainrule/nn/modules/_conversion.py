"""Moving a module to another dtype or device, freezing it, and clearing its gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ... import ops
from ...dtypes import DType, given
from ...grad_mode import no_grad
from ...misspelling import Misspelling
from ...tensor import Tensor
from ..parameter import UninitializedTensorMixin
from ._traversal import Traversal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...device import Device

    Convert = Callable[[Tensor], Tensor]


class Conversion(Traversal):
    """Everything that changes all the tensors of a module in one call.

    Parameters keep their identity, so that an optimizer made before goes on working: what changes
    is their ``data``.
    """

    training: bool
    require_grad = Misspelling("requires_grad")
    requires_grads = Misspelling("requires_grad")
    required_grad = Misspelling("requires_grad")
    requires_gradient = Misspelling("requires_grad")
    requiresgrad = Misspelling("requires_grad")

    def _apply(self, fn: Convert, recurse: bool = True) -> Self:
        """Replace every parameter, its gradient, and every buffer by what *fn* gives for it."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is not None:
                _replace_data(parameter, fn)
                if parameter.grad is not None:
                    _replace_data(parameter.grad, fn)
        for name, buffer in self._buffers.items():
            if isinstance(buffer, UninitializedTensorMixin):
                _replace_data(buffer, fn)
            elif buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move the module to a device, to a floating dtype, or to those of a tensor.

        Called as ``to(device, dtype)``, ``to(dtype)`` or ``to(tensor)``, with keywords as well.
        Integer tensors change their device only.

        Raises:
            TypeError: the dtype is neither floating nor complex.

        >>> import chainrule as cr
        >>> cr.nn.Linear(1, 1).to(cr.float64).weight.dtype
        torch.float64
        """
        device, dtype = _destination(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            msg = (
                "nn.Module.to only accepts floating point or complex dtypes, "
                f"but got desired dtype={dtype}"
            )
            raise TypeError(msg)

        def convert(tensor: Tensor) -> Tensor:
            inexact = tensor.is_floating_point() or tensor.is_complex()
            return tensor.to(device=device, dtype=dtype if inexact else None)

        return self._apply(convert)

    def cpu(self) -> Self:
        """Move the module to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device: Device | int | None = None) -> Self:
        """Move the module to a CUDA device."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def float(self) -> Self:
        """Convert floating tensors to float32."""
        return self._apply(_floating_only(lambda tensor: tensor.float()))

    def double(self) -> Self:
        """Convert floating tensors to float64."""
        return self._apply(_floating_only(lambda tensor: tensor.double()))

    def half(self) -> Self:
        """Convert floating tensors to float16."""
        return self._apply(_floating_only(lambda tensor: tensor.half()))

    def bfloat16(self) -> Self:
        """Convert floating tensors to bfloat16."""
        return self._apply(_floating_only(lambda tensor: tensor.bfloat16()))

    def type(self, dst_type: DType | str) -> Self:
        """Convert all tensors to *dst_type*."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def share_memory(self) -> Self:
        """Return the module: what its tensors do, see `Tensor.share_memory_`."""
        return self._apply(lambda tensor: tensor.share_memory_())

    def to_empty(self, *, device: Device | str | None, recurse: bool = True) -> Self:
        """Move the module to *device* without its values."""
        return self._apply(lambda tensor: ops.empty_like(tensor, device=device), recurse)

    # What a training loop switches

    def train(self, mode: bool = True) -> Self:
        """Set training mode on this module and all below it; return the module.

        Dropout and batch normalisation are the modules that heed it.

        Raises:
            ValueError: *mode* is no bool.
        """
        if not isinstance(mode, bool):
            msg = "training mode is expected to be boolean"
            raise ValueError(msg)  # noqa: TRY004 - as PyTorch
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode on this module and all below it; return the module."""
        return self.train(mode=False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze or thaw all parameters; return the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    @property
    def requires_grad(self) -> bool:
        """Whether any parameter requires grad. Assigning freezes or thaws them all.

        Differs from PyTorch:
            There, ``module.requires_grad = False`` makes an attribute that nobody reads, and the
            module goes on training.

        >>> import chainrule as cr
        >>> layer = cr.nn.Linear(2, 2)
        >>> layer.requires_grad = False
        >>> layer.weight.requires_grad, layer.requires_grad
        (False, False)
        """
        return any(parameter.requires_grad for parameter in self.parameters())

    @requires_grad.setter
    def requires_grad(self, requires_grad: bool) -> None:
        self.requires_grad_(requires_grad)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop all gradients, or with ``set_to_none=False`` fill them with zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                grad = parameter.grad
                if grad.grad_fn is None:
                    grad.requires_grad_(False)
                else:
                    grad.detach_()
                grad.zero_()


def _replace_data(tensor: Tensor, fn: Convert) -> None:
    """Give *tensor* new values and keep its identity."""
    if isinstance(tensor, UninitializedTensorMixin):
        tensor.take_after(fn(tensor.template()))
        return
    with no_grad():
        converted = fn(tensor)
    if converted is not tensor:
        tensor.data = converted


def _floating_only(fn: Convert) -> Convert:
    return lambda tensor: fn(tensor) if tensor.is_floating_point() else tensor


def _destination(
    first: Any = None,
    second: Any = None,
    non_blocking: bool = False,
    *,
    device: Device | str | int | None = None,
    dtype: DType | None = None,
    tensor: Tensor | None = None,
    memory_format: Any = None,
) -> tuple[Any, DType | None]:
    """Return the device and the dtype that the arguments of `Conversion.to` name."""
    del non_blocking, memory_format  # a transfer is over when it returns; copies are contiguous
    like = first if isinstance(first, Tensor) else tensor
    if like is not None:
        return like.device, like.dtype
    if isinstance(first, (DType, type)):
        return device, given(first)
    if isinstance(second, (DType, type)):
        dtype = given(second)
    return device if first is None else first, None if dtype is None else given(dtype)
