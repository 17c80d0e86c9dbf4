"""Function transforms: `vmap` and forward mode as backends whose arrays wrap tensors.

`chainrule.func` and `chainrule.autograd.forward_ad` are their faces. See wrapped.py.
"""

from __future__ import annotations
