"""Weight normalisation by a hook; `parametrizations.weight_norm` is newer."""

from __future__ import annotations

from typing import Any

from ..._warn import warn
from ...ops.weight_norm import _weight_norm, norm_except_dim
from ..modules.module import Module
from ..parameter import Parameter
from . import _norm_hooks

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


class WeightNorm:
    """The hook: computes the weight anew before each forward pass.

    Args:
        name: Of the weight.
        dim: The dimension whose slices have lengths of their own; -1 for one length.
    """

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Any:
        """Return the weight that length and direction make."""
        length, direction = (getattr(module, f"{self.name}_{kind}") for kind in ("g", "v"))
        return _weight_norm(direction, length, self.dim)

    def remove(self, module: Module) -> None:
        """Make the weight a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        for kind in ("g", "v"):
            del module._parameters[f"{self.name}_{kind}"]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Module, inputs: Any) -> None:  # noqa: D102 - the hook itself
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Let a weight of *module* be computed from length and direction before each pass.

    Args:
        module: Whose weight; it gets ``<name>_g``, the length, and ``<name>_v``, the direction.
        name: Of the weight.
        dim: The dimension whose slices have lengths of their own; None for one length.

    Returns:
        *module*.

    Raises:
        RuntimeError: it is normalised already.

    Source:
        Salimans and Kingma, "Weight normalization", 2016.
    """
    warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of "
        "`torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    _norm_hooks.check_no_other(module, WeightNorm, "weight_norm", name)
    hook = WeightNorm(name, dim)
    weight = getattr(module, name)
    _norm_hooks.check_initialized(weight, "WeightNorm", "weight normalization")
    del module._parameters[name]
    length = norm_except_dim(weight.detach(), 2, hook.dim)
    module.register_parameter(f"{name}_g", Parameter(length))
    module.register_parameter(f"{name}_v", Parameter(weight.data))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight *name* of *module* a parameter again.

    Raises:
        ValueError: it is not normalised.
    """
    return _norm_hooks.remove(module, WeightNorm, "weight_norm", name)
