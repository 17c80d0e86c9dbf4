"""The older name of `chainrule.hub.load_state_dict_from_url`."""

from __future__ import annotations

from .._absent import absent
from ..hub import load_state_dict_from_url

__all__ = ["load_url"]

load_url = load_state_dict_from_url

__getattr__ = absent("utils.model_zoo", "Fetch the file otherwise, then chainrule.load(path).")
