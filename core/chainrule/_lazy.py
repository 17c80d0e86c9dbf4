"""Subpackages that are imported when first named, so that ``import chainrule`` is quick."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SUBPACKAGES = frozenset({
    "_C", "cuda", "datasets", "distributions", "fft", "func", "linalg", "nn", "optim",
    "overrides", "plugin", "profiler", "random", "serialization", "special", "testing", "utils",
})  # fmt: skip

#: Methods of `Tensor` that are functions of the top level too.
IN_PLACE = frozenset({
    "abs_", "acos_", "acosh_", "addmv_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_",
    "arctanh_", "as_strided_", "asin_", "asinh_", "atan_", "atanh_", "ceil_", "clamp_",
    "clamp_max_", "clamp_min_", "clip_", "conj_physical_", "cos_", "cosh_", "deg2rad_", "detach_",
    "erf_", "erfc_", "exp2_", "exp_", "expm1_", "fill_", "fix_", "floor_", "frac_", "gcd_", "i0_",
    "index_put_", "lcm_", "ldexp_", "log10_", "log1p_", "log2_", "log_", "logit_", "nan_to_num_",
    "neg_", "negative_", "rad2deg_", "reciprocal_", "relu_", "resize_as_", "round_", "rsqrt_",
    "sigmoid_", "sin_", "sinc_", "sinh_", "sqrt_", "square_", "tan_", "tanh_", "trunc_", "xlogy_",
    "zero_",
})  # fmt: skip

#: Names of the top level that live in a subpackage.
MOVED = {
    "Generator": "random",
    "celu_": "nn.functional",
    "default_generator": "random",
    "explain": "plugin",
    "explain_grad": "autograd.explaining",
    "fallback": "plugin",
    "get_rng_state": "random",
    "initial_seed": "random",
    "load": "serialization",
    "manual_seed": "random",
    "prefer": "plugin",
    "rrelu_": "nn.functional",
    "save": "serialization",
    "seed": "random",
    "selu_": "nn.functional",
    "set_rng_state": "random",
    "stats": "plugin",
    "vmap": "func",
    "threshold_": "nn.functional",
}


def lazy_attributes(
    package: str, names: dict[str, Any]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for *package*, whose namespace is *names*."""

    def __getattr__(name: str) -> Any:  # noqa: N807 - becomes the package's own
        if name in names["_late"].WHERE:
            found = names["_late"].find(name)
        elif name.startswith("_foreach_"):
            found = getattr(importlib.import_module(f"{package}.ops.foreach"), name)
        elif name in MOVED:
            found = getattr(importlib.import_module(f"{package}.{MOVED[name]}"), name)
        elif name in IN_PLACE:
            found = getattr(names["Tensor"], name)
        elif name.startswith("_foreach_"):
            found = getattr(importlib.import_module(f"{package}.ops.foreach"), name)
        elif name in SUBPACKAGES:
            found = importlib.import_module(f"{package}.{name}")
        else:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        names[name] = found
        return found

    def __dir__() -> list[str]:  # noqa: N807 - likewise
        return sorted({*names, *SUBPACKAGES, *MOVED, *IN_PLACE, *names["_late"].WHERE})

    return __getattr__, __dir__
