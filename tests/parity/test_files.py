"""Files both ways: what PyTorch writes chainrule reads, and the other way round."""

from __future__ import annotations

import io
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
