"""What PyTorch has and chainrule has not: modules that can be imported, and say so when used."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from .errors import AbsentError

if TYPE_CHECKING:
    from collections.abc import Callable


_SPARSE: Final = "There are no sparse tensors: use index_add, scatter_add or embedding."
_QUANTISED: Final = "There are no quantised tensors: compute in float16 or float32."
_GRAPHS: Final = "Programs run as they are: use Python's own control flow."
_THREADS: Final = "Use concurrent.futures; gradients may be computed on any thread."
_REMOVED: Final = "PyTorch removed it in version 1.13 too: use"
_TURNED: Final = "with the arguments the other way round."

#: What is a function of the top level and a method.
_QUANTISED_BOTH: Final = (
    "int_repr", "q_per_channel_axis", "q_per_channel_scales", "q_per_channel_zero_points",
    "q_scale", "q_zero_point",
)  # fmt: skip

#: Functions of the top level that PyTorch has and chainrule has not: what to do instead.
FUNCTIONS: Final = {
    **dict.fromkeys(
        (
            "ccol_indices_copy",
            "col_indices_copy",
            "crow_indices_copy",
            "dsmm",
            "hsmm",
            "hspmm",
            "indices_copy",
            "resize_as_sparse_",
            "row_indices_copy",
            "saddmm",
            "smm",
            "sparse_bsc_tensor",
            "sparse_bsr_tensor",
            "sparse_compressed_tensor",
            "sparse_coo_tensor",
            "sparse_csc_tensor",
            "sparse_csr_tensor",
            "spmm",
            "sspaddmm",
            "values_copy",
        ),
        _SPARSE,
    ),
    **dict.fromkeys(
        (
            "choose_qparams_optimized",
            "dequantize",
            "empty_quantized",
            "fake_quantize_per_channel_affine",
            "fake_quantize_per_tensor_affine",
            *_QUANTISED_BOTH,
            "quantize_per_channel",
            "quantize_per_tensor",
            "quantize_per_tensor_dynamic",
            "quantized_batch_norm",
            "quantized_gru_cell",
            "quantized_lstm_cell",
            "quantized_max_pool1d",
            "quantized_max_pool2d",
        ),
        _QUANTISED,
    ),
    **dict.fromkeys(("cond", "while_loop"), _GRAPHS),
    **dict.fromkeys(("fork", "wait"), _THREADS),
    "eig": f"{_REMOVED} linalg.eig.",
    "from_file": "Use from_numpy(numpy.memmap(...)).",
    "lstsq": f"{_REMOVED} linalg.lstsq, {_TURNED}",
    "matrix_rank": f"{_REMOVED} linalg.matrix_rank.",
    "solve": f"{_REMOVED} linalg.solve, {_TURNED}",
    "symeig": f"{_REMOVED} linalg.eigh.",
}

#: Methods likewise.
METHODS: Final = {
    **dict.fromkeys(
        (
            "ccol_indices",
            "coalesce",
            "col_indices",
            "crow_indices",
            "indices",
            "is_coalesced",
            "resize_as_sparse_",
            "row_indices",
            "smm",
            "sparse_mask",
            "sparse_resize_",
            "sparse_resize_and_clear_",
            "sspaddmm",
            "to_sparse",
            "to_sparse_bsc",
            "to_sparse_bsr",
            "to_sparse_coo",
            "to_sparse_csc",
            "to_sparse_csr",
            "values",
        ),
        _SPARSE,
    ),
    **dict.fromkeys((*_QUANTISED_BOTH, "qscheme"), _QUANTISED),
    "chalf": "Use cfloat(): no backend has complex numbers of half precision.",
    "eig": "PyTorch removed it too: use linalg.eig.",
    "lstsq": "PyTorch removed it too: use linalg.lstsq.",
    "reinforce": "PyTorch removed it too: use distributions and log_prob.",
    "solve": "PyTorch removed it too: use linalg.solve.",
    "symeig": "PyTorch removed it too: use linalg.eigh.",
    "to_mkldnn": "Every tensor is strided: leave the call out.",
    "to_padded_tensor": "There are no nested tensors: use nn.utils.rnn.pad_sequence.",
}

#: Dtypes that no backend has, and the nearest one.
DTYPES: Final = {
    **dict.fromkeys(
        (
            "float4_e2m1fn_x2", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
            "float8_e5m2fnuz", "float8_e8m0fnu",
        ),
        "float16",
    ),
    **dict.fromkeys(("chalf", "complex32"), "complex64"),
    **dict.fromkeys(("qint8", "int1", "int2", "int3", "int4", "int5", "int6", "int7"), "int8"),
    **dict.fromkeys(
        (
            "bit", "bits1x8", "bits2x4", "bits4x2", "bits8", "quint2x4", "quint4x2", "quint8",
            "uint1", "uint2", "uint3", "uint4", "uint5", "uint6", "uint7",
        ),
        "uint8",
    ),
    "bits16": "uint16",
    "qint32": "int32",
}  # fmt: skip


#: How names begin that Python and test runners look for in any module.
_LOOKED_FOR: Final = ("__", "pytest", "setup", "teardown", "setUp", "tearDown")


def absent(module: str, instead: str) -> Callable[[str], Any]:
    """Return ``__getattr__`` of a module whose functions refuse to be called.

    Args:
        module: The name of the module: ``"onnx"``.
        instead: What to do instead: a sentence.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - becomes the module's own
        if name.startswith(_LOOKED_FOR):
            raise AttributeError(f"module 'chainrule.{module}' has no attribute {name!r}")
        found = refusing_class if name[0].isupper() else refusing
        return found(f"{module}.{name}", instead)

    __getattr__.instead = instead  # type: ignore[attr-defined]  # what `below` passes on
    return __getattr__


def is_absent(module: ModuleType) -> bool:
    """Return whether the functions of *module* refuse to be called."""
    return hasattr(module.__dict__.get("__getattr__"), "instead")


def below(parent: ModuleType, name: str) -> ModuleType | None:
    """Return a module *name* in *parent* whose functions refuse likewise.

    What PyTorch has below a module that is absent is absent too, and libraries import it by its
    full name. None if *parent* is not absent.
    """
    if not is_absent(parent):
        return None
    instead = parent.__dict__["__getattr__"].instead
    made = ModuleType(f"{parent.__name__}.{name}", parent.__doc__)
    made.__path__ = []
    path = made.__name__.partition(".")[2]
    made.__getattr__ = absent(path, instead)  # type: ignore[method-assign]  # a module's own
    return made


def refusing_class(path: str, instead: str) -> type:
    """Return a class for ``isinstance``, annotations and inheritance, of which nothing is made."""

    def refuse(cls: type, *args: object, **kwargs: object) -> NoReturn:
        raise AbsentError(f"{path}: chainrule does not have it. {instead}")

    name = path.rpartition(".")[2]
    doc = f"Refuse to be made: chainrule does not have it. {instead}"
    return type(name, (), {"__new__": refuse, "__doc__": doc, "__module__": "chainrule"})


def refusing(path: str, instead: str) -> Callable[..., NoReturn]:
    """Return a function that refuses to be called."""

    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise AbsentError(f"{path}: chainrule does not have it. {instead}")

    refuse.__name__ = refuse.__qualname__ = path.rpartition(".")[2]
    refuse.__doc__ = f"Refuse: chainrule does not have it. {instead}"
    refuse.is_absent = True  # type: ignore[attr-defined]  # a mark for tools
    return refuse
