"""Rules for transforms: stated by an op, derived from it, or sample by sample with a word."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings

import pytest

import chainrule as cr
from chainrule.errors import OpDefinitionError
from chainrule.op import composite, primitive
from chainrule.ops import exp
from chainrule.transforms import batching


def square_of(**options):
    @composite(**options)
    def square(self: Tensor) -> Tensor:  # noqa: F821 - the schema reads the text
        """Return ``self * self``."""
        return self * self

    square.vjp(self=lambda grad, self: grad * self * 2)
    return square


@pytest.fixture(autouse=True)
def forgotten():
    """Let every test hear the word that is said once."""
    batching._told.clear()


def test_stated_jvp_runs_in_place_of_the_derived_one():
    square = square_of()
    square.jvp(self=lambda tangent, self, result: tangent * self * 2 + 100 * result)
    _, change = cr.func.jvp(square, (cr.tensor(3.0),), (cr.tensor(1.0),))

    assert change.item() == 906.0


def test_jvp_rules_of_several_inputs_are_summed():
    @composite
    def product(self: Tensor, other: Tensor, factor: int = 2) -> Tensor:  # noqa: F821 - as above
        """Return the product."""
        return self * other * factor

    product.jvp(
        self=lambda tangent, other, factor: tangent * other * factor,
        other=lambda tangent, self, factor: tangent * self * factor,
    )
    product.vjp(self=None, other=None)
    x, y = cr.tensor(3.0), cr.tensor(5.0)
    _, change = cr.func.jvp(product, (x, y), (cr.tensor(1.0), cr.tensor(10.0)))

    assert change.item() == 70.0


@pytest.mark.parametrize("rule", [lambda tangent, nothing: tangent, lambda grad: grad])
def test_jvp_rule_that_names_what_is_not_there_is_refused(rule):
    with pytest.raises(OpDefinitionError, match="a jvp rule names"):
        square_of().jvp(self=rule)


def test_stated_batch_rule_runs_in_place_of_the_derived_one():
    square, calls = square_of(), []

    @square.batch
    def rule(call):
        calls.append((call.level.size, call.whole().shape))
        return call.run([call.whole()])

    found = cr.vmap(square)(cr.tensor([[1.0], [2.0]]))

    assert calls == [(2, (2, 1))]
    assert found.tolist() == [[1.0], [4.0]]


def test_op_without_a_rule_runs_sample_by_sample_and_says_so_once():
    @primitive
    def odd(self: Tensor) -> Tensor:  # noqa: F821 - as above
        """Return the exponential; a kernel is given below."""

    odd.vjp(self=lambda grad, result: grad * result)
    index = cr.ones(1)._key.index
    odd.table[index] = exp.resolve(cr.ones(1)._key.backend)
    x = cr.tensor([[0.0, 1.0], [2.0, 3.0]])
    with pytest.warns(UserWarning, match="There is a performance drop because") as told:
        first = cr.vmap(odd)(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = cr.vmap(odd)(x)

    assert len(told) == 1
    assert cr.equal(first, x.exp())
    assert cr.equal(second, first)


def test_op_without_a_rule_maps_no_samples_too():
    places = cr.zeros(0, 3, dtype=cr.int64)
    with pytest.warns(UserWarning, match="There is a performance drop because"):
        found = cr.vmap(lambda x: cr.bincount(x, minlength=4))(places)

    assert found.shape[0] == 0


def test_ordinary_tensors_never_load_the_transforms():
    code = (
        "import sys, chainrule as cr\n"
        "x = cr.ones(2, requires_grad=True); (x * x).sum().backward(); cr.nn.Linear(2, 2)(x)\n"
        "print([name for name in sys.modules if name.startswith('chainrule.transforms')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_threads_map_apart_from_one_another():
    found, together = {}, threading.Barrier(4)

    def work(number):
        together.wait()
        for _ in range(10):
            x = cr.full((number + 1, 3), float(number))
            made = cr.vmap(cr.func.grad(lambda row: (row * row).sum()))(x)
            found.setdefault(number, []).append((made.shape, made[0, 0].item()))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {n: [((n + 1, 3), 2.0 * n)] * 10 for n in range(4)}


def test_error_inside_a_mapped_function_leaves_no_level_behind():
    def fail(x):
        raise KeyError

    for transform in (cr.vmap(fail), cr.func.grad(fail)):
        with pytest.raises(KeyError):
            transform(cr.ones(2))
    with pytest.raises(KeyError):
        cr.func.jvp(fail, (cr.ones(2),), (cr.ones(2),))

    assert cr.rand(2).shape == (2,)
    assert cr.vmap(lambda x: x * 2)(cr.ones(2)).tolist() == [2.0, 2.0]


def test_several_outputs_come_back_in_their_own_tuple():
    values, indices = cr.vmap(lambda x: x.topk(2))(cr.tensor([[1.0, 3.0, 2.0], [6.0, 4.0, 5.0]]))
    result = cr.vmap(lambda x: x.max(0))(cr.tensor([[1.0, 3.0], [6.0, 4.0]]))

    assert values.tolist() == [[3.0, 2.0], [6.0, 5.0]]
    assert indices.tolist() == [[1, 2], [0, 2]]
    assert (result.values.tolist(), result.indices.tolist()) == ([3.0, 6.0], [1, 0])


def test_deep_graph_is_differentiated_without_recursion():
    def long(x):
        for _ in range(5000):
            x = x + 1
        return x * x

    assert cr.func.grad(long)(cr.tensor(0.0)).item() == 10000.0


def test_graph_of_a_gradient_is_freed_at_once():
    import gc
    import weakref

    gc.collect()
    gc.disable()
    try:
        kept = []

        def watched(x):
            y = x.exp()
            kept.append(weakref.ref(y))
            return y.sum()

        cr.func.grad(watched)(cr.ones(3))
        alive = [ref() is not None for ref in kept]
    finally:
        gc.enable()

    assert alive == [False]
