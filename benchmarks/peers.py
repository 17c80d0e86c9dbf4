"""The same maths in the words of JAX and of HIPS autograd, where that is easy.

Both start from the numbers that chainrule starts from, which PyTorch's generator would give too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from programs import PROGRAMS, Program

if TYPE_CHECKING:
    from collections.abc import Callable


def weights_of(name: str) -> list[Any]:
    """Return what the program *name* starts from, as NumPy arrays."""
    import chainrule

    return [w.detach().numpy().copy() for w in PROGRAMS[name](chainrule).weights]


def tanh_network(xp: Any, params: Any, x: Any, y: Any) -> Any:
    """Return the loss of the tiny MLP."""
    for weight, bias in zip(params[:-2:2], params[1:-2:2], strict=True):
        x = xp.tanh(x @ weight.T + bias)
    return xp.mean((x @ params[-2].T + params[-1] - y) ** 2)


def relu_network(xp: Any, params: Any, x: Any, y: Any) -> Any:
    """Return the loss of the MLP; *y* has a one in each row."""
    for weight, bias in zip(params[:-2:2], params[1:-2:2], strict=True):
        x = xp.maximum(x @ weight.T + bias, 0)
    x = x @ params[-2].T + params[-1]
    top = xp.max(x, axis=1, keepdims=True)
    logs = x - top - xp.log(xp.sum(xp.exp(x - top), axis=1, keepdims=True))
    return -xp.mean(xp.sum(logs * y, axis=1))


def descend(params: Any, grads: Any, state: Any) -> tuple[Any, Any]:
    """Return the weights after a step of SGD."""
    return [p - 0.01 * g for p, g in zip(params, grads, strict=True)], state


def adam(params: Any, grads: Any, state: Any) -> tuple[Any, Any]:
    """Return the weights and the moments after a step of Adam."""
    count, firsts, seconds = state
    count = count + 1
    firsts = [0.9 * m + 0.1 * g for m, g in zip(firsts, grads, strict=True)]
    seconds = [0.999 * v + 0.001 * g * g for v, g in zip(seconds, grads, strict=True)]
    rate, scale = 1e-3 / (1 - 0.9**count), (1 - 0.999**count) ** 0.5
    params = [
        p - rate * m / (v**0.5 / scale + 1e-8)
        for p, m, v in zip(params, firsts, seconds, strict=True)
    ]
    return params, (count, firsts, seconds)


#: Per network: its loss, and what follows its gradient.
NETWORKS: Final = {"tiny MLP": (tanh_network, adam), "MLP": (relu_network, descend)}


def network(name: str) -> tuple[list[Any], Any, Any, Any]:
    """Return the weights, the state of the optimizer, and the batch of a network."""
    import numpy as np

    x, y, *params = weights_of(name)
    if y.dtype == np.int64:
        y = np.eye(10, dtype=np.float32)[y]
    zeros = [np.zeros_like(p) for p in params]
    return params, (0, zeros, list(zeros)), x, y


def jax_network(name: str) -> Program:
    """A training step under ``jax.jit``."""
    import jax

    loss_of, update = NETWORKS[name]
    params, state, x, y = network(name)
    held = [jax.device_put(params), jax.device_put(state)]
    x, y = jax.device_put(x), jax.device_put(y)

    @jax.jit  # type: ignore[untyped-decorator]  # an optional peer, without types here
    def train(params: Any, state: Any) -> Any:
        loss, grads = jax.value_and_grad(lambda p: loss_of(jax.numpy, p, x, y))(params)
        return loss, *update(params, grads, state)

    def step() -> Any:
        loss, held[0], held[1] = jax.block_until_ready(train(*held))
        return loss

    return Program(step)


def jax_elementwise(name: str) -> Program:
    """The elementwise program under ``jax.jit``."""
    import jax

    (x,) = map(jax.device_put, weights_of(name))
    run = jax.jit(
        jax.value_and_grad(lambda x: jax.numpy.exp(jax.nn.sigmoid(jax.numpy.tanh(x))).sum())
    )
    return Program(lambda: jax.block_until_ready(run(x))[0])


def jax_product(name: str) -> Program:
    """The product with a Hessian under ``jax.jit``, forward over reverse."""
    import jax

    matrix, x, along = map(jax.device_put, weights_of(name))

    def value(x: Any) -> Any:
        return (jax.numpy.tanh(matrix @ x) ** 2).sum()

    run = jax.jit(lambda x: jax.jvp(jax.grad(value), (x,), (along,))[1])
    return Program(lambda: jax.block_until_ready(run(x)))


def autograd_network(name: str) -> Program:
    """A training step with HIPS autograd."""
    import autograd
    import autograd.numpy

    loss_of, update = NETWORKS[name]
    params, state, x, y = network(name)
    held = [params, state]
    both = autograd.value_and_grad(lambda p: loss_of(autograd.numpy, p, x, y))

    def step() -> Any:
        loss, grads = both(held[0])
        held[0], held[1] = update(held[0], grads, held[1])
        return loss

    return Program(step)


def autograd_elementwise(name: str) -> Program:
    """The elementwise program with HIPS autograd."""
    import autograd
    import autograd.numpy as np

    (x,) = weights_of(name)
    both = autograd.value_and_grad(lambda x: np.sum(np.exp(1 / (1 + np.exp(-np.tanh(x))))))
    return Program(lambda: both(x)[0])


def autograd_product(name: str) -> Program:
    """The product with a Hessian with HIPS autograd, reverse over reverse."""
    import autograd
    import autograd.numpy as np

    matrix, x, along = weights_of(name)
    gradient = autograd.grad(lambda x: np.sum(np.tanh(matrix @ x) ** 2))
    product = autograd.grad(lambda x: np.sum(gradient(x) * along))
    return Program(lambda: product(x))


def autograd_chain(name: str) -> Program:
    """The chain of small operations with HIPS autograd."""
    import autograd
    import autograd.numpy as np

    (start,) = weights_of(name)

    def run(x: Any) -> Any:
        for _ in range(5000):
            x = np.sin(x * 1.0001)
        return np.sum(x)

    gradient = autograd.grad(run)
    return Program(lambda: gradient(start))


#: Per peer, what it can do here.
PEERS: Final[dict[str, dict[str, Callable[[str], Program]]]] = {
    "jax": {
        "tiny MLP": jax_network,
        "MLP": jax_network,
        "elementwise": jax_elementwise,
        "HVP": jax_product,
    },
    "autograd": {
        "tiny MLP": autograd_network,
        "MLP": autograd_network,
        "elementwise": autograd_elementwise,
        "HVP": autograd_product,
        "chain of 10,000": autograd_chain,
    },
}
