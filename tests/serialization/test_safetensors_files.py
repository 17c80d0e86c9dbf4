"""A file is written whole or not at all, and a file that is none of ours is one clear error."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, DTypeError, FileFormatError
from chainrule.serialization import load_file, save_file


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tensors.safetensors"


DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
]


@pytest.mark.parametrize("name", DTYPES)
def test_values_shape_and_dtype_come_back(file, name):
    tensors = {
        "matrix": cr.tensor([[1, 0], [3, 1]], dtype=getattr(cr, name)),
        "number": cr.tensor(1, dtype=getattr(cr, name)),
        "empty": cr.zeros(0, 3, dtype=getattr(cr, name)),
    }
    save_file(tensors, file)
    loaded = load_file(file)

    assert {n: (t.tolist(), t.shape, t.dtype) for n, t in loaded.items()} == {
        n: (t.tolist(), t.shape, t.dtype) for n, t in tensors.items()
    }


def test_a_transposed_tensor_is_written_as_it_reads(file):
    save_file({"t": cr.tensor([[1.0, 2.0], [3.0, 4.0]]).t()}, file)

    assert load_file(file)["t"].tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_what_is_loaded_is_a_leaf_that_may_be_written_to(file):
    save_file({"w": cr.ones(2, requires_grad=True)}, file)
    w = load_file(file)["w"]
    w += 1.0

    assert (w.tolist(), w.requires_grad, w.is_leaf) == ([2.0, 2.0], False, True)


def test_tensors_of_a_device_are_written_and_read_on_any(file):
    save_file({"w": cr.ones(2, device="sim:1")}, file)

    assert (str(load_file(file)["w"].device), str(load_file(file, "sim:1")["w"].device)) == (
        "cpu",
        "sim:1",
    )


def test_other_programs_read_the_file_and_we_read_theirs(file):
    from safetensors.numpy import load_file as load_arrays
    from safetensors.numpy import save_file as save_arrays

    save_file({"w": cr.ones(2)}, file, metadata={"made by": "a test"})
    assert load_arrays(file)["w"].tolist() == [1.0, 1.0]
    save_arrays({"v": np.arange(3.0)}, file)
    assert load_file(file)["v"].tolist() == [0.0, 1.0, 2.0]


# Bad files

FOREIGN = {
    "empty": (b"", "is empty"),
    "a zip archive": (b"PK\x03\x04" + bytes(100), "is a zip archive, as torch.save writes"),
    "a pickle": (pickle.dumps({"w": 1}), "is a Python pickle"),
    "a NumPy file": (b"\x93NUMPY" + bytes(100), "is a NumPy file"),
    "text": (b"weights = 1, 2, 3\n" * 9, "is damaged, or another kind of file"),
    "a header that promises too much": (b"\xff" * 8 + b"{}", "is damaged"),
}


@pytest.mark.parametrize(("content", "kind"), FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_named_for_what_it_seems_to_be(file, content, kind):
    file.write_bytes(content)
    with pytest.raises(FileFormatError, match=f"expected a safetensors file, .* {kind}"):
        load_file(file)


@pytest.mark.parametrize("kept", [1, 7, 8, 20, -1])
def test_a_truncated_file_is_refused(file, kept):
    save_file({"w": cr.ones(64)}, file)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(FileFormatError, match="load_file: expected a safetensors file"):
        load_file(file)


def test_a_dtype_we_do_not_have_is_named(file):
    header = b'{"w":{"dtype":"U16","shape":[1],"data_offsets":[0,2]}}'
    file.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(
        FileFormatError, match=r"'w' in .* has dtype U16, which chainrule does not have"
    ):
        load_file(file)


def test_a_file_that_is_not_there_is_pythons_own_error(file):
    with pytest.raises(FileNotFoundError):
        load_file(file)


# Bad things to save


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ([1, 2], "expected a dict from names to tensors, got list"),
        ({"w": [1.0]}, "got list under 'w'"),
        ({1: None}, "got NoneType under 1"),
    ],
)
def test_what_is_no_dict_of_tensors_is_refused_and_nothing_is_written(file, tensors, message):
    with pytest.raises(ArgumentError, match=message):
        save_file(tensors, file)

    assert not file.exists()


def test_a_dtype_the_format_lacks_is_refused(file):
    with pytest.raises(DTypeError, match=r"the format has no torch.complex128, which 'z' is"):
        save_file({"z": cr.zeros(1, dtype=cr.complex128)}, file)


def test_a_failing_write_leaves_the_old_file_and_no_other(file, monkeypatch):
    save_file({"w": cr.ones(1)}, file)

    def no_space(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_space)
    with pytest.raises(OSError, match="No space left"):
        save_file({"w": cr.zeros(1)}, file)

    assert load_file(file)["w"].tolist() == [1.0]
    assert [path.name for path in file.parent.iterdir()] == [file.name]
