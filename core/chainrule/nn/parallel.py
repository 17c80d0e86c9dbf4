"""What PyTorch splits a batch over several devices with; here it runs on the one it is on."""

from __future__ import annotations

from typing import Any

from ..errors import AbsentError
from .modules.module import Module

__all__ = ["DataParallel", "DistributedDataParallel"]


class DataParallel(Module):
    """Call *module*: there is one device to run it on, so nothing is split.

    Paths in `state_dict` begin with ``module.``, as in PyTorch.

    Args:
        module: What is called.
        device_ids: Taken and not used, as are the others.
        output_device: See *device_ids*.
        dim: See *device_ids*.

    >>> import chainrule as cr
    >>> model = DataParallel(cr.nn.Linear(2, 1))
    >>> list(model.state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(
        self,
        module: Module,
        device_ids: Any = None,
        output_device: Any = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        self.module, self.dim = module, dim
        self.device_ids = [] if device_ids is None else list(device_ids)
        self.output_device = output_device

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Return what the module returns."""
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """What PyTorch spreads training over processes with; there is no such thing here.

    Raises:
        NotImplementedError: always. The class is there for ``isinstance``.
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        raise AbsentError(
            "DistributedDataParallel: chainrule does not have it. Train in one process."
        )
