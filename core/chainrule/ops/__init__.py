"""The ops of chainrule, one file per family: the only place where maths is stated.

``chainrule.ops.add`` is an op of core; ``chainrule.ops.NAMESPACE.NAME`` one of a plugin, loaded
when the namespace is first named.
"""

from __future__ import annotations

import sys
from typing import Any

# A family's __all__ is the list of what it offers.
from ._operands import *  # noqa: F403
from .activation import *  # noqa: F403
from .activation_smooth import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .axes import *  # noqa: F403
from .bitwise import *  # noqa: F403
from .broadcasting import *  # noqa: F403
from .closeness import *  # noqa: F403
from .comparison import *  # noqa: F403
from .complex import *  # noqa: F403
from .copying import *  # noqa: F403
from .counting import *  # noqa: F403
from .creation import *  # noqa: F403
from .creation_from import *  # noqa: F403
from .creation_like import *  # noqa: F403
from .creation_ranges import *  # noqa: F403
from .cumulative import *  # noqa: F403
from .diagonals import *  # noqa: F403
from .dropout import *  # noqa: F403
from .embeddings import *  # noqa: F403
from .exponential import *  # noqa: F403
from .extrema import *  # noqa: F403
from .fused import *  # noqa: F403
from .gathering import *  # noqa: F403
from .generator import *  # noqa: F403
from .indexing import *  # noqa: F403
from .joining import *  # noqa: F403
from .linalg import *  # noqa: F403
from .linalg_chains import *  # noqa: F403
from .linalg_einsum import *  # noqa: F403
from .linalg_matmul import *  # noqa: F403
from .linalg_products import *  # noqa: F403
from .log_sums import *  # noqa: F403
from .loss import *  # noqa: F403
from .loss_binary import *  # noqa: F403
from .loss_classes import *  # noqa: F403
from .loss_embeddings import *  # noqa: F403
from .loss_likelihoods import *  # noqa: F403
from .loss_margins import *  # noqa: F403
from .masking import *  # noqa: F403
from .norms import *  # noqa: F403
from .order_statistics import *  # noqa: F403
from .pointwise import *  # noqa: F403
from .polar import *  # noqa: F403
from .power import *  # noqa: F403
from .products import *  # noqa: F403
from .random import *  # noqa: F403
from .random_choices import *  # noqa: F403
from .random_in_place import *  # noqa: F403
from .rearranging import *  # noqa: F403
from .reductions import *  # noqa: F403
from .return_types import *  # noqa: F403
from .rows import *  # noqa: F403
from .scattering import *  # noqa: F403
from .searching import *  # noqa: F403
from .selection import *  # noqa: F403
from .shape import *  # noqa: F403
from .slicing import *  # noqa: F403
from .softmax import *  # noqa: F403
from .sorting import *  # noqa: F403
from .special import *  # noqa: F403
from .splitting import *  # noqa: F403
from .statistics import *  # noqa: F403
from .striding import *  # noqa: F403
from .trigonometry import *  # noqa: F403

__all__ = [
    name
    for module in list(sys.modules)
    if module.startswith(f"{__name__}.")
    for name in getattr(sys.modules[module], "__all__", ())
    if not name.startswith("_")
]


def _no_namespace(name: str) -> Any:
    msg = f"module 'chainrule.ops' has no attribute {name!r}"
    raise AttributeError(msg)


#: Asked for a name that core does not have; the plugin layer puts its discovery here.
find_namespace = _no_namespace


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        return _no_namespace(name)
    return find_namespace(name)
