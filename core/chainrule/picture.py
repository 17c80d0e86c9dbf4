"""How a tensor looks in a notebook: what it is, and a small picture of its values.

The picture is a PNG made here, by the format's own rules: no library for pictures is needed. Each
value is one square. A matrix lies as it prints, a vector is one row, of more dimensions the
matrices of the last two stand side by side. What is large is thinned evenly. Blue is below zero,
red above, the stronger the farther; white is zero, grey is NaN and infinity. Of complex numbers
the absolute values are shown.
"""

from __future__ import annotations

import base64
import html
import struct
import zlib
from math import isfinite, prod
from typing import Any, Final

from .dtypes import int64

__all__ = ["html_of"]

#: How many values a side of a matrix shows at most, how many matrices, and about how many pixels.
_LARGEST: Final = 48
_PLANES: Final = 6
_PIXELS: Final = 192
_ZERO: Final = (247, 247, 247)
_BELOW: Final = (33, 102, 172)
_ABOVE: Final = (178, 24, 43)
_NO_NUMBER: Final = (128, 128, 128)
_BETWEEN: Final = (255, 255, 255)


def html_of(tensor: Any) -> str:
    """Return *tensor* as HTML: its facts, its picture, its text."""
    facts = _facts(tensor)
    cells = "".join(
        f'<td style="text-align:left;padding:0 1em 0 0"><b>{name}</b> {html.escape(text)}</td>'
        for name, text in facts
    )
    picture = _picture(tensor)
    return (
        '<div style="font-family:sans-serif;font-size:90%">'
        f'<table style="border:none;margin:0"><tr>{cells}</tr></table>'
        f"{picture}"
        f'<details><summary style="cursor:pointer">values</summary>'
        f"<pre>{html.escape(repr(tensor))}</pre></details></div>"
    )


def _facts(tensor: Any) -> list[tuple[str, str]]:
    facts = [
        ("shape", str(tuple(tensor.shape))),
        ("dtype", str(tensor.dtype).removeprefix("torch.")),
        ("device", str(tensor.device)),
        ("requires_grad", str(tensor.requires_grad)),
    ]
    if tensor.grad_fn is not None:
        facts.append(("grad_fn", tensor.grad_fn.name()))
    return facts


def _picture(tensor: Any) -> str:
    """Return an image of the values and a line on their range; a word where there are none."""
    if tensor.numel() == 0:
        return "<p>no elements</p>"
    rows = _rows_of(_thinned(tensor))
    numbers = [value for row in rows for value in row if value is not None and isfinite(value)]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 0.0)
    shown = f"{low:.4g} to {high:.4g}" if numbers else "no finite values"
    if any(n > _LARGEST for n in tensor.shape[-2:]) or prod(tensor.shape[:-2]) > _PLANES:
        shown += ", some of the values"
    side = min(24, max(2, _PIXELS // max(len(rows), len(rows[0]))))
    data = base64.b64encode(_png(_pixels(rows, low, high, side))).decode("ascii")
    return (
        f'<img alt="picture of the values: {shown}" src="data:image/png;base64,{data}" '
        'style="image-rendering:pixelated;border:1px solid #ccc">'
        f'<div style="color:#777">{shown}</div>'
    )


def _thinned(tensor: Any) -> Any:
    """Return some of the values, evenly spread, as planes: few enough for a picture."""
    values = tensor.detach()
    if values.is_complex():
        values = values.abs()
    shape = values.shape
    planes = values.reshape(prod(shape[:-2]), *((1, 1, *shape)[-2:]))
    for dim, most in ((0, _PLANES), (1, _LARGEST), (2, _LARGEST)):
        count = planes.shape[dim]
        if count > most:
            planes = planes.index_select(
                dim, planes.new_tensor([i * count // most for i in range(most)], dtype=int64)
            )
    return planes.to("cpu")


def _rows_of(planes: Any) -> list[list[float | None]]:
    """Return the rows of the picture: the planes side by side, with None between them."""
    rows: list[list[float | None]] = [[] for _ in range(planes.shape[1])]
    for number, plane in enumerate(planes.tolist()):
        for row, values in zip(rows, plane, strict=True):
            row.extend([None] if number else [])
            row.extend(map(float, values))
    return rows


def _colour(value: float | None, low: float, high: float) -> bytes:
    """Return the colour of a value: the farther from zero, the stronger."""
    if value is None:
        return bytes(_BETWEEN)
    if not isfinite(value):
        return bytes(_NO_NUMBER)
    largest = max(abs(low), abs(high)) or 1.0
    share, end = abs(value) / largest, _BELOW if value < 0 else _ABOVE
    return bytes(round(a + (b - a) * share) for a, b in zip(_ZERO, end, strict=True))


def _pixels(rows: list[list[float | None]], low: float, high: float, side: int) -> list[bytes]:
    """Return lines of pixels, each value a square of *side* pixels."""
    lines = []
    for row in rows:
        line = b"".join(_colour(value, low, high) * side for value in row)
        lines += [line] * side
    return lines


def _png(lines: list[bytes]) -> bytes:
    """Return lines of red, green and blue bytes as a PNG file.

    Source: Portable Network Graphics (PNG) Specification, second edition, W3C, 2003.
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    size = struct.pack(">IIBBBBB", len(lines[0]) // 3, len(lines), 8, 2, 0, 0, 0)
    unfiltered = b"".join(b"\0" + line for line in lines)
    body = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(unfiltered)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
