"""`SimArray`: an array on a simulated device, which no code on the host can read by accident.

It holds an ``ndarray`` and a device number, and is no ``ndarray`` itself: NumPy's functions, the
buffer protocol, ``float()``, ``if``, iteration, pickling and mixing with host arrays raise a
TypeError that says what to do. What a kernel may do with it, it does as NumPy would: arithmetic,
indexing, and the methods in `METHODS`. A kernel that has to read a number says so with ``item()``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final, NoReturn

import numpy as np

from .counting import counters, current_device

#: Methods that work as NumPy's do, on the device. None of them reads a value to the host.
METHODS: Final = frozenset({
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "choose", "clip",
    "compress", "conj", "conjugate", "copy", "cumprod", "cumsum", "diagonal", "dot", "fill",
    "flatten", "max", "mean", "min", "nonzero", "partition", "prod", "put", "ravel", "repeat",
    "reshape", "round", "searchsorted", "sort", "squeeze", "std", "sum", "swapaxes", "take",
    "trace", "transpose", "var", "view",
})  # fmt: skip

#: Functions whose result has a size that values decide: the host waits to know it.
SIZED_BY_VALUES: Final = frozenset({
    "argwhere", "bincount", "compress", "extract", "flatnonzero", "intersect1d", "nonzero",
    "setdiff1d", "setxor1d", "trim_zeros", "union1d", "unique", "unique_all", "unique_counts",
    "unique_inverse", "unique_values",
})  # fmt: skip

#: Numbers of the host that may meet an array, as on a real device: they become kernel arguments.
NUMBERS: Final = (bool, int, float, complex, np.generic)


class SimArray:
    """An array on the simulated device number ``device``. See the module."""

    __slots__ = ("__weakref__", "_host", "device")
    __hash__ = None  # type: ignore[assignment]  # == compares elements, as in NumPy
    __array_priority__ = 1000

    _host: np.ndarray[Any, Any]
    device: int

    # What may be known without reading a value

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._host.shape)

    @property
    def dtype(self) -> Any:
        return self._host.dtype

    @property
    def ndim(self) -> int:
        return self._host.ndim

    @property
    def size(self) -> int:
        return self._host.size

    @property
    def itemsize(self) -> int:
        return self._host.itemsize

    @property
    def nbytes(self) -> int:
        return self._host.nbytes

    @property
    def strides(self) -> tuple[int, ...]:
        return self._host.strides

    @property
    def flags(self) -> Any:
        return self._host.flags

    def __len__(self) -> int:
        return len(self._host)

    def __repr__(self) -> str:
        return f"<SimArray of shape {self.shape} and dtype {self.dtype} on sim:{self.device}>"

    # What works on the device

    @property
    def T(self) -> Any:  # noqa: N802 - NumPy's name
        return wrap(self._host.T, self.device)

    @property
    def real(self) -> Any:
        return wrap(self._host.real, self.device)

    @real.setter
    def real(self, value: Any) -> None:
        self._host.real = unwrap(value, device_of([self, value]))

    @property
    def imag(self) -> Any:
        return wrap(self._host.imag, self.device)

    @imag.setter
    def imag(self, value: Any) -> None:
        self._host.imag = unwrap(value, device_of([self, value]))

    def __getitem__(self, index: Any) -> Any:
        if _has_mask(index):
            counters.waited("a mask decides a size", self.device)
        return wrap(self._host[unwrap(index, device_of([self, index]))], self.device)

    def __setitem__(self, index: Any, value: Any) -> None:
        device = device_of([self, index, value])
        self._host[unwrap(index, device)] = unwrap(value, device)

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            if name in SIZED_BY_VALUES:
                counters.waited(f"{name} decides a size", self.device)
            return on_device(getattr(self._host, name), self)
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"SimArray has no {name!r}: either it would reach from the device to the host, or it "
            "is not among the methods that every NumPy-like library has. In a kernel, use a "
            "function of xp; in a program, ask the tensor: .tolist(), .item(), .cpu()."
        )

    def item(self) -> Any:
        """Return the only element as a Python number: the explicit way to the host, counted."""
        counters.downloaded(self.nbytes, self.device)
        return self._host.item()

    # What would read a value to the host unasked

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse(self, "turned into a NumPy array")

    def __array_function__(self, function: Any, *args: Any) -> NoReturn:
        refuse(self, f"given to numpy.{function.__name__}")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        # `np.float32(2) * array` arrives here: a number and an array are no mixing.
        is_operator = method == "__call__" and not kwargs and len(inputs) == 2
        if is_operator and any(isinstance(item, np.generic) for item in inputs):
            return on_device(ufunc)(*inputs)
        return refuse(self, f"given to numpy.{ufunc.__name__}")

    def __dlpack__(self, **kwargs: Any) -> NoReturn:
        refuse(self, "exported by DLPack")

    def __float__(self) -> NoReturn:
        refuse(self, "read as a number")

    __int__ = __complex__ = __index__ = __float__

    def __bool__(self) -> NoReturn:  # noqa: PLE0304 - it never returns
        refuse(self, "read as a truth value")

    def __iter__(self) -> NoReturn:
        refuse(self, "iterated over")

    def __contains__(self, item: Any) -> NoReturn:
        refuse(self, "searched by 'in'")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        refuse(self, "pickled or copied by copy.copy()")


def refuse(array: SimArray, what: str) -> NoReturn:
    """Raise the error for an implicit way from the device to the host."""
    raise TypeError(
        f"{array!r} cannot be {what}: that would read it to the host unasked. In a kernel, stay in "
        "the namespace xp, or read one number with .item(); in a program, use tensor.cpu(), "
        ".tolist() or .item()."
    )


# Unwrapping and wrapping, for arguments and results of any NumPy function


def device_of(items: Any) -> int:
    """Return the device of the arrays in *items*, nested lists and tuples; the current one if none.

    Raises:
        TypeError: they are on two devices.
    """
    devices = {array.device for array in arrays_in(items)}
    if len(devices) > 1:
        raise TypeError(
            "expected arrays on one device, got arrays on sim:0 and sim:1. Copy one of them over "
            "with the backend's copy_to, or in a program with tensor.to('sim:0')."
        )
    return devices.pop() if devices else current_device.get()


def _has_mask(index: Any) -> bool:
    """Return whether a boolean array of at least one dimension stands in *index*."""
    return any(a.dtype == np.bool_ and a.ndim > 0 for a in arrays_in(index))


def arrays_in(items: Any) -> list[SimArray]:
    """Return the arrays in *items*, nested lists and tuples."""
    if isinstance(items, SimArray):
        return [items]
    if isinstance(items, (list, tuple)):
        return [array for item in items for array in arrays_in(item)]
    return []


def unwrap(item: Any, device: int) -> Any:
    """Return *item* for NumPy: arrays of *device*, also in nested lists and tuples, as host arrays.

    Raises:
        TypeError: a host array is among them.
    """
    if isinstance(item, SimArray):
        return item._host  # noqa: SLF001 - the two are one module
    if isinstance(item, (list, tuple)):
        return type(item)(unwrap(part, device) for part in item)
    if isinstance(item, np.ndarray):
        raise TypeError(
            f"a NumPy array of shape {item.shape} met an array on sim:{device}. Copy it to the "
            "device first: xp.asarray in a kernel, tensor.to('sim') in a program."
        )
    return item


def wrap(result: Any, device: int) -> Any:
    """Return what a NumPy function gave as it is on *device*: arrays, also in tuples, wrapped."""
    if isinstance(result, np.ndarray | np.generic):
        array = SimArray()
        array._host = np.asarray(result)  # noqa: SLF001 - the two are one module
        array.device = device
        return array
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(wrap(part, device) for part in result))
    if isinstance(result, (list, tuple)):
        return type(result)(wrap(part, device) for part in result)
    return result


def on_device(function: Callable[..., Any], *owner: SimArray) -> Callable[..., Any]:
    """Return a NumPy *function* as one over simulated arrays, which must share a device.

    Args:
        function: A function, ufunc or method.
        owner: The array that *function* is a method of.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        device = device_of([*owner, *args, *kwargs.values()])
        host_args = [unwrap(arg, device) for arg in args]
        host_kwargs = {name: unwrap(arg, device) for name, arg in kwargs.items()}
        return wrap(function(*host_args, **host_kwargs), device)

    call.__name__ = getattr(function, "__name__", "call")
    return call


# Operators


def _forward(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: SimArray, other: Any) -> Any:
        if not isinstance(other, (SimArray, np.ndarray, *NUMBERS)):
            return NotImplemented
        return on_device(function)(self, other)

    return method


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: SimArray, other: Any) -> Any:
        if not isinstance(other, (np.ndarray, *NUMBERS)):
            return NotImplemented
        return on_device(function)(other, self)

    return method


def _in_place(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: SimArray, other: Any) -> SimArray:
        on_device(function)(self, other)
        return self

    return method


_ARITHMETIC = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor",
    "lshift", "rshift",
)  # fmt: skip
for _name in _ARITHMETIC:
    _function = getattr(operator, f"__{_name}__")
    setattr(SimArray, f"__{_name}__", _forward(_function))
    setattr(SimArray, f"__r{_name}__", _reflected(_function))
    setattr(SimArray, f"__i{_name}__", _in_place(getattr(operator, f"__i{_name}__")))
for _name in ("lt", "le", "eq", "ne", "gt", "ge"):
    setattr(SimArray, f"__{_name}__", _forward(getattr(operator, _name)))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(SimArray, f"__{_name}__", on_device(getattr(operator, _name)))
setattr(SimArray, "__divmod__", _forward(divmod))  # noqa: B010 - as its siblings above
