"""Neural networks: modules, their functions, and what their parameters begin with."""

from . import functional, init, modules, parameter, utils
from .modules import *  # noqa: F403 - the modules' own list
from .modules import __all__ as _modules
from .parameter import Buffer, Parameter

__all__ = [  # noqa: PLE0604 - lists of strings
    *_modules,
    "Buffer",
    "Parameter",
    "functional",
    "init",
    "modules",
    "parameter",
    "utils",
]
