"""Sample inputs of core's ops, one file per family of `chainrule.ops`: our database of op cases."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from ... import ops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..cases import OpCase


def all_cases() -> Iterator[OpCase]:
    """Yield the cases of every family: each file here has a list called ``cases``."""
    ops.load_late()  # a case may name a file of ops that is imported when first needed
    for module in pkgutil.iter_modules(__path__):
        yield from importlib.import_module(f"{__name__}.{module.name}").cases
