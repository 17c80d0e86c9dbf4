"""Reading a pickle that may be hostile: what it may name, and what it may do.

A pickle is a program. The one that reads weights is kept to what weights need: it makes numbers,
strings, containers and tensors; it calls the few functions that make tensors; it changes nothing
that was there before. Whatever else it asks for ends the load.
"""

from __future__ import annotations

import codecs
import contextlib
import pickle
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Any, ClassVar, Final

from .. import dtypes
from ..device import Device
from ..errors import FileFormatError
from ..shapes import Size
from ..tensor import Tensor
from ._names import STORAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]


class UnsafeFileError(FileFormatError, pickle.UnpicklingError):
    """A file asks for more than weights need.

    Attributes:
        path: What it asked for, if it named something: ``"os.system"``.
    """

    path: str


_allowed: list[Any] = []


def add_safe_globals(safe_globals: Sequence[Any]) -> None:
    """Let `load` make objects of these classes, or call these functions, from now on.

    Args:
        safe_globals: Classes and functions, or pairs of one and the path that files call it by.
    """
    _allowed.extend(safe_globals)


def get_safe_globals() -> list[Any]:
    """Return what was allowed beyond what weights need."""
    return list(_allowed)


def clear_safe_globals() -> None:
    """Take back all that was allowed."""
    _allowed.clear()


@contextlib.contextmanager
def safe_globals(safe_globals: Sequence[Any]) -> Iterator[None]:
    """Allow classes and functions inside a ``with`` block.

    >>> from fractions import Fraction
    >>> import chainrule as cr
    >>> cr.save(Fraction(1, 3), "third.pt")
    >>> with safe_globals([Fraction]):
    ...     cr.load("third.pt")
    Fraction(1, 3)
    """
    before = list(_allowed)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _allowed[:] = before


def _encode(text: str, encoding: str) -> bytes:
    """Return *text* as bytes: how the oldest protocols spell bytes."""
    if encoding != "latin1":
        raise UnsafeFileError(f"load: expected bytes as latin1, got {encoding!r}.")
    return codecs.encode(text, encoding)


#: What weights need beside what makes tensors.
_PLAIN: Final[dict[str, Any]] = {
    "collections.OrderedDict": OrderedDict,
    "collections.Counter": Counter,
    "builtins.set": set,
    "__builtin__.set": set,
    "builtins.bytearray": bytearray,
    "__builtin__.bytearray": bytearray,
    "builtins.complex": complex,
    "__builtin__.complex": complex,
    "_codecs.encode": _encode,
    "torch.Size": Size,
    "torch.device": Device,
    **{f"torch.{name}": name for name in STORAGES},
    "torch.storage.UntypedStorage": "UntypedStorage",
    "torch.storage.TypedStorage": "UntypedStorage",
    "torch.Tensor": Tensor,
    "torch._tensor.Tensor": Tensor,
    **{
        f"torch.{dtype.name}": dtype
        for dtype in vars(dtypes).values()
        if isinstance(dtype, dtypes.DType)
    },
}
#: What may be filled in after it was made.
_FILLED: Final = (OrderedDict, Counter)


def plain(path: str) -> Any:
    """Return what a file means by a name of the format; None where it is no such name."""
    if path == "torch.nn.parameter.Parameter":
        from ..nn import Parameter

        return Parameter
    return _PLAIN.get(path)


def _chosen() -> dict[str, Any]:
    """Return what the user allowed, by the path that files call it by."""
    found = {}
    for item in _allowed:
        thing, path = item if isinstance(item, tuple) else (item, None)
        path = path or f"{thing.__module__}.{thing.__qualname__}"
        found[path] = thing
        if path.startswith("chainrule."):  # what PyTorch wrote names it by its path there
            found[f"torch.{path.removeprefix('chainrule.')}"] = thing
    return found


#: The unpickler written in Python, whose steps can be replaced one by one.
_Unpickler: Any = pickle._Unpickler


class SafeUnpickler(_Unpickler):  # type: ignore[misc]  # its stub has no steps
    """Makes numbers, strings, containers and tensors, and what the user allowed."""

    dispatch: ClassVar[dict[int, Any]] = {}

    def __init__(self, file: Any, builders: dict[str, Callable[..., Any]], **options: Any) -> None:
        super().__init__(file, **options)
        self.builders, self.chosen = builders, _chosen()

    def find_class(self, module: str, name: str) -> Any:
        """Return what the file names, if that is allowed."""
        path = f"{module}.{name}"
        found = self.builders.get(path) or plain(path)
        if found is None:
            found = self.chosen.get(path)
        if found is None:
            short = path.removeprefix("builtins.").removeprefix("__builtin__.")
            raise UnsafeFileError(
                "Weights only load failed. "
                f"Unsupported global: GLOBAL {short} was not an allowed global by default. Please "
                f"use `torch.serialization.add_safe_globals([{short}])` or the "
                f"`torch.serialization.safe_globals([{short}])` context manager to allowlist this "
                "global if you trust this class/function.\n"
                f"load: expected tensors, numbers, strings and containers; the file names {short}. "
                "Allow it, or, if you trust whoever made the file as you trust their code, pass "
                "weights_only=False.",
                path=short,
            )
        return found

    def _refuse_code(self) -> None:
        raise UnsafeFileError(
            "Weights only load failed. Unsupported operand\n"
            "load: the pickle does what no file of weights does. If you trust whoever made it as "
            "you trust their code, pass weights_only=False."
        )

    def _check_call(self, function: Any) -> None:
        known = [*self.builders.values(), *_PLAIN.values(), *self.chosen.values()]
        if not callable(function) or not any(function is item for item in known):
            self._refuse_code()

    def load_reduce(self) -> None:
        """Call what may be called."""
        self._check_call(self.stack[-2])
        super().load_reduce()

    def load_newobj(self) -> None:
        """Make an object of a class that may be made."""
        self._check_call(self.stack[-2])
        super().load_newobj()

    def load_build(self) -> None:
        """Fill in an object of a class that may be."""
        target = self.stack[-2]
        chosen = tuple(item for item in self.chosen.values() if isinstance(item, type))
        if not isinstance(target, _FILLED + chosen):
            self._refuse_code()
        super().load_build()

    def load_setitems(self) -> None:
        """Add to a dict, and to nothing else."""
        items = self.pop_mark()
        target = self.stack[-1]
        if not isinstance(target, dict):
            self._refuse_code()
        target.update(zip(items[::2], items[1::2], strict=True))

    def load_setitem(self) -> None:
        """Add to a dict, and to nothing else."""
        value, key = self.stack.pop(), self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            self._refuse_code()
        self.stack[-1][key] = value

    def load_appends(self) -> None:
        """Add to a list, and to nothing else."""
        items = self.pop_mark()
        if not isinstance(self.stack[-1], list):
            self._refuse_code()
        self.stack[-1].extend(items)

    def load_append(self) -> None:
        """Add to a list, and to nothing else."""
        item = self.stack.pop()
        if not isinstance(self.stack[-1], list):
            self._refuse_code()
        self.stack[-1].append(item)

    for _code in (
        "APPEND", "APPENDS", "BINBYTES", "BINBYTES8", "BINFLOAT", "BINGET", "BININT", "BININT1",
        "BININT2", "BINPERSID", "BINPUT", "BINUNICODE", "BINUNICODE8", "BUILD", "BYTEARRAY8",
        "EMPTY_DICT", "EMPTY_LIST", "EMPTY_SET", "EMPTY_TUPLE", "FRAME", "GLOBAL", "LONG1", "LONG4",
        "LONG_BINGET", "LONG_BINPUT", "MARK", "MEMOIZE", "NEWFALSE", "NEWOBJ", "NEWTRUE", "NONE",
        "POP", "PROTO", "REDUCE", "SETITEM", "SETITEMS", "SHORT_BINBYTES", "SHORT_BINUNICODE",
        "STACK_GLOBAL", "STOP", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "ADDITEMS",
        "BINSTRING", "SHORT_BINSTRING",
    ):  # fmt: skip
        dispatch[getattr(pickle, _code)[0]] = _Unpickler.dispatch[getattr(pickle, _code)[0]]
    dispatch[pickle.APPEND[0]] = load_append
    dispatch[pickle.APPENDS[0]] = load_appends
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.BUILD[0]] = load_build
