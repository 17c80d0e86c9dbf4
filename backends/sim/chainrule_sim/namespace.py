"""``xp`` for simulated arrays: NumPy's functions, so that the family's kernels run unchanged.

Names that CuPy lacks are left out, so that a kernel that leans on one fails here too, and so is
``random``: a device's random numbers come from its stream.
"""

from __future__ import annotations

import types
from typing import Any, Final

import numpy as np

from .array import SIZED_BY_VALUES, SimArray, arrays_in, device_of, on_device, refuse, wrap
from .counting import counters, current_device

#: NumPy has them, other NumPy-like libraries do not, or they would take values to the host: to a
#: file, a text, a function of Python's.
ABSENT: Final = frozenset({
    "apply_along_axis", "apply_over_axes", "array2string", "array_repr", "array_str",
    "asarray_chkfinite", "ctypeslib", "fromfile", "fromfunction", "fromstring", "genfromtxt",
    "load", "loadtxt", "memmap", "ndenumerate", "piecewise", "printoptions", "save", "savetxt",
    "savez", "savez_compressed", "set_printoptions", "testing",
    "einsum_path", "errstate", "frompyfunc", "fromiter", "geomspace", "insert", "matvec", "nditer",
    "nanpercentile", "nanquantile", "random", "spacing", "unstack", "vecdot", "vecmat", "vectorize",
})  # fmt: skip

#: Arguments that a device must know before it starts: sizes, axes, counts. A number that is still
#: on the device has to be read first, which a kernel does explicitly, with ``item()``.
HOST_ARGUMENTS: Final = {
    **dict.fromkeys(("empty", "zeros", "ones", "full", "identity", "indices"), (0,)),
    **dict.fromkeys(("arange", "eye", "tri"), (0, 1, 2)),
    **dict.fromkeys(
        ("array_split", "broadcast_to", "expand_dims", "pad", "reshape", "roll", "split", "tile",
         "transpose"), (1,)
    ),
    **dict.fromkeys(("moveaxis", "rollaxis", "rot90", "swapaxes"), (1, 2)),
}  # fmt: skip

#: Functions that give a Python number made from the values: here it stays on the device.
READS_VALUES: Final = frozenset({"allclose", "array_equal", "array_equiv", "count_nonzero"})


class Function:
    """A NumPy function or ufunc over simulated arrays, with the ufunc's methods."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self._call = on_device(function)
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._check(args, kwargs)
        result = self._call(*args, **kwargs)
        if self.__name__ in READS_VALUES and not isinstance(result, SimArray):
            return wrap(np.asarray(result), device_of(args))
        return result

    def _check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Refuse arrays where a size is expected; wait where values decide one."""
        wanted = HOST_ARGUMENTS.get(self.__name__, ())
        given = [args[position] for position in wanted if position < len(args)]
        given += [kwargs[name] for name in ("shape", "axis", "axes", "newshape") if name in kwargs]
        for item in given:
            for array in arrays_in(item):
                refuse(array, f"a size or an axis of {self.__name__}")
        one_argument = self.__name__ == "where" and len(args) == 1
        if one_argument or self.__name__ in SIZED_BY_VALUES:
            counters.waited(f"{self.__name__} decides a size", device_of(args))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._function, name)
        return (
            on_device(found)
            if name in {"accumulate", "at", "outer", "reduce", "reduceat"}
            else found
        )

    def __repr__(self) -> str:
        return f"<{self.__name__} on simulated devices>"


class Namespace:
    """The names of *module*: functions over simulated arrays, types and constants as they are."""

    def __init__(self, module: types.ModuleType, name: str) -> None:
        self._module, self.__name__ = module, name

    def __getattr__(self, name: str) -> Any:
        if name in ABSENT or not hasattr(self._module, name):
            reason = (
                "not every NumPy-like library has it" if name in ABSENT else "NumPy lacks it too"
            )
            raise AttributeError(f"{self.__name__} has no {name!r}: {reason}.")
        found = getattr(self._module, name)
        if isinstance(found, types.ModuleType):
            found = Namespace(found, f"{self.__name__}.{name}")
        elif callable(found) and not isinstance(found, type):
            found = Function(found)
        setattr(self, name, found)  # the next look finds it without coming here
        return found

    def __repr__(self) -> str:
        return f"<namespace {self.__name__!r}>"


def asarray(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """Return *obj* on the device, copied there if it is of the host: a transfer that is counted."""
    return _made(np.asarray, obj, *args, **kwargs)


def array(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a copy of *obj* on the device; if *obj* is of the host, a transfer that is counted."""
    return _made(np.array, obj, *args, **kwargs)


def _made(function: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(obj, SimArray):
        return on_device(function)(obj, *args, **kwargs)
    if isinstance(obj, np.ndarray):
        made = wrap(function(obj.copy(), *args, **kwargs), current_device.get())
    else:
        made = on_device(function)(obj, *args, **kwargs)
    counters.uploaded(made.nbytes, made.device)
    return made


xp: Final = Namespace(np, "chainrule_sim")
vars(xp).update(array=array, asarray=asarray, ascontiguousarray=Function(np.ascontiguousarray))
