"""Files: written whole or not at all, and what a file that was not expected seems to be."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

#: How files begin that people take for another format.
FOREIGN: Final = {
    b"PK\x03\x04": "a zip archive, as torch.save writes",
    b"\x80": "a Python pickle",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy file",
    b"GGUF": "a GGUF file",
    b"\x1f\x8b": "a gzip file",
    b"<": "text, perhaps a web page that came in place of a download",
    b"version https://git-lfs": "a pointer of Git LFS: the file itself was not fetched",
}


@contextlib.contextmanager
def replacing(filename: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a new file beside *filename* that takes its place when all went well.

    What is no regular file (a pipe, a device) is written to as it is.
    """
    path = Path(filename).resolve()  # a link stays a link
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    who = f"{os.getpid()}.{threading.get_ident()}"
    unfinished = path.with_name(f".{path.name}.{who}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def kind_of(content: bytes) -> str:
    """Return in words what a file that is not ours seems to be."""
    for start in sorted(FOREIGN, key=len, reverse=True):
        if content.startswith(start):
            return FOREIGN[start]
    return "empty" if not content else "damaged, or another kind of file"
