"""What tensors that look at the same memory have in common."""

from __future__ import annotations

from typing import Any, Final

from .errors import AutogradError, InplaceError
from .grad_mode import mode


class Storage:
    """The version counter that a tensor shares with its views and with ``detach()``.

    Every in-place write adds one. A node that saved a tensor keeps the version it saw, and
    compares when it needs the tensor: see Note [Versions] in graph.py. A tensor gets its storage
    object with its first view, detach or write, so that plain arithmetic never makes one.

    Attributes:
        version: How often the memory was written to.
        writes: The same, and never set back; views compare it to know that their history is old.
        written: The name of what wrote last; in anomaly mode, the last writes with their lines.
            Unset before the first.
        memory: All of the memory, as one row, where that is more than a tensor shows after
            ``resize_``; unset otherwise.
        flagged: What ``writes`` was after the last one that wrote nothing: a base was detached, or
            asked to require grad or not. Unset before the first.
        reshaped: Set once a tensor that looks here was given another shape in place: what was made
            from it before cannot be made from it again.
    """

    __slots__ = ("__weakref__", "flagged", "memory", "reshaped", "version", "writes", "written")

    version: int
    writes: int
    written: Any
    memory: Any
    flagged: int
    reshaped: bool

    def __init__(self) -> None:
        self.version = self.writes = 0

    def ask_views(self) -> None:
        """Have views look again whether they require grad, though nothing was written."""
        self.writes += 1
        self.flagged = self.writes


NO_VERSION: Final = "Inference tensors do not track version counter."
NO_INFERENCE_SAVED: Final = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
    "inference mode in computation tracked by autograd. To work around this, you can make a clone "
    "to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of "
    "`torch.inference_mode()`."
)
NO_INFERENCE_LEAF: Final = (
    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
)
_NO_INFERENCE_WRITE: Final = (
    "Inplace update to inference tensor outside InferenceMode is not allowed."
    "You can make a clone to get a normal tensor before doing inplace update."
    "See https://github.com/pytorch/rfcs/pull/17 for more details."
)


class InferenceStorage(Storage):
    """What tensors made in inference mode have in place of a version counter.

    A node that is about to save one asks for the version, and so finds out that it must not.
    """

    __slots__ = ()

    def __init__(self) -> None:
        self.writes = 0

    @property
    def version(self) -> int:  # type: ignore[override]  # there is none: every use is an error
        """Refuse."""
        raise AutogradError(NO_INFERENCE_SAVED)


def check_inference_write(storage: Storage | None, name: str) -> None:
    """Check that *name* may write into what was made in inference mode.

    Raises:
        InplaceError: that is over.
    """
    if type(storage) is InferenceStorage and not mode.inference:
        msg = f"{_NO_INFERENCE_WRITE}\n{name}: write into a clone() of the tensor."
        raise InplaceError(msg)
