"""Kernels of chainrule/ops/gathering.py, scattering.py, rows.py and embeddings.py with a check.

NumPy counts negative places from the end, and adding at flat places it cannot see that one is out
of range. So the places are looked at first; everything else is the family's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backend import Array, Kernel, KernelSet
from chainrule_xp import gathering as family

ks = KernelSet("numpy")


def check_places(index: Array, size: int, dim: int) -> None:
    """Check that all places are from 0 to *size* - 1.

    Seen as unsigned numbers, negative ones are the largest of all: one look finds both.

    Raises:
        IndexError: one is not.
    """
    if index.size and index.view(f"u{index.itemsize}").max() >= size:
        wrong = index[(index < 0) | (index >= size)].reshape(-1)[0]
        raise IndexError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


def _checked(kernel: Kernel, *, shape: str = "") -> Kernel:
    """Return *kernel* with its index checked, against its array or the shape that *shape* names."""

    def call(x: Array, index: Array, *rest: Array, dim: int, **statics: Any) -> Array:
        sizes = statics[shape] if shape else x.shape
        place = dim % len(sizes) if sizes else 0
        check_places(index, sizes[place] if sizes else 1, place)
        return kernel(x, index, *rest, dim=dim, **statics)

    return call


for _name in (
    "gather", "scatter", "scatter_value", "scatter_add", "scatter_combined", "scatter_reduce",
    "index_select", "index_add", "index_copy",
):  # fmt: skip
    ks.add(f"cr::_{_name}", _checked(getattr(family, _name)(np)))


_embedding = family.embedding(np)
_one_hot = family.one_hot(np)


@ks.forward("cr::_embedding")
def embedding(weight: Array, indices: Array, **statics: Any) -> Array:
    check_places(indices, weight.shape[0], 0)
    return weight.take(indices, 0)


@ks.forward("cr::_one_hot")
def one_hot(x: Array, *, num_classes: int) -> Array:
    check_places(x, num_classes, 0)
    out = np.zeros((x.size, num_classes), np.int64)
    out[np.arange(x.size), x.reshape(-1)] = 1
    return out.reshape(*x.shape, num_classes)


@ks.forward("cr::_put")
def put(x: Array, index: Array, source: Array, *, accumulate: bool) -> Array:
    out = np.array(x, order="C")
    flat, places = out.reshape(-1), index.reshape(-1)
    if accumulate:
        check_places(np.where(places < 0, places + flat.size, places), flat.size, 0)
        np.add.at(flat, places, source.reshape(-1))
    else:
        flat[places] = source.reshape(-1)
    return out
