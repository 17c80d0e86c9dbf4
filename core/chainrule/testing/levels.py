"""The levels that a backend can reach: which ops belong to which.

0, minimal: some thirty primitives, from which the rest derives; 1, dense: all that is neither of
networks nor of linear algebra; 2, networks: activations, losses, normalisation, convolution,
pooling; 3, linear algebra and Fourier transforms. A level is reached when every test of its ops
passes, and the levels below are reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .cases import OpCase

NAMES: Final = ("minimal", "dense", "networks", "linear algebra")

MINIMAL: Final = frozenset({
    "add", "amax", "arange", "argmax", "cat", "clone", "cumsum", "empty", "eq", "exp", "expand",
    "floor", "full", "index_select", "log", "lt", "matmul", "maximum", "mul", "neg", "permute",
    "reciprocal", "reshape", "scatter_add", "select", "sin", "sqrt", "sum", "where", "zeros",
})  # fmt: skip

_NETWORKS: Final = (
    "activation", "batch_norm", "conv", "dropout", "embedding", "fold", "fused", "loss", "normal",
    "norms", "pad", "pool", "recurrent", "attention", "softmax", "upsampl", "interpolat", "vision",
)  # fmt: skip
_ALGEBRA: Final = ("linalg", "matri", "fourier", "fft", "spectral")


def level_of(case: OpCase) -> int:
    """Return the level that the op of *case* belongs to, by its name or the file of its family.

    >>> from chainrule.testing.samples import all_cases
    >>> found = {case.name: level_of(case) for case in all_cases()}
    >>> found["exp"], found["sort"], found["nn.functional.mse_loss"], found["linalg.det"]
    (0, 1, 2, 3)
    """
    if case.name in MINIMAL:
        return 0
    operation: Any = case.operation()
    family = str(getattr(operation, "__module__", "")).rpartition(".")[2]
    if family.startswith(_ALGEBRA):
        return 3
    return 2 if family.startswith(_NETWORKS) or case.name.startswith("nn.") else 1
