"""Attributes that are read and never set."""

from __future__ import annotations

from typing import Any, Final, NoReturn

#: What does what an assignment was meant to do.
_INSTEAD: Final = {
    "device": "to() returns a tensor elsewhere.",
    "dtype": "to() returns a tensor of another dtype.",
    "grad_fn": "detach_() cuts a tensor from its history.",
    "is_leaf": "detach_() makes a tensor a leaf.",
    "retains_grad": "retain_grad() switches it on.",
    "shape": "reshape() returns a tensor of another shape.",
}


def seal(cls: type) -> None:
    """Let an assignment to what *cls* has no setter for raise PyTorch's sentence.

    The properties stay properties, which Python reads quickly.

    >>> import chainrule as cr
    >>> cr.ones(2).shape = (1, 2)
    Traceback (most recent call last):
    ...
    AttributeError: attribute 'shape' of 'torch._C.TensorBase' objects is not writable
    shape: reshape() returns a tensor of another shape.
    """
    for name, item in tuple(vars(cls).items()):
        if type(item) is property and item.fset is None:
            refuse = _refusal(name)
            setattr(cls, name, property(item.fget, refuse, item.fdel or refuse, item.__doc__))


def _refusal(name: str) -> Any:
    instead = _INSTEAD.get(name, "it follows from what the tensor is, and is only read.")

    def refuse(_: Any, _value: Any = None) -> NoReturn:
        msg = (
            f"attribute {name!r} of 'torch._C.TensorBase' objects is not writable\n"
            f"{name}: {instead}"
        )
        raise AttributeError(msg)

    return refuse
