"""``pytest -p cupy_standin.plugin``: a run in which CuPy computes on this CPU.

A test during which the stand-in finds something wrong fails, whatever it asserts itself, unless it
takes the reports with `forget_reports`.
"""

from __future__ import annotations

import pytest

from . import libraries
from .activation import activate, banner
from .compiling import tally
from .watching import counts, forget_reports

activate()


def pytest_report_header() -> str:
    """Say what runs."""
    return banner()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail a test that leaves reports."""
    forget_reports()
    result = yield
    libraries.driver().standin_settle()
    found = forget_reports()
    if found:
        pytest.fail("the stand-in found:\n" + "\n".join(found), pytrace=False)
    return result


def pytest_terminal_summary(terminalreporter) -> None:
    """Say what was compiled and what ran."""
    terminalreporter.section("cupy_standin")
    terminalreporter.write_line(
        f"kernels: {tally.compiled} compiled, {tally.cached} from the cache, "
        f"{tally.by_nvrtc} by NVRTC as well"
    )
    terminalreporter.write_line(f"events: {counts()}")
