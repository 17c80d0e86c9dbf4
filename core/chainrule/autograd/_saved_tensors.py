"""Hooks on everything that is saved inside a block: `saved_tensors_hooks` and its kin."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from .. import saved
from ..watching import pack_saved, unwatch, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["disable_saved_tensors_hooks", "save_on_cpu", "saved_tensors_hooks"]


class saved_tensors_hooks:  # noqa: N801 - PyTorch's name
    """Pack every tensor that operations save inside the block, and unpack it when it is needed.

    Of nested blocks the innermost counts. The hooks belong to the thread that entered the block.
    There is no check whether what was packed is written to afterwards.

    Args:
        pack_hook: Called with the tensor; what it returns is kept in its place.
        unpack_hook: Called with that; returns a tensor of the same values.

    Raises:
        RuntimeError: *pack_hook* writes into the tensor, or hooks are disabled.
        TypeError: *unpack_hook* returns no tensor.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> with saved_tensors_hooks(lambda t: t.half(), lambda t: t.float()):
    ...     y = x.exp()
    >>> y.grad_fn._raw_saved_result.data.dtype
    torch.float16
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        saved.push((self.pack_hook, self.unpack_hook))
        watch(pack_saved)

    def __exit__(self, *exc: object) -> None:
        unwatch(pack_saved)
        saved.pop()


class save_on_cpu(saved_tensors_hooks):  # noqa: N801 - PyTorch's name
    """Keep what is saved inside the block in host memory until it is needed.

    Args:
        pin_memory: Let the copy back run beside other work, where the device can do that.
        device_type: The kind of device that is saved from; taken for PyTorch's sake.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> with save_on_cpu():
    ...     y = x.exp().sum()
    >>> y.backward()
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Any) -> tuple[Any, Any]:
            return tensor._key, tensor.cpu()

        def unpack(kept: tuple[Any, Any]) -> Any:
            key, tensor = kept
            if tensor._key is key:
                return tensor
            return tensor.to(key.device, non_blocking=pin_memory)

        super().__init__(pack, unpack)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Raise a RuntimeError of this message wherever hooks on saved tensors are put in force.

    >>> with disable_saved_tensors_hooks("not here"), save_on_cpu():
    ...     pass
    Traceback (most recent call last):
    ...
    chainrule.errors.AutogradError: not here
    """
    before = saved.disable(error_message)
    try:
        yield
    finally:
        saved.in_force.disabled = before
