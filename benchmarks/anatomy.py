"""What one call is made of, and how that grows: shortest times of many short runs, in microseconds.

The processor's time is counted, with one thread: other programs on the machine make it longer by
what they take of the caches alone, and the shortest run is the one that they disturbed least.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/anatomy.py
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

if TYPE_CHECKING:
    from collections.abc import Callable


def shortest(*functions: Callable[[], Any], seconds: float = 2e-4, runs: int = 60) -> list[float]:
    """Return the time of one call of each function, run turn about, in microseconds."""
    start = time.process_time()
    for _ in range(3):
        functions[0]()
    number = max(1, round(seconds / max((time.process_time() - start) / 3, 1e-7)))
    best = [float("inf")] * len(functions)
    for _ in range(runs):
        for place, function in enumerate(functions):
            start = time.process_time()
            for _ in range(number):
                function()
            best[place] = min(best[place], (time.process_time() - start) / number)
    return [1e6 * value for value in best]


def backward_per_node(libs: list[Any]) -> list[float]:
    """Return the time of a node of a chain of 100 multiplications, per library."""
    best = [float("inf")] * len(libs)
    for _ in range(60):
        for place, lib in enumerate(libs):
            x, b, grad = lib.ones(4, 4, requires_grad=True), lib.ones(4, 4), lib.ones(4, 4)
            for _ in range(100):
                x = x * b
            start = time.process_time()
            x.backward(grad)
            best[place] = min(best[place], (time.process_time() - start) / 100)
    return [1e6 * value for value in best]


def products(lib: Any, *shape: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return ``a * b``, unrecorded and recorded."""
    a, b, w = lib.ones(*shape), lib.ones(*shape), lib.ones(*shape, requires_grad=True)
    return lambda: a * b, lambda: w * b


def kinds(lib: Any) -> dict[str, Callable[[], Any]]:
    """Return calls of each kind, on 4×4 numbers, recorded where they can be."""
    functional = lib.nn.functional
    x, y = lib.ones(4, 4, requires_grad=True), lib.ones(4, 4)
    mask, target, free = y > 0, lib.ones(4, 4), lib.ones(4, 4)
    labels, module = lib.arange(4), lib.nn.Linear(4, 4)
    return {
        "one input: tanh": lambda: lib.tanh(x),
        "a reduction: sum": lambda: lib.sum(x),
        "a reduction: sum(1)": lambda: x.sum(1),
        "a view: view(16)": lambda: x.view(16),
        "a view: x[0]": lambda: x[0],
        "a list: cat": lambda: lib.cat([x, y]),
        "a choice: where": lambda: lib.where(mask, x, y),
        "a choice: clamp": lambda: x.clamp(0.0, 1.0),
        "in place: add_": lambda: free.add_(target),
        "several outputs: max(1)": lambda: x.max(1),
        "a product: mm": lambda: x @ y,
        "a module: Linear": lambda: module(x),
        "rows: softmax": lambda: x.softmax(-1),
        "a loss: cross_entropy": lambda: functional.cross_entropy(x, labels),
    }


def main() -> None:
    """Print the layers, the kinds and the growth."""
    import numpy as np
    import torch

    import chainrule

    torch.set_num_threads(1)
    libs = [chainrule, torch]
    small = np.ones((4, 4), np.float32)
    (arithmetic,) = shortest(lambda: np.multiply(small, small))
    (plain, recorded), (plain_too, recorded_too) = (products(lib, 4, 4) for lib in libs)
    print(f"a*b on 4x4, by layers{'chainrule':>21}{'PyTorch':>10}")
    print(f"  {'numpy.multiply alone':<29}{arithmetic:>8.2f} us")
    rows = {
        "unrecorded": shortest(plain, plain_too),
        "recorded": shortest(recorded, recorded_too),
        "backward, per node": backward_per_node(libs),
    }
    for name, (ours, theirs) in rows.items():
        print(f"  {name:<29}{ours:>8.2f} us{theirs:>7.2f} us")
    print(f"kinds of calls, 4x4{'chainrule':>23}{'PyTorch':>10}{'ratio':>7}")
    reference = kinds(torch)
    for name, call in kinds(chainrule).items():
        ours, theirs = shortest(call, reference[name])
        print(f"  {name:<29}{ours:>8.2f} us{theirs:>7.2f} us{ours / theirs:>7.2f}")
    print(f"recorded a*b, by size{'numpy alone':>13}{'chainrule':>11}{'PyTorch':>10}{'ratio':>7}")
    for count in (1, 100, 10_000, 100_000, 1_000_000, 10_000_000):
        array = np.ones(count, np.float32)
        calls = [products(lib, count)[1] for lib in libs]
        alone, ours, theirs = shortest(lambda a=array: np.multiply(a, a), *calls, runs=20)
        print(
            f"  {count:<19,}{alone:>10.2f} us{ours:>8.2f} us{theirs:>7.2f} us{ours / theirs:>7.2f}"
        )


if __name__ == "__main__":
    main()
