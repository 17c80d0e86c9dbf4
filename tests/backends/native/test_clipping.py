"""Norms of lists of arrays, and scaling them, in C: against NumPy in double precision."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr

SHAPES = [(3, 4), (5,), (), (1, 7), (0, 2), (300, 401), (31,), (1025,)]
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
each_order = pytest.mark.parametrize("order", [1, 2, float("inf")], ids=str)


def arrays(dtype, shapes=SHAPES):
    rng = np.random.default_rng(0)
    return [np.asarray(rng.normal(0, 3, shape), dtype) for shape in shapes]


def exact(items, order):
    return [np.linalg.norm(a.astype("f8").reshape(-1), order) for a in items]


@each_dtype
@each_order
def test_norms_are_those_of_double_precision(native, order, dtype):
    items = [a for a in arrays(dtype) if a.size or order != np.inf]
    found = native("cr::_norms_of_")(items, ord=order)

    assert (found.dtype, found.shape) == (dtype, (len(items),))
    np.testing.assert_allclose(
        found, exact(items, order), rtol=1e-6 if dtype == "float32" else 1e-14
    )


@each_dtype
@each_order
@pytest.mark.parametrize("place", [0, 33, 999, 70000])
@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_one_odd_element_makes_one_odd_norm(native, order, place, odd, dtype):
    items = arrays(dtype, [(4,), (300, 301), (4,)])
    items[1].reshape(-1)[place] = odd
    found = native("cr::_norms_of_")(items, ord=order)

    np.testing.assert_array_equal(found[1], np.abs(odd))
    assert np.isfinite(found[[0, 2]]).all()


@each_dtype
@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0, np.inf, np.nan])
def test_every_array_is_multiplied(native, factor, dtype):
    items = arrays(dtype)
    items[0][0, :2] = np.inf, np.nan
    with np.errstate(invalid="ignore"):
        expected = [a * np.asarray(factor, dtype) for a in items]
    assert native("cr::_scale_")(items, [np.asarray(factor, dtype)]) is None

    for found, wanted in zip(items, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda items: items.clear(), lambda items: items.append(np.zeros(3)),
        lambda items: items.append(np.zeros((3, 4), "f4").T), lambda items: items.append(None),
        lambda items: items.__setitem__(0, np.zeros(3, "i4")),
    ],
    ids=["empty", "dtype", "transposed", "nothing", "integers"],
)  # fmt: skip
def test_lists_that_do_not_fit_are_passed_on(native, declined, spoil):
    items = arrays("float32")
    spoil(items)
    with pytest.raises(declined):
        native("cr::_norms_of_")(items, ord=2)
    with pytest.raises(declined):
        native("cr::_scale_")(items, [np.asarray(2, "f4")])


def test_what_else_is_not_taken_is_passed_on_untouched(native, declined):
    items, fixed = arrays("float32"), np.ones(3, "f4")
    fixed.setflags(write=False)
    for call in (
        lambda: native("cr::_norms_of_")(items, ord=3),
        lambda: native("cr::_norms_of_")(items, ord=np.inf),  # one is empty
        lambda: native("cr::_norms_of_")(items),
        lambda: native("cr::_scale_")(items, [np.asarray(2, "f8")]),
        lambda: native("cr::_scale_")(items, [np.ones(2, "f4")]),
        lambda: native("cr::_scale_")([*items, fixed], [np.asarray(2, "f4")]),
    ):
        with pytest.raises(declined):
            call()
    for found, wanted in zip(items, arrays("float32"), strict=True):
        np.testing.assert_array_equal(found, wanted)


@each_order
def test_the_number_of_threads_changes_no_bit(whatever_the_threads, order):
    whatever_the_threads("cr::_norms_of_", (arrays("float32", [(700, 500), (3,)]),), {"ord": order})


@each_order
@pytest.mark.parametrize("limit", [1.0, 1e9])
def test_gradients_are_clipped_as_on_numpy(order, limit):
    clipped = {}
    for backend in ("numpy", "native"):
        with cr.using(backend):
            parameters = [cr.nn.Parameter(cr.zeros(shape)) for shape in SHAPES if 0 not in shape]
            for parameter, grad in zip(
                parameters, (a for a in arrays("float32") if a.size), strict=True
            ):
                parameter.grad = cr.tensor(grad)
            total = cr.nn.utils.clip_grad_norm_(parameters, limit, order)
            clipped[backend] = [total, *(p.grad for p in parameters)]
            assert all(p.grad._version == 1 for p in parameters)
    for a, b in zip(*clipped.values(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)
