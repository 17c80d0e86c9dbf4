"""The ways from a tensor to Python: numbers, lists, arrays, containers, text."""

from __future__ import annotations

import operator
from math import prod
from typing import TYPE_CHECKING, Any

from . import dtypes, ops
from ._warn import warn_once
from .errors import ArgumentError, AutogradError, ExportError, NotANumberError
from .grad_mode import mode
from .overriding import wants_to_be_asked
from .printing import tensor_text
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER_FROM_GRAPH = (
    "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
    "Consider using tensor.detach() first."
)
_NO_NUMPY = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."


class Readable(Value):
    """A value that Python can read."""

    __slots__ = ("__dict__",)

    def tolist(self) -> Any:
        """Return the values as nested lists, or one number."""
        return self._key.backend.tolist(self._array)

    def item(self) -> Any:
        """Return the value of a tensor of one element as a Python number.

        Raises:
            RuntimeError: there are more, or none.

        >>> import chainrule as cr
        >>> cr.tensor([2.5]).item()
        2.5
        """
        if prod(self._array.shape) != 1:
            msg = f"a Tensor with {prod(self._array.shape)} elements cannot be converted to Scalar"
            raise AutogradError(msg)
        found = self._key.backend.tolist(self._array)
        while isinstance(found, list):
            found = found[0]
        return found

    def numpy(self, *, force: bool = False) -> Any:
        """Return the values as a ``numpy.ndarray`` that shares the memory where that is possible.

        Args:
            force: Detach and copy to the host where needed.

        Raises:
            RuntimeError: it requires grad.
            TypeError: it is not in host memory.
        """
        if not force:
            if mode.enabled and self.requires_grad:  # type: ignore[attr-defined]  # a Tensor
                raise AutogradError(_NO_NUMPY)
            if self._key.device.type != "cpu":
                msg = (
                    f"can't convert {self._key.device} device type tensor to numpy. "
                    "Use Tensor.cpu() to copy the tensor to host memory first."
                )
                raise ArgumentError(msg)
        return self._key.backend.to_numpy(self._array)[...]  # an array of its own, same memory

    def cupy(self) -> Any:
        """Return the values as a ``cupy.ndarray`` over the same memory, on the same device.

        Raises:
            RuntimeError: it requires grad.
            TypeError: it is not on a CUDA device.

        Differs from PyTorch:
            PyTorch has no such method: ``cupy.from_dlpack(tensor)`` does the same there and here.
        """
        if mode.enabled and self.requires_grad:  # type: ignore[attr-defined]  # a Tensor
            raise AutogradError(_NO_NUMPY.replace("numpy", "cupy"))
        self._check_cuda("cupy()")
        return self._array

    def record_stream(self, s: Any) -> None:
        """Keep the memory from being used anew until *s* has done what it was given with it.

        Args:
            s: A `cuda.Stream` that uses the tensor and is not the one it was made on.

        Raises:
            TypeError: the tensor is not on a CUDA device.
        """
        self._check_cuda("record_stream()")
        self._key.backend.runtime.keep(self._array, s._stream)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """The memory, for CuPy, Numba and others that read this protocol.

        Raises:
            AttributeError: it is not on a CUDA device.
            RuntimeError: it requires grad.
        """
        if self._key.device.type != "cuda":
            msg = (
                f"Can't get __cuda_array_interface__ on non-CUDA tensor type: {self.type()} If "  # type: ignore[attr-defined]  # a Tensor
                "CUDA data is required use tensor.cuda() to copy tensor to device memory."
            )
            raise AttributeError(msg)
        if self._requires_grad:
            raise AutogradError(
                "Can't get __cuda_array_interface__ on Variable that requires grad. If gradients "
                "aren't required, use var.detach() to get Variable that doesn't require grad.\n"
                "__cuda_array_interface__: an array of CuPy that stands in an expression with a "
                "tensor asks for it. Wrap the array with as_tensor()."
            )
        found: dict[str, Any] = self._array.__cuda_array_interface__
        return found

    def _check_cuda(self, what: str) -> None:
        if self._key.device.type != "cuda":
            raise ArgumentError(
                f"{what}: expected a tensor on a CUDA device, got one on {self._key.device}. "
                "Use Tensor.cuda() first."
            )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        made = self.numpy()
        if dtype is not None:
            return made.astype(dtype, copy=bool(copy))
        return made.copy() if copy else made

    __array_priority__ = 1000

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """Return what a function of NumPy computed from the tensor as a tensor."""
        if array.dtype == bool:
            array = array.astype("uint8")
        return ops.as_tensor(array, device=self._key.device)

    def __dlpack__(
        self,
        *,
        stream: Any = -1,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Return a DLPack capsule over the same memory, for ``from_dlpack`` of any library.

        Raises:
            BufferError: it requires grad: what reads the memory would know nothing of the history.
        """
        if self._requires_grad:
            raise ExportError(
                "Can't export tensors that require gradient, use tensor.detach()\n"
                "DLPack: what reads the memory there would know nothing of the history."
            )
        options: dict[str, Any] = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
        given = {name: value for name, value in options.items() if value is not None}
        if self._key.device.type != "cpu":
            given["stream"] = stream
        return self._key.backend.to_dlpack(self._array, **given)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return DLPack's number of the device type, and the index."""
        return self._key.backend.dlpack_device(self._array)

    def __buffer__(self, flags: int, /) -> memoryview:
        """Return the memory for ``memoryview(tensor)``, which Python asks for since 3.12."""
        return memoryview(self.numpy())

    def __bool__(self) -> bool:
        if prod(self._array.shape) != 1:
            if prod(self._array.shape) == 0:
                msg = "Boolean value of Tensor with no values is ambiguous"
            else:
                msg = "Boolean value of Tensor with more than one value is ambiguous"
            raise AutogradError(msg)
        if self._key.backend.level:
            self._key.backend.branch(self)  # type: ignore[attr-defined]  # a transform's
        return bool(self.item())

    def __float__(self) -> float:
        number = self._as_number()
        return float(_real(number, "double", "float") if isinstance(number, complex) else number)

    def __int__(self) -> int:
        number = self._as_number(warns=False)
        return int(_real(number, "int64_t", "int") if isinstance(number, complex) else number)

    def __complex__(self) -> complex:
        return complex(self._as_number())

    def _as_number(self, *, warns: bool = True) -> Any:
        if prod(self._array.shape) != 1:
            msg = (
                "only one element tensors can be converted to Python scalars\n"
                f"expected a tensor of one element, got shape {tuple(self._array.shape)}."
            )
            raise NotANumberError(msg)
        if warns and self._requires_grad:
            warn_once(_NUMBER_FROM_GRAPH, UserWarning, stacklevel=3)
        return self.item()

    def __index__(self) -> int:
        if self._key.category > dtypes.INTEGER or prod(self._array.shape) != 1:
            msg = "only integer tensors of a single element can be converted to an index"
            raise ArgumentError(msg)
        return operator.index(self.item())

    def __len__(self) -> int:
        if not self._array.shape:
            msg = "len() of a 0-d tensor"
            raise ArgumentError(msg)
        return int(self._array.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if not self._array.shape:
            msg = "iteration over a 0-d tensor"
            raise ArgumentError(msg)
        tensor: Any = self
        return iter(tensor.unbind(0))

    def __reversed__(self) -> Any:
        """Return the tensor with its rows in the opposite order."""
        tensor: Any = self
        return ops.flip(tensor, [0]) if self._array.shape else self

    def __contains__(self, element: Any) -> bool:
        tensor: Any = self
        other: Any = element
        if isinstance(element, (Value, int, float, bool, complex)):
            return bool(ops.any(ops.eq(tensor, other)))
        msg = (
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
            f"{type(element)}."
        )
        raise AutogradError(msg)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        name = type(self).__name__ if wants_to_be_asked(type(self)) else "tensor"
        return tensor_text(self, f"{name}(")

    def __format__(self, spec: str) -> str:
        if not self._array.shape:
            return format(self.item(), spec)
        return format(repr(self), spec) if not spec else object.__format__(self, spec)


def _real(number: complex, wanted: str, kind: str) -> float:
    """Return *number*, which has no imaginary part, for a conversion to *kind*."""
    if number.imag:
        msg = (
            f"value cannot be converted to type {wanted} without overflow\n"
            f"{kind}: expected a real number, got {number}. Take .real or .abs() first."
        )
        raise AutogradError(msg)
    return number.real
