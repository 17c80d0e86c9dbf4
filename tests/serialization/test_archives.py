"""`save` and `load`: what comes back, what is refused, what a crash leaves."""

from __future__ import annotations

import io
import os
import pickle
import random
import sys
import types
import zipfile
from collections import Counter, OrderedDict
from fractions import Fraction

import pytest

import chainrule as cr
from chainrule import nn
from chainrule.errors import FileFormatError
from chainrule.serialization import add_safe_globals, get_safe_globals, safe_globals


def round_trip(obj, **options):
    buffer = io.BytesIO()
    cr.save(obj, buffer)
    return cr.load(io.BytesIO(buffer.getvalue()), **options)


def archive_of(structure, **records):
    """Return an archive with *structure*, a pickle, as its data.pkl."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", structure)
        archive.writestr("archive/version", "3\n")
        for name, content in records.items():
            archive.writestr(f"archive/data/{name}", content)
    return io.BytesIO(buffer.getvalue())


# What comes back


@pytest.mark.parametrize(
    "dtype",
    ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
     "complex64", "complex128"],
)  # fmt: skip
def test_tensor_comes_back_with_its_dtype_and_values(dtype):
    tensor = cr.tensor([[0, 1, 2], [3, 4, 5]], dtype=getattr(cr, dtype))
    found = round_trip(tensor)

    assert found.dtype == tensor.dtype
    assert found.tolist() == tensor.tolist()
    assert found.stride() == tensor.stride()


@pytest.mark.parametrize(
    "tensor",
    [cr.tensor(3.5), cr.zeros(0, 3), cr.ones(2, 3).t(), cr.arange(8)[::2],
     cr.ones(2, 1).expand(2, 4), cr.arange(4).flip(0), cr.empty(0)],
)  # fmt: skip
def test_layout_comes_back(tensor):
    found = round_trip(tensor)

    assert found.shape == tensor.shape
    assert found.tolist() == tensor.tolist()
    assert found.stride() == tensor.stride()


def test_tensors_that_share_memory_share_it_again():
    x = cr.arange(6.0)
    found = round_trip({"all": x, "part": x[2:4], "turned": x.view(2, 3).t()})
    found["all"][2] = -1.0

    assert found["part"].tolist() == [-1.0, 3.0]
    assert found["turned"].tolist() == [[0.0, 3.0], [1.0, 4.0], [-1.0, 5.0]]
    assert not found["part"]._is_view()


def test_one_tensor_stays_one_tensor():
    x = cr.ones(2)
    first, second = round_trip([x, x])

    assert first is second


def test_requires_grad_parameters_and_attributes_come_back():
    tagged = cr.ones(1)
    tagged.tag = "mine"
    found = round_trip([cr.ones(2, requires_grad=True), nn.Parameter(cr.zeros(2)), tagged])

    assert found[0].requires_grad
    assert isinstance(found[1], nn.Parameter)
    assert found[2].tag == "mine"


def test_plain_python_comes_back():
    obj = {
        "list": [1, 2.5, None, True, "text", b"bytes", 2**80, 1j],
        "tuple": (1, (2,)),
        "set": {1, 2},
        "ordered": OrderedDict(a=1),
        "counter": Counter("aab"),
        "size": cr.Size([2, 3]),
        "dtype": cr.float16,
        "device": cr.device("cpu"),
        "bytes": bytearray(b"x"),
    }
    found = round_trip(obj)

    assert found == obj
    assert isinstance(found["size"], cr.Size)


def test_state_dict_comes_back_with_its_metadata(tmp_path):
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    cr.save(model.state_dict(), tmp_path / "model.pt")
    found = cr.load(tmp_path / "model.pt")

    assert found._metadata == model.state_dict()._metadata
    assert str(
        nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).load_state_dict(found)
    ) == ("<All keys matched successfully>")


def test_optimizer_state_comes_back():
    model = nn.Linear(2, 1)
    optimizer = cr.optim.Adam(model.parameters())
    model(cr.ones(1, 2)).sum().backward()
    optimizer.step()
    found = round_trip(optimizer.state_dict())

    assert found["state"][0]["exp_avg"].tolist() == (
        optimizer.state_dict()["state"][0]["exp_avg"].tolist()
    )


def test_whole_model_comes_back_when_its_code_is_trusted():
    model = nn.Linear(2, 1)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        round_trip(model)

    found = round_trip(model, weights_only=False)
    assert found.weight.tolist() == model.weight.tolist()


def test_model_whose_shapes_are_not_known_yet_comes_back():
    found = round_trip(nn.LazyLinear(1), weights_only=False)
    assert found(cr.ones(2, 3)).shape == (2, 1)


def test_user_s_package_called_modules_stays_a_user_s(monkeypatch):
    package = types.ModuleType("modules.net")
    package.Net = type("Net", (nn.Linear,), {"__module__": "modules.net"})
    monkeypatch.setitem(sys.modules, "modules", types.ModuleType("modules"))
    monkeypatch.setitem(sys.modules, "modules.net", package)

    assert type(round_trip(package.Net(2, 1), weights_only=False)) is package.Net


def test_same_object_gives_the_same_file():
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        cr.save({"x": cr.ones(3)}, file)

    assert files[0].getvalue() == files[1].getvalue()


def test_memories_are_aligned():
    buffer = io.BytesIO()
    cr.save([cr.ones(3), cr.ones(5)], buffer)
    content = buffer.getvalue()
    for record in zipfile.ZipFile(io.BytesIO(content)).infolist():
        if "/data/" in record.filename:
            start = record.header_offset
            name, extra = (
                int.from_bytes(content[start + i : start + i + 2], "little") for i in (26, 28)
            )
            assert (start + 30 + name + extra) % 64 == 0


def test_memory_is_read_in_the_byte_order_of_the_file():
    buffer = io.BytesIO()
    cr.save(cr.tensor([1.0, 2.0]), buffer)
    turned = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(buffer.getvalue())) as old, zipfile.ZipFile(turned, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("byteorder"):
                content = b"big"
            elif "/data/" in name:
                content = b"".join(content[i : i + 4][::-1] for i in range(0, len(content), 4))
            new.writestr(name, content)

    assert cr.load(io.BytesIO(turned.getvalue())).tolist() == [1.0, 2.0]


# Where it goes


@pytest.mark.parametrize(
    "place",
    ["cpu", cr.device("cpu"), {"cpu": "cpu"}, lambda memory, location: memory, lambda *_: None],
)  # fmt: skip
def test_map_location_takes_devices_dicts_and_functions(place):
    assert round_trip(cr.ones(2), map_location=place).device == cr.device("cpu")


def test_tensor_of_a_device_that_is_not_here_says_what_to_do():
    with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device"):
        round_trip(cr.ones(2), map_location="cuda")
    with pytest.raises(RuntimeError, match="don't know how to restore data location"):
        round_trip(cr.ones(2), map_location="nowhere")


# What is refused


class Evil:
    def __reduce__(self):
        return os.system, ("false",)


def test_file_that_would_run_code_is_refused(monkeypatch):
    ran = []
    monkeypatch.setattr(os, "system", ran.append)
    buffer = archive_of(pickle.dumps(Evil(), 2).replace(b"builtins", b"posix"))
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        cr.load(buffer)

    assert not ran


HOSTILE = {
    "attribute of a class": b"\x80\x02ctorch\nTensor\n}X\x04\x00\x00\x00dataX\x01\x00\x00\x00xsb.",
    "state of a dtype": b"\x80\x02ctorch\nfloat32\n}X\x04\x00\x00\x00nameX\x01\x00\x00\x00xsb.",
    "call of a storage": b"\x80\x02ctorch\nFloatStorage\n)R.",
    "item of a tensor": b"\x80\x02ctorch\nTensor\nK\x00K\x00s.",
    "append to a class": b"\x80\x02ctorch\nSize\nK\x00a.",
    "getattr": b"\x80\x02c__builtin__\ngetattr\n.",
    "eval": b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.",
    "old style instance": b"\x80\x02(i__builtin__\nset\n.",
    "extension": b"\x80\x02\x82\x01.",
    "storage that is none": b"\x80\x02X\x01\x00\x00\x00xQ.",
    "nothing": b"",
    "no end": b"\x80\x02}",
}


@pytest.mark.parametrize("structure", HOSTILE.values(), ids=HOSTILE)
def test_pickle_that_does_more_than_weights_need_is_refused(structure):
    with pytest.raises(pickle.UnpicklingError):
        cr.load(archive_of(structure))

    assert cr.float32.name == "float32"


def test_pickle_with_any_byte_changed_loads_or_is_refused():
    buffer = io.BytesIO()
    cr.save({"weight": cr.ones(2, 3), "n": [1, 2]}, buffer)
    with zipfile.ZipFile(buffer) as archive:
        structure, memory = archive.read("archive/data.pkl"), archive.read("archive/data/0")
    draw = random.Random(0)  # noqa: S311 - damage to try, no secret
    for position in range(len(structure)):
        damaged = bytearray(structure)
        damaged[position] = draw.randrange(256)
        try:
            cr.load(archive_of(bytes(damaged), **{"0": memory}))
        except (FileFormatError, RuntimeError):
            continue


def test_archive_cut_short_anywhere_is_refused():
    buffer = io.BytesIO()
    cr.save({"x": cr.ones(4)}, buffer)
    content = buffer.getvalue()
    for end in range(len(content)):
        with pytest.raises((FileFormatError, EOFError)):
            cr.load(io.BytesIO(content[:end]))


def test_damaged_memory_is_noticed():
    buffer = io.BytesIO()
    cr.save(cr.ones(64), buffer)
    content = bytearray(buffer.getvalue())
    content[content.index(b"\x80\x3f\x00\x00\x80\x3f")] ^= 1
    with pytest.raises(RuntimeError, match="PytorchStreamReader failed reading file"):
        cr.load(io.BytesIO(bytes(content)))


def test_tensor_that_reaches_out_of_its_memory_is_refused():
    buffer = io.BytesIO()
    cr.save(cr.ones(4), buffer)
    with zipfile.ZipFile(buffer) as archive:
        structure = archive.read("archive/data.pkl")
    with pytest.raises(RuntimeError, match="reaches out of its storage"):
        cr.load(archive_of(structure, **{"0": b"\x00" * 8}))


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"<html>", "web page"), (pickle.dumps(1), "pickle"), (b"\x89HDF", "HDF5"),
     (b"version https://git-lfs.github.com/spec/v1", "Git LFS")],
)  # fmt: skip
def test_foreign_file_is_named(content, says):
    with pytest.raises(FileFormatError, match=says):
        cr.load(io.BytesIO(content))


def test_foreign_archive_is_named():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(RuntimeError, match="file in archive is not in a subdirectory"):
        cr.load(io.BytesIO(buffer.getvalue()))


def test_what_is_no_file_is_refused():
    with pytest.raises(AttributeError, match="expected 'f' to be string, path, or a file-like"):
        cr.save({}, 5)
    with pytest.raises(AttributeError, match=r"You can only torch\.load from a file"):
        cr.load(5)
    with pytest.raises(FileNotFoundError):
        cr.load("there is no such file.pt")


# What a user allows


def test_allowed_class_comes_back_and_is_allowed_no_longer_than_asked():
    with safe_globals([Fraction]):
        assert round_trip(Fraction(1, 3)) == Fraction(1, 3)
        assert get_safe_globals() == [Fraction]

    with pytest.raises(
        pickle.UnpicklingError, match=r"GLOBAL fractions\.Fraction was not an allowed"
    ):
        round_trip(Fraction(1, 3))


def test_classes_are_allowed_until_all_are_taken_back():
    from chainrule.serialization import clear_safe_globals

    add_safe_globals([(Fraction, "fractions.Fraction")])
    assert round_trip(Fraction(2, 3)) == Fraction(2, 3)

    clear_safe_globals()
    assert get_safe_globals() == []


# What a crash leaves


class Unpicklable:
    def __reduce__(self):
        msg = "not me"
        raise ValueError(msg)


def test_failed_save_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "model.pt"
    cr.save(cr.ones(2), path)
    with pytest.raises(ValueError, match="not me"):
        cr.save([cr.zeros(100), Unpicklable()], path)

    assert cr.load(path).tolist() == [1.0, 1.0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.pt"]


def test_link_stays_a_link(tmp_path):
    target, link = tmp_path / "real.pt", tmp_path / "link.pt"
    cr.save(cr.ones(1), target)
    link.symlink_to(target)
    cr.save(cr.zeros(1), link)

    assert link.is_symlink()
    assert cr.load(target).tolist() == [0.0]


def test_pipe_is_written_to(tmp_path):
    cr.save(cr.ones(1), os.devnull)

    assert not os.path.isfile(os.devnull)  # noqa: PTH113 - a device, which Path would call no file too
