"""Methods of `Tensor` whose ops are imported when one is first called.

Most programs call none of them, and an op costs time to define: so ``import chainrule`` stays
quick. `LATE` says where each is stated.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from ._absent import METHODS as ABSENT
from ._absent import refusing
from .tensor_base import TensorBase

if TYPE_CHECKING:
    from collections.abc import Callable

#: The file of ``chainrule.ops`` that a function of the top level and its method stand in. A third
#: word is the name there, where that is another one.
LATE: Final = {
    "copies": (
        "alias_copy", "as_strided_copy", "as_strided_scatter", "combinations",
        "detach_copy", "diagonal_copy", "expand_copy", "index_reduce", "is_same_size",
        "narrow_copy", "nonzero_static", "permute_copy", "range", "select_copy", "slice_copy",
        "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy",
        "unbind_copy", "unfold_copy", "unravel_index",         "unsqueeze_copy",
        "view_as_complex_copy", "view_as_real_copy",
        "view_copy",
    ),
    "covariances": ("cdist", "corrcoef", "cov", "renorm"),
    "finite_differences": (
        "cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz", "vander",
    ),
    "storages": (
        "dim_order", "is_set_to", "new_empty_strided", "storage", "storage_offset",
        "untyped_storage",
    ),
    "pointwise_more": (
        "deg2rad", "frexp", "gcd", "heaviside", "isreal", "lcm", "ldexp", "rad2deg", "signbit",
    ),
    "quantiles": ("histc", "histogram", "histogramdd", "nanquantile", "quantile"),
    "random_more": ("binomial", "poisson"),
    "fourier_frames": (
        "bartlett_window", "blackman_window", "hamming_window", "hann_window", "istft",
        "kaiser_window", "stft",
    ),
    "special_more": ("i0", "igamma", "igammac", "logit", "mvlgamma", "sinc"),
    "matrix_inverse": (
        "det=linalg_det", "inverse=linalg_inv", "logdet", "slogdet=linalg_slogdet",
    ),
    "matrix_triangular": ("cholesky_inverse", "cholesky_solve"),
    "matrix_functions": ("geqrf", "matrix_exp=linalg_matrix_exp", "ormqr"),
    "matrix_older": (
        "cholesky", "lu", "lu_solve", "lu_unpack", "pinverse", "qr", "svd", "triangular_solve",
    ),
}  # fmt: skip

#: Name: the module below ``chainrule``, and the name there.
METHODS: Final = {
    item.partition("=")[0]: (f"ops.{module}", item.partition("=")[2] or item)
    for module, items in LATE.items()
    for item in items
}
#: Functions that are no methods.
NO_METHODS: Final = frozenset({
    "alias_copy", "as_strided_copy", "bartlett_window", "binomial", "blackman_window",
    "cdist", "combinations", "cumulative_trapezoid", "detach_copy", "diagonal_copy",
    "expand_copy", "gradient", "hamming_window", "hann_window", "histogramdd", "kaiser_window",
    "lu_unpack", "pdist", "permute_copy", "poisson", "range", "select_copy", "slice_copy",
    "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy", "trapezoid",
    "trapz", "unbind_copy", "unfold_copy", "unravel_index", "unsqueeze_copy", "vander",
    "view_as_complex_copy", "view_as_real_copy", "view_copy",
})  # fmt: skip
#: Methods that are no functions.
NO_FUNCTIONS: Final = frozenset({
    "dim_order", "is_set_to", "storage", "new_empty_strided", "storage_offset", "untyped_storage",
})  # fmt: skip
#: Functions that have an in-place form.
IN_PLACE: Final = frozenset({
    "deg2rad", "gcd", "heaviside", "i0", "igamma", "igammac", "index_reduce", "lcm", "ldexp",
    "logit", "mvlgamma", "rad2deg", "renorm", "sinc",
})  # fmt: skip


#: Names of the top level, likewise.
WHERE: Final = {name: place for name, place in METHODS.items() if name not in NO_FUNCTIONS}


def find(name: str) -> Any:
    """Return the function of the top level called *name*, importing where it stands."""
    module, inner = METHODS[name]
    return getattr(importlib.import_module(f"{__package__}.{module}"), inner)


def late(name: str) -> Callable[..., Any]:
    """Return the method *name*, whose op is imported on the first call."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return find(name)(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"See ``chainrule.{name}``."
    return method


def late_in_place(name: str) -> Callable[..., Any]:
    """Return the method ``name_``, which writes the op's result into its first argument."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return find(name).in_place((self, *args), kwargs)

    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f"In-place form of {name}."
    return method


class TensorLate(TensorBase):
    """A tensor with the methods that come late."""

    __slots__ = ()


for _name in METHODS:
    if _name not in NO_METHODS:
        setattr(TensorLate, _name, late(_name))
for _name, _instead in ABSENT.items():
    setattr(TensorLate, _name, refusing(f"Tensor.{_name}", _instead))
for _name in IN_PLACE:
    setattr(TensorLate, f"{_name}_", late_in_place(_name))
