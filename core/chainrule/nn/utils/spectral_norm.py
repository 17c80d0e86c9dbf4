"""Spectral normalisation by a hook; `parametrizations.spectral_norm` is newer."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...grad_mode import no_grad
from ...tensor import Tensor
from .. import functional as F
from ..modules.module import Module
from ..parameter import Parameter
from . import _norm_hooks

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


def dim_of(module: Module) -> int:
    """Return which dimension of a weight counts the outputs: 1 for transposed convolutions."""
    return int(type(module).__name__.startswith(("ConvTranspose", "ParametrizedConvTranspose")))


def has_tensor(module: Module, name: str) -> bool:
    """Return whether *module* has a parameter or buffer called *name*, parametrized or not."""
    if module._parameters.get(name) is not None or module._buffers.get(name) is not None:
        return True
    parametrizations: Any = getattr(module, "parametrizations", None) or {}
    return name in parametrizations


def power_method(matrix: Any, u: Tensor, v: Tensor, steps: int, eps: float) -> None:
    """Move *u* and *v* towards the singular vectors of the largest singular value, in place."""
    for _ in range(steps):
        u.copy_(F.normalize(ops.mv(matrix, v), dim=0, eps=eps))
        v.copy_(F.normalize(ops.mv(matrix.mH, u), dim=0, eps=eps))


class SpectralNorm:
    """The hook: computes the weight anew before each forward pass.

    Args:
        name: Of the weight.
        n_power_iterations: How many power iterations a forward pass in training makes.
        dim: The dimension of the outputs.
        eps: The least norm to divide by.

    Raises:
        ValueError: there are no iterations.
    """

    def __init__(
        self,
        name: str = "weight",
        n_power_iterations: int = 1,
        dim: int = 0,
        eps: float = 1e-12,
    ) -> None:
        if n_power_iterations <= 0:
            msg = (
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
            raise ValueError(msg)
        self.name, self.dim = name, dim
        self.n_power_iterations, self.eps = n_power_iterations, eps

    def reshape_weight_to_matrix(self, weight: Any) -> Any:
        """Return *weight* as a matrix whose rows are the outputs."""
        if self.dim != 0:
            others = [d for d in range(weight.dim()) if d != self.dim]
            weight = weight.permute(self.dim, *others)
        return weight.reshape(weight.shape[0], -1)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Any:
        """Return the weight divided by its largest singular value."""
        weight, u, v = (getattr(module, f"{self.name}_{kind}") for kind in ("orig", "u", "v"))
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(ops.mv(matrix.t(), u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(ops.mv(matrix, v), dim=0, eps=self.eps))
                if self.n_power_iterations > 0:
                    u, v = u.clone(), v.clone()
        return weight / ops.dot(u, ops.mv(matrix, v))

    def remove(self, module: Module) -> None:
        """Make the weight a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        delattr(module, self.name)
        for kind in ("u", "v", "orig"):
            delattr(module, f"{self.name}_{kind}")
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:  # noqa: D102 - the hook itself
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))


def spectral_norm(
    module: Any,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Let a weight of *module* be divided by its largest singular value before each pass.

    Args:
        module: Whose weight; it gets ``<name>_orig``, ``<name>_u`` and ``<name>_v``.
        name: Of the weight.
        n_power_iterations: How many power iterations a forward pass in training makes.
        eps: The least norm to divide by.
        dim: The dimension of the outputs; 1 for transposed convolutions, 0 else.

    Returns:
        *module*.

    Raises:
        RuntimeError: it is normalised already.

    Source:
        Miyato and others, "Spectral normalization for generative adversarial networks", 2018.
    """
    _norm_hooks.check_no_other(module, SpectralNorm, "spectral_norm", name)
    hook = SpectralNorm(name, n_power_iterations, dim_of(module) if dim is None else dim, eps)
    weight = module._parameters[name]
    _norm_hooks.check_initialized(weight, "SpectralNorm", "spectral normalization")
    with no_grad():
        matrix = hook.reshape_weight_to_matrix(weight)
        rows, columns = matrix.shape
        u = F.normalize(weight.new_empty(rows).normal_(0, 1), dim=0, eps=eps)
        v = F.normalize(weight.new_empty(columns).normal_(0, 1), dim=0, eps=eps)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.data)  # what forward reads until the first pass
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight *name* of *module* a parameter again.

    Raises:
        ValueError: it is not normalised.
    """
    return _norm_hooks.remove(module, SpectralNorm, "spectral_norm", name)
