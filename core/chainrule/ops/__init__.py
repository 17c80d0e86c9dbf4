"""The ops of chainrule, one file per family: the only place where maths is stated.

``chainrule.ops.add`` is an op of core; ``chainrule.ops.NAMESPACE.NAME`` one of a plugin, loaded
when the namespace is first named.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import TYPE_CHECKING, Any, NoReturn

# A family's __all__ is the list of what it offers.
from . import _late
from ._operands import *
from .activation import *
from .arithmetic import *
from .assignment import *
from .axes import *
from .bitwise import *
from .broadcasting import *
from .clamping import *
from .closeness import *
from .comparison import *
from .complex import *
from .convolution import *
from .copying import *
from .counting import *
from .creation import *
from .creation_from import *
from .creation_like import *
from .creation_ranges import *
from .cumulative import *
from .diagonals import *
from .dropout import *
from .exchange import *
from .exponential import *
from .extrema import *
from .fused import *
from .gathering import *
from .generator import *
from .indexing import *
from .joining import *
from .linalg import *
from .linalg_chains import *
from .linalg_matmul import *
from .linalg_products import *
from .log_sums import *
from .masking import *
from .memory import *
from .norms import *
from .order_statistics import *
from .pointwise import *
from .polar import *
from .power import *
from .products import *
from .random import *
from .random_choices import *
from .random_in_place import *
from .rearranging import *
from .reductions import *
from .return_types import *
from .rows import *
from .scattering import *
from .searching import *
from .selection import *
from .shape import *
from .slicing import *
from .softmax import *
from .sorting import *
from .special import *
from .splitting import *
from .statistics import *
from .striding import *
from .trigonometry import *

if TYPE_CHECKING:  # these come late
    from .activation_random import *
    from .activation_smooth import *
    from .attention import *
    from .convolution_time import *
    from .embedding_bags import *
    from .embeddings import *
    from .grids import *
    from .linalg_einsum import *
    from .loss import *
    from .loss_binary import *
    from .loss_classes import *
    from .loss_ctc import *
    from .loss_embeddings import *
    from .loss_likelihoods import *
    from .loss_margins import *
    from .matrix_lowrank import *
    from .normalization import *
    from .packing import *
    from .padding import *
    from .patches import *
    from .pooling_adaptive import *
    from .pooling_average import *
    from .pooling_max import *
    from .recurrent import *
    from .resizing import *
    from .segments import *
    from .weight_norm import *

__all__ = [
    name
    for module in list(sys.modules)
    if module.startswith(f"{__name__}.")
    for name in getattr(sys.modules[module], "__all__", ())
    if not name.startswith("_")
]


def load_late() -> None:
    """Import the files whose ops are imported when one is first called: for what lists all ops."""
    for module in pkgutil.iter_modules(sys.modules[__name__].__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def _no_namespace(name: str) -> Any:
    msg = f"module 'chainrule.ops' has no attribute {name!r}"
    raise AttributeError(msg)


#: Asked for a name that core does not have; the plugin layer puts its discovery here.
find_namespace = _no_namespace


def load_library(path: str) -> NoReturn:
    """Refuse to load operators that were compiled for PyTorch.

    Raises:
        OSError: always, as in PyTorch for a library that does not fit; libraries go on without.
    """
    raise OSError(
        f"ops.load_library: {path!r} is compiled for PyTorch, and chainrule cannot run it. "
        "Use Function.as_op, or a plugin: see `chainrule plugins new`."
    )


def __getattr__(name: str) -> Any:
    if name in _late.WHERE:
        found = globals()[name] = _late.find(name)
        return found
    if name.startswith("__"):
        return _no_namespace(name)
    return find_namespace(name)
