"""How messages spell the type of something."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor


def typename(item: Any) -> str:
    """Return the type of *item* as messages spell it.

    A tensor is named after its elements, anything else after its class; a class is named itself.

    >>> import chainrule as cr
    >>> typename(cr.ones(1)), typename(3), typename(cr.nn.Linear)
    ('torch.FloatTensor', 'int', 'chainrule.nn.modules.linear.Linear')
    """
    if isinstance(item, Tensor):
        return str(item.type())
    kind = item if isinstance(item, type) else type(item)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"
