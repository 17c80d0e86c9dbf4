"""What PyTorch has and chainrule has not: modules that can be imported, and say so when used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from .errors import AbsentError

if TYPE_CHECKING:
    from collections.abc import Callable


def absent(module: str, instead: str) -> Callable[[str], Any]:
    """Return ``__getattr__`` of a module whose functions refuse to be called.

    Args:
        module: The name of the module: ``"onnx"``.
        instead: What to do instead: a sentence.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - becomes the module's own
        if name.startswith("__"):
            raise AttributeError(f"module 'chainrule.{module}' has no attribute {name!r}")
        return refusing(f"{module}.{name}", instead)

    return __getattr__


def refusing(path: str, instead: str) -> Callable[..., NoReturn]:
    """Return a function that refuses to be called."""

    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise AbsentError(f"{path}: chainrule does not have it. {instead}")

    refuse.__name__ = refuse.__qualname__ = path.rpartition(".")[2]
    refuse.__doc__ = f"Refuse: chainrule does not have it. {instead}"
    return refuse
