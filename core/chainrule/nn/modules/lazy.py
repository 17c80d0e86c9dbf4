"""Modules that find out from their first input how large they have to be."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Literal

from ... import ops
from ...dtypes import int64
from ...grad_mode import no_grad
from ..parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d, _NormBase
from .conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    _ConvNd,
)
from .instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .linear import Linear
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...device import Device
    from ...dtypes import DType

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d",
    "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
    "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip


class LazyModuleMixin(Module):
    """What a lazy module does until its first call: wait, be saved, and be loaded.

    A subclass gives itself `UninitializedParameter`s, and materializes them in
    ``initialize_parameters``, which is called with the first input. With ``cls_to_become`` it is of
    that class afterwards.
    """

    cls_to_become: type[Module] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, tensor in self._persistent_members().items():
            plain = keep_vars or is_lazy(tensor)
            destination[prefix + name] = tensor if plain else tensor.detach()

    def _lazy_load_hook(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Take the shapes of what is loaded."""
        for name, tensor in itertools.chain(self._parameters.items(), self._buffers.items()):
            found = state_dict.get(prefix + name)
            if tensor is not None and found is not None and is_lazy(tensor) and not is_lazy(found):
                with no_grad():
                    tensor.materialize(found.shape)  # type: ignore[attr-defined]  # it is lazy

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize the parameters for these inputs; a subclass says how."""
        msg = f"initialize_parameters is not implemented for {type(self).__name__}"
        raise NotImplementedError(msg)

    def has_uninitialized_params(self) -> bool:
        """Return whether a parameter or buffer has no shape yet."""
        members = itertools.chain(self._parameters.values(), self._buffers.values())
        return any(is_lazy(tensor) for tensor in members)

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        """Initialize before the first call, and become what the module is for."""
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            msg = (
                f"module {type(self).__name__} has not been fully initialized\n"
                "initialize_parameters: expected every parameter to be materialized."
            )
            raise RuntimeError(msg)
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook
        del module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become


class LazyLinear(LazyModuleMixin, Linear):
    """A `Linear` that takes its *in_features* from the first input.

    Args:
        out_features: Size of the last dimension of the output.
        bias: Whether there is a bias.
        device: Of the parameters.
        dtype: Of the parameters.

    >>> import chainrule as cr
    >>> layer = LazyLinear(3)
    >>> layer(cr.ones(5, 2)).shape
    torch.Size([5, 3])
    >>> layer
    Linear(in_features=2, out_features=3, bias=True)
    """

    cls_to_become = Linear

    def __init__(
        self,
        out_features: int,
        bias: bool = True,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once they are there."""
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Any) -> None:
        """Take the number of features from *input*."""
        if self.has_uninitialized_params():
            with no_grad():
                self.in_features = input.shape[-1]
                _materialize(self.weight, (self.out_features, self.in_features))
                if self.bias is not None:
                    _materialize(self.bias, (self.out_features,))
                self.reset_parameters()
        elif self.in_features == 0:  # loaded: the shape is known, the number is not
            self.in_features = self.weight.shape[-1]


def _materialize(tensor: Any, shape: tuple[int, ...]) -> None:
    if is_lazy(tensor):
        tensor.materialize(shape)


class _LazyConvXdMixin(LazyModuleMixin, _ConvNd):
    """A convolution that takes its number of channels from the first input."""

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once they are there."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def _wait(
        self, out_channels: int, bias: bool, device: Device | str | None, dtype: DType | None
    ) -> None:
        """Begin without weights."""
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_channels = out_channels
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def initialize_parameters(self, input: Any, *args: Any, **kwargs: Any) -> None:
        """Take the number of channels from *input*."""
        if not self.has_uninitialized_params():
            if self.in_channels == 0:  # loaded: the shape is known, the number is not
                inner = self.weight.shape[0 if self.transposed else 1]
                self.in_channels = inner if self.transposed else inner * self.groups
            return
        self.in_channels = self._get_in_channels(input)
        if self.in_channels % self.groups:
            msg = "in_channels must be divisible by groups"
            raise ValueError(msg)
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        with no_grad():
            _materialize(self.weight, (first, second // self.groups, *self.kernel_size))
            if self.bias is not None:
                _materialize(self.bias, (self.out_channels,))
            self.reset_parameters()

    def _get_in_channels(self, input: Any) -> int:
        spatial = len(self.kernel_size)
        if input.dim() not in {spatial + 1, spatial + 2}:
            msg = (
                f"Expected {spatial + 1}D (unbatched) or {spatial + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {input.shape}"
            )
            raise RuntimeError(msg)
        return int(input.shape[-1 - spatial])


class _LazyConv(_LazyConvXdMixin):
    """What lazy convolutions are made with."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        begin: Any = super().__init__
        begin(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._wait(out_channels, bias, device, dtype)


class _LazyConvTranspose(_LazyConvXdMixin):
    """What lazy transposed convolutions are made with."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        begin: Any = super().__init__
        begin(
            0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation,
            padding_mode,
        )  # fmt: skip
        self._wait(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """A `Conv1d` that takes its *in_channels* from the first input; other arguments as there."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A `Conv2d` that takes its *in_channels* from the first input; other arguments as there.

    >>> import chainrule as cr
    >>> layer = LazyConv2d(4, 3)
    >>> layer(cr.zeros(1, 2, 5, 5)).shape, layer.weight.shape
    (torch.Size([1, 4, 3, 3]), torch.Size([4, 2, 3, 3]))
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A `Conv3d` that takes its *in_channels* from the first input; other arguments as there."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """A `ConvTranspose1d` that takes its *in_channels* from the first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """A `ConvTranspose2d` that takes its *in_channels* from the first input."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """A `ConvTranspose3d` that takes its *in_channels* from the first input."""

    cls_to_become = ConvTranspose3d


class _LazyNormBase(LazyModuleMixin, _NormBase):
    """A normalisation that takes its number of channels from the first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Device | str | None = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        begin: Any = super().__init__
        begin(0, eps, momentum, False, False)
        self.affine, self.track_running_stats = affine, track_running_stats
        at: dict[str, Any] = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**at)
            if bias:
                self.bias = UninitializedParameter(**at)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**at)
            self.running_var = UninitializedBuffer(**at)
            self.num_batches_tracked = ops.tensor(0, dtype=int64, device=device)

    def reset_parameters(self) -> None:
        """Set parameters and statistics to what they begin with, once they are there."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Any) -> None:
        """Take the number of channels from *input*."""
        if self.has_uninitialized_params():
            self.num_features = input.shape[1]
            for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
                _materialize(tensor, (self.num_features,))
            self.reset_parameters()
        elif self.num_features == 0:  # loaded: the shape is known, the number is not
            known = self.weight if self.weight is not None else self.running_mean
            if known is not None:
                self.num_features = known.shape[0]


class LazyBatchNorm1d(_LazyNormBase, BatchNorm1d):
    """A `BatchNorm1d` that takes its *num_features* from the first input.

    >>> import chainrule as cr
    >>> layer = LazyBatchNorm1d()
    >>> layer(cr.tensor([[1.0], [3.0]])).shape, layer.num_features
    (torch.Size([2, 1]), 1)
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNormBase, BatchNorm2d):
    """A `BatchNorm2d` that takes its *num_features* from the first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNormBase, BatchNorm3d):
    """A `BatchNorm3d` that takes its *num_features* from the first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNormBase, InstanceNorm1d):
    """An `InstanceNorm1d` that takes its *num_features* from the first input."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNormBase, InstanceNorm2d):
    """An `InstanceNorm2d` that takes its *num_features* from the first input."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNormBase, InstanceNorm3d):
    """An `InstanceNorm3d` that takes its *num_features* from the first input."""

    cls_to_become = InstanceNorm3d
