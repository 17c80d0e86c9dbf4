"""Normalisation of channels over a batch, with running statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ... import ops
from ...dtypes import int64
from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

if TYPE_CHECKING:
    from ...device import Device
    from ...dtypes import DType
    from ...tensor import Tensor

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"]


class _NormBase(Module):
    """Scale, shift and running statistics of channels.

    Args:
        num_features: How many channels there are.
        eps: Added to the variance.
        momentum: How far running statistics move in a step; None averages over all steps.
        affine: Whether there is a learned scale.
        track_running_stats: Whether there are running statistics.
        device: Of parameters and buffers.
        dtype: Of parameters and buffers.
        bias: Whether there is a learned shift as well.
    """

    _version = 2
    num_features: int
    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Device | str | None = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, present in (("weight", affine), ("bias", affine and bias)):
            made = ops.empty(num_features, device=device, dtype=dtype) if present else None
            self.register_parameter(name, None if made is None else Parameter(made))
        tracked = track_running_stats
        for name, make in (("running_mean", ops.zeros), ("running_var", ops.ones)):
            self.register_buffer(
                name, make(num_features, device=device, dtype=dtype) if tracked else None
            )
        count = ops.tensor(0, dtype=int64, device=device) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Begin the running statistics anew: mean 0, variance 1."""
        for statistic, value in (
            (self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)
        ):  # fmt: skip
            if statistic is not None:
                statistic.fill_(value)

    def reset_parameters(self) -> None:
        """Set the scale to one, the shift to zero, and begin the running statistics anew."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any
    ) -> None:
        version = local_metadata.get("version", None)
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            own = self.num_batches_tracked  # files of PyTorch 0.3 do not count
            state_dict[key] = ops.tensor(0, dtype=int64) if own is None else own
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class _BatchNorm(_NormBase):
    """A batch normalisation of any number of dimensions."""

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        factor = self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if factor is None:  # the average of all batches so far
                factor = 1.0 / float(self.num_batches_tracked)
        mean, variance = self.running_mean, self.running_var
        by_batch = self.training or (mean is None and variance is None)
        if self.training and not self.track_running_stats:
            mean = variance = None
        return F.batch_norm(
            input, mean, variance, self.weight, self.bias, by_batch, factor or 0.0, self.eps
        )


def _expect(input: Tensor, wanted: tuple[int, ...]) -> None:
    if input.dim() not in wanted:
        names = " or ".join(f"{n}D" for n in wanted)
        msg = f"expected {names} input (got {input.dim()}D input)"
        raise ValueError(msg)


class BatchNorm1d(_BatchNorm):
    """Return ``(N, C)`` or ``(N, C, L)`` with mean 0 and variance 1 in every channel.

    In training mean and variance are those of the batch, and the running ones move on; afterwards
    the running ones are used. See `chainrule.nn.functional.batch_norm`.

    Args:
        num_features: How many channels there are.
        eps: Added to the variance.
        momentum: How far running statistics move in a step; None averages over all steps.
        affine: Whether there is a learned scale.
        track_running_stats: Whether there are running statistics.
        device: Of parameters and buffers.
        dtype: Of parameters and buffers.
        bias: Whether there is a learned shift as well.

    Raises:
        ValueError: the input has another number of dimensions.

    >>> import chainrule as cr
    >>> BatchNorm1d(1)(cr.tensor([[1.0], [3.0]]))
    tensor([[-1.0000],
            [ 1.0000]], grad_fn=<NativeBatchNormBackward0>)
    """

    def _check_input_dim(self, input: Tensor) -> None:
        _expect(input, (2, 3))


class BatchNorm2d(_BatchNorm):
    """Return ``(N, C, H, W)`` with mean 0 and variance 1 in every channel; see `BatchNorm1d`."""

    def _check_input_dim(self, input: Tensor) -> None:
        _expect(input, (4,))


class BatchNorm3d(_BatchNorm):
    """Return ``(N, C, D, H, W)`` with mean 0 and variance 1 in every channel; see `BatchNorm1d`."""

    def _check_input_dim(self, input: Tensor) -> None:
        _expect(input, (5,))


class SyncBatchNorm(_BatchNorm):
    """A batch normalisation that in PyTorch spans processes; here there is one: `BatchNorm1d`.

    Args:
        num_features: How many channels there are.
        eps: Added to the variance.
        momentum: How far running statistics move in a step; None averages over all steps.
        affine: Whether there is a learned scale.
        track_running_stats: Whether there are running statistics.
        process_group: Kept, and not used.
        device: Of parameters and buffers.
        dtype: Of parameters and buffers.
        bias: Whether there is a learned shift as well.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any | None = None,
        device: Device | str | None = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            msg = f"expected at least 2D input (got {input.dim()}D input)"
            raise ValueError(msg)

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """Return *module* with every batch normalisation in it replaced by this class."""
        made = module
        if isinstance(module, _BatchNorm) and not isinstance(module, SyncBatchNorm):
            made = cls(
                module.num_features, module.eps, module.momentum, module.affine,
                module.track_running_stats, process_group, bias=module.bias is not None,
            )._take(module)  # fmt: skip
        for name, child in module.named_children():
            made.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return made

    def _take(self, module: _BatchNorm) -> Self:
        """Take over the parameters, buffers and mode of *module*."""
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            setattr(self, name, getattr(module, name))
        self.training = module.training
        return self
