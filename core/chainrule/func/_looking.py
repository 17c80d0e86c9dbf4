"""Looking under transforms, while debugging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from ..transforms.wrapped import Wrapped, is_tensor

if TYPE_CHECKING:
    from ..tensor import Tensor


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """Return the tensor that the transforms around *tensor* compute with: with all samples.

    Only for looking at it: what is computed from it is not mapped or differentiated.

    Args:
        tensor: One inside `vmap` or `jvp`; any other is returned as it is.
        recurse: Go down to the tensor that no transform wraps.

    Raises:
        TypeError: *tensor* is none.

    >>> import chainrule as cr
    >>> _ = cr.vmap(lambda x: print(debug_unwrap(x)) or x)(cr.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    value: Any = tensor
    if not is_tensor(value):
        msg = f"debug_unwrap(): argument 'tensor' must be Tensor, not {type(tensor).__name__}"
        raise ArgumentError(msg)
    while isinstance(value._array, Wrapped):
        value = value._array.inner
        if not recurse:
            break
    found: Tensor = value
    return found
