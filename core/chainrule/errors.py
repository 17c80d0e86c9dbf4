"""The exceptions that chainrule raises.

One class per decision that a caller could make, each also of the built-in type that PyTorch raises
in the same place, so that an ``except`` written for PyTorch still catches it::

    ChainruleError
    ├── AutogradError (RuntimeError)            the graph cannot give what was asked
    │   ├── NoGraphError                        the root of backward() has no history
    │   ├── GraphFreedError                     backward a second time, or a freed saved tensor
    │   ├── InplaceError                        a write that would give, or gave, a wrong gradient
    │   │   └── SavedTensorModifiedError        a saved tensor was written to before it was needed
    │   ├── AnomalyError                        a gradient that is not a number, in anomaly mode
    │   └── DerivativeError (NotImplementedError)   an op without a gradient formula
    ├── ShapeError (RuntimeError)               sizes do not fit
    ├── DTypeError (RuntimeError)               data types do not fit
    │   └── UnsupportedDTypeError (NotImplementedError)   an op that does not take a data type
    ├── DomainError (RuntimeError)              a value for which an op has no result
    │   └── LinAlgError                         a matrix that is singular or does not converge
    ├── DimError (IndexError)                   a dimension is out of range
    ├── ArgumentError (TypeError)               an argument of the wrong type
    ├── NotANumberError (ValueError, RuntimeError)   several elements where a number is wanted
    ├── DeviceError (RuntimeError)              a device that is not there, or devices that differ
    │   └── MixedBackendError
    ├── BackendError (RuntimeError)
    │   ├── BackendNotFoundError
    │   ├── BackendUnavailableError (AssertionError)
    │   └── KernelConflictError
    ├── KernelNotFoundError (NotImplementedError)
    ├── OpDefinitionError (TypeError)           a statement of an op that contradicts itself
    ├── ExportError (BufferError)               memory that cannot be handed to another library
    ├── AbsentError (NotImplementedError)       what PyTorch has and chainrule has not
    ├── UnknownNameError (AttributeError)       a name that neither has
    ├── PluginLoadError (ImportError)
    └── FileFormatError (ValueError)            a file that cannot be read as what it should be

Where PyTorch has a sentence for the case, it is the first line of the message; ours follows:
who, what was expected, what came, what to do.
"""

from __future__ import annotations

import importlib


class ChainruleError(Exception):
    """Everything that chainrule raises on purpose.

    What a program may want to know stands in attributes beside the message: the *facts* that the
    raising line gave by name.
    """

    def __init__(self, *args: object, **facts: object) -> None:
        super().__init__(*args)
        self.__dict__.update(facts)


class AutogradError(ChainruleError, RuntimeError):
    """The graph cannot give what was asked of it."""


class NoGraphError(AutogradError):
    """The root of a backward pass requires no grad and has no history.

    Attributes:
        why: Where its history was cut, if that is known: with `autograd.track_origins`.
    """

    why: str | None = None


class GraphFreedError(AutogradError):
    """A backward pass, or a look at a saved tensor, after the saved tensors were freed.

    Attributes:
        op: The node that saved them.
        made_at: Where the node was made; known with `autograd.track_origins`.
        freed_by: Which backward pass freed it; likewise.
    """

    op: str = ""
    made_at: str | None = None
    freed_by: str | None = None


class InplaceError(AutogradError):
    """An in-place change that would give, or already gave, a wrong gradient."""


class SavedTensorModifiedError(InplaceError):
    """A backward pass needs a tensor that was written to after it was saved.

    Attributes:
        op: The node that saved it.
        shape: Its shape.
        tensor: What the program calls it, or what it is a view of, if that was found.
        expected_version: The version that was saved.
        found_version: The version by now.
        modified_by: What wrote first, if that is known: ``"add_"``.
        modified_at: Where: ``"file.py:12: `x.add_(1)`"``; known in anomaly mode.
        saved_at: Where the node was made; likewise.
        hint: What to do.
    """

    op: str
    shape: tuple[int, ...]
    expected_version: int
    found_version: int
    tensor: str | None = None
    modified_by: str | None = None
    modified_at: str | None = None
    saved_at: str | None = None
    hint: str = ""


class AnomalyError(AutogradError):
    """A gradient that is not a number, found in anomaly mode.

    Attributes:
        op: The node that returned it.
        output: For which of its inputs.
        hint: What may be the cause, if that was found.
    """

    op: str
    output: int
    hint: str = ""


class DerivativeError(AutogradError, NotImplementedError):
    """An op without a gradient formula was reached by a backward pass."""


class ShapeError(ChainruleError, RuntimeError):
    """Sizes that do not fit together."""


class DTypeError(ChainruleError, RuntimeError):
    """A data type that an operation does not take."""


class UnsupportedDTypeError(DTypeError, NotImplementedError):
    """An op that does not take tensors of a data type."""


class DomainError(ChainruleError, RuntimeError):
    """A value for which an op has no result: an integer divided by zero, or to a negative power."""


class LinAlgError(DomainError):
    """A matrix without the factorisation that was asked for: singular, indefinite, not finite."""


class DimError(ChainruleError, IndexError):
    """A dimension out of range."""


class ArgumentError(ChainruleError, TypeError):
    """An argument of the wrong type."""


class NotANumberError(ChainruleError, ValueError, RuntimeError):
    """A tensor of several elements, or of none, where Python wants a number."""


class DeviceError(ChainruleError, RuntimeError):
    """A device that is not there, or devices that differ."""


class MixedBackendError(DeviceError):
    """Arrays of different storage in one operation."""


class BackendError(ChainruleError, RuntimeError):
    """A backend that cannot serve."""


class BackendNotFoundError(BackendError):
    """A backend name that nobody provides."""


class BackendUnavailableError(BackendError, AssertionError):
    """A backend that is known but cannot run here.

    It is an ``AssertionError`` too, since that is what ``.cuda()`` raises in PyTorch's CPU build.
    """


class KernelConflictError(BackendError):
    """Two providers offer one kernel and none was chosen."""


class KernelNotFoundError(ChainruleError, NotImplementedError):
    """A backend has neither a kernel nor a usable body for an op.

    Attributes:
        op: The full name of the op that lacks a kernel: the one that was called, or a part of it.
        advice: Who has a kernel, and what to do.
    """

    def __init__(self, message: str, *, op: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.op, self.advice = op, advice


class OpDefinitionError(ChainruleError, TypeError):
    """A statement of an op that contradicts itself."""


class AbsentError(ChainruleError, NotImplementedError):
    """What PyTorch has and chainrule has not."""


class UnknownNameError(ChainruleError, AttributeError):
    """A name that a module does not have; the nearest that it has, once the message is read.

    Python suggests one by itself, but not among as many names as these.

    Attributes:
        name: The name.
        obj: The module.
    """

    def __init__(self, message: str, *, name: str, obj: object) -> None:
        super().__init__(message)
        self.name, self.obj = name, obj

    def __str__(self) -> str:
        text, name = super().__str__(), self.name or ""
        difflib = importlib.import_module("difflib")  # seldom needed
        near = difflib.get_close_matches(name, [n for n in dir(self.obj) if n[0] != "_"], 1)
        return f"{text}\nchainrule: did you mean {near[0]!r}?" if near else text


class ExportError(ChainruleError, BufferError):
    """Memory that cannot be handed to another library, or taken from one."""


class PluginLoadError(ChainruleError, ImportError):
    """A plugin asked for by name could not be loaded."""


class FileFormatError(ChainruleError, ValueError):
    """A file that cannot be read as what it should be."""
