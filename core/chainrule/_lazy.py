"""Subpackages that are imported when first named, so that ``import chainrule`` is quick."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from . import _absent
from .errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

SUBPACKAGES = frozenset({
    "_C", "__config__", "_custom_ops", "_dynamo", "_inductor", "_jit_internal", "_subclasses",
    "_tensor", "_utils", "accelerator", "amp", "ao", "backends", "compiler", "cpu", "cuda",
    "datasets", "distributed", "distributions", "export", "fft", "func", "functional", "fx", "hub",
    "jit", "library", "linalg", "masked", "mps", "multiprocessing", "nested", "nn", "onnx",
    "optim", "overrides", "plugin", "profiler", "quantization", "quasirandom", "random",
    "serialization", "signal", "sparse", "special", "testing", "types", "utils", "version", "xpu",
})  # fmt: skip

#: Methods of `Tensor` that are functions of the top level too.
SHARED = frozenset({
    "detach", "get_device", "is_conj", "is_distributed", "is_neg", "is_signed", "resolve_neg",
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
    "_assert": "_checks",
    "_assert_async": "_checks",
    "_check": "_checks",
    "_check_index": "_checks",
    "_check_not_implemented": "_checks",
    "_check_type": "_checks",
    "_check_value": "_checks",
    "adaptive_max_pool1d": "natives",
    "alpha_dropout_": "older",
    "are_deterministic_algorithms_enabled": "settings",
    "autocast": "amp",
    "autocast_decrement_nesting": "amp.autocast_mode",
    "autocast_increment_nesting": "amp.autocast_mode",
    "batch_norm": "natives",
    "BFloat16Storage": "tensor_types",
    "BFloat16Tensor": "tensor_types",
    "binary_cross_entropy_with_logits": "natives",
    "BoolStorage": "tensor_types",
    "BoolTensor": "tensor_types",
    "ByteStorage": "tensor_types",
    "ByteTensor": "tensor_types",
    "celu_": "nn.functional",
    "channels_last": "formats",
    "channels_last_3d": "formats",
    "CharStorage": "tensor_types",
    "CharTensor": "tensor_types",
    "clear_autocast_cache": "amp.autocast_mode",
    "compile": "compiler",
    "compiled_with_cxx11_abi": "older",
    "ComplexDoubleStorage": "tensor_types",
    "ComplexFloatStorage": "tensor_types",
    "contiguous_format": "formats",
    "cosine_embedding_loss": "natives",
    "ctc_loss": "natives",
    "default_generator": "random",
    "DisableTorchFunction": "_C",
    "DisableTorchFunctionSubclass": "_C",
    "DoubleStorage": "tensor_types",
    "DoubleTensor": "tensor_types",
    "dropout_": "older",
    "e": "formats",
    "empty_permuted": "older",
    "explain": "plugin",
    "explain_grad": "autograd.explaining",
    "fallback": "plugin",
    "feature_alpha_dropout_": "older",
    "feature_dropout": "older",
    "feature_dropout_": "older",
    "FloatStorage": "tensor_types",
    "FloatTensor": "tensor_types",
    "frobenius_norm": "older",
    "Generator": "random",
    "get_autocast_cpu_dtype": "amp.autocast_mode",
    "get_autocast_dtype": "amp.autocast_mode",
    "get_autocast_gpu_dtype": "amp.autocast_mode",
    "get_deterministic_debug_mode": "settings",
    "get_file_path": "older",
    "get_float32_matmul_precision": "settings",
    "get_num_interop_threads": "settings",
    "get_num_threads": "settings",
    "get_rng_state": "random",
    "GradScaler": "amp",
    "grid_sampler_2d": "older",
    "grid_sampler_3d": "older",
    "group_norm": "natives",
    "HalfStorage": "tensor_types",
    "HalfTensor": "tensor_types",
    "hinge_embedding_loss": "natives",
    "inf": "formats",
    "initial_seed": "random",
    "instance_norm": "natives",
    "IntStorage": "tensor_types",
    "IntTensor": "tensor_types",
    "is_autocast_available": "amp",
    "is_autocast_cache_enabled": "amp.autocast_mode",
    "is_autocast_cpu_enabled": "amp.autocast_mode",
    "is_autocast_enabled": "amp.autocast_mode",
    "is_deterministic_algorithms_warn_only_enabled": "settings",
    "is_storage": "older",
    "is_warn_always_enabled": "settings",
    "jagged": "formats",
    "kl_div": "natives",
    "layer_norm": "natives",
    "layout": "formats",
    "legacy_contiguous_format": "formats",
    "load": "serialization",
    "LongStorage": "tensor_types",
    "LongTensor": "tensor_types",
    "manual_seed": "random",
    "margin_ranking_loss": "natives",
    "memory_format": "formats",
    "memory_stats": "settings",
    "nan": "formats",
    "native_dropout": "older",
    "newaxis": "formats",
    "norm_except_dim": "ops.weight_norm",
    "nuclear_norm": "older",
    "orgqr": "older",
    "OutOfMemoryError": "cuda",
    "pi": "formats",
    "poisson_nll_loss": "natives",
    "prefer": "plugin",
    "preserve_format": "formats",
    "rrelu_": "nn.functional",
    "save": "serialization",
    "seed": "random",
    "selu_": "nn.functional",
    "set_autocast_cache_enabled": "amp.autocast_mode",
    "set_autocast_cpu_dtype": "amp.autocast_mode",
    "set_autocast_cpu_enabled": "amp.autocast_mode",
    "set_autocast_dtype": "amp.autocast_mode",
    "set_autocast_enabled": "amp.autocast_mode",
    "set_autocast_gpu_dtype": "amp.autocast_mode",
    "set_default_tensor_type": "older",
    "set_deterministic_debug_mode": "settings",
    "set_float32_matmul_precision": "settings",
    "set_flush_denormal": "settings",
    "set_num_interop_threads": "settings",
    "set_num_threads": "settings",
    "set_rng_state": "random",
    "set_warn_always": "settings",
    "ShortStorage": "tensor_types",
    "ShortTensor": "tensor_types",
    "sparse_bsc": "formats",
    "sparse_bsr": "formats",
    "sparse_coo": "formats",
    "sparse_csc": "formats",
    "sparse_csr": "formats",
    "stats": "plugin",
    "strided": "formats",
    "sym_float": "symbolic",
    "sym_int": "symbolic",
    "sym_ite": "symbolic",
    "sym_max": "symbolic",
    "sym_min": "symbolic",
    "sym_not": "symbolic",
    "sym_sum": "symbolic",
    "Storage": "tensor_types",
    "SymBool": "symbolic",
    "SymFloat": "symbolic",
    "SymInt": "symbolic",
    "threshold_": "nn.functional",
    "to_dlpack": "older",
    "triplet_margin_loss": "natives",
    "TypedStorage": "ops.storages",
    "typename": "queries",
    "UntypedStorage": "ops.storages",
    "use_deterministic_algorithms": "settings",
    "vmap": "func",
}


def lazy_attributes(
    package: str, names: dict[str, Any], given: Callable[[str, Any], Any]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for *package*, whose namespace is *names*.

    Args:
        package: Its name.
        names: Its namespace, which keeps what was found.
        given: Called with a name and what was found for it: what it returns is the attribute.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - becomes the package's own
        if name in MOVED:
            found = getattr(importlib.import_module(f"{package}.{MOVED[name]}"), name)
        elif name in names["_late"].WHERE:
            found = names["_late"].find(name)
        elif name.startswith("_foreach_"):
            found = getattr(importlib.import_module(f"{package}.ops.foreach"), name)
        elif name in SHARED:
            found = getattr(names["Tensor"], name)
        elif name in SUBPACKAGES:
            found = importlib.import_module(f"{package}.{name}")
        elif name in _absent.FUNCTIONS:
            found = _absent.refusing(name, _absent.FUNCTIONS[name])
        else:
            msg = f"module {names['__name__']!r} has no attribute {name!r}"
            if name in _absent.DTYPES:
                msg += (
                    f"\nchainrule: no backend has this dtype; {_absent.DTYPES[name]} is the "
                    "nearest that is there."
                )
            raise UnknownNameError(msg, name=name, obj=sys.modules[package])
        names[name] = found = given(name, found)
        return found

    def __dir__() -> list[str]:  # noqa: N807 - likewise
        return sorted({*names, *SUBPACKAGES, *MOVED, *SHARED, *names["_late"].WHERE})

    return __getattr__, __dir__
