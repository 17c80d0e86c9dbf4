"""Arguments that fit and those that do not: the same result, or PyTorch's exception and words."""

from __future__ import annotations

import warnings

import pytest
import torch

import chainrule as cr

pytestmark = pytest.mark.parity


def outcome(call, lib):
    """Return what *call* gives, printed, or the exception that a user may catch, and its words."""
    try:
        return repr(call(lib))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        kind = next(k for k in type(error).__mro__ if k.__module__ == "builtins")
        return kind, str(error).partition("\n")[0]


def running(name, dtype, out, given=None):
    """Return a running sum or product of a dtype, into another."""

    def call(lib):
        x = lib.tensor([100, 3, 2]).to(getattr(lib, dtype))
        chosen = {} if given is None else {"dtype": getattr(lib, given)}
        return getattr(lib, name)(x, 0, **chosen, out=lib.empty(3, dtype=getattr(lib, out)))

    return call


def picked(dtype, *dim):
    def call(lib):
        indices = lib.tensor([[0], [1]]).to(getattr(lib, dtype))
        return lib.take_along_dim(lib.arange(6.0).view(2, 3), indices, *dim)

    return call


def pooled(name, shape, size):
    return lambda lib: getattr(lib.nn.functional, name)(lib.ones(shape), size).shape


def shrunk(shape):
    return lambda lib: lib.nn.functional.fractional_max_pool2d(lib.ones(shape), 2, 3).shape


COMPLEX = [1 + 2j, -3 - 1j, 0.5j, 1000 + 2j, 999 - 1j]
CALLS = {
    **{
        f"{name} {dtype} {given} {out}": running(name, dtype, out, given)
        for name in ("cumsum", "cumprod")
        for dtype in ("bool", "uint8", "int32", "float32")
        for given in (None, "int32", "float64")
        for out in ("int8", "int32", "int64", "float64", "bool")
    },
    **{
        f"take_along_dim {dtype} {dim}": picked(dtype, *dim)
        for dtype in ("int64", "int32", "uint8", "float32")
        for dim in ((), (1,))
    },
    "nonzero out": lambda lib: lib.nonzero(
        lib.tensor([0, 2]), out=lib.empty(1, 1, dtype=lib.int64)
    ),
    "nonzero other out": lambda lib: lib.nonzero(lib.tensor([0, 2]), out=lib.empty(0)),
    **{
        f"{kind} {count} {shape}": pooled(f"adaptive_{kind}_pool{len(shape) - 2}d", shape, count)
        for kind in ("max", "avg")
        for shape, counts in (
            ((2, 3, 5), (2, 0, (2,), None, "a", 2.0, (None,), (2, 2))),
            ((2, 3, 5, 4), (2, 0, (None, 2), (2, 2, 2), ("a", 2))),
            ((2, 3, 5, 4, 3), (2, 0, (None, 2, 1), (2, 2, 2, 2))),
        )
        for count in counts
    },
    "too few dimensions": pooled("adaptive_max_pool2d", (2, 3), (2, 2)),
    **{f"fractional {shape}": shrunk(shape) for shape in ((0, 3, 6, 6), (2, 0, 6, 6))},
    "logcumsumexp": lambda lib: lib.tensor(COMPLEX).logcumsumexp(0),
    "logcumsumexp of nothing": lambda lib: lib.tensor([-1e400 + 0j, 1 + 1j]).logcumsumexp(0),
    "logcumsumexp of infinities": lambda lib: lib.tensor([1j, 1e400, 1e400 + 1j]).logcumsumexp(0),
    "logcumsumexp of integers": lambda lib: lib.logcumsumexp(lib.tensor([1]), 0),
    "convolution of another dtype": lambda lib: lib.nn.Conv2d(1, 2, 3)(
        lib.ones(1, 1, 4, 4, dtype=lib.float64)
    ),
    "convolution without bias": lambda lib: lib.nn.Conv2d(1, 2, 3, bias=False)(
        lib.ones(1, 1, 4, 4, dtype=lib.float64)
    ),
    "place of a name": lambda lib: lib.ones(2)["a"],
    "places of a name": lambda lib: lib.ones(2, 2)[0, "a"],
    **{
        f"Tensor({data!r})": lambda lib, data=data: lib.Tensor(data)
        for data in (2.5, "a", None, {}, [1.5], [True])
    },
    "size of a tensor": lambda lib: lib.Size([lib.tensor(3), True]),
    "size of floats": lambda lib: lib.Size([2, 2.0]),
    "size and a float": lambda lib: lib.Size([2]) + (2.5,),  # noqa: RUF005 - the sum is meant
    "size and a list": lambda lib: lib.Size([2]) + [3],  # noqa: RUF005 - likewise
    "tuple and size": lambda lib: (3,) + lib.Size([2]),  # noqa: RUF005 - likewise
    "size twice": lambda lib: lib.Size([2, 3]) * 2,
}


@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")
@pytest.mark.parametrize("name", CALLS)
def test_a_call_gives_or_raises_what_pytorchs_does(name):
    assert outcome(CALLS[name], cr) == outcome(CALLS[name], torch)


@pytest.mark.parametrize(
    ("shape", "given", "weighted"),
    [((2, 3), 1, False), ((2, 3), 3, False), ((2, 3), 3, True), ((2, 1), 1, False)],
)
def test_a_covariance_without_freedom_is_warned_of_as_in_pytorch(shape, given, weighted):
    heard = []
    for lib in (cr, torch):
        weights = {"aweights": lib.ones(shape[1])} if weighted else {}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's word on 1 / 0
            x = lib.arange(float(shape[0] * shape[1])).reshape(shape)
            lib.cov(x, correction=given, **weights)
        heard.append([str(w.message).partition(" (Triggered")[0] for w in caught])

    assert heard[0] == heard[1]
