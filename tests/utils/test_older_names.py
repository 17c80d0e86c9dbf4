"""Names that programs and libraries written for PyTorch expect: there, or a word on what is."""

from __future__ import annotations

import importlib

import pytest

from chainrule.errors import AbsentError
from chainrule.torch_version import TorchVersion


def test_names_of_types(lib):
    assert lib.typename(lib.ones(1)) == "torch.FloatTensor"
    assert lib.typename(3) == "int"
    assert lib.typename(lib.nn.Linear).endswith("Linear")


def test_storage_is_the_memory_of_all_views(lib):
    x = lib.arange(4.0)
    with pytest.warns(UserWarning, match="TypedStorage is deprecated"):
        storage = x[1:3].storage()
    storage[0] = 7

    assert x.tolist() == [7.0, 1.0, 2.0, 3.0]
    assert (len(storage), storage.element_size(), storage.nbytes()) == (4, 4, 16)
    assert storage.data_ptr() == x.untyped_storage().data_ptr()
    assert lib.is_storage(storage)
    assert isinstance(storage, lib.FloatStorage)
    assert not isinstance(storage, lib.LongStorage)


def test_same_view_is_set_to(lib):
    x = lib.arange(4.0)

    assert x.is_set_to(x.view(4))
    assert not x.is_set_to(x.view(2, 2))
    assert not x.is_set_to(x.clone())


def test_default_tensor_type_is_a_dtype(lib):
    with pytest.warns(UserWarning, match="is deprecated as of PyTorch 2.1"):
        lib.set_default_tensor_type("torch.DoubleTensor")
    try:
        assert lib.ones(1).dtype is lib.float64
    finally:
        lib.set_default_dtype(lib.float32)
    with (
        pytest.warns(UserWarning, match="is deprecated"),
        pytest.raises(TypeError, match="invalid type object"),
    ):
        lib.set_default_tensor_type("torch.WrongTensor")


def test_norms_of_old(lib):
    x = lib.tensor([[3.0, 0.0], [0.0, 4.0]])

    assert lib.frobenius_norm(x).item() == 5
    assert lib.nuclear_norm(x).item() == pytest.approx(7)
    assert lib.norm_except_dim(x, 2, 0).tolist() == [[3.0], [4.0]]
    assert lib.norm_except_dim(x, 2, -1).item() == 5


def test_permuted_memory(lib):
    assert lib.empty_permuted((2, 3, 4), (0, 2, 1)).stride() == (12, 1, 3)


def test_native_dropout_says_what_it_kept(lib):
    lib.manual_seed(0)
    x = lib.ones(100)
    result, kept = lib.native_dropout(x, 0.25, True)

    assert kept.dtype is lib.bool
    assert lib.equal(result, kept / 0.75)
    assert lib.native_dropout(x, 0.25, False)[1].all()


@pytest.mark.parametrize(
    ("name", "hint"),
    [("sparse_coo_tensor", "index_add"), ("solve", "linalg.solve")],
)
def test_absent_function_names_the_nearest(lib, name, hint):
    with pytest.raises(AbsentError, match=hint):
        getattr(lib, name)()


def test_absent_method_names_the_nearest(lib):
    with pytest.raises(AbsentError, match="index_add"):
        lib.ones(1).to_sparse()


def test_absent_dtype_is_no_attribute_and_names_the_nearest(lib):
    assert not hasattr(lib, "float8_e4m3fn")
    with pytest.raises(AttributeError, match="float16 is the nearest"):
        _ = lib.float8_e4m3fn


def test_absent_class_is_one_to_inherit_from(lib):
    tracer = importlib.import_module("chainrule.fx").Tracer

    class Own(tracer):
        pass

    assert not isinstance(lib.ones(1), tracer)
    with pytest.raises(AbsentError, match=r"fx\.Tracer"):
        Own()


@pytest.mark.parametrize(
    "path",
    [
        "_dynamo", "_jit_internal", "_tensor", "_utils", "cpu", "functional", "library", "mps",
        "nn.attention.flex_attention", "distributed.tensor", "signal.windows", "types",
        "utils._foreach_utils", "utils.benchmark", "utils.dlpack", "utils.tensorboard",
        "utils.weak", "xpu",
    ],
)  # fmt: skip
def test_module_can_be_imported(path):
    importlib.import_module(f"chainrule.{path}")


def test_foreach_groups_keep_lists_side_by_side(lib):
    from chainrule.utils._foreach_utils import _group_tensors_by_device_and_dtype

    single, double = lib.ones(1), lib.ones(1).double()
    groups = _group_tensors_by_device_and_dtype([[single, double], ["a", "b"]], with_indices=True)

    assert [lists for lists, _ in groups.values()] == [[[single], ["a"]], [[double], ["b"]]]
    assert [places for _, places in groups.values()] == [[0], [1]]


def test_version_compares_by_number():
    version = TorchVersion("2.13.0+chainrule.0.1.0")

    assert version > "2.9"
    assert version >= (2, 13)
    assert version == "2.13"
    assert version < "3"
    assert version != "2.12.9"
    assert not version <= "2.12"
    assert version.split("+")[0] == "2.13.0"


@pytest.mark.parametrize("name", ["autocast", "GradScaler"])
def test_mixed_precision_of_cuda_says_its_new_name(lib, name):
    older = importlib.import_module(f"{lib.__name__}.cuda.amp")

    with pytest.warns(FutureWarning) as caught:
        made = getattr(older, name)(enabled=False)

    assert str(caught[0].message) == (
        f"`torch.cuda.amp.{name}(args...)` is deprecated. Please use `torch.amp.{name}('cuda', "
        "args...)` instead."
    )
    assert isinstance(made, getattr(lib.amp, name))
    assert lib.cuda.amp is older


@pytest.mark.filterwarnings("ignore:.torch.cuda.amp.custom_:FutureWarning")
def test_functions_under_mixed_precision_of_cuda_are_left_as_they_are(lib):
    older = importlib.import_module(f"{lib.__name__}.cuda.amp")

    class Doubled(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, grad):
            return 2 * grad

    Doubled.forward = staticmethod(older.custom_fwd(Doubled.forward))
    Doubled.backward = staticmethod(older.custom_bwd(Doubled.backward))
    x = lib.ones(1, requires_grad=True)
    Doubled.apply(x).backward()

    assert x.grad.item() == 2
