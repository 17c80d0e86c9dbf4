"""Normalisation of every channel of every sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._warn import warn
from .. import functional as F
from .batchnorm import _NormBase

if TYPE_CHECKING:
    from ...device import Device
    from ...dtypes import DType
    from ...tensor import Tensor

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(_NormBase):
    """An instance normalisation over as many dimensions as the class says."""

    _spatial: int

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Device | str | None = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _get_no_batch_dim(self) -> int:
        return self._spatial + 1

    def _check_input_dim(self, input: Tensor) -> None:
        low = self._spatial + 1
        if input.dim() not in {low, low + 1}:
            msg = f"expected {low}D or {low + 1}D input (got {input.dim()}D input)"
            raise ValueError(msg)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        alone = input.dim() == self._get_no_batch_dim()
        place = 0 if alone else 1
        if input.size(place) != self.num_features:
            self._wrong_channels(input, place)
        if alone:
            return self._apply_instance_norm(input.unsqueeze(0)).squeeze(0)
        return self._apply_instance_norm(input)

    def _wrong_channels(self, input: Tensor, place: int) -> None:
        """Raise if the channels matter, and warn if they do not."""
        text = (
            f"expected input's size at dim={place} to match num_features ({self.num_features}), "
            f"but got: {input.size(place)}."
        )
        if self.affine:
            raise ValueError(text)
        warn(
            f"input's size at dim={place} does not match num_features. "
            "You can silence this warning by not passing in num_features, "
            "which is not used because affine=False",
            stacklevel=3,
        )

    def _apply_instance_norm(self, input: Tensor) -> Tensor:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any
    ) -> None:
        """Refuse statistics from before PyTorch 0.4 that no module would use."""
        version = local_metadata.get("version", None)
        if version is None and not self.track_running_stats:
            left = [
                prefix + name
                for name in ("running_mean", "running_var")
                if prefix + name in state_dict
            ]
            if left:
                shown = " and ".join(f'"{key}"' for key in left)
                error = (
                    f"Unexpected running stats buffer(s) {shown} for {type(self).__name__} with "
                    "track_running_stats=False. If state_dict is a checkpoint saved before 0.4.0, "
                    "this may be expected because "
                    f"{type(self).__name__} does not track running stats by default since 0.4.0."
                )
                args[-1].append(error)
                for key in left:
                    state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class InstanceNorm1d(_InstanceNorm):
    """Return ``(N, C, L)`` or ``(C, L)`` with mean 0 and variance 1 in every channel and sample.

    Args:
        num_features: How many channels there are.
        eps: Added to the variance.
        momentum: How far running statistics move in a step.
        affine: Whether there is a learned scale.
        track_running_stats: Whether there are running statistics, to be used outside of training.
        device: Of parameters and buffers.
        dtype: Of parameters and buffers.
        bias: Whether there is a learned shift as well.

    Raises:
        ValueError: the input has another number of dimensions.

    >>> import chainrule as cr
    >>> InstanceNorm1d(1)(cr.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """

    _spatial = 1


class InstanceNorm2d(_InstanceNorm):
    """Return ``(N, C, H, W)`` or ``(C, H, W)`` normalised per channel and sample.

    Arguments are those of `InstanceNorm1d`.
    """

    _spatial = 2


class InstanceNorm3d(_InstanceNorm):
    """Return ``(N, C, D, H, W)`` or ``(C, D, H, W)`` normalised per channel and sample.

    Arguments are those of `InstanceNorm1d`.
    """

    _spatial = 3
