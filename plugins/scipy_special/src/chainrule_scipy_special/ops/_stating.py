"""How the ops are stated: signature, manual, and one gradient formula per input that has one.

Each needs a kernel. The formulas are tensor operations, so they can be differentiated again. The
numbers after DLMF are those of the NIST Digital Library of Mathematical Functions.
"""

from __future__ import annotations

from typing import Any, Final

from chainrule.plugin import NOT_IMPLEMENTED, primitive

Number = float

NO_ORDER: Final = NOT_IMPLEMENTED("there is no closed form for the derivative in the order")
NO_SHAPE: Final = NOT_IMPLEMENTED("there is no closed form for the derivative in this parameter")


def special(function: Any) -> Any:
    """Return the op of this plugin that *function* states: of real or of complex numbers."""
    return primitive(namespace="scipy_special", promote="float")(function)


def special_of_reals(function: Any) -> Any:
    """Return the op of this plugin that *function* states, which takes no complex numbers."""
    name = function.__name__
    options = {"complex": f"{name}: expected real tensors, got a complex one"}
    return primitive(namespace="scipy_special", promote="float", refuses=options)(function)


def along(grad: Any, slope: Any) -> Any:
    """Return *grad* times *slope*, or its conjugate where it is complex, as PyTorch has it."""
    return grad * (slope.conj() if slope.is_complex() else slope)


def like(number: Any, x: Any) -> Any:
    """Return *number*, a tensor or a number, as a tensor beside *x*."""
    return number if hasattr(number, "shape") else x.new_full((), number)
