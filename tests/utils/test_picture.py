"""What a notebook shows of a tensor."""

from __future__ import annotations

import base64
import re
import struct
import zlib

import pytest


def picture(tensor):
    """Return width, height and rows of pixels of the PNG that *tensor* shows."""
    data = base64.b64decode(re.search(r"base64,([^\"]+)", tensor._repr_html_()).group(1))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, rest = {}, data[8:]
    while rest:
        (size,) = struct.unpack(">I", rest[:4])
        kind, body = rest[4:8], rest[8 : 8 + size]
        (check,) = struct.unpack(">I", rest[8 + size : 12 + size])
        assert check == zlib.crc32(kind + body)
        chunks[kind], rest = body, rest[12 + size :]
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    raw, stride = zlib.decompress(chunks[b"IDAT"]), 3 * width + 1
    lines = [raw[row * stride + 1 : (row + 1) * stride] for row in range(height)]
    return (
        width,
        height,
        [[tuple(line[i : i + 3]) for i in range(0, 3 * width, 3)] for line in lines],
    )


def test_facts_are_shown(lib):
    x = lib.ones(2, 3, requires_grad=True)
    shown = (x * 2)._repr_html_()

    for text in ("(2, 3)", "float32", str(x.device), "requires_grad</b> True", "MulBackward0"):
        assert text in shown
    assert "tensor([[2., 2., 2.]," in shown


def test_sign_is_colour_and_size_is_strength(lib):
    width, height, rows = picture(lib.tensor([[-2.0, 0.0], [1.0, 2.0]]))
    below, zero, half, above = (
        rows[y * height // 4][x * width // 4] for y, x in ((1, 1), (1, 3), (3, 1), (3, 3))
    )

    assert width == height
    assert below[2] > below[0]
    assert above[0] > above[2]
    assert zero == (247, 247, 247)
    assert above[1] < half[1] < zero[1]


def test_what_is_no_number_is_grey(lib):
    _, _, rows = picture(lib.tensor([float("nan"), float("inf")]))

    assert {pixel for row in rows for pixel in row} == {(128, 128, 128)}


def test_matrices_stand_side_by_side(lib):
    width, height, rows = picture(lib.ones(3, 2, 2))

    assert width > 3 * height
    assert (255, 255, 255) in rows[0]


@pytest.mark.parametrize("shape", [(1000, 1000), (10, 10, 100, 100), (5000,)])
def test_large_tensors_have_a_small_picture(lib, shape):
    x = lib.zeros(*shape)
    width, height, _ = picture(x)

    assert max(width, height) <= 2 * 6 * 50
    assert "some of the values" in x._repr_html_()


def test_every_kind_of_tensor_has_a_picture(lib):
    for x in (
        lib.tensor(1.5), lib.tensor([True, False]), lib.arange(3), lib.zeros(3),
        lib.ones(2, 2, dtype=lib.complex64), lib.ones(2, dtype=lib.float16), lib.ones(1, 1, 1, 1),
        lib.nn.Parameter(lib.ones(2)), lib.ones(4)[::2],
    ):  # fmt: skip
        width, height, _ = picture(x)
        assert width >= height > 0


def test_nothing_has_none_and_says_so(lib):
    shown = lib.zeros(0, 3)._repr_html_()

    assert "no elements" in shown
    assert "<img" not in shown


def test_text_is_escaped(lib):
    x = lib.ones(1, requires_grad=True) * 2

    assert "grad_fn=&lt;MulBackward0&gt;" in x._repr_html_()
