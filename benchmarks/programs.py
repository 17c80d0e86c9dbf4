"""The programs that are timed: written once, in PyTorch's words, for either library.

Each is a function of the library that builds its networks and data and returns a `Program`. Seeds
give both libraries the same numbers, so what a step returns can be compared: times of programs
that compute different things say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Program:
    """One program, ready to run.

    Attributes:
        step: What is timed; it returns a tensor of one or more numbers.
        prepare: Called before each step, untimed; what it returns is handed to the step.
        parts: How many things a step does: times are told per part.
        weights: What it starts from, for peers with random numbers of their own.
    """

    step: Callable[..., Any]
    prepare: Callable[[], Any] | None = None
    parts: int = 1
    weights: tuple[Any, ...] = ()


def recorded_mul(lib: Any) -> Program:
    """``a * b`` on 4×4 numbers, with a node."""
    a, b = lib.ones(4, 4, requires_grad=True), lib.ones(4, 4)
    return Program(lambda: a * b)


def unrecorded_mul(lib: Any) -> Program:
    """``a * b`` on 4×4 numbers, without."""
    a, b = lib.ones(4, 4), lib.ones(4, 4)
    return Program(lambda: a * b)


def backward_per_node(lib: Any) -> Program:
    """Backward through 100 multiplications, per node."""
    a, b, grad = lib.ones(4, 4, requires_grad=True), lib.ones(4, 4), lib.ones(4, 4)

    def prepare() -> Any:
        a.grad = None
        x = a
        for _ in range(100):
            x = x * b
        return x

    def step(x: Any) -> Any:
        x.backward(grad)
        return a.grad

    return Program(step, prepare, 100)


def trained(net: Any, loss_of: Any, optimizer: Any, batch: Any, target: Any) -> Program:
    """Return training steps on one batch."""
    weights = (batch, target, *[p.detach().clone() for p in net.parameters()])

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of(net(batch), target)
        loss.backward()
        optimizer.step()
        return loss

    return Program(step, weights=weights)


def tiny_mlp(lib: Any) -> Program:
    """A tanh network 8-32-32-1, batch 32, Adam."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = lib.optim.Adam(net.parameters(), lr=1e-3)
    return trained(net, nn.MSELoss(), optimizer, lib.randn(32, 8), lib.randn(32, 1))


def mlp(lib: Any) -> Program:
    """A network 784-512-512-10, batch 128, SGD."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )
    optimizer = lib.optim.SGD(net.parameters(), lr=0.01)
    target = lib.randint(0, 10, (128,))
    return trained(net, nn.CrossEntropyLoss(), optimizer, lib.randn(128, 784), target)


def cnn(lib: Any) -> Program:
    """Two 3×3 convolutions 1-32-64 with pooling on 28×28, batch 64, Adam."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 10),
    )  # fmt: skip
    optimizer = lib.optim.Adam(net.parameters(), lr=1e-3)
    target = lib.randint(0, 10, (64,))
    return trained(net, nn.CrossEntropyLoss(), optimizer, lib.randn(64, 1, 28, 28), target)


def residual(lib: Any) -> Program:
    """A residual block with batch normalisation, 64 channels on 32×32, batch 16, SGD."""
    nn = lib.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]  # of either library
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
                nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64),
            )  # fmt: skip

        def forward(self, x: Any) -> Any:
            return (self.body(x) + x).relu().mean((2, 3))

    lib.manual_seed(0)
    net = Block()
    optimizer = lib.optim.SGD(net.parameters(), lr=0.01)
    batch, target = lib.randn(16, 64, 32, 32), lib.randint(0, 64, (16,))
    return trained(net, nn.CrossEntropyLoss(), optimizer, batch, target)


def gpt(lib: Any) -> Program:
    """A language model of 4 layers of width 128 with 4 heads, 64 tokens, batch 12, AdamW."""
    nn, functional = lib.nn, lib.nn.functional

    class Block(nn.Module):  # type: ignore[misc, name-defined]  # of either library
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.LayerNorm(128), nn.LayerNorm(128)
            self.mixed, self.out = nn.Linear(128, 384), nn.Linear(128, 128)
            self.wide, self.narrow = nn.Linear(128, 512), nn.Linear(512, 128)

        def attend(self, x: Any) -> Any:
            batch, steps, width = x.shape
            parts = self.mixed(x).split(width, dim=2)
            heads = [part.view(batch, steps, 4, width // 4).transpose(1, 2) for part in parts]
            mixed = functional.scaled_dot_product_attention(*heads, is_causal=True)
            return self.out(mixed.transpose(1, 2).reshape(batch, steps, width))

        def forward(self, x: Any) -> Any:
            x = x + self.attend(self.first(x))
            return x + self.narrow(functional.gelu(self.wide(self.second(x))))

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
    net, tokens = Model(), lib.randint(0, 96, (12, 64))
    optimizer = lib.optim.AdamW(net.parameters(), lr=1e-3)
    return trained(net, nn.CrossEntropyLoss(), optimizer, tokens, tokens.flatten())


def lstm(lib: Any) -> Program:
    """A long short-term memory 32 to 64 over 50 steps, batch 32: forward and backward."""
    lib.manual_seed(0)
    layer, x = lib.nn.LSTM(32, 64), lib.randn(50, 32, 32)

    def step() -> Any:
        layer.zero_grad()
        layer(x)[0].sum().backward()
        return layer.weight_hh_l0.grad.norm()

    return Program(step)


def elementwise(lib: Any) -> Program:
    """Tanh, sigmoid and exp of a million numbers, and back."""
    lib.manual_seed(0)
    x = lib.randn(1_000_000, requires_grad=True)

    def step() -> Any:
        x.grad = None
        y = x.tanh().sigmoid().exp().sum()
        y.backward()
        return y

    return Program(step, weights=(x,))


def hessian_vector(lib: Any) -> Program:
    """A product of a vector with the Hessian of a function of 64 numbers, by way of a 64×64."""
    lib.manual_seed(0)
    matrix, x = lib.randn(64, 64), lib.randn(64, requires_grad=True)
    along = lib.randn(64)

    def step() -> Any:
        value = (matrix @ x).tanh().square().sum()
        (grad,) = lib.autograd.grad(value, x, create_graph=True)
        (product,) = lib.autograd.grad((grad * along).sum(), x)
        return product

    return Program(step, weights=(matrix, x, along))


def chain(lib: Any) -> Program:
    """A chain of 10,000 operations on ten numbers, and back."""
    start = lib.ones(10, requires_grad=True)

    def step() -> Any:
        start.grad = None
        x = start
        for _ in range(5000):
            x = (x * 1.0001).sin()
        x.sum().backward()
        return start.grad

    return Program(step, weights=(start,))


#: What one call costs beside its arithmetic: together one workload.
OVERHEAD: Final[dict[str, Callable[[Any], Program]]] = {
    "a*b, recorded": recorded_mul,
    "a*b, unrecorded": unrecorded_mul,
    "backward, per node": backward_per_node,
}

#: Whole programs.
PROGRAMS: Final[dict[str, Callable[[Any], Program]]] = {
    "tiny MLP": tiny_mlp,
    "MLP": mlp,
    "CNN": cnn,
    "residual block": residual,
    "GPT": gpt,
    "LSTM": lstm,
    "elementwise": elementwise,
    "HVP": hessian_vector,
    "chain of 10,000": chain,
}
