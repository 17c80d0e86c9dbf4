"""Four threads of the host use one device at once: each gets what it gets alone."""

from __future__ import annotations

import pytest

PROGRAM = """
import threading

import cupy
import numpy as np

import chainrule as cr
from chainrule import nn


def train(seed, streams):
    numbers = np.random.default_rng(seed)

    def drawn(*shape):
        return cr.from_numpy(numbers.standard_normal(shape).astype("f")).cuda()

    layers = nn.Linear(6, 16), nn.GELU(), nn.LayerNorm(16), nn.Linear(16, 3)
    model = nn.Sequential(*layers).cuda()
    with cr.no_grad():
        for parameter in model.parameters():
            parameter.copy_(drawn(*parameter.shape))
    x, y = drawn(9, 6), cr.from_numpy(numbers.integers(0, 3, 9)).cuda()
    optimizer = cr.optim.AdamW(model.parameters(), lr=0.05)
    stream, seen = cr.cuda.Stream() if streams else cr.cuda.current_stream(), []
    stream.wait_stream(cr.cuda.current_stream())
    with cr.cuda.stream(stream):
        for step in range(10):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            seen.append(loss.item())
            if step % 4 == 0:  # compiled while the others run
                name = f"own_{seed}_{step}"
                own = cupy.ElementwiseKernel("float32 a", "float32 b", f"b = a + {seed}.5f", name)
                seen.append(float(own(cupy.ones(3, "float32")).sum()))
    return seen


alone = [train(seed, streams=False) for seed in range(4)]
for streams in (False, True):
    together = {}
    threads = [
        threading.Thread(target=lambda s=seed: together.update({s: train(s, streams)}))
        for seed in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together.get(seed) for seed in range(4)] == alone, f"streams: {streams}"
print("all of it")
"""


@pytest.mark.parametrize("options", ["devices=1", "asynchronous,seed=3"])
def test_threads_that_train_at_once_get_what_each_gets_alone(run_on_standin, options):
    done = run_on_standin(PROGRAM, options)
    assert (done.code, done.out.strip().splitlines()[-1:]) == (0, ["all of it"]), done.err
