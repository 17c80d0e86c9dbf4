"""Python's own classes of numbers name a dtype wherever one is asked for."""

from __future__ import annotations

import pytest

NAMED = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}
MAKERS = {
    "zeros": lambda lib, dtype: lib.zeros(2, dtype=dtype),
    "tensor": lambda lib, dtype: lib.tensor([1, 0], dtype=dtype),
    "as_tensor": lambda lib, dtype: lib.as_tensor(lib.ones(2), dtype=dtype),
    "full": lambda lib, dtype: lib.full((2,), 1, dtype=dtype),
    "frombuffer": lambda lib, dtype: lib.frombuffer(bytearray(16), dtype=dtype),
    "zeros_like": lambda lib, dtype: lib.zeros_like(lib.ones(2), dtype=dtype),
    "new_ones": lambda lib, dtype: lib.ones(2).new_ones(2, dtype=dtype),
    "to": lambda lib, dtype: lib.ones(2).to(dtype),
    "to, by name": lambda lib, dtype: lib.ones(2).to("cpu", dtype=dtype),
    "view": lambda lib, dtype: lib.zeros(16, dtype=lib.uint8).view(dtype),
    "sum": lambda lib, dtype: lib.ones(2).sum(dtype=dtype),
    "sum over a dimension": lambda lib, dtype: lib.ones(2).sum(0, dtype=dtype),
    "prod": lambda lib, dtype: lib.ones(2).prod(dtype=dtype),
}
FRACTIONS = {
    "cumsum": lambda lib, dtype: lib.zeros(2).cumsum(0, dtype=dtype),
    "randn": lambda lib, dtype: lib.randn(2, dtype=dtype),
    "mean": lambda lib, dtype: lib.ones(2).mean(dtype=dtype),
    "vector_norm": lambda lib, dtype: lib.linalg.vector_norm(lib.ones(2), dtype=dtype),
    "softmax": lambda lib, dtype: lib.softmax(lib.ones(2), 0, dtype),
    "log_softmax": lambda lib, dtype: lib.ones(2).log_softmax(0, dtype=dtype),
    "nn.functional.softmax": lambda lib, dtype: lib.nn.functional.softmax(
        lib.ones(2), 0, dtype=dtype
    ),
    "arange": lambda lib, dtype: lib.arange(2, dtype=dtype),
    "linspace": lambda lib, dtype: lib.linspace(0, 1, 3, dtype=dtype),
    "hann_window": lambda lib, dtype: lib.hann_window(4, dtype=dtype),
    "a layer": lambda lib, dtype: lib.nn.Linear(2, 2, dtype=dtype).weight,
    "Module.to": lambda lib, dtype: lib.nn.Linear(2, 2).to(dtype).weight,
}


@pytest.mark.parametrize("number", NAMED)
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_class_of_numbers_names_a_dtype(lib, make, number):
    assert make(lib, number).dtype is getattr(lib, NAMED[number])


@pytest.mark.parametrize("make", FRACTIONS.values(), ids=FRACTIONS)
def test_float_names_double_precision(lib, make):
    assert make(lib, float).dtype is lib.float64


def test_class_of_numbers_is_one_of_two_dtypes_to_compare(lib):
    assert lib.promote_types(float, lib.float32) is lib.float64
    assert lib.promote_types(int, int) is lib.int64
    assert lib.can_cast(int, lib.int8)
    assert lib.finfo(float).bits == lib.iinfo(int).bits == 64


def test_gradient_of_a_sum_in_double_precision_has_the_dtype_of_the_input(lib):
    x = lib.ones(2, requires_grad=True)

    x.sum(dtype=float).backward()

    assert x.grad.dtype is lib.float32


@pytest.mark.parametrize("wrong", ["float32", str, 32])
def test_what_names_no_dtype_is_refused(lib, wrong):
    with pytest.raises(TypeError, match=r"argument 'dtype' must be torch.dtype, not"):
        lib.zeros(2, dtype=wrong)


def test_type_takes_no_class_of_numbers(lib):
    with pytest.raises(ValueError, match="invalid type: 'float'"):
        lib.ones(2).type(float)


INTO = {
    "zeros": lambda lib, **given: lib.zeros(3, **given),
    "ones": lambda lib, **given: lib.ones(3, **given),
    "empty": lambda lib, **given: lib.empty(3, **given),
    "full": lambda lib, **given: lib.full((3,), 1.5, **given),
    "arange": lambda lib, **given: lib.arange(0.5, 3.5, **given),
    "linspace": lambda lib, **given: lib.linspace(0, 4, 3, **given),
    "logspace": lambda lib, **given: lib.logspace(0, 1, 3, **given),
    "eye": lambda lib, **given: lib.eye(3, **given),
    "randint": lambda lib, **given: lib.randint(5, (3,), **given),
    "randperm": lambda lib, **given: lib.randperm(3, **given),
}


@pytest.mark.parametrize("dtype", ["int64", "float64"])
@pytest.mark.parametrize("make", INTO.values(), ids=INTO)
def test_new_tensor_has_the_dtype_of_the_one_it_is_written_to(lib, make, dtype):
    out = lib.empty(0, dtype=getattr(lib, dtype))

    assert make(lib, out=out) is out
    assert out.dtype is getattr(lib, dtype)
    assert out.numel() in {3, 9}


@pytest.mark.parametrize("make", INTO.values(), ids=INTO)
def test_dtype_beside_a_tensor_to_be_written_to_must_be_its_own(lib, raises, make):
    out = lib.empty(0, dtype=lib.int64)

    with raises(RuntimeError, "dtype Float does not match dtype of out parameter (Long)"):
        make(lib, out=out, dtype=lib.float32)
    assert make(lib, out=out, dtype=lib.int64) is out


def test_tensor_that_is_written_to_is_asked_to_require_grad(lib):
    out = lib.empty(3)

    assert lib.ones(3, out=out, requires_grad=True) is out
    assert out.requires_grad


def test_the_class_of_all_tensors_names_the_default_dtype(lib):
    assert lib.tensor([True, False]).type(lib.Tensor).dtype is lib.get_default_dtype()
