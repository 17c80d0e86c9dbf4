"""Libraries for many kinds of arrays that have to be told of ours: einops.

einops looks for a class of its own that knows a type of tensors. It is not imported for that: when
a program imports it, before chainrule or after, the class is made.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, cast

from . import ops
from .tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader  # which brings in tempfile and a dozen more
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["introduce"]

EINOPS: Final = "einops._backends"
_REDUCTIONS: Final = {"min": "amin", "max": "amax"}


def introduce() -> None:
    """Make our tensors known to einops, now or when it is imported."""
    module = sys.modules.get(EINOPS)
    if module is not None:
        make_known(module)
    else:
        sys.meta_path.insert(0, _Watcher())


class _Watcher:
    """Finds nothing but einops, once."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != EINOPS or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)  # the others find it, and we are done
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Loader", _Introducing(spec.loader))
        return spec


class _Introducing:
    """Loads a module as its own loader does, then makes our tensors known to it."""

    def __init__(self, own: Loader) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._own.exec_module(module)
        make_known(module)


class _Calls:
    """What einops calls on our tensors. The names are its own."""

    framework_name = "chainrule"

    def is_appropriate_type(self, tensor: object) -> bool:
        return isinstance(tensor, Tensor)

    def from_numpy(self, x: Any) -> Tensor:
        return ops.as_tensor(x)

    def to_numpy(self, x: Any) -> Any:
        return x.numpy(force=True)

    def arange(self, start: int, stop: int) -> Tensor:
        return ops.arange(start, stop)

    def transpose(self, x: Any, axes: Any) -> Any:
        return x.permute(axes)

    def reduce(self, x: Any, operation: str, axes: Any) -> Any:
        if operation != "prod":
            return getattr(x, _REDUCTIONS.get(operation, operation))(tuple(axes))
        for axis in sorted(axes, reverse=True):
            x = x.prod(axis)
        return x

    def stack_on_zeroth_dimension(self, tensors: list[Tensor]) -> Tensor:
        return ops.stack(tensors)

    def add_axis(self, x: Tensor, new_position: int) -> Tensor:
        return ops.unsqueeze(x, new_position)

    def tile(self, x: Any, repeats: Any) -> Any:
        return x.repeat(repeats)

    def concat(self, tensors: list[Tensor], axis: int) -> Tensor:
        return ops.cat(tensors, axis)

    def is_float_type(self, x: Any) -> bool:
        return bool(x.dtype.is_floating_point)

    def einsum(self, pattern: str, *x: Any) -> Any:
        return ops.einsum(pattern, *x)


def make_known(module: Any) -> None:
    """Define the class that einops looks for; *module* is the one that its base stands in."""
    # It looks through the subclasses of its base, which that holds weakly.
    module.ChainruleBackend = type("ChainruleBackend", (_Calls, module.AbstractBackend), {})
