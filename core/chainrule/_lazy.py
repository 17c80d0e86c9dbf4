"""Subpackages that are imported when first named, so that ``import chainrule`` is quick."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SUBPACKAGES = frozenset({
    "_C", "accelerator", "amp", "backends", "compiler", "cuda", "datasets", "distributed",
    "distributions", "export", "fft", "func", "fx", "hub", "jit", "linalg", "masked",
    "multiprocessing", "nested", "nn", "onnx", "optim", "overrides", "plugin", "profiler",
    "quantization", "random", "serialization", "sparse", "special", "testing", "utils",
    "version",
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
    "are_deterministic_algorithms_enabled": "settings",
    "autocast": "amp",
    "BFloat16Tensor": "legacy",
    "BoolTensor": "legacy",
    "ByteTensor": "legacy",
    "celu_": "nn.functional",
    "channels_last": "formats",
    "channels_last_3d": "formats",
    "CharTensor": "legacy",
    "compile": "compiler",
    "contiguous_format": "formats",
    "default_generator": "random",
    "DoubleTensor": "legacy",
    "e": "formats",
    "explain": "plugin",
    "explain_grad": "autograd.explaining",
    "fallback": "plugin",
    "FloatTensor": "legacy",
    "Generator": "random",
    "get_deterministic_debug_mode": "settings",
    "get_float32_matmul_precision": "settings",
    "get_num_interop_threads": "settings",
    "get_num_threads": "settings",
    "get_rng_state": "random",
    "GradScaler": "amp",
    "HalfTensor": "legacy",
    "inf": "formats",
    "initial_seed": "random",
    "IntTensor": "legacy",
    "is_autocast_available": "amp",
    "is_deterministic_algorithms_warn_only_enabled": "settings",
    "is_warn_always_enabled": "settings",
    "jagged": "formats",
    "layout": "formats",
    "load": "serialization",
    "LongTensor": "legacy",
    "manual_seed": "random",
    "memory_format": "formats",
    "memory_stats": "settings",
    "nan": "formats",
    "newaxis": "formats",
    "pi": "formats",
    "prefer": "plugin",
    "preserve_format": "formats",
    "rrelu_": "nn.functional",
    "save": "serialization",
    "seed": "random",
    "selu_": "nn.functional",
    "set_deterministic_debug_mode": "settings",
    "set_float32_matmul_precision": "settings",
    "set_flush_denormal": "settings",
    "set_num_interop_threads": "settings",
    "set_num_threads": "settings",
    "set_rng_state": "random",
    "set_warn_always": "settings",
    "ShortTensor": "legacy",
    "sparse_bsc": "formats",
    "sparse_bsr": "formats",
    "sparse_coo": "formats",
    "sparse_csc": "formats",
    "sparse_csr": "formats",
    "stats": "plugin",
    "strided": "formats",
    "threshold_": "nn.functional",
    "use_deterministic_algorithms": "settings",
    "vmap": "func",
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
