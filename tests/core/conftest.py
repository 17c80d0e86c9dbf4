"""A backend over Python's lists: core, tested with no array library at all."""

from __future__ import annotations

import itertools
import math

import pytest

from chainrule import backend, dtypes
from chainrule.backend import Backend, BackendSpec, Device, KernelSet
from chainrule.op import all_ops
from chainrule.shapes import broadcast_shapes, wrap_dims


class ToyArray:
    """Numbers in a list, and a shape. Views share the list."""

    def __init__(self, data, shape, dtype):
        self.data, self.shape, self.dtype = data, shape, dtype


def spread(x, shape):
    """Return the elements of *x* broadcast to *shape*, in order."""
    if not isinstance(x, ToyArray):
        return [x] * math.prod(shape)
    if x.shape == shape:
        return x.data
    sizes = (1,) * (len(shape) - len(x.shape)) + x.shape
    steps = [math.prod(sizes[i + 1 :]) if n > 1 else 0 for i, n in enumerate(sizes)]
    places = itertools.product(*map(range, shape))
    return [x.data[sum(map(int.__mul__, place, steps))] for place in places]


def elementwise(function):
    """Return *function* of numbers as a kernel."""

    def kernel(*xs, **statics):
        arrays = [x for x in xs if isinstance(x, ToyArray)]
        shape = arrays[0].shape
        if any(x.shape != shape for x in arrays):
            shape = tuple(broadcast_shapes(*(x.shape for x in arrays)))
        rows = zip(*(spread(x, shape) for x in xs), strict=True)
        return ToyArray([function(*row, **statics) for row in rows], shape, arrays[0].dtype)

    return kernel


def reduce_sum(x, dim=None, keepdim=False, **_):
    dims = wrap_dims(dim, len(x.shape)) or range(len(x.shape))
    kept = tuple(1 if d in dims else n for d, n in enumerate(x.shape))
    found = ToyArray([0] * math.prod(kept), kept, x.dtype)
    places = spread(ToyArray([*range(len(found.data))], kept, x.dtype), x.shape)
    for place, number in zip(places, x.data, strict=True):
        found.data[place] += number
    shape = kept if keepdim else tuple(n for d, n in enumerate(x.shape) if d not in dims)
    return ToyArray(found.data, shape, x.dtype)


kernels = KernelSet("toy")
for name, function in {
    "add": lambda x, y, alpha=1: x + alpha * y,
    "sub": lambda x, y, alpha=1: x - alpha * y,
    "rsub": lambda x, y, alpha=1: y - alpha * x,
    "mul": lambda x, y: x * y,
    "neg": lambda x: -x,
    "exp": math.exp,
    "tanh": math.tanh,
    "clone": lambda x, **_: x,
    "eq": lambda x, y: x == y,
}.items():
    kernels.add(f"cr::{name}", elementwise(function))
kernels.add("cr::_sum_all", reduce_sum)
kernels.add("cr::_sum", reduce_sum)
kernels.add("cr::_view", lambda x, size: ToyArray(x.data, tuple(size), x.dtype))
kernels.add("cr::_expand", lambda x, size: ToyArray(spread(x, tuple(size)), tuple(size), x.dtype))


class ToyBackend(Backend):
    array_type, xp = ToyArray, None

    def supports(self, dtype):
        return True

    def dtype_of(self, array):
        return array.dtype

    def device_of(self, array):
        return Device("toy", 0)

    def full(self, shape, value, dtype, device):
        return ToyArray([value] * math.prod(shape), tuple(shape), dtype)

    def from_list(self, data, shape, dtype, device):
        for _ in shape[1:]:
            data = [number for row in data for number in row]
        return ToyArray([*data] if shape else [data], tuple(shape), dtype)

    def tolist(self, array):
        return array.data[0] if not array.shape else array.data

    def astype(self, array, dtype):
        return ToyArray([*array.data], array.shape, dtype)

    def copy_to(self, array, device):
        return self.astype(array, array.dtype)

    def copy(self, array):
        return self.astype(array, array.dtype)

    def assign(self, target, source):
        target.data[:] = spread(source, target.shape)

    def strides(self, array):
        return tuple(math.prod(array.shape[i + 1 :]) for i in range(len(array.shape)))


def activate():
    """Make the toy backend live, as the plugin layer would."""
    spec = BackendSpec(name="toy", device_types=("toy",), storage="toy", probe="", factory="")
    toy = ToyBackend(spec)
    toy.add_kernels(kernels)
    for op in all_ops.values():
        op.reset(len(backend.live))
    backend.register(toy)
    backend.use(toy="toy")


@pytest.fixture(scope="session")
def toy():
    """Return what makes a tensor on the toy backend."""
    from chainrule import tensor

    activate()

    def make(data, *, dtype=dtypes.float64, requires_grad=False):
        return tensor(data, dtype=dtype, device="toy", requires_grad=requires_grad)

    return make


@pytest.fixture
def calls_of(toy):
    """Return what gives a list that grows by the arguments of every call of an op's toy kernel."""
    live = backend.by_name("toy")
    watched = []

    def watch(op):
        kernel, calls = op.resolve(live), []
        watched.append(op)

        def counted(*arrays, **statics):
            calls.append(arrays)
            return kernel(*arrays, **statics)

        op.table[live.index] = counted
        return calls

    yield watch
    for op in watched:
        op.reset(live.index)
