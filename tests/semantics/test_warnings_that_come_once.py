"""What PyTorch warns of once in a process, unless it is asked to repeat itself."""

import warnings

import pytest


def of_a_cycle(lib):
    x = lib.ones(1, requires_grad=True)
    (x * x).backward(create_graph=True)
    x.grad = None


def of_a_number_with_a_history(lib):
    float(lib.ones(1, requires_grad=True) * 2)


def of_reversed_dimensions(lib):
    _ = lib.ones(1, 2, 3).T


ONCE = [of_a_cycle, of_a_number_with_a_history, of_reversed_dimensions]


def heard(occasion, lib):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        occasion(lib)
    return len(caught)


@pytest.mark.parametrize("occasion", ONCE)
def test_it_comes_once(lib, occasion):
    lib.set_warn_always(False)
    before = heard(occasion, lib)  # none if it came earlier in this process

    assert before <= 1
    assert heard(occasion, lib) == 0


@pytest.mark.parametrize("occasion", ONCE)
def test_and_each_time_if_that_is_asked_for(lib, occasion):
    lib.set_warn_always(True)

    assert lib.is_warn_always_enabled()
    assert [heard(occasion, lib) for _ in range(2)] == [1, 1]
