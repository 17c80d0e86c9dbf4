"""Neural networks: modules, their functions, and what their parameters begin with."""

from . import functional, init, modules, parameter, utils
from .modules import *  # noqa: F403 - the modules' own list
from .parameter import Buffer, Parameter

__all__ = [
    "Buffer",
    "Parameter",
    "functional",
    "init",
    "modules",
    "parameter",
    "utils",
]
__all__ += modules.__all__
