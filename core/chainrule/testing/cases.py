"""`OpCase`: what the tests need to know of an op to test it on every backend."""

from __future__ import annotations

import importlib
import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import OpDefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .maker import Maker


class Sample:
    """One call of an op: ``Sample(make(2, 3), make(3), dim=0)``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    def __repr__(self) -> str:
        shown = [_shown(a) for a in self.args] + [
            f"{k}={_shown(v)}" for k, v in self.kwargs.items()
        ]
        return f"({', '.join(shown)})"


def _shown(item: Any) -> str:
    if hasattr(item, "shape"):
        text = f"{item.dtype}{list(item.shape)}".removeprefix("torch.")
        if not hasattr(item, "is_contiguous") or item.is_contiguous():
            return text
        return f"{text} with strides {list(item.stride())}"
    if isinstance(item, (list, tuple)) and any(hasattr(i, "shape") for i in item):
        return f"[{', '.join(map(_shown, item))}]"
    return repr(item)


@dataclass(frozen=True, kw_only=True)
class ErrorSample:
    """A call that must fail: with what, and the start of the message's first line (a pattern).

    Args:
        sample: The call.
        raises: The class of the exception.
        match: The pattern. Where the device tells later than the call, it has words of its own.
        on_host: It fails on the CPU alone: a device divides an integer by zero without a word.
    """

    sample: Sample
    raises: type[Exception]
    match: str
    on_host: bool = False


@dataclass(frozen=True)
class OpCase:
    """Sample inputs of one op and what is known of its results.

    Args:
        name: The op as users call it: ``"exp"``, ``"nn.functional.gelu"``, ``"scipy_special::jv"``.
        samples: Gives the calls for one dtype: a function of a `Maker`. Cover a 0-d and an empty
            tensor, broadcasting, a transposed one, and every static argument.
        reference: The same computation over NumPy arrays: ``lambda np, x: np.exp(x)``, called with
            the module and the sample's arguments as float64 (or integer) arrays. None where the
            kernel is compared with the op's body instead.
        dtypes: Names of the dtypes to sample.
        grad: Whether first and second derivative are checked against finite differences.
        saved: What ``grad_fn`` must show for the first sample: its saved names without ``_saved_``.
        node: The name of ``grad_fn`` for the first sample.
        errors: Calls that must fail, for float32.
        in_place: The name of the in-place method, "" for none.
        tolerance: Relative tolerance per dtype, where the table of the kit is too tight, with the
            reason in a comment beside it.
        deterministic: Whether two calls give the same numbers.
        aliases: Whether outputs may be memory of inputs though no statement says so, as PyTorch has
            it for the ``unsafe_`` ops.
    """

    name: str
    samples: Callable[[Maker], Iterable[Sample]]
    reference: Callable[..., Any] | None = None
    dtypes: tuple[str, ...] = ("float32", "float64")
    grad: bool = True
    saved: tuple[str, ...] | None = None
    node: str | None = None
    errors: Callable[[Maker], Iterable[ErrorSample]] | None = None
    in_place: str = ""
    tolerance: dict[str, float] = field(default_factory=dict)
    deterministic: bool = True
    aliases: bool = False

    def operation(self) -> Any:
        """Return what the name names: below `chainrule`, or else below `chainrule.ops`.

        >>> OpCase("exp", lambda make: []).operation()
        <op cr::exp>
        """
        package = importlib.import_module(__package__.rpartition(".")[0])
        for root in (package, package.ops):
            try:
                return operator.attrgetter(self.name.replace("::", "."))(root)
            except AttributeError:
                continue
        msg = (
            f"OpCase({self.name!r}): expected a name below chainrule or chainrule.ops, found none."
        )
        raise OpDefinitionError(msg)
