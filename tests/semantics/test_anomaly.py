"""Anomaly mode: the lines behind a gradient that is not a number, and behind a write."""

from __future__ import annotations

import sys
import warnings

import pytest

pytestmark = pytest.mark.filterwarnings(
    "ignore:Anomaly Detection has been enabled",
    # NumPy's own word on what these programs do on purpose
    "ignore:(invalid value|divide by zero) encountered:RuntimeWarning",
)


def caught(function):
    """Return the texts of the warnings about a failed node, and the exception."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        with pytest.raises(Exception) as raised:  # noqa: PT011 - the caller looks at it
            function()
    texts = [str(w.message) for w in found]
    return [t for t in texts if "Error detected" in t or "Previous" in t], raised.value


def test_entering_anomaly_mode_warns(lib, warns):
    with warns(UserWarning, "Anomaly Detection has been enabled. This mode will increase the"):
        lib.autograd.detect_anomaly()


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
def test_anomaly_mode_holds_inside_its_block(lib):
    before = lib.is_anomaly_enabled()
    with lib.autograd.detect_anomaly(check_nan=False):
        inside = lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()
    with lib.autograd.set_detect_anomaly(True):
        switched = lib.is_anomaly_enabled(), lib.is_anomaly_check_nan_enabled()

    assert (before, inside, switched) == (False, (True, False), (True, True))
    assert not lib.is_anomaly_enabled()


def test_anomaly_mode_may_be_switched_by_a_call(lib):
    lib.autograd.set_detect_anomaly(True)
    on = lib.is_anomaly_enabled()
    lib.autograd.set_detect_anomaly(False)

    assert (on, lib.is_anomaly_enabled()) == (True, False)


def test_anomaly_mode_takes_bools_only(lib, raises):
    with raises(TypeError, "set_anomaly_enabled(): argument 'enabled' (position 1) must be bool"):
        lib.autograd.set_detect_anomaly("yes")


def test_warnings_as_errors_do_not_hide_the_node_that_made_a_nan(lib, raises, capfd):
    with lib.autograd.set_detect_anomaly(True):
        result = lib.tensor([-1.0], requires_grad=True).sqrt().sum()
        with warnings.catch_warnings(), raises(RuntimeError, "Function 'SqrtBackward0' returned"):
            warnings.simplefilter("error", UserWarning)
            result.backward()

    assert "Error detected in SqrtBackward0" in capfd.readouterr().err


def test_nan_gradient_raises_and_names_its_node(lib):
    x = lib.tensor([0.0, 1.0], requires_grad=True)

    def run():
        with lib.autograd.detect_anomaly():
            (x.sqrt() * 0).sum().backward()  # the culprit

    texts, error = caught(run)

    assert isinstance(error, RuntimeError)
    first = str(error).partition("\n")[0]
    assert first == "Function 'SqrtBackward0' returned nan values in its 0th output."
    assert len(texts) == 1
    assert texts[0].startswith(
        "Error detected in SqrtBackward0. Traceback of forward call that caused the error:\n  File "
    )
    assert ", in run\n    (x.sqrt() * 0).sum().backward()  # the culprit\n" in texts[0]


def test_nan_without_a_forward_trace_says_so(lib):
    x = lib.tensor([0.0], requires_grad=True)
    y = x.sqrt() * 0

    def run():
        with lib.autograd.detect_anomaly():
            lib.autograd.grad(y, x)

    texts, _ = caught(run)

    assert len(texts) == 1
    assert texts[0].startswith(
        "Error detected in SqrtBackward0. No forward pass information available. Enable detect "
        "anomaly during forward pass for more information."
    )


def test_nan_passes_where_it_is_not_looked_for(lib):
    x = lib.tensor([0.0], requires_grad=True)
    with lib.autograd.set_detect_anomaly(True, check_nan=False):
        (x.sqrt() * 0).sum().backward()

    assert x.grad.isnan().all()


def test_error_of_a_function_is_reported_with_its_forward_line(lib):
    class Failing(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            message = "no gradient today"
            raise ValueError(message)

    x = lib.ones(1, requires_grad=True)

    def run():
        with lib.autograd.detect_anomaly():
            Failing.apply(x).sum().backward()

    texts, error = caught(run)

    assert (type(error), str(error)) == (ValueError, "no gradient today")
    assert len(texts) == 1
    assert texts[0].startswith("Error detected in FailingBackward. Traceback of forward call")
    assert "Failing.apply(x).sum().backward()" in texts[0]


def test_metadata_holds_the_lines_that_made_a_node(lib):
    x = lib.ones(1, requires_grad=True)
    plain = x * 2
    with lib.autograd.set_detect_anomaly(True):
        y = x * 2

    assert "traceback_" not in plain.grad_fn.metadata
    lines = y.grad_fn.metadata["traceback_"]
    assert all(line.startswith('  File "') for line in lines)
    assert lines[-1].endswith("\n    y = x * 2\n")


def test_node_made_by_a_backward_pass_knows_which_node_ran(lib):
    x = lib.tensor([2.0], requires_grad=True)
    with lib.autograd.set_detect_anomaly(True):
        y = x**3
        (slope,) = lib.autograd.grad(y, x, create_graph=True)

    assert slope.grad_fn.metadata["parent_"] is y.grad_fn


def test_nan_in_a_second_derivative_is_traced_through_the_first(lib):
    x = lib.tensor([0.0], requires_grad=True)

    def run():
        with lib.autograd.detect_anomaly():
            (slope,) = lib.autograd.grad(x**1.5, x, create_graph=True)
            (slope * 0).sum().backward()

    texts, error = caught(run)

    assert str(error).startswith("Function 'PowBackward0' returned nan values in its 0th output.")
    assert [t.lstrip().partition(".")[0] for t in texts] == [
        "Error detected in PowBackward0",
        "Previous calculation was induced by PowBackward0",
    ]


def test_hint_of_the_version_error_changes_in_anomaly_mode(lib):
    x = lib.ones(1, requires_grad=True)

    def run():
        with lib.autograd.detect_anomaly():
            y = x.exp()
            y.add_(1)
            y.sum().backward()

    texts, error = caught(run)

    assert "Hint: the backtrace further above shows the operation that failed" in str(error)
    assert "y = x.exp()" in texts[0]


# Beyond PyTorch


def test_nan_from_the_unselected_branch_of_where_is_explained(lib):
    x = lib.tensor([-1.0, 4.0], requires_grad=True)

    def run():
        with lib.autograd.detect_anomaly():
            lib.where(x > 0, x.sqrt(), x * 0).sum().backward()

    _, error = caught(run)

    assert (error.op, error.output) == ("SqrtBackward0", 0)
    assert "in the branch that WhereBackward0 did not select" in error.hint
    assert error.hint in str(error)


def test_write_that_spoiled_a_gradient_is_named(lib):
    x = lib.ones(2, requires_grad=True)
    y = x.exp()
    y[0] = 1.0

    _, error = caught(lambda: y.sum().backward())

    assert (error.op, error.shape, error.modified_by) == ("ExpBackward0", (2,), "__setitem__")
    assert (error.expected_version, error.found_version) == (0, 1)
    assert (error.modified_at, error.saved_at) == (None, None)
    assert "written to 1 time(s) since, namely by __setitem__()" in str(error)


def test_anomaly_mode_names_the_line_of_the_write(lib):
    x = lib.ones(2, requires_grad=True)
    with lib.autograd.set_detect_anomaly(True):
        y = x.exp()
        y.mul_(2)  # the first
        y.add_(1)

        _, error = caught(lambda: y.sum().backward())

    assert error.modified_by == "mul_"
    assert error.modified_at.endswith(": `y.mul_(2)  # the first`")
    assert error.saved_at.endswith(": `y = x.exp()`")
    assert error.modified_at in str(error)


def calls_of(function):
    """Return how many Python functions *function* calls."""
    found = []
    sys.setprofile(lambda frame, event, arg: found.append(event))
    try:
        function()
    finally:
        sys.setprofile(None)
    return found.count("call") - 1


def test_remembering_writes_costs_no_call_while_it_is_off(lib):
    x, w = lib.ones(2), lib.ones(2, requires_grad=True)
    run = [
        lambda: x.add_(1),
        lambda: (w * x).sum(dim=0),
        lambda: lib.autograd.grad((w * x).exp().sum(), w),
    ]
    for work in run:
        work()  # what the first call finds out is kept
    before = [calls_of(work) for work in run]
    with lib.autograd.set_detect_anomaly(True):
        during = [calls_of(work) for work in run]

    assert [calls_of(work) for work in run] == before
    assert all(more > less for more, less in zip(during, before, strict=True))
