"""Tensors where Python wants a number, a truth value, a sequence, a key or a text."""

from __future__ import annotations

import math

import pytest


def leaf(lib):
    return lib.tensor([1.0, 2.0], requires_grad=True)


def test_one_element_is_a_number(lib):
    x = lib.tensor([[2.75]])

    assert (float(x), int(x), complex(x)) == (2.75, 2, 2.75 + 0j)
    assert (math.floor(x), math.ceil(x)) == (2, 3)
    assert (x.item(), lib.tensor(2).tolist()) == (2.75, 2)


@pytest.mark.parametrize("convert", [float, int, complex])
def test_several_elements_are_no_number(lib, convert):
    for tensor in (lib.ones(2), lib.ones(0)):
        with pytest.raises(ValueError, match="only one element tensors can be converted to Python"):
            convert(tensor)


def test_item_takes_one_element(lib, raises):
    with raises(RuntimeError, "a Tensor with 2 elements cannot be converted to Scalar"):
        lib.ones(2).item()


def test_complex_number_is_no_float(lib, raises):
    assert float(lib.tensor(2 + 0j)) == 2.0
    with raises(RuntimeError, "value cannot be converted to type double without overflow"):
        float(lib.tensor(1 + 2j))


def test_integer_of_one_element_is_an_index(lib, raises):
    assert [1, 2, 3][lib.tensor(1)] == 2
    assert len(range(lib.tensor([3]))) == 3
    for wrong in (lib.tensor(1.0), lib.tensor([0, 0])):
        with raises(
            TypeError, "only integer tensors of a single element can be converted to an index"
        ):
            [1, 2][wrong]


def test_truth_is_that_of_one_element(lib, raises):
    assert lib.tensor([[0.5]])
    assert not lib.tensor(0)
    assert lib.tensor(float("nan"))
    with raises(RuntimeError, "Boolean value of Tensor with more than one value is ambiguous"):
        bool(lib.ones(2))
    with raises(RuntimeError, "Boolean value of Tensor with no values is ambiguous"):
        bool(lib.ones(0))


def test_tensor_is_a_sequence_of_its_rows(lib, raises):
    x = lib.tensor([[1, 2], [3, 4]])

    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert reversed(x).tolist() == [[3, 4], [1, 2]]
    with raises(TypeError, "len() of a 0-d tensor"):
        len(lib.tensor(1.0))
    with raises(TypeError, "iteration over a 0-d tensor"):
        iter(lib.tensor(1.0))


def test_rows_are_outputs_of_one_node(lib):
    first, second = leaf(lib)

    assert first.grad_fn is second.grad_fn
    assert (first.grad_fn.name(), second.output_nr) == ("UnbindBackward0", 1)


def test_membership_is_that_of_an_element(lib, raises):
    x = lib.tensor([1, 2, 3])

    assert 2 in x
    assert 5 not in x
    assert lib.tensor(3) in x
    with raises(RuntimeError, "Tensor.__contains__ only supports Tensor or scalar, but you passed"):
        _ = "a" in x


def test_tensor_is_a_key_by_identity(lib):
    x, y = leaf(lib), leaf(lib)

    assert {x: 1, y: 2}[y] == 2
    assert x in {x, y}
    assert x not in {y, leaf(lib)}
    assert [y, x].index(y) == 0


def test_comparison_with_what_is_no_number_is_pythons(lib):
    x = lib.ones(2)

    assert (x == 1).tolist() == [True, True]
    assert (x == None, x != None, x == "a") == (False, True, False)  # noqa: E711 - the operators
    with pytest.raises(TypeError):
        _ = x < "a"
    with pytest.raises(TypeError):
        _ = x + None


def test_text_of_a_number_takes_a_format(lib):
    x = lib.tensor(2.5)

    assert (f"{x:.3f}", f"{x}", f"{x:.1f}") == ("2.500", "2.5", "2.5")
    assert f"{lib.tensor([2.5])}" == str(lib.tensor([2.5]))
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor.__format__"):
        f"{lib.ones(2):.3f}"


def test_python_functions_of_numbers_work(lib):
    values = [lib.tensor(3.0), lib.tensor(1.0)]

    assert [value.item() for value in sorted(values)] == [1.0, 3.0]
    assert (sum(values).item(), max(values).item()) == (4.0, 3.0)
    assert (abs(lib.tensor(-1.0)).item(), (-lib.tensor(1.0)).item()) == (1.0, -1.0)
    assert (~lib.tensor([True])).tolist() == [False]


def test_any_attribute_may_be_put_on_a_tensor(lib):
    x = leaf(lib)
    x.note = 3

    assert (x.note, x.__dict__) == (3, {"note": 3})


# What a leaf's gradient may be


def test_dtype_of_the_gradient_may_be_set_on_a_leaf(lib, raises):
    x = leaf(lib)
    assert x.grad_dtype is lib.float32
    x.grad_dtype = lib.float64
    (x * 2).sum().backward()
    assert (x.grad_dtype, x.grad.dtype) == (lib.float64, lib.float64)

    x = leaf(lib)
    x.grad_dtype = None
    x.grad = lib.ones(2, dtype=lib.float64)
    with raises(RuntimeError, "grad_dtype can only be accessed on leaf tensors."):
        _ = (x * 2).grad_dtype
    with raises(RuntimeError, "grad_dtype must be a torch.dtype or None, but got int"):
        x.grad_dtype = 3


def test_old_flag_of_a_tensor_warns(lib, warns):
    with warns(UserWarning, "volatile was removed (Variable.volatile is always False)"):
        assert leaf(lib).volatile is False


def test_old_wrapper_takes_tensors(lib, raises):
    variable = lib.autograd.Variable
    assert variable(lib.ones(2), True).requires_grad
    with raises(TypeError, "Variable data has to be a tensor, but got int"):
        variable(3)
