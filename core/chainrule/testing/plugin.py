"""The pytest plugin: ``-p chainrule.testing.plugin``.

It gives the fixtures ``backend``, ``device`` and ``chainrule_sandbox``, and runs the conformance
kit: ``pytest -p chainrule.testing.plugin --pyargs chainrule.testing.conformance
--chainrule-backend=NAME``. A backend that was asked for and cannot run is a failure;
``--chainrule-on-unavailable=skip`` says otherwise.

It is no ``pytest11`` entry point on purpose: those load in every pytest run of every user.
"""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from .. import backend as registry
from .. import dtypes
from ..errors import BackendError, ChainruleError
from ..grad_mode import mode
from . import capabilities, known, parameters
from .cases import OpCase
from .levels import level_of
from .report import FAILED, KIT, KNOWN, PASSED, SKIPPED, Report, Result
from .sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.register_assert_rewrite("chainrule.testing.checks")  # its failures show what was compared

#: Where the kit's own tests are, by the name of their module.
KIT_PACKAGE: Final = "chainrule.testing.conformance."
SUITES: Final = ("protocol", "kernels", "grad", "opcheck", "plugin")

_report: Final = pytest.StashKey[Report]()
_cases: Final = pytest.StashKey[list[Any]]()
_known: Final = pytest.StashKey[dict[str, dict[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("chainrule")
    group.addoption(
        "--chainrule-backend",
        action="append",
        default=[],
        metavar="NAME",
        help="backend to test on (may be repeated); default: numpy",
    )
    group.addoption(
        "--chainrule-on-unavailable",
        choices=["fail", "skip"],
        default="fail",
        help="what a backend that was asked for and cannot run means",
    )
    group.addoption(
        "--chainrule-ops",
        action="append",
        default=[],
        metavar="PATTERN",
        help="conformance: only ops that match, like 'scipy_special::*' or 'cr::log*'",
    )
    group.addoption(
        "--chainrule-xfails",
        metavar="FILE",
        help="conformance: known failures, a TOML file of [[xfail]] with id and reason",
    )
    group.addoption(
        "--chainrule-accept",
        action="store_true",
        help="conformance: write the failures of this run to the file of --chainrule-xfails",
    )
    group.addoption(
        "--chainrule-report",
        metavar="FILE",
        help="conformance: write what was found as JSON",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let kernels compute infinities and NaN in silence, as they do outside of tests.

    A backend switches its library's warnings about them off when it comes alive; pytest puts back
    its own filters for every test.
    """
    config.addinivalue_line("filterwarnings", "ignore::RuntimeWarning:chainrule")
    config.addinivalue_line("markers", parameters.MARKER)
    config.addinivalue_line("markers", capabilities.MARKER)
    config.stash[_report] = Report()
    file = config.getoption("--chainrule-xfails")
    accept = config.getoption("--chainrule-accept")
    if accept and not file:
        raise pytest.UsageError("--chainrule-accept: name the file to write: --chainrule-xfails")
    fresh = accept and not Path(file).exists()
    config.stash[_known] = known.read(Path(file)) if file and not fresh else {}


def backend_names(config: pytest.Config) -> list[str]:
    """Return the backends that this run tests on."""
    required = os.environ.get("CHAINRULE_REQUIRE_BACKENDS", "")
    names = [name for name in required.split(",") if name]
    return config.getoption("--chainrule-backend") or names or ["numpy"]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Return lines that name the backends, and the state of each."""
    from ..plugin.finding import find_spec, first_line, probe
    from ..plugin.host import host

    lines = [f"chainrule backends: {', '.join(backend_names(config))} (kit {KIT})"]
    for name in backend_names(config):
        try:
            found = probe(find_spec(host, name)[0])
            versions = ", ".join(" ".join(pair) for pair in found.versions)
            lines.append(f"  {name}: {found.state} {versions} {found.reason}".rstrip())
        except ChainruleError as error:
            lines.append(f"  {name}: {first_line(error)}")
    return lines


# Collecting


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``backend`` on every backend of this run, the kit's on all cases."""
    if "backend" in metafunc.fixturenames:
        names = backend_names(metafunc.config)
        metafunc.parametrize("backend", names, indirect=True, scope="session")
    if _suite_of(metafunc.module.__name__):
        parameters.parametrize(metafunc, _cases_of(metafunc.config))


def _suite_of(module: str) -> str:
    return module.removeprefix(f"{KIT_PACKAGE}test_") if module.startswith(KIT_PACKAGE) else ""


def _cases_of(config: pytest.Config) -> list[OpCase]:
    """Return the cases that this run is about: core's and the plugins', or those that match."""
    if _cases not in config.stash:
        patterns = config.getoption("--chainrule-ops")
        found = [*_core_cases(), *_plugin_cases()]
        config.stash[_cases] = [
            case
            for case in found
            if not patterns or any(fnmatch(_full_name(case), pattern) for pattern in patterns)
        ]
        if patterns:
            config.stash[_report].complete = False
            if not config.stash[_cases]:
                raise pytest.UsageError(f"--chainrule-ops: no op matches {' '.join(patterns)}")
    return config.stash[_cases]


def _full_name(case: OpCase) -> str:
    return case.name if "::" in case.name else f"cr::{case.name}"


def _core_cases() -> list[OpCase]:
    from .samples import all_cases

    return list(all_cases())


def _plugin_cases() -> list[OpCase]:
    from ..plugin.host import host

    host.load_all()
    names = tuple(sorted(host.ops))
    given = host.each("chainrule_conformance_cases", op_names=names)
    return [case for _, answer in given for case in (answer or ())]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Refuse a pattern that no op matches, before anything is collected."""
    if session.config.getoption("--chainrule-ops"):
        _cases_of(session.config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the known failures of the kit's tests; note whether the kit is run as a whole."""
    mine = [item for item in items if _suite_of(_module_of(item))]
    suites = {_suite_of(_module_of(item)) for item in mine}
    if suites != set(SUITES):
        config.stash[_report].complete = False
    file = config.getoption("--chainrule-xfails")
    if mine and file and not config.getoption("--chainrule-accept"):
        known.apply(config.stash[_known], mine, Path(file))


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Note that the kit is not run as a whole."""
    for item in items:
        item.config.stash[_report].complete = False


def _module_of(item: pytest.Item) -> str:
    module = getattr(item, "module", None)
    return getattr(module, "__name__", "")


# Running


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Return the name of the backend that the test runs on, activated."""
    name = str(request.param)
    try:
        registry.by_name(name)
    except BackendError as error:
        if request.config.getoption("--chainrule-on-unavailable") == "skip":
            pytest.skip(f"backend {name} cannot run here: {error}")
        pytest.fail(f"backend {name} was asked for and cannot run here: {error}")
    return name


@pytest.fixture
def device(backend: str) -> Iterator[str]:
    """Return the device string of the backend, ``"cpu@numpy"``; for new tensors of the test.

    Work that is still queued when the test ends is waited for: a mistake in it is told here.
    """
    live = registry.by_name(backend)
    kind = live.spec.device_types[0]
    yield f"{kind}@{backend}"
    live.synchronize(registry.Device(kind))


@pytest.fixture
def chainrule_sandbox() -> Iterator[Sandbox]:
    """Return a plugin host of its own, in which nothing is discovered."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


@pytest.fixture(autouse=True)
def _fresh_state() -> Iterator[None]:
    """Leave grad mode and default dtype as they were, whatever the test does."""
    enabled, dtype = mode.enabled, dtypes.get_default_dtype()
    yield
    mode.enabled = enabled
    dtypes.set_default_dtype(dtype)


@pytest.fixture(autouse=True)
def _fits_the_backend(request: pytest.FixtureRequest) -> None:
    """Skip what needs a capability, or a dtype, that the backend does not declare."""
    marker = request.node.get_closest_marker("requires")
    in_kit = _suite_of(_module_of(request.node))
    if "backend" not in request.fixturenames or not (marker or in_kit):
        return
    dtype = request.getfixturevalue("dtype") if "dtype" in request.fixturenames else None
    reason = capabilities.missing_capability(
        request.getfixturevalue("backend"), marker.args if marker else (), dtype
    )
    if reason:
        pytest.skip(reason)


# Telling


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note what a test of the kit came to."""
    outcome: Any = yield
    suite = _suite_of(_module_of(item))
    if suite:
        _note(item, suite, outcome.get_result())


def _note(item: pytest.Item, suite: str, report: pytest.TestReport) -> None:
    skipped_early = report.when == "setup" and report.outcome == "skipped"
    broken = report.when != "call" and report.outcome == "failed"
    if report.when != "call" and not skipped_early and not broken:
        return
    parameters_ = getattr(getattr(item, "callspec", None), "params", {})
    case = parameters_.get("case")
    if case is not None and not isinstance(case, OpCase):
        return  # no case suits the test: there was nothing to run
    expected = hasattr(report, "wasxfail")
    result = {
        "passed": PASSED,
        "failed": FAILED,
        "skipped": KNOWN if expected else SKIPPED,
    }[report.outcome]
    item.config.stash[_report].results.append(Result(
        id=item.name,
        suite=suite,
        backend=str(parameters_.get("backend", "")),
        op=_full_name(case) if case is not None else "",
        level=level_of(case) if case is not None and "::" not in case.name else None,
        outcome=result,
        message=_first_line(report) if result != PASSED else "",
    ))  # fmt: skip


def _first_line(report: pytest.TestReport) -> str:
    """Return one line on why a test failed or was skipped."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr or "failed")
    return text.splitlines()[0] if text else "failed"


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the report, and, where that was asked for, the file of known failures."""
    config = session.config
    report = config.stash.get(_report, None)
    if report is None or not report.results:
        return
    if config.getoption("--chainrule-report"):
        report.write(Path(config.getoption("--chainrule-report")))
    if config.getoption("--chainrule-accept"):
        file = Path(config.getoption("--chainrule-xfails"))
        known.write(file, report.failures(), config.stash[_known])
        if exitstatus == pytest.ExitCode.TESTS_FAILED:
            session.exitstatus = pytest.ExitCode.OK


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what each backend reached."""
    report = config.stash[_report]
    if not report.results:
        return
    terminalreporter.section(f"chainrule conformance, kit {KIT}")
    for name in report.backends():
        terminalreporter.line(report.summary(name))
    if config.getoption("--chainrule-accept"):
        terminalreporter.line(f"accepted {len(report.failures())} known failures")
