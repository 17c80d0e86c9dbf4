"""Write docs/reference/parity.md: which of PyTorch's own samples chainrule is compared over.

    python tools/opinfo_coverage.py

Needs the parity environment (PyTorch 2.13.0). PyTorch describes its operators in a database of
samples, OpInfo; tests/parity/test_opinfo.py runs those of every operator that chainrule has under
the same name. The tables here say what is left out, and why; a test says that the page is current.
"""

from __future__ import annotations

import operator
import re
import warnings
from pathlib import Path
from typing import Any, Final

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db

import chainrule

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "parity.md"

#: OpInfos that are not compared at all, and why.
NOT_COMPARED: Final = {
    "as_strided_partial_views": "its samples lie in a larger memory, which is not brought over",
    "empty": "it gives whatever the memory held",
    "empty_like": "likewise",
    "empty_permuted": "likewise",
    "empty_strided": "likewise",
    "new_empty": "likewise",
    "new_empty_strided": "likewise",
    "resize_": "likewise, where it grows",
    "resize_as_": "likewise",
    "normal_in_place": "it is the method normal_, which writes",
    "nn_functional_triplet_margin_with_distance_loss": "its samples bring modules of PyTorch",
    "bfloat16": "NumPy has no such arrays",
    "rand_like": "its OpInfo draws normal numbers",
    "linalg_lstsq_grad_oriented": "its function gives the solution alone",
    "linalg_pinv_singular": "its function multiplies two matrices first",
    "pca_lowrank": "likewise; tests/ops/test_matrices.py",
    "svd_lowrank": "likewise",
    "linalg_svd": "singular vectors are any up to a sign; tests/ops/test_matrices.py",
    "svd": "likewise",
    "linalg_eig": "eigenvectors, likewise",
    "linalg_eigh": "likewise",
    "nn_functional_scaled_dot_product_attention": "dropout draws other numbers",
}

#: OpInfos whose values are compared, but not their derivatives, and why.
NO_DERIVATIVES: Final = {
    "linalg_qr": "where R is singular, both are infinite in their own ways",
    "linalg_cond": "it divides by singular values",
    "norm_nuc": "its second derivative divides by gaps between singular values",
    "linalg_matrix_norm": "likewise",
    "linalg_norm": "likewise",
    "linalg_norm_subgradients_at_zero": "the second derivative at zero is 0 here, NaN there",
    "linalg_vector_norm": "likewise",
    "renorm": "likewise",
    "as_strided_scatter": "elements that share memory get their gradient once here, twice there",
    "nn_functional_hardsigmoid": "PyTorch has no second derivative",
}

_NUMBERS = "takes a Python number where PyTorch wants a tensor: see differences.md"
_MEMORY = "which tensors share memory, or an out= of another dtype, is not refused"
#: OpInfos of which some wrong calls are accepted, or refused by another exception, and why.
OTHER_REFUSALS: Final = {
    **dict.fromkeys(
        (
            "__radd__",
            "__rand__",
            "__rdiv__",
            "__rmul__",
            "__ror__",
            "__rxor__",
            "atan2",
            "clamp_max",
            "clamp_min",
            "copysign",
            "eq",
            "fmax",
            "fmin",
            "fmod",
            "gcd",
            "ge",
            "gt",
            "heaviside",
            "hypot",
            "igamma",
            "igammac",
            "lcm",
            "ldexp",
            "le",
            "logaddexp",
            "logical_and",
            "logical_or",
            "logical_xor",
            "lt",
            "maximum",
            "minimum",
            "ne",
            "nextafter",
            "rsub",
            "special_zeta",
        ),
        _NUMBERS,
    ),
    **dict.fromkeys(
        (
            "aminmax",
            "bernoulli",
            "cat",
            "complex",
            "gather",
            "index_select",
            "kthvalue",
            "masked_select",
            "polar",
            "take",
        ),
        _MEMORY,
    ),
    "arange": "an out= of an integer dtype is refused first",
    "linspace": "a number that an integer dtype cannot hold is not refused",
    "linspace_tensor_overload": "ends are numbers, or tensors that are read as such",
    "logspace": "likewise",
    "logspace_tensor_overload": "likewise",
    "masked_fill": "a complex number becomes real where the tensor is",
    "narrow": "a *start* that is a tensor is read as a number",
    "narrow_copy": "a dimension out of range is an IndexError",
    "nn_functional_embedding": "a weight of one dimension is an IndexError",
    "nn_functional_multi_margin_loss": "the dtype is checked before the weight",
}

#: Operators that chainrule does not have, by pattern of their name, and why.
MISSING: Final = (
    (r"(sparse|masked)\.|to_sparse|sparse_", "sparse and masked tensors are out of scope"),
    (r"^(H|T|mH|mT)$", "an attribute, and no function"),
    (r"^(cauchy|exponential|geometric|log_normal)$", "the method that writes, `cauchy_` and so on"),
    (r"jiterator", "compiles CUDA source"),
    (r"torch\.ops\.|_flash|_efficient|_scaled_mm|_int_mm|_segment|_safe_softmax", "internal"),
    (r"_native", "internal"),
    (r"quantize|fake_quant|_chunk_cat|_unsafe_|_upsample|_batch_norm|_softmax_back", "internal"),
    (r"nested|jagged", "nested tensors are out of scope"),
)  # fmt: skip
OTHERWISE: Final = "not there yet"


def ours(name: str) -> Any:
    """Return what chainrule has of that name, or None."""
    for root in (chainrule, chainrule.Tensor):
        try:
            found = operator.attrgetter(name)(root)
        except (AttributeError, ImportError, NotImplementedError):
            continue
        if getattr(found, "is_absent", False):
            continue
        if callable(found) and found is not object:
            return found
    return None


def compared() -> list[Any]:
    """Return the OpInfos whose samples are run."""
    return [i for i in op_db if callable(ours(i.name)) and i.formatted_name not in NOT_COMPARED]


def reason(info: Any) -> str:
    """Return why *info* is not compared."""
    if callable(ours(info.name)):
        return NOT_COMPARED[info.formatted_name]
    return next((why for pattern, why in MISSING if re.search(pattern, info.name)), OTHERWISE)


def page() -> str:
    """Return the text of the page."""
    done = compared()
    names = {info.formatted_name for info in done}
    left = sorted((i for i in op_db if i.formatted_name not in names), key=lambda i: i.name)
    rows = {f"| `{shown(info)}` | {reason(info)} |": None for info in left}
    partly = {
        f"| `{shown(info)}` | {NO_DERIVATIVES[info.formatted_name]} |": None
        for info in sorted(done, key=lambda i: i.name)
        if info.formatted_name in NO_DERIVATIVES
    }
    answers = {
        f"| `{shown(info)}` | {OTHER_REFUSALS[info.formatted_name]} |": None
        for info in sorted(done, key=lambda i: i.name)
        if info.formatted_name in OTHER_REFUSALS
    }
    return "\n".join([
        "# Coverage of PyTorch's operators",
        "",
        "PyTorch tests its operators over a database of samples, OpInfo. chainrule is compared",
        "with PyTorch over the samples of every operator that it has under the same name: values",
        "and dtypes in float64, float32, int64 and complex128, first and second derivatives in",
        "float64, and what wrong calls raise.",
        "",
        f"Of {len(op_db)} entries {len(done)} are compared. This page is written by",
        "`tools/opinfo_coverage.py`; a test says that it is current.",
        "",
        "## Not compared",
        "",
        "| operator | why |",
        "| --- | --- |",
        *rows,
        "",
        "## Wrong calls that are answered in another way",
        "",
        "| operator | how |",
        "| --- | --- |",
        *answers,
        "",
        "## Values compared, derivatives not",
        "",
        "| operator | why |",
        "| --- | --- |",
        *partly,
        "",
    ])  # fmt: skip


def shown(info: Any) -> str:
    """Return the name of *info* with its variant."""
    return f"{info.name}, {info.variant_test_name}" if info.variant_test_name else info.name


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: {len(compared())} of {len(op_db)} compared")


if __name__ == "__main__":
    main()
