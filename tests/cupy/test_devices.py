"""What needs a process of its own: two devices, and launches that block."""

from __future__ import annotations

PROGRAM = """
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
