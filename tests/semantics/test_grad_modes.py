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


def test_decorating_a_class_warns(lib, warns):
    with warns(
        FutureWarning,
        "Decorating classes is deprecated and will be disabled in future versions. You should only "
        "decorate functions or methods. To preserve the current behavior of class decoration, you "
        "can directly decorate the `__init__` method and nothing else.",
    ):

        @lib.no_grad()
        class Model:
            def __init__(self):
                self.enabled = lib.is_grad_enabled()

    assert Model().enabled is False


def test_decorated_generator_is_thrown_into_and_closed_in_the_mode(lib):
    found = []

    @lib.no_grad()
    def generator():
        try:
            yield lib.is_grad_enabled()
        except ValueError:
            yield "caught", lib.is_grad_enabled()
        finally:
            found.append(lib.is_grad_enabled())

    steps = generator()
    assert next(steps) is False
    assert steps.throw(ValueError()) == ("caught", False)
    assert lib.is_grad_enabled()
    steps.close()

    assert (found, lib.is_grad_enabled()) == ([False], True)


def test_decorated_generator_returns_its_value(lib):
    @lib.no_grad()
    def generator():
        yield 1
        return 2

    def outer():
        return (yield from generator())

    steps = outer()
    assert next(steps) == 1
    with pytest.raises(StopIteration) as stopped:
        next(steps)
    assert stopped.value.value == 2


def test_decorated_asynchronous_generator_holds_the_mode_in_its_body_only(lib):
    @lib.no_grad()
    async def generator():
        try:
            received = yield lib.is_grad_enabled()
            await asyncio.sleep(0)
            yield received, lib.is_grad_enabled()
        except ValueError:
            yield "caught", lib.is_grad_enabled()

    async def main():
        steps = generator()
        first = await steps.asend(None)
        between = lib.is_grad_enabled()
        second = await steps.asend("sent")
        caught = await steps.athrow(ValueError())
        await steps.aclose()
        return first, between, second, caught, lib.is_grad_enabled()

    found = asyncio.run(main())
    assert found == (False, True, ("sent", False), ("caught", False), True)


def test_tasks_that_take_turns_keep_their_modes_apart(lib):
    async def recording(turns):
        seen = []
        for _ in range(turns):
            await asyncio.sleep(0)
            seen.append(lib.is_grad_enabled())
        return seen

    async def main():
        quiet = lib.no_grad()(recording)
        return await asyncio.gather(recording(3), quiet(3), recording(3))

    assert asyncio.run(main()) == [[True] * 3, [False] * 3, [True] * 3]


def test_decorated_method_keeps_its_name_and_signature(lib):
    class Model:
        @lib.no_grad()
        def predict(self, x, *, scale=2):
            """Say whether recording is on."""
            return x * scale, lib.is_grad_enabled()

    assert Model().predict(3, scale=4) == (12, False)
    assert (Model.predict.__name__, Model.predict.__doc__) == (
        "predict",
        "Say whether recording is on.",
    )
