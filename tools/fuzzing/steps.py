"""Steps written by hand: views, writes, and what touches the graph itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .vocabulary import adapted

if TYPE_CHECKING:
    import random
    from collections.abc import Callable


def _floating(pool: list[Any], pick: random.Random) -> Any:
    return pick.choice([t for t in pool if t.dtype.is_floating_point])


def _any(pool: list[Any], pick: random.Random) -> Any:
    return pick.choice(pool)


def _first(pool: list[Any], pick: random.Random) -> Any:
    return pick.choice(pool[:9])


def on(choose: Any, function: Callable[[Any], Any]) -> Any:
    """Return the step of a function of one tensor."""
    return lambda lib, pool, pick: function(choose(pool, pick))


def with_other(function: Callable[[Any, Any], Any]) -> Any:
    """Return the step of a function of a floating tensor and another one of its shape."""

    def step(lib: Any, pool: list[Any], pick: random.Random) -> Any:
        target, other = _floating(pool, pick), _floating(pool, pick)
        operand = other if other is target else adapted(other.clone(), tuple(target.shape))
        return function(target, operand)

    return step


def with_lib(function: Callable[[Any, Any, random.Random], Any]) -> Any:
    """Return the step of a function of the library, a floating tensor and the draw."""
    return lambda lib, pool, pick: function(lib, _floating(pool, pick), pick)


def _assign(target: Any, where: Any, value: Any) -> None:
    target[where] = value


def _augmented(sign: str) -> Callable[[Any, Any], Any]:
    def write(target: Any, other: Any) -> Any:
        if sign == "+":
            target += other
        elif sign == "-":
            target -= other
        elif sign == "*":
            target *= other
        else:
            target /= 2 + other * other
        return target

    return write


def _mask(lib: Any, t: Any, pick: random.Random) -> Any:
    return t > 0.1


def _rows(lib: Any, t: Any, pick: random.Random) -> Any:
    size = t.shape[0] if t.dim() else 1
    return lib.tensor([pick.randrange(max(size, 1)) for _ in range(3)])


def _distinct_rows(lib: Any, t: Any, pick: random.Random) -> Any:
    size = t.shape[0] if t.dim() else 1
    return lib.tensor(pick.sample(range(size), min(size, 2)), dtype=lib.int64)


def _hooked(t: Any) -> None:
    t.register_hook(lambda grad: grad * 1.5)


VIEWS = {
    "t": on(_any, lambda t: t.t()),
    "T of two": on(_any, lambda t: t.transpose(-1, -2)),
    "permute": on(_any, lambda t: t.permute(*reversed(range(t.dim())))),
    "first": on(_any, lambda t: t[0]),
    "last": on(_any, lambda t: t[..., -1]),
    "part": on(_any, lambda t: t[..., 1:]),
    "steps": on(_any, lambda t: t[..., ::2]),
    "new dim": on(_any, lambda t: t[None]),
    "unsqueeze": on(_any, lambda t: t.unsqueeze(-1)),
    "squeeze": on(_any, lambda t: t.squeeze()),
    "flat": on(_any, lambda t: t.reshape(-1)),
    "view": on(_any, lambda t: t.view(-1)),
    "narrow": on(_any, lambda t: t.narrow(0, 0, 1)),
    "select": on(_any, lambda t: t.select(-1, 0)),
    "expand": on(_any, lambda t: t.expand(2, *t.shape)),
    "diagonal": on(_any, lambda t: t.diagonal()),
    "unfold": on(_any, lambda t: t.unfold(-1, 2, 1)),
    "unbind": on(_any, lambda t: t.unbind(0)[0]),
    "split": on(_any, lambda t: t.split(1, 0)[0]),
    "chunk": on(_any, lambda t: t.chunk(2, -1)[0]),
    "movedim": on(_any, lambda t: t.movedim(0, -1)),
    "view_as": with_other(lambda t, o: t.view_as(o)),
    # Of results the layout may differ, and with it what a stride leads to.
    "as_strided": on(_first, lambda t: t.as_strided((2, 2), (1, 1))),
    "real": on(_any, lambda t: t.real),
    "imag": on(_any, lambda t: t.imag),
    "view_as_real": lambda lib, pool, pick: lib.view_as_real(_any(pool, pick)),
    "alias by detach": on(_any, lambda t: t.detach()),
    "data": on(_any, lambda t: t.data),
}

WRITES = {
    "+=": with_other(_augmented("+")),
    "-=": with_other(_augmented("-")),
    "*=": with_other(_augmented("*")),
    "/=": with_other(_augmented("/")),
    "add_ number": on(_any, lambda t: t.add_(1)),
    "mul_ number": on(_floating, lambda t: t.mul_(0.5)),
    "tanh_": on(_floating, lambda t: t.tanh_()),
    "sigmoid_": on(_floating, lambda t: t.sigmoid_()),
    "relu_": on(_floating, lambda t: t.relu_()),
    "zero_": on(_any, lambda t: t.zero_()),
    "fill_": on(_floating, lambda t: t.fill_(0.3)),
    "copy_": with_other(lambda t, o: t.copy_(o)),
    "copy_ expanded": with_other(lambda t, o: t.copy_(o.sum())),
    "clamp_": on(_floating, lambda t: t.clamp_(-0.5, 0.7)),
    "set number": on(_floating, lambda t: _assign(t, (..., 0), 0.25)),
    "set part": with_other(lambda t, o: _assign(t, (..., slice(0, 1)), o.sum())),
    "set row": with_other(lambda t, o: _assign(t, 0, o[0])),
    "set mask number": with_lib(lambda lib, t, pick: _assign(t, _mask(lib, t, pick), 0.5)),
    "set rows": with_lib(
        lambda lib, t, pick: _assign(t, _distinct_rows(lib, t, pick), t.detach()[:1] * 2)
    ),
    "masked_fill_": with_lib(lambda lib, t, pick: t.masked_fill_(_mask(lib, t, pick), -1.0)),
    "index_put_": with_lib(
        lambda lib, t, pick: t.index_put_(
            (_rows(lib, t, pick),), lib.tensor(0.5, dtype=lib.float64), accumulate=True
        )
    ),
    "index_fill_": with_lib(lambda lib, t, pick: t.index_fill_(0, _rows(lib, t, pick), 0.1)),
    "transpose_": on(_any, lambda t: t.transpose_(0, -1)),
    "unsqueeze_": on(_any, lambda t: t.unsqueeze_(0)),
    "squeeze_": on(_any, lambda t: t.squeeze_(0)),
    "data write": on(_floating, lambda t: t.data.add_(0.125)),
    "detach write": on(_floating, lambda t: t.detach().mul_(0.75)),
    "out=": lambda lib, pool, pick: lib.mul(_floating(pool, pick), 2.0, out=_floating(pool, pick)),
}

GRAPH = {
    "requires_grad_": on(_any, lambda t: t.requires_grad_()),
    "freeze": on(_any, lambda t: t.requires_grad_(False)),
    "detach_": on(_any, lambda t: t.detach_()),
    "clone": on(_any, lambda t: t.clone()),
    "contiguous": on(_any, lambda t: t.contiguous()),
    "to integers": on(_any, lambda t: t.long()),
    "to complex": on(_floating, lambda t: t.to(_complex(t))),
    "hook": on(_any, _hooked),
    "retain_grad": on(_any, lambda t: t.retain_grad()),
    "backward": on(_floating, lambda t: (t * t).sum().backward(retain_graph=True)),
    "backward, freeing": on(_floating, lambda t: (t * 0.5).sum().backward()),
    "gradient": lambda lib, pool, pick: lib.autograd.grad(
        _floating(pool, pick).sum(), _floating(pool, pick), create_graph=True, allow_unused=True
    ),
    "forget gradient": on(_any, lambda t: setattr(t, "grad", None)),
    "set_data": with_other(lambda t, o: setattr(t, "data", o.detach() * 0.5)),
}


def _complex(t: Any) -> Any:
    import torch

    import chainrule

    return chainrule.complex128 if isinstance(t, chainrule.Tensor) else torch.complex128
