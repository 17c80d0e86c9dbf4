"""``pytest -p cupy_standin.plugin``: a run in which CuPy computes on this CPU.

A test during which the stand-in finds something wrong fails, whatever it asserts itself, unless it
takes the reports with `forget_reports`. One that ends because CuPy looked for a library of NVIDIA's
that is not there (cuSOLVER, cuSPARSE, cuFFT) is skipped; the summary tells how many were.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest

from . import libraries
from .activation import activate, banner
from .compiling import tally
from .watching import counts, forget_reports

#: How Python and CuPy say that a library cannot be found. cuSOLVER asks for nvJitLink first.
MISSING = re.compile(r"\blib(cusolver|cusparse|cufft|nvJitLink)\.so")
missed: Counter[str] = Counter()

activate()


def pytest_report_header() -> str:
    """Say what runs."""
    return banner()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail a test that leaves reports."""
    forget_reports()
    try:
        result = yield
    except Exception as error:
        library = missing_library(error)
        if not library:
            raise
        missed[library] += 1
        pytest.skip(f"the stand-in has no {library}")
    libraries.driver().standin_settle()
    found = forget_reports()
    if found:
        pytest.fail("the stand-in found:\n" + "\n".join(found), pytrace=False)
    return result


def missing_library(error: BaseException | None) -> str:
    """Return the library of NVIDIA's for want of which *error* was raised; "" if it was not."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found = MISSING.search(str(error)) if isinstance(error, ImportError) else None
        if found:
            return found[1]
        error = error.__cause__ or error.__context__
    return ""


def pytest_terminal_summary(terminalreporter) -> None:
    """Say what was compiled and what ran."""
    terminalreporter.section("cupy_standin")
    terminalreporter.write_line(
        f"kernels: {tally.compiled} compiled, {tally.cached} from the cache, "
        f"{tally.by_nvrtc} by NVRTC as well"
    )
    for library, count in missed.most_common():
        terminalreporter.write_line(f"{count} tests ended for want of {library}")
    terminalreporter.write_line(f"events: {counts()}")
