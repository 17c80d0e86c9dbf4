"""Tensors that name no device are made on the backend under test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chainrule import ops

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _made_on_the_backend(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let what names no device, as a creation function, make its tensors on the backend too."""
    if "device" in request.fixturenames:
        ops.set_default_device(request.getfixturevalue("device"))
    yield
    ops.set_default_device(None)
