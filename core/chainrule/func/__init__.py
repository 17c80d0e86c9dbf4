"""Functions of functions, with PyTorch's names: `grad`, `vjp`, `jvp`, `vmap` and what they make.

Each takes a function of tensors and returns another. They nest in every order, and take and give
nested containers. What a function does to tensors outside of it, it does.
"""

from __future__ import annotations

from ._differentiating import grad, grad_and_value, vjp
from ._functionalizing import functionalize
from ._jacobians import hessian, jacfwd, jacrev
from ._looking import debug_unwrap
from ._modules import functional_call, replace_all_batch_norm_modules_, stack_module_state
from ._pushing import jvp, linearize
from ._vmap import vmap

__all__ = [
    "debug_unwrap", "functional_call", "functionalize", "grad", "grad_and_value", "hessian",
    "jacfwd", "jacrev", "jvp", "linearize", "replace_all_batch_norm_modules_",
    "stack_module_state", "vjp", "vmap",
]  # fmt: skip
