"""``__torch_function__``: types of tensors, and modes, that take functions into their own hands.

A subclass of `Tensor`, or any other type with that method, is asked whenever one of its objects is
an argument of a public function; a mode is asked at every call. By default a subclass runs the
function and gives the result its own type.
"""

from __future__ import annotations

import importlib
import sys
import threading
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from . import value as _value
from .errors import ArgumentError
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Note [Functions that ask]
# -------------------------
# Plain tensors must not pay for this, so no function asks while there is nobody to be asked. The
# first subclass, or the first mode, switches that over, once and for good (`activate`): ops get
# another `__call__`, and the other public functions of the namespaces are replaced by `Asking`
# objects that equal them. The methods of `Tensor` stay as they are; a subclass gets methods of its
# own that ask (`adopt`), and so does `Tensor` as long as a mode is in force.

_PACKAGE: Final = __package__ or "chainrule"
_NAMESPACES: Final = (
    "", ".autograd", ".nn.functional", ".linalg", ".special", ".fft", ".nn.init", ".functional",
)  # fmt: skip
#: Functions about no tensor in particular, which nobody is asked about.
IGNORED: Final = frozenset({
    "can_cast", "explain", "explain_grad", "get_default_device", "get_default_dtype",
    "get_rng_state", "gradcheck", "gradgradcheck", "initial_seed", "is_grad_enabled",
    "is_inference_mode_enabled", "is_tensor", "manual_seed", "prefer", "promote_types", "seed",
    "set_default_device", "set_default_dtype", "set_printoptions", "set_rng_state", "typename",
})  # fmt: skip
#: Methods that never ask: what a class is made of, and its copies.
_UNASKED: Final = frozenset({
    "__class__", "__copy__", "__iter__", "__deepcopy__", "__dict__", "__dir__", "__getattribute__",
    "__getstate__", "__hash__", "__init__", "__init_subclass__", "__new__", "__reduce__",
    "__reduce_ex__", "__setattr__", "__delattr__", "__sizeof__", "__str__", "__subclasshook__",
    "__torch_function__", "as_subclass",
})  # fmt: skip
#: The method that an operator is announced as.
_OPERATORS: Final = {
    f"__{name}__": method
    for name, method in {
        "add": "add", "radd": "add", "sub": "sub", "mul": "mul", "rmul": "mul", "truediv": "div",
        "pow": "pow", "matmul": "matmul", "rmatmul": "matmul", "neg": "neg", "abs": "abs",
        "lt": "lt", "le": "le", "gt": "gt", "ge": "ge", "rtruediv": "__rdiv__", "iadd": "add_",
        "isub": "sub_", "imul": "mul_", "itruediv": "div_",
    }.items()
}  # fmt: skip
_BINARY: Final = frozenset(
    f"__{side}{name}__"
    for side in ("", "r")
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or",
                 "xor", "lshift", "rshift")
)  # fmt: skip


class _Threads(threading.local):
    """Whether types and modes are asked on this thread, and which modes are in force."""

    types = True

    def __init__(self) -> None:
        self.modes: list[Any] = []


state = _Threads()


class Switches:
    """What was switched over, for all threads."""

    active = False
    modes_in_force = 0


def disabled_torch_function_impl(*args: Any, **kwargs: Any) -> Any:
    """Stand in for ``__torch_function__`` in a class that does not want to be asked."""
    return NotImplemented


class DisableTorchFunctionSubclass:
    """A ``with`` block in which types are not asked: subclasses count as plain tensors."""

    def __enter__(self) -> None:
        self._before = state.types
        state.types = False

    def __exit__(self, *exc: object) -> None:
        state.types = self._before


class DisableTorchFunction(DisableTorchFunctionSubclass):
    """A ``with`` block in which neither types nor modes are asked."""

    def __enter__(self) -> None:
        super().__enter__()
        self._modes = state.modes
        state.modes = []

    def __exit__(self, *exc: object) -> None:
        state.modes = self._modes
        super().__exit__(*exc)


# Who is asked


_wanting: Final[dict[type, bool]] = {}


def wants_to_be_asked(kind: type) -> bool:
    """Return whether objects of type *kind* have a ``__torch_function__`` of their own to ask."""
    found = _wanting.get(kind)
    if found is None:
        method = getattr(kind, "__torch_function__", None)
        plain = method is None or method is disabled_torch_function_impl
        # PyTorch's own tensors are asked by PyTorch: to us they are arrays of another library.
        plain = plain or getattr(method, "__module__", None) == "torch._tensor"
        found = _wanting[kind] = not plain and kind is not _value.tensor_class
    return found


def _candidates(args: Iterable[Any]) -> Iterator[Any]:
    for arg in args:
        if type(arg) is tuple or type(arg) is list:
            yield from _candidates(arg)
        else:
            yield arg


def overloaded(args: Iterable[Any]) -> list[Any]:
    """Return one argument per type that wants to be asked: in order, subclasses first."""
    found: list[Any] = []
    for arg in _candidates(args):
        kind = type(arg)
        if not wants_to_be_asked(kind) or any(type(other) is kind for other in found):
            continue
        places = [i for i, other in enumerate(found) if issubclass(kind, type(other))]
        found.insert(places[0] if places else len(found), arg)
    return found


def dispatch(
    function: Any, asked: Sequence[Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None
) -> Any:
    """Return what the innermost mode, or the first of *asked* that knows, makes of a call.

    Raises:
        TypeError: nobody does.
    """
    activate()  # an op finds out by itself that an argument wants to be asked; others do not
    types = tuple(map(type, asked))
    modes = state.modes
    if modes:
        mode = modes.pop()
        try:
            result = mode.__torch_function__(function, types, args, kwargs)
        finally:
            modes.append(mode)
        if result is not NotImplemented:
            return result
    for arg in asked:
        result = arg.__torch_function__(function, types, args, kwargs)
        if result is not NotImplemented:
            return result
    name = resolve_name(function) or getattr(function, "__name__", repr(function))
    who = "".join(f"\n  - tensor subclass {kind!r}" for kind in types)
    msg = (
        f"Multiple dispatch failed for '{name}'; all __torch_function__ handlers returned "
        f"NotImplemented:\n{who}\n\nFor more information, try re-running with TORCH_LOGS=not_"
        "implemented"
    )
    raise ArgumentError(msg)


def ask(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], plain: Any) -> Any:
    """Return what those concerned make of a call, or what *plain* makes of it if there is none."""
    asked = overloaded((*args, *kwargs.values())) if state.types else []
    if asked or state.modes:
        return dispatch(function, asked, args, kwargs or None)
    return plain(*args, **kwargs)


# What a subclass does by default


def default_torch_function(
    cls: type, function: Any, types: Sequence[type], args: tuple[Any, ...], kwargs: Any
) -> Any:
    """Return the function's result with type *cls*, as `Tensor` does for its subclasses."""
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = function(*args, **(kwargs or {}))
    if _keeps_type(function):
        return result
    return _converted(result, cls, (*args, *(kwargs or {}).values()))


def _keeps_type(function: Any) -> bool:
    owner = getattr(function, "__self__", None)
    return isinstance(owner, property) and owner in _kept_properties()


def _kept_properties() -> list[Any]:
    tensor: Any = _value.tensor_class
    return [_attribute(tensor, name) for name in ("grad", "_grad", "_base")]


def _converted(result: Any, cls: type, args: tuple[Any, ...]) -> Any:
    if isinstance(result, Value):
        if isinstance(result, cls):
            return result
        if any(result is arg for arg in _candidates(args)):
            return result.as_subclass(cls)  # type: ignore[attr-defined]  # a Tensor
        return retyped(result, cls)
    if isinstance(result, (tuple, list)):
        items = [_converted(item, cls, args) for item in result]
        return result._make(items) if hasattr(result, "_make") else type(result)(items)
    return result


def retyped(value: Value, cls: type) -> Any:
    """Return *value* as an object of class *cls*: itself, where the two are laid out alike."""
    try:
        value.__class__ = cls
    except TypeError:  # the class has slots of its own
        made: Any = object.__new__(cls)
        for name in Value.__slots__:
            if name != "__weakref__" and hasattr(value, name):
                setattr(made, name, getattr(value, name))
        return made
    return value


# Functions that ask


class Asking:
    """A public function that asks first, and equals the one it stands for."""

    def __init__(self, function: Any) -> None:
        self.__wrapped__ = function
        self.__name__, self.__qualname__ = function.__name__, function.__qualname__
        self.__module__, self.__doc__ = function.__module__, function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Ask; if nobody is concerned, run."""
        return ask(self, args, kwargs, self.__wrapped__)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else MethodType(self, owner)

    def __eq__(self, other: object) -> bool:
        return other is self or other is self.__wrapped__

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> tuple[Any, tuple[Any]]:
        return _itself, (self.__wrapped__,)


def _itself(function: Any) -> Any:
    return function


class _AskingMethod(Asking):
    """A method of a subclass, or of `Tensor` under a mode, that asks first."""

    def __init__(self, name: str, function: Any) -> None:
        super().__init__(function)
        self._name = name

    def __eq__(self, other: object) -> bool:
        # Python asks whether an operator is another one than that of the left operand.
        return other is self or (self._name[:2] != "__" and other is self.__wrapped__)

    __hash__ = Asking.__hash__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        asked = overloaded((*args, *kwargs.values())) if state.types else []
        if not (asked or state.modes):
            return self.__wrapped__(*args, **kwargs)
        name = self._name
        announced = getattr(_value.tensor_class, _OPERATORS.get(name, name))
        ordered = args[::-1] if name == "__rmatmul__" else args
        try:
            return dispatch(announced, asked, ordered, kwargs or None)
        except ArgumentError:
            if name in _BINARY:
                return NotImplemented  # the other operand may know
            raise


def _asking_property(plain: property) -> property:
    """Return a property whose getter asks."""

    def get(self: Any) -> Any:
        if state.types or state.modes:
            return ask(plain.__get__, (self,), {}, plain.__get__)
        return plain.__get__(self)

    return property(get, plain.fset, plain.fdel, plain.__doc__)


def _attribute(cls: type, name: str) -> Any:
    """Return what *name* is in *cls* or its bases, unbound."""
    for base in cls.__mro__:
        if name in vars(base):
            return vars(base)[name]
    return None


_plain_attributes: Final[dict[str, Any]] = {}
_asking_attributes: Final[dict[str, Any]] = {}


def _prepare() -> None:
    """Make the methods and properties that ask, once."""
    for base in reversed(_value.tensor_class.__mro__):
        if not base.__module__.startswith(_PACKAGE):
            continue
        for name, plain in vars(base).items():
            private = name.startswith("_") and not name.endswith("__")
            if not private and name not in _UNASKED and name not in Value.__slots__:
                _plain_attributes[name] = plain
    for name, plain in _plain_attributes.items():
        if getattr(plain, "__name__", "") == "method":  # made by a factory of operators
            plain.__name__, plain.__qualname__ = name, f"Tensor.{name}"
        if isinstance(plain, property):
            _asking_attributes[name] = _asking_property(plain)
        elif callable(plain) and not isinstance(plain, (type, staticmethod, classmethod)):
            _asking_attributes[name] = _AskingMethod(name, plain)


def adopt(cls: type) -> None:
    """Let the methods that *cls* inherits from `Tensor` ask, if the class wants to be asked."""
    if not wants_to_be_asked(cls):
        return
    activate()
    for name, asking in _asking_attributes.items():
        if _attribute(cls, name) is _plain_attributes[name]:
            setattr(cls, name, asking)


def activate() -> None:
    """Let every public function ask from now on. Note [Functions that ask]."""
    if Switches.active:
        return
    Switches.active = True
    _prepare()
    _let_ops_ask()
    made: dict[int, Asking] = {}
    for suffix in _NAMESPACES:
        try:
            module = importlib.import_module(_PACKAGE + suffix)
        except ImportError:
            continue
        for name, function in list(vars(module).items()):
            if _is_public(name, function):
                asking = made.setdefault(id(function), Asking(function))
                setattr(module, name, asking)


def asked_about(name: str, item: Any) -> Any:
    """Return *item*, about to be *name* in a namespace, such that it asks if others do."""
    return Asking(item) if Switches.active and _is_public(name, item) else item


def namespaces() -> Iterator[Any]:
    """Return the modules whose functions ask."""
    for suffix in _NAMESPACES:
        module = sys.modules.get(_PACKAGE + suffix)
        if module is not None:
            yield module


def is_overridable(item: Any) -> bool:
    """Return whether *item* of a namespace asks."""
    return isinstance(item, Asking) or hasattr(type(item), "vjp")


def methods() -> list[Any]:
    """Return the methods of `Tensor` that are asked about, and the getters of its properties."""
    tensor: Any = _value.tensor_class
    return [
        plain.__get__ if isinstance(plain, property) else getattr(tensor, name)
        for name, plain in _plain_attributes.items()
        if name in _asking_attributes
    ]


def _is_public(name: str, function: Any) -> bool:
    return (
        isinstance(function, FunctionType)
        and not name.startswith("_")
        and name not in IGNORED
        and function.__module__.startswith(_PACKAGE)
    )


#: The class of ops; op.py puts it here.
classes: Final[list[type]] = []


def _let_ops_ask() -> None:
    kind: Any = classes[0]
    plain: Any = kind.__call__

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        asked = overloaded((*args, *kwargs.values())) if state.types else None
        if asked or state.modes:
            return dispatch(self, asked or (), args, kwargs or None)
        return plain(self, *args, **kwargs)

    kind.__call__ = call


#: What `Tensor` itself has of them, to go back to.
_own_attributes: Final[dict[str, Any]] = {}


def push_mode(mode: Any) -> None:
    """Put *mode* in force on this thread."""
    activate()
    state.modes.append(mode)
    Switches.modes_in_force += 1
    if Switches.modes_in_force == 1:
        tensor: Any = _value.tensor_class
        for name, asking in _asking_attributes.items():
            _own_attributes[name] = vars(tensor).get(name)
            setattr(tensor, name, asking)


def pop_mode() -> None:
    """Take the innermost mode away."""
    state.modes.pop()
    Switches.modes_in_force -= 1
    if Switches.modes_in_force:
        return
    tensor: Any = _value.tensor_class
    for name in _asking_attributes:
        if _own_attributes[name] is None:
            delattr(tensor, name)
        else:
            setattr(tensor, name, _own_attributes[name])


def resolve_name(function: Any) -> str | None:
    """Return the name that users call *function* by, as ``torch.add`` or ``torch.Tensor.add``."""
    tensor: Any = _value.tensor_class
    name = getattr(function, "__name__", "")
    owner = getattr(function, "__self__", None)
    if isinstance(owner, property):
        known = [n for n, plain in vars(tensor).items() if plain is owner]
        return f"torch.Tensor.{known[0]}.__get__" if known else None
    for suffix in _NAMESPACES:
        module = sys.modules.get(_PACKAGE + suffix)
        if module is not None and vars(module).get(name) is function:
            return f"torch{suffix}.{name}"
    return f"torch.Tensor.{name}" if getattr(tensor, name, None) is function else None
