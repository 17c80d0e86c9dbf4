"""The fixtures of tests/semantics: `lib` is chainrule here, and PyTorch in tests/parity."""

from __future__ import annotations

import importlib.util
from pathlib import Path

path = Path(__file__).parents[1] / "semantics" / "conftest.py"
spec = importlib.util.spec_from_file_location("semantics_fixtures_for_data", path)
shared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)

lib, raises, warns = shared.lib, shared.raises, shared.warns
