"""Types for annotations that PyTorch's compiler reads."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple  # noqa: UP035 - PyTorch's module gives these too

__all__ = [
    "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Dict", "List", "Optional",
    "Tuple",
]  # fmt: skip

# A list of that length, or one number that stands for all of it: ``BroadcastingList2[int]``.
BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = list
