"""Methods of `Tensor` whose ops are imported when one is first called: see ops/_late.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import overriding
from ._absent import METHODS as ABSENT
from ._absent import refusing
from .ops import _late
from .tensor_base import TensorBase

if TYPE_CHECKING:
    from collections.abc import Callable

#: Functions that may be methods.
METHODS: Final = tuple(item.partition("=")[0] for items in _late.METHODS.values() for item in items)
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


#: Names of the top level that come late.
WHERE: Final = frozenset(name for name in _late.WHERE if name[0] != "_") - NO_FUNCTIONS


def find(name: str) -> Any:
    """Return the function of the top level called *name*, which asks if others do."""
    return overriding.asked_about(name, _late.find(name))


def late(name: str) -> Callable[..., Any]:
    """Return the method *name*, whose op is imported on the first call."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _late.find(name)(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"See ``chainrule.{name}``."
    return method


def late_in_place(name: str) -> Callable[..., Any]:
    """Return the method ``name_``, which writes the op's result into its first argument."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _late.find(name).in_place((self, *args), kwargs)

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
