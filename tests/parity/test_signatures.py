"""The table of signatures that tests/ops/test_signatures.py goes by is PyTorch's."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

RECORDER = Path(__file__).parents[2] / "tools" / "record_signatures.py"


def test_table_of_signatures_is_current():
    spec = importlib.util.spec_from_file_location("record_signatures", RECORDER)
    recorder = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recorder)

    table = recorder.TABLE.read_text(encoding="utf-8")
    assert table.splitlines() == recorder.lines(), "run tools/record_signatures.py"
