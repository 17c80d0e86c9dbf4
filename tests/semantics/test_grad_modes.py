"""`no_grad`, `enable_grad`, `set_grad_enabled`: where they hold, and where they end."""

from __future__ import annotations

import asyncio
import threading

import pytest


def test_no_grad_stops_recording_inside_its_block(lib):
    x = lib.ones(1, requires_grad=True)
    with lib.no_grad():
        inside = x * 2
        enabled = lib.is_grad_enabled()

    assert (enabled, lib.is_grad_enabled()) == (False, True)
    assert (inside.requires_grad, inside.is_leaf, (x * 2).requires_grad) == (False, True, True)


def test_enable_grad_records_again_inside(lib):
    x = lib.ones(1, requires_grad=True)
    with lib.no_grad(), lib.enable_grad():
        y = x * 2

    assert y.requires_grad


def test_block_left_by_an_exception_restores_the_mode(lib):
    with pytest.raises(ZeroDivisionError), lib.no_grad():
        _ = 1 / 0

    assert lib.is_grad_enabled()


def test_one_context_may_be_entered_again_inside_itself(lib):
    guard = lib.no_grad()
    with guard:
        with guard:
            assert not lib.is_grad_enabled()
        assert not lib.is_grad_enabled()

    assert lib.is_grad_enabled()


def test_decorator_works_with_and_without_parentheses(lib):
    @lib.no_grad()
    def called():
        return lib.is_grad_enabled()

    @lib.no_grad
    def bare():
        """Say whether recording is on."""
        return lib.is_grad_enabled()

    assert (called(), bare(), lib.is_grad_enabled()) == (False, False, True)
    assert (bare.__name__, bare.__doc__) == ("bare", "Say whether recording is on.")


def test_set_grad_enabled_is_a_call_and_a_context(lib):
    lib.set_grad_enabled(False)
    called = lib.is_grad_enabled()
    lib.set_grad_enabled(True)
    with lib.set_grad_enabled(False):
        inside = lib.is_grad_enabled()

    assert (called, inside, lib.is_grad_enabled()) == (False, False, True)


def test_set_grad_enabled_as_decorator_does_not_leak(lib):
    @lib.set_grad_enabled(False)
    def function():
        return lib.is_grad_enabled()

    assert lib.is_grad_enabled()
    assert not function()


def test_decorated_generator_holds_the_mode_in_its_body_only(lib):
    @lib.no_grad()
    def generator():
        received = yield lib.is_grad_enabled()
        yield received, lib.is_grad_enabled()

    steps = generator()
    first = next(steps)
    between = lib.is_grad_enabled()
    second = steps.send("sent")

    assert (first, between, second) == (False, True, ("sent", False))
    assert lib.is_grad_enabled()


def test_decorated_coroutine_holds_the_mode_in_its_body_only(lib):
    @lib.no_grad()
    async def coroutine():
        before = lib.is_grad_enabled()
        await asyncio.sleep(0)
        return before, lib.is_grad_enabled()

    async def main():
        found = await coroutine()
        return found, lib.is_grad_enabled()

    assert asyncio.run(main()) == ((False, False), True)


def test_new_thread_starts_recording(lib):
    found = []
    with lib.no_grad():
        thread = threading.Thread(target=lambda: found.append(lib.is_grad_enabled()))
        thread.start()
        thread.join()

    assert found == [True]


def test_decorating_a_class_warns(lib):
    with pytest.warns(
        FutureWarning,
        match="^Decorating classes is deprecated and will be disabled in future versions.",
    ):

        @lib.no_grad()
        class Model:
            def __init__(self):
                self.enabled = lib.is_grad_enabled()

    assert Model().enabled is False
