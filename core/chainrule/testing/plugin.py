"""The pytest plugin: ``-p chainrule.testing.plugin``.

It gives the fixtures ``backend`` and ``device`` and the option ``--chainrule-backend``. A backend
that was asked for and cannot run is a failure; ``--chainrule-on-unavailable=skip`` says otherwise.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .. import backend as registry
from .. import dtypes
from ..errors import BackendError
from ..grad_mode import mode

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.register_assert_rewrite("chainrule.testing.checks")  # its failures show what was compared


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


def pytest_configure(config: pytest.Config) -> None:
    """Let kernels compute infinities and NaN in silence, as they do outside of tests.

    A backend switches its library's warnings about them off when it comes alive; pytest puts back
    its own filters for every test.
    """
    config.addinivalue_line("filterwarnings", "ignore::RuntimeWarning:chainrule")


def backend_names(config: pytest.Config) -> list[str]:
    """Return the backends that this run tests on."""
    required = os.environ.get("CHAINRULE_REQUIRE_BACKENDS", "")
    names = [name for name in required.split(",") if name]
    return config.getoption("--chainrule-backend") or names or ["numpy"]


def pytest_report_header(config: pytest.Config) -> str:
    """Return a line that names the backends."""
    return f"chainrule backends: {', '.join(backend_names(config))}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``backend`` on every backend of this run."""
    if "backend" in metafunc.fixturenames:
        names = backend_names(metafunc.config)
        metafunc.parametrize("backend", names, indirect=True, scope="session")


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
def device(backend: str) -> str:
    """Return the device string of the backend, ``"cpu@numpy"``; for new tensors of the test."""
    kind = registry.by_name(backend).spec.device_types[0]
    return f"{kind}@{backend}"


@pytest.fixture(autouse=True)
def _fresh_state() -> Iterator[None]:
    """Leave grad mode and default dtype as they were, whatever the test does."""
    enabled, dtype = mode.enabled, dtypes.get_default_dtype()
    yield
    mode.enabled = enabled
    dtypes.set_default_dtype(dtype)
