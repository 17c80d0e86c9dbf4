"""`jacrev`, `jacfwd` and `hessian`: whole Jacobians, by mapping vjp or jvp over a basis."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import AutogradError
from ..transforms.wrapped import is_tensor
from ..trees import tree_flatten, tree_unflatten
from ._differentiating import vjp
from ._pushing import jvp
from ._trees import check_input, picked, replaced
from ._vmap import vmap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def jacrev(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """Return a function that gives the Jacobian of *func*, computed in backward mode.

    Args:
        func: Gives a tensor or a tree of them; or that and something else, if *has_aux*.
        argnums: The argument to differentiate by, or a tuple of them.
        has_aux: Whether *func* returns ``(value, aux)``.
        chunk_size: Compute so many rows at a time; None for all.

    Returns:
        A function that returns, for every output, for every input, a tensor of the output's shape
        followed by the input's; with ``aux`` if *has_aux*.

    Raises:
        RuntimeError: when called, if *func* returns something that is no tensor.

    >>> import chainrule as cr
    >>> cr.func.jacrev(cr.square)(cr.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if not (chunk_size is None or chunk_size > 0):
        msg = "jacrev: `chunk_size` should be greater than 0."
        raise ValueError(msg)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        chosen = picked(argnums, args)
        primals = chosen if isinstance(argnums, tuple) else (chosen,)

        def of_chosen(*new: Any) -> Any:
            given = new if isinstance(argnums, tuple) else new[0]
            return func(*replaced(args, argnums, given), **kwargs)

        _check_real("jacrev", "inputs", tree_flatten(primals)[0])
        value, pull_back, *aux = vjp(of_chosen, *primals, has_aux=has_aux)
        outputs, out_spec = tree_flatten(value)
        inputs, in_spec = tree_flatten(primals)
        _check_real("jacrev", "outputs", outputs)
        basis = tree_unflatten(_basis(outputs), out_spec)
        columns = tree_flatten(vmap(pull_back, chunk_size=chunk_size)(basis))[0]
        blocks = [_split(c, outputs, tuple(x._array.shape)) for c, x in
                  zip(columns, inputs, strict=True)]  # fmt: skip
        rows = [
            _as_given(tree_unflatten(list(row), in_spec), argnums)
            for row in zip(*blocks, strict=True)
        ]
        made = tree_unflatten(rows, out_spec)
        return (made, *aux) if has_aux else made

    return wrapper


def _check_real(who: str, what: str, tensors: Sequence[Any]) -> None:
    """Check that no tensor is complex: a Jacobian would have two parts.

    Raises:
        RuntimeError: one is.
    """
    for position, tensor in enumerate(tensors):
        if is_tensor(tensor) and tensor._key.complex:
            msg = (
                f"{who}: Expected all {what} to be real but received complex tensor at flattened "
                f"input idx: {position}\n{who}: look at it with view_as_real()."
            )
            raise AutogradError(msg)


def _as_given(row: Any, argnums: Any) -> Any:
    return row if isinstance(argnums, tuple) else row[0]


def _basis(tensors: Sequence[Any]) -> list[Any]:
    """Return, for every tensor, its part of a basis of all of them: one row per element of any."""
    sizes = [tensor.numel() for tensor in tensors]
    made, start = [], 0
    for tensor, size in zip(tensors, sizes, strict=True):
        whole = ops.eye(sum(sizes), dtype=tensor.dtype, device=tensor.device)
        part = ops.narrow(whole, 1, start, size)
        made.append(ops.reshape(part, (sum(sizes), *tensor._array.shape)))
        start += size
    return made


def _split(column: Any, outputs: Sequence[Any], shape: tuple[int, ...]) -> list[Any]:
    """Return what of the rows of *column* belongs to each output."""
    parts = ops.split(column, [output.numel() for output in outputs], 0)
    return [
        ops.reshape(part, (*output._array.shape, *shape))
        for part, output in zip(parts, outputs, strict=True)
    ]


def jacfwd(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """Return a function that gives the Jacobian of *func*, computed in forward mode.

    Args:
        func: Gives a tensor or a tree of them; or that and something else, if *has_aux*.
        argnums: The argument to differentiate by, or a tuple of them.
        has_aux: Whether *func* returns ``(value, aux)``.
        randomness: As of `vmap`.

    Returns:
        A function that returns, for every output, for every input, a tensor of the output's shape
        followed by the input's; with ``aux`` if *has_aux*.

    Raises:
        RuntimeError: when called, if *func* returns something that is no tensor.

    >>> import chainrule as cr
    >>> cr.func.jacfwd(cr.square)(cr.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        chosen = picked(argnums, args)
        primals = chosen if isinstance(argnums, tuple) else (chosen,)
        inputs, in_spec = tree_flatten(primals)
        for one in inputs:
            check_input(one)
        _check_real("jacfwd", "inputs", inputs)

        def of_chosen(*new: Any) -> Any:
            given = new if isinstance(argnums, tuple) else new[0]
            return func(*replaced(args, argnums, given), **kwargs)

        def push(*tangents: Any) -> Any:
            given = tree_unflatten(tangents, in_spec)
            _, change, *aux = jvp(of_chosen, primals, given, has_aux=has_aux)
            return change, *aux

        mapped = vmap(push, randomness=randomness, out_dims=(-1, None) if has_aux else (-1,))
        change, *aux = mapped(*_basis(inputs))
        outputs, out_spec = tree_flatten(change)
        _check_real("jacfwd", "outputs", outputs)
        rows = [
            _as_given(tree_unflatten(_columns(output, inputs), in_spec), argnums)
            for output in outputs
        ]
        made = tree_unflatten(rows, out_spec)
        return (made, *aux) if has_aux else made

    return wrapper


def _columns(output: Any, inputs: Sequence[Any]) -> list[Any]:
    """Return the Jacobian by every input from one whose last dimension counts all elements."""
    parts = ops.split(output, [x.numel() for x in inputs], -1)
    shape = tuple(output._array.shape[:-1])
    return [
        ops.reshape(part, (*shape, *x._array.shape)) for part, x in zip(parts, inputs, strict=True)
    ]


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return a function that gives the second derivatives of *func*: forward over backward mode.

    >>> import chainrule as cr
    >>> cr.func.hessian(lambda x: (x**3).sum())(cr.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
