"""Promises of the profiler: every op and node is counted, times add up, the trace can be opened."""

from __future__ import annotations

import gzip
import json
import threading

import pytest

import chainrule as cr
from chainrule.autograd.profiler import profile, record_function
from chainrule.profiler import profile as stepwise
from chainrule.profiler import schedule


@pytest.fixture
def x(device):
    return cr.ones(4, 8, device=device, requires_grad=True)


def counts(prof):
    return {event.key: event.count for event in prof.key_averages()}


def test_ops_and_nodes_are_counted_under_pytorchs_names(x):
    with profile() as prof:
        for _ in range(3):
            (x * 2).exp().sum().backward()
    found = counts(prof)

    assert found["aten::exp"] == 3
    assert found["aten::sum"] == 3
    assert found["ExpBackward0"] == 3
    assert found["autograd::engine::evaluate_function: MulBackward0"] == 3
    assert found["torch::autograd::AccumulateGrad"] == 3


def test_ops_of_a_node_stand_inside_of_it(x):
    with profile() as prof:
        x.exp().sum().backward()
    node = next(e for e in prof.function_events if e.name == "ExpBackward0")

    assert [child.name for child in node.cpu_children] == ["aten::mul"]
    assert node.cpu_parent.name == "autograd::engine::evaluate_function: ExpBackward0"


def test_times_of_children_are_inside_the_time_of_their_parent(x):
    with profile() as prof, record_function("all"):
        x.exp().sum().backward()
    whole = next(e for e in prof.function_events if e.name == "all")

    assert whole.self_cpu_time_total >= 0
    assert prof.self_cpu_time_total == pytest.approx(whole.cpu_time_total)
    for event in prof.function_events:
        for child in event.cpu_children:
            assert event.time_range.start <= child.time_range.start
            assert child.time_range.end <= event.time_range.end


def test_memory_of_results_is_counted_once(x):
    with profile(profile_memory=True) as prof:
        y = x.exp()
        _ = y.view(8, 4)
        _ = cr.nn.functional.softmax(y, 1)
    total = prof.total_average()

    assert total.self_cpu_memory_usage == 2 * x.nbytes
    assert "Self CPU Mem" in prof.key_averages().table()


def test_shapes_are_recorded_and_grouped_by(x):
    with profile(record_shapes=True) as prof:
        _ = x.exp(), x[0].exp(), x.exp()
    found = {
        str(e.input_shapes): e.count
        for e in prof.key_averages(group_by_input_shape=True)
        if e.key == "aten::exp"
    }

    assert found == {"[[4, 8]]": 2, "[[8]]": 1}


def test_lines_are_recorded(x):
    with profile(with_stack=True) as prof:
        _ = x.exp()
    (event,) = prof.function_events

    assert event.stack[0].endswith("test_lines_are_recorded")
    assert "test_profiler.py" in prof.key_averages(group_by_stack_n=1).table()


def test_in_place_and_nested_ops_are_one_event(x):
    with profile() as prof:
        y = x.detach().clone()
        y.add_(1)
        _ = y.sum()

    assert counts(prof) == {
        "aten::detach": 1, "aten::clone": 1, "aten::add_": 1, "aten::sum": 1,
    }  # fmt: skip


def test_blocks_nest_and_decorate(x):
    @record_function("inner")
    def inner():
        return x.exp()

    with profile() as prof, record_function("outer"):
        inner()
        inner()
    outer = next(e for e in prof.function_events if e.name == "outer")

    assert [child.name for child in outer.cpu_children] == ["inner", "inner"]
    assert outer.is_user_annotation


def test_a_named_block_without_a_profile_does_nothing(x):
    with record_function("alone"):
        assert x.exp().shape == x.shape


def test_steps_of_optimizers_are_named(x):
    layer = cr.nn.Linear(8, 1).to(x.device)
    optimizer = cr.optim.SGD(layer.parameters(), lr=0.1)
    layer(x).sum().backward()
    with profile() as prof:
        optimizer.step()

    assert counts(prof)["Optimizer.step#SGD.step"] == 1


def test_an_op_that_raises_ends_its_event(x):
    with profile() as prof:
        with pytest.raises(RuntimeError):
            _ = x @ x
        _ = x.exp()
    last = prof.function_events[-1]

    assert last.name == "aten::exp"
    assert last.cpu_parent is None


def test_every_thread_has_its_own_events(x):
    def work():
        for _ in range(10):
            x.exp().sum().backward()

    with profile() as prof:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert counts(prof)["aten::exp"] == 40
    assert all(c.thread == e.thread for e in prof.function_events for c in e.cpu_children)


def test_the_table_is_sorted_limited_and_titled(x):
    with profile() as prof:
        _ = x.exp(), x.exp(), x.sin()
    text = prof.key_averages().table(sort_by="count", row_limit=1, header="my table")

    assert "my table" in text
    assert "aten::exp" in text
    assert "aten::sin" not in text
    assert "Self CPU time total: " in text
    with pytest.raises(AttributeError, match="expected sort_by to be one of"):
        prof.key_averages().table(sort_by="colour")


def test_the_trace_has_what_viewers_need(x, tmp_path):
    with profile(record_shapes=True) as prof:
        x.exp().sum().backward()
    path = tmp_path / "trace.json"
    prof.export_chrome_trace(path)
    trace = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    complete = [e for e in trace if e["ph"] == "X"]

    assert {"aten::exp", "ExpBackward0"} <= {e["name"] for e in complete}
    assert all({"ts", "dur", "pid", "tid", "name", "cat"} <= e.keys() for e in complete)
    assert all(e["dur"] >= 0 for e in complete)
    starts = {e["id"] for e in trace if e["ph"] == "s"}
    assert starts == {e["id"] for e in trace if e["ph"] == "f"}
    assert len(starts) == 2  # of exp and of sum, from where each was made to where it ran


def test_results_are_the_same_while_profiled(x):
    plain = x.exp().sum()
    with profile():
        profiled = x.exp().sum()

    assert plain.item() == profiled.item()
    assert type(profiled.grad_fn) is type(plain.grad_fn)


def test_nothing_is_left_behind(x):
    from chainrule import anomaly, engine

    before = cr.exp.fast, engine.run_backward
    with profile(), profile():
        assert cr.exp.fast is not before[0]

    assert (cr.exp.fast, engine.run_backward) == before
    assert anomaly.watcher() is None


def test_a_disabled_profile_does_nothing(x):
    with profile(enabled=False) as prof:
        _ = x.exp()

    assert prof.function_events is None


def test_misuse_is_refused(x):
    prof = profile()
    with prof:
        with pytest.raises(RuntimeError, match="didn't finish running"):
            prof.key_averages()
        assert str(prof) == "<unfinished torch.autograd.profile>"
    with pytest.raises(RuntimeError, match="not reentrant"):
        prof.__enter__()


# By steps


def test_a_schedule_keeps_the_active_steps(x):
    kept = []
    plan = schedule(wait=1, warmup=1, active=2, repeat=2)
    with stepwise(schedule=plan, on_trace_ready=lambda p: kept.append(counts(p))) as prof:
        for step in range(10):
            for _ in range(step):
                _ = x.exp()
            prof.step()

    assert [found["aten::exp"] for found in kept] == [2 + 3, 6 + 7]
    assert "ProfilerStep#3" in kept[0]


def test_without_a_schedule_everything_is_kept(x, tmp_path):
    kept = []
    with stepwise(on_trace_ready=kept.append) as prof:
        _ = x.exp()
    path = tmp_path / "trace.json.gz"
    prof.export_chrome_trace(path)

    assert kept == [prof]
    assert counts(prof) == {"aten::exp": 1}
    assert "traceEvents" in json.loads(gzip.decompress(path.read_bytes()))


def test_traces_for_tensorboard_are_written(x, tmp_path):
    handler = cr.profiler.tensorboard_trace_handler(str(tmp_path / "runs"), "worker")
    with stepwise(on_trace_ready=handler):
        _ = x.exp()

    (path,) = (tmp_path / "runs").iterdir()
    assert path.name.startswith("worker.")
    assert path.name.endswith(".pt.trace.json")


@pytest.mark.parametrize("options", [{"active": 0}, {"active": 1, "wait": -1}])
def test_a_schedule_without_active_steps_is_refused(options):
    with pytest.raises(AssertionError):
        schedule(**{"wait": 0, "warmup": 0, **options})
