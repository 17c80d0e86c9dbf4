"""`grad`, `grad_and_value` and `vjp`: backward mode as functions of functions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import AutogradError
from ..grad_mode import enable_grad, mode
from ..transforms.entry import Stretch, pull
from ..transforms.levels import lifted_to_top
from ..trees import tree_flatten, tree_map, tree_unflatten
from ..value import Value
from ._trees import check_input, map_aux, picked, replaced, split_aux, tensors_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tensor import Tensor


def _zeros(tensor: Any) -> Any:
    return ops.zeros_like(tensor).detach()


class Entered:
    """A run of a function with some tensors as what is differentiated by."""

    def __init__(self) -> None:
        self.stretch = Stretch(recording=mode.enabled)
        self.inputs: list[Any] = []

    def enter(self, tensor: Any) -> Any:
        """Return *tensor* as the function gets it."""
        check_input(tensor)
        made = self.stretch.enter(lifted_to_top(tensor))
        self.inputs.append(made)
        return made

    def call(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return what *func* gives, recorded."""
        mode.transforming += 1
        try:
            with enable_grad():
                return func(*args, **kwargs)
        finally:
            mode.transforming -= 1

    def pulled(self, outputs: list[Any], cotangents: list[Any], *, keep_graph: bool) -> list[Any]:
        """Return the gradients by the inputs, with history where there is some further back."""
        record = mode.enabled and (
            self.stretch.leads_out([*outputs, *(c for c in cotangents if c.requires_grad)])
        )
        found = pull(
            outputs,
            cotangents,
            self.inputs,
            create_graph=record,
            keep_graph=keep_graph or record,
        )
        pairs = zip(found, self.inputs, strict=True)
        return [_zeros(x) if g is None else self.stretch.leave(g) for g, x in pairs]


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that gives the gradient of *func* and its value.

    Args:
        func: Gives a 0-d tensor; or that and something else, if *has_aux*.
        argnums: The argument to differentiate by, or a tuple of them; each may be a tree.
        has_aux: Whether *func* returns ``(value, aux)``.

    Returns:
        A function that returns ``(gradient, value)`` or ``(gradient, (value, aux))``.

    Raises:
        RuntimeError: when called, if *func* does not return a 0-d tensor.

    >>> import chainrule as cr
    >>> cr.func.grad_and_value(lambda x: x.square().sum())(cr.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        run = Entered()
        chosen = tree_map(run.enter, picked(argnums, args))
        result = run.call(func, *replaced(args, argnums, chosen), **kwargs)
        aux = None
        if has_aux:
            result, aux = split_aux(result, "grad_and_value(f)(*args)")
        _check_scalar(result)
        gradients = run.pulled([result], [_ones(result)], keep_graph=has_aux)
        made = tree_unflatten(gradients, tree_flatten(chosen)[1])
        value = run.stretch.leave(result)
        return made, (value, map_aux(run.stretch.leave, aux)) if has_aux else value

    return wrapper


def _ones(tensor: Any) -> Any:
    return ops.ones_like(tensor).detach()


def _check_scalar(result: Any) -> None:
    who = "grad_and_value(f)(*args): Expected f(*args) to return a"
    if not isinstance(result, Value):
        msg = f"{who} Tensor, got {type(result)}"
        raise AutogradError(msg)
    if result._array.shape != ():
        msg = (
            f"{who} scalar Tensor, got tensor with {len(result._array.shape)} dims. Maybe you "
            "wanted to use the vjp or jacrev APIs instead?\n"
            f"grad: the function returned shape {tuple(result._array.shape)}. Reduce it with "
            "sum() or mean()."
        )
        raise AutogradError(msg)
    if result._key.complex:
        msg = (
            "grad can be implicitly created only for real scalar outputs but got "
            f"{result._key.dtype}\ngrad: take the real part, or use vjp()."
        )
        raise AutogradError(msg)


def grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that gives the gradient of *func*.

    Args:
        func: Gives a 0-d tensor; or that and something else, if *has_aux*.
        argnums: The argument to differentiate by, or a tuple of them; each may be a tree.
        has_aux: Whether *func* returns ``(value, aux)``.

    Returns:
        A function that returns the gradient, or ``(gradient, aux)``.

    Raises:
        RuntimeError: when called, if *func* does not return a 0-d tensor.

    >>> import chainrule as cr
    >>> cr.func.grad(cr.sin)(cr.tensor(0.0))
    tensor(1.)
    >>> cr.func.grad(cr.func.grad(cr.sin))(cr.tensor(0.0))
    tensor(-0.)
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        made, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (made, value[1]) if has_aux else made

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return the value of *func* and a function that pulls cotangents back.

    Args:
        func: Gives a tensor or a tree of them; or that and something else, if *has_aux*.
        primals: Its arguments, trees of tensors.
        has_aux: Whether *func* returns ``(value, aux)``.

    Returns:
        ``(value, vjp_fn)`` or ``(value, vjp_fn, aux)``. *vjp_fn* takes a cotangent for every
        output and returns a tuple with a gradient for every argument.

    Raises:
        RuntimeError: *func* returns something that is no tensor.

    >>> import chainrule as cr
    >>> value, pull_back = cr.func.vjp(cr.exp, cr.tensor([0.0, 1.0]))
    >>> pull_back(cr.tensor([1.0, 0.0]))
    (tensor([1., 0.]),)
    """
    run, outputs, spec, aux = entered_run(func, primals, has_aux=has_aux)
    structure = tree_flatten(primals)[1]

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        """Return the gradients of the arguments for the *cotangents* of the outputs."""
        given, given_spec = tree_flatten(cotangents)
        if given_spec != spec:
            msg = (
                "Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {_shown(given_spec)}, primal output: "
                f"{_shown(spec)}"
            )
            raise AutogradError(msg)
        for position, (cotangent, output) in enumerate(zip(given, outputs, strict=True)):
            _check_cotangent(position, cotangent, output)
        found = run.pulled(outputs, given, keep_graph=retain_graph)
        return tree_unflatten(found, structure)

    value = tree_unflatten([run.stretch.leave(output) for output in outputs], spec)
    return (value, vjp_fn, map_aux(run.stretch.leave, aux)) if has_aux else (value, vjp_fn)


def entered_run(
    func: Callable[..., Any], primals: tuple[Any, ...], *, has_aux: bool = False
) -> tuple[Entered, list[Any], Any, Any]:
    """Return a run of *func* by all its arguments, its outputs, their structure, and aux."""
    run = Entered()
    entered = tree_map(run.enter, primals)
    result = run.call(func, *entered)
    aux = None
    if has_aux:
        result, aux = split_aux(result, "vjp(f, *primals)")
    outputs, spec = tensors_of(result, "vjp(f, *primals): expected f(*primals)")
    for output in outputs:
        if not output._key.floating:
            msg = (
                "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got "
                f"Tensor with dtype {output._key.dtype}\nvjp: return it as aux, with has_aux=True."
            )
            raise AutogradError(msg)
    return run, outputs, spec, aux


def _shown(spec: Any) -> str:
    """Return a structure as a tree of stars."""
    return str(spec.unflatten([_Star()] * spec.num_leaves))


class _Star:
    def __repr__(self) -> str:
        return "*"


def _check_cotangent(position: int, cotangent: Any, output: Tensor) -> None:
    from ..differentiate import _check_gradient

    _check_gradient(position, output._array.shape, output._key, cotangent)
