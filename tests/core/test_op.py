"""Promises about stating an op: what the statement says is what is checked, saved and shown."""

from __future__ import annotations

import copy
import pickle
import weakref
from typing import TYPE_CHECKING, NamedTuple

import pytest

import chainrule as cr
from chainrule import backend
from chainrule.errors import KernelNotFoundError, OpDefinitionError
from chainrule.op import NOT_IMPLEMENTED, composite, primitive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.tensor import Number, Tensor


def on_toy(op, kernel):
    """Return *op* after giving the toy backend a kernel for it."""
    toy = backend.by_name("toy")
    kernels = backend.KernelSet("toy")
    kernels.add(op.name, kernel)
    toy.add_kernels(kernels)
    op.reset(toy.index)
    return op


def array_like(x, numbers):
    return type(x)(list(numbers), x.shape, x.dtype)


@pytest.fixture
def product(toy):
    @primitive(namespace="toytest", promote="arithmetic")
    def product(self: Tensor, other: Tensor) -> Tensor:
        """Return ``self * other``."""

    product.vjp(self=lambda grad, other: grad * other, other=lambda grad, self: grad * self)
    return on_toy(product, backend.by_name("toy").find_kernel("cr::mul")[0].function)


@pytest.fixture
def both_halves(toy):
    @primitive(namespace="toytest")
    def both_halves(self: Tensor) -> tuple[Tensor, Tensor]:
        """Return the first and the second half."""

    def rule(grads, self_shape):
        zeros = cr.zeros(*self_shape, dtype=cr.float64, device="toy")
        return zeros + grads[0].sum() + grads[1].sum() * 10

    both_halves.vjp(self=rule)

    def kernel(x):
        half = len(x.data) // 2
        return tuple(type(x)(part, (half,), x.dtype) for part in (x.data[:half], x.data[half:]))

    return on_toy(both_halves, kernel)


# What a statement may say


def test_rule_for_what_is_no_tensor_input_is_refused():
    @primitive(namespace="toytest")
    def scaled(self: Tensor, factor: float) -> Tensor:
        """Return ``self * factor``."""

    with pytest.raises(OpDefinitionError, match=r"toytest::scaled: a rule for 'factor'"):
        scaled.vjp(factor=lambda grad: grad)


def test_rule_that_names_what_the_op_does_not_have_is_refused():
    @primitive(namespace="toytest")
    def odd(self: Tensor) -> Tensor:
        """Return *self*."""

    with pytest.raises(OpDefinitionError, match="a rule names 'weight', which is neither"):
        odd.vjp(self=lambda grad, weight: grad)


def test_return_annotation_that_is_no_tuple_of_tensors_is_refused():
    with pytest.raises(OpDefinitionError, match="return annotation 'Sequence'"):

        @primitive(namespace="toytest")
        def odd(self: Tensor) -> Sequence:
            """Return something."""


# What is saved


def test_rule_saves_what_it_names_and_nothing_else(toy, product):
    x, w = toy([1.0], requires_grad=True), toy([2.0], requires_grad=True)
    node = product(x, w).grad_fn

    assert node._saved_self is x
    assert node._saved_other is w


def test_gradient_that_is_not_wanted_saves_nothing(toy, product):
    x, w = toy([1.0]), toy([2.0], requires_grad=True)
    node = product(x, w).grad_fn

    assert node._saved_self is x
    assert node._saved_other is None


def test_input_that_only_a_frozen_one_needs_is_not_kept_alive(toy, product):
    activation, frozen = toy([1.0], requires_grad=True) * 1, toy([2.0])
    y = product(activation, frozen)
    reference = weakref.ref(activation)
    del activation

    assert reference() is None  # only the gradient of the frozen factor would need it
    assert y.grad_fn._saved_other is frozen


def test_shape_named_by_a_rule_is_saved_without_the_tensor(toy):
    @primitive(namespace="toytest")
    def first(self: Tensor) -> Tensor:
        """Return the first element."""

    def rule(grad, self_shape):
        return cr.zeros(*self_shape, dtype=cr.float64, device="toy") + grad

    first.vjp(self=rule)
    on_toy(first, lambda x: type(x)(x.data[:1], (), x.dtype))
    x = toy([1.0, 2.0], requires_grad=True)
    y = first(x)
    y.backward()

    assert [name for name in dir(y.grad_fn) if name.startswith("_saved_")] == []
    assert x.grad.tolist() == [1.0, 1.0]


def test_static_argument_stays_readable_after_the_graph_is_freed(toy):
    @primitive(namespace="toytest")
    def scaled(self: Tensor, factor: float = 2.0) -> Tensor:
        """Return ``self * factor``."""

    scaled.vjp(self=lambda grad, factor, self: grad * factor)
    on_toy(scaled, lambda x, factor=2.0: array_like(x, [factor * number for number in x.data]))
    x = toy([3.0], requires_grad=True)
    y = scaled(x, 5.0)
    y.backward()

    assert x.grad.tolist() == [5.0]
    assert y.grad_fn._saved_factor == 5.0
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        _ = y.grad_fn._saved_self


def test_name_that_is_not_saved_is_no_attribute(toy, product):
    node = product(toy([1.0], requires_grad=True), 2.0).grad_fn

    with pytest.raises(AttributeError, match="object has no attribute '_saved_foo'"):
        _ = node._saved_foo


# What the node is called


def test_node_is_named_after_the_op(toy, product):
    node = product(toy([1.0], requires_grad=True), 2.0).grad_fn

    assert (node.name(), type(node).__name__) == ("ProductBackward0", "ProductBackward0")


def test_node_name_may_depend_on_the_overload(toy):
    @primitive(
        namespace="toytest",
        promote="arithmetic",
        nodes={"other:Number": "ByNumberBackward0", "other:Tensor": "ByTensorBackward1"},
    )
    def by(self: Tensor, other: Tensor | Number) -> Tensor:
        """Return ``self * other``."""

    by.vjp(self=lambda grad, other: grad * other, other=lambda grad, self: grad * self)
    on_toy(by, backend.by_name("toy").find_kernel("cr::mul")[0].function)
    x = toy([1.0], requires_grad=True)

    assert by(x, 2.0).grad_fn.name() == "ByNumberBackward0"
    assert by(x, x).grad_fn.name() == "ByTensorBackward1"


# Rules


def test_rule_of_none_says_that_the_result_does_not_depend_on_the_input(toy):
    @primitive(namespace="toytest", promote="arithmetic")
    def sign_of(self: Tensor) -> Tensor:
        """Return the sign."""

    sign_of.vjp(self=None)
    on_toy(sign_of, lambda x: array_like(x, [(n > 0) - (n < 0) for n in x.data]))

    assert not sign_of(toy([1.0], requires_grad=True)).requires_grad


def test_missing_formula_raises_at_backward_and_says_why(toy):
    @primitive(namespace="toytest")
    def mystery(self: Tensor) -> Tensor:
        """Return *self*."""

    mystery.vjp(self=NOT_IMPLEMENTED("nobody knows it"))
    on_toy(mystery, lambda x: array_like(x, x.data))
    y = mystery(toy([1.0], requires_grad=True))

    assert y.grad_fn.name() == "torch::autograd::NotImplemented"
    with pytest.raises(
        NotImplementedError,
        match=r"the derivative for 'mystery' is not implemented\.\n.*nobody knows",
    ):
        y.sum().backward()


def test_joint_rule_gives_several_gradients_and_is_told_which_are_wanted(toy):
    asked = []

    @primitive(namespace="toytest", promote="arithmetic")
    def pair(self: Tensor, other: Tensor) -> Tensor:
        """Return ``self * other``."""

    @pair.vjp_joint("self", "other")
    def rule(grad, self, other, wanted):
        asked.append(wanted)
        return grad * other, grad * self

    on_toy(pair, backend.by_name("toy").find_kernel("cr::mul")[0].function)
    x, w = toy([2.0], requires_grad=True), toy([5.0])
    pair(x, w).sum().backward()

    assert x.grad.tolist() == [5.0]
    assert asked == [(True, False)]


def test_output_that_no_gradient_reaches_counts_as_zeros(toy, both_halves):
    x = toy([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    second = both_halves(x)[1]
    second.sum().backward()

    assert second.output_nr == 1
    assert x.grad.tolist() == [20.0] * 4


def test_outputs_of_one_op_share_one_node(toy, both_halves):
    first, second = both_halves(toy([1.0, 2.0], requires_grad=True))

    assert first.grad_fn is second.grad_fn
    assert (first.output_nr, second.output_nr) == (0, 1)


def test_list_of_tensors_has_an_edge_per_tensor(toy):
    @primitive(namespace="toytest")
    def total(tensors: Sequence[Tensor]) -> Tensor:
        """Return the sum of all."""

    total.vjp(tensors=lambda grad, tensors: [grad * (i + 1) for i, _ in enumerate(tensors)])
    on_toy(total, lambda arrays: array_like(arrays[0], [sum(a.data[0] for a in arrays)]))
    leaves = [toy([1.0], requires_grad=True), toy([1.0]), toy([1.0], requires_grad=True)]
    y = total(leaves)
    y.backward()

    assert [node is None for node, _ in y.grad_fn.next_functions] == [False, True, False]
    assert [None if t.grad is None else t.grad.tolist() for t in leaves] == [[1.0], None, [3.0]]


# Kernels and bodies


def test_body_is_the_fallback_and_the_op_still_one_node(toy):
    @composite(namespace="toytest")
    def squared(self: Tensor) -> Tensor:
        """Return the square."""
        return self * self

    squared.vjp(self=lambda grad, self: 2 * self * grad)
    y = squared(toy([3.0], requires_grad=True))

    assert y.tolist() == [9.0]
    assert y.grad_fn.name() == "SquaredBackward0"
    assert type(y.grad_fn.next_functions[0][0]).__name__ == "AccumulateGrad"


def test_composite_without_a_rule_is_traced(toy):
    @composite(namespace="toytest")
    def squared(self: Tensor) -> Tensor:
        """Return the square."""
        return self * self

    x = toy([3.0], requires_grad=True)
    y = squared(x)
    y.sum().backward()

    assert y.grad_fn.name() == "MulBackward0"
    assert x.grad.tolist() == [6.0]


def test_kernel_is_taken_before_the_body(toy):
    @composite(namespace="toytest")
    def answer(self: Tensor) -> Tensor:
        """Return *self*."""
        return self * 0

    answer.vjp(self=None)
    on_toy(answer, lambda x: array_like(x, [42.0 for _ in x.data]))

    assert answer(toy([1.0])).tolist() == [42.0]


def test_missing_kernel_says_which_backend_and_what_to_do(toy):
    @primitive(namespace="toytest")
    def unheard_of(self: Tensor) -> Tensor:
        """Return nothing."""

    with pytest.raises(
        KernelNotFoundError,
        match=r"::unheard_of: expected a kernel for backend 'toy' \(lineage toy\), found none",
    ):
        unheard_of(toy([1.0]))


# Calling


def test_arguments_go_by_position_or_by_pytorchs_names(toy, product):
    x, y = toy([2.0]), toy([3.0])

    assert product(x, y).tolist() == product(input=x, other=y).tolist() == [6.0]


def test_missing_argument_raises_pytorchs_sentence(toy, product):
    with pytest.raises(
        TypeError, match=r'product\(\) missing 1 required positional arguments: "other"'
    ):
        product(toy([1.0]))


def test_unknown_keyword_raises_pytorchs_sentence(toy, product):
    with pytest.raises(
        TypeError,
        match=r"product\(\) received an invalid combination of arguments - got \(Tensor, foo=int\)",
    ):
        product(toy([1.0]), foo=1)


def test_what_is_no_tensor_raises_pytorchs_sentence(toy, product):
    with pytest.raises(
        TypeError, match=r"product\(\): argument 'other' \(position 2\) must be Tensor, not str"
    ):
        product(toy([1.0]), "two")


def test_shapes_that_do_not_broadcast_raise_pytorchs_sentence(toy, product):
    with pytest.raises(
        RuntimeError,
        match=r"The size of tensor a \(2\) must match the size of tensor b \(3\) at non-singleton "
        r"dimension 0\nproduct: expected shapes that broadcast, got \(2,\), \(3,\)",
    ):
        product(toy([1.0, 2.0]), toy([1.0, 2.0, 3.0]))


def test_arrays_of_two_kinds_do_not_mix(toy):
    other = cr.ones(1)

    with pytest.raises(
        RuntimeError,
        match="Expected all tensors to be on the same device, but found at least two devices",
    ):
        cr.mul(toy([1.0]), other)


def test_op_survives_pickling_and_copying_as_itself(product):
    assert pickle.loads(pickle.dumps(cr.exp)) is cr.exp  # noqa: S301 - our own bytes
    assert copy.deepcopy(cr.exp) is cr.exp


class Extremes(NamedTuple):
    """A smallest and a largest value."""

    smallest: cr.Tensor
    largest: cr.Tensor


def test_named_outputs_come_as_the_named_tuple(toy):
    @primitive(namespace="toytest")
    def extremes(self: Tensor) -> Extremes:
        """Return the smallest and the largest."""

    extremes.vjp(self=lambda grads, largest: largest * 0 + grads[1])
    on_toy(
        extremes,
        lambda x: tuple(type(x)([pick(x.data)], (), x.dtype) for pick in (min, max)),
    )
    x = toy([1.0, 5.0], requires_grad=True)
    found = extremes(x)

    assert (found.smallest.item(), found.largest.item()) == (1.0, 5.0)
    assert found.largest.grad_fn._saved_largest is not found.largest
    assert found.largest.grad_fn._saved_largest.item() == 5.0
