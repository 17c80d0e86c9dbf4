"""What needs a process of its own: two devices, and launches that block."""

from __future__ import annotations

import pytest

PROGRAM = """
import cupy
import chainrule as cr
from chainrule import nn

assert cr.cuda.device_count() == 2
x = cr.ones(3, device="cuda:1", requires_grad=True)
y = (x * 2).exp().sum()
assert (y.device, cr.cuda.current_device()) == (cr.device("cuda:1"), 0)
y.backward()
assert x.grad.device == cr.device("cuda:1")

leaf = cr.ones(4, device="cuda:0", requires_grad=True)
moved = leaf.to("cuda:1") * 3
moved.sum().backward()
assert (moved.device.index, leaf.grad.device.index, leaf.grad.tolist()) == (1, 0, [3.0] * 4)

model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 2)).to("cuda:1")
optimizer = cr.optim.AdamW(model.parameters())
inputs, labels = cr.randn(6, 4, device="cuda:1"), cr.zeros(6, dtype=cr.int64, device="cuda:1")
loss = nn.functional.cross_entropy(model(inputs), labels)
loss.backward()
optimizer.step()
assert {p.device.index for p in model.parameters()} == {1}
assert {p.grad.device.index for p in model.parameters()} == {1}

with cr.cuda.device(1):
    assert cr.ones(1, device="cuda").device.index == 1
assert cr.ones(1, device="cuda").device.index == 0
cr.cuda.set_device(1)
assert cr.rand(2, device="cuda").device.index == 1
cr.cuda.set_device(0)

first = cr.cuda.Stream(device=0)
second = cr.cuda.Stream(device=1)
with cr.cuda.stream(second):
    there = cr.ones(2, device="cuda") * 3
first.wait_stream(second)  # whichever device is current
event = second.record_event()
assert (there.device.index, event.device.index, cr.cuda.current_device()) == (1, 1, 0)
try:
    event.record(first)
except RuntimeError as error:
    assert "Event device 1 does not match recording stream's device 0" in str(error)
else:
    raise AssertionError("an event changed its device")
before = cr.cuda.current_stream()
cr.cuda.set_stream(second)
assert (cr.cuda.current_device(), cr.cuda.current_stream()) == (1, second)
cr.cuda.set_stream(cr.cuda.default_stream(1))
cr.cuda.set_stream(before)
assert cr.cuda.current_device() == 0
cupy.cuda.Device(1).use()
array = cupy.ones(2)
cupy.cuda.Device(0).use()
assert cr.from_cupy(array).device.index == cr.from_dlpack(array).device.index == 1
assert (cr.from_cupy(array) * cr.tensor(2.0)).tolist() == [2.0, 2.0]
there.record_stream(second)

try:
    cr.ones(1, device="cuda:0") + cr.ones(1, device="cuda:1")
except RuntimeError as error:
    assert "Expected all tensors to be on the same device" in str(error)
else:
    raise AssertionError("two devices were mixed")
try:
    cr.ones(1, device="cuda:2")
except RuntimeError as error:
    assert str(error).startswith("invalid device ordinal"), error
else:
    raise AssertionError("there is no third device")
print("all of it")
"""


def test_everything_stays_on_the_device_that_it_was_made_on(run_on_standin):
    done = run_on_standin(PROGRAM, "devices=2")
    assert (done.code, done.out.strip().splitlines()[-1:]) == (0, ["all of it"]), done.err


BLOCKING = """
import chainrule as cr

table = cr.zeros(3, 2, device="cuda")
try:
    cr.nn.functional.embedding(cr.tensor([3], device="cuda"), table)
except IndexError as error:
    print(error)
"""


def test_place_out_of_bounds_raises_in_the_call_where_launches_block(run_on_standin):
    done = run_on_standin(BLOCKING, CUDA_LAUNCH_BLOCKING="1")
    assert done.out.strip().splitlines()[-2:] == [
        "index out of range in self",
        "embedding: index 3 is out of bounds for dimension 0: expected one from 0 to 2",
    ], done.err


SHARED = """
import chainrule as cr

made_on, reads = cr.cuda.Stream(), cr.cuda.Stream()
with cr.cuda.stream(made_on):
    x = cr.full((1000,), 3.0, device="cuda")
reads.wait_stream(made_on)
with cr.cuda.stream(reads):
    doubled = x * 2
if {keep}:
    x.record_stream(reads)
del x
with cr.cuda.stream(made_on):
    y = cr.full((1000,), 7.0, device="cuda")  # the pool has memory of that size for this stream
made_on.synchronize()
reads.synchronize()
print(doubled[0].item())
"""


@pytest.mark.parametrize(("keep", "seen"), [(True, "6.0"), (False, "14.0")])
def test_memory_recorded_for_a_stream_is_not_used_anew_before_it_was_read(
    run_on_standin, keep, seen
):
    done = run_on_standin(SHARED.format(keep=keep), "asynchronous,seed=11")
    assert done.out.strip().splitlines()[-1:] == [seen], done.err


KEPT = """
import chainrule as cr

stream = cr.cuda.Stream()
x = cr.ones(1000, device="cuda")
look = x[10:]
x.record_stream(stream)
look.record_stream(stream)
used = cr.cuda.memory_allocated()
del x
cr.cuda.empty_cache()
assert cr.cuda.memory_allocated() == used  # a view is left
with cr.cuda.stream(stream):
    cr.ones(10, device="cuda").mul_(2)
del look
cr.cuda.empty_cache()
assert cr.cuda.memory_allocated() >= used  # the stream has yet to work
stream.synchronize()
cr.cuda.empty_cache()
assert cr.cuda.memory_allocated() < used
print("all of it")
"""


def test_memory_recorded_for_a_stream_is_let_go_once_that_has_worked(run_on_standin):
    done = run_on_standin(KEPT, "asynchronous,seed=11")
    assert done.out.strip().splitlines()[-1:] == ["all of it"], done.err
