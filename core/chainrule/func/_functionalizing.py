"""Functions without writes: there is no tracer here that would need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AutogradError

if TYPE_CHECKING:
    from collections.abc import Callable


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """Return a function that computes what *func* does.

    PyTorch's is for tracers: it replaces writes and views inside of *func* by functions that make
    new tensors, and writes to the arguments at the end. What it computes is the same, and so is
    what *func* itself does.

    Args:
        func: The function.
        remove: ``"mutations"`` or ``"mutations_and_views"``.

    Raises:
        RuntimeError: *remove* is another word; when the function is called, as in PyTorch.

    >>> import chainrule as cr
    >>> cr.func.functionalize(lambda x: x.mul_(2))(cr.ones(2))
    tensor([2., 2.])
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if remove not in {"mutations", "mutations_and_views"}:
            raise AutogradError(
                f"functionalize(f, remove='mutations'): received invalid argument for "
                f"remove={remove}. Valid options are:\n     remove='mutations'\n     "
                "remove='mutations_and_views'"
            )
        return func(*args, **kwargs)

    return wrapped
