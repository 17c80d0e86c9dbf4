"""Tables of text, as reports print them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def table(header: Sequence[str], rows: Sequence[Sequence[object]], *, left: int = 1) -> str:
    """Return *rows* under *header*; the first *left* columns to the left, the others to the right.

    >>> print(table(["name", "count"], [["mul", 12], ["exp", 3]]))
    name  count
    ----  -----
    mul      12
    exp       3
    """
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    lines = [list(header), ["-" * width for width in widths], *cells]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def bytes_text(count: float) -> str:
    """Return a number of bytes in words.

    >>> bytes_text(0), bytes_text(2048), bytes_text(3 * 2**20)
    ('0 B', '2.0 KiB', '3.0 MiB')
    """
    for unit in _UNITS:
        if abs(count) < 1024 or unit == _UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"


def time_text(seconds: float) -> str:
    """Return a time in words.

    >>> time_text(2.5e-6), time_text(0.0123), time_text(2)
    ('2.500us', '12.300ms', '2.000s')
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3f}us"
    return f"{seconds * 1e3:.3f}ms" if seconds < 1 else f"{seconds:.3f}s"


class Report:
    """Rows that print as a table.

    Attributes:
        rows: The rows, in the order of the table.
    """

    rows: Sequence[object]

    def __str__(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        return str(self)
