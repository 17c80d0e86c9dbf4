"""The kernel API: everything that the author of a backend needs, on one page.

A backend owns one kind of array. It says what it is (`BackendSpec`), whether it can run here
(`Availability`), how to make and read its arrays (`Backend`), and how to compute (`KernelSet`).
It holds no gradients: a backward kernel is the kernel of an op called ``<op>_backward``.

What core asks of an array itself is one attribute: ``array.shape``, a tuple of integers.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from . import device as _device
from . import dtypes
from .device import Device
from .dtypes import COMPLEX, FLOATING, DType, bool_, given
from .errors import (
    BackendNotFoundError,
    BackendUnavailableError,
    DTypeError,
    KernelConflictError,
    OpDefinitionError,
)
from .locks import new_rlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "AVAILABLE", "CPU", "IMPORT_FAILED", "NOT_INSTALLED", "NO_DEVICE", "Array", "Availability",
    "Backend", "BackendSpec", "CallParts", "DType", "Device", "DispatchKey", "Kernel", "KernelDef",
    "KernelSet", "RandomStream", "dtypes",
]  # fmt: skip

Array = Any  # opaque on purpose: only the backend that owns an array may look inside
Kernel = Any  # a callable from arrays (by position) and static arguments (by keyword) to arrays

AVAILABLE, NOT_INSTALLED, IMPORT_FAILED, NO_DEVICE = (
    "available", "not installed", "import failed", "no device",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Availability:
    """What a probe found: one of four states, the reason in words, and what is there."""

    state: str
    reason: str = ""
    devices: int = 0
    versions: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return self.state == AVAILABLE


@dataclass(frozen=True, kw_only=True)
class BackendSpec:
    """What a backend says of itself before anything heavy is imported.

    Args:
        name: The name in ``device@name`` and ``CHAINRULE_BACKEND``.
        device_types: The device types it serves, its own first.
        parents: The lineage, nearest first: whose kernels it inherits.
        storage: Backends of equal storage share an array type, so that their tensors mix.
        priority: Order among several of one device type; never silently above a built-in.
        probe: ``"module:function"``, gives an `Availability` and never raises.
        factory: ``"module:function"``, gives the live `Backend`.
        capabilities: What it promises: "float64", "complex", "views", "inplace", …
        install_hint: The line to type when it is missing.
    """

    name: str
    device_types: tuple[str, ...]
    storage: str
    probe: str
    factory: str
    parents: tuple[str, ...] = ()
    priority: int = 0
    capabilities: frozenset[str] = frozenset()
    install_hint: str = ""


@dataclass(frozen=True)
class KernelDef:
    """One kernel and where it comes from."""

    op: str
    function: Kernel
    provider: str
    family: bool = False
    optional: bool = False
    over: bool = False

    def bind(self, namespace: object, otherwise: Kernel | None = None) -> Kernel:
        """Return the callable, made for *namespace* where it is written for a family.

        One that handles some arrays alone passes the rest to *otherwise*.
        """
        if self.over:
            made: Kernel = self.function(otherwise)
            return made
        return self.function(namespace) if self.family else self.function


@dataclass
class KernelSet:
    """A passive list of kernels for one backend or family. Decorating changes nothing global.

    >>> ks = KernelSet("toy")
    >>> @ks.forward("cr::neg")
    ... def neg(x):
    ...     return -x
    >>> sorted(ks.kernels)
    ['cr::neg']
    """

    backend: str
    provider: str = "chainrule"
    kernels: dict[str, KernelDef] = field(default_factory=dict)

    def forward(self, op: str, *, optional: bool = False) -> Callable[[Kernel], Kernel]:
        """Register the decorated callable as the kernel of *op*: arrays in, arrays out."""
        return self._adder(op, family=False, optional=optional)

    def backward(self, op: str, *, optional: bool = False) -> Callable[[Kernel], Kernel]:
        """Register the kernel of ``<op>_backward``, which the op's gradient rule calls."""
        return self._adder(f"{op}_backward", family=False, optional=optional)

    def family(self, op: str, *, optional: bool = False) -> Callable[[Kernel], Kernel]:
        """Register a factory: called once per backend with its ``xp``, it returns the kernel."""
        return self._adder(op, family=True, optional=optional)

    def over(self, op: str, *, optional: bool = False) -> Callable[[Kernel], Kernel]:
        """Register a factory of a kernel that handles some arrays and passes on the others.

        It is called once per backend with what would run without it: the next kernel along the
        lineage, or the op's body. A faster kernel for common arrays need not cover all of them.

        >>> ks = KernelSet("toy")
        >>> @ks.over("cr::neg")
        ... def neg(otherwise):
        ...     return lambda x: -x if type(x) is float else otherwise(x)
        >>> neg(abs)(2.0), neg(abs)(2)
        (-2.0, 2)
        """
        return self._adder(op, family=False, optional=optional, over=True)

    def add(self, op: str, kernel: Kernel) -> None:
        """Register *kernel* for *op*: `forward` as a plain call, for callables made elsewhere."""
        self._adder(op, family=False, optional=False)(kernel)

    def _adder(
        self, op: str, *, family: bool, optional: bool, over: bool = False
    ) -> Callable[[Kernel], Kernel]:
        if "::" not in op:
            msg = f"KernelSet({self.backend!r}): expected an op name like 'cr::mul', got {op!r}."
            raise OpDefinitionError(msg)

        def add(function: Kernel) -> Kernel:
            if op in self.kernels and self.kernels[op].function is not function:
                msg = f"KernelSet({self.backend!r}): two kernels for {op!r}. Keep one."
                raise KernelConflictError(msg)
            self.kernels[op] = KernelDef(op, function, self.provider, family, optional, over)
            return function

        return add


class DispatchKey:
    """What decides how a tensor computes: its backend, its device and its dtype, as one object.

    Keys are interned, so one ``is`` tells that two tensors can meet without promotion, transfer
    or check.
    """

    __slots__ = (
        "_siblings", "array_type", "backend", "boolean", "category", "complex", "device", "dtype",
        "floating", "index",
    )  # fmt: skip

    def __init__(self, backend: Backend, dtype: DType, device: Device) -> None:
        self.backend, self.dtype, self.device = backend, dtype, device
        self.index = backend.index
        self.array_type = backend.array_type
        self.category = dtype.category
        self.complex = dtype.category == COMPLEX
        self.floating = dtype.category in {FLOATING, COMPLEX}
        self._siblings: dict[DType, DispatchKey] = {dtype: self}
        self.boolean = self.of(bool_)

    def of(self, dtype: DType) -> DispatchKey:
        """Return the key of the same backend and device with *dtype*."""
        try:
            return self._siblings[dtype]
        except KeyError:
            sibling = self._siblings[dtype] = self.backend.key(given(dtype), self.device)
            return sibling

    def __repr__(self) -> str:
        return f"DispatchKey({self.backend.name}, {self.device}, {self.dtype.name})"


class CallParts(NamedTuple):
    """What the quick call of an op is made of, for `Backend.quick_calls`.

    Attributes:
        kind: Which of core's quick calls it is: ``"unary"``, ``"binary"``, ``"pair"``,
            ``"of_one"`` or ``"view"``.
        op: The op.
        plain: Core's own call, which takes whatever is not plain.
        table: The kernels by the index of a dispatch key.
        plans: The plans by the bits of the inputs that require grad, and 4 where the second is a
            number; None where no gradient is possible.
        find_plan: Makes a plan that is not there yet, from those bits and the number, or None.
        statics: The names of the arguments that are no tensors.
        defaults: What they are where they are left out.
        direct: A bit per category of dtypes that needs neither promotion nor a check.
        boolean: Whether the result is bool.
        numbers_have_edges: Whether the node has an edge for a number, which leads nowhere.
        same_dtype: Whether the result has the dtype of the first input.
    """

    kind: str
    op: Any
    plain: Callable[..., Any]
    table: list[Kernel]
    plans: dict[int, Any]
    find_plan: Callable[[int, Any], Any]
    statics: tuple[str, ...]
    defaults: tuple[Any, ...]
    direct: int
    boolean: bool
    numbers_have_edges: bool
    same_dtype: bool


class RandomStream(Protocol):
    """A stream of random numbers; `Generator` in random.py is its face to the user."""

    def seed(self, seed: int) -> None:
        """Begin the stream that belongs to *seed*."""

    def initial_seed(self) -> int:
        """Return the seed that the stream began with."""

    def get_state(self) -> bytes:
        """Return all that `set_state` needs to continue from here."""

    def set_state(self, state: bytes) -> None:
        """Continue from where `get_state` returned *state*."""


class Backend:
    """A live backend. Derive from it, set the attributes, fill in the methods.

    Attributes:
        spec: The record that announced it.
        xp: The namespace its inherited family kernels are written over.
        array_type: The exact type of its arrays. A kernel may return something else (NumPy's
            scalars); core then passes it to `wrap`.
        index: The column in every op's kernel table, set by `register`.
        level: 0 for a backend of arrays. Above, its arrays wrap tensors for a function transform
            (vmap, forward mode), and where operands of several levels meet, the highest runs.
        runtime: What its devices offer beside kernels (memory to ask about, streams, events,
            graphs), for `chainrule.cuda`; None where they have none.
    """

    spec: BackendSpec
    xp: Any  # a module of the array library
    array_type: type
    index: int = -1
    level: int = 0
    runtime: Any = None

    def __init__(self, spec: BackendSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self._kernels: dict[str, dict[str, KernelDef]] = {}
        self._collect: Callable[[], None] | None = None
        self._collecting = new_rlock()
        self._busy = False
        self._keys: dict[tuple[DType, str, int | None], DispatchKey] = {}
        self.lineage: tuple[str, ...] = (spec.name, *spec.parents)

    # What an author writes.

    def supports(self, dtype: DType) -> bool:
        """Return whether the library has arrays of *dtype*."""
        raise NotImplementedError

    def dtype_of(self, array: Array) -> DType:
        """Return the dtype of *array*."""
        raise NotImplementedError

    def device_of(self, array: Array) -> Device:
        """Return the device that *array* lives on."""
        raise NotImplementedError

    def wrap(self, result: Any) -> Array:
        """Return a kernel's *result*, of another type than `array_type`, as an array."""
        raise NotImplementedError

    def empty(self, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        """Return a new array with unspecified values."""
        raise NotImplementedError

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Device) -> Array:
        """Return a new array filled with *value*."""
        raise NotImplementedError

    def arange(self, start: float, step: float, count: int, dtype: DType, device: Device) -> Array:
        """Return ``start + step * i`` for ``i < count``."""
        raise NotImplementedError

    def from_buffer(
        self,
        data: Any,
        shape: tuple[int, ...],
        dtype: DType,
        device: Device,
    ) -> Array:
        """Return a new array with the values of *data*, a contiguous buffer of *dtype*."""
        raise NotImplementedError

    def from_list(self, data: Any, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        """Return a new array with the values of nested lists of Python numbers."""
        raise NotImplementedError

    def from_numpy(self, array: Any, device: Device) -> Array:
        """Return *array*, without a copy where host memory is what the backend works on."""
        raise NotImplementedError

    def to_numpy(self, array: Array) -> Any:
        """Return *array* as a ``numpy.ndarray``, without a copy where that is possible."""
        raise NotImplementedError

    def tolist(self, array: Array) -> Any:
        """Return the values as nested lists, or a Python number for a 0-d array."""
        raise NotImplementedError

    def to_dlpack(self, array: Array, **options: Any) -> Any:
        """Return a DLPack capsule over the memory of *array*, by the library's own means."""
        return array.__dlpack__(**options)

    def dlpack_device(self, array: Array) -> tuple[int, int]:
        """Return DLPack's number of the device type of *array*, and its index."""
        kind, index = array.__dlpack_device__()
        return int(kind), int(index)

    def from_dlpack(self, exporter: Any, *, copy: bool | None) -> Array:
        """Return an array over the memory that *exporter* offers through DLPack."""
        return (
            self.xp.from_dlpack(exporter)
            if copy is None
            else self.xp.from_dlpack(exporter, copy=copy)
        )

    def astype(self, array: Array, dtype: DType) -> Array:
        """Return a copy of *array* with another dtype."""
        raise NotImplementedError

    def copy(self, array: Array) -> Array:
        """Return a contiguous copy."""
        raise NotImplementedError

    def assign(self, target: Array, source: Any) -> None:
        """Write *source*, broadcast and cast, into *target*."""
        raise NotImplementedError

    def copy_to(self, array: Array, device: Device) -> Array:
        """Return *array* on another device of this backend."""
        raise NotImplementedError

    def strides(self, array: Array) -> tuple[int, ...]:
        """Return the strides in elements."""
        raise NotImplementedError

    def is_contiguous(self, array: Array) -> bool:
        """Return whether the elements stand one after the other, the last dimension fastest."""
        step = 1
        for size, stride in zip(reversed(array.shape), reversed(self.strides(array)), strict=True):
            if size != 1:
                if stride != step:
                    return 0 in array.shape
                step *= size
        return True

    def data_ptr(self, array: Array) -> int:
        """Return the address of the first element."""
        raise NotImplementedError

    def stream(self, algorithm: str) -> Any:
        """Return a new random stream; ``"default"`` is the one of the device type."""
        raise NotImplementedError

    def synchronize(self, device: Device) -> None:
        """Wait until *device* has finished."""

    def use_threads(self, count: int | None) -> None:
        """Compute on *count* threads at most; None: on as many as the backend finds right."""

    def use_determinism(self, wanted: bool) -> None:
        """Let sums come out the same every time, where the quicker way does not see to it."""

    def memory_stats(self) -> dict[str, int]:
        """Return what is known of the memory of the arrays, under PyTorch's names."""
        return {}

    def device_count(self) -> int:
        """Return the number of devices."""
        return 1

    def quick_calls(
        self, layout: Mapping[str, Any]
    ) -> Callable[[CallParts], Callable[..., Any] | None] | None:
        """Return what makes compiled code of the quick calls of ops; None: core's are used.

        Asked once, when the backend has gone live. Provisional: *layout* and the parts follow
        core's inside, with no promise between versions.

        Args:
            layout: The classes whose slots such code reads and fills, and core's functions, by
                name: see ``plugin/quick_calls.py``.
        """
        return None

    # What core does with it.

    def isa(self, name: str) -> bool:
        """Return whether *name* is this backend or one it descends from."""
        return name in self.lineage

    def key(self, dtype: DType, device: Device) -> DispatchKey:
        """Return the one dispatch key for *dtype* on *device*."""
        found = self._keys.get((dtype, device.type, device.index))
        if found is None:
            if not self.supports(dtype):
                msg = (
                    f"backend {self.name!r} has no arrays of dtype {dtype}. "
                    "Convert with .to(torch.float32), or use another backend."
                )
                raise DTypeError(msg)
            found = DispatchKey(self, dtype, device)
            found = self._keys.setdefault((dtype, device.type, device.index), found)
        return found

    def add_kernels(self, kernels: KernelSet) -> None:
        """Take *kernels* of this backend or of one in its lineage."""
        self.kernels.setdefault(kernels.backend, {}).update(kernels.kernels)

    @property
    def kernels(self) -> dict[str, dict[str, KernelDef]]:
        """The kernels per member of the lineage, collected from the plugins when first asked for.

        Making a tensor needs none, so the files that hold them are not read at start.
        """
        if self._collect is not None:
            with self._collecting:  # another thread waits until all are there
                self._collect_now()
        return self._kernels

    def _collect_now(self) -> None:
        collect = self._collect
        if collect is not None and not self._busy:
            self._busy = True  # what collects looks at the kernels too
            try:
                collect()
                self._collect = None
            finally:
                self._busy = False

    def collect_with(self, collect: Callable[[], None]) -> None:
        """Let *collect* add the kernels when the first is looked for."""
        self._collect = collect

    def find_kernel(self, op: str) -> tuple[KernelDef, str] | None:
        """Return the nearest kernel for *op* along the lineage, and whose it is."""
        return next(self._kernels_along(op), None)

    def _kernels_along(self, op: str) -> Iterator[tuple[KernelDef, str]]:
        for ancestor in self.lineage:
            kernel = self.kernels.get(ancestor, {}).get(op)
            if kernel is not None:
                yield self.adopt(kernel, ancestor), ancestor

    def adopt(self, kernel: KernelDef, ancestor: str) -> KernelDef:
        """Return *kernel*, which *ancestor* brings, as it runs on the arrays of this backend.

        A backend that has to do something around every kernel, as setting a device or looking at
        the same memory as another kind of array, returns a `KernelDef` that binds accordingly.
        """
        return kernel

    def bound_kernel(self, op: str, otherwise: Callable[[], Kernel]) -> Kernel:
        """Return the nearest kernel for *op* along the lineage, ready to be called.

        Args:
            op: The op's full name.
            otherwise: Gives what runs where there is no kernel, or none that takes the arrays.
        """
        return self._bind_first(self._kernels_along(op), otherwise)

    def _bind_first(
        self, kernels: Iterator[tuple[KernelDef, str]], otherwise: Callable[[], Kernel]
    ) -> Kernel:
        """Return the first of *kernels*, bound; one that passes arrays on, over the next."""
        for kernel, _ in kernels:
            return kernel.bind(
                self.xp, self._bind_first(kernels, otherwise) if kernel.over else None
            )
        return otherwise()

    def canonical(self, device: Device) -> Device:
        """Return *device* with the index that its tensors report, if it is there."""
        count = self.device_count()
        if device.type == "cpu":
            return CPU
        index = device.index or 0
        if index >= count:
            msg = (
                f"invalid device ordinal\n{device}: backend {self.name!r} has {count} device(s), "
                f"so the last is {device.type}:{count - 1}."
            )
            raise BackendUnavailableError(msg)
        return Device(device.type, index)

    def __repr__(self) -> str:
        return f"<backend {self.name!r}>"


CPU: Final = Device("cpu")

#: The live backends, by index: the columns of every kernel table.
live: Final[list[Backend]] = []
_by_name: Final[dict[str, Backend]] = {}
#: What the program asked of all backends, also of those to come.
asked: Final[dict[str, Any]] = {"threads": None, "deterministic": False}
_default_for: Final[dict[str, str]] = {}
_using: Final[ContextVar[dict[str, str] | None]] = ContextVar("chainrule_using", default=None)


def use_threads(count: int) -> None:
    """Let every backend compute on *count* threads at most, those to come too."""
    asked["threads"] = count
    for backend in live:
        backend.use_threads(count)


def use_determinism(wanted: bool) -> None:
    """Let every backend compute the same numbers every time, or not; those to come too."""
    asked["deterministic"] = wanted
    for backend in live:
        backend.use_determinism(wanted)


def register(backend: Backend) -> Backend:
    """Give *backend* its column and make it findable by name."""
    backend.use_threads(asked["threads"])
    backend.use_determinism(asked["deterministic"])
    backend.index = len(live)
    live.append(backend)
    _by_name[backend.name] = backend
    for kind in backend.spec.device_types:
        if kind not in _device.KNOWN_TYPES:
            _device.KNOWN_TYPES.append(kind)
    return backend


def _find_nothing(name: str | None, device_type: str | None) -> Backend:
    msg = f"unknown backend {name or device_type!r}: no plugin layer is loaded."
    raise BackendNotFoundError(msg)


#: Finds and activates a backend by name or by device type; the plugin layer fills it.
find_backend: Callable[[str | None, str | None], Backend] = _find_nothing


def by_name(name: str) -> Backend:
    """Return the live backend *name*, activating it on first use."""
    return _by_name.get(name) or find_backend(name, None)


def for_device(device: Device) -> Backend:
    """Return the backend that makes new arrays on *device*.

    In order: the one the device names, ``using``, ``use``, the device type's own.
    """
    if device.backend is not None:
        return _serving(by_name(device.backend), device)
    chosen = _using.get()
    name = (chosen and chosen.get(device.type)) or _default_for.get(device.type)
    if name is None:
        name = find_backend(None, device.type).name
        _default_for[device.type] = name
    return by_name(name)


def plain(key: DispatchKey) -> DispatchKey:
    """Return the key of the arrays that lie under those of *key*, which a transform may wrap."""
    if not key.backend.level:
        return key
    backend = for_device(key.device)
    return backend.key(key.dtype, backend.canonical(key.device))


def _serving(backend: Backend, device: Device) -> Backend:
    if device.type in backend.spec.device_types:
        return backend
    types = ", ".join(backend.spec.device_types)
    msg = f"backend {backend.name!r} serves device types {types}, not {device.type!r}."
    raise BackendNotFoundError(msg)


def use(name: str | None = None, /, **choices: str) -> None:
    """Choose the backend that makes new arrays from now on, per device type.

    A bare name chooses the backend for its own device type; it never moves the default device.

    Raises:
        BackendNotFoundError: nobody provides it, or it does not serve that device type.
        BackendUnavailableError: it cannot run here.

    >>> use("numpy")
    >>> use(cpu="numpy")
    """
    _default_for.update(_checked(name, choices))


@contextlib.contextmanager
def using(name: str | None = None, /, **choices: str) -> Iterator[None]:
    """Choose the backend for new arrays inside a ``with`` block, on this thread or task only."""
    token = _using.set({**(_using.get() or {}), **_checked(name, choices)})
    try:
        yield
    finally:
        _using.reset(token)


def _checked(name: str | None, choices: dict[str, str]) -> dict[str, str]:
    if name is not None:
        choices = {by_name(name).spec.device_types[0]: name, **choices}
    for kind, choice in choices.items():
        _serving(by_name(choice), Device(kind))
    return choices
