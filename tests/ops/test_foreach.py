"""Functions of lists of tensors do to each what the op of one does."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.ops import foreach


def tensors():
    return [cr.tensor([0.25, 0.5]), cr.tensor([[0.75]])]


def same(found, expected):
    return all(cr.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", foreach.UNARY)
def test_each_is_changed_as_by_its_method(name):
    expected = [getattr(t, name)() for t in tensors()]
    written = tensors()

    assert same(getattr(cr, f"_foreach_{name}")(tensors()), expected)
    assert getattr(cr, f"_foreach_{name}_")(written) is written
    assert same(written, expected)


@pytest.mark.parametrize("name", foreach.BINARY)
def test_the_other_operand_is_a_number_one_per_tensor_or_a_list_of_tensors(name):
    function, method = getattr(cr, f"_foreach_{name}"), getattr(cr, name)
    for other in (2.0, [2.0, 3.0], tensors()):
        each = other if isinstance(other, list) else [other, other]
        expected = [method(t, o) for t, o in zip(tensors(), each, strict=True)]
        written = tensors()
        getattr(cr, f"_foreach_{name}_")(written, other)

        assert same(function(tensors(), other), expected)
        assert same(written, expected)


def test_three_operands():
    one, two, three = tensors(), tensors(), tensors()
    for name in ("addcmul", "addcdiv"):
        expected = [
            getattr(cr, name)(a, b, c, value=v)
            for a, b, c, v in zip(one, two, three, (2.0, 3.0), strict=True)
        ]
        written = tensors()
        getattr(cr, f"_foreach_{name}_")(written, two, three, [2.0, 3.0])

        assert same(getattr(cr, f"_foreach_{name}")(one, two, three, [2.0, 3.0]), expected)
        assert same(written, expected)
    assert same(cr._foreach_lerp(one, two, 0.5), [cr.lerp(a, b, 0.5) for a, b in zip(one, two)])  # noqa: B905 - of one length


def test_gradients_flow_through_every_tensor():
    leaves = [t.requires_grad_() for t in tensors()]
    sum(t.sum() for t in cr._foreach_mul(leaves, 3.0)).backward()

    assert [t.grad.unique().tolist() for t in leaves] == [[3.0], [3.0]]


def test_norm_copy_and_zero():
    written = tensors()
    cr._foreach_copy_(written, [cr.ones(2), cr.ones(1, 1)])

    assert same(written, [cr.ones(2), cr.ones(1, 1)])
    assert same(cr._foreach_norm(written), [cr.tensor(2.0).sqrt(), cr.tensor(1.0)])
    assert same(cr._foreach_zero_(written), [cr.zeros(2), cr.zeros(1, 1)])


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (([], 1), RuntimeError, "Tensor list must have at least one tensor."),
        ((tensors(), [1.0]), RuntimeError, "Tensor list must have same number of elements"),
        ((tensors(), tensors()[:1]), RuntimeError, "Tensor lists must have the same number"),
        ((cr.ones(2), 1), TypeError, r"_foreach_add\(\): argument 'self' \(position 1\) must be"),
    ],
)
def test_wrong_lists_raise_what_pytorch_raises(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        cr._foreach_add(*arguments)
