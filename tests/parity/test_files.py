"""Files both ways: what PyTorch writes chainrule reads, and the other way round."""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import OrderedDict

import pytest
import torch

import chainrule as cr

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
          "complex64", "complex128")  # fmt: skip


def carried(source, target, obj, **options):
    buffer = io.BytesIO()
    source.save(obj, buffer)
    return target.load(io.BytesIO(buffer.getvalue()), **options)


def both_ways(build):
    for source, target in ((torch, cr), (cr, torch)):
        yield build(source), carried(source, target, build(source))


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensor_of_every_dtype(dtype):
    for given, found in both_ways(
        lambda lib: lib.tensor([[0, 1], [1, 0]], dtype=getattr(lib, dtype))
    ):
        assert str(found.dtype) == str(given.dtype)
        assert found.tolist() == given.tolist()


@pytest.mark.parametrize(
    "build",
    [
        lambda lib: lib.tensor(2.5),
        lambda lib: lib.zeros(0, 3),
        lambda lib: lib.arange(6.0).reshape(2, 3).t(),
        lambda lib: lib.arange(10)[2:8:2],
        lambda lib: lib.ones(2, 1).expand(2, 3),
        lambda lib: lib.ones(2, requires_grad=True),
        lambda lib: lib.nn.Parameter(lib.ones(2), requires_grad=False),
    ],
)
def test_layout_and_flags(build):
    for given, found in both_ways(build):
        assert tuple(found.shape) == tuple(given.shape)
        assert found.stride() == given.stride()
        assert found.requires_grad == given.requires_grad
        assert type(found).__name__ == type(given).__name__
        assert found.tolist() == given.tolist()


def test_shared_memory_stays_shared():
    def build(lib):
        x = lib.arange(4.0)
        return {"all": x, "part": x[1:3]}

    for _, found in both_ways(build):
        found["all"].zero_()
        assert found["part"].tolist() == [0.0, 0.0]


def test_model_and_optimizer_states():
    def build(lib):
        lib.manual_seed(0)
        model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 2))
        optimizer = lib.optim.Adam(model.parameters(), lr=0.01)
        model(lib.ones(2, 3)).sum().backward()
        optimizer.step()
        return OrderedDict(model=model.state_dict(), optimizer=optimizer.state_dict(), epoch=3)

    for given, found in both_ways(build):
        assert list(found["model"]) == list(given["model"])
        assert found["model"]._metadata == given["model"]._metadata
        assert found["optimizer"]["param_groups"] == given["optimizer"]["param_groups"]
        for name, tensor in given["model"].items():
            assert found["model"][name].tolist() == tensor.tolist()


def test_archive_for_mapping_is_read_mapped(tmp_path):
    cr.save({"x": cr.arange(5.0)}, tmp_path / "x.pt")
    found = torch.load(tmp_path / "x.pt", mmap=True)

    assert found["x"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_layer_that_pytorch_pickled_becomes_ours():
    torch.manual_seed(0)
    given = torch.nn.Linear(2, 3)
    found = carried(torch, cr, given, weights_only=False)

    assert type(found) is cr.nn.Linear
    assert found.weight.tolist() == given.weight.tolist()
    assert found(cr.ones(1, 2)).shape == (1, 3)


def test_same_objects_are_refused_with_the_same_sentence():
    buffer = io.BytesIO()
    torch.save(torch.nn.Linear(1, 1), buffer)
    sentences = []
    for lib in (torch, cr):
        with pytest.raises(Exception, match="Weights only load failed") as caught:
            lib.load(io.BytesIO(buffer.getvalue()))
        sentences.append(
            "GLOBAL torch.nn.modules.linear.Linear was not an allowed global by default"
            in str(caught.value)
        )

    assert sentences == [True, True]


def of_the_old_kind(obj):
    """Return what PyTorch wrote before version 1.6."""
    buffer = io.BytesIO()
    torch.save(obj, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def old_checkpoint():
    shared = torch.arange(6.0)
    return {
        "model": OrderedDict(weight=shared.reshape(2, 3).t(), part=shared[2:4]),
        "half": torch.tensor([1.5, -2.0], dtype=torch.float16),
        "step": torch.tensor(7),
        "empty": torch.zeros(0, 2),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "rest": [1, 2.5, None, True, "text", (1, 2)],
    }


@pytest.mark.parametrize("weights_only", [True, False])
def test_a_file_of_the_old_kind_is_read(weights_only):
    found = cr.load(io.BytesIO(of_the_old_kind(old_checkpoint())), weights_only=weights_only)
    given = old_checkpoint()

    for name in ("weight", "part"):
        assert found["model"][name].tolist() == given["model"][name].tolist()
        assert found["model"][name].stride() == given["model"][name].stride()
    found["model"]["part"].zero_()
    assert found["model"]["weight"].tolist() == [[0.0, 0.0], [1.0, 4.0], [0.0, 5.0]]
    for name in ("half", "step", "empty", "parameter"):
        assert found[name].tolist() == given[name].tolist()
        assert str(found[name].dtype) == str(given[name].dtype)
    assert isinstance(found["parameter"], cr.nn.Parameter)
    assert found["rest"] == given["rest"]


def test_a_whole_model_of_the_old_kind_is_read_where_code_is_trusted():
    content = of_the_old_kind(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU()))
    found = cr.load(io.BytesIO(content), weights_only=False)

    assert isinstance(found, cr.nn.Sequential)
    with pytest.raises(pickle.UnpicklingError, match="Sequential was not an allowed global"):
        cr.load(io.BytesIO(content))


class Hostile:
    def __reduce__(self):
        return exec, ("raise SystemExit",)


def test_a_hostile_file_of_the_old_kind_runs_nothing():
    with pytest.raises(pickle.UnpicklingError, match="exec was not an allowed global"):
        cr.load(io.BytesIO(of_the_old_kind([torch.ones(1), Hostile()])))


@pytest.mark.parametrize("length", [16, 20, 40, 100, 300, -3, -20])
def test_a_file_of_the_old_kind_that_is_cut_short_says_so(length):
    with pytest.raises(RuntimeError, match=r"load: .*(cut short|damaged)"):
        cr.load(io.BytesIO(of_the_old_kind(old_checkpoint())[:length]))


def with_text_of_python_2(content):
    """Return *content* with its text as Python 2 pickled it, every ``"name"`` not in ASCII."""
    file, made = io.BytesIO(content), b""
    for _ in range(5):
        places = [(code.name, arg, place) for code, arg, place in pickletools.genops(file)]
        ends = [place for _, _, place in places[1:]] + [file.tell()]
        for (name, arg, start), end in zip(places, ends, strict=True):
            text = b"na\xefve" if arg == "name" else str(arg).encode()
            is_text = name == "BINUNICODE"
            made += b"U" + bytes([len(text)]) + text if is_text else content[start:end]
    return made + file.read()


@pytest.mark.parametrize("encoding", ["latin1", "bytes"])
def test_text_of_python_2_is_read_in_the_encoding_that_is_given(encoding):
    content = with_text_of_python_2(of_the_old_kind({"name": torch.arange(3.0)}))
    found = cr.load(io.BytesIO(content), encoding=encoding)
    expected = torch.load(io.BytesIO(content), encoding=encoding, weights_only=False)

    assert {k: v.tolist() for k, v in found.items()} == {k: v.tolist() for k, v in expected.items()}


def test_a_storage_longer_than_any_memory_is_damage():
    content = of_the_old_kind(torch.ones(2))
    long = content[:-16] + (1 << 62).to_bytes(8, "little") + content[-8:]
    with pytest.raises(RuntimeError, match="load: the file is cut short or damaged"):
        cr.load(io.BytesIO(long))


def attending(nn):
    layer = nn.TransformerEncoderLayer(4, 2, 8, activation="gelu", batch_first=True)
    return nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)


MODELS = {
    "dense": (
        lambda nn: nn.Sequential(
            nn.Linear(4, 3), nn.BatchNorm1d(3), nn.GELU(), nn.Dropout(0.1), nn.PReLU(),
            nn.Softmax(1),
        ),
        (2, 4),
    ),
    "convolutional": (
        lambda nn: nn.Sequential(
            nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), nn.GroupNorm(1, 2), nn.ReLU(),
            nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        ),
        (1, 1, 4, 4),
    ),
    "long short-term memory": (lambda nn: nn.LSTM(4, 3, 2, bidirectional=True), (5, 1, 4)),
    "gated": (lambda nn: nn.GRU(4, 3), (5, 1, 4)),
    "attending": (attending, (1, 3, 4)),
    "contained": (
        lambda nn: nn.ModuleList([nn.ModuleDict({"a": nn.Linear(4, 1)}), nn.CrossEntropyLoss()]),
        None,
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("ours_writes", [True, False])
def test_a_whole_model_is_carried_over(name, ours_writes):
    source, target = (cr, torch) if ours_writes else (torch, cr)
    make, shape = MODELS[name]
    source.manual_seed(0)
    given = make(source.nn).eval()
    found = carried(source, target, given, weights_only=False)

    assert repr(found) == repr(given)
    assert isinstance(found, target.nn.Module)
    for (key, value), (other, there) in zip(
        given.state_dict().items(), found.state_dict().items(), strict=True
    ):
        assert (key, value.tolist()) == (other, there.tolist())
    if shape is not None:
        ours, theirs = given(source.ones(shape)), found(target.ones(shape))
        ours, theirs = (x[0] if isinstance(x, tuple) else x for x in (ours, theirs))
        assert theirs.detach().numpy() == pytest.approx(ours.detach().numpy(), abs=1e-6)
