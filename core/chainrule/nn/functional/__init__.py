"""Functions of neural networks, with PyTorch's names and arguments: usually imported as ``F``."""

from .activation import *  # noqa: F403 - a family's __all__ is the list of what it offers
from .activation import __all__ as _activation
from .dropout import *  # noqa: F403
from .dropout import __all__ as _dropout
from .linear import *  # noqa: F403
from .linear import __all__ as _linear
from .loss import *  # noqa: F403
from .loss import __all__ as _loss
from .normalization import *  # noqa: F403
from .normalization import __all__ as _normalization

__all__ = [*_activation, *_dropout, *_linear, *_loss, *_normalization]  # noqa: PLE0604 - lists of strings
