"""The kernels of one op, a slot per backend: found on the first call, then taken from a list.

``op.table[key.index]`` is all that a call pays. A slot begins with a stub that resolves: the
backend's own kernel, one of its ancestors', the body over its other kernels, another way that the
user allowed; or an error that says who has one. Whoever changes what could be found puts the stub
back.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from . import backend as _backend
from .errors import KernelNotFoundError, OpDefinitionError
from .grad_mode import mode
from .value import new_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from .backend import Backend, Kernel

__all__ = ["KernelTable"]


class KernelTable:
    """What an op has to do with kernels.

    Attributes:
        table: The kernel per backend, by the backend's index.
        owned: Whether a backend has a kernel besides the body, as far as that was asked.
    """

    name: str
    kind: str
    function: Any
    differentiable: tuple[str, ...]

    def make_table(self) -> None:
        """Begin with a stub for every backend that is alive."""
        self.table: list[Kernel] = []
        self.owned: dict[int, bool] = {}
        for index in range(len(_backend.live)):
            self.reset(index)

    def reset(self, index: int) -> None:
        """Forget the kernel of one backend: the next call resolves it, once, and keeps it."""

        def resolve(*arrays: Any, **statics: Any) -> Any:
            backend = _backend.live[index]
            try:
                kernel = self.table[index] = self.resolve(backend)
            except KernelNotFoundError as error:
                kernel = find_missing(self, backend, error)  # not kept: a policy may end
            if on_resolved is not None:
                on_resolved(self, backend)
            return kernel(*arrays, **statics)

        self.owned.pop(index, None)
        while len(self.table) <= index:
            self.table.append(None)
        self.table[index] = resolve

    def has_kernel(self, index: int) -> bool:
        """Return whether a backend has a kernel of its own for the op, besides the body."""
        found = self.owned.get(index)
        if found is None:
            found = self.owned[index] = _backend.live[index].find_kernel(self.name) is not None
        return found

    def resolve(self, backend: Backend) -> Kernel:
        """Return the kernel for *backend*: its own, an ancestor's, or the body over its kernels.

        Raises:
            KernelNotFoundError: there is none of the three.
        """
        if backend.level:
            return backend.kernel_for(self)  # type: ignore[attr-defined]  # a transform's
        return backend.bound_kernel(self.name, lambda: self._without_kernel(backend))

    def _without_kernel(self, backend: Backend) -> Kernel:
        """Return what runs where no kernel does: the body over the backend's other kernels."""
        if self.kind == "composite":
            return self.body_over(backend)
        raise KernelNotFoundError(
            f"{self.name}: expected a kernel for backend {backend.name!r} (lineage "
            f"{' > '.join(backend.lineage)}), found none, and the op has no body.",
            op=self.name,
        )

    def body_over(self, backend: Backend) -> Kernel:
        """Return the body as a kernel: arrays are wrapped, and nothing is recorded."""
        names, function = self.differentiable, self.function

        def body(*arrays: Any, **statics: Any) -> Any:
            tensors = dict(zip(names, (_tensor_of(a, backend) for a in arrays), strict=True))
            before, mode.enabled = mode.enabled, False
            try:
                result = function(**tensors, **statics)
            except (KernelNotFoundError, RecursionError) as error:
                raise self.unusable_body(backend, error) from None
            finally:
                mode.enabled = before
            return tuple(r._array for r in result) if isinstance(result, tuple) else result._array

        return body

    def unusable_body(self, backend: Backend | None, error: Exception) -> Exception:
        """Return what to raise where the body could not run: a part has no kernel, or it circles.

        A body that calls itself through others never ends; who calls whom is read off the stack.
        """
        if isinstance(error, KernelNotFoundError):
            if backend is None or not error.op:
                return error
            return KernelNotFoundError(
                f"{self.name}: expected a kernel for backend {backend.name!r} (lineage "
                f"{' > '.join(backend.lineage)}), found none. Its body is not usable either: it "
                f"needs {error.op}, which has none.{error.advice}",
                op=error.op,
                advice=error.advice,
            )
        circle = _circle_of_bodies()
        if circle is None:
            return error
        return OpDefinitionError(
            f"{self.name}: expected a body that ends, but they circle: {' > '.join(circle)}. Give "
            "one of these ops a kernel, or a body in terms of other ops."
        )


def _find_none(op: KernelTable, backend: Backend, error: KernelNotFoundError) -> Kernel:
    raise error


#: Asked where an op has no kernel: gives another way, if the user allowed one, or raises. The
#: plugin layer, which knows the table as an `Op`, fills it, and says in the error who has a kernel.
find_missing: Callable[[Any, Backend, KernelNotFoundError], Kernel] = _find_none
#: Told of each kernel that was found, once per op and backend, where the user wants to know.
on_resolved: Callable[[Any, Backend], None] | None = None


def _circle_of_bodies() -> list[str] | None:
    """Return the names of the ops whose bodies call each other, as the stack has them."""
    frame: Any = sys._getframe(1)
    names: list[str] = []
    while frame is not None and len(names) < 100:
        op = frame.f_locals.get("self")
        if isinstance(op, KernelTable) and frame.f_code.co_name in {"body", "_run"}:
            names.append(op.name)
        frame = frame.f_back
    if not names or names[0] not in names[1:]:
        return None
    return names[: names.index(names[0], 1) + 1][::-1]


def _tensor_of(array: Any, backend: Backend) -> Any:
    if isinstance(array, list):
        return [_tensor_of(item, backend) for item in array]
    if array is None or isinstance(array, (int, float, complex)):
        return array
    key = backend.key(backend.dtype_of(array), backend.device_of(array))
    return new_value(array, key)
