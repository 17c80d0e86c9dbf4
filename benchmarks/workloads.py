"""Whole programs: chainrule against PyTorch, the same source, turn and turn about in one process.

Printed are medians in milliseconds per step and the ratio chainrule / PyTorch with its quartiles;
only the ratio is comparable between machines. With ``--memory`` each program runs in a process of
its own, and what is printed is the peak of its resident memory above that before the first step.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/workloads.py
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from overhead import compare, timed, training_step

if TYPE_CHECKING:
    from collections.abc import Callable

    Program = Callable[[Any], Callable[[], float]]


def trained(lib: Any, net: Any, batch: Any, target: Any, number: int = 1) -> Callable[[], float]:
    """Return steps of Adam on a cross entropy."""
    optimizer = lib.optim.Adam(net.parameters(), lr=1e-3)
    loss_of = lib.nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        loss_of(net(batch), target).backward()
        optimizer.step()

    return timed(step, number)


def mlp(lib: Any) -> Callable[[], float]:
    """A network 784-512-512-10, batch 64."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )
    return trained(lib, net, lib.randn(64, 784), lib.randint(0, 10, (64,)), 5)


def cnn(lib: Any) -> Callable[[], float]:
    """Two convolutions with pooling and two layers on 28×28, batch 32."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    return trained(lib, net, lib.randn(32, 1, 28, 28), lib.randint(0, 10, (32,)))


def residual(lib: Any) -> Callable[[], float]:
    """A residual block with batch normalisation, 32 channels on 16×16, batch 16."""
    nn = lib.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]  # of either library
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
                nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32),
            )  # fmt: skip

        def forward(self, x: Any) -> Any:
            return (self.body(x) + x).relu().mean((2, 3))

    lib.manual_seed(0)
    return trained(lib, Block(), lib.randn(16, 32, 16, 16), lib.randint(0, 32, (16,)))


def gpt(lib: Any) -> Callable[[], float]:
    """A language model of 4 layers of width 128 with 4 heads, 64 tokens, batch 8."""
    nn = lib.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]  # of either library
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.LayerNorm(128), nn.LayerNorm(128)
            self.mixed, self.out = nn.Linear(128, 384), nn.Linear(128, 128)
            self.wide, self.narrow = nn.Linear(128, 512), nn.Linear(512, 128)

        def attend(self, x: Any) -> Any:
            batch, steps, width = x.shape
            parts = self.mixed(x).view(batch, steps, 3, 4, width // 4).permute(2, 0, 3, 1, 4)
            q, k, v = parts[0], parts[1], parts[2]
            scores = (q @ k.transpose(-2, -1)) / (width // 4) ** 0.5
            future = lib.ones(steps, steps, dtype=lib.bool).triu(1)
            mixed = scores.masked_fill(future, float("-inf")).softmax(-1) @ v
            return self.out(mixed.transpose(1, 2).reshape(batch, steps, width))

        def forward(self, x: Any) -> Any:
            x = x + self.attend(self.first(x))
            return x + self.narrow(nn.functional.gelu(self.wide(self.second(x))))

    class Model(nn.Module):  # type: ignore[misc, name-defined]  # of either library
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(96, 128), nn.Embedding(64, 128)
            self.blocks = nn.Sequential(*[Block() for _ in range(4)])
            self.norm, self.head = nn.LayerNorm(128), nn.Linear(128, 96)

        def forward(self, x: Any) -> Any:
            x = self.tokens(x) + self.places(lib.arange(64))
            return self.head(self.norm(self.blocks(x))).flatten(0, 1)

    lib.manual_seed(0)
    tokens = lib.randint(0, 96, (8, 64))
    return trained(lib, Model(), tokens, tokens.flatten())


def lstm(lib: Any) -> Callable[[], float]:
    """A long short-term memory 32 to 64 over 50 steps, batch 32."""
    lib.manual_seed(0)
    layer, x = lib.nn.LSTM(32, 64), lib.randn(50, 32, 32)

    def step() -> None:
        layer.zero_grad()
        layer(x)[0].sum().backward()

    return timed(step, 1)


def elementwise(lib: Any) -> Callable[[], float]:
    """Eight elementwise operations on a million numbers, with their gradient."""
    x = lib.randn(1_000_000, requires_grad=True)

    def step() -> None:
        x.grad = None
        y = (x * 2 + 1).sigmoid() * x.tanh() - (x * x).exp().neg().exp()
        y.sum().backward()

    return timed(step, 1)


def hessian_vector(lib: Any) -> Callable[[], float]:
    """A product with the Hessian of a tanh network 32-64-1, batch 32."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(nn.Linear(32, 64), nn.Tanh(), nn.Linear(64, 1))
    params, x, y = list(net.parameters()), lib.randn(32, 32), lib.randn(32, 1)
    directions = [lib.randn(p.shape) for p in params]

    def step() -> None:
        loss = ((net(x) - y) ** 2).mean()
        grads = lib.autograd.grad(loss, params, create_graph=True)
        along = sum((g * v).sum() for g, v in zip(grads, directions, strict=True))
        lib.autograd.grad(along, params)

    return timed(step, 20)


def chain(lib: Any) -> Callable[[], float]:
    """A chain of 10,000 operations on ten numbers, and back."""
    start = lib.ones(10, requires_grad=True)

    def step() -> None:
        x = start
        for _ in range(5000):
            x = (x * 1.0001).sin()
        x.sum().backward()

    return timed(step, 1)


#: Each with what its ratio should be at most.
PROGRAMS: dict[str, tuple[Program, float]] = {
    "tiny MLP": (training_step, 1.0),
    "MLP 784-512-512-10": (mlp, 1.0),
    "CNN on 28x28": (cnn, 3.0),
    "residual block": (residual, 3.0),
    "GPT 4x128": (gpt, 3.0),
    "LSTM": (lstm, 3.0),
    "elementwise million": (elementwise, 3.0),
    "HVP": (hessian_vector, 1.0),
    "chain of 10,000": (chain, 1.0),
}


def peak() -> float:
    """Return the peak of the resident memory so far, in MiB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 2**10)


def memory_of(name: str, library: str) -> float:
    """Return the peak above what there was before the first step, in a process of its own."""
    command = [sys.executable, __file__, "--measure", name, library]
    found = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this file
    return float(found.stdout)


def measure(name: str, library: str) -> None:
    """Run three steps and print the peak above what there was before the first."""
    lib = __import__(library)
    if library == "torch":
        lib.set_num_threads(1)
    run = PROGRAMS[name][0](lib)
    before = peak()
    for _ in range(3):
        run()
    print(peak() - before)


def main() -> None:
    """Print the table of ratios, or with ``--json`` an object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="programs to run; all by default")
    parser.add_argument("--rounds", type=int, default=15, help="alternations per program")
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure)
        return
    chosen = [n for n in PROGRAMS if not arguments.names or n in arguments.names]
    found: dict[str, dict[str, float]] = {}
    if not arguments.json:
        print(f"{'program':<22}{'chainrule':>13}{'torch':>13}{'ratio':>8}   quartiles    target")
    for name in chosen:
        if arguments.memory:
            ours, theirs = (memory_of(name, library) for library in ("chainrule", "torch"))
            found[name] = {"chainrule_mib": ours, "torch_mib": theirs, "ratio": ours / theirs}
            text = f"{ours:>9.1f} MiB{theirs:>9.1f} MiB{ours / theirs:>8.2f}                 1.5"
        else:
            found[name] = one = compare(PROGRAMS[name][0], arguments.rounds)
            text = (
                f"{one['chainrule_us'] / 1e3:>10.2f} ms{one['torch_us'] / 1e3:>10.2f} ms"
                f"{one['ratio']:>8.2f}   {one['ratio_low']:.2f}-{one['ratio_high']:.2f}"
                f"    {PROGRAMS[name][1]:>4.1f}"
            )
        if not arguments.json:
            print(f"{name:<22}{text}", flush=True)
    if arguments.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
