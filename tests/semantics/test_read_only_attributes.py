"""Attributes of tensors that are read and never set."""

import pytest

READ_ONLY = [
    "shape", "dtype", "device", "layout", "ndim", "itemsize", "nbytes", "T", "H", "mT", "mH",
    "grad_fn", "is_leaf", "output_nr", "retains_grad", "_version", "name",
    "is_cpu", "is_cuda", "is_sparse", "is_quantized", "is_meta", "is_nested", "is_mkldnn",
]  # fmt: skip


@pytest.mark.parametrize("name", READ_ONLY)
def test_what_follows_from_the_tensor_cannot_be_set(lib, raises, name):
    x = lib.ones(2, 2, requires_grad=True) * 2
    with raises(
        AttributeError, f"attribute '{name}' of 'torch._C.TensorBase' objects is not writable"
    ):
        setattr(x, name, None)


@pytest.mark.parametrize("name", ["shape", "is_leaf", "grad_fn"])
def test_nor_deleted(lib, raises, name):
    x = lib.ones(2)
    # PyTorch's interpreter fails where some of them are deleted; these it refuses
    with raises(AttributeError, f"attribute '{name}' of 'torch._C.TensorBase'"):
        delattr(x, name)


def test_the_dtype_of_a_gradient_is_set_on_leaves_alone(lib, raises):
    x = lib.ones(2, requires_grad=True) * 2
    with raises(RuntimeError, "grad_dtype must be a torch.dtype or None, but got int"):
        x.grad_dtype = 1
    with raises(RuntimeError, "grad_dtype can only be set on leaf tensors."):
        x.grad_dtype = lib.float64


def test_volatile_is_set_in_vain(lib, warns):
    x = lib.ones(2)
    sentence = "volatile was removed and now has no effect. Use `with torch.no_grad():` instead."
    with warns(UserWarning, sentence):
        x.volatile = True
