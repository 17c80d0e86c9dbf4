"""Models from the network: chainrule downloads none, and loads those that are there already.

The folder is PyTorch's, and so are the environment variables that move it, so that a file which
PyTorch downloaded is found.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlparse

from . import serialization
from ._absent import absent

__all__ = ["get_dir", "load_state_dict_from_url", "set_dir"]

_chosen: str | None = None
_INSTEAD: Final = "Load a file that you have with chainrule.load."


def get_dir() -> str:
    """Return the folder of what was downloaded.

    It is the one given to `set_dir`, or else ``hub`` in ``$TORCH_HOME``, which is ``torch`` in
    ``$XDG_CACHE_HOME``, which is ``~/.cache``.
    """
    return _chosen if _chosen is not None else str(Path(_get_torch_home()) / "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Let *d* be the folder of what was downloaded."""
    global _chosen  # noqa: PLW0603 - one folder for the process, as in PyTorch
    _chosen = os.path.expanduser(d)  # noqa: PTH111 - a str, as in PyTorch


def _get_torch_home() -> str:
    """Return PyTorch's folder for caches, which libraries ask for theirs."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return str(Path(os.environ.get("TORCH_HOME", Path(cache) / "torch")).expanduser())


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """Load the file of that name from the folder of what was downloaded.

    Args:
        url: Where the file is on the network; its last part is the name of the file.
        model_dir: The folder; by default ``checkpoints`` in `get_dir`.
        map_location: As for `chainrule.load`.
        progress: Taken and ignored.
        check_hash: Taken and ignored.
        file_name: The name of the file, if it is another.
        weights_only: As for `chainrule.load`.

    Raises:
        FileNotFoundError: the file is not there. Download it, and lay it there.

    *Differs from PyTorch*: nothing is downloaded.
    """
    folder = Path(get_dir()) / "checkpoints" if model_dir is None else Path(model_dir)
    path = folder / (file_name or PurePosixPath(urlparse(url).path).name)
    if not path.is_file():
        raise FileNotFoundError(
            f"hub.load_state_dict_from_url: expected the file {str(path)!r}, which is not there, "
            f"and chainrule downloads nothing. Download {url} to it."
        )
    return serialization.load(path, map_location=map_location, weights_only=weights_only)


__getattr__ = absent("hub", _INSTEAD)
